/* Migrations under other conditions: several interfaces, a log that never comes, what an earlier session left. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "invariants.h"
#include "world.h"

#define OK(call) ck_assert_msg((call) == LCOWMIG_OK, "%s: %s", #call, world->error.message)
#define STATE(side, expected) ck_assert_str_eq(lcowmig_migration_state_name(world_state(side)), lcowmig_migration_state_name(expected))
#define VM(side, expected) ck_assert_str_eq(lcowmig__vm_state_name((side)->sandbox->vm), expected)
#define SECOND UINT64_C(1000000000)

static test_world *world;
static test_side *source;
static test_side *destination;

static void begin(unsigned n_pods, unsigned n_containers, bool is_slow)
{
	world = world_new(n_pods, n_containers);
	source = &world->source;
	destination = &world->destination;
	if (is_slow)
		world_set_slow(world);
}

/* ---- Several interfaces (X-46) ---- */

/* What the destination's network gives to a pod, `leg` and `pod` being parts of the ids. */
static void give_endpoints(unsigned leg, unsigned pod, unsigned count)
{
	char text[2048] = "[";
	unsigned i;

	for (i = 0; i < count; i++) {
		size_t size = strlen(text);

		snprintf(
			text + size, sizeof text - size,
			"%s{\"ID\":\"f7b5d1a0-2f3e-4b6c-8d9e-1122%02u%02u00%02u\",\"Name\":\"pod%u_eth%u\",\"HostComputeNamespace\":\"ns\","
			"\"IpConfigurations\":[{\"IpAddress\":\"10.244.%u.%u\",\"PrefixLength\":24}],\"MacAddress\":\"00-15-5D-%02u-%02u-%"
			"02u\"}",
			i ? "," : "", leg, pod, i, pod, i, pod, 7 + i, leg, pod, i);
	}
	strcat(text, "]");
	test_host_reply(destination->host, "network.endpoints", text);
}

static const char *const guest_operations[] = { "guest.connect", "guest.rpc:10100a01" };

static unsigned pending_in_guest(void)
{
	return test_host_pending(destination->host, guest_operations[0]) + test_host_pending(destination->host, guest_operations[1]);
}

/* Resumes the destination, and counts how often the guest has to be waited for. */
static unsigned resume_in_rounds(void)
{
	lcowmig_finalize_options options = LCOWMIG_FINALIZE_OPTIONS_INIT;
	test_done done = { 0 };
	unsigned n_rounds = 0;
	size_t i;

	for (i = 0; i < 2; i++)
		test_host_hold(destination->host, guest_operations[i], true);
	options.action = LCOWMIG_FINALIZE_RESUME;
	options.token = world->token;
	options.token_size = world->token_size;
	ck_assert_int_eq(lcowmig_migration_finalize(destination->m, WORLD_SESSION, &options, test_on_done, &done, &world->error),
			 LCOWMIG_PENDING);
	for (; !done.calls && pending_in_guest(); n_rounds++) {
		for (i = 0; i < 2; i++) {
			unsigned n = test_host_pending(destination->host, guest_operations[i]);

			while (n--)
				test_host_complete(destination->host, guest_operations[i], LCOWMIG_OK, 0, NULL);
		}
	}
	for (i = 0; i < 2; i++)
		test_host_hold(destination->host, guest_operations[i], false);
	ck_assert_int_eq(done.calls, 1);
	ck_assert_msg(done.status == LCOWMIG_OK, "%s", done.message);
	return n_rounds;
}

/* How many resources of a kind HCS has added on a side, less those it has removed. */
static int balance(test_side *side, const char *resource)
{
	const char *line = test_host_log(side->host);
	int sum = 0;

	while (*line) {
		const char *end = strchr(line, '\n');
		const char *found = strstr(line, resource);

		if (strncmp(line, "hcs.modify", 10) == 0 && found && found < end) {
			const char *add = strstr(line, "\"RequestType\":\"Add\"");
			const char *remove = strstr(line, "\"RequestType\":\"Remove\"");

			sum += add && add < end;
			sum -= remove && remove < end;
		}
		line = end + 1;
	}
	return sum;
}

