/*
 * The guest bridge on its own, as a shim uses it that migrates nothing: no sandbox, no compute system, four byte-stream callbacks. A mock guest
 * boots; the program connects to it, runs a process in the utility VM, runs a container with a process in it, asks for properties, stops it, and
 * shuts the guest down. Read main() first. With --record every frame is shown as one line, secrets masked; with --secrets they are not.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"
#include "streams.h"

#define UTILITY_VM "00000000-0000-0000-0000-000000000000"
#define CONTAINER "web"
#define LAYERS                                                                                                                             \
	"{\"Request\":{\"RequestType\":\"%s\",\"ResourceType\":\"CombinedLayers\",\"Settings\":{\"ContainerID\":\"" CONTAINER              \
	"\",\"ContainerRootPath\":\"/run/gcs/c/web/rootfs\"}}}"

static const char container_config[] =
	"{\"SchemaVersion\":{\"Major\":2,\"Minor\":1},\"OciBundlePath\":\"/run/gcs/c/web\",\"OciSpecification\":{\"ociVersion\":\"1.1.0\","
	"\"process\":{\"user\":{\"uid\":0,\"gid\":0},\"args\":[\"/bin/counter\",\"--every-ms\",\"5\"],\"env\":[\"TOKEN=swordfish\"],"
	"\"cwd\":\"/\"},\"root\":{\"path\":\"/run/gcs/c/web/rootfs\"},\"linux\":{}}}";

static mock_loop *loop;
static mock_vsock *vsock;
static lcowmig_gcs *gcs;
static bool has_exited; /* the container's notification has come */

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "bridge: %s: %s\n", what, why);
	exit(EXIT_FAILURE);
}

/* ---- operations and requests, made to wait for their end ---- */

typedef struct waiting {
	bool is_over;
	lcowmig_status status;
	lcowmig_error error;
	cJSON *answer;
} waiting;

static void wait_for(const char *what, waiting *it)
{
	if (!mock_loop_run(loop, &it->is_over, 30 * MOCK_SECOND))
		fail(what, "no end within 30 seconds");
}

static void on_done(void *user, lcowmig_status status, const lcowmig_error *error)
{
	waiting *it = user;

	it->is_over = true;
	it->status = status;
	it->error = *error;
}

/* The end of an operation that returned `status`. */
static void finish(const char *what, lcowmig_status status, waiting *it)
{
	if (status == LCOWMIG_PENDING) {
		wait_for(what, it);
		status = it->status;
	}
	if (status != LCOWMIG_OK)
		fail(what, it->error.message);
}

static void on_answer(void *user, lcowmig_status status, const char *answer, size_t size, const lcowmig_error *error)
{
	waiting *it = user;

	it->is_over = true;
	it->status = status;
	it->error = *error;
	it->answer = answer ? cJSON_ParseWithLength(answer, size) : NULL;
}

static void ask(waiting *it, uint32_t message, const char *container_id, const char *document)
{
	*it = (waiting){ .error = LCOWMIG_ERROR_INIT };
	if (lcowmig_gcs_request(gcs, message, container_id, document, 0, on_answer, it, &it->error) != LCOWMIG_PENDING)
		fail("request", it->error.message);
}

/* Asks and waits; the guest must agree. The answer is the caller's. */
static cJSON *ask_now(const char *what, uint32_t message, const char *container_id, const char *document)
{
	waiting it;

	ask(&it, message, container_id, document);
	wait_for(what, &it);
	if (it.status != LCOWMIG_OK)
		fail(what, it.error.message);
	return it.answer;
}

static unsigned take_number(cJSON *answer, const char *key)
{
	const cJSON *number = cJSON_GetObjectItemCaseSensitive(answer, key);
	unsigned value = cJSON_IsNumber(number) ? (unsigned)number->valuedouble : 0;

	cJSON_Delete(answer);
	return value;
}

/* ---- what the guest tells of itself ---- */

static void on_notification(void *user, const char *json, size_t size)
{
	cJSON *notification = cJSON_ParseWithLength(json, size);

	printf("notification: container %s, %s\n", cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(notification, "ContainerId")),
	       cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(notification, "Type")));
	cJSON_Delete(notification);
	has_exited = true;
}

static void on_log(void *user, const uint8_t *bytes, size_t size)
{
	printf("guest log: %.*s", (int)size, (const char *)bytes);
}

static void on_disconnected(void *user, const char *why)
{
	printf("disconnected: %s\n", why);
}

static void on_record(void *user, const char *line)
{
	puts(line);
}

/* ---- the output of processes: a listener of the host's own, the bridge only hands out the port ---- */

/* The mock guest begins with eight bytes that say where in the whole output this is. */
static void output_data(void *user, mock_end *end, const uint8_t *bytes, size_t size)
{
	size_t *skip = user;
	size_t skipped = *skip < size ? *skip : size;

	*skip -= skipped;
	printf("%.*s", (int)(size - skipped), (const char *)bytes + skipped);
}

static void output_over(void *user, mock_end *end, bool lost)
{
	mock_end_close(end);
}

