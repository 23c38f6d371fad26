#include "guid.h"

#include <string.h>

/* Where the digits of each byte stand. */
static const uint8_t places[16] = { 0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34 };

void lcowmig_guid_format(const lcowmig_guid *guid, char ret_text[LCOWMIG_GUID_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	unsigned i;

	for (i = 0; i < 16; i++) {
		ret_text[places[i]] = digits[guid->bytes[i] >> 4];
		ret_text[places[i] + 1] = digits[guid->bytes[i] & 15];
	}
	ret_text[8] = ret_text[13] = ret_text[18] = ret_text[23] = '-';
	ret_text[36] = '\0';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

lcowmig_status lcowmig_guid_parse(const char *text, lcowmig_guid *ret_guid)
{
	lcowmig_guid guid;
	unsigned i;

	if (!text || strlen(text) != 36)
		return LCOWMIG_E_INVALID_ARGUMENT;
	if (text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-')
		return LCOWMIG_E_INVALID_ARGUMENT;
	for (i = 0; i < 16; i++) {
		int high = hex_digit(text[places[i]]);
		int low = hex_digit(text[places[i] + 1]);

		if (high < 0 || low < 0)
			return LCOWMIG_E_INVALID_ARGUMENT;
		guid.bytes[i] = (uint8_t)(high << 4 | low);
	}
	*ret_guid = guid;
	return LCOWMIG_OK;
}

int lcowmig__guid_compare(const lcowmig_guid *a, const lcowmig_guid *b)
{
	return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

bool lcowmig__guid_is_null(const lcowmig_guid *guid)
{
	static const lcowmig_guid null = { { 0 } };

	return lcowmig__guid_compare(guid, &null) == 0;
}

void lcowmig__guid_from_random(lcowmig_guid *guid)
{
	guid->bytes[6] = (uint8_t)((guid->bytes[6] & 0x0f) | 0x40);
	guid->bytes[8] = (uint8_t)((guid->bytes[8] & 0x3f) | 0x80);
}
