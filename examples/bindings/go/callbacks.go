package main

// The exported callbacks: each finds its host behind the handle and asks it. Handles are numbers, so C never holds a Go pointer.

/*
#cgo pkg-config: libclcowmig
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"runtime/cgo"
	"unsafe"
)

// answer is how HCS or the guest answers.
type answer struct {
	json    string // the result, "" for none
	hresult uint32 // not 0: refused
	exited  bool   // the machine has ended with it
	later   bool   // the guest answers later, through sandbox.guestAnswers
}

// host is what a program does for a sandbox. Methods may be called from inside each other.
type host interface {
	hcs(operation C.enum_shim_hcs, document string) answer
	guest(id int64, message uint32, document string) answer
	endpoints(namespace string) string
	started(container string)
	ended(container string, status uint32)
}

func sandboxOf(user C.uintptr_t) *sandbox {
	return cgo.Handle(user).Value().(*sandbox)
}

func setResult(call *C.lcowmig_call, json string) {
	text := C.CString(json)
	defer C.free(unsafe.Pointer(text))
	C.lcowmig_call_set_result(call, unsafe.Pointer(text), C.size_t(len(json)))
}

// finish passes an answer on; refused is the status of one that is refused.
func finish(call *C.lcowmig_call, a answer, refused C.lcowmig_status) C.lcowmig_status {
	if a.hresult != 0 {
		C.lcowmig_call_set_error(call, C.uint32_t(a.hresult), nil)
		return refused
	}
	if a.json != "" {
		setResult(call, a.json)
	}
	return C.LCOWMIG_OK
}

//export goHCS
func goHCS(user C.uintptr_t, call *C.lcowmig_call, operation C.enum_shim_hcs, document *C.char) C.lcowmig_status {
	s := sandboxOf(user)
	a := s.host.hcs(operation, C.GoString(document))
	if a.exited {
		C.shim_tell_exit(s.raw)
	}
	return finish(call, a, C.LCOWMIG_E_HOST_FAILED)
}

//export goGuestConnect
func goGuestConnect(user C.uintptr_t, call *C.lcowmig_call) C.lcowmig_status {
	sandboxOf(user).connected = true
	setResult(call, `{"GuestDefinedCapabilities":{"NamespaceAddRequestSupported":true,"DeleteContainerStateSupported":true}}`)
	return C.LCOWMIG_OK
}

//export goGuestClose
func goGuestClose(user C.uintptr_t) {
	s := sandboxOf(user)
	open := s.open
	s.connected, s.open = false, map[int64][]*C.lcowmig_call{}
	for _, calls := range open {
		for _, call := range calls {
			C.lcowmig_call_complete(call, C.LCOWMIG_E_UNAVAILABLE)
		}
	}
}

//export goGuestIsConnected
func goGuestIsConnected(user C.uintptr_t) C.bool {
	return C.bool(sandboxOf(user).connected)
}

//export goGuestRequest
func goGuestRequest(user C.uintptr_t, call *C.lcowmig_call, message C.uint32_t, document *C.char) C.lcowmig_status {
	s := sandboxOf(user)
	id := s.nextID
	s.nextID++
	C.lcowmig_call_set_request_id(call, C.int64_t(id))
	a := s.host.guest(id, uint32(message), C.GoString(document))
	if a.later {
		return goGuestAdopt(user, call, C.int64_t(id))
	}
	return finish(call, a, C.LCOWMIG_E_GUEST_FAILED)
}

//export goGuestAdopt
func goGuestAdopt(user C.uintptr_t, call *C.lcowmig_call, id C.int64_t) C.lcowmig_status {
	s := sandboxOf(user)
	s.open[int64(id)] = append(s.open[int64(id)], call)
	return C.LCOWMIG_PENDING
}

// goGuestPort raises the next port to atLeast, tells it, and takes it when asked to.
//
//export goGuestPort
func goGuestPort(user C.uintptr_t, atLeast C.uint32_t, take C.bool) C.uint32_t {
	s := sandboxOf(user)
	if uint32(atLeast) > s.nextPort {
		s.nextPort = uint32(atLeast)
	}
	port := s.nextPort
	if take {
		s.nextPort++
	}
	return C.uint32_t(port)
}

//export goGuestRequestID
func goGuestRequestID(user C.uintptr_t, atLeast C.int64_t) C.int64_t {
	s := sandboxOf(user)
	if int64(atLeast) > s.nextID {
		s.nextID = int64(atLeast)
	}
	return C.int64_t(s.nextID)
}

//export goEndpoints
func goEndpoints(user C.uintptr_t, call *C.lcowmig_call, namespace *C.char) C.lcowmig_status {
	setResult(call, sandboxOf(user).host.endpoints(C.GoString(namespace)))
	return C.LCOWMIG_OK
}

//export goEvent
func goEvent(user C.uintptr_t, kind C.lcowmig_event_type, container *C.char, status C.uint32_t) {
	switch kind {
	case C.LCOWMIG_EVENT_TASK_START:
		sandboxOf(user).host.started(C.GoString(container))
	case C.LCOWMIG_EVENT_TASK_EXIT:
		sandboxOf(user).host.ended(C.GoString(container), uint32(status))
	}
}