static void expect_nics(unsigned count)
{
	const lcowmig_pod *pod;

	for (pod = lcowmig__sandbox_next_pod(destination->sandbox, NULL); pod; pod = lcowmig__sandbox_next_pod(destination->sandbox, pod))
		ck_assert_uint_eq(lcowmig_network_nic_count(pod->network), count);
}

/* Onward and onward, with one interface more each time, then one less: all old ones go, all new ones come, at two round trips for each. */
START_TEST(test_pods_with_several_interfaces_migrate_on_and_on)
{
	static const unsigned n_nics[] = { 2, 3, 1, 3 };
	unsigned n_pods = _i ? 2 : 1;
	unsigned before = 1;
	unsigned leg, pod;

	begin(n_pods, 2, false);
	for (leg = 0; leg < 4; leg++) {
		unsigned most = n_nics[leg] > before ? n_nics[leg] : before;

		for (pod = 0; pod < n_pods; pod++)
			give_endpoints(leg, pod, n_nics[leg]);
		OK(world_migrate_until(world, WORLD_RELEASED));
		test_host_clear_log(destination->host);
		ck_assert_uint_le(resume_in_rounds(), 4 + 2 * (most - 1));
		expect_nics(n_nics[leg]);
		/* What was carried over is the source host's: it goes in the guest only. */
		ck_assert_int_eq(balance(destination, "VirtualMachine/Devices/NetworkAdapters/"), (int)(n_pods * n_nics[leg]));
		OK(world_step(world, WORLD_STOPPED));
		OK(world_step(world, WORLD_CLEAN));
		before = n_nics[leg];
		world_turn(world);
	}
	world_free(world);
}
END_TEST

/* Every host call of such a resume fails once; the finalize is repeated, and nothing leaks and nothing is removed that is in use. */
START_TEST(test_resume_with_several_interfaces_is_repeated_from_any_failure)
{
	bool was_met = true;
	unsigned nth;

	for (nth = 1; was_met; nth++) {
		unsigned i;

		begin(1, 2, _i);
		give_endpoints(0, 0, 3);
		give_endpoints(0, 0, 3); /* asked again when the finalize is repeated */
		OK(world_migrate_until(world, WORLD_RELEASED));
		test_host_clear_log(destination->host);
		test_host_fail(destination->host, "*", nth, LCOWMIG_E_HOST_FAILED, 0x80004005, "the one that fails");
		for (i = 0; i < 3 && world_step(world, WORLD_RESUMED) != LCOWMIG_OK; i++)
			;
		ck_assert_msg(i < 2, "call %u: %s", nth, world->error.message);
		STATE(destination, LCOWMIG_MIGRATION_FINALIZED);
		expect_nics(3);
		was_met = i > 0 || test_host_count(destination->host, "") >= nth;
		OK(world_step(world, WORLD_STOPPED));
		OK(world_step(world, WORLD_CLEAN));
		world_free(world);
	}
	ck_assert_uint_gt(nth, 10);
}
END_TEST

/* ---- The log (X-39) ---- */

/* Nobody reads the guest's log on either side: there and back, there and onward. */
START_TEST(test_a_log_that_never_comes_delays_nothing)
{
	begin(1, 2, _i % 2);
	test_host_hold(source->host, "guest.log", true);
	test_host_hold(destination->host, "guest.log", true);
	OK(world_migrate_until(world, WORLD_TRANSFERRED));
	if (_i / 2) {
		test_host_disconnect(source->host);
		OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
		OK(world_cleanup(world, source));
		VM(source, "Running");
		world_new_destination(world);
		test_host_hold(destination->host, "guest.log", true);
		OK(world_migrate_until(world, WORLD_TRANSFERRED));
	}
	OK(world_step(world, WORLD_RELEASED));
	OK(world_step(world, WORLD_RESUMED));
	OK(world_step(world, WORLD_STOPPED));
	OK(world_step(world, WORLD_CLEAN));
	VM(destination, "Running");
	ck_assert_uint_ge(test_host_pending(destination->host, "guest.log"), 1);
	world_free(world);
}
END_TEST

