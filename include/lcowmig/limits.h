/*
 * What the library accepts from other machines at most, and why. A context may lower each of the adjustable ones (lcowmig_limits).
 */
#ifndef LCOWMIG_LIMITS_H
#define LCOWMIG_LIMITS_H

#include "status.h"

/* Facts of the protocols: not adjustable. */
#define LCOWMIG_SCSI_CONTROLLERS_MAX 4u        /* HCS gives a utility VM four SCSI controllers */
#define LCOWMIG_SCSI_LUNS 64u                  /* LUNs of one controller; slot = controller * 64 + LUN */
#define LCOWMIG_GCS_FRAME_MAX 65536u           /* largest frame a guest sends, header included */
#define LCOWMIG_GCS_FIRST_PORT 0x40000001u     /* first stdio port; the control port is one below */
#define LCOWMIG_GCS_CONTROL_PORT 0x40000000u
#define LCOWMIG_GCS_LOG_PORT 109u
#define LCOWMIG_GCS_ENTROPY_PORT 1u

/* Defaults of the limits, each of which is adjustable. */
#define LCOWMIG_LIMIT_ENVELOPE_BYTES (256u << 20) /* a sandbox of 1000 containers is about 1 MiB; documents and specs may be larger */
#define LCOWMIG_LIMIT_DOCUMENT_BYTES (4u << 20)   /* HCS refuses compute-system documents long before */
#define LCOWMIG_LIMIT_JSON_DEPTH 64u              /* the deepest document known has 9 levels; parsers recurse */
#define LCOWMIG_LIMIT_JSON_VALUES 262144u         /* of one document: one costs about 80 bytes while it is read, however short it is */
#define LCOWMIG_LIMIT_PODS 1024u
#define LCOWMIG_LIMIT_CONTAINERS 16384u           /* of all pods together */
#define LCOWMIG_LIMIT_ENDPOINTS 64u               /* NICs of one pod */
#define LCOWMIG_LIMIT_LAYERS 256u                 /* read-only layers of one container: no more disks exist */
#define LCOWMIG_LIMIT_RESERVATIONS 65536u
#define LCOWMIG_LIMIT_MOUNT_OPTIONS 64u
#define LCOWMIG_LIMIT_ID_BYTES 1024u              /* ids of pods, containers, execs, namespaces, endpoints */
#define LCOWMIG_LIMIT_PATH_BYTES 32768u           /* the longest path of Windows, in bytes of UTF-8 */
#define LCOWMIG_LIMIT_COMPAT_BYTES (1u << 20)

/* Lower limits for one context. A zero member keeps the default; a value above the default is refused. */
typedef struct lcowmig_limits {
	size_t size; /* sizeof(lcowmig_limits) */
	uint32_t envelope_bytes;
	uint32_t document_bytes;
	uint32_t json_depth;
	uint32_t pods;
	uint32_t containers;
	uint32_t endpoints;
	uint32_t layers;
	uint32_t reservations;
	uint32_t mount_options;
	uint32_t id_bytes;
	uint32_t path_bytes;
	uint32_t compat_bytes;
	uint32_t json_values; /* not in the first layout: callers whose struct ends before it get the default */
	uint32_t reserved;    /* zero */
} lcowmig_limits;

#endif
