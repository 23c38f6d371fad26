/* Frames on a pipe that may lose bytes; see frame.h. */
#include "frame.h"

#include <string.h>

#define DELIMITER 0x7eu
#define ESCAPE 0x7du
#define ESCAPE_BIT 0x20u
#define HEADER_SIZE 5u
#define CRC_SIZE 4u

uint32_t frame_get_u32(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

void frame_put_u32(uint8_t *bytes, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
}

/* CRC-32 (IEEE), four bits at a time. */
static uint32_t frame_crc(uint32_t crc, const uint8_t *bytes, size_t size)
{
	static const uint32_t table[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};

	crc = ~crc;
	for (size_t i = 0; i < size; i++) {
		crc = table[(crc ^ bytes[i]) & 15] ^ (crc >> 4);
		crc = table[(crc ^ (bytes[i] >> 4)) & 15] ^ (crc >> 4);
	}
	return ~crc;
}

static void frame_end(struct frame_reader *reader, void (*take)(void *user, const struct frame *frame), void *user)
{
	size_t size = reader->size;
	bool is_whole = !reader->is_spoilt && !reader->is_escaped && size >= HEADER_SIZE + CRC_SIZE;
	struct frame frame;

	reader->size = 0;
	reader->is_escaped = false;
	reader->is_spoilt = false;
	if (size == 0)
		return; /* two delimiters in a row */
	if (!is_whole || frame_crc(0, reader->content, size - CRC_SIZE) != frame_get_u32(reader->content + size - CRC_SIZE)) {
		reader->dropped++;
		return;
	}
	frame.kind = (enum frame_kind)reader->content[0];
	frame.stream = frame_get_u32(reader->content + 1);
	frame.payload = reader->content + HEADER_SIZE;
	frame.size = size - HEADER_SIZE - CRC_SIZE;
	take(user, &frame);
}

void frame_read(struct frame_reader *reader, const uint8_t *bytes, size_t size, void (*take)(void *user, const struct frame *frame), void *user)
{
	for (size_t i = 0; i < size; i++) {
		uint8_t byte = bytes[i];

		if (byte == DELIMITER) {
			frame_end(reader, take, user);
			continue;
		}
		if (byte == ESCAPE) {
			reader->is_escaped = true;
			continue;
		}
		if (reader->is_escaped) {
			byte ^= ESCAPE_BIT;
			reader->is_escaped = false;
		}
		if (reader->size == sizeof reader->content)
			reader->is_spoilt = true;
		else
			reader->content[reader->size++] = byte;
	}
}

static size_t frame_put(uint8_t *wire, size_t at, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] == DELIMITER || bytes[i] == ESCAPE) {
			wire[at++] = ESCAPE;
			wire[at++] = bytes[i] ^ ESCAPE_BIT;
		} else {
			wire[at++] = bytes[i];
		}
	}
	return at;
}

size_t frame_write(uint8_t *wire, const struct frame *frame)
{
	uint8_t header[HEADER_SIZE] = { (uint8_t)frame->kind };
	uint8_t crc[CRC_SIZE];
	size_t at = 0;

	frame_put_u32(header + 1, frame->stream);
	frame_put_u32(crc, frame_crc(frame_crc(0, header, sizeof header), frame->payload, frame->size));
	wire[at++] = DELIMITER; /* also ends whatever was torn before */
	at = frame_put(wire, at, header, sizeof header);
	at = frame_put(wire, at, frame->payload, frame->size);
	at = frame_put(wire, at, crc, sizeof crc);
	wire[at++] = DELIMITER;
	return at;
}
