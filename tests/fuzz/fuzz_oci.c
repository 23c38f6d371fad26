/* A container's OCI spec, as a bundle brings it; with a byte before it that says where the layers come from. */
#include "host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const layers[] = { "parentLayerPaths=[\"C:\\\\l2\",\"C:\\\\l1\"]" };
	static const lcowmig_rootfs_mount rootfs = { "lcow-layer", "C:\\scratch", "", layers, 1 };
	lcowmig_container_options options = LCOWMIG_CONTAINER_OPTIONS_INIT;
	lcowmig_container *container;
	lcowmig_pod *pod;
	fuzz_host host;

	if (!size)
		return 0;
	fuzz_host_new(&host, "here");
	fuzz_host_boot(&host);
	REQUIRE(lcowmig_sandbox_find_pod(host.sandbox, "pod", &pod, NULL) == LCOWMIG_OK);
	REQUIRE(lcowmig_pod_new_container(pod, "c1", &container, NULL) == LCOWMIG_OK);
	options.oci_spec = fuzz_text(data + 1, size - 1);
	options.oci_spec_size = size - 1;
	options.rootfs = data[0] & 1 ? &rootfs : NULL;
	options.n_rootfs = data[0] & 1;
	if (lcowmig_container_create(container, &options, NULL, NULL, NULL) == LCOWMIG_OK)
		REQUIRE(lcowmig_container_start(container, NULL, NULL, NULL) == LCOWMIG_OK);
	free((char *)(uintptr_t)options.oci_spec);
	fuzz_host_free(&host);
	return 0;
}
