package main

// A thin layer over the library: every status is an error. Hosts of this layer answer each call before it returns, so no operation is ever pending.

/*
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"fmt"
	"runtime/cgo"
	"unsafe"
)

// call makes one call of the library with an error struct and the texts it needs as C strings.
func call(function func(e *C.lcowmig_error, texts []*C.char) C.lcowmig_status, texts ...string) error {
	e := C.shim_error()
	c := make([]*C.char, len(texts))
	for i, text := range texts {
		c[i] = C.CString(text)
		defer C.free(unsafe.Pointer(c[i]))
	}
	switch status := function(&e, c); status {
	case C.LCOWMIG_OK:
		return nil
	case C.LCOWMIG_PENDING:
		return fmt.Errorf("the operation did not end at once")
	default:
		return fmt.Errorf("%s: %s", C.GoString(C.lcowmig_status_name(status)), C.GoString(&e.message[0]))
	}
}

// sandbox is one virtual machine with its pods, in a context of its own.
type sandbox struct {
	context   *C.lcowmig_context
	raw       *C.lcowmig_sandbox
	handle    cgo.Handle
	host      host
	connected bool
	nextPort  uint32
	nextID    int64
	open      map[int64][]*C.lcowmig_call // requests that the guest has not answered
}

// newSandbox makes a sandbox; one without an id will import.
func newSandbox(id string, h host) (*sandbox, error) {
	s := &sandbox{host: h, nextPort: C.LCOWMIG_GCS_FIRST_PORT, nextID: 1, open: map[int64][]*C.lcowmig_call{}}
	err := call(func(e *C.lcowmig_error, _ []*C.char) C.lcowmig_status {
		return C.lcowmig_context_new(nil, nil, &s.context, e)
	})
	if err != nil {
		return nil, err
	}
	s.handle = cgo.NewHandle(s)
	err = call(func(e *C.lcowmig_error, t []*C.char) C.lcowmig_status {
		if id == "" {
			t[0] = nil
		}
		return C.shim_sandbox_new(s.context, C.uintptr_t(s.handle), t[0], &s.raw, e)
	}, id)
	if err != nil {
		s.handle.Delete()
		C.lcowmig_context_free(s.context)
		return nil, err
	}
	return s, nil
}

// close ends the machine and frees everything.
func (s *sandbox) close() error {
	err := call(func(e *C.lcowmig_error, _ []*C.char) C.lcowmig_status {
		if status := C.lcowmig_vm_terminate(s.vm(), nil, nil, e); status != C.LCOWMIG_OK {
			return status
		}
		return C.lcowmig_sandbox_free(s.raw, e)
	})
	if err == nil {
		C.lcowmig_context_free(s.context)
		s.handle.Delete()
	}
	return err
}

func (s *sandbox) vm() *C.lcowmig_vm {
	return C.lcowmig_sandbox_vm(s.raw)
}

func (s *sandbox) start(document string) error {
	return call(func(e *C.lcowmig_error, t []*C.char) C.lcowmig_status {
		if status := C.lcowmig_vm_create(s.vm(), t[0], C.size_t(len(document)), nil, nil, nil, e); status != C.LCOWMIG_OK {
			return status
		}
		return C.lcowmig_vm_start(s.vm(), nil, nil, e)
	}, document)
}

// run makes a pod with a network and, in it, its sandbox container.
func (s *sandbox) run(id, namespace, specification, scratch, layers string) error {
	return call(func(e *C.lcowmig_error, t []*C.char) C.lcowmig_status {
		var pod *C.lcowmig_pod
		if status := C.lcowmig_pod_new(s.raw, t[0], t[1], &pod, e); status != C.LCOWMIG_OK {
			return status
		}
		if status := C.lcowmig_pod_setup_network(pod, nil, nil, e); status != C.LCOWMIG_OK {
			return status
		}
		return C.shim_run(pod, t[0], t[2], t[3], t[4], e)
	}, id, namespace, specification, scratch, layers)
}

// guestAnswers completes a request that the guest has left open.
func (s *sandbox) guestAnswers(id int64, json string) {
	calls := s.open[id]
	delete(s.open, id)
	for _, call := range calls {
		setResult(call, json)
		C.lcowmig_call_complete(call, C.LCOWMIG_OK)
	}
}

// print says what is in the sandbox.
func (s *sandbox) print(name string) error {
	fmt.Printf("%s: sandbox %s\n", name, C.GoString(C.lcowmig_sandbox_id(s.raw)))
	pods := make([]*C.lcowmig_pod, C.lcowmig_sandbox_list_pods(s.raw, nil, 0)+1)
	for _, pod := range pods[:C.lcowmig_sandbox_list_pods(s.raw, &pods[0], C.size_t(len(pods)))] {
		fmt.Printf("%s:   pod %s\n", name, C.GoString(C.lcowmig_pod_id(pod)))
		containers := make([]*C.lcowmig_container, C.lcowmig_pod_list_containers(pod, nil, 0)+1)
		for _, container := range containers[:C.lcowmig_pod_list_containers(pod, &containers[0], C.size_t(len(containers)))] {
			fmt.Printf("%s:     container %s, %s\n", name, C.GoString(C.lcowmig_container_id(container)),
				C.GoString(C.lcowmig_container_state_name(container)))
		}
	}
	return call(func(e *C.lcowmig_error, _ []*C.char) C.lcowmig_status {
		var scsi *C.lcowmig_scsi
		if status := C.lcowmig_vm_scsi(s.vm(), &scsi, e); status != C.LCOWMIG_OK {
			return status
		}
		for slot := C.uint32_t(0); slot < C.lcowmig_scsi_slots(scsi); slot++ {
			var path *C.char
			var readOnly C.bool
			if C.shim_disk(scsi, slot, &path, &readOnly) == C.LCOWMIG_OK {
				fmt.Printf("%s:   disk %d: %s%s\n", name, slot, C.GoString(path), map[bool]string{true: ", read-only"}[bool(readOnly)])
			}
		}
		return C.LCOWMIG_OK
	})
}

// session is the part that a sandbox plays in a migration.
type session struct {
	raw *C.lcowmig_migration
	id  string
}

func (s *sandbox) session(id string) session {
	return session{C.lcowmig_sandbox_migration(s.raw), id}
}

// export freezes the sandbox and gives its envelope.
func (m session) export() (envelope []byte, err error) {
	err = call(func(e *C.lcowmig_error, t []*C.char) C.lcowmig_status {
		var data *C.uint8_t
		var size C.size_t
		if status := C.lcowmig_migration_prepare_source(m.raw, t[0], nil, nil, nil, e); status != C.LCOWMIG_OK {
			return status
		}
		if status := C.lcowmig_migration_export(m.raw, t[0], nil, nil, e); status != C.LCOWMIG_OK {
			return status
		}
		status := C.lcowmig_migration_envelope(m.raw, t[0], &data, &size, e)
		envelope = C.GoBytes(unsafe.Pointer(data), C.int(size))
		return status
	}, m.id)
	return envelope, err
}

// imports an envelope. It is handed over as Go memory for the length of one call: everything is copied.
func (m session) imports(sandboxID string, envelope []byte) error {
	return call(func(e *C.lcowmig_error, t []*C.char) C.lcowmig_status {
		return C.shim_import(m.raw, t[0], t[1], unsafe.Pointer(&envelope[0]), C.size_t(len(envelope)), e)
	}, m.id, sandboxID)
}

func (m session) patch(sourceID, id, namespace, scratch, layers string) error {
	return call(func(e *C.lcowmig_error, t []*C.char) C.lcowmig_status {
		return C.shim_patch(m.raw, t[0], t[1], t[2], t[3], t[4], e)
	}, sourceID, id, namespace, scratch, layers)
}

// prepareDestination makes the machine that will receive; disks that no patch mentions keep their paths.
func (m session) prepareDestination() error {
	return call(func(e *C.lcowmig_error, t []*C.char) C.lcowmig_status {
		return C.lcowmig_migration_prepare_destination(m.raw, t[0], nil, C.LCOWMIG_PREPARE_PATHS_SHARED, nil, nil, e)
	}, m.id)
}

// transfer moves memory over the transport that the descriptor stands for.
func (m session) transfer(descriptor []byte) error {
	return call(func(e *C.lcowmig_error, t []*C.char) C.lcowmig_status {
		status := C.lcowmig_migration_register_socket(m.raw, t[0], (*C.uint8_t)(&descriptor[0]), C.size_t(len(descriptor)), nil, nil, e)
		if status == C.LCOWMIG_OK {
			status = C.lcowmig_migration_transfer(m.raw, t[0], nil, e)
		}
		if status == C.LCOWMIG_OK {
			status = C.lcowmig_migration_failure(m.raw, e)
		}
		return status
	}, m.id)
}

// release gives the right to run away, as a token.
func (m session) release() (token []byte, err error) {
	err = call(func(e *C.lcowmig_error, t []*C.char) C.lcowmig_status {
		var size C.size_t
		token = make([]byte, C.LCOWMIG_TOKEN_SIZE_MAX)
		status := C.lcowmig_migration_release(m.raw, t[0], (*C.uint8_t)(&token[0]), C.size_t(len(token)), &size, e)
		token = token[:size]
		return status
	}, m.id)
	return token, err
}

func (m session) resume(token []byte) error {
	return call(func(e *C.lcowmig_error, t []*C.char) C.lcowmig_status {
		return C.shim_finalize(m.raw, t[0], C.LCOWMIG_FINALIZE_RESUME, unsafe.Pointer(&token[0]), C.size_t(len(token)), e)
	}, m.id)
}

func (m session) stop() error {
	return call(func(e *C.lcowmig_error, t []*C.char) C.lcowmig_status {
		return C.shim_finalize(m.raw, t[0], C.LCOWMIG_FINALIZE_STOP, nil, 0, e)
	}, m.id)
}
