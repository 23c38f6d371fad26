/* What must hold after every step, whatever went wrong. */
#ifndef TEST_INVARIANTS_H
#define TEST_INVARIANTS_H

#include "world.h"

/*
 * Never running on both hosts; never lost on both; a sandbox is frozen as a whole or not at all; nothing has exited twice; the state
 * machine and what is in flight agree.
 */
void invariants_check(const test_world *world);
/* The side has no machine any more: nothing is frozen, every container that was known there has ended. */
void invariants_check_end(const test_world *world, const test_side *side);
/* Both sides are at their end: every container has ended in exactly one exit event, on one host or, announced on both, one on each. */
void invariants_check_exits(const test_world *world);

#endif
