#include "text.h"

#include <stdint.h>
#include <string.h>

/* The bytes that one code point takes, 0 when they are not valid. */
static size_t utf8_step(const uint8_t *text, size_t size)
{
	uint8_t first = text[0];
	uint8_t low = 0x80;
	uint8_t high = 0xBF;
	size_t length;
	size_t i;

	if (first < 0x80)
		return first != 0;
	if (first < 0xC2 || first > 0xF4)
		return 0;
	length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
	if (length > size)
		return 0;
	/* Overlong forms, surrogates and everything above U+10FFFF show in the second byte. */
	if (first == 0xE0)
		low = 0xA0;
	else if (first == 0xED)
		high = 0x9F;
	else if (first == 0xF0)
		low = 0x90;
	else if (first == 0xF4)
		high = 0x8F;
	if (text[1] < low || text[1] > high)
		return 0;
	for (i = 2; i < length; i++)
		if ((text[i] & 0xC0) != 0x80)
			return 0;
	return length;
}

#define TEXT_HIGH_BITS UINT64_C(0x8080808080808080)
#define TEXT_LOW_BITS UINT64_C(0x0101010101010101)

/* Eight bytes of ASCII none of which is NUL: the subtraction borrows from a high bit exactly where a byte was zero, or at one above it. */
static bool utf8_is_plain(const char *text)
{
	uint64_t eight;

	memcpy(&eight, text, sizeof eight);
	return !((eight | (eight - TEXT_LOW_BITS)) & TEXT_HIGH_BITS);
}

bool lcowmig__utf8_is_valid(const char *text, size_t size)
{
	size_t at = 0;

	while (at < size) {
		size_t step;

		if (size - at >= sizeof(uint64_t) && utf8_is_plain(text + at)) {
			at += sizeof(uint64_t);
			continue;
		}
		step = utf8_step((const uint8_t *)text + at, size - at);
		if (!step)
			return false;
		at += step;
	}
	return true;
}

bool lcowmig__text_is_fine(const char *text, size_t limit)
{
	size_t size = text ? strlen(text) : 0;

	return size <= limit && lcowmig__utf8_is_valid(text, size);
}

bool lcowmig__text_is_given(const char *text, size_t limit)
{
	return !lcowmig__text_is_empty(text) && lcowmig__text_is_fine(text, limit);
}

bool lcowmig__text_starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool lcowmig__text_ends_with(const char *text, const char *suffix)
{
	size_t length = strlen(text);
	size_t suffix_length = strlen(suffix);

	return length >= suffix_length && memcmp(text + length - suffix_length, suffix, suffix_length) == 0;
}

static int lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

int lcowmig__text_compare_nocase(const char *a, const char *b)
{
	while (*a && lower(*a) == lower(*b)) {
		a++;
		b++;
	}
	return lower(*a) - lower(*b);
}

bool lcowmig__text_equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

void lcowmig__text_trim(char *text, size_t size)
{
	size_t start = strlen(text);

	if (start + 1 < size)
		return;
	while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
		start--;
	if (start > 0 && (unsigned char)text[start - 1] >= 0xC0)
		text[start - 1] = '\0';
}
