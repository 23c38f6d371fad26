/* Decodes an envelope into a struct by its table, and says where a mistake is. */
#ifndef LCOWMIG__WIRE_READER_H
#define LCOWMIG__WIRE_READER_H

#include "table.h"
#include "wire.h"

#define LCOWMIG__WIRE_NO_INDEX UINT64_MAX

/* One step of the path from the envelope to a field; lives on the stack of whoever went that step. */
typedef struct lcowmig__wire_place {
	const struct lcowmig__wire_place *above;
	const char *name;
	const char *key; /* the text key of a map's element, or NULL */
	uint64_t index;  /* the number of an array's element or the number key of a map's; or LCOWMIG__WIRE_NO_INDEX */
} lcowmig__wire_place;

/* Where a reader that does not stop at the first problem keeps count of them. */
typedef struct lcowmig__wire_problems {
	lcowmig__wire_report report;
	void *user;
	size_t count;
	bool is_spoiled; /* in what is being read, outside of its elements: it must not be judged as a whole */
	bool is_full;    /* no more elements are accepted where this happened */
	lcowmig_status first;
	lcowmig_error first_error;
} lcowmig__wire_problems;

typedef struct lcowmig__wire_reader {
	lcowmig__arena *arena;
	lcowmig_limits limits;
	bool strict; /* a sandbox is read: what a single payload may leave open must be settled */
	uint32_t totals[LCOWMIG__WIRE_TOTALS];
	lcowmig__wire_bytes last_text; /* the latest one that was decoded and is not empty */
	lcowmig_error *error;
	lcowmig__wire_problems *problems; /* NULL: the first one ends it */
} lcowmig__wire_reader;

/* Decodes, sorts and checks. `target` must be zeroed; it is in an undefined condition after a failure. `given` may be NULL. */
lcowmig_status lcowmig__wire_reader_init(lcowmig__wire_reader *reader, lcowmig__arena *arena, const lcowmig_limits *given, bool strict,
					 lcowmig_error *error);
lcowmig_status lcowmig__wire_read(lcowmig__wire_reader *reader, const lcowmig__wire_message *message, const uint8_t *data, size_t size,
				  void *target);
/* All of it for one payload alone, which `ret_payload` gets when it is sound. */
lcowmig_status lcowmig__wire_decode(const lcowmig__wire_message *message, lcowmig__arena *arena, const lcowmig_limits *limits,
				    const uint8_t *data, size_t size, void *ret_payload, lcowmig_error *error);

#define LCOWMIG__WIRE_PATH_SIZE 320

/* The path of `name` (may be NULL: of `place` itself), cut short when it is absurdly long. */
void lcowmig__wire_path(const lcowmig__wire_place *place, const char *name, char ret_path[LCOWMIG__WIRE_PATH_SIZE]);
/* Fails with "path: sentence". */
lcowmig_status lcowmig__wire_fail(const lcowmig__wire_reader *reader, const lcowmig__wire_place *place, const char *name,
				  lcowmig_status status, const char *format, ...) LCOWMIG__PRINTF(5, 6);
/* The same with INVALID_ARGUMENT, as for most. */
lcowmig_status lcowmig__wire_invalid(const lcowmig__wire_reader *reader, const lcowmig__wire_place *place, const char *name,
				     const char *format, ...) LCOWMIG__PRINTF(4, 5);
/*
 * What a check that goes on after a problem passes its status through: the same status, or LCOWMIG_OK when the problem in the reader's
 * error has been reported and others are of interest.
 */
lcowmig_status lcowmig__wire_tolerate(const lcowmig__wire_reader *reader, lcowmig_status status);
/* Puts the path in front of the sentence that is in the reader's error already. */
lcowmig_status lcowmig__wire_fail_inner(const lcowmig__wire_reader *reader, const lcowmig__wire_place *place, const char *name,
					lcowmig_status status);

/* Checks that several payloads need. */
lcowmig_status lcowmig__wire_check_duration(const lcowmig__wire_reader *reader, const lcowmig__wire_place *place, const char *name,
					    const lcowmig__wire_duration *duration);
/* One JSON object; absent is fine too. `what` names it in the sentence. */
lcowmig_status lcowmig__wire_check_json(const lcowmig__wire_reader *reader, const lcowmig__wire_place *place, const char *name,
					const char *what, const lcowmig__wire_bytes *json);
lcowmig_status lcowmig__wire_check_not_empty(const lcowmig__wire_reader *reader, const lcowmig__wire_place *place, const char *name,
					     const char *text);

/*
 * Shows each reservation that a container names, with the guest path of a layer (else NULL) and where it stands: at `name` (may be NULL) of
 * `place`. Goes on as far as lcowmig__wire_tolerate says.
 */
typedef lcowmig_status (*lcowmig__wire_user_visitor)(const void *context, const lcowmig_guid *id, const char *guest_path,
						     const lcowmig__wire_place *place, const char *name);
lcowmig_status lcowmig__wire_each_user(const lcowmig__wire_reader *reader, const lcowmig__wire_container *container,
				       const lcowmig__wire_place *place, lcowmig__wire_user_visitor visit, const void *context);

/* Sorts `count` elements of `size` bytes in n log n steps, linear when they are in order already. False: no memory. */
typedef int (*lcowmig__wire_order)(const void *a, const void *b, const void *context);
bool lcowmig__wire_sort(lcowmig__arena *arena, void *array, size_t count, size_t size, lcowmig__wire_order order, const void *context);

/* Sorts the keyed arrays of one struct (not those of its elements) and refuses keys that occur twice. */
lcowmig_status lcowmig__wire_arrange(const lcowmig__wire_reader *reader, const lcowmig__wire_message *message, const void *target,
				     const lcowmig__wire_place *place);

/* Of a sandbox decoded: all of the two below. */
lcowmig_status lcowmig__wire_validate(const lcowmig__wire_reader *reader, const lcowmig__wire_sandbox *sandbox);

/*
 * Of a sandbox decoded and found sound in each of its payloads: what no payload can see alone. The numbers in paths count the sorted
 * arrays, which are those of the wire when the envelope was canonical. `scratch` is for the checks' own needs.
 */
lcowmig_status lcowmig__wire_validate_ids(const lcowmig__wire_reader *reader, const lcowmig__wire_sandbox *sandbox,
					  lcowmig__arena *scratch);
lcowmig_status lcowmig__wire_validate_disks(const lcowmig__wire_reader *reader, const lcowmig__wire_sandbox *sandbox,
					    lcowmig__arena *scratch);

#endif
