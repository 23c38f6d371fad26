/*
 * The payloads as tables: which field of a message is which member of a struct. One reader and one writer work from them, so a payload
 * is described once. The fields of a message stand in the order of their tags and without gaps; that order is also the canonical one.
 */
#ifndef LCOWMIG__WIRE_TABLE_H
#define LCOWMIG__WIRE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef enum lcowmig__wire_kind {
	LCOWMIG__WIRE_VERSION, /* the payload's schema version, in no struct */
	LCOWMIG__WIRE_BOOL,
	LCOWMIG__WIRE_UINT32,
	LCOWMIG__WIRE_INT32,
	LCOWMIG__WIRE_UINT64,
	LCOWMIG__WIRE_INT64,
	LCOWMIG__WIRE_TEXT,
	LCOWMIG__WIRE_BYTES,
	LCOWMIG__WIRE_GUID, /* text on the wire, an lcowmig_guid in the struct */
	LCOWMIG__WIRE_MESSAGE,
	LCOWMIG__WIRE_ENVELOPE /* google.protobuf.Any around `message` */
} lcowmig__wire_kind;

typedef enum lcowmig__wire_shape {
	LCOWMIG__WIRE_ONE,
	LCOWMIG__WIRE_MANY, /* repeated */
	LCOWMIG__WIRE_MAP   /* elements that contain their key */
} lcowmig__wire_shape;

typedef enum lcowmig__wire_total {
	LCOWMIG__WIRE_TOTAL_NONE,
	LCOWMIG__WIRE_TOTAL_CONTAINERS, /* the count limit holds for all arrays of the envelope together; likewise below */
	LCOWMIG__WIRE_TOTAL_MOUNTS,
	LCOWMIG__WIRE_TOTALS
} lcowmig__wire_total;

/* Flags. */
#define LCOWMIG__WIRE_ALWAYS 1u        /* a single message or envelope that is written even when empty and has no presence member */
#define LCOWMIG__WIRE_REQUIRED 2u      /* absence is an error: of a single envelope, or of a map entry's value */
#define LCOWMIG__WIRE_SKIP_NO_VALUE 4u /* a map entry without a value is no entry, except in a sandbox */
#define LCOWMIG__WIRE_KEY_NOT_EMPTY 8u
#define LCOWMIG__WIRE_KEY_REPEATED 16u /* the value contains the key, a text, itself: both must agree */
#define LCOWMIG__WIRE_SORTED 32u       /* of MANY: sorted by the key in the element */

struct lcowmig__wire_message;

typedef struct lcowmig__wire_field {
	const char *name;
	uint32_t tag;
	lcowmig__wire_kind kind;
	lcowmig__wire_shape shape;
	unsigned flags;
	size_t offset;      /* of the value; of the array's pointer for MANY and MAP */
	size_t presence;    /* of the has_ flag of a single message or envelope; of the count for MANY and MAP */
	size_t size_limit;  /* the member of lcowmig_limits that bounds the bytes of a TEXT or BYTES value */
	size_t count_limit; /* the member of lcowmig_limits that bounds the elements */
	lcowmig__wire_total total;
	size_t element_size;
	lcowmig__wire_kind key_kind;
	size_t key_offset;     /* in the element */
	size_t key_size_limit; /* as size_limit */
	const struct lcowmig__wire_message *message;
} lcowmig__wire_field;

struct lcowmig__wire_reader;
struct lcowmig__wire_place;

typedef struct lcowmig__wire_message {
	/* Of payloads: */
	const char *type_url;
	size_t type_url_size;
	const char *name;   /* with which paths start */
	size_t struct_size; /* of what it is decoded to */
	/* Of all: */
	const lcowmig__wire_field *fields;
	size_t n_fields;
	/* Optional: judges `target` once the payload or element is complete, its arrays sorted. */
	lcowmig_status (*check)(const struct lcowmig__wire_reader *reader, const void *target, const struct lcowmig__wire_place *place);
} lcowmig__wire_message;

/* Rows: WIRE_FIELD(message, field) gives name and tag, the others the members that their kind needs. */
#define WIRE_FIELD(message_name, field_name) .name = #field_name, .tag = lcowmig__##message_name##_##field_name##_tag
#define WIRE_SCALAR(scalar_kind, type, member) .kind = LCOWMIG__WIRE_##scalar_kind, .offset = offsetof(type, member)
#define WIRE_LIMITED(scalar_kind, type, member, limit)                                                                                     \
	.kind = LCOWMIG__WIRE_##scalar_kind, .offset = offsetof(type, member), .size_limit = offsetof(lcowmig_limits, limit)
#define WIRE_ARRAY(type, member, element, limit)                                                                                           \
	.offset = offsetof(type, member), .presence = offsetof(type, n_##member), .element_size = sizeof(element),                         \
	.count_limit = offsetof(lcowmig_limits, limit)
#define WIRE_KEY(scalar_kind, element, member) .key_kind = LCOWMIG__WIRE_##scalar_kind, .key_offset = offsetof(element, member)
#define WIRE_KEY_LIMITED(scalar_kind, element, member, limit)                                                                              \
	WIRE_KEY(scalar_kind, element, member), .key_size_limit = offsetof(lcowmig_limits, limit)
#define WIRE_PAYLOAD(url, payload_name, type)                                                                                              \
	.type_url = (url), .type_url_size = sizeof(url) - 1, .name = (payload_name), .struct_size = sizeof(type)
#define WIRE_TABLE(table) .fields = (table), .n_fields = sizeof(table) / sizeof((table)[0])

extern const lcowmig__wire_message lcowmig__wire_sandbox_message;
extern const lcowmig__wire_message lcowmig__wire_vm_message;
extern const lcowmig__wire_message lcowmig__wire_pod_message;
extern const lcowmig__wire_message lcowmig__wire_container_message;
extern const lcowmig__wire_message lcowmig__wire_process_message;
extern const lcowmig__wire_message lcowmig__wire_network_message;
extern const lcowmig__wire_message lcowmig__wire_scsi_message;
extern const lcowmig__wire_message lcowmig__wire_duration_message;

#endif
