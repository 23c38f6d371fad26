/* The guest's requests byte for byte, and what is made of its answers. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/guid.h"
#include "guest/guest.h"
#include "host.h"

#define C1 "9f3b1c0d2e4f5a6b7c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"
#define VM "00000000-0000-0000-0000-000000000000"
#define NS "4b7de07b-9d2c-4b5b-9b0a-0d7b7a1f2a10"
#define BASE(id) "{\"ContainerId\":\"" id "\",\"ActivityId\":\"00000000-0000-0000-0000-000000000000\""
#define MODIFY(id, request) "guest.rpc 0x10100a01 " BASE(id) ",\"Request\":" request "}\n"

static test_host *host;

static void setup(void)
{
	host = test_host_new();
}

static void teardown(void)
{
	test_host_free(host);
}

/* A flow that makes one request and lets a reader see the answer. */
struct ask {
	lcowmig__flow flow;
	void (*request)(lcowmig__flow *flow, const lcowmig__env *env);
	lcowmig_status (*read)(const lcowmig__flow *flow, lcowmig_error *error);
};

static void ask_step(lcowmig__flow *flow)
{
	struct ask *self = (struct ask *)flow;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, self->request(flow, &host->env));
	if (self->read)
		FLOW_RETURN(flow, self->read(flow, flow->error));
	FLOW_END(flow);
}

static const lcowmig__flow_class ask_class = { "ask", ask_step, NULL, false };

static lcowmig_status ask(void (*request)(lcowmig__flow *flow, const lcowmig__env *env),
                          lcowmig_status (*read)(const lcowmig__flow *flow, lcowmig_error *error), lcowmig_error *error)
{
	struct ask *flow = lcowmig__flow_new(sizeof *flow, &ask_class, host->context, NULL, error);

	if (!flow)
		return LCOWMIG_E_NO_MEMORY;
	flow->request = request;
	flow->read = read;
	return test_run(host, &flow->flow, NULL, error);
}

/* ---- Requests ---- */

static const char *const ro[] = { "ro" };
static const lcowmig__guest_disk layer = {
	.mount_path = "/run/mounts/scsi/0_1_0", .lun = 1, .read_only = true, .options = ro, .n_options = 1
};
static const lcowmig__guest_disk scratch = {
	.mount_path = "/run/mounts/scsi/0_2_0", .lun = 2, .ensure_filesystem = true, .filesystem = "ext4"
};
static const char *const mount_options[] = { "rbind", "rshared" };
static const lcowmig__guest_disk everything = {
	.mount_path = "/m", .controller = 3, .lun = 63, .partition = 2, .read_only = true, .encrypted = true, .options = mount_options,
	.n_options = 2, .block_device = true, .ensure_filesystem = true, .filesystem = "xfs"
};
static const char *const layer_paths[] = { "/run/mounts/scsi/0_3_0", "/run/mounts/scsi/0_1_0" };
static const lcowmig__guest_layers layers = { "c1", "/run/gcs/pods/p1/c1/rootfs", layer_paths, 2, "/run/mounts/scsi/0_2_0/scratch/p1/c1" };
static const lcowmig__guest_layers no_layers = { "c1", "/r", NULL, 0, NULL };
static const lcowmig__guest_directory directory = { "/run/mounts/plan9/0", "0", 564, true };
static const lcowmig__guest_policy policy = { "rego", "cGFja2FnZQ==", NULL, "" };
static const lcowmig__guest_policy whole_policy = { "rego", "cGFja2FnZQ==", "cmVm", "ZW52" };

static const char network_settings[] =
	"{\"NamespaceID\":\"" NS "\",\"ID\":\"6a3f6c57-6c0e-4a0e-9c5f-0c2f3b7e9c11\",\"MacAddress\":\"00-15-5D-01-02-03\","
	"\"DNSSuffix\":\"default.svc.cluster.local,svc.cluster.local,cluster.local\",\"DNSServerList\":\"10.96.0.10\",\"EncapOverhead\":50,"
	"\"IPConfigs\":[{\"IPAddress\":\"10.244.1.7\",\"PrefixLength\":24}],"
	"\"Routes\":[{\"NextHop\":\"10.244.1.1\",\"DestinationPrefix\":\"0.0.0.0/0\"}]}";

