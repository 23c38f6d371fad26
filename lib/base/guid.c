#include "guid.h"

#include <string.h>

#include "compiler.h"

#define GUID_DIGITS 32u

/* The parts between the hyphens. */
static const struct guid_part {
	uint8_t digit;
	uint8_t place;
	uint8_t size;
} parts[] = { { 0, 0, 8 }, { 8, 9, 4 }, { 12, 14, 4 }, { 16, 19, 4 }, { 20, 24, 12 } };

/* Without branches and tables, here and below: a compiler makes a few wide instructions of these loops. */
static uint8_t guid_digit(unsigned value)
{
	return (uint8_t)(value + '0' + (value > 9 ? 'a' - '0' - 10 : 0));
}

void lcowmig_guid_format(const lcowmig_guid *guid, char ret_text[LCOWMIG_GUID_TEXT_SIZE])
{
	uint8_t digits[GUID_DIGITS];

	for (unsigned i = 0; i < sizeof guid->bytes; i++) {
		digits[2 * i] = guid_digit(guid->bytes[i] >> 4);
		digits[2 * i + 1] = guid_digit(guid->bytes[i] & 15u);
	}
	for (unsigned i = 0; i < LCOWMIG__COUNT(parts); i++)
		memcpy(ret_text + parts[i].place, digits + parts[i].digit, parts[i].size);
	ret_text[8] = ret_text[13] = ret_text[18] = ret_text[23] = '-';
	ret_text[LCOWMIG_GUID_TEXT_SIZE - 1] = '\0';
}

/* Above 15: no digit. */
static uint8_t guid_value(uint8_t c)
{
	uint8_t number = (uint8_t)(c - '0');
	uint8_t letter = (uint8_t)((c | 0x20) - 'a');

	return number < 10 ? number : letter < 6 ? (uint8_t)(letter + 10) : 0xF0;
}

lcowmig_status lcowmig_guid_parse(const char *text, lcowmig_guid *ret_guid)
{
	uint8_t digits[GUID_DIGITS];
	lcowmig_guid guid;
	uint8_t all = 0;

	if (!text || strlen(text) != LCOWMIG_GUID_TEXT_SIZE - 1)
		return LCOWMIG_E_INVALID_ARGUMENT;
	if (text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-')
		return LCOWMIG_E_INVALID_ARGUMENT;
	for (unsigned i = 0; i < LCOWMIG__COUNT(parts); i++)
		memcpy(digits + parts[i].digit, text + parts[i].place, parts[i].size);
	for (unsigned i = 0; i < GUID_DIGITS; i++) {
		digits[i] = guid_value(digits[i]);
		all |= digits[i];
	}
	if (all > 15)
		return LCOWMIG_E_INVALID_ARGUMENT;
	for (unsigned i = 0; i < sizeof guid.bytes; i++)
		guid.bytes[i] = (uint8_t)(digits[2 * i] << 4 | digits[2 * i + 1]);
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
