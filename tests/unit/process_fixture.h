/* What the programs that test the process controller share: process "c1" (init) of guest container "g1" on a scripted host. */
#ifndef TEST_PROCESS_FIXTURE_H
#define TEST_PROCESS_FIXTURE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "process/process_private.h"

#define EXECUTE "guest.rpc 0x10100501 "
#define WAIT "guest.rpc 0x10100601 "
#define SIGNAL "guest.rpc 0x10100701 "
#define PROBE                                                                                                                              \
	"guest.rpc 0x10100601 {\"ContainerId\":\"g1\",\"ActivityId\":\"00000000-0000-0000-0000-000000000000\",\"ProcessId\":101,"          \
	"\"TimeoutInMs\":50}"
#define SPEC "{\"terminal\":true,\"args\":[\"/bin/sh\"],\"cwd\":\"/\"}"

static test_host *host;
static lcowmig_process *process;
static lcowmig_error error = LCOWMIG_ERROR_INIT;
static int exits;

/* The owner's view at the moment it is told. */
static void on_exited(void *user, lcowmig_process *exited)
{
	ck_assert_ptr_eq(user, &exits);
	ck_assert_int_eq(exited->object.state, PROCESS_TERMINATED);
	ck_assert(exited->exited.is_set);
	exits++;
}

static const lcowmig__process_owner owner = { on_exited, &exits };

static inline lcowmig_process *make(const char *exec_id)
{
	lcowmig_process *made;

	ck_assert_int_eq(lcowmig__process_new(&host->env, "c1", "g1", exec_id, 0, &owner, &made, &error), LCOWMIG_OK);
	return made;
}

static void setup(void)
{
	host = test_host_new();
	exits = 0;
	process = make("");
}

static inline void replace(lcowmig_process *other)
{
	test_enter(host);
	lcowmig__process_free(process);
	test_leave(host);
	process = other;
}

static void teardown(void)
{
	replace(NULL);
	test_host_free(host);
}

/* ---- What the tests do again and again ---- */

static inline lcowmig_process_options options(bool terminal)
{
	lcowmig_process_options result = LCOWMIG_PROCESS_OPTIONS_INIT;

	result.bundle = "C:\\bundle";
	result.stdin_path = "in";
	result.stdout_path = "out";
	result.stderr_path = terminal ? NULL : "err";
	result.terminal = terminal;
	result.process_spec = process && process->exec_id[0] ? SPEC : NULL;
	return result;
}

static inline lcowmig_status create(void)
{
	const lcowmig_process_options given = options(false);

	return test_run(host, lcowmig__process_create_flow(process, &given, &error), NULL, &error);
}

static inline lcowmig_status create_terminal(void)
{
	const lcowmig_process_options given = options(true);

	return test_run(host, lcowmig__process_create_flow(process, &given, &error), NULL, &error);
}

static inline lcowmig_status start(void)
{
	return test_run(host, lcowmig__process_start_flow(process, &error), NULL, &error);
}

static inline lcowmig_status patch(const char *container_id)
{
	const lcowmig_process_options given = options(false);
	lcowmig_status status = test_run(host, lcowmig__process_patch_flow(process, container_id, &given, &error), NULL, &error);

	if (status == LCOWMIG_OK) {
		test_enter(host);
		lcowmig__process_patch_commit(process);
		test_leave(host);
	}
	return status;
}

static inline lcowmig_status resume(bool is_destination)
{
	return test_run(host, lcowmig__process_resume_flow(process, is_destination, &error), NULL, &error);
}

static inline lcowmig_status capture(lcowmig__wire_process *ret_wire)
{
	lcowmig_status status;

	test_enter(host);
	status = lcowmig__process_capture(process, ret_wire, &error);
	test_leave(host);
	return status;
}

static inline void freeze(void)
{
	lcowmig__wire_process wire;

	ck_assert_int_eq(capture(&wire), LCOWMIG_OK);
	test_enter(host);
	lcowmig__process_freeze(process);
	test_leave(host);
}

static inline lcowmig_process *import(const lcowmig__wire_process *wire)
{
	lcowmig_process *imported;

	test_enter(host);
	ck_assert_int_eq(lcowmig__process_import(&host->env, wire, "c1", "g1", &owner, &imported, &error), LCOWMIG_OK);
	test_leave(host);
	return imported;
}

static inline lcowmig_status delete_it(void)
{
	return test_run(host, lcowmig__process_delete_flow(process, &error), NULL, &error);
}

static inline void abort_process(void)
{
	test_enter(host);
	lcowmig__process_abort(process);
	test_leave(host);
}

static inline void become_imported(void)
{
	static const lcowmig__wire_process wire = { "", 101, "C:\\source", { NULL, 0 }, { 1, 5 }, { 0, 0x40000001u, 0x40000002u }, 57 };

	replace(import(&wire));
}

static inline void become(int state)
{
	if (state == PROCESS_DESTINATION_MIGRATING)
		become_imported();
	else if (state != PROCESS_NOT_CREATED)
		ck_assert_int_eq(create(), LCOWMIG_OK);
	if (state == PROCESS_RUNNING || state == PROCESS_TERMINATED || state == PROCESS_SOURCE_MIGRATING)
		ck_assert_int_eq(start(), LCOWMIG_OK);
	if (state == PROCESS_TERMINATED)
		test_host_exit_process(host, 101, 3);
	if (state == PROCESS_SOURCE_MIGRATING)
		freeze();
	ck_assert_int_eq(process->object.state, state);
	test_host_clear_log(host);
	exits = 0;
}

static inline void become_patched(void)
{
	become_imported();
	ck_assert_int_eq(patch("n"), LCOWMIG_OK);
	test_host_clear_log(host);
}

static inline lcowmig_status kill_it(bool has_signal)
{
	return test_run(host, lcowmig__process_kill_flow(process, has_signal ? 15 : 0, &error), NULL, &error);
}

#define assert_state(name) ck_assert_str_eq(lcowmig_process_state_name(process), name)
#define assert_says(text) ck_assert_msg(strstr(error.message, text) != NULL, "\"%s\" does not say %s", error.message, text)

static inline lcowmig_status resize(void)
{
	return test_run(host, lcowmig__process_resize_flow(process, 120, 40, &error), NULL, &error);
}

#endif
