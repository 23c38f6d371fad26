/*
 * The right to run the sandbox. The side whose turn an epoch is holds it: even ones are the source's, odd ones the destination's. A
 * hand-over raises the epoch and is a token; a side believes tokens that are newer than what it knows, and none twice after something
 * newer.
 */
#ifndef LCOWMIG__TOKEN_H
#define LCOWMIG__TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "lcowmig/migration.h"

#define LCOWMIG__TOKEN_SIZE 112 /* magic, version, epoch, three digests, checksum */

typedef struct lcowmig__right {
	bool is_source;
	uint32_t epoch;
	uint32_t released; /* epoch of the token that this side gave last; 0: none */
	uint8_t bound[3][32]; /* what tokens of this session are bound to: SHA-256 of its id, of the source's machine id, of the envelope */
} lcowmig__right;

void lcowmig__right_init(lcowmig__right *right, bool is_source, const char *session_id);
void lcowmig__right_bind(lcowmig__right *right, const char *machine_id, const void *envelope, size_t size);
bool lcowmig__right_is_held(const lcowmig__right *right);
/*
 * Reads a token of the other side. INVALID_ARGUMENT: bound to something else, or meant for the other side. CORRUPT_DATA,
 * UNSUPPORTED_VERSION. FAILED_PRECONDITION: older than what this side knows. `ret_epoch` is for lcowmig__right_take.
 */
lcowmig_status lcowmig__right_read(const lcowmig__right *right, const uint8_t *token, size_t size, uint32_t *ret_epoch,
				   lcowmig_error *error);
void lcowmig__right_take(lcowmig__right *right, uint32_t epoch);
/* Gives it away, or again; a destination that never had it declares that it never will. LIMIT_EXCEEDED after too many hand-overs. */
lcowmig_status lcowmig__right_release(lcowmig__right *right, uint8_t ret_token[LCOWMIG__TOKEN_SIZE], lcowmig_error *error);

#endif
