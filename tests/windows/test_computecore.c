/* The computecore backend against a stand-in DLL. The library's side of a host call is played by the test: what it attaches is looked at. */
#include <winsock2.h>

#include <windows.h>

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "lcowmig/computecore.h"
#include "standin.h"

/* ---- the library's side ---- */

struct lcowmig_call {
	HANDLE completed;
	lcowmig_status status;
	uint32_t hresult;
	char message[256];
	char result[512];
	void *handle;
	int completions;
};

struct lcowmig_sandbox {
	uint32_t type;
	char data[512];
	int has_data;
	int events;
};

void lcowmig_call_complete(lcowmig_call *call, lcowmig_status status)
{
	call->status = status;
	call->completions++;
	SetEvent(call->completed);
}

lcowmig_status lcowmig_call_set_result(lcowmig_call *call, const void *data, size_t size)
{
	ck_assert_uint_lt(size, sizeof(call->result));
	memcpy(call->result, data, size);
	call->result[size] = '\0';
	return LCOWMIG_OK;
}

void lcowmig_call_set_handle(lcowmig_call *call, void *handle)
{
	call->handle = handle;
}

void lcowmig_call_set_error(lcowmig_call *call, uint32_t hresult, const char *message)
{
	call->hresult = hresult;
	snprintf(call->message, sizeof(call->message), "%s", message ? message : "");
}

lcowmig_status lcowmig_sandbox_hcs_event(lcowmig_sandbox *sandbox, uint32_t type, const char *data, lcowmig_error *error)
{
	(void)error;
	sandbox->type = type;
	sandbox->has_data = data != NULL;
	snprintf(sandbox->data, sizeof(sandbox->data), "%s", data ? data : "");
	sandbox->events++;
	return LCOWMIG_OK;
}

/* ---- fixture ---- */

static struct {
	standin_log_fn log;
	standin_reset_fn reset;
	standin_refuse_fn refuse;
	standin_answer_fn answer;
	standin_event_fn event;
} standin;

static lcowmig_computecore *core;
static lcowmig_hcs_ops ops;
static lcowmig_socket_ops sockets;
static lcowmig_call call;
static int complaints;

static void *standin_entry(HMODULE module, const char *name)
{
	FARPROC found = GetProcAddress(module, name);
	void *entry;

	ck_assert_msg(found != NULL, "%s", name);
	memcpy(&entry, &found, sizeof(entry));
	return entry;
}

static void setup_with(uint32_t flags)
{
	lcowmig_computecore_config config = LCOWMIG_COMPUTECORE_CONFIG_INIT;
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	HMODULE module = LoadLibraryA(STANDIN_PATH);
	void *entry;

	ck_assert(module != NULL);
#define TAKE(member) entry = standin_entry(module, "standin_" #member), memcpy(&standin.member, &entry, sizeof(entry))
	TAKE(log);
	TAKE(reset);
	TAKE(refuse);
	TAKE(answer);
	TAKE(event);
	config.library = STANDIN_PATH;
	config.flags = flags;
	ck_assert_msg(lcowmig_computecore_new(&config, &core, &error) == LCOWMIG_OK, "%s", error.message);
	lcowmig_computecore_hcs_ops(core, &ops);
	lcowmig_computecore_socket_ops(core, &sockets);
	complaints = standin.reset();
}

static void setup(void)
{
	setup_with(0);
}

static void setup_blocking(void)
{
	setup_with(LCOWMIG_COMPUTECORE_BLOCKING);
}

static void teardown(void)
{
	ck_assert_int_eq(lcowmig_computecore_free(core), LCOWMIG_OK);
	ck_assert_msg(standin.reset() == complaints, "%s", standin.log());
}

static lcowmig_call *fresh_call(void)
{
	if (call.completed)
		CloseHandle(call.completed);
	memset(&call, 0, sizeof(call));
	call.completed = CreateEventW(NULL, TRUE, FALSE, NULL);
	return &call;
}

/* The end of a call, however it came. */
static lcowmig_status end_of(lcowmig_call *ended, lcowmig_status status)
{
	if (status != LCOWMIG_PENDING)
		return status;
	ck_assert_uint_eq(WaitForSingleObject(ended->completed, 10000), WAIT_OBJECT_0);
	ck_assert_int_eq(ended->completions, 1);
	return ended->status;
}

