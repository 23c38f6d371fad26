/* JSON in and out; see json.h. */
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 32

struct reader {
	const char *at;
	const char *end;
};

void *guest_alloc(size_t size)
{
	void *memory = calloc(1, size ? size : 1);

	if (!memory)
		abort();
	return memory;
}

char *guest_strdup(const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(guest_alloc(size), text, size);
}

char *guest_printf(const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		abort();
	va_end(arguments);
	return text;
}

void text_add(struct text *text, const void *bytes, size_t size)
{
	if (text->size + size + 1 > text->capacity) {
		text->capacity = 2 * (text->size + size + 1);
		text->bytes = realloc(text->bytes, text->capacity);
		if (!text->bytes)
			abort();
	}
	memcpy(text->bytes + text->size, bytes, size);
	text->size += size;
	text->bytes[text->size] = '\0';
}

void text_printf(struct text *text, const char *format, ...)
{
	va_list arguments;
	char *part;
	int size;

	va_start(arguments, format);
	size = vasprintf(&part, format, arguments);
	va_end(arguments);
	if (size < 0)
		abort();
	text_add(text, part, (size_t)size);
	free(part);
}

void text_quote(struct text *text, const char *value)
{
	text_add(text, "\"", 1);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			text_printf(text, "\\%c", *value);
		else if ((unsigned char)*value < 0x20)
			text_printf(text, "\\u%04x", (unsigned)*value);
		else
			text_add(text, value, 1);
	}
	text_add(text, "\"", 1);
}

void text_done(struct text *text)
{
	free(text->bytes);
	memset(text, 0, sizeof *text);
}

static void read_space(struct reader *reader)
{
	while (reader->at < reader->end && strchr(" \t\r\n", *reader->at))
		reader->at++;
}

static bool read_hex(struct reader *reader, uint32_t *ret_value)
{
	char digits[5] = { 0 };
	char *end;

	if (reader->end - reader->at < 4)
		return false;
	memcpy(digits, reader->at, 4);
	*ret_value = (uint32_t)strtoul(digits, &end, 16);
	reader->at += 4;
	return end == digits + 4;
}

static void put_utf8(struct text *text, uint32_t code)
{
	char bytes[4];
	size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const unsigned char lead[5] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = size; i-- > 1; code >>= 6)
		bytes[i] = (char)(0x80 | (code & 0x3f));
	bytes[0] = (char)(lead[size] | code);
	text_add(text, bytes, size);
}

static bool read_escape(struct reader *reader, struct text *text)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	const char *found;
	uint32_t code;
	uint32_t low;
	char letter;

	if (reader->at == reader->end)
		return false;
	letter = *reader->at++;
	found = letter ? strchr(from, letter) : NULL;
	if (found) {
		text_add(text, to + (found - from), 1);
		return true;
	}
	if (letter != 'u' || !read_hex(reader, &code) || code == 0)
		return false;
	if (code >= 0xd800 && code < 0xdc00 && reader->end - reader->at >= 6 && reader->at[0] == '\\' && reader->at[1] == 'u') {
		reader->at += 2;
		if (!read_hex(reader, &low))
			return false;
		code = 0x10000 + ((code - 0xd800) << 10) + ((low - 0xdc00) & 0x3ff);
	}
	put_utf8(text, code);
	return true;
}

/* The opening quote has been read. */
static char *read_text(struct reader *reader)
{
	struct text text = { 0 };

	text_add(&text, "", 0);
	while (reader->at < reader->end) {
		char letter = *reader->at++;

		if (letter == '"')
			return text.bytes;
		if (letter != '\\')
			text_add(&text, &letter, 1);
		else if (!read_escape(reader, &text))
			break;
	}
	text_done(&text);
	return NULL;
}

static struct json *read_value(struct reader *reader, int depth);

/* The opening bracket has been read. */
static bool read_members(struct reader *reader, struct json *json, int depth)
{
	char close = json->kind == JSON_OBJECT ? '}' : ']';
	struct json **last = &json->child;

	read_space(reader);
	if (reader->at < reader->end && *reader->at == close)
		return reader->at++ != NULL;
	for (;;) {
		char *key = NULL;

		read_space(reader);
		if (json->kind == JSON_OBJECT) {
			if (reader->at == reader->end || *reader->at++ != '"' || !(key = read_text(reader)))
				return false;
			read_space(reader);
			if (reader->at == reader->end || *reader->at++ != ':') {
				free(key);
				return false;
			}
		}
		*last = read_value(reader, depth + 1);
		if (!*last) {
			free(key);
			return false;
		}
		(*last)->key = key;
		last = &(*last)->next;
		read_space(reader);
		if (reader->at == reader->end)
			return false;
		if (*reader->at == close)
			return reader->at++ != NULL;
		if (*reader->at++ != ',')
			return false;
	}
}

static bool read_word(struct reader *reader, const char *word)
{
	size_t size = strlen(word);

	if ((size_t)(reader->end - reader->at) < size || memcmp(reader->at, word, size) != 0)
		return false;
	reader->at += size;
	return true;
}

static bool read_number(struct reader *reader, struct json *json)
{
	const char *start = reader->at;

	while (reader->at < reader->end && strchr("+-.0123456789eE", *reader->at))
		reader->at++;
	json->kind = JSON_NUMBER;
	json->text = strndup(start, (size_t)(reader->at - start));
	return reader->at > start && json->text;
}

static struct json *read_value(struct reader *reader, int depth)
{
	struct json *json = guest_alloc(sizeof *json);
	bool good = false;

	read_space(reader);
	if (reader->at == reader->end || depth > DEPTH_MAX) {
		good = false;
	} else if (*reader->at == '{' || *reader->at == '[') {
		json->kind = *reader->at++ == '{' ? JSON_OBJECT : JSON_ARRAY;
		good = read_members(reader, json, depth);
	} else if (*reader->at == '"') {
		reader->at++;
		json->kind = JSON_TEXT;
		good = (json->text = read_text(reader)) != NULL;
	} else if (read_word(reader, "true")) {
		json->kind = JSON_TRUE;
		good = true;
	} else if (read_word(reader, "false")) {
		json->kind = JSON_FALSE;
		good = true;
	} else if (read_word(reader, "null")) {
		good = true;
	} else {
		good = read_number(reader, json);
	}
	if (good)
		return json;
	json_free(json);
	return NULL;
}

struct json *json_parse(const char *text, size_t size)
{
	struct reader reader = { text, text + size };
	struct json *json = read_value(&reader, 0);

	read_space(&reader);
	if (json && reader.at == reader.end)
		return json;
	json_free(json);
	return NULL;
}

void json_free(struct json *json)
{
	while (json) {
		struct json *next = json->next;

		json_free(json->child);
		free(json->key);
		free(json->text);
		free(json);
		json = next;
	}
}

const struct json *json_get(const struct json *json, const char *key)
{
	const struct json *found = NULL;

	for (const struct json *child = json && json->kind == JSON_OBJECT ? json->child : NULL; child; child = child->next) {
		if (strcmp(child->key, key) == 0)
			found = child; /* of duplicates the last one wins */
	}
	return found;
}

const char *json_text(const struct json *json, const char *key)
{
	const struct json *found = json_get(json, key);

	return found && found->kind == JSON_TEXT ? found->text : "";
}

uint64_t json_number(const struct json *json, const char *key)
{
	const struct json *found = json_get(json, key);

	return found && found->kind == JSON_NUMBER ? strtoull(found->text, NULL, 10) : 0;
}

bool json_true(const struct json *json, const char *key)
{
	const struct json *found = json_get(json, key);

	return found && found->kind == JSON_TRUE;
}
