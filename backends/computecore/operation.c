/*
 * The pattern of every HCS call:
 *
 *     HcsCreateOperation → [HcsAddResourceToOperation] → the call → HcsWaitForOperationResult → HcsCloseOperation
 *                                                          fails: HcsGetOperationResult for the error document
 */
#include "core.h"

#include <stdlib.h>
#include <string.h>

/* Copies the value of "ErrorMessage" out of an error document; false when there is none. */
static int operation_error_message(const char *document, char *message, size_t size)
{
	static const char key[] = "\"ErrorMessage\":\"";
	const char *place = strstr(document, key);
	size_t length = 0;

	if (!place)
		return 0;
	for (place += sizeof(key) - 1; *place && *place != '"' && length + 1 < size; place++) {
		if (*place == '\\' && place[1])
			place++;
		message[length++] = *place;
	}
	message[length] = '\0';
	return 1;
}

lcowmig_status lcowmig__computecore_fail(lcowmig_call *call, HRESULT result, const wchar_t *document)
{
	char message[200];
	char *text = document ? lcowmig__computecore_utf8(document) : NULL;

	if (text && operation_error_message(text, message, sizeof(message)))
		lcowmig_call_set_error(call, (uint32_t)result, message);
	else
		lcowmig_call_set_error(call, (uint32_t)result, NULL);
	free(text);
	return result == HCS_OPERATION_TIMED_OUT ? LCOWMIG_E_TIMED_OUT : LCOWMIG_E_HOST_FAILED;
}

static HRESULT operation_end(lcowmig__computecore_job *job, hcs_operation operation, PWSTR *ret_document)
{
	const lcowmig__computecore_dll *dll = &job->core->dll;
	HRESULT result = dll->wait_result(operation, job->timeout_ms, ret_document);

	if (result == HCS_OPERATION_TIMED_OUT && dll->cancel_operation)
		dll->cancel_operation(operation);
	return result;
}

lcowmig_status lcowmig__computecore_operate_with(lcowmig__computecore_job *job, const wchar_t *text,
                                                 HRESULT (*begin)(lcowmig__computecore_job *job, hcs_operation operation, const wchar_t *text))
{
	const lcowmig__computecore_dll *dll = &job->core->dll;
	hcs_operation operation = dll->create_operation(NULL, NULL);
	lcowmig_status status = LCOWMIG_OK;
	PWSTR document = NULL;
	HRESULT result = S_OK;

	if (!operation)
		return lcowmig__computecore_fail(job->call, HRESULT_FROM_WIN32(GetLastError()), NULL);
	if (job->socket)
		result = dll->add_resource ? dll->add_resource(operation, HCS_RESOURCE_TYPE_SOCKET, HCS_LIVE_MIGRATION_SOCKET, job->socket)
		                           : HRESULT_FROM_WIN32(ERROR_PROC_NOT_FOUND);
	if (SUCCEEDED(result)) {
		result = begin(job, operation, text);
		if (job->is_forgotten && result == HCS_OPERATION_PENDING)
			result = S_OK;
		if (FAILED(result) && dll->get_result)
			dll->get_result(operation, &document);
		else if (SUCCEEDED(result) && !job->is_forgotten)
			result = operation_end(job, operation, &document);
	}
	dll->close_operation(operation);

	if (FAILED(result)) {
		status = lcowmig__computecore_fail(job->call, result, document);
	} else if (job->wants_result) {
		char *answer = lcowmig__computecore_utf8(document);

		status = answer ? lcowmig_call_set_result(job->call, answer, strlen(answer)) : LCOWMIG_E_NO_MEMORY;
		free(answer);
	}
	/* Published as LocalFree; for memory of the process heap it is what CoTaskMemFree does. */
	LocalFree(document);
	return status;
}

static HRESULT operation_begin(lcowmig__computecore_job *job, hcs_operation operation, const wchar_t *text)
{
	return job->function(job->system->handle, operation, text);
}

lcowmig_status lcowmig__computecore_operate(lcowmig__computecore_job *job)
{
	wchar_t *text = lcowmig__computecore_wide(job->text);
	lcowmig_status status = text ? lcowmig__computecore_operate_with(job, text, operation_begin) : LCOWMIG_E_NO_MEMORY;

	free(text);
	return status;
}

/* The core may be freed as soon as the call is completed, so it is let go of first. */
static void CALLBACK operation_work(PTP_CALLBACK_INSTANCE instance, void *context)
{
	lcowmig__computecore_job *job = context;
	lcowmig_call *call = job->call;
	lcowmig_status status = job->run(job);

	(void)instance;
	InterlockedDecrement(&job->core->busy);
	free(job);
	lcowmig_call_complete(call, status);
}

lcowmig_status lcowmig__computecore_submit(const lcowmig__computecore_job *job)
{
	lcowmig__computecore_job *copy = malloc(sizeof(*copy));
	lcowmig_status status;

	if (!copy)
		return LCOWMIG_E_NO_MEMORY;
	*copy = *job;
	InterlockedIncrement(&copy->core->busy);
	if (!(copy->core->flags & LCOWMIG_COMPUTECORE_BLOCKING) && TrySubmitThreadpoolCallback(operation_work, copy, NULL))
		return LCOWMIG_PENDING;
	status = copy->run(copy);
	InterlockedDecrement(&copy->core->busy);
	free(copy);
	return status;
}
