/* What a running container is asked, and the one thing it is told: its resource limits. */
#include <stdlib.h>
#include <string.h>

#include "container_private.h"
#include "guest/guest.h"

/* ---- Update ---- */

struct container_update {
	lcowmig__container_flow base;
	char *resources;
};

static lcowmig_status update_check(const struct container_update *self, lcowmig_error *error)
{
	lcowmig_container *container = self->base.container;
	const lcowmig_limits *limits = &container->env->context->limits;
	lcowmig_status status = lcowmig__object_check(&container->object, CONTAINER_UPDATE, error);
	cJSON *tree = NULL;

	if (status != LCOWMIG_OK)
		return status;
	status = lcowmig__json_parse("OCI resources", self->resources, strlen(self->resources), limits->document_bytes, limits,
				     &tree, error);
	if (status == LCOWMIG_OK && !cJSON_IsObject(tree))
		status = lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "container %s: Update needs an OCI LinuxResources object",
				       container->id);
	cJSON_Delete(tree);
	return status;
}

static void update_step(lcowmig__flow *flow)
{
	struct container_update *self = (struct container_update *)flow;
	lcowmig_container *container = self->base.container;
	lcowmig_status status;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &container->gate));
	status = update_check(self, flow->error);
	if (status != LCOWMIG_OK)
		goto out;
	lcowmig__object_fire(&container->object, CONTAINER_UPDATE);
	FLOW_AWAIT(flow, lcowmig__guest_update_constraints(flow, container->env, container->gcs_id, self->resources));
	status = flow->result;
out:
	lcowmig__gate_leave(flow, &container->gate);
	FLOW_RETURN(flow, status);
	FLOW_END(flow);
}

static void update_release(lcowmig__flow *flow)
{
	lcowmig__free(&flow->context->mem, ((struct container_update *)flow)->resources);
}

static const lcowmig__flow_class update_class = { .name = "update", .step = update_step, .release = update_release };

lcowmig__flow *lcowmig__container_update_flow(lcowmig_container *container, const char *resources, lcowmig_error *error)
{
	struct container_update *self = lcowmig__container_flow_new(container, sizeof *self, &update_class, true, error);

	if (!self)
		return NULL;
	self->resources = lcowmig__strdup(&container->env->context->mem, resources);
	if (self->resources)
		return &self->base.flow;
	lcowmig__fail_memory(error);
	lcowmig__flow_discard(&self->base.flow);
	return NULL;
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

struct container_pids {
	lcowmig__container_flow base;
	lcowmig_pids **ret_pids;
};

static int pid_compare(const void *a, const void *b)
{
	uint32_t left = ((const struct pid_entry *)a)->pid;
	uint32_t right = ((const struct pid_entry *)b)->pid;

	return (left > right) - (left < right);
}

/* The container's own processes by pid, and how many bytes their names take. */
static struct pid_entry *pids_known(const lcowmig_container *container, size_t *ret_count, size_t *ret_bytes)
{
	struct pid_entry *known = lcowmig__alloc_array(&container->env->context->mem, container->processes.count + 1, sizeof *known);
	lcowmig__node *node;
	size_t count = 0;
	size_t bytes = 0;

	if (!known)
		return NULL;
	for (node = lcowmig__tree_first(&container->processes); node; node = lcowmig__tree_next(node)) {
		const lcowmig_process *process = lcowmig__process_of_node(node);

		known[count].pid = lcowmig__process_pid(process);
		known[count].exec_id = lcowmig__process_exec_id(process);
		bytes += strlen(known[count++].exec_id) + 1;
	}
	qsort(known, count, sizeof *known, pid_compare);
	*ret_count = count;
	*ret_bytes = bytes;
	return known;
}

static const char *pids_keep_name(char **place, const char *name)
{
	size_t size = strlen(name) + 1;
	char *copy = *place;

	memcpy(copy, name, size);
	*place += size;
	return copy;
}

static lcowmig_pids *pids_build(const lcowmig_container *container, const uint32_t *pids, size_t count)
{
	const lcowmig__mem *mem = &container->env->context->mem;
	size_t n_known, bytes, i;
	struct pid_entry *known = pids_known(container, &n_known, &bytes);
	lcowmig_pids *result = NULL;
	char *place;

	if (known)
		result = lcowmig__alloc(mem, sizeof *result + count * sizeof *result->entries + bytes);
	if (result) {
		result->mem = *mem;
		result->count = count;
		place = (char *)(result->entries + count);
		/* The guest names each pid once, so no name is copied twice. */
		for (i = 0; i < count; i++) {
			const struct pid_entry key = { pids[i], NULL };
			struct pid_entry *found = bsearch(&key, known, n_known, sizeof *known, pid_compare);

			result->entries[i].pid = pids[i];
			if (!found || !found->exec_id)
				continue;
			result->entries[i].exec_id = pids_keep_name(&place, found->exec_id);
			found->exec_id = NULL;
		}
	}
	lcowmig__free(mem, known);
	return result;
}

static lcowmig_status pids_answered(struct container_pids *self)
{
	lcowmig__flow *flow = &self->base.flow;
	lcowmig_status status = flow->result;
	lcowmig_pids *result;
	uint32_t *pids = NULL;
	size_t count = 0;

	if (status == LCOWMIG_OK)
		status = lcowmig__guest_reply_processes(flow, &pids, &count, flow->error);
	if (status != LCOWMIG_OK)
		return status;
	result = pids_build(self->base.container, pids, count);
	lcowmig__free(&flow->context->mem, pids);
	if (!result)
		return lcowmig__fail_memory(flow->error);
	*self->ret_pids = result;
	return LCOWMIG_OK;
}

static void pids_step(lcowmig__flow *flow)
{
	struct container_pids *self = (struct container_pids *)flow;
	lcowmig_container *container = self->base.container;
	lcowmig_status status;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &container->gate));
	status = lcowmig__object_check(&container->object, CONTAINER_PIDS, flow->error);
	if (status != LCOWMIG_OK)
		goto out;
	lcowmig__object_fire(&container->object, CONTAINER_PIDS);
	FLOW_AWAIT(flow, lcowmig__guest_properties(flow, container->env, container->gcs_id, "ProcessList"));
	status = pids_answered(self);
	/* A container that the guest has forgotten reads as not found; every other failure keeps its class. */
	if (status == LCOWMIG_E_GUEST_FAILED && lcowmig__hresult_is_not_found(flow->error->hresult))
		status = lcowmig__wrap(flow->error, LCOWMIG_E_NOT_FOUND, "pids of container %s", container->id);
