/* GUIDs: comparing, and the canonical text of something that may be one. Parsing and formatting are public (lcowmig/guid.h). */
#ifndef LCOWMIG__GUID_H
#define LCOWMIG__GUID_H

#include <stdbool.h>

#include "lcowmig/guid.h"

#define LCOWMIG__NULL_GUID "00000000-0000-0000-0000-000000000000"

int lcowmig__guid_compare(const lcowmig_guid *a, const lcowmig_guid *b);
bool lcowmig__guid_is_null(const lcowmig_guid *guid);
/* Turns 16 random bytes into a version 4 GUID. */
void lcowmig__guid_from_random(lcowmig_guid *guid);

#endif
