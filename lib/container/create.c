/*
 * Create: from containerd's request to a container that the guest knows.
 *
 *     read the spec -> layers -> mounts -> devices -> guest create -> init process created
 *
 * Up to the first arrow nothing has happened and the container stays NotCreated; a failure behind it gives everything back and leaves it
 * Invalid.
 */
#include <string.h>

#include "container_private.h"
#include "guest/guest.h"
#include "hcs/guest_paths.h"

struct container_create {
	lcowmig__container_flow base;
	lcowmig__container_plan plan;
	const char *spec;
	size_t spec_size;
	lcowmig_rootfs_mount *rootfs;
	size_t n_rootfs;
	lcowmig_process_options stdio; /* of the init process */
	uint64_t io_retry_timeout_ns;
	lcowmig_event *created; /* TASK_CREATE */
	lcowmig_status failure;
	lcowmig_error cause;
	bool can_be_repeated;
};

/* ---- Copies of what the caller passed ---- */

const char *lcowmig__container_copy_text(lcowmig__arena *arena, const char *text, bool *is_complete)
{
	const char *copy = text ? lcowmig__arena_strndup(arena, text, strlen(text)) : NULL;

	*is_complete = *is_complete && (copy || !text);
	return copy;
}

static void copy_rootfs_mount(lcowmig__arena *arena, lcowmig_rootfs_mount *copy, const lcowmig_rootfs_mount *mount, bool *is_complete)
{
	const char **options = lcowmig__arena_alloc(arena, (mount->n_options + 1) * sizeof *options);
	size_t i;

	*is_complete = *is_complete && options;
	for (i = 0; options && i < mount->n_options; i++)
		options[i] = lcowmig__container_copy_text(arena, mount->options[i] ? mount->options[i] : "", is_complete);
	copy->type = lcowmig__container_copy_text(arena, mount->type, is_complete);
	copy->source = lcowmig__container_copy_text(arena, mount->source, is_complete);
	copy->target = lcowmig__container_copy_text(arena, mount->target, is_complete);
	copy->options = options;
	copy->n_options = mount->n_options;
}

lcowmig_rootfs_mount *lcowmig__container_copy_rootfs(lcowmig__arena *arena, const lcowmig_rootfs_mount *mounts, size_t count,
						     bool *is_complete)
{
	lcowmig_rootfs_mount *copies = lcowmig__arena_alloc(arena, (count + 1) * sizeof *copies);
	size_t i;

	*is_complete = *is_complete && copies;
	for (i = 0; copies && i < count; i++)
		copy_rootfs_mount(arena, &copies[i], &mounts[i], is_complete);
	return copies;
}

lcowmig_status lcowmig__container_take_path(lcowmig__flow *flow, lcowmig__arena *arena, const char **ret_path)
{
	const char *path;

	if (!flow->reply.size)
		return lcowmig__fail(flow->error, LCOWMIG_E_HOST_FAILED, "resolve path: the host gave none");
	path = lcowmig__arena_strndup(arena, (const char *)flow->reply.data, flow->reply.size);
	if (!path)
		return lcowmig__fail_memory(flow->error);
	*ret_path = path;
	return LCOWMIG_OK;
}

static bool create_copy(struct container_create *self, const lcowmig_container_options *options)
{
	lcowmig__arena *arena = &self->plan.arena;
	bool is_complete = true;

	self->stdio.size = sizeof self->stdio;
	self->stdio.bundle = lcowmig__container_copy_text(arena, options->bundle, &is_complete);
	self->stdio.stdin_path = lcowmig__container_copy_text(arena, options->stdin_path, &is_complete);
	self->stdio.stdout_path = lcowmig__container_copy_text(arena, options->stdout_path, &is_complete);
	self->stdio.stderr_path = lcowmig__container_copy_text(arena, options->stderr_path, &is_complete);
	self->stdio.terminal = options->terminal;
	self->io_retry_timeout_ns = options->io_retry_timeout_ns;
	self->spec_size = options->oci_spec ? options->oci_spec_size : 0;
	self->spec = lcowmig__arena_strndup(arena, options->oci_spec, self->spec_size);
	self->n_rootfs = options->rootfs ? options->n_rootfs : 0;
	self->rootfs = lcowmig__container_copy_rootfs(arena, options->rootfs, self->n_rootfs, &is_complete);
	return is_complete && self->spec;
}

/* ---- Reading ---- */

