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
	} while (depth);
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

/* What a path leads to, and the object that holds it or could. Of members with one name the last counts. */
typedef struct text_search {
	const char *text;
	size_t size;
	bool has_value;
	bool has_parent;
	lcowmig__json_span value;
	lcowmig__json_span parent;
} text_search;

static size_t search_value(text_search *search, const char *path, size_t length, size_t member, size_t at);

/* One walk over the object that begins at `at`, for `length` bytes of path inside it. Returns where the object ends. */
static size_t search_object(text_search *search, const char *path, size_t length, size_t at)
{
	const char *slash = memchr(path, '/', length);
	size_t key = slash ? (size_t)(slash - path) : length;
	size_t rest = slash ? key + 1 : key;
	const char *text = search->text;

	at = lcowmig__json_skip_space(text, search->size, at + 1);
	while (text[at] != '}') {
		size_t member = at;
		size_t value = lcowmig__json_skip_space(text, search->size, lcowmig__json_skip_string(text, at)) + 1;

		value = lcowmig__json_skip_space(text, search->size, value);
		if (text_key_equals(text, member, path, key))
			at = search_value(search, path + rest, length - rest, member, value);
		else
			at = text_skip_value(text, search->size, value);
		at = lcowmig__json_skip_space(text, search->size, at);
		if (text[at] == ',')
			at = lcowmig__json_skip_space(text, search->size, at + 1);
	}
	return at + 1;
}

static void search_note(const text_search *search, size_t member, size_t start, size_t end, lcowmig__json_span *ret_span)
{
	bool is_object = search->text[start] == '{';
	bool is_container = is_object || search->text[start] == '[';
	bool is_empty = is_container && lcowmig__json_skip_space(search->text, search->size, start + 1) == end - 1;

	*ret_span = (lcowmig__json_span){ member, start, end, is_object, is_empty };
}

/* `path` leads to this value, or on from it. Recursive as deep as the path. Returns where the value ends. */
static size_t search_value(text_search *search, const char *path, size_t length, size_t member, size_t at)
{
	bool is_object = search->text[at] == '{';
	bool is_parent = length && !memchr(path, '/', length);
	size_t end;

	/* What an earlier member of the same name has led to counts no more. */
	search->has_value = false;
	if (length)
		search->has_parent = false;
	end = length && is_object ? search_object(search, path, length, at) : text_skip_value(search->text, search->size, at);
	if (is_parent && is_object) {
		search_note(search, member, at, end, &search->parent);
		search->has_parent = true;
	}
	if (!length) {
		search_note(search, member, at, end, &search->value);
		search->has_value = true;
	}
	return end;
}

/* An empty path is the whole document. */
static text_search text_find(const char *text, size_t size, const char *path)
{
	text_search search = { .text = text, .size = size };
	size_t start = lcowmig__json_skip_space(text, size, 0);

	if (start < size)
		search_value(&search, path, strlen(path), start, start);
	return search;
}

bool lcowmig__json_find(const char *text, size_t size, const char *path, lcowmig__json_span *ret_span)
{
	text_search search = text_find(text, size, path);

	if (search.has_value)
		*ret_span = search.value;
	return search.has_value;
}

bool lcowmig__json_is_object(const char *text, size_t size)
{
	return text[lcowmig__json_skip_space(text, size, 0)] == '{';
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
	if (key) {
		lcowmig__json_put_string(&buf, key);
		lcowmig__buf_append(&buf, ":", 1);
	}
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
	text_search search = text_find(text, size, path);
	char *spliced;
	size_t at;

	if (search.has_value) {
		spliced = text_rebuild(mem, text, size, search.value.value_start, search.value.value_end, false, NULL, value, ret_size);
	} else {
		if (!search.has_parent)
			return LCOWMIG_E_NOT_FOUND;
		/* Right behind the last member, so that the layout in front of the closing brace stays where it is. */
		at = search.parent.value_end - 1;
		while (strchr(" \t\n\r", text[at - 1]))
			at--;
		spliced = text_rebuild(mem, text, size, at, at, !search.parent.is_empty, slash ? slash + 1 : path, value, ret_size);
	}
	if (!spliced)
		return LCOWMIG_E_NO_MEMORY;
	*ret_text = spliced;
	return LCOWMIG_OK;
}
