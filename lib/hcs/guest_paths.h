/* Where things are in the guest. Text in memory of `mem` (lcowmig__free), NULL when memory is out. */
#ifndef LCOWMIG__GUEST_PATHS_H
#define LCOWMIG__GUEST_PATHS_H

#include <stdint.h>

#include "base/alloc.h"
#include "base/compiler.h"

/* Any path, as printf writes it. */
char *lcowmig__path_format(const lcowmig__mem *mem, const char *format, ...) LCOWMIG__PRINTF(2, 3);
/* /run/mounts/scsi/<controller>_<lun>_<partition> */
char *lcowmig__path_scsi_mount(const lcowmig__mem *mem, uint32_t controller, uint32_t lun, uint64_t partition);
/* /run/mounts/plan9/<share> */
char *lcowmig__path_plan9_mount(const lcowmig__mem *mem, const char *share);
/* /run/gcs/pods/<pod>/<container>, by the ids the guest knows */
char *lcowmig__path_bundle(const lcowmig__mem *mem, const char *guest_pod_id, const char *guest_container_id);
char *lcowmig__path_rootfs(const lcowmig__mem *mem, const char *guest_pod_id, const char *guest_container_id);
/* <scratch mount>/scratch/<pod>/<container> */
char *lcowmig__path_scratch(const lcowmig__mem *mem, const char *scratch_mount, const char *guest_pod_id, const char *guest_container_id);

#endif
