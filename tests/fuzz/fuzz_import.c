/* An envelope of a whole sandbox, as a peer sends it. What is accepted is looked at, patched and prepared as far as that goes, and left. */
#include <string.h>

#include "host.h"

static void use(fuzz_host *host)
{
	lcowmig_container *containers[8];
	lcowmig_pod *pods[4];
	size_t n_pods = lcowmig_sandbox_list_pods(host->sandbox, pods, 4);
	size_t p, c;

	for (p = 0; p < n_pods && p < 4; p++) {
		size_t n = lcowmig_pod_list_containers(pods[p], containers, 8);

		REQUIRE(lcowmig_pod_is_migrating(pods[p]));
		for (c = 0; c < n && c < 8; c++) {
			lcowmig_patch patch = LCOWMIG_PATCH_INIT;
			char *id = fuzz_text((const uint8_t *)lcowmig_container_id(containers[c]), strlen(lcowmig_container_id(containers[c])));

			patch.source_container_id = id;
			patch.container_id = id;
			patch.namespace_id = "a1b2c3d4-0000-4000-8000-000000000002";
			lcowmig_migration_patch(host->m, &patch, NULL, NULL, NULL);
			free(id);
		}
	}
	lcowmig_migration_prepare_destination(host->m, FUZZ_SESSION, NULL, LCOWMIG_PREPARE_PATHS_SHARED, NULL, NULL, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	lcowmig_import_options options = LCOWMIG_IMPORT_OPTIONS_INIT;
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	uint8_t *copy = malloc(size ? size : 1);
	lcowmig_status status;
	fuzz_host host;

	REQUIRE(copy);
	if (size)
		memcpy(copy, data, size);
	fuzz_host_new(&host, NULL);
	options.session_id = FUZZ_SESSION;
	options.sandbox_id = "here";
	options.envelope = copy;
	options.envelope_size = size;
	status = lcowmig_migration_import(host.m, &options, &error);
	memset(copy, 0xaa, size); /* everything is copied */
	free(copy);
	REQUIRE(status == LCOWMIG_OK || error.message[0]);
	if (status == LCOWMIG_OK)
		use(&host);
	else
		REQUIRE(lcowmig_migration_get_state(host.m) == LCOWMIG_MIGRATION_IDLE);
	fuzz_host_free(&host);
	return 0;
}
