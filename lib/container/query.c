/* What a running container is asked, and the one thing it is told: its resource limits. */
#include <stdlib.h>
#include <string.h>

#include "container_private.h"
#include "guest/guest.h"

/* ---- Update ---- */

struct container_update {
	lcowmig__container_flow base;
	const char *resources;
};

static lcowmig_status update_check(const struct container_update *self, lcowmig_error *error)
{
	const lcowmig_container *container = self->base.container;
	const lcowmig_limits *limits = &container->env->context->limits;
	size_t size = strlen(self->resources);
	lcowmig_status status = lcowmig__json_validate("OCI resources", self->resources, size, limits->document_bytes, limits, error);

	if (status == LCOWMIG_OK && !lcowmig__json_is_object(self->resources, size))
		status = lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "container %s: Update needs an OCI LinuxResources object",
				       container->id);
	return status;
}

static void update_step(lcowmig__flow *flow)
{
	struct container_update *self = (struct container_update *)flow;
	lcowmig_container *container = self->base.container;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter_for(flow, &container->gate, CONTAINER_UPDATE));
	FLOW_CHECK(flow, update_check(self, flow->error));
	lcowmig__object_fire(&container->object, CONTAINER_UPDATE);
	FLOW_TRY(flow, lcowmig__guest_update_constraints(flow, container->env, container->gcs_id, self->resources));
	FLOW_END(flow);
}

static const lcowmig__flow_class update_class = { .name = "update", .step = update_step };

lcowmig__flow *lcowmig__container_update_flow(lcowmig_container *container, const char *resources, lcowmig_error *error)
{
	struct container_update *self = lcowmig__container_flow_new(container, sizeof *self, &update_class, error);

	if (!self)
		return NULL;
	self->resources = lcowmig__flow_text(&self->base.flow, resources);
	return lcowmig__flow_made(&self->base.flow, true, error);
}

/* ---- Pids and stats: one question about the guest's properties ---- */

struct container_query {
	lcowmig__container_flow base;
	lcowmig_pids **ret_pids;   /* NULL: stats are asked for */
	lcowmig_stats **ret_stats;
};

/* Both results begin with the memory that they are freed to, as they may outlive their container. */
static void *query_alloc(const struct container_query *self, size_t size)
{
	const lcowmig__mem *mem = &self->base.flow.context->mem;
	lcowmig__mem *result = lcowmig__alloc(mem, size);

	if (result)
		*result = *mem;
	return result;
}

static void query_free(void *result)
{
	lcowmig__mem mem;

	if (!result)
		return;
	mem = *(lcowmig__mem *)result;
	lcowmig__free(&mem, result);
}

/* ---- Pids ---- */

struct pid_entry {
	uint32_t pid;
	const char *exec_id; /* NULL: not one of ours; behind the entries */
};

struct lcowmig_pids {
	lcowmig__mem mem;
	size_t count;
	struct pid_entry entries[];
};

static int pid_compare(const void *a, const void *b)
{
	uint32_t left = ((const struct pid_entry *)a)->pid;
	uint32_t right = ((const struct pid_entry *)b)->pid;

	return (left > right) - (left < right);
}

/* The container's own processes by pid, and how many bytes their names take. */
static struct pid_entry *pids_known(struct container_query *self, size_t *ret_bytes)
{
	const lcowmig__tree *processes = &self->base.container->processes;
	struct pid_entry *known = lcowmig__flow_alloc(&self->base.flow, (processes->count + 1) * sizeof *known);
	lcowmig__node *node;
	size_t count = 0;

	*ret_bytes = 0;
	for (node = lcowmig__tree_first(processes); known && node; node = lcowmig__tree_next(node)) {
		const lcowmig_process *process = lcowmig__process_of_node(node);

		known[count].pid = lcowmig__process_pid(process);
		known[count].exec_id = lcowmig__process_exec_id(process);
		*ret_bytes += strlen(known[count++].exec_id) + 1;
	}
	if (known)
		qsort(known, count, sizeof *known, pid_compare);
	return known;
}

static lcowmig_pids *pids_build(struct container_query *self, const uint32_t *pids, size_t count)
{
	size_t bytes, i;
	struct pid_entry *known = pids_known(self, &bytes);
	lcowmig_pids *result = known ? query_alloc(self, sizeof *result + count * sizeof *result->entries + bytes) : NULL;
	char *place;

	if (!result)
		return NULL;
	result->count = count;
	place = (char *)(result->entries + count);
	/* The guest names each pid once, so no name is copied twice. */
	for (i = 0; i < count; i++) {
		const struct pid_entry key = { pids[i], NULL };
		struct pid_entry *found = bsearch(&key, known, self->base.container->processes.count, sizeof *known, pid_compare);

		result->entries[i].pid = pids[i];
		if (!found || !found->exec_id)
			continue;
		bytes = strlen(found->exec_id) + 1;
		result->entries[i].exec_id = memcpy(place, found->exec_id, bytes);
		found->exec_id = NULL;
		place += bytes;
	}
	return result;
}

