/* Single values and keys: from the wire into members of structs, under their limits. */
#ifndef LCOWMIG__WIRE_VALUE_H
#define LCOWMIG__WIRE_VALUE_H

#include "cursor.h"
#include "reader.h"

/* The value of the member of lcowmig_limits at `offset`, which no table leaves out where a limit is asked for. */
uint32_t lcowmig__wire_limit(const lcowmig__wire_reader *reader, size_t offset);
/* CORRUPT_DATA with what the cursor stumbled over. */
lcowmig_status lcowmig__wire_broken(const lcowmig__wire_reader *reader, const lcowmig__wire_place *place, const char *name,
				    const lcowmig__wire_cursor *cursor);
pb_wire_type_t lcowmig__wire_type(const lcowmig__wire_field *field);
lcowmig_status lcowmig__wire_check_type(const lcowmig__wire_reader *reader, const lcowmig__wire_place *place, const char *name,
					pb_wire_type_t type, pb_wire_type_t expected);

/* `size_limit` is an offset as above. */
lcowmig_status lcowmig__wire_take_text(lcowmig__wire_reader *reader, const lcowmig__wire_place *place, const char *name,
				       size_t size_limit, lcowmig__wire_bytes bytes, const char **ret_text);
lcowmig_status lcowmig__wire_take_bytes(const lcowmig__wire_reader *reader, const lcowmig__wire_place *place,
					const lcowmig__wire_field *field, lcowmig__wire_bytes bytes, lcowmig__wire_bytes *ret_bytes);
lcowmig_status lcowmig__wire_take_guid(const lcowmig__wire_reader *reader, const lcowmig__wire_place *place, const char *name,
				       lcowmig__wire_bytes bytes, lcowmig_guid *ret_guid);
/* Values wider than the field lose their upper bits, as in every protobuf decoder. */
void lcowmig__wire_take_number(const lcowmig__wire_field *field, void *member, uint64_t number);

#endif
