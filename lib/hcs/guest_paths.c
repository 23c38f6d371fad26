#include "guest_paths.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define PODS "/run/gcs/pods"

char *lcowmig__path_format(const lcowmig__mem *mem, const char *format, ...)
{
	va_list arguments, again;
	char *path = NULL;
	int length;

	va_start(arguments, format);
	va_copy(again, arguments);
	length = vsnprintf(NULL, 0, format, arguments);
	if (length >= 0)
		path = lcowmig__alloc(mem, (size_t)length + 1);
	if (path)
		vsnprintf(path, (size_t)length + 1, format, again);
	va_end(again);
	va_end(arguments);
	return path;
}

char *lcowmig__path_scsi_mount(const lcowmig__mem *mem, uint32_t controller, uint32_t lun, uint64_t partition)
{
	return lcowmig__path_format(mem, "/run/mounts/scsi/%" PRIu32 "_%" PRIu32 "_%" PRIu64, controller, lun, partition);
}

char *lcowmig__path_plan9_mount(const lcowmig__mem *mem, const char *share)
{
	return lcowmig__path_format(mem, "/run/mounts/plan9/%s", share);
}

char *lcowmig__path_bundle(const lcowmig__mem *mem, const char *guest_pod_id, const char *guest_container_id)
{
	return lcowmig__path_format(mem, PODS "/%s/%s", guest_pod_id, guest_container_id);
}

char *lcowmig__path_rootfs(const lcowmig__mem *mem, const char *guest_pod_id, const char *guest_container_id)
{
	return lcowmig__path_format(mem, PODS "/%s/%s/rootfs", guest_pod_id, guest_container_id);
}

char *lcowmig__path_scratch(const lcowmig__mem *mem, const char *scratch_mount, const char *guest_pod_id, const char *guest_container_id)
{
	return lcowmig__path_format(mem, "%s/scratch/%s/%s", scratch_mount, guest_pod_id, guest_container_id);
}
