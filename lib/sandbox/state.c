/* A sandbox has one state: it is there. Its table gives it a name in errors and counts what is in flight on it. */
#include "sandbox.h"

static const char *const states[] = { "there" };

const lcowmig__machine lcowmig__sandbox_machine = { "sandbox", states, LCOWMIG__COUNT(states), NULL, 0, NULL, 0 };
