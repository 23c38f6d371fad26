/*
 * The smallest whole migration: two hosts in one program, connected by a socketpair. A sandbox with one container moves from A to B, and
 * back to A. Read main() first; everything above it is one call of the library each.
 *
 * Both hosts name their disks alike (LCOWMIG_PREPARE_PATHS_SHARED), so a patch has little to say. examples/demo is the same between two
 * processes, with everything that a real pair of hosts would tell each other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host.h"

#define NAMESPACE "4b7de07b-9d2c-4b5b-9b0a-0d7b7a1f2a10"

static const char document[] =
	"{\"Owner\":\"roundtrip\",\"SchemaVersion\":{\"Major\":2,\"Minor\":1},\"VirtualMachine\":{\"Chipset\":{\"LinuxKernelDirect\":{"
	"\"KernelFilePath\":\"vmlinux\",\"KernelCmdLine\":\"quiet -- -e 1 /bin/vsockexec -r -e 109 /bin/gcs\"}},"
	"\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":16},\"Processor\":{\"Count\":1}},\"Devices\":{\"Scsi\":{"
	"\"df6d0690-79e5-55b6-a5ec-c1e2f77f580a\":{\"Attachments\":{\"0\":{\"Type\":\"VirtualDisk\",\"Path\":\"rootfs.vhd\",\"ReadOnly\":"
	"true}}}}}}}";

static const char specification[] =
	"{\"ociVersion\":\"1.1.0\",\"process\":{\"user\":{\"uid\":0,\"gid\":0},\"args\":[\"/bin/counter\",\"--every-ms\",\"5\"],\"cwd\":\"/"
	"\"},"
	"\"root\":{\"path\":\"rootfs\"},\"linux\":{\"namespaces\":[{\"type\":\"mount\"}]},"
	"\"annotations\":{\"io.kubernetes.cri.container-type\":\"sandbox\",\"io.kubernetes.cri.sandbox-id\":\"counter\"},"
	"\"windows\":{\"network\":{\"networkNamespace\":\"" NAMESPACE "\"}}}";

static const char endpoints[] =
	"[{\"ID\":\"f7b5d1a0-2f3e-4b6c-8d9e-112233445566\",\"Name\":\"eth0\",\"HostComputeNamespace\":\"" NAMESPACE "\",\"MacAddress\":"
	"\"00-15-5D-01-02-03\",\"IpConfigurations\":[{\"IpAddress\":\"10.244.1.7\",\"PrefixLength\":24}]}]";

static mock_loop *loop;

/* A call that may pend, made to wait for its end. */
struct waiting {
	bool is_over;
	lcowmig_status status;
	lcowmig_error error;
};

static void done(void *user, lcowmig_status status, const lcowmig_error *error)
{
	struct waiting *waiting = user;

	waiting->is_over = true;
	waiting->status = status;
	if (status != LCOWMIG_OK)
		waiting->error = *error;
}

static void check(const char *what, lcowmig_status status, struct waiting *waiting)
{
	if (status == LCOWMIG_PENDING) {
		mock_loop_run(loop, &waiting->is_over, 60 * MOCK_SECOND);
		status = waiting->status;
	}
	if (status == LCOWMIG_OK)
		return;
	fprintf(stderr, "roundtrip: %s: %s\n", what, waiting->error.message);
	exit(EXIT_FAILURE);
}

