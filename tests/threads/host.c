#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CAPABILITIES                                                                                      \
	"{\"SupportedSchemaVersions\":[{\"Major\":2,\"Minor\":1}],\"RuntimeOsType\":\"Linux\","           \
	"\"GuestDefinedCapabilities\":{\"NamespaceAddRequestSupported\":true,"                            \
	"\"SignalProcessSupported\":true,\"DumpStacksSupported\":true,\"DeleteContainerStateSupported\":true}}"
#define EXITED "{\"Status\":0,\"ExitType\":\"GracefulExit\"}"

/* A call that the worker will end, or an exit to be told. */
typedef struct job {
	struct job *next;
	lcowmig_call *call; /* NULL: the machine has exited */
	lcowmig_status status;
} job;

/* A guest call that ends by an event of its own. */
typedef struct pending {
	struct pending *next;
	lcowmig_call *call;
	int64_t id;
	uint32_t pid; /* 0: none */
} pending;

struct mt_private {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t worker;
	pthread_t clock;
	bool ends;
	job *jobs;
	job **last_job;
	pending *waits;
	int64_t next_id;
	uint32_t next_port;
	uint32_t next_pid;
	unsigned char killed[4096]; /* by pid */
	bool is_connected;
	bool in_transfer;
	bool transfer_cancelled;
	bool transfer_let;
	unsigned handles_open;
};

/* ---- Waiting ---- */

void waiter_init(waiter *w)
{
	memset(w, 0, sizeof *w);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
}

void waiter_done(waiter *w)
{
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
}

