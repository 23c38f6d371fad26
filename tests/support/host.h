/*
 * A scripted host: every vtable, one log line for each call, and answers that a test sets beforehand. Controllers are tested against it
 * without threads, sockets or sleeping.
 *
 *     test_host *host = test_host_new();
 *     test_host_fail(host, "hcs.modify", 1, LCOWMIG_E_HOST_FAILED, 0xC037010E, "gone");
 *     … call the library with host->env …
 *     test_host_expect_log(host, "hcs.modify {…}\n" "guest.rpc 0x10100a01 {…}\n");
 *     test_host_free(host);       (asserts: nothing leaked, nothing outstanding, every handle closed once)
 *
 * Operation names are "<vtable>.<member>": hcs.create, guest.rpc, network.endpoints, stdio.open, socket.adopt …; guest.rpc may be
 * addressed more closely as "guest.rpc:<message in hex>" ("guest.rpc:10100a01"); "*" is any operation. Default answers are successes that
 * make sense: hcs.create gives a handle, guest.connect the capabilities of the Linux guest, execute gives pids 101, 102 …, WaitForProcess
 * stays pending, every rpc takes the next request id (from 1), ports count from 0x40000001.
 */
#ifndef TEST_HOST_H
#define TEST_HOST_H

#include "engine/env.h"
#include "lcowmig/lcowmig.h"

typedef struct test_host {
	lcowmig_context *context;
	lcowmig__env env;          /* ready: compute system "vm@test", guest connected; for controllers tested alone */
	lcowmig_sandbox_config config; /* the same ops for lcowmig_sandbox_new */
	struct test_host_private *p;
} test_host;

/* The end of an operation. Pass test_done and a struct test_done to the library. */
typedef struct test_done {
	int calls;
	lcowmig_status status;
	char message[LCOWMIG_ERROR_MESSAGE_SIZE];
	uint32_t hresult;
} test_done;
void test_on_done(void *user, lcowmig_status status, const lcowmig_error *error);

test_host *test_host_new(void);
void test_host_free(test_host *host);

/* The log since the last clear, one line a call: "hcs.modify <document>", "event exit c1 '' 101 137", … */
const char *test_host_log(test_host *host);
void test_host_clear_log(test_host *host);
/* Asserts that the log is exactly `expected` (newline-terminated lines) and clears it. */
void test_host_expect_log(test_host *host, const char *expected);
/* How many log lines start with `prefix`. */
unsigned test_host_count(test_host *host, const char *prefix);

/* The nth next call (1: the next) of an operation fails. */
void test_host_fail(test_host *host, const char *operation, unsigned nth, lcowmig_status status, uint32_t hresult, const char *message);
/* The next call of an operation gets this result (JSON); repeatable, first in first out. */
void test_host_reply(test_host *host, const char *operation, const char *result);
/* From now on calls of an operation stay pending (true), or end at once again (false). */
void test_host_hold(test_host *host, const char *operation, bool hold);
/* Completes the oldest pending call of an operation; asserts that there is one. `result` may be NULL. */
void test_host_complete(test_host *host, const char *operation, lcowmig_status status, uint32_t hresult, const char *result);
unsigned test_host_pending(test_host *host, const char *operation);
/* Ends the wait of a process (its oldest pending WaitForProcess or adopted id) with an exit code. */
void test_host_exit_process(test_host *host, uint32_t pid, uint32_t exit_code);
/* Ends the waits sent or adopted under a request id; false when there is none. */
bool test_host_exit_request(test_host *host, int64_t id, uint32_t exit_code);
/* While the nth next call (1: the next) of any operation is made, `act` is called, once. NULL: no more. */
void test_host_at_call(test_host *host, unsigned nth, void (*act)(void *user), void *user);
/* The guest's connection is lost: pending guest calls end with UNAVAILABLE, unless migrating is set. */
void test_host_disconnect(test_host *host);
/* A vtable member is missing from now on (env and config). */
void test_host_remove(test_host *host, const char *operation);
/* Moves the fake clock on and advances the context. */
void test_host_advance(test_host *host, uint64_t nanoseconds);
/* The nth allocation from now (1: the next) fails; 0: none. `forever`: and all after it. */
void test_host_fail_allocation(test_host *host, unsigned nth, bool forever);
/* The same of those that have at least `size` bytes. */
void test_host_fail_large_allocation(test_host *host, size_t size, unsigned nth);
unsigned test_host_allocations(test_host *host);

/* Runs a flow made by a …_flow function to its end or to PENDING, as a public function would. `done` may be NULL. */
lcowmig_status test_run(test_host *host, lcowmig__flow *flow, test_done *done, lcowmig_error *error);
/* Calls a function that needs the context's lock: test_enter(host); …; test_leave(host). */
void test_enter(test_host *host);
void test_leave(test_host *host);

#endif
