#include "base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void lcowmig__base64_encode(lcowmig__buf *buf, const uint8_t *data, size_t size)
{
	size_t at;

	if (size > (SIZE_MAX - 4) / 4 * 3) {
		buf->failed = true;
		return;
	}
	if (!lcowmig__buf_reserve(buf, (size + 2) / 3 * 4))
		return;
	for (at = 0; at < size; at += 3) {
		size_t count = size - at < 3 ? size - at : 3;
		uint32_t group = (uint32_t)data[at] << 16;
		char text[4];

		if (count > 1)
			group |= (uint32_t)data[at + 1] << 8;
		if (count > 2)
			group |= data[at + 2];
		text[0] = alphabet[group >> 18];
		text[1] = alphabet[group >> 12 & 63];
		text[2] = count > 1 ? alphabet[group >> 6 & 63] : '=';
		text[3] = count > 2 ? alphabet[group & 63] : '=';
		lcowmig__buf_append(buf, text, sizeof text);
	}
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool lcowmig__base64_decode(lcowmig__buf *buf, const char *text, size_t size)
{
	uint32_t group = 0;
	unsigned digits = 0;  /* of the current group */
	unsigned padding = 0; /* '=' seen: only more of them may follow */
	size_t at;

	for (at = 0; at < size; at++) {
		uint8_t bytes[3];
		int value = base64_value(text[at]);

		if (text[at] == '\r' || text[at] == '\n')
			continue;
		if (text[at] == '=' && digits + padding >= 2 && digits + padding < 4) {
			padding++;
			value = 0;
		} else if (value < 0 || padding) {
			return false;
		} else {
			digits++;
		}
		group = group << 6 | (uint32_t)value;
		if (digits + padding < 4)
			continue;
		bytes[0] = (uint8_t)(group >> 16);
		bytes[1] = (uint8_t)(group >> 8);
		bytes[2] = (uint8_t)group;
		lcowmig__buf_append(buf, bytes, digits - 1);
		group = 0;
		if (!padding)
			digits = 0;
	}
	return digits == 0 || digits + padding == 4;
}