out:
	lcowmig__gate_leave(flow, &container->gate);
	FLOW_RETURN(flow, status);
	FLOW_END(flow);
}

static const lcowmig__flow_class pids_class = { .name = "pids", .step = pids_step };

lcowmig__flow *lcowmig__container_pids_flow(lcowmig_container *container, lcowmig_pids **ret_pids, lcowmig_error *error)
{
	struct container_pids *self = lcowmig__container_flow_new(container, sizeof *self, &pids_class, true, error);

	if (!self)
		return NULL;
	self->ret_pids = ret_pids;
	return &self->base.flow;
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
	lcowmig__mem mem;

	if (!pids)
		return;
	mem = pids->mem;
	lcowmig__free(&mem, pids);
}

/* ---- Stats ---- */

struct lcowmig_stats {
	lcowmig__mem mem;
	char *json;
};

struct container_stats {
	lcowmig__container_flow base;
	lcowmig_stats **ret_stats;
};

/* The metrics as the guest wrote them, without the property that wraps them; "{}" when there are none. */
static char *stats_extract(const lcowmig__mem *mem, const char *properties)
{
	lcowmig__json_span span;

	if (!lcowmig__json_find(properties, strlen(properties), "LCOWMetrics", &span))
		return lcowmig__strdup(mem, "{}");
	return lcowmig__strndup(mem, properties + span.value_start, span.value_end - span.value_start);
}

static lcowmig_status stats_answered(struct container_stats *self)
{
	lcowmig__flow *flow = &self->base.flow;
	const lcowmig__mem *mem = &flow->context->mem;
	lcowmig_status status = flow->result;
	lcowmig_stats *stats;
	char *properties;

	if (status == LCOWMIG_OK)
		status = lcowmig__guest_reply_properties(flow, &properties, flow->error);
	if (status != LCOWMIG_OK)
		return status;
	stats = lcowmig__alloc(mem, sizeof *stats);
	if (stats) {
		stats->mem = *mem;
		stats->json = stats_extract(mem, properties);
	}
	lcowmig__free(mem, properties);
	if (!stats || !stats->json) {
		lcowmig_stats_free(stats);
		return lcowmig__fail_memory(flow->error);
	}
	*self->ret_stats = stats;
	return LCOWMIG_OK;
}

static void stats_step(lcowmig__flow *flow)
{
	struct container_stats *self = (struct container_stats *)flow;
	lcowmig_container *container = self->base.container;
	lcowmig_status status;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &container->gate));
	status = lcowmig__object_check(&container->object, CONTAINER_STATS, flow->error);
	if (status != LCOWMIG_OK)
		goto out;
	lcowmig__object_fire(&container->object, CONTAINER_STATS);
	FLOW_AWAIT(flow, lcowmig__guest_properties(flow, container->env, container->gcs_id, "Statistics"));
	status = stats_answered(self);
out:
	lcowmig__gate_leave(flow, &container->gate);
	FLOW_RETURN(flow, status);
	FLOW_END(flow);
}

static const lcowmig__flow_class stats_class = { .name = "stats", .step = stats_step };

lcowmig__flow *lcowmig__container_stats_flow(lcowmig_container *container, lcowmig_stats **ret_stats, lcowmig_error *error)
{
	struct container_stats *self = lcowmig__container_flow_new(container, sizeof *self, &stats_class, true, error);

	if (!self)
		return NULL;
	self->ret_stats = ret_stats;
	return &self->base.flow;
}

const char *lcowmig_stats_json(const lcowmig_stats *stats)
{
	return stats ? stats->json : "";
}

void lcowmig_stats_free(lcowmig_stats *stats)
{
	lcowmig__mem mem;

	if (!stats)
		return;
	mem = stats->mem;
	lcowmig__free(&mem, stats->json);
	lcowmig__free(&mem, stats);
}