static void add_layer(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_add_disk(flow, env, &layer);
}

static void add_scratch(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_add_disk(flow, env, &scratch);
}

static void remove_scratch(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_remove_disk(flow, env, &scratch);
}

static void add_everything(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_add_disk(flow, env, &everything);
}

static void remove_device(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_remove_scsi_device(flow, env, 0, 2);
}

static void remove_device_far(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_remove_scsi_device(flow, env, 3, 0);
}

static void add_layers(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_add_layers(flow, env, &layers);
}

static void remove_layers(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_remove_layers(flow, env, &layers);
}

static void remove_no_layers(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_remove_layers(flow, env, &no_layers);
}

static void add_network(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_add_network(flow, env, lcowmig__strdup(&env->context->mem, network_settings));
}

static void remove_network(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_remove_network(flow, env, NS, "0d1c2b3a-4958-4766-8575-64738291a0b1");
}

static void add_directory(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_add_directory(flow, env, &directory);
}

static void remove_directory(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_remove_directory(flow, env, &directory);
}

static void add_vpci(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_add_vpci(flow, env, "2a1e1f4e-6a55-4e1a-9a0f-4b9b7e9d7c11");
}

static void constrain(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_update_constraints(flow, env, "c1",
	                                  "{\"memory\":{\"limit\":268435456},\"cpu\":{\"shares\":512,\"quota\":50000,\"period\":100000}}");
}

static void constrain_nothing(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_update_constraints(flow, env, "c1", NULL);
}

static void add_policy(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_add_policy(flow, env, &policy);
}

static void add_whole_policy(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_add_policy(flow, env, &whole_policy);
}

static void constrain_emptily(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_update_constraints(flow, env, "c1", "");
}

static void execute_everything(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_process process = { .container_id = C1, .ports = { 1, 2, 3 }, .command_line = "ls", .emulate_console = true,
		                           .working_directory = "/", .environment = "{\"A\":\"b\"}", .oci_process = "{}" };

	lcowmig__guest_execute_process(flow, env, &process);
}

static void add_fragment(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_add_policy_fragment(flow, env, "0oRYc6E=", "application/cose-x509+rego");
}

static void create_vm(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_create(flow, env, LCOWMIG__NULL_GUID, "{\"SystemType\":\"Container\",\"TimeZoneInformation\":null}");
}

static void start_container(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_start_container(flow, env, C1);
}

static void delete_state(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_delete_container_state(flow, env, C1);
}

static void execute_init(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_process process = { .container_id = C1, .ports = { 0, 1073741825, 1073741826 } };

	lcowmig__guest_execute_process(flow, env, &process);
}

static void execute_exec(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_process process = { .container_id = C1,
		                           .ports = { 1073741827, 1073741828, 0 },
		                           .oci_process = "{\"terminal\":true,\"user\":{\"uid\":0,\"gid\":0},\"args\":[\"/bin/sh\"],"
		                                          "\"env\":[\"TERM=xterm\"],\"cwd\":\"/\"}" };

	lcowmig__guest_execute_process(flow, env, &process);
}

static void execute_in_vm(lcowmig__flow *flow, const lcowmig__env *env)
{
	static const char *const arguments[] = { "/bin/ls", "/" };
	lcowmig__guest_process process = { .container_id = LCOWMIG__NULL_GUID, .ports = { 0, 1073741829, 0 }, .arguments = arguments,
		                           .n_arguments = 2, .working_directory = "/", .environment = "{\"PATH\":\"/bin\"}" };

	lcowmig__guest_execute_process(flow, env, &process);
}

