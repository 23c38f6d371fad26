#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "text.h"

/* What stands before a member or an element: a comma, unless it is the first or the value of a key that was written. */
static void write_comma(lcowmig__buf *buf)
{
	char last = buf->size ? buf->data[buf->size - 1] : '{';

	if (last != '{' && last != '[' && last != ':')
		lcowmig__buf_append(buf, ",", 1);
}

/* A string with its quotes. Bytes from 0x20 on are passed on as they are, apart from quotes and backslashes. */
void lcowmig__json_put_string(lcowmig__buf *buf, const char *text)
{
	static const char escaped[] = "\"\\\b\f\n\r\t";
	static const char letters[] = "\"\\bfnrt";

	lcowmig__buf_append(buf, "\"", 1);
	for (;;) {
		const char *start = text;
		const char *found;

		while ((unsigned char)*text >= 0x20 && *text != '"' && *text != '\\')
			text++;
		lcowmig__buf_append(buf, start, (size_t)(text - start));
		if (!*text)
			break;
		found = strchr(escaped, *text);
		if (found)
			lcowmig__buf_printf(buf, "\\%c", letters[found - escaped]);
		else
			lcowmig__buf_printf(buf, "\\u%04x", (unsigned char)*text);
		text++;
	}
	lcowmig__buf_append(buf, "\"", 1);
}

static void write_key(lcowmig__buf *buf, const char *key, size_t length)
{
	write_comma(buf);
	lcowmig__buf_append(buf, "\"", 1);
	lcowmig__buf_append(buf, key, length);
	lcowmig__buf_append(buf, "\":", 2);
}

void lcowmig__json_write_key(lcowmig__buf *buf, const char *key)
{
	write_key(buf, key, strlen(key));
}

/* A member whose value is text: `is_document`, already JSON. */
static void write_text(lcowmig__buf *buf, const char *key, size_t length, const char *text, bool is_document)
{
	write_key(buf, key, length);
	if (is_document)
		lcowmig__buf_text(buf, text);
	else
		lcowmig__json_put_string(buf, text);
}

/* The same with what was built for it. */
static void write_taken(lcowmig__buf *buf, const char *key, size_t length, char *text, bool is_document)
{
	if (!text)
		buf->failed = true;
	else if (text[0])
		write_text(buf, key, length, text, is_document);
	lcowmig__free(buf->mem, text);
}

static void write_texts(lcowmig__buf *buf, const char *key, size_t length, const char *const *texts, size_t count)
{
	size_t i;

	if (!count)
		return;
	write_key(buf, key, length);
	lcowmig__buf_append(buf, "[", 1);
	for (i = 0; i < count; i++) {
		write_comma(buf);
		lcowmig__json_put_string(buf, texts[i]);
	}
	lcowmig__buf_append(buf, "]", 1);
}

/* One member; its value is the next of the arguments. */
static void write_member(lcowmig__buf *buf, const char *key, size_t length, char kind, va_list *arguments)
{
	const char *const *texts;
	const char *text;
	uint64_t number;
	char digits[24];

	switch (kind) {
	case 's':
	case 'S':
	case 'j':
		text = va_arg(*arguments, const char *);
		if (kind == 'S' || !lcowmig__text_is_empty(text))
			write_text(buf, key, length, text, kind == 'j');
		break;
	case 'd':
	case 't':
		write_taken(buf, key, length, va_arg(*arguments, char *), kind == 'd');
		break;
	case 'a':
		texts = va_arg(*arguments, const char *const *);
		write_texts(buf, key, length, texts, va_arg(*arguments, size_t));
		break;
	case 'b':
		if (va_arg(*arguments, int))
			write_text(buf, key, length, "true", true);
		break;
	default:
		number = kind == 'n' ? va_arg(*arguments, uint64_t) : va_arg(*arguments, uint32_t);
		if (number || kind == 'U') {
			snprintf(digits, sizeof digits, "%" PRIu64, number);
			write_text(buf, key, length, digits, true);
		}
		break;
	}
}

void lcowmig__json_vwrite(lcowmig__buf *buf, const char *form, va_list *arguments)
{
	while (*form) {
		size_t length = strcspn(form, " {}[]:");

		if (length) {
			const char *key = form;

			form += length + 1;
			if (*form == '{' || *form == '[') {
				write_key(buf, key, length);
				lcowmig__buf_append(buf, form, 1);
			} else {
				write_member(buf, key, length, *form, arguments);
			}
		} else if (*form != ' ') {
			if (*form == '{' || *form == '[')
				write_comma(buf);
			lcowmig__buf_append(buf, form, 1);
		}
		form++;
	}
}

void lcowmig__json_write(lcowmig__buf *buf, const char *form, ...)
{
	va_list arguments;

	va_start(arguments, form);
	lcowmig__json_vwrite(buf, form, &arguments);
	va_end(arguments);
}

char *lcowmig__json_text(const lcowmig__mem *mem, const char *form, ...)
{
	va_list arguments;
	lcowmig__buf buf;

	lcowmig__buf_init(&buf, mem);
	va_start(arguments, form);
	lcowmig__json_vwrite(&buf, form, &arguments);
	va_end(arguments);
	return lcowmig__buf_take(&buf);
}
