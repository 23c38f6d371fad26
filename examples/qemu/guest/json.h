/* A small JSON reader, and a text that grows, for writing. Everything ends the program when there is no memory. */
#ifndef GUEST_JSON_H
#define GUEST_JSON_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_kind { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_TEXT, JSON_ARRAY, JSON_OBJECT };

struct json {
	enum json_kind kind;
	char *key;          /* in an object; else NULL */
	char *text;         /* of a text, or the digits of a number */
	struct json *child; /* the first one */
	struct json *next;
};

/* NULL when it is not one JSON value. */
struct json *json_parse(const char *text, size_t size);
void json_free(struct json *json);

/* The member, or NULL; `json` may be NULL. */
const struct json *json_get(const struct json *json, const char *key);
const char *json_text(const struct json *json, const char *key); /* "" when it is not there */
uint64_t json_number(const struct json *json, const char *key);  /* 0 when it is not there */
bool json_true(const struct json *json, const char *key);

struct text {
	char *bytes; /* NUL-terminated once something was added */
	size_t size;
	size_t capacity;
};

void text_add(struct text *text, const void *bytes, size_t size);
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_quote(struct text *text, const char *value); /* as a JSON string */
void text_done(struct text *text);

void *guest_alloc(size_t size);
char *guest_strdup(const char *text);
char *guest_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