static void output_dialled(void *user, uint32_t port, mock_end *end)
{
	static const mock_end_ops ops = { output_data, output_over };

	mock_end_take(end, &ops, user);
}

/* Runs `arguments` (a JSON array) where `container_id` says and waits for its end. */
static void run_process(const char *container_id, const char *form, const char *arguments)
{
	size_t skip = 8;
	uint32_t port = lcowmig_gcs_allocate_port(gcs);
	char parameters[512], document[1024];
	cJSON *text;
	char *quoted;
	unsigned pid;

	mock_vsock_listen(vsock, port, output_dialled, &skip);
	snprintf(parameters, sizeof parameters, form, arguments);
	text = cJSON_CreateString(parameters); /* a document inside a document */
	quoted = cJSON_PrintUnformatted(text);
	snprintf(document, sizeof document, "{\"Settings\":{\"ProcessParameters\":%s,\"VsockStdioRelaySettings\":{\"StdOut\":%u}}}", quoted,
		 (unsigned)port);
	pid = take_number(ask_now("execute", LCOWMIG_GCS_EXECUTE_PROCESS, container_id, document), "ProcessId");
	snprintf(document, sizeof document, "{\"ProcessId\":%u,\"TimeoutInMs\":4294967295}", pid);
	printf("process %u has ended with %u\n", pid,
	       take_number(ask_now("wait", LCOWMIG_GCS_WAIT_FOR_PROCESS, container_id, document), "ExitCode"));
	mock_vsock_unlisten(vsock, port);
	cJSON_free(quoted);
	cJSON_Delete(text);
}

/* ---- the story ---- */

static void connect_guest(mock_guest *guest, waiting *log)
{
	static const uint32_t ports[] = { LCOWMIG_GCS_ENTROPY_PORT, LCOWMIG_GCS_LOG_PORT, LCOWMIG_GCS_CONTROL_PORT };
	lcowmig_gcs_capabilities can = LCOWMIG_GCS_CAPABILITIES_INIT;
	waiting it = { .error = LCOWMIG_ERROR_INIT };
	uint8_t entropy[512];

	/* The guest dials as soon as it runs, so everything is armed before. */
	for (size_t i = 0; i < sizeof ports / sizeof *ports; i++, it.is_over = false)
		finish("listen", lcowmig_gcs_listen(gcs, "", ports[i], on_done, &it, &it.error), &it);
	mock_guest_boot(guest, 0);
	for (size_t i = 0; i < sizeof entropy; i++)
		entropy[i] = (uint8_t)(mock_now() >> 3 ^ i); /* a real host takes them from its generator */
	finish("entropy", lcowmig_gcs_seed_entropy(gcs, entropy, sizeof entropy, on_done, &it, &it.error), &it);
	if (lcowmig_gcs_read_log(gcs, on_done, log, &log->error) != LCOWMIG_PENDING) /* ends with the guest */
		fail("log", log->error.message);
	it.is_over = false;
	finish("connect", lcowmig_gcs_connect(gcs, true, on_done, &it, &it.error), &it);
	lcowmig_gcs_get_capabilities(gcs, &can);
	printf("connected to a %s guest, protocol %u, schema %u.%u, %s signals\n", can.runtime_os_type, can.protocol_version, can.schema_major,
	       can.schema_minor, can.signal_process ? "takes" : "knows no");
}

/* Gives the pid of its init process. */
static unsigned start_container(void)
{
	cJSON *document = cJSON_CreateObject();
	char *text, layers[sizeof LAYERS + 8];

	snprintf(layers, sizeof layers, LAYERS, "Add");
	cJSON_Delete(ask_now("layers", LCOWMIG_GCS_MODIFY_SETTINGS, UTILITY_VM, layers));
	cJSON_AddStringToObject(document, "ContainerConfig", container_config);
	text = cJSON_PrintUnformatted(document);
	lcowmig_gcs_open_container(gcs, CONTAINER); /* before create: its end may be told at any time from now on */
	cJSON_Delete(ask_now("create", LCOWMIG_GCS_CREATE, CONTAINER, text));
	cJSON_Delete(ask_now("start", LCOWMIG_GCS_START, CONTAINER, NULL));
	cJSON_free(text);
	cJSON_Delete(document);
	return take_number(ask_now("init", LCOWMIG_GCS_EXECUTE_PROCESS, CONTAINER, "{\"Settings\":{\"ProcessParameters\":\"{}\"}}"), "ProcessId");
}

static void show_properties(void)
{
	cJSON *answer = ask_now("properties", LCOWMIG_GCS_GET_PROPERTIES, CONTAINER,
				"{\"Query\":\"{\\\"PropertyTypes\\\":[\\\"ProcessList\\\",\\\"Statistics\\\"]}\"}");

	printf("properties: %s\n", cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "Properties")));
	cJSON_Delete(answer);
}