/* What may fail without a trace: arguments, annotations, and everything that the end will need. */
static lcowmig_status create_read_spec(struct container_create *self, lcowmig_error *error)
{
	lcowmig_container *container = self->base.container;
	const char *sandbox_id;
	lcowmig__oci_kind kind;
	lcowmig_status status = lcowmig__object_check(&container->object, CONTAINER_CREATE, error);

	if (status == LCOWMIG_OK && self->io_retry_timeout_ns > INT64_MAX)
		status = lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT,
				       "container %s: io_retry_timeout_ns is longer than an envelope can say", container->id);
	if (status == LCOWMIG_OK)
		status = lcowmig__oci_parse(&container->env->context->limits, self->spec, self->spec_size, &self->plan.spec, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__oci_identify(self->plan.spec, &kind, &sandbox_id, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__container_prepare_end(container, error);
	return status;
}

static lcowmig_status create_read_plan(struct container_create *self, lcowmig_error *error)
{
	lcowmig__container_plan *plan = &self->plan;
	const lcowmig_limits *limits = &self->base.container->env->context->limits;
	lcowmig_status status;

	status = lcowmig__oci_layers_read(&plan->arena, limits, self->rootfs, self->n_rootfs, plan->spec, &plan->layers, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__oci_mounts(&plan->arena, limits, plan->spec, &plan->mounts, &plan->n_mounts, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__oci_devices(&plan->arena, limits, plan->spec, &plan->devices, &plan->n_devices, error);
	return status;
}

/* ---- The guest ---- */

static lcowmig_status create_build_spec(struct container_create *self, lcowmig_error *error)
{
	lcowmig_container *container = self->base.container;
	lcowmig__container_plan *plan = &self->plan;
	lcowmig_status status;

	status = lcowmig__oci_sanitise(plan->spec, container->rootfs_path, container->guest_pod_id, &plan->guest_spec, error);
	if (status != LCOWMIG_OK)
		return status;
	if (!lcowmig__oci_rewrite_mounts(plan->guest_spec, plan->mounts, plan->n_mounts) ||
	    !lcowmig__oci_rewrite_devices(plan->guest_spec, plan->devices, plan->n_devices))
		return lcowmig__fail_memory(error);
	return LCOWMIG_OK;
}

static void create_tell_guest(struct container_create *self)
{
	lcowmig_container *container = self->base.container;
	const lcowmig__mem *mem = &container->env->context->mem;
	lcowmig__flow *flow = &self->base.flow;
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	char *bundle = lcowmig__path_bundle(mem, container->guest_pod_id, container->gcs_id);
	char *scratch = lcowmig__path_scratch(mem, container->scratch.guest_path, container->guest_pod_id, container->gcs_id);
	char *config = bundle && scratch ? lcowmig__oci_guest_document(mem, self->plan.guest_spec, bundle, scratch) : NULL;

	container->guest_knows = true; /* or may: releasing it does no harm */
	if (config)
		lcowmig__guest_create(flow, container->env, container->gcs_id, config);
	else
		lcowmig__flow_await_failed(flow, lcowmig__fail_memory(&error), &error);
	lcowmig__free(mem, config);
	lcowmig__free(mem, scratch);
	lcowmig__free(mem, bundle);
}

static lcowmig_status create_make_init(struct container_create *self, lcowmig_error *error)
{
	lcowmig_container *container = self->base.container;
	lcowmig__process_owner owner = lcowmig__container_as_owner(container);
	lcowmig_process *init;
	lcowmig_status status;

	container->io_retry_timeout_ns = self->io_retry_timeout_ns;
	status =
		lcowmig__process_new(container->env, container->id, container->gcs_id, "", self->io_retry_timeout_ns, &owner, &init, error);
	if (status == LCOWMIG_OK)
		lcowmig__container_add_process(container, init);
	return status;
}

static void create_create_init(struct container_create *self)
{
	lcowmig__flow_child(&self->base.flow, lcowmig__process_create_flow(self->base.container->init, &self->stdio, NULL));
}

/* ---- The flow ---- */

static void create_undo_preparations(lcowmig_container *container)
{
	const lcowmig__mem *mem = &container->env->context->mem;

	container->has_layers = false;
	lcowmig__free(mem, container->ro_layers);
	container->ro_layers = NULL;
	lcowmig__free(mem, container->rootfs_path);
	container->rootfs_path = NULL;
}

/* Out of memory before anything was done, the first of which is a disk's reservation: as if nothing had been asked. */
static void create_remember(struct container_create *self, lcowmig_status status)
{
	const lcowmig_container *container = self->base.container;

	self->can_be_repeated = status == LCOWMIG_E_NO_MEMORY && !container->n_ro_layers && !container->has_scratch;
	self->failure = status;
	lcowmig__error_init(&self->cause);
	lcowmig__error_copy(&self->cause, self->base.flow.error);
}

static void create_commit(struct container_create *self)
{
	lcowmig_container *container = self->base.container;

	lcowmig__object_fire(&container->object, CONTAINER_CREATE);
	lcowmig__event_send(self->created);
	self->created = NULL;
}

static lcowmig_status create_give_up(struct container_create *self)
{
	lcowmig_container *container = self->base.container;
	lcowmig__flow *flow = &self->base.flow;

	if (self->can_be_repeated) {
		create_undo_preparations(container);
	} else {
		lcowmig__object_fire(&container->object, CONTAINER_CREATE_FAILED);
		if (container->init)
			lcowmig__container_drop_process(container, container->init);
		lcowmig__container_finish_end(container, false);
	}
	lcowmig__error_copy(flow->error, &self->cause);
	return lcowmig__wrap(flow->error, self->failure, "container %s could not be created and is %s", container->id,
			     lcowmig__object_state_name(&container->object));
}

static void create_step(lcowmig__flow *flow)
{
	struct container_create *self = (struct container_create *)flow;
	lcowmig_container *container = self->base.container;
	lcowmig_status status;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &container->gate));
	status = create_read_spec(self, flow->error);
	if (status != LCOWMIG_OK)
		goto out;
	status = create_read_plan(self, flow->error);
	if (status != LCOWMIG_OK)
		goto failed;
	FLOW_AWAIT(flow, lcowmig__flow_child(flow, lcowmig__container_layers_flow(&self->plan, NULL)));
	status = flow->result;
	if (status != LCOWMIG_OK)
		goto failed;
	FLOW_AWAIT(flow, lcowmig__flow_child(flow, lcowmig__container_mounts_flow(&self->plan, NULL)));
	status = flow->result;
	if (status != LCOWMIG_OK)
		goto failed;
	FLOW_AWAIT(flow, lcowmig__flow_child(flow, lcowmig__container_devices_flow(&self->plan, NULL)));
	status = flow->result;
	if (status == LCOWMIG_OK)
		status = create_build_spec(self, flow->error);
	if (status != LCOWMIG_OK)
		goto failed;
	/* The exit notification must find somebody who expects it. */
	FLOW_AWAIT(flow, lcowmig__guest_open_container(flow, container->env, container->gcs_id));
	status = flow->result;
	if (status != LCOWMIG_OK)
		goto failed;
	container->guest_is_open = true;
	lcowmig__flow_shield(flow, true);
	FLOW_AWAIT(flow, create_tell_guest(self));
	lcowmig__flow_shield(flow, false);
	status = flow->result;
	if (status == LCOWMIG_OK)
		status = create_make_init(self, flow->error);
	if (status != LCOWMIG_OK)
		goto failed;
	FLOW_AWAIT(flow, create_create_init(self));
	status = flow->result;
	if (status != LCOWMIG_OK)
		goto failed;
	create_commit(self);
	goto out;
failed:
	create_remember(self, status);
	lcowmig__flow_shield(flow, true);
	FLOW_AWAIT(flow, lcowmig__flow_child(flow, lcowmig__container_release_flow(container, NULL)));
	FLOW_AWAIT(flow, lcowmig__container_close_guest(flow, container));
	if (flow->result == LCOWMIG_OK)
		container->guest_is_open = false;
	status = create_give_up(self);
out:
	lcowmig__gate_leave(flow, &container->gate);
	FLOW_RETURN(flow, status);
	FLOW_END(flow);
}

static void create_release(lcowmig__flow *flow)
{
	struct container_create *self = (struct container_create *)flow;

	cJSON_Delete(self->plan.spec);
	cJSON_Delete(self->plan.guest_spec);
	lcowmig__arena_done(&self->plan.arena);
	lcowmig__event_free(self->created);
}

static const lcowmig__flow_class create_class = { .name = "create", .step = create_step, .release = create_release };

lcowmig__flow *lcowmig__container_create_flow(lcowmig_container *container, const lcowmig_container_options *options, lcowmig_error *error)
{
	const char *const paths[3] = { options->stdin_path, options->stdout_path, options->stderr_path };
	struct container_create *self = lcowmig__container_flow_new(container, sizeof *self, &create_class, true, error);
	bool is_complete;

	if (!self)
		return NULL;
	lcowmig__arena_init(&self->plan.arena, &container->env->context->mem, 0);
	self->plan.container = container;
	is_complete = create_copy(self, options);
	self->created = is_complete ? lcowmig__event_new(container->env, LCOWMIG_EVENT_TASK_CREATE, container->id, "", error) : NULL;
	if (self->created && lcowmig__event_set_io(self->created, options->bundle, paths, options->terminal != 0))
		return &self->base.flow;
	lcowmig__fail_memory(error);
	lcowmig__flow_discard(&self->base.flow);
	return NULL;
}
