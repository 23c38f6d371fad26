/* A GUID as a value. Names reservations, virtual NICs and VMBus devices. */
#ifndef LCOWMIG_GUID_H
#define LCOWMIG_GUID_H

#include <stdbool.h>

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LCOWMIG_GUID_TEXT_SIZE 37 /* 36 characters and the NUL */

/* The 16 bytes in the order in which the text form shows them (RFC 9562), not in the memory layout of Windows. */
typedef struct lcowmig_guid {
	uint8_t bytes[16];
} lcowmig_guid;

/* Writes "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" in lower case and a NUL to `ret_text`. Thread-safe. Since 1.0. */
LCOWMIG_API void lcowmig_guid_format(const lcowmig_guid *guid, char ret_text[LCOWMIG_GUID_TEXT_SIZE]);

/*
 * Reads exactly the 36-character form, either case, no braces. Returns LCOWMIG_OK, or LCOWMIG_E_INVALID_ARGUMENT for anything else
 * (NULL included), leaving `ret_guid` alone. Thread-safe. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_guid_parse(const char *text, lcowmig_guid *ret_guid);

#ifdef __cplusplus
}
#endif

#endif