static void execute_without_streams(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_process process = { .container_id = C1, .command_line = "ls", .emulate_console = true };

	lcowmig__guest_execute_process(flow, env, &process);
}

static void probe(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_wait_process(flow, env, C1, 57, 50);
}

static void signal_process(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_signal_process(flow, env, C1, 57, 15);
}

static void kill_process(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_signal_process(flow, env, C1, 57, 0);
}

static void resize(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_resize_console(flow, env, C1, 57, 120, 40);
}

static void ask_processes(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_properties(flow, env, C1, "ProcessList");
}

#define DISK_LAYER "{\"MountPath\":\"/run/mounts/scsi/0_1_0\",\"Lun\":1,\"ReadOnly\":true,\"Options\":[\"ro\"]}"
#define DISK_SCRATCH "{\"MountPath\":\"/run/mounts/scsi/0_2_0\",\"Lun\":2,\"EnsureFilesystem\":true,\"Filesystem\":\"ext4\"}"
#define DISK_ALL                                                                                                            \
	"{\"MountPath\":\"/m\",\"Lun\":63,\"Controller\":3,\"Partition\":2,\"ReadOnly\":true,\"Encrypted\":true,"           \
	"\"Options\":[\"rbind\",\"rshared\"],\"BlockDev\":true,\"EnsureFilesystem\":true,\"Filesystem\":\"xfs\"}"
#define LAYERS                                                                                                              \
	"{\"ContainerID\":\"c1\",\"ContainerRootPath\":\"/run/gcs/pods/p1/c1/rootfs\",\"Layers\":["                         \
	"{\"Path\":\"/run/mounts/scsi/0_3_0\"},{\"Path\":\"/run/mounts/scsi/0_1_0\"}],"                                     \
	"\"ScratchPath\":\"/run/mounts/scsi/0_2_0/scratch/p1/c1\"}"
#define DIRECTORY "{\"MountPath\":\"/run/mounts/plan9/0\",\"Port\":564,\"ShareName\":\"0\",\"ReadOnly\":true}"
#define RESOURCE(type, resource, settings) \
	MODIFY(VM, "{\"RequestType\":\"" type "\",\"ResourceType\":\"" resource "\",\"Settings\":" settings "}")
#define CONSTRAINTS(resources)                                                                         \
	MODIFY("c1", "{\"RequestType\":\"Update\",\"ResourceType\":\"ContainerConstraints\","          \
	             "\"Settings\":{\"Windows\":{},\"Linux\":" resources "}}")

