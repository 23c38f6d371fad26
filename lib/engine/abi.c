#include "abi.h"

#include <string.h>

lcowmig_status lcowmig__copy_sized(const char *name, void *own, size_t own_size, const void *given, size_t first_size, lcowmig_error *error)
{
	size_t given_size;
	size_t i;

	if (!given)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "%s is NULL", name);
	memcpy(&given_size, given, sizeof given_size);
	if (given_size < first_size)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "%s: size is %zu, expected at least %zu (set it to sizeof)", name,
		                     given_size, first_size);
	for (i = own_size; i < given_size; i++)
		if (((const unsigned char *)given)[i])
			return lcowmig__fail(error, LCOWMIG_E_NOT_SUPPORTED,
					     "%s: uses members that this version of the library does not know", name);
	memset(own, 0, own_size);
	memcpy(own, given, given_size < own_size ? given_size : own_size);
	memcpy(own, &own_size, sizeof own_size);
	return LCOWMIG_OK;
}

/* `needed` is what the buffer has to hold, `size` what the caller is told. */
static lcowmig_status copy_out(const char *name, const void *data, size_t size, size_t needed, void *buffer, size_t capacity,
			       size_t *ret_size, lcowmig_error *error)
{
	if (buffer && capacity < needed)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "%s: the buffer has %zu bytes, %zu are needed", name, capacity,
		                     needed);
	if (buffer && needed)
		memcpy(buffer, data, needed);
	if (ret_size)
		*ret_size = size;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__copy_out(const char *name, const void *data, size_t size, void *buffer, size_t capacity, size_t *ret_size,
                                 lcowmig_error *error)
{
	return copy_out(name, data, size, size, buffer, capacity, ret_size, error);
}

lcowmig_status lcowmig__copy_text_out(const char *name, const char *text, char *buffer, size_t capacity, size_t *ret_size,
                                      lcowmig_error *error)
{
	size_t size = strlen(text);

	return copy_out(name, text, size, size + 1, buffer, capacity, ret_size, error);
}

lcowmig_status lcowmig__fail_null(const char *function, lcowmig_error *error)
{
	return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "%s: an argument is NULL", function);
}
