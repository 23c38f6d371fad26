/*
 * Joins what a guest says after it has connected again to what a file has of it. The guest begins with the last 128 KiB that it had said, of which
 * the file's end is a part, unless it was torn off before the file's end: then everything is new.
 */
#ifndef QEMU_JOIN_H
#define QEMU_JOIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct join;

/* The file must be readable. NULL when it is empty: there is nothing to join to. */
struct join *join_new(int fd);
/* True when it is known where new output begins; what of it has come is in the results, which live as long as the join. */
bool join_feed(struct join *join, const uint8_t *bytes, size_t size, const uint8_t **ret_fresh, size_t *ret_size);
/* The stream ends in the middle of what the file may have. */
void join_end(struct join *join, const uint8_t **ret_fresh, size_t *ret_size);
void join_free(struct join *join);

#endif