/* CALL(lcowmig_vm_start, vm) makes the call with done, user and error at its end and waits. */
#define CALL(function, ...)                                                                                                                \
	do {                                                                                                                               \
		struct waiting waiting = { .error = LCOWMIG_ERROR_INIT };                                                                  \
		check(#function, function(__VA_ARGS__, done, &waiting, &waiting.error), &waiting);                                         \
	} while (0)
/* The same for what never pends. */
#define CALL_NOW(function, ...)                                                                                                            \
	do {                                                                                                                               \
		struct waiting waiting = { .error = LCOWMIG_ERROR_INIT };                                                                  \
		check(#function, function(__VA_ARGS__, &waiting.error), &waiting);                                                         \
	} while (0)

static mock_host *new_host(const char *name, const char *sandbox_id)
{
	mock_host_config config = { .name = name, .sandbox_id = sandbox_id, .fill_percent = 25, .log_level = LCOWMIG_LOG_ERROR };
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	mock_host *host = mock_host_new(loop, &config, &error);

	if (!host) {
		fprintf(stderr, "roundtrip: %s\n", error.message);
		exit(EXIT_FAILURE);
	}
	mock_host_set_endpoints(host, NAMESPACE, endpoints);
	return host;
}

static uint64_t counter_of(mock_host *host)
{
	mock_guest_container container = { 0 };

	if (mock_host_guest(host))
		mock_guest_get_container(mock_host_guest(host), 0, &container);
	return container.counter;
}

static void let_run(mock_host *host, unsigned milliseconds)
{
	uint64_t end = mock_now() + milliseconds * MOCK_MS;
	uint64_t before = counter_of(host);

	while (mock_now() < end)
		mock_loop_step(loop, MOCK_MS);
	if (counter_of(host) > before)
		return;
	fputs("roundtrip: the guest does not run\n", stderr);
	exit(EXIT_FAILURE);
}

static void start_pod(mock_host *host)
{
	static const char *const layers[] = { "scratch=scratch.vhdx",
					      "parent-partitioned-layers=[{\"Path\":\"layers.vhd\",\"Partition\":1}]" };
	lcowmig_rootfs_mount rootfs = { .type = "lcow-partitioned-layer", .source = "scratch", .options = layers, .n_options = 2 };
	lcowmig_container_options options = { .size = sizeof options,
					      .oci_spec = specification,
					      .oci_spec_size = strlen(specification),
					      .rootfs = &rootfs,
					      .n_rootfs = 1,
					      .bundle = "bundle" };
	lcowmig_vm *vm = lcowmig_sandbox_vm(mock_host_sandbox(host));
	lcowmig_pod *pod;
	lcowmig_container *container;

	CALL(lcowmig_vm_create, vm, document, strlen(document), NULL);
	CALL(lcowmig_vm_start, vm);
	CALL_NOW(lcowmig_pod_new, mock_host_sandbox(host), "counter", NAMESPACE, &pod);
	CALL(lcowmig_pod_setup_network, pod);
	CALL_NOW(lcowmig_pod_new_container, pod, "counter", &container);
	CALL(lcowmig_container_create, container, &options);
	CALL(lcowmig_container_start, container);
}

static void await_transfer(lcowmig_migration *migration)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	while (lcowmig_migration_get_state(migration) != LCOWMIG_MIGRATION_TRANSFER_COMPLETED) {
		mock_loop_step(loop, MOCK_SECOND);
		if (lcowmig_migration_failure(migration, &error) != LCOWMIG_OK) {
			fprintf(stderr, "roundtrip: the transfer failed: %s\n", error.message);
			exit(EXIT_FAILURE);
		}
	}
}

/* One migration, both sides of it. On two hosts, what passes between `out` and `in` here passes between the hosts' orchestrators. */
static void migrate(mock_host *from, mock_host *to, const char *session)
{
	lcowmig_migration *out = lcowmig_sandbox_migration(mock_host_sandbox(from));
	lcowmig_migration *in = lcowmig_sandbox_migration(mock_host_sandbox(to));
	lcowmig_import_options import = LCOWMIG_IMPORT_OPTIONS_INIT;
	lcowmig_patch patch = { .size = sizeof patch,
				.source_container_id = "counter",
				.container_id = "counter",
				.bundle = "bundle",
				.namespace_id = NAMESPACE };
	lcowmig_finalize_options resume = LCOWMIG_FINALIZE_OPTIONS_INIT, stop = LCOWMIG_FINALIZE_OPTIONS_INIT;
	uint8_t token[LCOWMIG_TOKEN_SIZE_MAX];
	int sockets[2];

	/* What is in the sandbox goes over as an envelope. */
	CALL(lcowmig_migration_prepare_source, out, session, NULL);
	CALL(lcowmig_migration_export, out, session);
	import.session_id = session;
	import.sandbox_id = "roundtrip";
	CALL_NOW(lcowmig_migration_envelope, out, session, &import.envelope, &import.envelope_size);
	CALL_NOW(lcowmig_migration_import, in, &import);
	CALL(lcowmig_migration_patch, in, &patch);
	CALL(lcowmig_migration_prepare_destination, in, session, NULL, LCOWMIG_PREPARE_PATHS_SHARED);

	/* Memory goes over a connection of its own. */
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0)
		exit(EXIT_FAILURE);
	CALL(lcowmig_migration_register_socket, out, session, (const uint8_t *)&sockets[0], sizeof sockets[0]);
	CALL(lcowmig_migration_register_socket, in, session, (const uint8_t *)&sockets[1], sizeof sockets[1]);
	close(sockets[0]);
	close(sockets[1]);
	CALL_NOW(lcowmig_migration_transfer, out, session, NULL);
	CALL_NOW(lcowmig_migration_transfer, in, session, NULL);
	await_transfer(out);
	await_transfer(in);

	/* The right to run goes over last, and only once. */
	CALL_NOW(lcowmig_migration_release, out, session, token, sizeof token, &resume.token_size);
	resume.token = token;
	resume.action = LCOWMIG_FINALIZE_RESUME;
	CALL(lcowmig_migration_finalize, in, session, &resume);
	stop.action = LCOWMIG_FINALIZE_STOP;
	CALL(lcowmig_migration_finalize, out, session, &stop);
	CALL_NOW(lcowmig_migration_cleanup, out, session);
	CALL_NOW(lcowmig_migration_cleanup, in, session);
}

/* A sandbox that has moved away has ended here; freeing it is all that is left. */
static void free_host(mock_host *host)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	CALL(lcowmig_vm_terminate, lcowmig_sandbox_vm(mock_host_sandbox(host)));
	if (mock_host_free(host, &error))
		return;
	fprintf(stderr, "roundtrip: %s\n", error.message);
	exit(EXIT_FAILURE);
}

int main(void)
{
	mock_host *a, *b;

	loop = mock_loop_new();
	a = new_host("A", "roundtrip");
	start_pod(a);
	let_run(a, 100);
	printf("on A the counter stands at %llu\n", (unsigned long long)counter_of(a));

	b = new_host("B", NULL);
	migrate(a, b, "there");
	let_run(b, 100);
	printf("on B the counter stands at %llu\n", (unsigned long long)counter_of(b));
	free_host(a);

	a = new_host("A", NULL);
	migrate(b, a, "and back");
	let_run(a, 100);
	printf("on A again the counter stands at %llu\n", (unsigned long long)counter_of(a));
	free_host(b);
	free_host(a);
	mock_loop_free(loop);
	puts("the sandbox has been there and back");
	return EXIT_SUCCESS;
}
