/* The script: which call gets which answer, and what is still pending. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host_private.h"

static void *must_allocate(size_t size)
{
	void *memory = calloc(1, size);

	ck_assert_ptr_nonnull(memory);
	return memory;
}

char *test_format(const char *format, ...)
{
	va_list arguments;
	char *text;
	int length;

	va_start(arguments, format);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	ck_assert_int_ge(length, 0);
	text = must_allocate((size_t)length + 1);
	va_start(arguments, format);
	vsnprintf(text, (size_t)length + 1, format, arguments);
	va_end(arguments);
	return text;
}

/* ---- The log ---- */

void test_log(test_host *host, const char *format, ...)
{
	struct test_host_private *p = host->p;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	p->log = realloc(p->log, p->log_size + (size_t)length + 2);
	ck_assert_ptr_nonnull(p->log);
	va_start(arguments, format);
	vsnprintf(p->log + p->log_size, (size_t)length + 1, format, arguments);
	va_end(arguments);
	p->log_size += (size_t)length;
	p->log[p->log_size++] = '\n';
	p->log[p->log_size] = '\0';
}

const char *test_host_log(test_host *host)
{
	return host->p->log ? host->p->log : "";
}

void test_host_clear_log(test_host *host)
{
	free(host->p->log);
	host->p->log = NULL;
	host->p->log_size = 0;
}

void test_host_expect_log(test_host *host, const char *expected)
{
	ck_assert_msg(strcmp(test_host_log(host), expected) == 0, "the log is\n%sexpected was\n%s", test_host_log(host), expected);
	test_host_clear_log(host);
}

unsigned test_host_count(test_host *host, const char *prefix)
{
	const char *line = test_host_log(host);
	unsigned count = 0;

	while (*line) {
		count += strncmp(line, prefix, strlen(prefix)) == 0;
		line = strchr(line, '\n') + 1;
	}
	return count;
}

/* ---- Handles ---- */

test_handle *test_handle_open(test_host *host, const char *kind)
{
	test_handle *handle = must_allocate(sizeof *handle);

	handle->kind = kind;
	handle->is_open = true;
	lcowmig__list_append(&host->p->handles, &handle->node);
	return handle;
}

test_handle *test_handle_get(test_host *host, const char *kind, void *pointer)
{
	lcowmig__list *node, *following;

	LCOWMIG__LIST_EACH (node, following, &host->p->handles) {
		test_handle *handle = LCOWMIG__LIST_ENTRY(node, test_handle, node);

		if (handle != pointer)
			continue;
		ck_assert_str_eq(handle->kind, kind);
		ck_assert_msg(handle->is_open, "a %s handle is used after it was closed", kind);
		return handle;
	}
	ck_abort_msg("the library gave a %s handle that the host never opened", kind);
	return NULL;
}

/* ---- Rules ---- */

static bool call_is(const test_call *call, const char *operation)
{
	return strcmp(operation, "*") == 0 || strcmp(call->operation, operation) == 0 || strcmp(call->specific, operation) == 0;
}

void test_host_fail(test_host *host, const char *operation, unsigned nth, lcowmig_status status, uint32_t hresult, const char *message)
{
	test_failure *failure = must_allocate(sizeof *failure);

	ck_assert_uint_ge(nth, 1);
	snprintf(failure->operation, sizeof failure->operation, "%s", operation);
	snprintf(failure->message, sizeof failure->message, "%s", message ? message : "");
	failure->nth = nth;
	failure->status = status;
	failure->hresult = hresult;
	lcowmig__list_append(&host->p->failures, &failure->node);
}

static void add_reply(lcowmig__list *list, const char *operation, const char *text)
{
	test_reply *reply = must_allocate(sizeof *reply);

	snprintf(reply->operation, sizeof reply->operation, "%s", operation);
	reply->text = text ? test_format("%s", text) : NULL;
	lcowmig__list_append(list, &reply->node);
}

static test_reply *find_reply(lcowmig__list *list, const test_call *call)
{
	lcowmig__list *node, *following;

	LCOWMIG__LIST_EACH (node, following, list) {
		test_reply *reply = LCOWMIG__LIST_ENTRY(node, test_reply, node);

		if (call_is(call, reply->operation))
			return reply;
	}
	return NULL;
}

static void free_reply(test_reply *reply)
{
	lcowmig__list_remove(&reply->node);
	free(reply->text);
	free(reply);
}

void test_host_reply(test_host *host, const char *operation, const char *result)
{
	add_reply(&host->p->replies, operation, result);
}

void test_host_hold(test_host *host, const char *operation, bool hold)
{
	lcowmig__list *node, *following;

	LCOWMIG__LIST_EACH (node, following, &host->p->holds) {
		test_reply *reply = LCOWMIG__LIST_ENTRY(node, test_reply, node);

		if (strcmp(reply->operation, operation) == 0)
			free_reply(reply);
	}
	if (hold)
		add_reply(&host->p->holds, operation, NULL);
}

