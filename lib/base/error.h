/*
 * Filling an lcowmig_error. All functions accept a NULL error. They return the status so that a failing path is one line:
 *     return lcowmig__fail(error, LCOWMIG_E_NOT_FOUND, "pod %s has no container %s", pod, id);
 */
#ifndef LCOWMIG__ERROR_H
#define LCOWMIG__ERROR_H

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "lcowmig/status.h"

lcowmig_status lcowmig__fail(lcowmig_error *error, lcowmig_status status, const char *format, ...) LCOWMIG__PRINTF(3, 4);
lcowmig_status lcowmig__fail_hresult(lcowmig_error *error, lcowmig_status status, uint32_t hresult, const char *format, ...)
	LCOWMIG__PRINTF(4, 5);

/* Puts "context: " in front of the sentence that is already there; status and HRESULT stay, so the cause remains identifiable. */
lcowmig_status lcowmig__wrap(lcowmig_error *error, lcowmig_status status, const char *format, ...) LCOWMIG__PRINTF(3, 4);

lcowmig_status lcowmig__fail_memory(lcowmig_error *error);

/* Copies as much as the destination's size member says it can hold. A NULL destination is left alone. */
void lcowmig__error_copy(lcowmig_error *destination, const lcowmig_error *source);

/* Makes an error (LCOWMIG_OK, empty message) of our own size. */
void lcowmig__error_init(lcowmig_error *error);

/* HRESULT classes of the HCS side: see docs/errors.md. */
bool lcowmig__hresult_is_vm_gone(uint32_t hresult);        /* does not exist, already stopped, invalid state, already closed */
bool lcowmig__hresult_is_already_stopped(uint32_t hresult);
bool lcowmig__hresult_is_not_found(uint32_t hresult);
/* The causes that count as "already released" in every tear-down: no guest connection, or the virtual machine is gone. */
bool lcowmig__is_gone(lcowmig_status status, uint32_t hresult);

#define LCOWMIG__HR_FAIL 0x80004005u
#define LCOWMIG__HR_NOT_IMPLEMENTED 0x80004001u
#define LCOWMIG__HR_ELEMENT_NOT_FOUND 0x80070490u
#define LCOWMIG__HR_INVALID_ARGUMENT 0x80070057u
#define LCOWMIG__HR_ACCESS_DENIED 0x80070005u
#define LCOWMIG__HR_INVALID_HANDLE 0x80070006u /* what HCS answers on a handle that is closed already */
#define LCOWMIG__HR_OPERATION_TIMEOUT 0x80370118u
#define LCOWMIG__HR_OPERATION_PENDING 0xC0370103u
#define LCOWMIG__HR_INVALID_STATE 0x80370105u
#define LCOWMIG__HR_INVALID_STATE_OLD 0xC0370105u
#define LCOWMIG__HR_UNEXPECTED_EXIT 0xC0370106u
#define LCOWMIG__HR_WAIT_TIMEOUT 0xC0370109u
#define LCOWMIG__HR_UNKNOWN_MESSAGE 0xC037010Bu
#define LCOWMIG__HR_UNSUPPORTED_PROTOCOL 0xC037010Cu
#define LCOWMIG__HR_INVALID_JSON 0xC037010Du
#define LCOWMIG__HR_DOES_NOT_EXIST 0xC037010Eu
#define LCOWMIG__HR_ALREADY_EXISTS 0xC037010Fu
#define LCOWMIG__HR_ALREADY_STOPPED 0xC0370110u
#define LCOWMIG__HR_PROCESS_ALREADY_STOPPED 0x8037011Fu

#endif
