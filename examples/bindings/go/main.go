// Two hosts written in Go, in one process: a pod with one container starts on A, is exported, imported on B, looked at there, and runs on.
package main

/*
#include "shim.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

const (
	namespace = "4b7de07b-9d2c-4b5b-9b0a-0d7b7a1f2a10"
	document  = `{"Owner":"go","SchemaVersion":{"Major":2,"Minor":1},"VirtualMachine":{"Chipset":{"LinuxKernelDirect":{
		"KernelFilePath":"vmlinux","KernelCmdLine":"quiet -- -e 1 /bin/vsockexec -r -e 109 /bin/gcs"}},
		"ComputeTopology":{"Memory":{"SizeInMB":16},"Processor":{"Count":1}},"Devices":{"Scsi":{"df6d0690-79e5-55b6-a5ec-c1e2f77f580a":{
		"Attachments":{"0":{"Type":"VirtualDisk","Path":"rootfs.vhd","ReadOnly":true}}}}}}}`
	specification = `{"ociVersion":"1.1.0","process":{"user":{"uid":0,"gid":0},"args":["/pause"],"cwd":"/"},"root":{"path":"rootfs"},
		"linux":{"namespaces":[{"type":"mount"}]},"windows":{"network":{"networkNamespace":"` + namespace + `"}},
		"annotations":{"io.kubernetes.cri.container-type":"sandbox","io.kubernetes.cri.sandbox-id":"web"}}`
)

// memory is what a migration moves: the guest's processes, and who waits for them.
type memory struct {
	processes int
	waits     []int64
}

// mock is a hypervisor and a guest that do what they are asked to. Both hosts share the wire.
type mock struct {
	name   string
	memory memory
	wire   **memory
}

func (m *mock) hcs(operation C.enum_shim_hcs, document string) answer {
	switch operation {
	case C.SHIM_PROPERTIES:
		if strings.Contains(document, "CompatibilityInfo") {
			return answer{json: `{"PropertyResponses":{"CompatibilityInfo":{"Response":{"Data":"Y29tcGF0"}}}}`}
		}
		return answer{json: `{"RuntimeId":"b1c2d3e4-0000-4000-8000-00000000cafe"}`}
	case C.SHIM_TRANSFER: // whoever finds the wire empty is the source
		if *m.wire != nil {
			m.memory, *m.wire = **m.wire, nil
		} else {
			moved := m.memory
			*m.wire = &moved
		}
	case C.SHIM_FINALIZE_MIGRATION:
		return answer{exited: strings.Contains(document, "Stop")}
	case C.SHIM_TERMINATE:
		return answer{exited: true}
	}
	return answer{}
}

func (m *mock) guest(id int64, message uint32, document string) answer {
	switch message {
	case C.LCOWMIG_GCS_EXECUTE_PROCESS:
		m.memory.processes++
		return answer{json: fmt.Sprintf(`{"Result":0,"ProcessId":%d}`, m.memory.processes)}
	case C.LCOWMIG_GCS_WAIT_FOR_PROCESS:
		if !strings.Contains(document, `"TimeoutInMs":4294967295`) {
			return answer{hresult: 0xc0370109} // it runs on
		}
		m.memory.waits = append(m.memory.waits, id)
		return answer{later: true}
	case C.LCOWMIG_GCS_MODIFY_SETTINGS:
		if strings.Contains(document, `"ResourceType":"Network"`) {
			what := "gets"
			if strings.Contains(document, `"RequestType":"Remove"`) {
				what = "loses"
			}
			fmt.Printf("%s: the guest %s a NIC\n", m.name, what)
		}
	}
	return answer{json: `{"Result":0}`}
}

func (m *mock) endpoints(string) string {
	return `[{"ID":"f7b5d1a0-2f3e-4b6c-8d9e-112233445566","Name":"eth0","MacAddress":"00-15-5D-01-02-03",
		"IpConfigurations":[{"IpAddress":"10.244.1.7","PrefixLength":24}]}]`
}

func (m *mock) started(container string) {
	fmt.Printf("%s: %s has started\n", m.name, container)
}

func (m *mock) ended(container string, status uint32) {
	fmt.Printf("%s: %s has ended with %d\n", m.name, container, status)
}

// steps runs until the first error.
func steps(list ...func() error) error {
	for _, step := range list {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func move(a, b *sandbox, memory *memory) error {
	source, destination := a.session("move"), b.session("move")
	var envelope, token []byte
	return steps(
		func() error { return a.start(document) },
		func() error {
			return a.run("web", namespace, specification, "scratch=scratch.vhdx", `parent-partitioned-layers=[{"Path":"layers.vhd","Partition":1}]`)
		},
		func() (err error) { envelope, err = source.export(); return err },
		func() error { // half an envelope is refused and changes nothing; the whole one is taken afterwards
			err := destination.imports("sandbox-b", envelope[:len(envelope)/2])
			if err == nil {
				return errors.New("half an envelope was taken")
			}
			fmt.Println("half of it:", err)
			return destination.imports("sandbox-b", envelope)
		},
		func() error {
			return destination.patch("web", "web-b", namespace, "scratch=b/scratch.vhdx",
				`parent-partitioned-layers=[{"Path":"b/layers.vhd","Partition":1}]`)
		},
		func() error { return b.print("B") },
		destination.prepareDestination,
		func() error { return source.transfer([]byte("wire")) },
		func() error { return destination.transfer([]byte("wire")) },
		func() (err error) { token, err = source.release(); return err },
		func() error { return destination.resume(token) },
		source.stop,
		func() error { b.guestAnswers(memory.waits[0], `{"Result":0,"ExitCode":7}`); return nil },
	)
}

func run() error {
	var wire *memory
	mockA, mockB := &mock{name: "A", wire: &wire}, &mock{name: "B", wire: &wire}
	a, err := newSandbox("sandbox-a", mockA)
	if err != nil {
		return err
	}
	b, err := newSandbox("", mockB)
	if err != nil {
		return err
	}
	return steps(func() error { return move(a, b, &mockB.memory) }, a.close, b.close)
}

func main() {
	fmt.Println("libclcowmig", C.GoString(C.lcowmig_version()))
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "move-pod:", err)
		os.Exit(1)
	}
	fmt.Println("consumer: ok")
}
