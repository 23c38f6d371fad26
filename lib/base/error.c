#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

#define STATUS_NAME(name, number, meaning) \
	case LCOWMIG_##name:               \
		return #name;
#define STATUS_TEXT(name, number, meaning) \
	case LCOWMIG_##name:               \
		return meaning;

const char *lcowmig_status_name(lcowmig_status status)
{
	switch (status) {
		LCOWMIG_STATUS_LIST(STATUS_NAME)
	case LCOWMIG_STATUS_FORCE_INT:
		break;
	}
	return "UNKNOWN";
}

const char *lcowmig_status_text(lcowmig_status status)
{
	switch (status) {
		LCOWMIG_STATUS_LIST(STATUS_TEXT)
	case LCOWMIG_STATUS_FORCE_INT:
		break;
	}
	return "a status this version of the library does not know";
}

static void error_vset(lcowmig_error *error, lcowmig_status status, uint32_t hresult, const char *format, va_list arguments)
{
	lcowmig_error whole = { sizeof whole, status, hresult, { 0 } }; /* the arguments may be the error's old message */

	vsnprintf(whole.message, sizeof whole.message, format, arguments);
	lcowmig__text_trim(whole.message, sizeof whole.message);
	lcowmig__error_copy(error, &whole);
}

lcowmig_status lcowmig__fail(lcowmig_error *error, lcowmig_status status, const char *format, ...)
{
	va_list arguments;

	if (!error)
		return status;
	va_start(arguments, format);
	error_vset(error, status, 0, format, arguments);
	va_end(arguments);
	return status;
}

lcowmig_status lcowmig__fail_hresult(lcowmig_error *error, lcowmig_status status, uint32_t hresult, const char *format, ...)
{
	va_list arguments;

	if (!error)
		return status;
	va_start(arguments, format);
	error_vset(error, status, hresult, format, arguments);
	va_end(arguments);
	return status;
}

lcowmig_status lcowmig__wrap(lcowmig_error *error, lcowmig_status status, const char *format, ...)
{
	char context[LCOWMIG_ERROR_MESSAGE_SIZE];
	va_list arguments;

	if (!error)
		return status;
	va_start(arguments, format);
	vsnprintf(context, sizeof context, format, arguments);
	va_end(arguments);
	return lcowmig__fail_hresult(error, status, error->hresult, "%s: %s", context, error->message);
}

lcowmig_status lcowmig__fail_memory(lcowmig_error *error)
{
	return lcowmig__fail(error, LCOWMIG_E_NO_MEMORY, "out of memory");
}

void lcowmig__error_init(lcowmig_error *error)
{
	error->size = sizeof *error;
	error->status = LCOWMIG_OK;
	error->hresult = 0;
	error->message[0] = '\0';
}

void lcowmig__error_copy(lcowmig_error *destination, const lcowmig_error *source)
{
	size_t size;

	/* A caller who left the size out gets nothing rather than an overrun. */
	if (!destination || destination == source || destination->size < offsetof(lcowmig_error, message) + 1)
		return;
	size = destination->size < sizeof *source ? destination->size : sizeof *source;
	memcpy((char *)destination + sizeof destination->size, (const char *)source + sizeof source->size, size - sizeof source->size);
	((char *)destination)[size - 1] = '\0';
}

/* A failing Win32-facility HRESULT is compared by its low 16 bits, as the HCS callers of Windows do. */
static uint32_t hresult_code(uint32_t hresult)
{
	return (hresult & 0x80000000u) && (hresult & 0x1fff0000u) == 0x00070000u ? hresult & 0xffffu : hresult;
}

bool lcowmig__hresult_is_vm_gone(uint32_t hresult)
{
	switch (hresult_code(hresult)) {
	case LCOWMIG__HR_DOES_NOT_EXIST:
	case LCOWMIG__HR_ALREADY_STOPPED:
	case LCOWMIG__HR_INVALID_STATE:
	case LCOWMIG__HR_INVALID_STATE_OLD:
	case 0x6:   /* the handle is closed already */
	case 0x490: /* element not found */
		return true;
	default:
		return false;
	}
}

bool lcowmig__hresult_is_already_stopped(uint32_t hresult)
{
	uint32_t code = hresult_code(hresult);

	return code == LCOWMIG__HR_ALREADY_STOPPED || code == LCOWMIG__HR_PROCESS_ALREADY_STOPPED || code == 0x490;
}

bool lcowmig__hresult_is_not_found(uint32_t hresult)
{
	uint32_t code = hresult_code(hresult);

	return code == LCOWMIG__HR_DOES_NOT_EXIST || code == 0x490;
}

bool lcowmig__is_gone(lcowmig_status status, uint32_t hresult)
{
	return status == LCOWMIG_E_UNAVAILABLE || lcowmig__hresult_is_vm_gone(hresult);
}
