#include "controller.h"

#include "base/guid.h"

/* ---- Work ---- */

void *lcowmig__work_new(void *handle, lcowmig_error *error, const lcowmig__work_class *class)
{
	lcowmig__object *object = handle;

	return lcowmig__flow_new(class->size, &class->flow, object->context, object, error);
}

lcowmig_status lcowmig__work_run(void *handle, lcowmig_done_fn done, void *user, lcowmig_error *error, const lcowmig__work_class *class)
{
	lcowmig__pump pump;

	if (!lcowmig__enter_object(handle, handle, class->what, &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_flow(handle, &pump, LCOWMIG_OK, lcowmig__work_new(handle, error, class), done, user, error);
}

/* ---- Controllers ---- */

static int entry_compare(const void *key, const lcowmig__node *node)
{
	return lcowmig__guid_compare(key, &LCOWMIG__TREE_ENTRY(node, lcowmig__entry, node)->id);
}

void *lcowmig__controller_new(lcowmig__env *env, size_t size, const lcowmig__machine *machine, const char *noun, lcowmig_error *error)
{
	lcowmig__controller *controller = lcowmig__alloc(&env->context->mem, size);

	if (!controller) {
		lcowmig__fail_memory(error);
		return NULL;
	}
	lcowmig__object_init(&controller->object, env->context, machine, "controller");
	controller->env = env;
	lcowmig__gate_init(&controller->gate);
	lcowmig__tree_init(&controller->entries, entry_compare);
	controller->noun = noun;
	return controller;
}

lcowmig__entry *lcowmig__controller_find(const lcowmig__controller *controller, const lcowmig_guid *id)
{
	return LCOWMIG__TREE_ENTRY(lcowmig__tree_find(&controller->entries, id), lcowmig__entry, node);
}

lcowmig_status lcowmig__controller_fail(const lcowmig__controller *controller, const lcowmig_guid *id, lcowmig_status status,
					const char *why, lcowmig_error *error)
{
	char text[LCOWMIG_GUID_TEXT_SIZE];

	lcowmig_guid_format(id, text);
	return lcowmig__fail(error, status, "%s: %s %s %s", controller->object.machine->kind, controller->noun, text, why);
}

lcowmig__entry *lcowmig__controller_look_up(const lcowmig__controller *controller, const lcowmig_guid *id, lcowmig_error *error)
{
	lcowmig__entry *entry = lcowmig__controller_find(controller, id);

	if (!entry)
		lcowmig__controller_fail(controller, id, LCOWMIG_E_NOT_FOUND, "not found", error);
	return entry;
}

lcowmig_status lcowmig__controller_draw(const lcowmig__controller *controller, size_t size, lcowmig__entry **ret_entry,
					lcowmig_error *error)
{
	lcowmig_context *context = controller->object.context;
	const char *kind = controller->object.machine->kind;
	unsigned limit = context->limits.reservations;
	lcowmig__entry *entry;
	lcowmig_status status;

	if (controller->entries.count >= limit)
		return lcowmig__fail(error, LCOWMIG_E_LIMIT_EXCEEDED, "%s: there are %u %ss already", kind, limit, controller->noun);
	entry = lcowmig__alloc(&context->mem, size);
	if (!entry)
		return lcowmig__fail_memory(error);
	status = lcowmig__random_guid(context, &entry->id, error);
	if (status == LCOWMIG_OK && lcowmig__controller_find(controller, &entry->id))
		status = lcowmig__fail(error, LCOWMIG_E_HOST_FAILED, "%s: the platform's random bytes repeat themselves", kind);
	if (status == LCOWMIG_OK)
		*ret_entry = entry;
	else
		lcowmig__free(&context->mem, entry);
	return status;
}

void lcowmig__controller_add(lcowmig__controller *controller, lcowmig__entry *entry)
{
	lcowmig__tree_insert(&controller->entries, &entry->id, &entry->node);
}

void lcowmig__controller_forget(lcowmig__controller *controller, lcowmig__entry *entry)
{
	lcowmig__tree_remove(&controller->entries, &entry->node);
	lcowmig__free(&controller->object.context->mem, entry);
}

/* ---- Work on an entry ---- */

lcowmig__flow *lcowmig__entry_work_new(void *handle, const lcowmig_guid *id, char **ret_path, lcowmig_error *error,
				       const lcowmig__work_class *class)
{
	lcowmig__entry_work *work = lcowmig__work_new(handle, error, class);

	if (!work)
		return NULL;
	work->id = *id;
	work->ret_path = ret_path;
	return &work->flow;
}

lcowmig_status lcowmig__entry_work_run(void *handle, const lcowmig_guid *id, lcowmig_done_fn done, void *user, lcowmig_error *error,
				       const lcowmig__work_class *class)
{
	lcowmig__pump pump;

	if (!lcowmig__enter_object(handle, id, class->what, &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_flow(handle, &pump, LCOWMIG_OK, lcowmig__entry_work_new(handle, id, NULL, error, class), done, user, error);
}

lcowmig_status lcowmig__entry_work_refuse(const lcowmig__entry_work *work, const char *why)
{
	return lcowmig__controller_fail((const lcowmig__controller *)work->flow.object, &work->id, LCOWMIG_E_FAILED_PRECONDITION, why,
					work->flow.error);
}

void lcowmig__entry_work_fire_failed(const lcowmig__entry_work *work, lcowmig__object *object, int trigger)
{
	lcowmig_status status = work->flow.result;

	if (status != LCOWMIG_OK && status != LCOWMIG_E_NO_MEMORY)
		lcowmig__object_fire(object, trigger);
}

lcowmig_status lcowmig__entry_work_prepare(lcowmig__entry_work *work, const char *path)
{
	if (!work->ret_path)
		return LCOWMIG_OK;
	work->path = lcowmig__strdup(&work->flow.context->mem, path);
	return work->path ? LCOWMIG_OK : lcowmig__fail_memory(work->flow.error);
}

void lcowmig__entry_work_give(lcowmig__entry_work *work)
{
	if (!work->ret_path)
		return;
	*work->ret_path = work->path;
	work->path = NULL;
}

void lcowmig__entry_work_release(lcowmig__flow *flow)
{
	lcowmig__free(&flow->context->mem, ((lcowmig__entry_work *)flow)->path);
}