static const struct request_case {
	void (*request)(lcowmig__flow *flow, const lcowmig__env *env);
	const char *log;
} requests[] = {
	{ add_layer, RESOURCE("Add", "MappedVirtualDisk", DISK_LAYER) },
	{ add_scratch, RESOURCE("Add", "MappedVirtualDisk", DISK_SCRATCH) },
	{ remove_scratch, RESOURCE("Remove", "MappedVirtualDisk", DISK_SCRATCH) },
	{ add_everything, RESOURCE("Add", "MappedVirtualDisk", DISK_ALL) },
	{ remove_device, RESOURCE("Remove", "SCSIDevice", "{\"Lun\":2}") },
	{ remove_device_far, RESOURCE("Remove", "SCSIDevice", "{\"Controller\":3}") },
	{ add_layers, RESOURCE("Add", "CombinedLayers", LAYERS) },
	{ remove_layers, RESOURCE("Remove", "CombinedLayers", LAYERS) },
	{ remove_no_layers, RESOURCE("Remove", "CombinedLayers", "{\"ContainerID\":\"c1\",\"ContainerRootPath\":\"/r\"}") },
	{ remove_network, RESOURCE("Remove", "Network",
	                           "{\"NamespaceID\":\"" NS "\",\"ID\":\"0d1c2b3a-4958-4766-8575-64738291a0b1\"}") },
	{ add_directory, RESOURCE("Add", "MappedDirectory", DIRECTORY) },
	{ remove_directory, RESOURCE("Remove", "MappedDirectory", DIRECTORY) },
	{ add_vpci, RESOURCE("Add", "VPCIDevice", "{\"VMBusGUID\":\"2a1e1f4e-6a55-4e1a-9a0f-4b9b7e9d7c11\"}") },
	{ constrain, CONSTRAINTS("{\"memory\":{\"limit\":268435456},\"cpu\":{\"shares\":512,\"quota\":50000,\"period\":100000}}") },
	{ constrain_nothing, CONSTRAINTS("{}") },
	{ lcowmig__guest_update_pod_memory, MODIFY(VM, "{\"RequestType\":\"Update\",\"ResourceType\":\"PodCgroupMemoryLimit\"}") },
	{ add_policy, RESOURCE("Add", "SecurityPolicy", "{\"EnforcerType\":\"rego\",\"EncodedSecurityPolicy\":\"cGFja2FnZQ==\"}") },
	{ add_whole_policy, RESOURCE("Add", "SecurityPolicy",
	                             "{\"EnforcerType\":\"rego\",\"EncodedSecurityPolicy\":\"cGFja2FnZQ==\",\"EncodedUVMReference\":\"cmVm\","
	                             "\"EncodedUVMHashEnvelopeReference\":\"ZW52\"}") },
	{ constrain_emptily, CONSTRAINTS("{}") },
	{ execute_everything, "guest.rpc 0x10100501 " BASE(C1)
	  ",\"Settings\":{\"ProcessParameters\":\"{\\\"CommandLine\\\":\\\"ls\\\",\\\"WorkingDirectory\\\":\\\"/\\\","
	  "\\\"Environment\\\":{\\\"A\\\":\\\"b\\\"},\\\"EmulateConsole\\\":true,\\\"CreateStdInPipe\\\":true,"
	  "\\\"CreateStdOutPipe\\\":true,\\\"CreateStdErrPipe\\\":true,\\\"OciProcess\\\":{}}\","
	  "\"VsockStdioRelaySettings\":{\"StdIn\":1,\"StdOut\":2,\"StdErr\":3}}}\n" },
	{ add_fragment, RESOURCE("Add", "SecurityPolicyFragment",
	                         "{\"Fragment\":\"0oRYc6E=\",\"MediaType\":\"application/cose-x509+rego\"}") },
	{ create_vm, "guest.rpc 0x10100101 " BASE(VM)
	  ",\"ContainerConfig\":\"{\\\"SystemType\\\":\\\"Container\\\",\\\"TimeZoneInformation\\\":null}\"}\n" },
	{ start_container, "guest.rpc 0x10100201 " BASE(C1) "}\n" },
	{ delete_state, "guest.rpc 0x10100d01 " BASE(C1) "}\n" },
	{ lcowmig__guest_dump_stacks, "guest.rpc 0x10100c01 " BASE(VM) "}\n" },
	{ execute_init, "guest.rpc 0x10100501 " BASE(C1)
	  ",\"Settings\":{\"ProcessParameters\":\"{\\\"CreateStdOutPipe\\\":true,\\\"CreateStdErrPipe\\\":true}\","
	  "\"VsockStdioRelaySettings\":{\"StdOut\":1073741825,\"StdErr\":1073741826}}}\n" },
	{ execute_exec, "guest.rpc 0x10100501 " BASE(C1)
	  ",\"Settings\":{\"ProcessParameters\":\"{\\\"CreateStdInPipe\\\":true,\\\"CreateStdOutPipe\\\":true,"
	  "\\\"OciProcess\\\":{\\\"terminal\\\":true,\\\"user\\\":{\\\"uid\\\":0,\\\"gid\\\":0},\\\"args\\\":[\\\"/bin/sh\\\"],"
	  "\\\"env\\\":[\\\"TERM=xterm\\\"],\\\"cwd\\\":\\\"/\\\"}}\","
	  "\"VsockStdioRelaySettings\":{\"StdIn\":1073741827,\"StdOut\":1073741828}}}\n" },
	{ execute_in_vm, "guest.rpc 0x10100501 " BASE(VM)
	  ",\"Settings\":{\"ProcessParameters\":\"{\\\"CommandArgs\\\":[\\\"/bin/ls\\\",\\\"/\\\"],\\\"WorkingDirectory\\\":\\\"/\\\","
	  "\\\"Environment\\\":{\\\"PATH\\\":\\\"/bin\\\"},\\\"CreateStdOutPipe\\\":true}\","
	  "\"VsockStdioRelaySettings\":{\"StdOut\":1073741829}}}\n" },
	{ execute_without_streams, "guest.rpc 0x10100501 " BASE(C1)
	  ",\"Settings\":{\"ProcessParameters\":\"{\\\"CommandLine\\\":\\\"ls\\\",\\\"EmulateConsole\\\":true}\","
	  "\"VsockStdioRelaySettings\":{}}}\n" },
	{ signal_process, "guest.rpc 0x10100701 " BASE(C1) ",\"ProcessId\":57,\"Options\":{\"Signal\":15}}\n" },
	{ kill_process, "guest.rpc 0x10100701 " BASE(C1) ",\"ProcessId\":57}\n" },
	{ resize, "guest.rpc 0x10100801 " BASE(C1) ",\"ProcessId\":57,\"Height\":40,\"Width\":120}\n" },
	{ ask_processes, "guest.rpc 0x10100901 " BASE(C1) ",\"Query\":\"{\\\"PropertyTypes\\\":[\\\"ProcessList\\\"]}\"}\n" },
};

