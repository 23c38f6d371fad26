/*
 * Says an envelope again in other bytes, as other encoders might (or must not): the library's own tables tell which fields are messages.
 * The lengths around a change are always mended, so that only the change itself is wrong.
 */
#ifndef WIRE_REWRITE_H
#define WIRE_REWRITE_H

#include "fixture.h"
#include "wire/table.h"

typedef enum wire_damage {
	WIRE_DAMAGE_NONE,
	WIRE_DAMAGE_TYPE,    /* the value gets the foreign wire type `with_type`, and is a sound value of that type */
	WIRE_DAMAGE_CUT,     /* the last byte of the field is dropped */
	WIRE_DAMAGE_LENGTH,  /* the length of the value claims 100 bytes more than the envelope has */
	WIRE_DAMAGE_TAG_0,   /* a field with the number 0 precedes */
	WIRE_DAMAGE_ENDLESS, /* the number, or the length, has no end */
	WIRE_DAMAGE_VARINT   /* an endless varint precedes, as an unknown field */
} wire_damage;

typedef struct wire_rewrite {
	/* What any decoder accepts. */
	bool reversed;    /* fields in falling order; repeated ones keep theirs, map entries do not */
	unsigned padding; /* every tag, length and number takes so many bytes more, as far as 5 and 10 bytes allow */
	bool unknown;     /* unknown fields of every wire type before each field */
	bool split;       /* single messages come as two, each with a part of the fields */
	bool decoys;      /* scalars come twice, the first with another value */
	bool wide;        /* bits above a 32-bit field's width are set */
	/* What none should accept: done to the field with this number, counted from 1 through the whole envelope; 0: to none. */
	unsigned damaged;
	wire_damage damage;
	int with_type;
	/* Results. */
	unsigned fields; /* known fields seen */
	bool is_damaged;
	char path[256]; /* of the damaged field, without numbers and keys */
} wire_rewrite;

/* Appends to `out`. `data` must be a sound envelope of the payload. */
void wire_rewrite_envelope(wire_rewrite *rewrite, const lcowmig__wire_message *message, const void *data, size_t size, lcowmig__buf *out);

/* Building bytes by hand. */
void wire_put_varint(lcowmig__buf *out, uint64_t number, unsigned padding);
void wire_put_number(lcowmig__buf *out, uint32_t tag, uint64_t number);
void wire_put_bytes(lcowmig__buf *out, uint32_t tag, const void *data, size_t size);
void wire_put_text(lcowmig__buf *out, uint32_t tag, const char *text);

/*
 * Copies the message in `data` and changes it at `path`, "/"-separated field numbers, each with an optional "#n" for the n-th occurrence
 * (from 0): what stood there is replaced by `replacement`, a sequence of encoded fields (empty: removed). A last step "+" appends
 * instead. Fails the test when there is no such place.
 */
void wire_edit(const void *data, size_t size, const char *path, const lcowmig__buf *replacement, lcowmig__buf *out);

#endif
