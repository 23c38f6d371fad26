/*
 * Results and errors.
 *
 * Every public function that can fail returns an lcowmig_status. The class is for programs; the sentence for people is in the optional
 * lcowmig_error that most functions take as their last parameter. An error leaves the object and every `ret_` parameter as it was,
 * unless the function says otherwise.
 */
#ifndef LCOWMIG_STATUS_H
#define LCOWMIG_STATUS_H

#include <stddef.h>
#include <stdint.h>

#include "export.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * One list yields the enumerators, their names and their one-line meanings. Numbers are ABI: written out, never reused.
 * X(name, number, meaning)
 */
#define LCOWMIG_STATUS_LIST(X)                                                              \
	X(OK, 0, "success")                                                                 \
	X(PENDING, 1, "under way; the done callback will report the end")                   \
	X(E_INVALID_ARGUMENT, -1, "an argument is malformed or contradicts another")        \
	X(E_FAILED_PRECONDITION, -2, "not legal in the current state")                      \
	X(E_NOT_FOUND, -3, "no such object")                                                \
	X(E_ALREADY_EXISTS, -4, "may exist only once and does")                             \
	X(E_UNAVAILABLE, -5, "no guest connection, or the virtual machine is gone")         \
	X(E_TIMED_OUT, -6, "a deadline passed")                                             \
	X(E_CANCELLED, -7, "cancelled by the caller")                                       \
	X(E_NO_MEMORY, -8, "the allocator returned nothing")                                \
	X(E_CORRUPT_DATA, -9, "bytes or JSON that cannot be what they claim to be")         \
	X(E_UNSUPPORTED_VERSION, -10, "a schema or protocol version we do not speak")       \
	X(E_HOST_FAILED, -11, "a host callback reported a failure")                         \
	X(E_GUEST_FAILED, -12, "the guest answered a request with an error")                \
	X(E_NOT_SUPPORTED, -13, "the host or the guest does not offer what this needs")     \
	X(E_DENIED, -14, "policy forbids it")                                               \
	X(E_LIMIT_EXCEEDED, -15, "a documented limit would be passed")

/* The class of a result. Zero is success, positive is not finished, negative is failure. */
typedef enum lcowmig_status {
#define LCOWMIG_STATUS_ENUMERATOR(name, number, meaning) LCOWMIG_##name = number,
	LCOWMIG_STATUS_LIST(LCOWMIG_STATUS_ENUMERATOR)
#undef LCOWMIG_STATUS_ENUMERATOR
	LCOWMIG_STATUS_FORCE_INT = 0x7fffffff /* keeps the enum an int everywhere; never returned */
} lcowmig_status;

/* Returns the name of a status without its prefix ("E_NOT_FOUND"), or "UNKNOWN". The text is static. Thread-safe. Since 1.0. */
LCOWMIG_API const char *lcowmig_status_name(lcowmig_status status);

/* Returns one line that says what a status means. The text is static. Thread-safe. Since 1.0. */
LCOWMIG_API const char *lcowmig_status_text(lcowmig_status status);

#define LCOWMIG_ERROR_MESSAGE_SIZE 512

/*
 * What went wrong, in detail. Lives with the caller (usually on its stack) and is filled only on failure, so reporting an error never
 * needs memory. Initialise with LCOWMIG_ERROR_INIT; may be reused.
 */
typedef struct lcowmig_error {
	size_t size;           /* sizeof(lcowmig_error) as the caller was compiled */
	int32_t status;        /* an lcowmig_status */
	uint32_t hresult;      /* HRESULT of the host or guest that caused it, 0 when there is none */
	char message[LCOWMIG_ERROR_MESSAGE_SIZE]; /* one UTF-8 sentence: object, its state, what was expected, and the cause */
} lcowmig_error;

#define LCOWMIG_ERROR_INIT { sizeof(lcowmig_error), 0, 0, { 0 } }

#ifdef __cplusplus
}
#endif

#endif