START_TEST(test_request_is_written_byte_for_byte)
{
	ck_assert_int_eq(ask(requests[_i].request, NULL, NULL), LCOWMIG_OK);
	test_host_expect_log(host, requests[_i].log);
}
END_TEST

START_TEST(test_request_fails_cleanly_when_memory_is_out_anywhere)
{
	unsigned nth;

	for (nth = 1;; nth++) {
		lcowmig_status status;

		test_host_fail_allocation(host, nth, false);
		status = ask(requests[_i].request, NULL, NULL);
		test_host_fail_allocation(host, 0, false);
		if (status == LCOWMIG_OK)
			break;
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
	}
}
END_TEST

/* cJSON's hooks are the process's. */
static long json_made;
static long json_fail_at;

static void *json_allocate(size_t size)
{
	return ++json_made == json_fail_at ? NULL : malloc(size);
}

START_TEST(test_request_fails_cleanly_when_json_is_out_of_memory_anywhere)
{
	cJSON_Hooks hooks = { json_allocate, free };
	lcowmig_status status;

	cJSON_InitHooks(&hooks);
	json_fail_at = 0;
	do {
		json_made = 0;
		json_fail_at++;
		test_host_clear_log(host);
		status = ask(requests[_i].request, NULL, NULL);
		if (status != LCOWMIG_OK) {
			ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
			test_host_expect_log(host, ""); /* never half a request */
		}
	} while (json_made >= json_fail_at);
	cJSON_InitHooks(NULL);
	ck_assert_int_eq(status, LCOWMIG_OK);
	test_host_expect_log(host, requests[_i].log);
}
END_TEST

/* */
START_TEST(test_request_is_unavailable_when_there_is_no_connection)
{
	host->env.has_guest = false;
	ck_assert_int_eq(ask(requests[_i].request, NULL, NULL), LCOWMIG_E_UNAVAILABLE);
	test_host_expect_log(host, "");
}
END_TEST

START_TEST(test_network_settings_are_passed_on_as_they_are)
{
	char expected[2048];

	snprintf(expected, sizeof expected, RESOURCE("Add", "Network", "%s"), network_settings);
	ck_assert_int_eq(ask(add_network, NULL, NULL), LCOWMIG_OK);
	test_host_expect_log(host, expected);
}
END_TEST

