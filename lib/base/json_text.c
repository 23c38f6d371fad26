#include "json_text.h"

#include <stdint.h>
#include <string.h>

#include "buf.h"
#include "json.h"

size_t lcowmig__json_skip_space(const char *text, size_t size, size_t at)
{
	while (at < size && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r'))
		at++;
	return at;
}

/* The closing quote is the first that an even number of backslashes precedes. memchr stops at it, so it needs no real bound. */
size_t lcowmig__json_skip_string(const char *text, size_t at)
{
	size_t start = at + 1;
	size_t end = start;

	for (;;) {
		size_t backslashes = 0;

		end = (size_t)((const char *)memchr(text + end, '"', SIZE_MAX / 2) - text);
		while (end - backslashes > start && text[end - backslashes - 1] == '\\')
			backslashes++;
		end++;
		if (backslashes % 2 == 0)
			return end;
	}
}

size_t lcowmig__json_skip_number(const char *text, size_t size, size_t at)
{
	while (at < size && ((text[at] >= '0' && text[at] <= '9') || text[at] == '-' || text[at] == '+' || text[at] == '.' ||
			     text[at] == 'e' || text[at] == 'E'))
		at++;
	return at;
}

/* Past the value that begins at `at`. Inside a container only strings and brackets matter. */
static size_t text_skip_value(const char *text, size_t size, size_t at)
{
	size_t depth = 0;

	if (text[at] != '{' && text[at] != '[' && text[at] != '"') {
		while (at < size && !strchr(",]} \t\n\r", text[at]))
			at++;
		return at;
	}
	do {
		if (text[at] == '"') {
			at = lcowmig__json_skip_string(text, at);
			continue;
		}
		if (text[at] == '{' || text[at] == '[')
			depth++;
		else if (text[at] == '}' || text[at] == ']')
			depth--;
		at++;
	} while (depth && at < size);
	return at;
}

static size_t utf8_put(char *bytes, unsigned long code)
{
	if (code < 0x80) {
		bytes[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		bytes[0] = (char)(0xC0 | code >> 6);
		bytes[1] = (char)(0x80 | (code & 0x3F));
		return 2;
	}
	if (code < 0x10000) {
		bytes[0] = (char)(0xE0 | code >> 12);
		bytes[1] = (char)(0x80 | (code >> 6 & 0x3F));
		bytes[2] = (char)(0x80 | (code & 0x3F));
		return 3;
	}
	bytes[0] = (char)(0xF0 | code >> 18);
	bytes[1] = (char)(0x80 | (code >> 12 & 0x3F));
	bytes[2] = (char)(0x80 | (code >> 6 & 0x3F));
	bytes[3] = (char)(0x80 | (code & 0x3F));
	return 4;
}

/* Decodes what stands at `*at` of a checked string and moves on; returns how many bytes it makes. */
static size_t text_unescape(const char *text, size_t *at, char bytes[4])
{
	static const char letters[] = "bfnrt";
	static const char meanings[] = "\b\f\n\r\t";
	const char *letter;
	unsigned long code;

	if (text[*at] != '\\') {
		bytes[0] = text[(*at)++];
		return 1;
	}
	if (text[*at + 1] != 'u') {
		letter = strchr(letters, text[*at + 1]);
		bytes[0] = letter ? meanings[letter - letters] : text[*at + 1];
		*at += 2;
		return 1;
	}
	code = (unsigned long)lcowmig__json_hex4(text + *at + 2);
	*at += 6;
	if (code >= 0xD800 && code <= 0xDBFF) {
		code = 0x10000 + ((code - 0xD800) << 10) + ((unsigned long)lcowmig__json_hex4(text + *at + 2) - 0xDC00);
		*at += 6;
	}
	return utf8_put(bytes, code);
}

static bool text_key_equals(const char *text, size_t at, const char *key, size_t length)
{
	at++;
	while (text[at] != '"') {
		char bytes[4];
		size_t count = text_unescape(text, &at, bytes);

		if (count > length || memcmp(bytes, key, count) != 0)
			return false;
		key += count;
		length -= count;
	}
	return length == 0;
}

/* The last member called `key` of the object that begins at `at`. */
static bool text_find_member(const char *text, size_t size, size_t at, const char *key, size_t length, lcowmig__json_span *ret_span)
{
	bool found = false;

	at = lcowmig__json_skip_space(text, size, at + 1);
	while (text[at] != '}') {
		size_t member = at;
		size_t value = lcowmig__json_skip_space(text, size, lcowmig__json_skip_string(text, at)) + 1;

		value = lcowmig__json_skip_space(text, size, value);
		at = text_skip_value(text, size, value);
		if (text_key_equals(text, member, key, length)) {
			ret_span->member_start = member;
			ret_span->value_start = value;
			ret_span->value_end = at;
			found = true;
		}
		at = lcowmig__json_skip_space(text, size, at);
		if (text[at] == ',')
			at = lcowmig__json_skip_space(text, size, at + 1);
	}
	return found;
}

/* Follows `length` bytes of path; an empty path is the whole document. */
static bool text_find(const char *text, size_t size, const char *path, size_t length, lcowmig__json_span *ret_span)
{
	lcowmig__json_span span = { 0 };
	size_t start = lcowmig__json_skip_space(text, size, 0);
	size_t inside;

	if (start >= size)
		return false;
	span.member_start = start;
	span.value_start = start;
	for (span.value_end = size; strchr(" \t\n\r", text[span.value_end - 1]); span.value_end--)
		; /* the document is one value and space around it */
	while (length) {
		const char *slash = memchr(path, '/', length);
		size_t part = slash ? (size_t)(slash - path) : length;

		if (text[span.value_start] != '{' || !text_find_member(text, size, span.value_start, path, part, &span))
			return false;
		part += slash ? 1 : 0;
		path += part;
		length -= part;
	}
	span.is_object = text[span.value_start] == '{';
	if (span.is_object || text[span.value_start] == '[') {
		inside = lcowmig__json_skip_space(text, size, span.value_start + 1);
		span.is_empty = inside == span.value_end - 1;
	}
	*ret_span = span;
	return true;
}

bool lcowmig__json_find(const char *text, size_t size, const char *path, lcowmig__json_span *ret_span)
{
	return text_find(text, size, path, strlen(path), ret_span);
}

static void text_put_key(lcowmig__buf *buf, const char *key)
{
	lcowmig__buf_append(buf, "\"", 1);
	for (; *key; key++) {
		if (*key == '"' || *key == '\\')
			lcowmig__buf_append(buf, "\\", 1);
		if ((unsigned char)*key < 0x20)
			lcowmig__buf_printf(buf, "\\u%04x", (unsigned)*key);
		else
			lcowmig__buf_append(buf, key, 1);
	}
	lcowmig__buf_append(buf, "\":", 2);
}

/* The text with `from` to `to` replaced by [comma, key,] value. */
static char *text_rebuild(const lcowmig__mem *mem, const char *text, size_t size, size_t from, size_t to, bool comma, const char *key,
			  const char *value, size_t *ret_size)
{
	lcowmig__buf buf;
	size_t built;
	char *whole;

	lcowmig__buf_init(&buf, mem);
	lcowmig__buf_reserve(&buf, size + strlen(value) + (key ? strlen(key) : 0) + 4);
	lcowmig__buf_append(&buf, text, from);
	if (comma)
		lcowmig__buf_append(&buf, ",", 1);
	if (key)
		text_put_key(&buf, key);
	lcowmig__buf_text(&buf, value);
	lcowmig__buf_append(&buf, text + to, size - to);
	built = buf.size;
	whole = lcowmig__buf_take(&buf);
	if (whole)
		*ret_size = built;
	return whole;
}

lcowmig_status lcowmig__json_splice(const lcowmig__mem *mem, const char *text, size_t size, const char *path, const char *value,
				    char **ret_text, size_t *ret_size)
{
	const char *slash = strrchr(path, '/');
	lcowmig__json_span span;
	char *spliced;
	size_t at;

	if (lcowmig__json_find(text, size, path, &span)) {
		spliced = text_rebuild(mem, text, size, span.value_start, span.value_end, false, NULL, value, ret_size);
	} else {
		if (!text_find(text, size, path, slash ? (size_t)(slash - path) : 0, &span) || !span.is_object)
			return LCOWMIG_E_NOT_FOUND;
		/* Right behind the last member, so that the layout in front of the closing brace stays where it is. */
		at = span.value_end - 1;
		while (strchr(" \t\n\r", text[at - 1]))
			at--;
		spliced = text_rebuild(mem, text, size, at, at, !span.is_empty, slash ? slash + 1 : path, value, ret_size);
	}
	if (!spliced)
		return LCOWMIG_E_NO_MEMORY;
	*ret_text = spliced;
	return LCOWMIG_OK;
}