static lcowmig_status pids_answered(struct container_query *self)
{
	lcowmig__flow *flow = &self->base.flow;
	lcowmig_status status = flow->result;
	lcowmig_pids *result;
	uint32_t *pids = NULL;
	size_t count = 0;

	/* A container that the guest has forgotten reads as not found; every other failure keeps its class. */
	if (status == LCOWMIG_E_GUEST_FAILED && lcowmig__hresult_is_not_found(flow->error->hresult))
		return lcowmig__wrap(flow->error, LCOWMIG_E_NOT_FOUND, "pids of container %s", self->base.container->id);
	if (status == LCOWMIG_OK)
		status = lcowmig__guest_reply_processes(flow, &pids, &count, flow->error);
	if (status != LCOWMIG_OK)
		return status;
	result = pids_build(self, pids, count);
	lcowmig__free(&flow->context->mem, pids);
	if (!result)
		return lcowmig__fail_memory(flow->error);
	*self->ret_pids = result;
	return LCOWMIG_OK;
}

size_t lcowmig_pids_count(const lcowmig_pids *pids)
{
	return pids ? pids->count : 0;
}

uint32_t lcowmig_pids_get(const lcowmig_pids *pids, size_t index)
{
	return pids && index < pids->count ? pids->entries[index].pid : 0;
}

const char *lcowmig_pids_exec_id(const lcowmig_pids *pids, size_t index)
{
	return pids && index < pids->count ? pids->entries[index].exec_id : NULL;
}

void lcowmig_pids_free(lcowmig_pids *pids)
{
	query_free(pids);
}

/* ---- Stats ---- */

struct lcowmig_stats {
	lcowmig__mem mem;
	char json[];
};

/* The metrics as the guest wrote them, without the property that wraps them; "{}" when there are none. */
static lcowmig_stats *stats_build(const struct container_query *self, const char *properties)
{
	const char *metrics = "{}";
	size_t size = 2;
	lcowmig__json_span span;
	lcowmig_stats *stats;

	if (lcowmig__json_find(properties, strlen(properties), "LCOWMetrics", &span)) {
		metrics = properties + span.value_start;
		size = span.value_end - span.value_start;
	}
	stats = query_alloc(self, sizeof *stats + size + 1);
	if (stats)
		memcpy(stats->json, metrics, size);
	return stats;
}

static lcowmig_status stats_answered(struct container_query *self)
{
	lcowmig__flow *flow = &self->base.flow;
	lcowmig_status status = flow->result;
	lcowmig_stats *stats;
	char *properties;

	if (status == LCOWMIG_OK)
		status = lcowmig__guest_reply_properties(flow, &properties, flow->error);
	if (status != LCOWMIG_OK)
		return status;
	stats = stats_build(self, properties);
	lcowmig__free(&flow->context->mem, properties);
	if (!stats)
		return lcowmig__fail_memory(flow->error);
	*self->ret_stats = stats;
	return LCOWMIG_OK;
}

const char *lcowmig_stats_json(const lcowmig_stats *stats)
{
	return stats ? stats->json : "";
}

void lcowmig_stats_free(lcowmig_stats *stats)
{
	query_free(stats);
}

/* ---- The flow of both ---- */

static void query_step(lcowmig__flow *flow)
{
	struct container_query *self = (struct container_query *)flow;
	lcowmig_container *container = self->base.container;
	int trigger = self->ret_pids ? CONTAINER_PIDS : CONTAINER_STATS;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter_for(flow, &container->gate, trigger));
	lcowmig__object_fire(&container->object, trigger);
	FLOW_AWAIT(flow, lcowmig__guest_properties(flow, container->env, container->gcs_id,
						   self->ret_pids ? "ProcessList" : "Statistics"));
	FLOW_RETURN(flow, self->ret_pids ? pids_answered(self) : stats_answered(self));
	FLOW_END(flow);
}

static const lcowmig__flow_class pids_class = { .name = "pids", .step = query_step };
static const lcowmig__flow_class stats_class = { .name = "stats", .step = query_step };

static lcowmig__flow *query_flow(lcowmig_container *container, lcowmig_pids **ret_pids, lcowmig_stats **ret_stats, lcowmig_error *error)
{
	const lcowmig__flow_class *class = ret_pids ? &pids_class : &stats_class;
	struct container_query *self = lcowmig__container_flow_new(container, sizeof *self, class, error);

	if (!self)
		return NULL;
	self->ret_pids = ret_pids;
	self->ret_stats = ret_stats;
	return &self->base.flow;
}

lcowmig__flow *lcowmig__container_pids_flow(lcowmig_container *container, lcowmig_pids **ret_pids, lcowmig_error *error)
{
	return query_flow(container, ret_pids, NULL, error);
}

lcowmig__flow *lcowmig__container_stats_flow(lcowmig_container *container, lcowmig_stats **ret_stats, lcowmig_error *error)
{
	return query_flow(container, NULL, ret_stats, error);
}