/* Every rule for the operation counts the call; the first one that is due wins. */
static test_failure *take_failure(test_host *host, const test_call *call)
{
	lcowmig__list *node, *following;
	test_failure *due = NULL;

	LCOWMIG__LIST_EACH (node, following, &host->p->failures) {
		test_failure *failure = LCOWMIG__LIST_ENTRY(node, test_failure, node);

		if (!call_is(call, failure->operation))
			continue;
		if (failure->nth > 1)
			failure->nth--;
		else if (!due)
			due = failure;
	}
	if (due)
		lcowmig__list_remove(&due->node);
	return due;
}

/* ---- Answering ---- */

static lcowmig_status call_fails(test_call *call, lcowmig_status status, uint32_t hresult, const char *message)
{
	lcowmig_call_set_error(call->call, hresult, message);
	if (status == LCOWMIG_E_GUEST_FAILED) {
		char *answer =
			test_format("{\"Result\":%d,\"ActivityId\":\"00000000-0000-0000-0000-000000000000\",\"ErrorMessage\":\"%s\"}",
				    (int)hresult, message ? message : "");

		lcowmig_call_set_result(call->call, answer, strlen(answer));
		free(answer);
	}
	return status;
}

static lcowmig_status call_succeeds(test_host *host, test_call *call, const char *result)
{
	test_reply *reply = result ? NULL : find_reply(&host->p->replies, call);

	if (reply)
		result = reply->text;
	if (!result)
		result = call->standard;
	if (result)
		lcowmig_call_set_result(call->call, result, strlen(result));
	if (reply)
		free_reply(reply);
	if (call->opens)
		lcowmig_call_set_handle(call->call, test_handle_open(host, call->opens));
	if (call->closes)
		call->closes->is_open = false;
	if (call->is_connection)
		host->p->is_connected = true;
	return LCOWMIG_OK;
}

static lcowmig_status script_answer(test_host *host, test_call *given)
{
	test_failure *failure = take_failure(host, given);
	bool is_held = find_reply(&host->p->holds, given) != NULL;
	bool has_reply = find_reply(&host->p->replies, given) != NULL;
	lcowmig_status status = LCOWMIG_PENDING;
	test_call *kept;

	if (failure) {
		status = call_fails(given, failure->status, failure->hresult, failure->message);
		free(failure);
	} else if (!is_held && !has_reply && given->times_out) {
		status = call_fails(given, LCOWMIG_E_GUEST_FAILED, given->times_out, "the time is over");
	} else if (!is_held && (has_reply || !given->stays)) {
		status = call_succeeds(host, given, NULL);
	}
	if (status != LCOWMIG_PENDING) {
		free(given->standard);
		return status;
	}
	kept = must_allocate(sizeof *kept);
	*kept = *given;
	lcowmig__list_append(&host->p->pending, &kept->node);
	return LCOWMIG_PENDING;
}

void test_host_at_call(test_host *host, unsigned nth, void (*act)(void *user), void *user)
{
	host->p->act_in = act ? nth : 0;
	host->p->act = act;
	host->p->act_user = user;
}

lcowmig_status test_script_run(test_host *host, test_call *given)
{
	if (host->p->act_in && --host->p->act_in == 0)
		host->p->act(host->p->act_user);
	return script_answer(host, given);
}

/* Takes a pending call off the list and ends it. */
static void end_call(test_host *host, test_call *call, lcowmig_status status, uint32_t hresult, const char *message, const char *result)
{
	lcowmig_call *ended = call->call;

	lcowmig__list_remove(&call->node);
	if (status == LCOWMIG_OK)
		call_succeeds(host, call, result);
	else
		call_fails(call, status, hresult, message);
	free(call->standard);
	free(call);
	lcowmig_call_complete(ended, status);
}

void test_host_complete(test_host *host, const char *operation, lcowmig_status status, uint32_t hresult, const char *result)
{
	lcowmig__list *node, *following;

	LCOWMIG__LIST_EACH (node, following, &host->p->pending) {
		test_call *call = LCOWMIG__LIST_ENTRY(node, test_call, node);

		if (call_is(call, operation)) {
			end_call(host, call, status, hresult, NULL, result);
			return;
		}
	}
	ck_abort_msg("no %s is pending", operation);
}

unsigned test_host_pending(test_host *host, const char *operation)
{
	lcowmig__list *node, *following;
	unsigned count = 0;

	LCOWMIG__LIST_EACH (node, following, &host->p->pending)
		count += call_is(LCOWMIG__LIST_ENTRY(node, test_call, node), operation);
	return count;
}

