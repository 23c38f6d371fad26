/*
 * Memory that can be put back: while it is on, everything that the program allocates lies in one stretch, and a copy of the used part of
 * that, together with the model itself, is a world that can be returned to as often as one likes. That is what makes an exploration
 * cheap: a state is built once, and each action that is tried in it begins from the copy.
 *
 * The program is linked with --wrap for malloc and its like. What the stretch cannot hold (tables of states, buffers of stdio) is made
 * while it is off, or by the C library itself.
 */
#ifndef TEST_ARENA_H
#define TEST_ARENA_H

#include "model.h"

typedef struct arena_copy arena_copy;

/* From now on (true) memory comes from the stretch, which begins empty; false: from the C library again. */
void arena_use(bool is_on);
arena_copy *arena_copy_new(void);
void arena_copy_free(arena_copy *copy);
/* Keeps the world as it is, and the trace that led to it. */
void arena_save(arena_copy *copy, const model *m);
/* Goes back to it. */
void arena_restore(const arena_copy *copy, model *m);
/* The bytes of a copy, to say what one costs. */
size_t arena_size(const arena_copy *copy);

#endif
