/* SHA-256 (FIPS 180-4), for session numbers and envelope digests. */
#ifndef LCOWMIG__SHA256_H
#define LCOWMIG__SHA256_H

#include <stddef.h>
#include <stdint.h>

void lcowmig__sha256(const void *data, size_t size, uint8_t ret_digest[32]);

#endif
