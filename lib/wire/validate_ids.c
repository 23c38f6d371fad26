/* What must be unique in a whole sandbox, and what must stay below the source's counters. */
#include <string.h>

#include "base/compiler.h"
#include "reader.h"

/* An id or number somewhere in the sandbox. */
typedef struct ids_mark {
	const char *text; /* NULL: the number counts */
	uint64_t number;
	const char *name; /* of the field */
	size_t pod;
	size_t container;
} ids_mark;

typedef enum ids_depth { IDS_OF_POD, IDS_OF_CONTAINER, IDS_OF_INIT } ids_depth;

/* What is unique, each of its kind. */
typedef enum ids_kind {
	IDS_GUEST_PODS,
	IDS_NICS,
	IDS_CONTAINERS,
	IDS_GUEST_CONTAINERS,
	IDS_PORTS,
	IDS_WAITS,
	IDS_KINDS
} ids_kind;

static const ids_depth depths[IDS_KINDS] = {
	[IDS_GUEST_PODS] = IDS_OF_POD,
	[IDS_NICS] = IDS_OF_POD,
	[IDS_CONTAINERS] = IDS_OF_CONTAINER,
	[IDS_GUEST_CONTAINERS] = IDS_OF_CONTAINER,
	[IDS_PORTS] = IDS_OF_INIT,
	[IDS_WAITS] = IDS_OF_INIT,
};

typedef struct ids_list {
	ids_mark *marks;
	size_t count;
	ids_kind kind;
	lcowmig__wire_place steps[4]; /* sandbox, pods, containers, processes */
} ids_list;

/* The place of what the list collects; there is one at a time. */
static const lcowmig__wire_place *ids_place(ids_list *list, size_t pod, size_t container)
{
	list->steps[1].index = pod;
	list->steps[2].index = container;
	return &list->steps[1 + (size_t)depths[list->kind]];
}

static int ids_order(const void *a, const void *b, const void *context)
{
	const ids_mark *left = a;
	const ids_mark *right = b;

	(void)context;
	if (left->text)
		return strcmp(left->text, right->text);
	return (left->number > right->number) - (left->number < right->number);
}

static lcowmig_status ids_unique(const lcowmig__wire_reader *reader, ids_list *list, lcowmig__arena *scratch)
{
	char other[LCOWMIG__WIRE_PATH_SIZE];
	lcowmig_status status = LCOWMIG_OK;

	if (!lcowmig__wire_sort(scratch, list->marks, list->count, sizeof *list->marks, ids_order, NULL))
		return lcowmig__fail_memory(reader->error);
	for (size_t i = 1; status == LCOWMIG_OK && i < list->count; i++) {
		const ids_mark *mark = &list->marks[i];

		if (ids_order(mark - 1, mark, NULL) != 0)
			continue;
		lcowmig__wire_path(ids_place(list, mark[-1].pod, mark[-1].container), mark[-1].name, other);
		status = lcowmig__wire_invalid(reader, ids_place(list, mark->pod, mark->container), mark->name, "is that of %s too", other);
		status = lcowmig__wire_tolerate(reader, status);
	}
	return status;
}

static void ids_add(ids_list *list, const char *text, uint64_t number, const char *name, size_t pod, size_t container)
{
	list->marks[list->count++] = (ids_mark){ text, number, name, pod, container };
}

static lcowmig_status ids_check_port(const lcowmig__wire_reader *reader, const lcowmig__wire_vm *vm, uint32_t port,
				     const lcowmig__wire_place *place, const char *name)
{
	if (port == LCOWMIG_GCS_CONTROL_PORT || port == LCOWMIG_GCS_LOG_PORT || port == LCOWMIG_GCS_ENTROPY_PORT)
		return lcowmig__wire_invalid(reader, place, name, "%u is a port of the guest connection itself",
					  (unsigned)port);
	if (vm->gcs_next_port && port >= vm->gcs_next_port)
		return lcowmig__wire_invalid(reader, place, name, "%u was never given out, the next port is %u",
					  (unsigned)port, (unsigned)vm->gcs_next_port);
	return LCOWMIG_OK;
}

