/* The Plan9 controller from the inside. Conventions as in scsi/scsi.h. It has no payload: its use forbids migration. */
#ifndef LCOWMIG__PLAN9_H
#define LCOWMIG__PLAN9_H

#include "engine/env.h"
#include "lcowmig/plan9.h"

lcowmig_status lcowmig__plan9_new(lcowmig__env *env, bool no_writable_shares, lcowmig_plan9 **ret_plan9, lcowmig_error *error);
void lcowmig__plan9_free(lcowmig_plan9 *plan9);
/* DENIED for a writable share while those are forbidden. */
lcowmig_status lcowmig__plan9_reserve(lcowmig_plan9 *plan9, const lcowmig_share_config *share, bool mount_read_only,
                                      lcowmig_guid *ret_reservation, lcowmig_error *error);
lcowmig__flow *lcowmig__plan9_map_flow(lcowmig_plan9 *plan9, const lcowmig_guid *reservation, char **ret_path, lcowmig_error *error);
lcowmig__flow *lcowmig__plan9_unmap_flow(lcowmig_plan9 *plan9, const lcowmig_guid *reservation, lcowmig_error *error);
/* FAILED_PRECONDITION with the counts unless empty. Changes nothing. */
lcowmig_status lcowmig__plan9_capture(const lcowmig_plan9 *plan9, lcowmig_error *error);

extern const lcowmig__machine lcowmig__plan9_share_machine;
extern const lcowmig__machine lcowmig__plan9_mount_machine;

#endif
