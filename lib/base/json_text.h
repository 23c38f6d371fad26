/* JSON as text, for json.c and json_text.c: checking it, and walking over it once it has been checked. */
#ifndef LCOWMIG__JSON_TEXT_H
#define LCOWMIG__JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "lcowmig/limits.h"

/* cJSON reads no longer ones. */
#define LCOWMIG__JSON_NUMBER_MAX 63

/*
 * Whether `text` is one JSON value (RFC 8259) in valid UTF-8, whose strings hold neither U+0000 nor half a surrogate pair. OK,
 * CORRUPT_DATA or LIMIT_EXCEEDED (nesting and number of values as in `limits`, NULL: the defaults; the length of a number); `ret_at` is
 * where, `ret_problem` a static sentence about it.
 */
lcowmig_status lcowmig__json_check(const char *text, size_t size, const lcowmig_limits *limits, size_t *ret_at, const char **ret_problem);

/* The end of the string that begins at `at`, past its closing quote; of white space; of a number. For checked text. */
size_t lcowmig__json_skip_string(const char *text, size_t at);
size_t lcowmig__json_skip_space(const char *text, size_t size, size_t at);
size_t lcowmig__json_skip_number(const char *text, size_t size, size_t at);
/* The value of the four hexadecimal digits at `digits`, -1 when they are not. */
int lcowmig__json_hex4(const char *digits);

#endif
