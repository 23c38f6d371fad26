/*
 * Frames on a byte pipe that may lose bytes: what the host and the guest of this example say to each other over one virtio-serial port.
 *
 * A machine that moves to another process leaves half of a frame behind in the old one. So frames are delimited by a byte that occurs nowhere
 * else (7E, with 7D as escape, as in HDLC) and carry a checksum: a torn one is recognised and dropped, and the next one is whole again.
 *
 *     7E  kind (1)  stream (4, little endian)  payload (0 … FRAME_PAYLOAD_MAX)  CRC-32 (4, little endian)  7E
 *
 * Streams stand in for vsock connections, which the guest dials and the host listens for:
 *
 *     host                            guest
 *     EPOCH nonce            ------>           every stream of an earlier epoch is lost
 *                            <------  EPOCH nonce         whatever came before this is of no interest
 *                            <------  OPEN stream, port
 *     ACCEPT stream          ------>           or CLOSE: nobody listens
 *     DATA, SHUT, CLOSE      <----->  DATA, SHUT, CLOSE
 */
#ifndef QEMU_FRAME_H
#define QEMU_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_PAYLOAD_MAX 4096u
#define FRAME_CONTENT_MAX (5u + FRAME_PAYLOAD_MAX + 4u)
#define FRAME_WIRE_MAX (2u * FRAME_CONTENT_MAX + 2u)
#define FRAME_NONCE_SIZE 8u

enum frame_kind {
	FRAME_EPOCH = 1, /* payload: the nonce */
	FRAME_OPEN,      /* payload: the port, 4 bytes little endian */
	FRAME_ACCEPT,
	FRAME_DATA,
	FRAME_SHUT,      /* no more data from this side */
	FRAME_CLOSE
};

struct frame {
	enum frame_kind kind;
	uint32_t stream;
	const uint8_t *payload; /* valid during the call that hands the frame over */
	size_t size;
};

struct frame_reader {
	uint8_t content[FRAME_CONTENT_MAX];
	size_t size;
	bool is_escaped;
	bool is_spoilt;   /* until the next delimiter */
	uint64_t dropped; /* torn frames so far */
};

/* Takes any portion of the pipe and calls `take` for each whole frame. */
void frame_read(struct frame_reader *reader, const uint8_t *bytes, size_t size, void (*take)(void *user, const struct frame *frame), void *user);

/* Writes one frame to `wire`, which has FRAME_WIRE_MAX bytes; returns how many it took. `frame->size` is FRAME_PAYLOAD_MAX at most. */
size_t frame_write(uint8_t *wire, const struct frame *frame);

uint32_t frame_get_u32(const uint8_t *bytes);
void frame_put_u32(uint8_t *bytes, uint32_t value);

#endif
