/* The endpoints of a namespace, as the host's network service describes them. */
#include "host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	lcowmig_pod *pod;
	fuzz_host host;

	fuzz_host_new(&host, "here");
	fuzz_host_boot(&host);
	host.endpoints = text;
	REQUIRE(lcowmig_sandbox_find_pod(host.sandbox, "pod", &pod, NULL) == LCOWMIG_OK);
	lcowmig_pod_setup_network(pod, NULL, NULL, NULL);
	REQUIRE(lcowmig_pod_teardown_network(pod, NULL, NULL, NULL) == LCOWMIG_OK);
	fuzz_host_free(&host);
	free(text);
	return 0;
}
