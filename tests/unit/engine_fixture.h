/* What the programs about the engine share: a flow that walks through host calls, and a record of how it ended. */
#ifndef TEST_ENGINE_FIXTURE_H
#define TEST_ENGINE_FIXTURE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/call.h"
#include "host.h"

static test_host *host;

static inline void setup(void)
{
	host = test_host_new();
}

static inline void teardown(void)
{
	test_host_free(host);
}

/* A flow that does one of several small things; what it saw is written down outside it. */
typedef struct record {
	lcowmig_status results[8];
	int steps;
	int released;
	void *handle;
	char reply[64];
	int64_t told_id;
} record;

struct walk {
	lcowmig__flow flow;
	record *seen;
	int until;    /* how many awaits */
	bool goes_on; /* past failures */
	lcowmig__gate *gate;
	lcowmig__signal *signal;
	uint64_t deadline;
	int children;
	bool shields;
};

static inline void walk_release(lcowmig__flow *flow)
{
	((struct walk *)flow)->seen->released++;
}

static inline char *text(const char *value)
{
	return lcowmig__strdup(&host->context->mem, value);
}

static inline void walk_step(lcowmig__flow *flow)
{
	struct walk *self = (struct walk *)flow;

	FLOW_BEGIN(flow);
	if (self->deadline)
		lcowmig__flow_set_deadline(flow, self->deadline);
	while (self->seen->steps < self->until) {
		FLOW_AWAIT(flow, lcowmig__hcs_modify(flow, &host->env, text("{}")));
		self->seen->results[self->seen->steps++] = flow->result;
		if (flow->result != LCOWMIG_OK && !self->goes_on)
			FLOW_RETURN(flow, flow->result);
	}
	FLOW_END(flow);
}

static const lcowmig__flow_class walk_class = { "walk", walk_step, walk_release, false };

static inline struct walk *walk_new_of(const lcowmig__flow_class *class, record *seen, int until)
{
	struct walk *walk = lcowmig__flow_new(sizeof *walk, class, host->context, NULL, NULL);

	if (!walk)
		return NULL;
	walk->seen = seen;
	walk->until = until;
	return walk;
}

static inline struct walk *walk_new(record *seen, int until)
{
	return walk_new_of(&walk_class, seen, until);
}

#endif
