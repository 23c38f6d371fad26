#include <string.h>

#include "json_text.h"
#include "lcowmig/limits.h"
#include "text.h"

typedef struct json_checker {
	const char *text;
	size_t size;
	size_t at;
	unsigned depth_left;
	size_t values_left;
	lcowmig_status status;
	const char *problem;
} json_checker;

static bool check_value(json_checker *c);

static bool check_fail(json_checker *c, lcowmig_status status, const char *problem)
{
	c->status = status;
	c->problem = problem;
	return false;
}

static bool check_corrupt(json_checker *c, const char *problem)
{
	return check_fail(c, LCOWMIG_E_CORRUPT_DATA, problem);
}

/* The byte at the cursor; -1 at the end. */
static int check_peek(const json_checker *c)
{
	return c->at < c->size ? (unsigned char)c->text[c->at] : -1;
}

static void check_space(json_checker *c)
{
	c->at = lcowmig__json_skip_space(c->text, c->size, c->at);
}

int lcowmig__json_hex4(const char *digits)
{
	int value = 0;
	int i;

	for (i = 0; i < 4; i++) {
		char d = digits[i];

		value <<= 4;
		if (d >= '0' && d <= '9')
			value |= d - '0';
		else if (d >= 'a' && d <= 'f')
			value |= d - 'a' + 10;
		else if (d >= 'A' && d <= 'F')
			value |= d - 'A' + 10;
		else
			return -1;
	}
	return value;
}

/* The escaped code unit whose backslash is at the cursor; -1 when there is none. */
static int check_unit(json_checker *c)
{
	int unit;

	if (c->size - c->at < 6 || c->text[c->at] != '\\' || c->text[c->at + 1] != 'u')
		return -1;
	unit = lcowmig__json_hex4(c->text + c->at + 2);
	if (unit >= 0)
		c->at += 6;
	return unit;
}

/* There is no NUL in valid text, which strchr would find. */
static bool check_escape(json_checker *c)
{
	int unit;

	if (c->size - c->at < 2)
		return check_corrupt(c, "a string that does not end");
	if (c->text[c->at + 1] != 'u') {
		if (!strchr("\"\\/bfnrt", c->text[c->at + 1]))
			return check_corrupt(c, "an unknown escape in a string");
		c->at += 2;
		return true;
	}
	unit = check_unit(c);
	if (unit < 0)
		return check_corrupt(c, "an incomplete \\u escape");
	if (unit == 0)
		return check_corrupt(c, "U+0000 in a string");
	if (unit >= 0xDC00 && unit <= 0xDFFF)
		return check_corrupt(c, "half a surrogate pair in a string");
	if (unit >= 0xD800 && unit <= 0xDBFF) {
		unit = check_unit(c);
		if (unit < 0xDC00 || unit > 0xDFFF)
			return check_corrupt(c, "half a surrogate pair in a string");
	}
	return true;
}

static bool check_string(json_checker *c)
{
	if (check_peek(c) != '"')
		return check_corrupt(c, "no string where one must be");
	c->at++;
	for (;;) {
		int byte = check_peek(c);

		if (byte < 0)
			return check_corrupt(c, "a string that does not end");
		if (byte < 0x20)
			return check_corrupt(c, "a control character in a string");
		if (byte == '\\') {
			if (!check_escape(c))
				return false;
			continue;
		}
		c->at++;
		if (byte == '"')
			return true;
	}
}

static bool check_digits(json_checker *c)
{
	size_t start = c->at;

	while (check_peek(c) >= '0' && check_peek(c) <= '9')
		c->at++;
	if (c->at > start)
		return true;
	return check_corrupt(c, "a malformed number");
}

static bool check_number(json_checker *c)
{
	size_t start = c->at;

	if (check_peek(c) == '-')
		c->at++;
	if (check_peek(c) == '0')
		c->at++;
	else if (!check_digits(c))
		return false;
	if (check_peek(c) == '.') {
		c->at++;
		if (!check_digits(c))
			return false;
	}
	if (check_peek(c) == 'e' || check_peek(c) == 'E') {
		c->at++;
		if (check_peek(c) == '+' || check_peek(c) == '-')
			c->at++;
		if (!check_digits(c))
			return false;
	}
	if (c->at - start > LCOWMIG__JSON_NUMBER_MAX)
		return check_fail(c, LCOWMIG_E_LIMIT_EXCEEDED, "a number of more than 63 characters");
	return true;
}

static bool check_word(json_checker *c, const char *word)
{
	size_t length = strlen(word);

	if (c->size - c->at < length || memcmp(c->text + c->at, word, length) != 0)
		return check_corrupt(c, "a word that is none of true, false and null");
	c->at += length;
	return true;
}

static bool check_member(json_checker *c)
{
	if (!check_string(c))
		return false;
	check_space(c);
	if (check_peek(c) != ':')
		return check_corrupt(c, "no colon after a member name");
	c->at++;
	check_space(c);
	return check_value(c);
}

/* An object or an array: the cursor is at its opening bracket. */
static bool check_container(json_checker *c, bool is_object)
{
	int end = is_object ? '}' : ']';

	if (!c->depth_left)
		return check_fail(c, LCOWMIG_E_LIMIT_EXCEEDED, "too many nesting levels");
	c->depth_left--;
	c->at++;
	check_space(c);
	if (check_peek(c) != end) {
		for (;;) {
			if (!(is_object ? check_member(c) : check_value(c)))
				return false;
			check_space(c);
			if (check_peek(c) != ',')
				break;
			c->at++;
			check_space(c);
		}
		if (check_peek(c) != end)
			return check_corrupt(c, is_object ? "an object that does not end" : "an array that does not end");
	}
	c->at++;
	c->depth_left++;
	return true;
}

/* Recursive: the nesting limit bounds the stack. */
static bool check_value(json_checker *c)
{
	if (!c->values_left--)
		return check_fail(c, LCOWMIG_E_LIMIT_EXCEEDED, "too many values");
	switch (check_peek(c)) {
	case '{':
		return check_container(c, true);
	case '[':
		return check_container(c, false);
	case '"':
		return check_string(c);
	case 't':
		return check_word(c, "true");
	case 'f':
		return check_word(c, "false");
	case 'n':
		return check_word(c, "null");
	case -1:
		return check_corrupt(c, "nothing where a value must be");
	default:
		return check_number(c);
	}
}

lcowmig_status lcowmig__json_check(const char *text, size_t size, const lcowmig_limits *limits, size_t *ret_at, const char **ret_problem)
{
	json_checker c = { text, size, 0, LCOWMIG_LIMIT_JSON_DEPTH, LCOWMIG_LIMIT_JSON_VALUES, LCOWMIG_OK, NULL };

	if (limits) {
		c.depth_left = limits->json_depth;
		c.values_left = limits->json_values;
	}
	if (!lcowmig__utf8_is_valid(text, size)) {
		check_corrupt(&c, "invalid UTF-8");
	} else {
		check_space(&c);
		if (check_value(&c)) {
			check_space(&c);
			if (c.at != size)
				check_corrupt(&c, "something after its end");
		}
	}
	if (c.status) {
		*ret_at = c.at;
		*ret_problem = c.problem;
	}
	return c.status;
}
