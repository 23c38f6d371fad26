/*
 * The states that can be reached, layer by layer: all those one step further than the layer before. A state is a key and the step that led
 * to it; whoever wants to be there begins at the beginning and makes the same steps. Two processes share the work of a layer.
 *
 * That two worlds with one key answer alike is what everything rests on, so it is tried: of all the ways that were found to lead to a known
 * state a part is walked, and whatever can be done there must be answered as it is on the way that is kept, and lead to the same keys.
 */
#ifndef TEST_SPACE_H
#define TEST_SPACE_H

#include "model.h"

/* Which actions an exploration has, where it begins, and how far it goes. */
typedef struct exploration {
	const char *name;
	world_point from; /* the steps of a migration before; FROM_THE_BEGINNING */
	bool has_source, has_destination;
	bool has_failures; /* host calls that fail or stay pending */
	unsigned depth;
	unsigned max_sessions;
} exploration;

#define FROM_THE_BEGINNING WORLD_POINTS

typedef struct space_report {
	size_t states, transitions, changes, probes, merges_tried;
	size_t layers[64]; /* states by depth */
	unsigned depth;    /* complete up to here */
	bool is_all;       /* and there is nothing beyond */
} space_report;

/* `slot` of the trace, and the one behind it. */
void space_explore(const exploration *what, unsigned slot, space_report *ret_report);

#endif
