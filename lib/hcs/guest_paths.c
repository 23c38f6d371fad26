#include "guest_paths.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"

#define PODS "/run/gcs/pods"

char *lcowmig__path_scsi_mount(const lcowmig__mem *mem, uint32_t controller, uint32_t lun, uint64_t partition)
{
	char path[80];

	snprintf(path, sizeof path, "/run/mounts/scsi/%" PRIu32 "_%" PRIu32 "_%" PRIu64, controller, lun, partition);
	return lcowmig__strdup(mem, path);
}

static char *path_join(const lcowmig__mem *mem, const char *const *parts, size_t count)
{
	lcowmig__buf path;
	size_t i;

	lcowmig__buf_init(&path, mem);
	for (i = 0; i < count; i++)
		lcowmig__buf_text(&path, parts[i]);
	return lcowmig__buf_take(&path);
}

char *lcowmig__path_plan9_mount(const lcowmig__mem *mem, const char *share)
{
	const char *const parts[] = { "/run/mounts/plan9/", share };

	return path_join(mem, parts, LCOWMIG__COUNT(parts));
}

char *lcowmig__path_bundle(const lcowmig__mem *mem, const char *guest_pod_id, const char *guest_container_id)
{
	const char *const parts[] = { PODS "/", guest_pod_id, "/", guest_container_id };

	return path_join(mem, parts, LCOWMIG__COUNT(parts));
}

char *lcowmig__path_rootfs(const lcowmig__mem *mem, const char *guest_pod_id, const char *guest_container_id)
{
	const char *const parts[] = { PODS "/", guest_pod_id, "/", guest_container_id, "/rootfs" };

	return path_join(mem, parts, LCOWMIG__COUNT(parts));
}

char *lcowmig__path_scratch(const lcowmig__mem *mem, const char *scratch_mount, const char *guest_pod_id, const char *guest_container_id)
{
	const char *const parts[] = { scratch_mount, "/scratch/", guest_pod_id, "/", guest_container_id };

	return path_join(mem, parts, LCOWMIG__COUNT(parts));
}
