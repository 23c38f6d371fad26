/*
 * Structs that cross the boundary start with their size. They are judged and copied once, here; from there on a member is there or zero
 * and no code asks for sizes.
 */
#ifndef LCOWMIG__ABI_H
#define LCOWMIG__ABI_H

#include <stddef.h>

#include "base/error.h"

/*
 * Copies `given` (a struct that starts with size_t size) into `own`. Smaller than `first_size` (what version 1.0 had): INVALID_ARGUMENT.
 * Smaller than ours: the rest reads as zero. Larger: accepted only when the surplus is zero, else NOT_SUPPORTED.
 */
lcowmig_status lcowmig__copy_sized(const char *name, void *own, size_t own_size, const void *given, size_t first_size,
				   lcowmig_error *error);

#define LCOWMIG__SIZE_THROUGH(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))

#define LCOWMIG__COPY_SIZED(name, own, given, last_member_of_1_0, error)                                                              \
	lcowmig__copy_sized(name, own, sizeof *(own), given,                                                                          \
			    (size_t)((const char *)&(own)->last_member_of_1_0 - (const char *)(own)) + sizeof (own)->last_member_of_1_0, \
			    error)

/* INVALID_ARGUMENT: the caller gave NULL to `function` where something has to be. */
lcowmig_status lcowmig__fail_null(const char *function, lcowmig_error *error);

/*
 * Hands bytes to a caller who asks with the size-query pattern: `buffer` NULL only sets `ret_size` (NULL: not wanted); a buffer that is too
 * small is INVALID_ARGUMENT, and nothing is copied. A text needs room for its NUL, which `ret_size` does not count.
 */
lcowmig_status lcowmig__copy_out(const char *name, const void *data, size_t size, void *buffer, size_t capacity, size_t *ret_size,
                                 lcowmig_error *error);
lcowmig_status lcowmig__copy_text_out(const char *name, const char *text, char *buffer, size_t capacity, size_t *ret_size,
				      lcowmig_error *error);

#endif
