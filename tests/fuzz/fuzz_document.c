/* The HCS document of a machine. One that is accepted boots, changes, and is exported. */
#include "host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	lcowmig_vm_cpu_limits limits = { sizeof limits, 50000, 100, 0, 0, 0 };
	char *text = fuzz_text(data, size);
	lcowmig_scsi *scsi;
	fuzz_host host;

	fuzz_host_new(&host, "here");
	if (lcowmig_vm_create(host.vm, text, size, NULL, NULL, NULL, NULL) == LCOWMIG_OK &&
	    lcowmig_vm_start(host.vm, NULL, NULL, NULL) == LCOWMIG_OK) {
		lcowmig_vm_scsi(host.vm, &scsi, NULL);
		lcowmig_vm_update_memory(host.vm, 2048, NULL, NULL, NULL);
		lcowmig_vm_update_cpu(host.vm, &limits, NULL, NULL, NULL);
		if (lcowmig_migration_prepare_source(host.m, FUZZ_SESSION, NULL, NULL, NULL, NULL) == LCOWMIG_OK)
			lcowmig_migration_export(host.m, FUZZ_SESSION, NULL, NULL, NULL);
	}
	free(text);
	fuzz_host_free(&host);
	return 0;
}
