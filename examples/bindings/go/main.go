// Imports an exported envelope into a fresh sandbox and prints what is in it, then leaves the session again: read-envelope FILE
//
// The envelope is handed over as Go memory for the length of one call, which the library's "everything is copied" allows. Structs that hold
// pointers live in C memory.
package main

/*
#cgo pkg-config: libclcowmig
#include <lcowmig/lcowmig.h>
#include <stdlib.h>

// Initialisers are macros, which cgo cannot use.
static lcowmig_error fresh_error(void) { lcowmig_error error = LCOWMIG_ERROR_INIT; return error; }
static lcowmig_sandbox_config fresh_config(void) { lcowmig_sandbox_config config = LCOWMIG_SANDBOX_CONFIG_INIT; return config; }

static void ignore_done(void *user, lcowmig_status status, const lcowmig_error *error)
{
	(void)error;
	*(lcowmig_status *)user = status;
}

// A struct with a pointer into Go memory must not outlive the call, so it lives here.
static lcowmig_status import_envelope(lcowmig_migration *migration, const char *session, const char *id, const void *bytes, size_t size,
                                      lcowmig_error *error)
{
	lcowmig_import_options options = LCOWMIG_IMPORT_OPTIONS_INIT;

	options.session_id = session;
	options.sandbox_id = id;
	options.envelope = bytes;
	options.envelope_size = size;
	return lcowmig_migration_import(migration, &options, error);
}

static lcowmig_status abandon(lcowmig_migration *migration, const char *session, lcowmig_error *error)
{
	static lcowmig_status outcome;
	lcowmig_status status;

	outcome = LCOWMIG_PENDING;
	status = lcowmig_migration_abandon(migration, session, ignore_done, &outcome, error);
	return status == LCOWMIG_PENDING ? outcome : status;
}
*/
import "C"

import (
	"errors"
	"fmt"
	"os"
	"unsafe"
)

// failure turns a status and its sentence into a Go error.
func failure(status C.lcowmig_status, e *C.lcowmig_error) error {
	if status == C.LCOWMIG_OK {
		return nil
	}
	return fmt.Errorf("%s: %s", C.GoString(C.lcowmig_status_name(status)), C.GoString(&e.message[0]))
}

func printSandbox(sandbox *C.lcowmig_sandbox) {
	pods := make([]*C.lcowmig_pod, C.lcowmig_sandbox_list_pods(sandbox, nil, 0))
	if len(pods) > 0 {
		C.lcowmig_sandbox_list_pods(sandbox, &pods[0], C.size_t(len(pods)))
	}
	fmt.Printf("%s: %d pods\n", C.GoString(C.lcowmig_sandbox_id(sandbox)), len(pods))
	for _, pod := range pods {
		fmt.Printf("  pod %s\n", C.GoString(C.lcowmig_pod_id(pod)))
		containers := make([]*C.lcowmig_container, C.lcowmig_pod_list_containers(pod, nil, 0))
		if len(containers) > 0 {
			C.lcowmig_pod_list_containers(pod, &containers[0], C.size_t(len(containers)))
		}
		for _, container := range containers {
			fmt.Printf("    container %s, %s\n", C.GoString(C.lcowmig_container_id(container)), C.GoString(C.lcowmig_container_state_name(container)))
		}
	}
}

func read(context *C.lcowmig_context, envelope []byte) error {
	e := C.fresh_error()
	config := C.fresh_config()
	var sandbox *C.lcowmig_sandbox
	if err := failure(C.lcowmig_sandbox_new(context, &config, &sandbox, &e), &e); err != nil {
		return err
	}
	migration := C.lcowmig_sandbox_migration(sandbox)
	session, here := C.CString("read-envelope"), C.CString("looked-at")
	defer C.free(unsafe.Pointer(session))
	defer C.free(unsafe.Pointer(here))

	// Half an envelope is refused and changes nothing; the whole one is taken afterwards.
	bytes := unsafe.Pointer(&envelope[0])
	if C.import_envelope(migration, session, here, bytes, C.size_t(len(envelope)/2), &e) != C.LCOWMIG_E_CORRUPT_DATA {
		return errors.New("half an envelope was taken")
	}
	fmt.Println("half of it:", C.GoString(&e.message[0]))
	if err := failure(C.import_envelope(migration, session, here, bytes, C.size_t(len(envelope)), &e), &e); err != nil {
		return err
	}
	printSandbox(sandbox)
	fmt.Printf("%d containers to be patched\n", C.lcowmig_migration_pending_count(migration))
	if err := failure(C.abandon(migration, session, &e), &e); err != nil {
		return err
	}
	return failure(C.lcowmig_sandbox_free(sandbox, &e), &e)
}

func run(file string) error {
	envelope, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if len(envelope) < 2 {
		return fmt.Errorf("%s is empty", file)
	}
	e := C.fresh_error()
	var context *C.lcowmig_context
	if err := failure(C.lcowmig_context_new(nil, nil, &context, &e), &e); err != nil {
		return err
	}
	fmt.Println("libclcowmig", C.GoString(C.lcowmig_version()))
	err = read(context, envelope)
	if C.lcowmig_context_free(context) != C.LCOWMIG_OK && err == nil {
		err = errors.New("the context is still in use")
	}
	return err
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: read-envelope FILE")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "read-envelope:", err)
		os.Exit(1)
	}
	fmt.Println("consumer: ok")
}