static void stop_container(unsigned pid)
{
	char document[128], layers[sizeof LAYERS + 8];
	waiting wait, again;

	/* A wait has no deadline and may be outstanding while other requests come and go. */
	snprintf(document, sizeof document, "{\"ProcessId\":%u,\"TimeoutInMs\":4294967295}", pid);
	ask(&wait, LCOWMIG_GCS_WAIT_FOR_PROCESS, CONTAINER, document);
	snprintf(document, sizeof document, "{\"ProcessId\":%u,\"Options\":{\"Signal\":15}}", pid);
	cJSON_Delete(ask_now("signal", LCOWMIG_GCS_SIGNAL_PROCESS, CONTAINER, document));
	wait_for("wait", &wait);
	printf("the container's init process has ended with %u\n", take_number(wait.answer, "ExitCode"));
	mock_loop_run(loop, &has_exited, 10 * MOCK_SECOND);

	/* What the guest refuses comes back with its HRESULT and its words. */
	ask(&again, LCOWMIG_GCS_SIGNAL_PROCESS, CONTAINER, document);
	wait_for("signal", &again);
	printf("signalling it again: %s, HRESULT 0x%08x: %s\n", lcowmig_status_name(again.status), (unsigned)again.error.hresult,
	       again.error.message);
	cJSON_Delete(again.answer);

	lcowmig_gcs_close_container(gcs, CONTAINER);
	cJSON_Delete(ask_now("delete", LCOWMIG_GCS_DELETE_CONTAINER_STATE, CONTAINER, NULL));
	snprintf(layers, sizeof layers, LAYERS, "Remove");
	cJSON_Delete(ask_now("layers", LCOWMIG_GCS_MODIFY_SETTINGS, UTILITY_VM, layers));
}

static void guest_is_off(void *user)
{
	bool *is_off = user;

	mock_vsock_reset(vsock); /* the machine's sockets go with it */
	*is_off = true;
}

static lcowmig_context *make_bridge(streams *transport, int argc, char **argv)
{
	lcowmig_gcs_config config = LCOWMIG_GCS_CONFIG_INIT;
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_context *context;
	lcowmig_stream_ops ops;

	streams_fill_ops(transport, &ops);
	config.streams = &ops;
	config.notification = on_notification;
	config.log = on_log;
	config.disconnected = on_disconnected;
	for (int i = 1; i < argc; i++) {
		config.record = on_record;
		if (strcmp(argv[i], "--secrets") == 0)
			config.flags = LCOWMIG_GCS_RECORD_SECRETS;
	}
	if (lcowmig_context_new(NULL, NULL, &context, &error) != LCOWMIG_OK || lcowmig_gcs_new(context, &config, &gcs, &error) != LCOWMIG_OK)
		fail("new", error.message);
	streams_set_bridge(transport, gcs);
	return context;
}

static void check_arguments(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--record") == 0 || strcmp(argv[i], "--secrets") == 0)
			continue;
		fprintf(stderr, "usage: lcowmig-bridge [--record] [--secrets]\n");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	waiting log = { .error = LCOWMIG_ERROR_INIT }, off;
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	bool is_off = false;
	lcowmig_context *context;
	mock_memory *memory;
	mock_guest *guest;
	streams *transport;
	unsigned pid;

	check_arguments(argc, argv);
	loop = mock_loop_new();
	vsock = mock_vsock_new(loop);
	memory = mock_memory_new(16);
	guest = mock_guest_new(loop, memory, vsock, guest_is_off, &is_off);
	transport = streams_new(vsock);
	context = make_bridge(transport, argc, argv);
	mock_loop_add_context(loop, context);

	connect_guest(guest, &log);
	run_process(UTILITY_VM, "{\"CommandArgs\":%s,\"CreateStdOutPipe\":true}", "[\"/bin/echo\",\"the utility VM says hello\"]");
	pid = start_container();
	run_process(CONTAINER, "{\"OciProcess\":{\"args\":%s,\"cwd\":\"/\",\"env\":[\"PASSWORD=open-sesame\"]},\"CreateStdOutPipe\":true}",
		    "[\"/bin/echo\",\"the container says hello\"]");
	show_properties();
	stop_container(pid);

	/* A guest that shuts down does not answer: the end of its connection does. */
	ask(&off, LCOWMIG_GCS_SHUTDOWN_GRACEFUL, UTILITY_VM, NULL);
	wait_for("shutdown", &off);
	printf("shutting down: %s\n", lcowmig_status_name(off.status));
	wait_for("log", &log);
	lcowmig_gcs_close(gcs);
	if (lcowmig_gcs_free(gcs, &error) != LCOWMIG_OK)
		fail("free", error.message);
	mock_loop_remove_context(loop, context);
	if (lcowmig_context_free(context) != LCOWMIG_OK)
		fail("free", "something is left in the context");
	streams_free(transport);
	mock_guest_free(guest);
	mock_vsock_free(vsock);
	mock_memory_free(memory);
	mock_loop_free(loop);
	puts(is_off ? "the guest is off" : "the guest still runs");
	return is_off ? EXIT_SUCCESS : EXIT_FAILURE;
}