static void add_no_network(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_add_network(flow, env, NULL);
}

START_TEST(test_network_settings_that_could_not_be_built_fail_for_memory)
{
	ck_assert_int_eq(ask(add_no_network, NULL, NULL), LCOWMIG_E_NO_MEMORY);
	test_host_expect_log(host, "");
}
END_TEST

START_TEST(test_bounded_wait_ends_with_the_guests_timeout)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	ck_assert_int_eq(ask(probe, NULL, &error), LCOWMIG_E_GUEST_FAILED);
	ck_assert_uint_eq(error.hresult, LCOWMIG__HR_WAIT_TIMEOUT);
	test_host_expect_log(host, "guest.rpc 0x10100601 " BASE(C1) ",\"ProcessId\":57,\"TimeoutInMs\":50}\n");
}
END_TEST

/* ---- Answers ---- */

static char seen[512];

static void wait_for_ever(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_wait_process(flow, env, C1, 57, LCOWMIG__GUEST_WAIT_FOREVER);
}

static lcowmig_status read_pid(const lcowmig__flow *flow, lcowmig_error *error)
{
	uint32_t pid = 4711;
	lcowmig_status status = lcowmig__guest_reply_process_id(flow, &pid, error);

	snprintf(seen, sizeof seen, "%u", pid);
	return status;
}

static lcowmig_status read_code(const lcowmig__flow *flow, lcowmig_error *error)
{
	uint32_t code = 4711;
	lcowmig_status status = lcowmig__guest_reply_exit_code(flow, &code, error);

	snprintf(seen, sizeof seen, "%u", code);
	return status;
}

static lcowmig_status read_properties(const lcowmig__flow *flow, lcowmig_error *error)
{
	char *json = NULL;
	lcowmig_status status = lcowmig__guest_reply_properties(flow, &json, error);

	snprintf(seen, sizeof seen, "%s", json ? json : "none");
	lcowmig__free(&host->context->mem, json);
	return status;
}

static lcowmig_status read_processes(const lcowmig__flow *flow, lcowmig_error *error)
{
	uint32_t *pids = NULL;
	size_t count = 0;
	lcowmig_status status = lcowmig__guest_reply_processes(flow, &pids, &count, error);
	size_t i;

	seen[0] = '\0';
	for (i = 0; i < count; i++)
		snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%u ", pids[i]);
	lcowmig__free(&host->context->mem, pids);
	return status;
}

static lcowmig_status read_stacks(const lcowmig__flow *flow, lcowmig_error *error)
{
	char *stacks = NULL;
	lcowmig_status status = lcowmig__guest_reply_stacks(flow, &stacks, error);

	snprintf(seen, sizeof seen, "%s", stacks ? stacks : "none");
	lcowmig__free(&host->context->mem, stacks);
	return status;
}

static void connect_guest(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_connect(flow, env, false);
}

static lcowmig_status read_capabilities(const lcowmig__flow *flow, lcowmig_error *error)
{
	lcowmig__guest_capabilities c = { 0 };
	lcowmig_status status = lcowmig__guest_reply_capabilities(flow, &c, error);

	snprintf(seen, sizeof seen, "%d%d%d%d%d%d", c.supports_namespaces, c.supports_signals, c.supports_dump_stacks, c.supports_delete_state,
	         c.wants_create_message, c.wants_start_message);
	return status;
}

#define DEEP                                                                    \
	"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1" \
	"]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"