/* ---- Waits ---- */

static uint32_t pid_of_request(test_host *host, int64_t id)
{
	lcowmig__list *node, *following;

	LCOWMIG__LIST_EACH (node, following, &host->p->waits) {
		test_wait *wait = LCOWMIG__LIST_ENTRY(node, test_wait, node);

		if (wait->request_id == id)
			return wait->pid;
	}
	return 0;
}

static bool is_wait(const test_call *call)
{
	return strcmp(call->operation, "guest.adopt") == 0 || strcmp(call->specific, "guest.rpc:10100601") == 0;
}

/* The oldest pending wait for `pid`, else the oldest adopted id whose process this host has not seen. */
static test_call *find_wait(test_host *host, uint32_t pid)
{
	lcowmig__list *node, *following;
	test_call *unknown = NULL;

	LCOWMIG__LIST_EACH (node, following, &host->p->pending) {
		test_call *call = LCOWMIG__LIST_ENTRY(node, test_call, node);
		uint32_t known = is_wait(call) ? call->pid ? call->pid : pid_of_request(host, call->request_id) : 0;

		if (is_wait(call) && known == pid)
			return call;
		if (is_wait(call) && !known && !unknown)
			unknown = call;
	}
	return unknown;
}

static test_call *find_wait_by_id(test_host *host, int64_t id)
{
	lcowmig__list *node, *following;

	LCOWMIG__LIST_EACH (node, following, &host->p->pending) {
		test_call *call = LCOWMIG__LIST_ENTRY(node, test_call, node);

		if (is_wait(call) && call->request_id == id)
			return call;
	}
	return NULL;
}

bool test_host_exit_request(test_host *host, int64_t id, uint32_t exit_code)
{
	test_call *call = find_wait_by_id(host, id);
	bool was_found = call != NULL;
	char *answer;

	answer = test_format("{\"Result\":0,\"ActivityId\":\"00000000-0000-0000-0000-000000000000\",\"ExitCode\":%u}", exit_code);
	/* An id that was adopted while it was outstanding is waited for twice; both get the answer. */
	for (; call; call = find_wait_by_id(host, id))
		end_call(host, call, LCOWMIG_OK, 0, NULL, answer);
	free(answer);
	return was_found;
}

void test_host_exit_process(test_host *host, uint32_t pid, uint32_t exit_code)
{
	test_call *call = find_wait(host, pid);

	ck_assert_msg(call != NULL, "nobody waits for process %u", pid);
	test_host_exit_request(host, call->request_id, exit_code);
}

/* ---- Ends ---- */

void test_script_lose_guest(test_host *host)
{
	bool again = true;

	while (again) {
		lcowmig__list *node, *following;

		again = false;
		LCOWMIG__LIST_EACH (node, following, &host->p->pending) {
			test_call *call = LCOWMIG__LIST_ENTRY(node, test_call, node);

			if (strncmp(call->operation, "guest.", 6) != 0)
				continue;
			end_call(host, call, LCOWMIG_E_UNAVAILABLE, 0, "the connection is gone", NULL);
			again = true; /* ending it may have changed the list */
			break;
		}
	}
}

void test_script_settle_abandoned(test_host *host)
{
	bool again = true;

	while (again) {
		lcowmig__list *node, *following;

		again = false;
		LCOWMIG__LIST_EACH (node, following, &host->p->pending) {
			test_call *call = LCOWMIG__LIST_ENTRY(node, test_call, node);

			if (!lcowmig_call_is_abandoned(call->call))
				continue;
			end_call(host, call, LCOWMIG_E_CANCELLED, 0, NULL, NULL);
			again = true;
			break;
		}
	}
}

void test_script_done(test_host *host)
{
	struct test_host_private *p = host->p;
	lcowmig__list *node;

	while ((node = lcowmig__list_pop(&p->failures)) != NULL)
		free(LCOWMIG__LIST_ENTRY(node, test_failure, node));
	while (!lcowmig__list_is_empty(&p->replies))
		free_reply(LCOWMIG__LIST_ENTRY(p->replies.next, test_reply, node));
	while (!lcowmig__list_is_empty(&p->holds))
		free_reply(LCOWMIG__LIST_ENTRY(p->holds.next, test_reply, node));
	while ((node = lcowmig__list_pop(&p->waits)) != NULL)
		free(LCOWMIG__LIST_ENTRY(node, test_wait, node));
	while ((node = lcowmig__list_pop(&p->handles)) != NULL) {
		test_handle *handle = LCOWMIG__LIST_ENTRY(node, test_handle, node);

		ck_assert_msg(!handle->is_open || handle->may_stay, "a %s handle was never closed", handle->kind);
		free(handle);
	}
	test_host_clear_log(host);
}
