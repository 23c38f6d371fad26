#include "guid.h"

#include <string.h>

/* Where the dashes of the text form stand, as a bit set. */
#define DASHES ((1u << 8) | (1u << 13) | (1u << 18) | (1u << 23))

void lcowmig_guid_format(const lcowmig_guid *guid, char ret_text[LCOWMIG_GUID_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	unsigned byte = 0;
	unsigned i = 0;

	while (i < 36) {
		if (i < 32 && (DASHES >> i) & 1) {
			ret_text[i++] = '-';
			continue;
		}
		ret_text[i++] = digits[guid->bytes[byte] >> 4];
		ret_text[i++] = digits[guid->bytes[byte++] & 15];
	}
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
	unsigned byte = 0;
	unsigned i = 0;

	if (!text || strlen(text) != 36)
		return LCOWMIG_E_INVALID_ARGUMENT;
	while (i < 36) {
		int high, low;

		if (i < 32 && (DASHES >> i) & 1) {
			if (text[i++] != '-')
				return LCOWMIG_E_INVALID_ARGUMENT;
			continue;
		}
		high = hex_digit(text[i++]);
		low = hex_digit(text[i++]);
		if (high < 0 || low < 0)
			return LCOWMIG_E_INVALID_ARGUMENT;
		guid.bytes[byte++] = (uint8_t)(high << 4 | low);
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
