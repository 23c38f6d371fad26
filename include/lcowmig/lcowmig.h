/*
 * Everything. Start reading at context.h, then host.h, sandbox.h and migration.h.
 */
#ifndef LCOWMIG_LCOWMIG_H
#define LCOWMIG_LCOWMIG_H

#include "call.h"
#include "container.h"
#include "context.h"
#include "event.h"
#include "export.h"
#include "gcs.h"
#include "guid.h"
#include "host.h"
#include "limits.h"
#include "migration.h"
#include "network.h"
#include "plan9.h"
#include "pod.h"
#include "process.h"
#include "sandbox.h"
#include "scsi.h"
#include "service.h"
#include "status.h"
#include "version.h"
#include "vm.h"
#include "vpci.h"

#ifdef __cplusplus
extern "C" {
#endif



#ifdef __cplusplus
}
#endif

#endif
