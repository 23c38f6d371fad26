/* What guest and host answer to questions: one and the same text to every request of an operation. The first byte says which operation. */
#include "host.h"

static void ask(fuzz_host *host, unsigned which)
{
	lcowmig_vm_stats stats = { .size = sizeof stats };
	lcowmig_vm_exec exec = { .size = sizeof exec };
	static const char *const arguments[] = { "/bin/ls" };
	int32_t exit_code;

	exec.arguments = arguments;
	exec.n_arguments = 1;
	switch (which) {
	case 0:
		fuzz_begun(host, lcowmig_vm_get_stats(host->vm, &stats, NULL, NULL, NULL));
		break;
	case 1:
		lcowmig_vm_query_compatibility(host->vm, NULL, NULL, NULL);
		break;
	case 2:
		lcowmig_vm_dump_stacks(host->vm, NULL, NULL, NULL);
		(void)lcowmig_vm_stacks(host->vm)[0];
		break;
	default:
		lcowmig_vm_exec_into_host(host->vm, &exec, &exit_code, NULL, NULL, NULL);
	}
}

static void ask_container(fuzz_host *host, const char *text)
{
	static const char spec[] = "{\"process\":{\"args\":[\"/a\"]},\"root\":{\"path\":\"r\"},\"linux\":{},\"annotations\":{"
				   "\"io.kubernetes.cri.container-type\":\"container\",\"io.kubernetes.cri.sandbox-id\":\"pod\"}}";
	static const char *const layers[] = { "parentLayerPaths=[\"C:\\\\l1\"]" };
	static const lcowmig_rootfs_mount rootfs = { "lcow-layer", "C:\\scratch", "", layers, 1 };
	lcowmig_container_options options = LCOWMIG_CONTAINER_OPTIONS_INIT;
	lcowmig_container *container;
	lcowmig_stats *stats = NULL;
	lcowmig_pids *pids = NULL;
	lcowmig_pod *pod;

	REQUIRE(lcowmig_sandbox_find_pod(host->sandbox, "pod", &pod, NULL) == LCOWMIG_OK);
	REQUIRE(lcowmig_pod_new_container(pod, "c1", &container, NULL) == LCOWMIG_OK);
	options.oci_spec = spec;
	options.oci_spec_size = sizeof spec - 1;
	options.rootfs = &rootfs;
	options.n_rootfs = 1;
	if (lcowmig_container_create(container, &options, NULL, NULL, NULL) != LCOWMIG_OK ||
	    lcowmig_container_start(container, NULL, NULL, NULL) != LCOWMIG_OK)
		abort();
	host->answer = text;
	if (lcowmig_container_pids(container, &pids, NULL, NULL, NULL) == LCOWMIG_OK && lcowmig_pids_count(pids))
		(void)lcowmig_pids_get(pids, 0);
	if (lcowmig_container_stats(container, &stats, NULL, NULL, NULL) == LCOWMIG_OK)
		REQUIRE(lcowmig_stats_json(stats));
	lcowmig_pids_free(pids);
	lcowmig_stats_free(stats);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_host host;
	char *text;

	if (!size)
		return 0;
	text = fuzz_text(data + 1, size - 1);
	fuzz_host_new(&host, "here");
	fuzz_host_boot(&host);
	if (data[0] & 4) {
		ask_container(&host, text);
	} else {
		host.properties = text;
		host.answer = text;
		ask(&host, data[0] & 3);
	}
	fuzz_host_free(&host);
	free(text);
	return 0;
}
