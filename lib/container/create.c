/*
 * Create: from containerd's request to a container that the guest knows.
 *
 *     read the spec -> layers -> mounts -> devices -> guest create -> init process created
 *
 * Up to the first arrow nothing has happened and the container stays NotCreated; a failure behind it gives everything back and leaves it
 * Invalid.
 */
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
	bool can_be_repeated;
};

/* ---- Copies of what the caller passed ---- */

void lcowmig__container_keep_stdio(lcowmig__flow *flow, lcowmig_process_options *stdio)
{
	stdio->bundle = lcowmig__flow_text(flow, stdio->bundle);
	stdio->stdin_path = lcowmig__flow_text(flow, stdio->stdin_path);
	stdio->stdout_path = lcowmig__flow_text(flow, stdio->stdout_path);
	stdio->stderr_path = lcowmig__flow_text(flow, stdio->stderr_path);
}

static void keep_rootfs_mount(lcowmig__flow *flow, lcowmig_rootfs_mount *mount)
{
	const char **options = lcowmig__flow_alloc(flow, (mount->n_options + 1) * sizeof *options);
	size_t i;

	for (i = 0; options && i < mount->n_options; i++)
		options[i] = lcowmig__flow_text(flow, mount->options[i] ? mount->options[i] : "");
	mount->options = options;
	mount->type = lcowmig__flow_text(flow, mount->type);
	mount->source = lcowmig__flow_text(flow, mount->source);
	mount->target = lcowmig__flow_text(flow, mount->target);
}

lcowmig_rootfs_mount *lcowmig__container_keep_rootfs(lcowmig__flow *flow, const lcowmig_rootfs_mount *mounts, size_t count)
{
	lcowmig_rootfs_mount *copies = lcowmig__flow_alloc(flow, (count + 1) * sizeof *copies);
	size_t i;

	for (i = 0; copies && i < count; i++) {
		copies[i] = mounts[i];
		keep_rootfs_mount(flow, &copies[i]);
	}
	return copies;
}

lcowmig_status lcowmig__container_take_path(lcowmig__flow *flow, lcowmig__arena *arena, const char **ret_path)
{
	const char *path;

	if (!flow->rest->reply.size)
		return lcowmig__fail(flow->error, LCOWMIG_E_HOST_FAILED, "resolve path: the host gave none");
	path = lcowmig__arena_strndup(arena, flow->rest->reply.data, flow->rest->reply.size);
	if (!path)
		return lcowmig__fail_memory(flow->error);
	*ret_path = path;
	return LCOWMIG_OK;
}

/* ---- Reading ---- */