static void *create(void)
{
	lcowmig_call *mine = fresh_call();

	ck_assert_int_eq(end_of(mine, ops.create(ops.user, mine, "s1@vm", "{\"Owner\":\"\xc3\xa4\"}")), LCOWMIG_OK);
	ck_assert(mine->handle != NULL);
	return mine->handle;
}

static void close_system(void *system)
{
	lcowmig_call *mine = fresh_call();

	ck_assert_int_eq(end_of(mine, ops.close(ops.user, mine, system)), LCOWMIG_OK);
}

/* ---- tests ---- */

START_TEST(test_create_registers_for_migration_events_and_close_gives_back)
{
	void *system = create();

	ck_assert_int_eq(lcowmig_computecore_free(core), LCOWMIG_E_FAILED_PRECONDITION);
	close_system(system);
	ck_assert_ptr_nonnull(strstr(standin.log(), "HcsCreateComputeSystem s1@vm {\"Owner\":"));
	ck_assert_ptr_nonnull(strstr(standin.log(), "wait with a deadline\nHcsSetComputeSystemCallback 4\nHcsCloseComputeSystem\n"));
}
END_TEST

START_TEST(test_create_undoes_itself_when_the_wait_fails)
{
	lcowmig_call *mine = fresh_call();

	standin.refuse("HcsCreateComputeSystem", (HRESULT)0x80370112, TRUE, L"{\"Error\":-1,\"ErrorMessage\":\"no \\\"room\\\"\"}");
	ck_assert_int_eq(end_of(mine, ops.create(ops.user, mine, "s1@vm", "{}")), LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_eq(mine->hresult, 0x80370112u);
	ck_assert_str_eq(mine->message, "no \"room\"");
	ck_assert_ptr_null(mine->handle);
	ck_assert_ptr_nonnull(strstr(standin.log(), "HcsCloseComputeSystem\n"));
}
END_TEST

START_TEST(test_create_undoes_itself_when_events_cannot_be_had)
{
	lcowmig_call *mine = fresh_call();

	standin.refuse("HcsSetComputeSystemCallback", E_ACCESSDENIED, FALSE, NULL);
	ck_assert_int_eq(end_of(mine, ops.create(ops.user, mine, "s1@vm", "{}")), LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_eq(mine->hresult, 0x80070005u);
	ck_assert_ptr_nonnull(strstr(standin.log(), "HcsCloseComputeSystem\n"));
}
END_TEST

START_TEST(test_start_takes_a_socket_before_the_call_and_then_waits_for_ever)
{
	void *system = create();
	lcowmig_call *mine = fresh_call();

	ck_assert_int_eq(end_of(mine, ops.start(ops.user, mine, system, "", NULL)), LCOWMIG_OK);
	ck_assert_ptr_nonnull(strstr(standin.log(), "HcsStartComputeSystem \nwait with a deadline\n"));
	mine = fresh_call();
	ck_assert_int_eq(end_of(mine, ops.start(ops.user, mine, system, "{\"DestinationMigrationOptions\":{}}", (void *)1234)), LCOWMIG_OK);
	ck_assert_ptr_nonnull(strstr(standin.log(), "resource 4 hcs:/VirtualMachine/LiveMigrationSocket 1234\n"
						    "HcsStartComputeSystem {\"DestinationMigrationOptions\":{}}\nwait for ever\n"));
	close_system(system);
}
END_TEST

START_TEST(test_a_refused_call_asks_for_the_error_document)
{
	void *system = create();
	lcowmig_call *mine = fresh_call();

	standin.refuse("HcsModifyComputeSystem", (HRESULT)0x8037010d, FALSE, L"{\"ErrorMessage\":\"bad JSON\"}");
	ck_assert_int_eq(end_of(mine, ops.modify(ops.user, mine, system, "{\"ResourcePath\":\"x\"}")), LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_eq(mine->hresult, 0x8037010du);
	ck_assert_str_eq(mine->message, "bad JSON");
	ck_assert_ptr_nonnull(strstr(standin.log(), "HcsModifyComputeSystem {\"ResourcePath\":\"x\"}\nerror document\n"));
	close_system(system);
}
END_TEST

START_TEST(test_a_timed_out_operation_is_cancelled)
{
	void *system = create();
	lcowmig_call *mine = fresh_call();

	standin.refuse("HcsStartComputeSystem", (HRESULT)0x80370118, TRUE, NULL);
	ck_assert_int_eq(end_of(mine, ops.start(ops.user, mine, system, "", NULL)), LCOWMIG_E_TIMED_OUT);
	ck_assert_ptr_nonnull(strstr(standin.log(), "HcsCancelOperation\n"));
	close_system(system);
}
END_TEST

START_TEST(test_terminate_does_not_wait)
{
	void *system = create();
	size_t before = strlen(standin.log());
	lcowmig_call *mine = fresh_call();

	ck_assert_int_eq(end_of(mine, ops.terminate(ops.user, mine, system)), LCOWMIG_OK);
	ck_assert_str_eq(standin.log() + before, "HcsTerminateComputeSystem \n");
	mine = fresh_call();
	standin.refuse("HcsTerminateComputeSystem", (HRESULT)0xC0370110, FALSE, NULL);
	ck_assert_int_eq(end_of(mine, ops.terminate(ops.user, mine, system)), LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_eq(mine->hresult, 0xC0370110u);
	close_system(system);
}
END_TEST

START_TEST(test_properties_hands_over_the_answer)
{
	void *system = create();
	lcowmig_call *mine = fresh_call();

	standin.answer(L"{\"RuntimeId\":\"\u00fc\"}");
	ck_assert_int_eq(end_of(mine, ops.properties(ops.user, mine, system, "{\"PropertyTypes\":[]}")), LCOWMIG_OK);
	ck_assert_str_eq(mine->result, "{\"RuntimeId\":\"\xc3\xbc\"}");
	ck_assert_ptr_nonnull(strstr(standin.log(), "HcsGetComputeSystemProperties {\"PropertyTypes\":[]}\n"));
	close_system(system);
}
END_TEST

START_TEST(test_migration_calls_wait_for_ever_in_their_order)
{
	void *system = create();
	size_t before = strlen(standin.log());
	lcowmig_call *mine = fresh_call();

	ck_assert_int_eq(end_of(mine, ops.initialize_migration(ops.user, mine, system, "{\"a\":1}")), LCOWMIG_OK);
	mine = fresh_call();
	ck_assert_int_eq(end_of(mine, ops.start_migration(ops.user, mine, system, "{\"b\":1}", (void *)77)), LCOWMIG_OK);
	mine = fresh_call();
	ck_assert_int_eq(end_of(mine, ops.finalize_migration(ops.user, mine, system, "{\"c\":1}")), LCOWMIG_OK);
	ck_assert_str_eq(standin.log() + before, "HcsInitializeLiveMigrationOnSource {\"a\":1}\nwait for ever\n"
						 "resource 4 hcs:/VirtualMachine/LiveMigrationSocket 77\n"
						 "HcsStartLiveMigrationOnSource {\"b\":1}\nwait for ever\n"
						 "HcsFinalizeLiveMigration {\"c\":1}\nwait for ever\n");
	close_system(system);
}
END_TEST

START_TEST(test_cancel_gets_through_while_a_transfer_runs)
{
	void *system = create();
	lcowmig_call transfer = { 0 };
	lcowmig_call *mine = fresh_call();

	transfer.completed = CreateEventW(NULL, TRUE, FALSE, NULL);
	ck_assert_int_eq(ops.transfer(ops.user, &transfer, system, "{\"Origin\":\"Source\"}"), LCOWMIG_PENDING);
	while (!strstr(standin.log(), "HcsStartLiveMigrationTransfer {\"Origin\":\"Source\"}\n"))
		Sleep(1);
	ck_assert_uint_eq(WaitForSingleObject(transfer.completed, 20), WAIT_TIMEOUT);
	ck_assert_int_eq(end_of(mine, ops.cancel_migration(ops.user, mine, system, "")), LCOWMIG_OK);
	ck_assert_int_eq(end_of(&transfer, LCOWMIG_PENDING), LCOWMIG_E_HOST_FAILED);
	CloseHandle(transfer.completed);
	close_system(system);
}
END_TEST

START_TEST(test_events_reach_the_sandbox_until_the_system_is_closed)
{
	lcowmig_sandbox sandbox = { 0 };
	void *system = create();

	standin.event(0x80000003u, L"{\"Event\":\"SetupDone\"}");
	ck_assert_int_eq(sandbox.events, 0);
	lcowmig_computecore_attach(core, &sandbox);
	standin.event(0x80000003u, L"{\"Event\":\"SetupDone\"}");
	ck_assert_int_eq(sandbox.events, 1);
	ck_assert_uint_eq(sandbox.type, LCOWMIG_HCS_EVENT_GROUP_LIVE_MIGRATION);
	ck_assert_str_eq(sandbox.data, "{\"Event\":\"SetupDone\"}");
	standin.event(LCOWMIG_HCS_EVENT_SYSTEM_EXITED, NULL);
	ck_assert_int_eq(sandbox.events, 2);
	ck_assert_int_eq(sandbox.has_data, 0);
	close_system(system);
	standin.event(LCOWMIG_HCS_EVENT_SYSTEM_EXITED, L"{}");
	ck_assert_int_eq(sandbox.events, 2);
	lcowmig_computecore_attach(core, NULL);
}
END_TEST

START_TEST(test_grant_access_reports_what_hcs_said)
{
	lcowmig_call *mine = fresh_call();

	ck_assert_int_eq(end_of(mine, ops.grant_access(ops.user, mine, "s1@vm", "C:\\disks\\a.vhdx")), LCOWMIG_OK);
	ck_assert_ptr_nonnull(strstr(standin.log(), "HcsGrantVmAccess s1@vm C:\\disks\\a.vhdx\n"));
	mine = fresh_call();
	standin.refuse("HcsGrantVmAccess", E_ACCESSDENIED, FALSE, NULL);
	ck_assert_int_eq(end_of(mine, ops.grant_access(ops.user, mine, "s1@vm", "C:\\x")), LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_eq(mine->hresult, 0x80070005u);
}
END_TEST

START_TEST(test_paths_are_resolved_and_told_apart)
{
	lcowmig_call *mine = fresh_call();

	ck_assert_int_eq(ops.path_type(ops.user, mine, "C:\\windows"), LCOWMIG_OK);
	ck_assert_str_eq(mine->result, "directory");
	ck_assert_int_eq(ops.path_type(ops.user, mine, "C:\\windows\\system32\\kernel32.dll"), LCOWMIG_OK);
	ck_assert_str_eq(mine->result, "file");
	ck_assert_int_eq(ops.path_type(ops.user, mine, "C:\\not\\there"), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(ops.resolve_path(ops.user, mine, "C:\\windows\\system32\\..\\system32\\kernel32.dll"), LCOWMIG_OK);
	ck_assert_msg(_stricmp(mine->result, "C:\\windows\\system32\\kernel32.dll") == 0, "%s", mine->result);
	ck_assert_int_eq(ops.resolve_path(ops.user, mine, "C:\\not\\there"), LCOWMIG_E_NOT_FOUND);
}
END_TEST

/* MIG-44: what is handed over as bytes has no padding, so its size is the sum of its members. */
START_TEST(test_the_native_descriptor_has_no_padding)
{
	WSAPROTOCOL_INFOW info;

	ck_assert_uint_eq(sizeof(info), 5 * 4 + sizeof(GUID) + 4 + sizeof(WSAPROTOCOLCHAIN) + 8 * 4 + 4 + 2 * 4 + sizeof(info.szProtocol));
	ck_assert_uint_eq(sockets.descriptor_size, 628);
}
END_TEST

/* MIG-45 */
START_TEST(test_a_connected_socket_is_adopted_and_carries_bytes)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int length = sizeof(address);
	SOCKET listener = socket(AF_INET, SOCK_STREAM, 0);
	SOCKET dialled = socket(AF_INET, SOCK_STREAM, 0);
	SOCKET accepted;
	WSAPROTOCOL_INFOW info;
	lcowmig_call *mine = fresh_call();
	char byte = 0;

	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, length), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	ck_assert_int_eq(connect(dialled, (struct sockaddr *)&address, length), 0);
	accepted = accept(listener, NULL, NULL);
	ck_assert(accepted != INVALID_SOCKET);
	ck_assert_int_eq(WSADuplicateSocketW(dialled, GetCurrentProcessId(), &info), 0);
	ck_assert_int_eq(sockets.adopt(sockets.user, mine, (const uint8_t *)&info, sizeof(info)), LCOWMIG_OK);
	ck_assert(mine->handle != NULL);
	closesocket(dialled);
	ck_assert_int_eq(send((SOCKET)mine->handle, "x", 1, 0), 1);
	ck_assert_int_eq(recv(accepted, &byte, 1, 0), 1);
	ck_assert_int_eq(byte, 'x');
	ck_assert_int_eq(lcowmig_computecore_free(core), LCOWMIG_E_FAILED_PRECONDITION);
	sockets.close(sockets.user, mine->handle);
	ck_assert_int_eq(recv(accepted, &byte, 1, 0), 0);
	closesocket(accepted);
	closesocket(listener);
}
END_TEST

START_TEST(test_an_unconnected_socket_and_a_short_descriptor_are_refused)
{
	SOCKET idle = socket(AF_INET, SOCK_STREAM, 0);
	WSAPROTOCOL_INFOW info;
	lcowmig_call *mine = fresh_call();

	ck_assert_int_eq(WSADuplicateSocketW(idle, GetCurrentProcessId(), &info), 0);
	ck_assert_int_eq(sockets.adopt(sockets.user, mine, (const uint8_t *)&info, sizeof(info)), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_str_eq(mine->message, "the socket is not connected");
	ck_assert_int_eq(sockets.adopt(sockets.user, mine, (const uint8_t *)&info, sizeof(info) - 1), LCOWMIG_E_INVALID_ARGUMENT);
	memset(&info, 0xff, sizeof(info));
	ck_assert_int_eq(sockets.adopt(sockets.user, mine, (const uint8_t *)&info, sizeof(info)), LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_ne(mine->hresult, 0);
	ck_assert_ptr_null(mine->handle);
	closesocket(idle);
}
END_TEST

START_TEST(test_new_names_what_is_missing)
{
	lcowmig_computecore_config config = LCOWMIG_COMPUTECORE_CONFIG_INIT;
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_computecore *other = NULL;

	config.library = "C:\\not\\there.dll";
	ck_assert_int_eq(lcowmig_computecore_new(&config, &other, &error), LCOWMIG_E_NOT_SUPPORTED);
	ck_assert_ptr_nonnull(strstr(error.message, "computecore.dll"));
	config.library = "kernel32.dll";
	ck_assert_int_eq(lcowmig_computecore_new(&config, &other, &error), LCOWMIG_E_NOT_SUPPORTED);
	ck_assert_ptr_nonnull(strstr(error.message, "HcsCreateOperation"));
	config.size--;
	ck_assert_int_eq(lcowmig_computecore_new(&config, &other, &error), LCOWMIG_E_INVALID_ARGUMENT);
	config.size++;
	config.flags = 2;
	ck_assert_int_eq(lcowmig_computecore_new(&config, &other, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_computecore_new(&config, NULL, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_ptr_null(other);
	ck_assert_int_eq(lcowmig_computecore_free(NULL), LCOWMIG_OK);
}
END_TEST

static void add_calls(TCase *tests)
{
	tcase_add_test(tests, test_create_registers_for_migration_events_and_close_gives_back);
	tcase_add_test(tests, test_create_undoes_itself_when_the_wait_fails);
	tcase_add_test(tests, test_create_undoes_itself_when_events_cannot_be_had);
	tcase_add_test(tests, test_start_takes_a_socket_before_the_call_and_then_waits_for_ever);
	tcase_add_test(tests, test_a_refused_call_asks_for_the_error_document);
	tcase_add_test(tests, test_a_timed_out_operation_is_cancelled);
	tcase_add_test(tests, test_terminate_does_not_wait);
	tcase_add_test(tests, test_properties_hands_over_the_answer);
	tcase_add_test(tests, test_migration_calls_wait_for_ever_in_their_order);
	tcase_add_test(tests, test_events_reach_the_sandbox_until_the_system_is_closed);
	tcase_add_test(tests, test_grant_access_reports_what_hcs_said);
}

int main(void)
{
	Suite *suite = suite_create("computecore");
	TCase *pooled = tcase_create("pooled"), *blocking = tcase_create("blocking");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(pooled, setup, teardown);
	add_calls(pooled);
	tcase_add_test(pooled, test_cancel_gets_through_while_a_transfer_runs);
	tcase_add_test(pooled, test_paths_are_resolved_and_told_apart);
	tcase_add_test(pooled, test_the_native_descriptor_has_no_padding);
	tcase_add_test(pooled, test_a_connected_socket_is_adopted_and_carries_bytes);
	tcase_add_test(pooled, test_an_unconnected_socket_and_a_short_descriptor_are_refused);
	tcase_add_test(pooled, test_new_names_what_is_missing);
	tcase_add_checked_fixture(blocking, setup_blocking, teardown);
	add_calls(blocking);
	suite_add_tcase(suite, pooled);
	suite_add_tcase(suite, blocking);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