static const struct answer_case {
	void (*request)(lcowmig__flow *flow, const lcowmig__env *env);
	const char *operation;
	const char *answer;
	lcowmig_status (*read)(const lcowmig__flow *flow, lcowmig_error *error);
	lcowmig_status status;
	const char *seen;
} answers[] = {
	{ execute_init, "guest.rpc", "{\"Result\":0,\"ProcessId\":57}", read_pid, LCOWMIG_OK, "57" },
	{ execute_init, "guest.rpc", "{\"Result\":0}", read_pid, LCOWMIG_E_CORRUPT_DATA, "4711" },
	{ execute_init, "guest.rpc", "{\"Result\":0,\"ProcessId\":4294967296}", read_pid, LCOWMIG_E_CORRUPT_DATA, "4711" },
	{ execute_init, "guest.rpc", "{\"Result\":0,\"ProcessId\":-1}", read_pid, LCOWMIG_E_CORRUPT_DATA, "4711" },
	{ execute_init, "guest.rpc", "{\"ProcessId\":4294967295}", read_pid, LCOWMIG_OK, "4294967295" },
	{ execute_init, "guest.rpc", "{\"ProcessId\":18446744073709551673}", read_pid, LCOWMIG_E_CORRUPT_DATA, "4711" },
	{ execute_init, "guest.rpc", "{\"processid\":57}", read_pid, LCOWMIG_OK, "57" },
	{ execute_init, "guest.rpc", "{\"ProcessId\":5.7e1}", read_pid, LCOWMIG_E_CORRUPT_DATA, "4711" },
	{ execute_init, "guest.rpc", "{\"ProcessId\":\"57\"}", read_pid, LCOWMIG_E_CORRUPT_DATA, "4711" },
	{ execute_init, "guest.rpc", "{\"ProcessId\":{}}", read_pid, LCOWMIG_E_CORRUPT_DATA, "4711" },
	{ execute_init, "guest.rpc", "{\"ProcessId\":57,\"x\":{\"ProcessId\":58}}", read_pid, LCOWMIG_OK, "57" },
	{ execute_init, "guest.rpc", "{\"ProcessId\":58,\"ProcessId\":57}", read_pid, LCOWMIG_OK, "57" },
	{ execute_init, "guest.rpc", "[57]", read_pid, LCOWMIG_E_CORRUPT_DATA, "4711" },
	{ execute_init, "guest.rpc", "", read_pid, LCOWMIG_E_CORRUPT_DATA, "4711" },
	{ execute_init, "guest.rpc", "{\"ProcessId\":57", read_pid, LCOWMIG_E_CORRUPT_DATA, "4711" },
	{ wait_for_ever, "guest.rpc", "{\"Result\":0,\"ExitCode\":137}", read_code, LCOWMIG_OK, "137" },
	{ wait_for_ever, "guest.rpc", "{\"Result\":0,\"ExitCode\":4294967295}", read_code, LCOWMIG_OK, "4294967295" },
	{ wait_for_ever, "guest.rpc", "{\"Result\":0}", read_code, LCOWMIG_OK, "0" },
	{ wait_for_ever, "guest.rpc", "{\"Result\":0,\"ExitCode\":\"1\"}", read_code, LCOWMIG_E_CORRUPT_DATA, "4711" },
	{ ask_processes, "guest.rpc", "{\"Properties\":\"{\\\"ProcessList\\\":[{\\\"ProcessId\\\":57},{\\\"ProcessId\\\":61}]}\"}",
	  read_processes, LCOWMIG_OK, "57 61 " },
	{ ask_processes, "guest.rpc", "{\"Properties\":\"{\\\"ProcessList\\\":[]}\"}", read_processes, LCOWMIG_OK, "" },
	{ ask_processes, "guest.rpc", "{\"Properties\":\"{\\\"ProcessList\\\":[{}]}\"}", read_processes, LCOWMIG_E_CORRUPT_DATA, "" },
	{ ask_processes, "guest.rpc", "{\"Properties\":\"{}\"}", read_processes, LCOWMIG_OK, "" },
	{ ask_processes, "guest.rpc", "{\"Properties\":\"{\"}", read_processes, LCOWMIG_E_CORRUPT_DATA, "" },
	{ ask_processes, "guest.rpc", "{\"Properties\":\"{\\\"LCOWMetrics\\\":{\\\"cpu\\\":18446744073709551615}}\"}", read_properties,
	  LCOWMIG_OK, "{\"LCOWMetrics\":{\"cpu\":18446744073709551615}}" },
	{ ask_processes, "guest.rpc", "{\"Result\":0}", read_properties, LCOWMIG_OK, "{}" },
	{ ask_processes, "guest.rpc", "{\"Properties\":{}}", read_properties, LCOWMIG_E_CORRUPT_DATA, "none" },
	{ ask_processes, "guest.rpc", "{\"Properties\":\"" DEEP "\"}", read_properties, LCOWMIG_E_LIMIT_EXCEEDED, "none" },
	{ lcowmig__guest_dump_stacks, "guest.rpc", "{\"GuestStacks\":\"goroutine 1\\n\"}", read_stacks, LCOWMIG_OK, "goroutine 1\n" },
	{ lcowmig__guest_dump_stacks, "guest.rpc", "{}", read_stacks, LCOWMIG_OK, "" },
	{ lcowmig__guest_dump_stacks, "guest.rpc", "{\"GuestStacks\":null}", read_stacks, LCOWMIG_OK, "" },
	{ connect_guest, "guest.connect",
	  "{\"GuestDefinedCapabilities\":{\"NamespaceAddRequestSupported\":true,\"DeleteContainerStateSupported\":true}}", read_capabilities,
	  LCOWMIG_OK, "100100" },
	{ connect_guest, "guest.connect", "{\"SendHostCreateMessage\":true,\"SendHostStartMessage\":true,\"GuestDefinedCapabilities\":null}",
	  read_capabilities, LCOWMIG_OK, "000011" },
	{ connect_guest, "guest.connect", "true", read_capabilities, LCOWMIG_E_CORRUPT_DATA, "000000" },
};