/* Collects the ports of one init process; its wait id is judged alone. */
static lcowmig_status ids_add_process(const lcowmig__wire_reader *reader, const lcowmig__wire_sandbox *sandbox, ids_list *list, size_t pod,
				      size_t container)
{
	static const char *const names[] = { "stdin_port", "stdout_port", "stderr_port" };
	const lcowmig__wire_process *process = &sandbox->pods[pod].containers[container].processes[0];
	const lcowmig__wire_vm *vm = &sandbox->vm;
	const lcowmig__wire_place *place = ids_place(list, pod, container);
	lcowmig_status status = LCOWMIG_OK;

	for (size_t i = 0; status == LCOWMIG_OK && i < LCOWMIG__COUNT(names); i++) {
		if (!process->ports[i])
			continue;
		status = lcowmig__wire_tolerate(reader, ids_check_port(reader, vm, process->ports[i], place, names[i]));
		ids_add(list, NULL, process->ports[i], names[i], pod, container);
	}
	if (status == LCOWMIG_OK && vm->bridge_next_id && process->wait_call_id >= vm->bridge_next_id)
		status = lcowmig__wire_invalid(reader, place, "wait_call_id",
					    "%lld was never given out, the next id is %lld", (long long)process->wait_call_id,
					    (long long)vm->bridge_next_id);
	return lcowmig__wire_tolerate(reader, status);
}

static lcowmig_status ids_add_container(const lcowmig__wire_reader *reader, const lcowmig__wire_sandbox *sandbox, ids_list *list, size_t pod,
					size_t container)
{
	const lcowmig__wire_container *source = &sandbox->pods[pod].containers[container];

	switch (list->kind) {
	case IDS_CONTAINERS:
		ids_add(list, source->container_id, 0, "container_id", pod, container);
		break;
	case IDS_GUEST_CONTAINERS:
		ids_add(list, source->gcs_container_id, 0, "gcs_container_id", pod, container);
		break;
	case IDS_PORTS:
		return ids_add_process(reader, sandbox, list, pod, container);
	default:
		ids_add(list, NULL, (uint64_t)source->processes[0].wait_call_id, "wait_call_id", pod, container);
		break;
	}
	return LCOWMIG_OK;
}

static lcowmig_status ids_add_pod(const lcowmig__wire_reader *reader, const lcowmig__wire_sandbox *sandbox, ids_list *list, size_t pod)
{
	const lcowmig__wire_pod *source = &sandbox->pods[pod];
	lcowmig_status status = LCOWMIG_OK;

	if (list->kind == IDS_GUEST_PODS) {
		ids_add(list, source->gcs_pod_id, 0, "gcs_pod_id", pod, 0);
	} else if (list->kind == IDS_NICS) {
		for (size_t e = 0; e < source->network.n_endpoints; e++)
			ids_add(list, source->network.endpoints[e].nic_id, 0, "network.vm_endpoints", pod, 0);
	} else {
		for (size_t c = 0; status == LCOWMIG_OK && c < source->n_containers; c++)
			status = ids_add_container(reader, sandbox, list, pod, c);
	}
	return status;
}

lcowmig_status lcowmig__wire_validate_ids(const lcowmig__wire_reader *reader, const lcowmig__wire_sandbox *sandbox, lcowmig__arena *scratch)
{
	ids_list list = { NULL, 0, IDS_GUEST_PODS,
			  { { NULL, "sandbox", NULL, LCOWMIG__WIRE_NO_INDEX },
			    { &list.steps[0], "pods", NULL, 0 },
			    { &list.steps[1], "containers", NULL, 0 },
			    { &list.steps[2], "processes", "", LCOWMIG__WIRE_NO_INDEX } } };
	size_t room = sandbox->n_pods;
	lcowmig_status status = LCOWMIG_OK;

	for (size_t p = 0; p < sandbox->n_pods; p++)
		room += 3 * sandbox->pods[p].n_containers + sandbox->pods[p].network.n_endpoints;
	list.marks = lcowmig__arena_alloc(scratch, room * sizeof *list.marks);
	if (!list.marks)
		return lcowmig__fail_memory(reader->error);
	for (; status == LCOWMIG_OK && list.kind < IDS_KINDS; list.kind++) {
		list.count = 0;
		for (size_t p = 0; status == LCOWMIG_OK && p < sandbox->n_pods; p++)
			status = ids_add_pod(reader, sandbox, &list, p);
		if (status == LCOWMIG_OK)
			status = ids_unique(reader, &list, scratch);
	}
	return status;
}