/* What may fail without a trace: arguments, annotations, and everything that the end will need. */
static lcowmig_status create_read_spec(struct container_create *self, lcowmig_error *error)
{
	lcowmig_container *container = self->base.container;
	const char *sandbox_id;
	lcowmig__oci_kind kind;
	lcowmig_status status;

	if (self->io_retry_timeout_ns > INT64_MAX)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT,
				     "container %s: io_retry_timeout_ns is longer than an envelope can say", container->id);
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

	status = lcowmig__oci_layers_read(plan->arena, limits, self->rootfs, self->n_rootfs, plan->spec, &plan->layers, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__oci_mounts(plan->arena, limits, plan->spec, &plan->mounts, &plan->n_mounts, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__oci_devices(plan->arena, limits, plan->spec, &plan->devices, &plan->n_devices, error);
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
	lcowmig__flow *flow = &self->base.flow;
	const lcowmig__mem *mem = lcowmig__arena_mem(&flow->rest->arena);
	const char *bundle = lcowmig__path_bundle(mem, container->guest_pod_id, container->gcs_id);
	const char *scratch = lcowmig__path_scratch(mem, container->scratch.guest_path, container->guest_pod_id, container->gcs_id);
	char *config = NULL;

	if (bundle && scratch)
		config = lcowmig__oci_guest_document(&flow->context->mem, self->plan.guest_spec, bundle, scratch);
	container->guest_knows = true; /* or may: releasing it does no harm */
	if (config)
		lcowmig__guest_create(flow, container->env, container->gcs_id, config);
	else
		lcowmig__flow_child(flow, NULL); /* memory is out */
	lcowmig__free(&flow->context->mem, config);
}

static lcowmig_status create_make_init(struct container_create *self, lcowmig_error *error)
{
	lcowmig_container *container = self->base.container;

	container->io_retry_timeout_ns = self->io_retry_timeout_ns;
	return lcowmig__container_make_process(container, "", &container->init, error);
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
static void create_remember(struct container_create *self)
{
	const lcowmig_container *container = self->base.container;
	lcowmig__flow *flow = &self->base.flow;

	flow->failure = flow->result;
	self->can_be_repeated = flow->result == LCOWMIG_E_NO_MEMORY && !container->n_ro_layers && !container->has_scratch;
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
		lcowmig__signal_set(&container->terminated);
	}
	return lcowmig__wrap(flow->error, flow->failure, "container %s could not be created and is %s", container->id,
			     lcowmig__object_state_name(&container->object));
}

static void create_step(lcowmig__flow *flow)
{
	struct container_create *self = (struct container_create *)flow;
	lcowmig_container *container = self->base.container;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter_for(flow, &container->gate, CONTAINER_CREATE));
	FLOW_CHECK(flow, create_read_spec(self, flow->error));
	flow->result = create_read_plan(self, flow->error);
	if (flow->result != LCOWMIG_OK)
		goto failed;
	FLOW_TRY_OR(flow, lcowmig__flow_child(flow, lcowmig__container_layers_flow(&self->plan)), failed);
	FLOW_TRY_OR(flow, lcowmig__flow_child(flow, lcowmig__container_mounts_flow(&self->plan)), failed);
	FLOW_TRY_OR(flow, lcowmig__flow_child(flow, lcowmig__container_devices_flow(&self->plan)), failed);
	flow->result = create_build_spec(self, flow->error);
	if (flow->result != LCOWMIG_OK)
		goto failed;
	/* The exit notification must find somebody who expects it. */
	FLOW_TRY_OR(flow, lcowmig__guest_open_container(flow, container->env, container->gcs_id), failed);
	container->guest_is_open = true;
	lcowmig__flow_shield(flow, true);
	FLOW_TRY_OR(flow, create_tell_guest(self), failed);
	lcowmig__flow_shield(flow, false);
	flow->result = create_make_init(self, flow->error);
	if (flow->result != LCOWMIG_OK)
		goto failed;
	FLOW_TRY_OR(flow, create_create_init(self), failed);
	create_commit(self);
	FLOW_RETURN(flow, LCOWMIG_OK);
failed:
	create_remember(self);
	lcowmig__flow_shield(flow, true);
	FLOW_AWAIT(flow, lcowmig__flow_child(flow, lcowmig__container_release_flow(container, NULL)));
	FLOW_AWAIT(flow, lcowmig__container_close_guest(flow, container));
	if (flow->result == LCOWMIG_OK)
		container->guest_is_open = false;
	FLOW_RETURN(flow, create_give_up(self));
	FLOW_END(flow);
}

static void create_release(lcowmig__flow *flow)
{
	struct container_create *self = (struct container_create *)flow;

	cJSON_Delete(self->plan.spec);
	cJSON_Delete(self->plan.guest_spec);
	lcowmig__event_free(self->created);
}

static const lcowmig__flow_class create_class = { .name = "create", .step = create_step, .release = create_release };

/* TASK_CREATE, with what was kept of the options. */
static bool create_make_event(struct container_create *self)
{
	const lcowmig_container *container = self->base.container;
	const lcowmig_process_options *stdio = &self->stdio;
	const char *const paths[3] = { stdio->stdin_path, stdio->stdout_path, stdio->stderr_path };

	self->created = lcowmig__event_new(container->env, LCOWMIG_EVENT_TASK_CREATE, container->id, "", NULL);
	return self->created && lcowmig__event_set_io(self->created, stdio->bundle, paths, stdio->terminal != 0);
}

lcowmig__flow *lcowmig__container_create_flow(lcowmig_container *container, const lcowmig_container_options *options, lcowmig_error *error)
{
	struct container_create *self = lcowmig__container_flow_new(container, sizeof *self, &create_class, error);
	lcowmig__flow *flow;

	if (!self)
		return NULL;
	flow = &self->base.flow;
	self->plan.container = container;
	self->plan.arena = &flow->rest->arena;
	self->stdio.bundle = options->bundle;
	self->stdio.stdin_path = options->stdin_path;
	self->stdio.stdout_path = options->stdout_path;
	self->stdio.stderr_path = options->stderr_path;
	self->stdio.terminal = options->terminal;
	lcowmig__container_keep_stdio(flow, &self->stdio);
	self->io_retry_timeout_ns = options->io_retry_timeout_ns;
	self->spec_size = options->oci_spec ? options->oci_spec_size : 0;
	self->spec = lcowmig__flow_bytes(flow, options->oci_spec, self->spec_size);
	self->n_rootfs = options->rootfs ? options->n_rootfs : 0;
	self->rootfs = lcowmig__container_keep_rootfs(flow, options->rootfs, self->n_rootfs);
	return lcowmig__flow_made(flow, create_make_event(self), error);
}

lcowmig__flow *lcowmig__container_part_flow(lcowmig__container_plan *plan, size_t size, const lcowmig__flow_class *class)
{
	lcowmig__container_part *part = lcowmig__container_flow_new(plan->container, size, class, NULL);

	if (!part)
		return NULL;
	part->plan = plan;
	return &part->base.flow;
}