START_TEST(test_answer_is_read_or_refused)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	test_host_reply(host, answers[_i].operation, answers[_i].answer);
	ck_assert_int_eq(ask(answers[_i].request, answers[_i].read, &error), answers[_i].status);
	ck_assert_str_eq(seen, answers[_i].seen);
	ck_assert_int_eq(error.message[0] != '\0', answers[_i].status != LCOWMIG_OK);
}
END_TEST

START_TEST(test_answer_fails_cleanly_when_memory_is_out_anywhere)
{
	unsigned nth;

	for (nth = 1;; nth++) {
		lcowmig_status status;

		test_host_reply(host, answers[_i].operation, answers[_i].answer);
		test_host_fail_allocation(host, nth, false);
		status = ask(answers[_i].request, answers[_i].read, NULL);
		test_host_fail_allocation(host, 0, false);
		if (status == answers[_i].status)
			break;
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("guest");
	TCase *tcase = tcase_create("guest");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, test_request_is_written_byte_for_byte, 0, (int)LCOWMIG__COUNT(requests));
	tcase_add_loop_test(tcase, test_request_fails_cleanly_when_memory_is_out_anywhere, 0, (int)LCOWMIG__COUNT(requests));
	tcase_add_loop_test(tcase, test_request_fails_cleanly_when_json_is_out_of_memory_anywhere, 0, (int)LCOWMIG__COUNT(requests));
	tcase_add_loop_test(tcase, test_request_is_unavailable_when_there_is_no_connection, 0, (int)LCOWMIG__COUNT(requests));
	tcase_add_test(tcase, test_network_settings_are_passed_on_as_they_are);
	tcase_add_test(tcase, test_network_settings_that_could_not_be_built_fail_for_memory);
	tcase_add_test(tcase, test_bounded_wait_ends_with_the_guests_timeout);
	tcase_add_loop_test(tcase, test_answer_is_read_or_refused, 0, (int)LCOWMIG__COUNT(answers));
	tcase_add_loop_test(tcase, test_answer_fails_cleanly_when_memory_is_out_anywhere, 0, (int)LCOWMIG__COUNT(answers));
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
