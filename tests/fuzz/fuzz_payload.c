/* Payloads imported alone. Each importer gets each input: the type in it decides. What is accepted, and resumed, saves to something that can be imported. */
#include <string.h>

#include "base/arena.h"
#include "engine/context.h"
#include "host.h"
#include "wire/wire.h"

static uint8_t saved[1 << 16];

static void try_network(fuzz_host *host, const uint8_t *data, size_t size)
{
	lcowmig_network *network, *again;
	size_t saved_size;

	if (lcowmig_network_import(host->sandbox, data, size, &network, NULL) != LCOWMIG_OK)
		return;
	REQUIRE(lcowmig_network_patch(network, "a1b2c3d4-0000-4000-8000-000000000002", NULL) == LCOWMIG_OK);
	REQUIRE(lcowmig_network_resume(network, NULL) == LCOWMIG_OK);
	if (lcowmig_network_save(network, saved, sizeof saved, &saved_size, NULL) == LCOWMIG_OK) {
		REQUIRE(lcowmig_network_import(host->sandbox, saved, saved_size, &again, NULL) == LCOWMIG_OK);
		REQUIRE(lcowmig_network_free(again, NULL) == LCOWMIG_OK);
	}
	REQUIRE(lcowmig_network_free(network, NULL) == LCOWMIG_OK);
}

static void try_process(fuzz_host *host, const uint8_t *data, size_t size)
{
	lcowmig_process_options options = LCOWMIG_PROCESS_OPTIONS_INIT;
	lcowmig_process *process;

	if (lcowmig_process_import(host->sandbox, data, size, "c1", "g1", &process, NULL) != LCOWMIG_OK)
		return;
	if (lcowmig_process_patch(process, "c2", &options, NULL, NULL, NULL) == LCOWMIG_OK)
		lcowmig_process_resume(process, true, NULL, NULL, NULL);
	REQUIRE(lcowmig_process_abort(process, NULL) == LCOWMIG_OK);
	REQUIRE(lcowmig_process_free(process, NULL) == LCOWMIG_OK);
}

static void try_container(fuzz_host *host, const uint8_t *data, size_t size)
{
	lcowmig_container *container;

	if (lcowmig_container_import(host->sandbox, data, size, "pod", &container, NULL) != LCOWMIG_OK)
		return;
	lcowmig_container_adopt(container, NULL);
	REQUIRE(lcowmig_container_abort(container, NULL) == LCOWMIG_OK);
	REQUIRE(lcowmig_container_free(container, NULL) == LCOWMIG_OK);
}

static void try_scsi(fuzz_host *host, const uint8_t *data, size_t size)
{
	lcowmig_scsi *scsi, *again;
	size_t saved_size;

	if (lcowmig_scsi_import(host->sandbox, data, size, &scsi, NULL) != LCOWMIG_OK)
		return;
	lcowmig_scsi_attachments(scsi, NULL, 0, &saved_size, NULL);
	if (lcowmig_scsi_save(scsi, saved, sizeof saved, &saved_size, NULL) == LCOWMIG_OK) {
		REQUIRE(lcowmig_scsi_import(host->sandbox, saved, saved_size, &again, NULL) == LCOWMIG_OK);
		REQUIRE(lcowmig_scsi_free(again, NULL) == LCOWMIG_OK);
	}
	REQUIRE(lcowmig_scsi_resume(scsi, NULL) == LCOWMIG_OK);
	REQUIRE(lcowmig_scsi_free(scsi, NULL) == LCOWMIG_OK);
}

/* These have no importer of their own. */
static void try_parts(fuzz_host *host, const uint8_t *data, size_t size)
{
	const lcowmig_limits *limits = &host->context->limits;
	lcowmig__arena arena;
	lcowmig__wire_vm vm;
	lcowmig__wire_pod pod;

	lcowmig__arena_init(&arena, &host->context->mem, 0);
	lcowmig__wire_decode_vm(&arena, limits, data, size, &vm, NULL);
	lcowmig__wire_decode_pod(&arena, limits, data, size, &pod, NULL);
	lcowmig__arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_host host;

	fuzz_host_new(&host, "here");
	try_network(&host, data, size);
	try_process(&host, data, size);
	try_container(&host, data, size);
	try_scsi(&host, data, size);
	try_parts(&host, data, size);
	fuzz_host_free(&host);
	return 0;
}
