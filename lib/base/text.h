/* Small questions about strings. */
#ifndef LCOWMIG__TEXT_H
#define LCOWMIG__TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Valid UTF-8 (no overlong form, no surrogate, nothing above U+10FFFF) without a NUL inside. */
bool lcowmig__utf8_is_valid(const char *text, size_t size);
/* At most `limit` bytes of valid UTF-8; NULL counts as none. */
bool lcowmig__text_is_fine(const char *text, size_t limit);
/* The same, and not empty. */
bool lcowmig__text_is_given(const char *text, size_t limit);
/* Cuts a text that fills `size` bytes, and so may have been truncated, back to a whole UTF-8 character. */
void lcowmig__text_trim(char *text, size_t size);
bool lcowmig__text_starts_with(const char *text, const char *prefix);
bool lcowmig__text_ends_with(const char *text, const char *suffix);
/* ASCII letters only, whatever the locale. */
int lcowmig__text_compare_nocase(const char *a, const char *b);
bool lcowmig__text_equal(const char *a, const char *b); /* NULL equals only NULL */
static inline bool lcowmig__text_is_empty(const char *text)
{
	return !text || !text[0];
}

#endif
