/* Filling in the limits a host left out. */
#ifndef LCOWMIG__LIMITS_H
#define LCOWMIG__LIMITS_H

#include "base/error.h"
#include "lcowmig/limits.h"

/* Fills every zero member with its default; refuses values above it. `given` may be NULL. */
lcowmig_status lcowmig__limits_resolve(const lcowmig_limits *given, lcowmig_limits *ret_limits, lcowmig_error *error);

#endif
