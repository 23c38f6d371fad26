/*
 * JSON that keeps what cJSON alone would lose. Trees are ordinary cJSON trees (cJSON_Delete frees them).
 *
 * Parsing bounds size and depth before cJSON sees the text, and refuses trailing garbage, invalid UTF-8, \u0000 and lone surrogates in
 * strings. A number that a double cannot hold exactly becomes a cJSON_Raw node with the original digits, so printing gives it back.
 */
#ifndef LCOWMIG__JSON_H
#define LCOWMIG__JSON_H

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "alloc.h"
#include "buf.h"
#include "error.h"
#include "lcowmig/limits.h"

/* CORRUPT_DATA, LIMIT_EXCEEDED or NO_MEMORY. `what` names the document in the error ("OCI spec"). Of `limits` (NULL: the defaults)
 * nesting and number of values count. */
lcowmig_status lcowmig__json_parse(const char *what, const char *text, size_t size, size_t size_limit,
                                   const lcowmig_limits *limits, cJSON **ret_tree, lcowmig_error *error);

/* The same refusals, without a tree. */
lcowmig_status lcowmig__json_validate(const char *what, const char *text, size_t size, size_t size_limit, const lcowmig_limits *limits,
				      lcowmig_error *error);

/* Compact text in memory of `mem` (lcowmig__free). NULL when memory is out, also when `tree` is NULL (a failed construction). */
char *lcowmig__json_print(const lcowmig__mem *mem, const cJSON *tree);

/* Lookups are case-sensitive first, then case-insensitive, as Go's decoder does; for duplicate keys the last one wins. */
const cJSON *lcowmig__json_get(const cJSON *object, const char *key);
const char *lcowmig__json_string(const cJSON *object, const char *key); /* NULL when absent or not a string */
bool lcowmig__json_bool(const cJSON *object, const char *key);          /* false when absent or not a boolean */
/* False when absent, not a number, not an integer or out of the type's range. Exact beyond 2^53 too. */
bool lcowmig__json_int64(const cJSON *object, const char *key, int64_t *ret_value);
bool lcowmig__json_uint64(const cJSON *object, const char *key, uint64_t *ret_value);
bool lcowmig__json_uint32(const cJSON *object, const char *key, uint32_t *ret_value);

/*
 * Writing, without a tree: cJSON's would not come from the context's allocator. `form` is the shape of the document, as in
 * "{Name:s Lun:u Settings:{Path:s Files:a} List:[{Index:U}]}": braces and brackets are written as they stand, and each member takes its
 * value from the arguments:
 *
 *     s  const char *     a text; left out when NULL or ""
 *     S  const char *     a text, always written
 *     b  bool             left out when false
 *     u  uint32_t         left out when 0
 *     U  uint32_t         always written
 *     n  uint64_t         left out when 0
 *     a  const char *const *, size_t   texts; left out when there are none
 *     j  const char *     JSON as it stands; left out when NULL or ""
 *     d  char *           the same, of `mem` and taken: what another call made. NULL, which is how that fails, makes this one fail
 *     t  char *           taken likewise, written as a text (a document inside a string)
 *
 * json_write appends to `buf`, whose failure is sticky, and may be used for a part: "{Path:s", and the rest later. json_write_key begins a
 * member whose key is not known before; the value is up to the caller. json_text gives the document in memory of `mem` (lcowmig__free),
 * NULL when memory is out.
 */
void lcowmig__json_write(lcowmig__buf *buf, const char *form, ...);
void lcowmig__json_vwrite(lcowmig__buf *buf, const char *form, va_list *arguments);
void lcowmig__json_write_key(lcowmig__buf *buf, const char *key);
char *lcowmig__json_text(const lcowmig__mem *mem, const char *form, ...);
/* Appends `text` as a JSON string. */
void lcowmig__json_put_string(lcowmig__buf *buf, const char *text);

/*
 * Changing a tree. Each adds a member unless the value is false, NULL or "", and returns false only when memory is out. An `object` of NULL
 * returns false, so a chain of calls can be tested once.
 */
bool lcowmig__json_add_string(cJSON *object, const char *key, const char *value);
bool lcowmig__json_add_bool(cJSON *object, const char *key, bool value);
bool lcowmig__json_add_item(cJSON *object, const char *key, cJSON *item); /* takes `item` in every case; false when it is NULL */

/*
 * Where a member stands in the text: the byte range of its value, and of the whole member. `path` is "/"-separated, keys matched
 * case-sensitively ("VirtualMachine/Devices/Scsi"). An empty path is the whole. The text must have passed
 * lcowmig__json_validate or lcowmig__json_parse.
 */
typedef struct lcowmig__json_span {
	size_t member_start; /* at the key's opening quote */
	size_t value_start;
	size_t value_end;
	bool is_object;
	bool is_empty; /* an object or array without content */
} lcowmig__json_span;
bool lcowmig__json_find(const char *text, size_t size, const char *path, lcowmig__json_span *ret_span);
/* Whether the whole of such a text is an object. */
bool lcowmig__json_is_object(const char *text, size_t size);

/*
 * Replaces, or adds where the parent object exists, the value at `path` by `value` (JSON text) and leaves every other byte as it was.
 * Gives a new NUL-terminated text in memory of `mem`. NOT_FOUND when the parent object does not exist; NO_MEMORY.
 */
lcowmig_status lcowmig__json_splice(const lcowmig__mem *mem, const char *text, size_t size, const char *path, const char *value,
                                    char **ret_text, size_t *ret_size);

#endif