void waiter_on_done(void *user, lcowmig_status status, const lcowmig_error *error)
{
	waiter *w = user;

	pthread_mutex_lock(&w->lock);
	w->calls++;
	w->status = status;
	snprintf(w->message, sizeof w->message, "%s", error->message);
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

lcowmig_status waiter_wait(waiter *w, lcowmig_status status)
{
	pthread_mutex_lock(&w->lock);
	while (status == LCOWMIG_PENDING && !w->calls)
		pthread_cond_wait(&w->changed, &w->lock);
	ck_assert_int_eq(w->calls, status == LCOWMIG_PENDING);
	if (status == LCOWMIG_PENDING)
		status = w->status;
	w->calls = 0;
	pthread_mutex_unlock(&w->lock);
	return status;
}

/* ---- The worker and the clock ---- */

static void add_job(mt_host *host, lcowmig_call *call, lcowmig_status status)
{
	struct mt_private *p = host->p;
	job *added = calloc(1, sizeof *added);

	added->call = call;
	added->status = status;
	pthread_mutex_lock(&p->lock);
	*p->last_job = added;
	p->last_job = &added->next;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

static void run_job(mt_host *host, job *taken)
{
	if (taken->call)
		lcowmig_call_complete(taken->call, taken->status);
	else
		OK(lcowmig_sandbox_hcs_event(host->sandbox, LCOWMIG_HCS_EVENT_SYSTEM_EXITED, EXITED, NULL));
	free(taken);
}

static void *worker_main(void *argument)
{
	mt_host *host = argument;
	struct mt_private *p = host->p;
	job *taken;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		while (!p->jobs && !p->ends)
			pthread_cond_wait(&p->changed, &p->lock);
		taken = p->jobs;
		if (!taken)
			break;
		p->jobs = taken->next;
		if (!p->jobs)
			p->last_job = &p->jobs;
		pthread_mutex_unlock(&p->lock);
		run_job(host, taken);
		pthread_mutex_lock(&p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static void nap(long nanoseconds)
{
	struct timespec time = { 0, nanoseconds };

	nanosleep(&time, NULL);
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * UINT64_C(1000000000) + (uint64_t)time.tv_nsec;
}

static void *clock_main(void *argument)
{
	mt_host *host = argument;
	struct mt_private *p = host->p;
	bool ends = false;

	while (!ends) {
		lcowmig_context_advance(host->context, now());
		nap(2000000);
		pthread_mutex_lock(&p->lock);
		ends = p->ends;
		pthread_mutex_unlock(&p->lock);
	}
	return NULL;
}

/* ---- How calls end ---- */

static lcowmig_status end(mt_host *host, lcowmig_call *call, lcowmig_status status)
{
	if (!host->by_worker)
		return status;
	add_job(host, call, status);
	return LCOWMIG_PENDING;
}

static lcowmig_status succeed(mt_host *host, lcowmig_call *call, const char *result)
{
	if (result)
		lcowmig_call_set_result(call, result, strlen(result));
	return end(host, call, LCOWMIG_OK);
}

static void *open_handle(mt_host *host)
{
	pthread_mutex_lock(&host->p->lock);
	host->p->handles_open++;
	pthread_mutex_unlock(&host->p->lock);
	return calloc(1, 1);
}

static void close_handle(mt_host *host, void *handle)
{
	pthread_mutex_lock(&host->p->lock);
	host->p->handles_open--;
	pthread_mutex_unlock(&host->p->lock);
	free(handle);
}

/* ---- HCS ---- */

static lcowmig_status hcs_create(void *user, lcowmig_call *call, const char *id, const char *document)
{
	(void)id;
	(void)document;
	lcowmig_call_set_handle(call, open_handle(user));
	return end(user, call, LCOWMIG_OK);
}

static lcowmig_status hcs_with_socket(void *user, lcowmig_call *call, void *system, const char *options, void *socket)
{
	(void)system;
	(void)options;
	(void)socket;
	return end(user, call, LCOWMIG_OK);
}

static lcowmig_status hcs_terminate(void *user, lcowmig_call *call, void *system)
{
	(void)system;
	add_job(user, NULL, LCOWMIG_OK);
	return end(user, call, LCOWMIG_OK);
}

static lcowmig_status hcs_close(void *user, lcowmig_call *call, void *system)
{
	close_handle(user, system);
	return end(user, call, LCOWMIG_OK);
}

static lcowmig_status hcs_with_text(void *user, lcowmig_call *call, void *system, const char *text)
{
	(void)system;
	(void)text;
	return end(user, call, LCOWMIG_OK);
}

/* Stop ends the machine. */
static lcowmig_status hcs_finalize(void *user, lcowmig_call *call, void *system, const char *options)
{
	(void)system;
	if (strstr(options, "Stop"))
		add_job(user, NULL, LCOWMIG_OK);
	return end(user, call, LCOWMIG_OK);
}

static lcowmig_status hcs_properties(void *user, lcowmig_call *call, void *system, const char *query)
{
	(void)system;
	if (strstr(query, "CompatibilityInfo"))
		return succeed(user, call, "{\"PropertyResponses\":{\"CompatibilityInfo\":{\"Response\":{\"Data\":\"Y29tcGF0\"}}}}");
	return succeed(user, call, "{\"Id\":\"test@vm\",\"RuntimeId\":\"b1c2d3e4-0000-4000-8000-00000000cafe\"}");
}

static lcowmig_status hcs_transfer(void *user, lcowmig_call *call, void *system, const char *options)
{
	mt_host *host = user;
	struct mt_private *p = host->p;
	lcowmig_status status;

	(void)system;
	(void)options;
	if (!host->blocks_transfer)
		return end(user, call, LCOWMIG_OK);
	pthread_mutex_lock(&p->lock);
	p->in_transfer = true;
	pthread_cond_broadcast(&p->changed);
	while (!p->transfer_cancelled && !p->transfer_let)
		pthread_cond_wait(&p->changed, &p->lock);
	status = p->transfer_cancelled ? LCOWMIG_E_HOST_FAILED : LCOWMIG_OK;
	p->in_transfer = false;
	pthread_mutex_unlock(&p->lock);
	return status;
}

static lcowmig_status hcs_cancel(void *user, lcowmig_call *call, void *system, const char *options)
{
	mt_host *host = user;

	(void)system;
	(void)options;
	pthread_mutex_lock(&host->p->lock);
	host->p->transfer_cancelled = true;
	pthread_cond_broadcast(&host->p->changed);
	pthread_mutex_unlock(&host->p->lock);
	return end(user, call, LCOWMIG_OK);
}

static lcowmig_status hcs_grant(void *user, lcowmig_call *call, const char *id, const char *path)
{
	(void)id;
	(void)path;
	return end(user, call, LCOWMIG_OK);
}

static lcowmig_status hcs_resolve(void *user, lcowmig_call *call, const char *path)
{
	return succeed(user, call, path);
}

void mt_await_transfer(mt_host *host)
{
	pthread_mutex_lock(&host->p->lock);
	while (!host->p->in_transfer)
		pthread_cond_wait(&host->p->changed, &host->p->lock);
	pthread_mutex_unlock(&host->p->lock);
}

void mt_let_transfer(mt_host *host)
{
	pthread_mutex_lock(&host->p->lock);
	host->p->transfer_let = true;
	pthread_cond_broadcast(&host->p->changed);
	pthread_mutex_unlock(&host->p->lock);
}

/* ---- The guest ---- */

/* Ends the waits of one process, or (0) everything that waits. */
static void end_pending(mt_host *host, uint32_t pid, lcowmig_status status)
{
	struct mt_private *p = host->p;
	pending *ended = NULL, **place, *next;

	pthread_mutex_lock(&p->lock);
	for (place = &p->waits; *place;) {
		pending *one = *place;

		if (pid && one->pid != pid) {
			place = &one->next;
			continue;
		}
		*place = one->next;
		one->next = ended;
		ended = one;
	}
	pthread_mutex_unlock(&p->lock);
	for (; ended; ended = next) {
		static const char answer[] = "{\"Result\":0,\"ExitCode\":137}";

		next = ended->next;
		if (status == LCOWMIG_OK)
			lcowmig_call_set_result(ended->call, answer, sizeof answer - 1);
		add_job(host, ended->call, status);
		free(ended);
	}
}

static lcowmig_status leave_pending(mt_host *host, lcowmig_call *call, int64_t id, uint32_t pid)
{
	struct mt_private *p = host->p;
	pending *added = calloc(1, sizeof *added);

	added->call = call;
	added->id = id;
	added->pid = pid;
	pthread_mutex_lock(&p->lock);
	added->next = p->waits;
	p->waits = added;
	pthread_mutex_unlock(&p->lock);
	return LCOWMIG_PENDING;
}

static lcowmig_status guest_prepare(void *user, lcowmig_call *call, const char *runtime_id, uint32_t port)
{
	(void)runtime_id;
	(void)port;
	return end(user, call, LCOWMIG_OK);
}

static lcowmig_status guest_entropy(void *user, lcowmig_call *call, const uint8_t *bytes, size_t size)
{
	(void)bytes;
	(void)size;
	return end(user, call, LCOWMIG_OK);
}

static lcowmig_status guest_log(void *user, lcowmig_call *call)
{
	return leave_pending(user, call, 0, UINT32_MAX);
}

static void set_connected(mt_host *host, bool is_connected)
{
	pthread_mutex_lock(&host->p->lock);
	host->p->is_connected = is_connected;
	pthread_mutex_unlock(&host->p->lock);
}

static lcowmig_status guest_connect(void *user, lcowmig_call *call, bool cold)
{
	(void)cold;
	set_connected(user, true);
	return succeed(user, call, CAPABILITIES);
}

static lcowmig_status guest_resume(void *user, lcowmig_call *call)
{
	set_connected(user, true);
	return succeed(user, call, CAPABILITIES);
}

static void guest_close(void *user)
{
	set_connected(user, false);
	end_pending(user, 0, LCOWMIG_E_UNAVAILABLE);
}

static bool guest_is_connected(void *user)
{
	mt_host *host = user;
	bool is_connected;

	pthread_mutex_lock(&host->p->lock);
	is_connected = host->p->is_connected;
	pthread_mutex_unlock(&host->p->lock);
	return is_connected;
}

static void guest_set_migrating(void *user, bool migrating)
{
	(void)user;
	(void)migrating;
}

static uint32_t number_after(const char *document, const char *key)
{
	const char *place = strstr(document, key);

	return place ? (uint32_t)strtoul(place + strlen(key), NULL, 10) : 0;
}

/* A wait may reach the guest after the signal. */
static bool was_killed(mt_host *host, uint32_t pid, bool now)
{
	bool was;

	ck_assert_uint_lt(pid, sizeof host->p->killed);
	pthread_mutex_lock(&host->p->lock);
	was = host->p->killed[pid];
	host->p->killed[pid] = was || now;
	pthread_mutex_unlock(&host->p->lock);
	return was;
}

static lcowmig_status guest_wait(mt_host *host, lcowmig_call *call, int64_t id, const char *document)
{
	uint32_t pid = number_after(document, "\"ProcessId\":");

	if (was_killed(host, pid, false))
		return succeed(host, call, "{\"Result\":0,\"ExitCode\":137}");
	if (strstr(document, "\"TimeoutInMs\":4294967295")) {
		leave_pending(host, call, id, pid);
		if (was_killed(host, pid, false)) /* in between */
			end_pending(host, pid, LCOWMIG_OK);
		return LCOWMIG_PENDING;
	}
	lcowmig_call_set_error(call, 0xC0370109u, "the time is over");
	return end(host, call, LCOWMIG_E_GUEST_FAILED);
}

static lcowmig_status guest_rpc(void *user, lcowmig_call *call, uint32_t message, const char *container_id, const char *document)
{
	mt_host *host = user;
	struct mt_private *p = host->p;
	char text[64];
	uint32_t pid;
	int64_t id;

	(void)container_id;
	pthread_mutex_lock(&p->lock);
	id = p->next_id++;
	pid = message == LCOWMIG_GCS_EXECUTE_PROCESS ? p->next_pid++ : 0;
	pthread_mutex_unlock(&p->lock);
	lcowmig_call_set_request_id(call, id);
	switch (message) {
	case LCOWMIG_GCS_WAIT_FOR_PROCESS:
		return guest_wait(host, call, id, document);
	case LCOWMIG_GCS_EXECUTE_PROCESS:
		snprintf(text, sizeof text, "{\"Result\":0,\"ProcessId\":%u}", pid);
		return succeed(host, call, text);
	case LCOWMIG_GCS_SIGNAL_PROCESS:
		pid = number_after(document, "\"ProcessId\":");
		was_killed(host, pid, true);
		end_pending(host, pid, LCOWMIG_OK);
		return succeed(host, call, "{\"Result\":0}");
	case LCOWMIG_GCS_GET_PROPERTIES:
		return succeed(host, call, "{\"Result\":0,\"Properties\":\"{\\\"ProcessList\\\":[],\\\"Metrics\\\":{}}\"}");
	default:
		return succeed(host, call, "{\"Result\":0}");
	}
}

static lcowmig_status guest_adopt(void *user, lcowmig_call *call, int64_t id)
{
	return leave_pending(user, call, id, UINT32_MAX);
}

static int64_t guest_number(mt_host *host, int which, int64_t take)
{
	int64_t number;

	pthread_mutex_lock(&host->p->lock);
	number = which ? host->p->next_id : host->p->next_port;
	if (!which)
		host->p->next_port += (uint32_t)take;
	pthread_mutex_unlock(&host->p->lock);
	return number;
}

static uint32_t guest_next_port(void *user)
{
	return (uint32_t)guest_number(user, 0, 0);
}

static int64_t guest_next_request_id(void *user)
{
	return guest_number(user, 1, 0);
}

static uint32_t guest_allocate_port(void *user)
{
	return (uint32_t)guest_number(user, 0, 1);
}

static void guest_raise_port(void *user, uint32_t next)
{
	mt_host *host = user;

	pthread_mutex_lock(&host->p->lock);
	if (host->p->next_port < next)
		host->p->next_port = next;
	pthread_mutex_unlock(&host->p->lock);
}

static void guest_raise_request_id(void *user, int64_t next)
{
	mt_host *host = user;

	pthread_mutex_lock(&host->p->lock);
	if (host->p->next_id < next)
		host->p->next_id = next;
	pthread_mutex_unlock(&host->p->lock);
}

/* ---- The rest ---- */

static lcowmig_status network_endpoints(void *user, lcowmig_call *call, const char *namespace_id)
{
	(void)namespace_id;
	return succeed(user, call, "[{\"ID\":\"f7b5d1a0-2f3e-4b6c-8d9e-112233445566\",\"Name\":\"eth0\",\"MacAddress\":\"00-15-5D-01-02-03\","
	                           "\"IpConfigurations\":[{\"IpAddress\":\"10.244.1.7\",\"PrefixLength\":24}]}]");
}

static lcowmig_status stdio_open(void *user, lcowmig_call *call, const lcowmig_stdio_config *config)
{
	(void)config;
	lcowmig_call_set_handle(call, open_handle(user));
	return end(user, call, LCOWMIG_OK);
}

static lcowmig_status stdio_attach(void *user, lcowmig_call *call, void *stdio, const uint32_t ports[3])
{
	(void)stdio;
	(void)ports;
	return end(user, call, LCOWMIG_OK);
}

static lcowmig_status stdio_drain(void *user, lcowmig_call *call, void *stdio)
{
	(void)stdio;
	return end(user, call, LCOWMIG_OK);
}

static void stdio_close_stdin(void *user, void *stdio)
{
	(void)user;
	(void)stdio;
}

static void handle_close(void *user, void *handle)
{
	close_handle(user, handle);
}

static lcowmig_status socket_adopt(void *user, lcowmig_call *call, const uint8_t *descriptor, size_t size)
{
	(void)descriptor;
	(void)size;
	lcowmig_call_set_handle(call, open_handle(user));
	return end(user, call, LCOWMIG_OK);
}

static void on_event(void *user, const lcowmig_event *event)
{
	(void)user;
	ck_assert_ptr_nonnull(lcowmig_event_container_id(event));
}

/* ---- Life ---- */

static void make_sandbox(mt_host *host, const char *id)
{
	lcowmig_sandbox_config config = LCOWMIG_SANDBOX_CONFIG_INIT;
	lcowmig_hcs_ops hcs = { sizeof hcs, host, hcs_create, hcs_with_socket, hcs_terminate, hcs_close, hcs_with_text, hcs_properties,
		                hcs_with_text, hcs_with_socket, hcs_transfer, hcs_finalize, hcs_cancel, hcs_grant, hcs_resolve, NULL };
	lcowmig_guest_ops guest = { .size = sizeof guest, .user = host, .prepare = guest_prepare, .entropy = guest_entropy, .log = guest_log,
		                    .connect = guest_connect, .resume = guest_resume, .close = guest_close,
		                    .is_connected = guest_is_connected, .set_migrating = guest_set_migrating, .rpc = guest_rpc,
		                    .adopt = guest_adopt, .next_port = guest_next_port, .next_request_id = guest_next_request_id,
		                    .allocate_port = guest_allocate_port, .raise_port = guest_raise_port,
		                    .raise_request_id = guest_raise_request_id };
	lcowmig_network_ops network = { sizeof network, host, network_endpoints };
	lcowmig_stdio_ops stdio = { sizeof stdio, host, stdio_open, stdio_attach, stdio_drain, stdio_close_stdin, handle_close };
	lcowmig_socket_ops socket = { sizeof socket, host, socket_adopt, handle_close, 0 };
	lcowmig_event_ops events = { sizeof events, host, on_event };

	config.id = id;
	config.hcs = &hcs;
	config.guest = &guest;
	config.network = &network;
	config.stdio = &stdio;
	config.socket = &socket;
	config.events = &events;
	OK(lcowmig_sandbox_new(host->context, &config, &host->sandbox, NULL));
	host->vm = lcowmig_sandbox_vm(host->sandbox);
	host->m = lcowmig_sandbox_migration(host->sandbox);
}

mt_host *mt_host_new(const char *id, bool by_worker, bool blocks_transfer)
{
	mt_host *host = calloc(1, sizeof *host);

	host->p = calloc(1, sizeof *host->p);
	host->by_worker = by_worker;
	host->blocks_transfer = blocks_transfer;
	host->p->last_job = &host->p->jobs;
	host->p->next_id = 1;
	host->p->next_port = LCOWMIG_GCS_FIRST_PORT;
	host->p->next_pid = 101;
	pthread_mutex_init(&host->p->lock, NULL);
	pthread_cond_init(&host->p->changed, NULL);
	OK(lcowmig_context_new(NULL, NULL, &host->context, NULL));
	make_sandbox(host, id);
	ck_assert_int_eq(pthread_create(&host->p->worker, NULL, worker_main, host), 0);
	ck_assert_int_eq(pthread_create(&host->p->clock, NULL, clock_main, host), 0);
	return host;
}

/* Other threads may still be on their way out of the library. */
static void free_sandbox(mt_host *host)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_status status = LCOWMIG_E_FAILED_PRECONDITION;
	unsigned i;

	for (i = 0; i < 5000 && status == LCOWMIG_E_FAILED_PRECONDITION; i++) {
		status = lcowmig_sandbox_free(host->sandbox, &error);
		if (status != LCOWMIG_OK)
			nap(1000000);
	}
	ck_assert_msg(status == LCOWMIG_OK, "%s", error.message);
}

void mt_host_free(mt_host *host)
{
	struct mt_private *p = host->p;
	waiter w;

	waiter_init(&w);
	OK(waiter_wait(&w, lcowmig_vm_terminate(host->vm, waiter_on_done, &w, NULL)));
	free_sandbox(host);
	pthread_mutex_lock(&p->lock);
	p->ends = true;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	pthread_join(p->worker, NULL);
	pthread_join(p->clock, NULL);
	OK(lcowmig_context_free(host->context));
	ck_assert_uint_eq(p->handles_open, 0);
	ck_assert_ptr_null(p->waits);
	waiter_done(&w);
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
	free(p);
	free(host);
}

/* ---- What it runs ---- */

static const char document[] =
	"{\"Owner\":\"test\",\"SchemaVersion\":{\"Major\":2,\"Minor\":1},\"ShouldTerminateOnLastHandleClosed\":true,\"VirtualMachine\":{"
	"\"Chipset\":{\"LinuxKernelDirect\":{\"KernelFilePath\":\"C:\\\\vmlinux\",\"KernelCmdLine\":\"panic=-1 -- -e 1 /bin/vsockexec -r "
	"-e 109 /bin/gcs\"}},\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":1024},\"Processor\":{\"Count\":2}},\"Devices\":{\"Scsi\":{"
	"\"df6d0690-79e5-55b6-a5ec-c1e2f77f580a\":{}}}}}";

static void make_container(mt_host *host, lcowmig_pod *pod, const char *id, bool is_sandbox)
{
	lcowmig_container_options options = LCOWMIG_CONTAINER_OPTIONS_INIT;
	lcowmig_rootfs_mount rootfs = { "lcow-layer", NULL, "", NULL, 1 };
	char spec[512], scratch[64];
	static const char *const layers[] = { "parentLayerPaths=[\"C:\\\\base\"]" };
	lcowmig_container *container;
	waiter w;

	waiter_init(&w);
	snprintf(spec, sizeof spec,
	         "{\"ociVersion\":\"1.0.2\",\"process\":{\"args\":[\"/bin/app\"],\"cwd\":\"/\"},\"root\":{\"path\":\"rootfs\"},\"linux\":{},"
	         "\"annotations\":{\"io.kubernetes.cri.container-type\":\"%s\",\"io.kubernetes.cri.sandbox-id\":\"pod\"}}",
	         is_sandbox ? "sandbox" : "container");
	snprintf(scratch, sizeof scratch, "C:\\%s", id);
	rootfs.source = scratch;
	rootfs.options = layers;
	options.oci_spec = spec;
	options.oci_spec_size = strlen(spec);
	options.rootfs = &rootfs;
	options.n_rootfs = 1;
	options.bundle = "C:\\bundle";
	options.stdout_path = "out";
	OK(lcowmig_pod_new_container(pod, id, &container, NULL));
	OK(waiter_wait(&w, lcowmig_container_create(container, &options, waiter_on_done, &w, NULL)));
	OK(waiter_wait(&w, lcowmig_container_start(container, waiter_on_done, &w, NULL)));
	waiter_done(&w);
}

void mt_boot(mt_host *host, unsigned n_containers)
{
	lcowmig_vm_options options = LCOWMIG_VM_OPTIONS_INIT;
	lcowmig_pod *pod;
	char id[16];
	unsigned i;
	waiter w;

	waiter_init(&w);
	options.architecture = "amd64";
	OK(waiter_wait(&w, lcowmig_vm_create(host->vm, document, sizeof document - 1, &options, waiter_on_done, &w, NULL)));
	OK(waiter_wait(&w, lcowmig_vm_start(host->vm, waiter_on_done, &w, NULL)));
	OK(lcowmig_pod_new(host->sandbox, "pod", "a1b2c3d4-0000-4000-8000-000000000001", &pod, NULL));
	OK(waiter_wait(&w, lcowmig_pod_setup_network(pod, waiter_on_done, &w, NULL)));
	make_container(host, pod, "pod", true);
	for (i = 1; i < n_containers; i++) {
		snprintf(id, sizeof id, "c%u", i);
		make_container(host, pod, id, false);
	}
	waiter_done(&w);
}

static void import(mt_host *source, mt_host *destination)
{
	lcowmig_import_options options = LCOWMIG_IMPORT_OPTIONS_INIT;

	options.session_id = SESSION;
	options.sandbox_id = "destination";
	OK(lcowmig_migration_envelope(source->m, SESSION, &options.envelope, &options.envelope_size, NULL));
	OK(lcowmig_migration_import(destination->m, &options, NULL));
}

static void patch(mt_host *destination, const char *id)
{
	lcowmig_patch patch = LCOWMIG_PATCH_INIT;
	char new_id[32];
	waiter w;

	waiter_init(&w);
	snprintf(new_id, sizeof new_id, "d-%s", id);
	patch.source_container_id = id;
	patch.container_id = new_id;
	patch.bundle = "C:\\bundle";
	patch.stdout_path = "out";
	patch.namespace_id = strcmp(id, "pod") == 0 ? "a1b2c3d4-0000-4000-8000-000000000002" : NULL;
	OK(waiter_wait(&w, lcowmig_migration_patch(destination->m, &patch, waiter_on_done, &w, NULL)));
	waiter_done(&w);
}

/* The requests that wait for the processes may still be on their way to the guest: until then the sandbox cannot migrate. */
static void prepare_source(mt_host *source)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_status status = LCOWMIG_E_FAILED_PRECONDITION;
	unsigned i;
	waiter w;

	waiter_init(&w);
	for (i = 0; i < 5000 && status == LCOWMIG_E_FAILED_PRECONDITION; i++) {
		status = waiter_wait(&w, lcowmig_migration_prepare_source(source->m, SESSION, NULL, waiter_on_done, &w, &error));
		if (status != LCOWMIG_OK)
			nap(1000000);
	}
	ck_assert_msg(status == LCOWMIG_OK, "%s", error.message);
	waiter_done(&w);
}

void mt_prepare(mt_host *source, mt_host *destination, unsigned n_containers)
{
	static const uint8_t descriptor[] = "socket";
	char id[16];
	unsigned i;
	waiter w;

	waiter_init(&w);
	prepare_source(source);
	OK(waiter_wait(&w, lcowmig_migration_export(source->m, SESSION, waiter_on_done, &w, NULL)));
	import(source, destination);
	for (i = 0; i < n_containers; i++) {
		snprintf(id, sizeof id, i ? "c%u" : "pod", i);
		patch(destination, id);
	}
	OK(waiter_wait(&w, lcowmig_migration_prepare_destination(destination->m, SESSION, NULL, LCOWMIG_PREPARE_PATHS_SHARED, waiter_on_done,
	                                                         &w, NULL)));
	OK(waiter_wait(&w, lcowmig_migration_register_socket(source->m, SESSION, descriptor, sizeof descriptor, waiter_on_done, &w, NULL)));
	OK(waiter_wait(&w, lcowmig_migration_register_socket(destination->m, SESSION, descriptor, sizeof descriptor, waiter_on_done, &w,
	                                                     NULL)));
	waiter_done(&w);
}

void mt_await_state(mt_host *host, lcowmig_migration_state state)
{
	unsigned i;

	for (i = 0; i < 20000 && lcowmig_migration_get_state(host->m) != state; i++)
		nap(1000000);
	ck_assert_int_eq(lcowmig_migration_get_state(host->m), state);
}

void mt_finish(mt_host *source, mt_host *destination)
{
	lcowmig_finalize_options options = LCOWMIG_FINALIZE_OPTIONS_INIT;
	uint8_t token[LCOWMIG_TOKEN_SIZE_MAX];
	waiter w;

	waiter_init(&w);
	OK(lcowmig_migration_transfer(source->m, SESSION, NULL, NULL));
	OK(lcowmig_migration_transfer(destination->m, SESSION, NULL, NULL));
	mt_await_state(source, LCOWMIG_MIGRATION_TRANSFER_COMPLETED);
	mt_await_state(destination, LCOWMIG_MIGRATION_TRANSFER_COMPLETED);
	OK(lcowmig_migration_release(source->m, SESSION, token, sizeof token, &options.token_size, NULL));
	options.token = token;
	options.action = LCOWMIG_FINALIZE_RESUME;
	OK(waiter_wait(&w, lcowmig_migration_finalize(destination->m, SESSION, &options, waiter_on_done, &w, NULL)));
	options.token = NULL;
	options.token_size = 0;
	options.action = LCOWMIG_FINALIZE_STOP;
	OK(waiter_wait(&w, lcowmig_migration_finalize(source->m, SESSION, &options, waiter_on_done, &w, NULL)));
	waiter_done(&w);
}

void mt_clean_up(mt_host *source, mt_host *destination)
{
	OK(lcowmig_migration_cleanup(source->m, SESSION, NULL));
	OK(lcowmig_migration_cleanup(destination->m, SESSION, NULL));
}