/* ---- What an earlier session leaves (X-31) ---- */

/* The first session's wait for its socket has almost run out when the second begins to wait for its own. */
START_TEST(test_timers_end_with_their_session)
{
	begin(1, 2, _i);
	OK(world_migrate_until(world, WORLD_EXPORTED));
	OK(world_transfer(world, source));
	STATE(source, LCOWMIG_MIGRATION_SOCKET_WAITING);
	test_host_advance(source->host, LCOWMIG_SOCKET_TIMEOUT_NS - SECOND);
	STATE(source, LCOWMIG_MIGRATION_SOCKET_WAITING);
	OK(world_cancel(world, source));
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
	OK(world_cleanup(world, source));
	OK(world_migrate_until(world, WORLD_EXPORTED));
	OK(world_transfer(world, source));
	test_host_advance(source->host, LCOWMIG_SOCKET_TIMEOUT_NS - SECOND);
	STATE(source, LCOWMIG_MIGRATION_SOCKET_WAITING);
	test_host_advance(source->host, 2 * SECOND);
	STATE(source, LCOWMIG_MIGRATION_FAILED);
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
	OK(world_cleanup(world, source));
	VM(source, "Running");
	world_free(world);
}
END_TEST

/* The same answers to transfer, register and cancel that come twice. */
START_TEST(test_calls_that_are_made_twice)
{
	test_done second = { 0 };
	test_done first = { 0 };

	begin(1, 2, false);
	OK(world_migrate_until(world, WORLD_CONNECTED));
	test_host_hold(source->host, "hcs.transfer", true);
	test_host_hold(source->host, "hcs.cancel_migration", true);
	OK(world_transfer(world, source));
	OK(world_transfer(world, source));
	ck_assert_uint_eq(test_host_count(source->host, "hcs.start_migration"), 1);
	ck_assert_int_eq(world_register(world, source), LCOWMIG_E_ALREADY_EXISTS);
	ck_assert_int_eq(lcowmig_migration_cancel(source->m, WORLD_SESSION, test_on_done, &first, &world->error), LCOWMIG_PENDING);
	OK(lcowmig_migration_cancel(source->m, WORLD_SESSION, test_on_done, &second, &world->error));
	STATE(source, LCOWMIG_MIGRATION_CANCELLING);
	test_host_complete(source->host, "hcs.cancel_migration", LCOWMIG_OK, 0, NULL);
	test_host_complete(source->host, "hcs.transfer", LCOWMIG_E_HOST_FAILED, 0x800704C7, NULL);
	ck_assert_int_eq(first.calls, 1);
	ck_assert_int_eq(first.status, LCOWMIG_OK);
	ck_assert_int_eq(second.calls, 0);
	STATE(source, LCOWMIG_MIGRATION_CANCELLED);
	ck_assert_uint_eq(test_host_count(source->host, "hcs.cancel_migration"), 1);
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
	OK(world_cleanup(world, source));
	OK(world_cleanup(world, source));
	world_free(world);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("conditions");
	TCase *conditions = tcase_create("conditions");
	SRunner *runner;
	int failed;

	tcase_set_timeout(conditions, 120);
	tcase_add_loop_test(conditions, test_pods_with_several_interfaces_migrate_on_and_on, 0, 2);
	tcase_add_loop_test(conditions, test_resume_with_several_interfaces_is_repeated_from_any_failure, 0, 2);
	tcase_add_loop_test(conditions, test_a_log_that_never_comes_delays_nothing, 0, 4);
	tcase_add_loop_test(conditions, test_timers_end_with_their_session, 0, 2);
	tcase_add_test(conditions, test_calls_that_are_made_twice);
	suite_add_tcase(suite, conditions);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
