#include "sha256.h"

#include <string.h>

static const uint32_t round_constants[64] = {
	0x428a2f98u, 0x71374491u, 0xb5c0fbcfu, 0xe9b5dba5u, 0x3956c25bu, 0x59f111f1u, 0x923f82a4u, 0xab1c5ed5u,
	0xd807aa98u, 0x12835b01u, 0x243185beu, 0x550c7dc3u, 0x72be5d74u, 0x80deb1feu, 0x9bdc06a7u, 0xc19bf174u,
	0xe49b69c1u, 0xefbe4786u, 0x0fc19dc6u, 0x240ca1ccu, 0x2de92c6fu, 0x4a7484aau, 0x5cb0a9dcu, 0x76f988dau,
	0x983e5152u, 0xa831c66du, 0xb00327c8u, 0xbf597fc7u, 0xc6e00bf3u, 0xd5a79147u, 0x06ca6351u, 0x14292967u,
	0x27b70a85u, 0x2e1b2138u, 0x4d2c6dfcu, 0x53380d13u, 0x650a7354u, 0x766a0abbu, 0x81c2c92eu, 0x92722c85u,
	0xa2bfe8a1u, 0xa81a664bu, 0xc24b8b70u, 0xc76c51a3u, 0xd192e819u, 0xd6990624u, 0xf40e3585u, 0x106aa070u,
	0x19a4c116u, 0x1e376c08u, 0x2748774cu, 0x34b0bcb5u, 0x391c0cb3u, 0x4ed8aa4au, 0x5b9cca4fu, 0x682e6ff3u,
	0x748f82eeu, 0x78a5636fu, 0x84c87814u, 0x8cc70208u, 0x90befffau, 0xa4506cebu, 0xbef9a3f7u, 0xc67178f2u,
};

static uint32_t rotate_right(uint32_t value, unsigned count)
{
	return value >> count | value << (32 - count);
}

/* One round on the working variables, which are passed in a new order each time instead of being moved. */
static inline void sha256_round(uint32_t a, uint32_t b, uint32_t c, uint32_t *d, uint32_t e, uint32_t f, uint32_t g, uint32_t *h, uint32_t word)
{
	uint32_t first = *h + (rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25)) + (g ^ (e & (f ^ g))) + word;

	*d += first;
	*h = first + (rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22)) + ((a & b) | (c & (a | b)));
}

static void sha256_schedule(const uint8_t block[64], uint32_t schedule[64])
{
	unsigned i;

	for (i = 0; i < 16; i++)
		schedule[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 |
			      block[4 * i + 3];
	for (; i < 64; i++) {
		uint32_t a = schedule[i - 15];
		uint32_t b = schedule[i - 2];

		schedule[i] = schedule[i - 16] + (rotate_right(a, 7) ^ rotate_right(a, 18) ^ a >> 3) + schedule[i - 7] +
			      (rotate_right(b, 17) ^ rotate_right(b, 19) ^ b >> 10);
	}
	for (i = 0; i < 64; i++)
		schedule[i] += round_constants[i];
}

static void sha256_block(uint32_t state[8], const uint8_t block[64])
{
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
	uint32_t schedule[64];
	const uint32_t *word;

	sha256_schedule(block, schedule);
	for (word = schedule; word < schedule + 64; word += 8) {
		sha256_round(a, b, c, &d, e, f, g, &h, word[0]);
		sha256_round(h, a, b, &c, d, e, f, &g, word[1]);
		sha256_round(g, h, a, &b, c, d, e, &f, word[2]);
		sha256_round(f, g, h, &a, b, c, d, &e, word[3]);
		sha256_round(e, f, g, &h, a, b, c, &d, word[4]);
		sha256_round(d, e, f, &g, h, a, b, &c, word[5]);
		sha256_round(c, d, e, &f, g, h, a, &b, word[6]);
		sha256_round(b, c, d, &e, f, g, h, &a, word[7]);
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
	state[4] += e;
	state[5] += f;
	state[6] += g;
	state[7] += h;
}

void lcowmig__sha256(const void *data, size_t size, uint8_t ret_digest[32])
{
	uint32_t state[8] = {
		0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au, 0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u,
	};
	const uint8_t *bytes = data;
	uint8_t tail[128] = { 0 };
	size_t rest = size % 64;
	size_t tail_size = rest < 56 ? 64 : 128;
	uint64_t bits = (uint64_t)size * 8;
	size_t i;

	for (i = 0; i + 64 <= size; i += 64)
		sha256_block(state, bytes + i);
	if (rest)
		memcpy(tail, bytes + i, rest);
	tail[rest] = 0x80;
	for (i = 0; i < 8; i++)
		tail[tail_size - 1 - i] = (uint8_t)(bits >> (8 * i));
	for (i = 0; i < tail_size; i += 64)
		sha256_block(state, tail + i);
	for (i = 0; i < 32; i++)
		ret_digest[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
}
