/* The two conditions of a pod. */
#include "private.h"

static const char *const states[] = {
	[LCOWMIG__POD_LIVE] = "live",
	[LCOWMIG__POD_MIGRATING] = "migrating",
};

static const char *const triggers[] = {
	[LCOWMIG__POD_NEW_CONTAINER] = "a new container",
	[LCOWMIG__POD_SAVE] = "save",
	[LCOWMIG__POD_IMPORT] = "import",
	[LCOWMIG__POD_PATCH] = "patch",
	[LCOWMIG__POD_RESUME] = "resume",
	[LCOWMIG__POD_ABORT] = "abort",
};

_Static_assert(sizeof states / sizeof states[0] == LCOWMIG__POD_MIGRATING + 1, "every state has a name");
_Static_assert(sizeof triggers / sizeof triggers[0] == LCOWMIG__POD_ABORT + 1, "every trigger has a name");

static const lcowmig__transition rows[] = {
	{ LCOWMIG__POD_LIVE, LCOWMIG__POD_NEW_CONTAINER, LCOWMIG__POD_LIVE },
	{ LCOWMIG__POD_LIVE, LCOWMIG__POD_SAVE, LCOWMIG__POD_MIGRATING },
	{ LCOWMIG__POD_MIGRATING, LCOWMIG__POD_SAVE, LCOWMIG__POD_MIGRATING }, /* saving again gives the same bytes */
	{ LCOWMIG__POD_LIVE, LCOWMIG__POD_IMPORT, LCOWMIG__POD_MIGRATING },    /* the first thing that happens to it */
	{ LCOWMIG__POD_MIGRATING, LCOWMIG__POD_PATCH, LCOWMIG__POD_MIGRATING },
	{ LCOWMIG__POD_MIGRATING, LCOWMIG__POD_RESUME, LCOWMIG__POD_LIVE },
	{ LCOWMIG__POD_LIVE, LCOWMIG__POD_RESUME, LCOWMIG__POD_LIVE },
	{ LCOWMIG__POD_MIGRATING, LCOWMIG__POD_ABORT, LCOWMIG__POD_LIVE },
};

const lcowmig__machine lcowmig__pod_machine = {
	"pod", states, LCOWMIG__COUNT(states), triggers, LCOWMIG__COUNT(triggers), rows, LCOWMIG__COUNT(rows),
};
