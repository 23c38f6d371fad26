/*
 * Container notifications. A guest that reconnects sends those that came up meanwhile before anything else, that is before the containers
 * are reopened; so around a migration they are kept until somebody opens the container, or nobody has for long enough.
 */
#include "gcs.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "engine/env_call.h"
#include "lcowmig/sandbox.h"

typedef struct notice {
	lcowmig__delivery delivery;
	lcowmig__list kept;
	lcowmig_context *context;
	lcowmig_gcs_config config;
	lcowmig_call *post; /* carries it to the sandbox */
	char *container_id;
	char *text;
	size_t size;
} notice;

static void notice_free(notice *self)
{
	lcowmig__mem mem = self->context->mem;

	lcowmig__list_remove(&self->kept);
	lcowmig__call_spare_free(self->post);
	lcowmig__free(&mem, self->container_id);
	lcowmig__free(&mem, self->text);
	lcowmig__free(&mem, self);
}

/* NULL when memory is out. Whatever delivering needs is there from now on. */
static notice *notice_new(lcowmig_gcs *gcs, const char *container_id, const char *text, size_t size)
{
	const lcowmig__mem *mem = &gcs->context->mem;
	notice *self = lcowmig__alloc(mem, sizeof *self);

	if (!self)
		return NULL;
	self->context = gcs->context;
	self->config = gcs->config;
	lcowmig__list_init(&self->kept);
	lcowmig__list_init(&self->delivery.node);
	self->container_id = lcowmig__strdup(mem, container_id);
	self->text = lcowmig__strndup(mem, text, size);
	self->size = size;
	self->post = lcowmig__call_bare(gcs->context);
	if (self->container_id && self->text && self->post)
		return self;
	notice_free(self);
	return NULL;
}

/* ---- Delivering ---- */

static lcowmig_status invoke_notice(lcowmig_call *call)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	if (lcowmig_sandbox_guest_notification(call->handle_argument, call->text[0], call->size, &error) != LCOWMIG_OK)
		lcowmig__log(call->context, LCOWMIG_LOG_WARNING, "guest notification: %s", error.message);
	return LCOWMIG_OK;
}

static void notice_run(lcowmig__delivery *delivery)
{
	notice *self = LCOWMIG__CONTAINER_OF(delivery, notice, delivery);

	self->config.notification(self->config.user, self->text, self->size);
	notice_free(self);
}

static void notice_deliver(lcowmig_gcs *gcs, notice *self)
{
	lcowmig_call *post = self->post;

	if (gcs->sandbox) {
		self->post = NULL;
		post->text[0] = self->text;
		post->size = self->size;
		self->text = NULL;
		post->env = lcowmig__sandbox_env(gcs->sandbox); /* counts the call: the sandbox is not freed while it is told */
		lcowmig__env_post(post, "guest notification", invoke_notice, gcs->sandbox);
		notice_free(self);
	} else if (self->config.notification) {
		self->delivery.run = notice_run;
		lcowmig__deliver(gcs->context, &self->delivery);
	} else {
		lcowmig__log(gcs->context, LCOWMIG_LOG_WARNING, "guest connection: nobody takes the notification of container %s",
			     self->container_id);
		notice_free(self);
	}
}

/* ---- Who expects them ---- */

typedef struct opened {
	lcowmig__node node;
	char *id;
	bool is_closed; /* while keeping: its notification may still come, and is for nobody, also not for the next container of that id */
} opened;

int lcowmig__opened_compare(const void *key, const lcowmig__node *node)
{
	return strcmp(key, LCOWMIG__TREE_ENTRY(node, opened, node)->id);
}

static void opened_free(lcowmig_gcs *gcs, opened *self)
{
	lcowmig__tree_remove(&gcs->containers, &self->node);
	lcowmig__free(&gcs->context->mem, self->id);
	lcowmig__free(&gcs->context->mem, self);
}

void lcowmig__containers_forget(lcowmig_gcs *gcs)
{
	lcowmig__node *node, *following;

	LCOWMIG__TREE_EACH(node, following, &gcs->containers)
	opened_free(gcs, LCOWMIG__TREE_ENTRY(node, opened, node));
}

static opened *opened_find(const lcowmig_gcs *gcs, const char *container_id)
{
	return LCOWMIG__TREE_ENTRY(lcowmig__tree_find(&gcs->containers, container_id), opened, node);
}

static bool notice_is_due(const lcowmig_gcs *gcs, const char *container_id)
{
	const opened *container = opened_find(gcs, container_id);

	if (gcs->object.state == LCOWMIG__GCS_NEGOTIATING)
		return false;
	return !gcs->is_keeping || container; /* an open one: what comes for a closed one is not kept */
}

static void notices_take(lcowmig_gcs *gcs, notice *self)
{
	lcowmig__list_remove(&self->kept);
	gcs->n_notices--;
}

void lcowmig__notices_release(lcowmig_gcs *gcs)
{
	lcowmig__list *node, *following;

	LCOWMIG__LIST_EACH(node, following, &gcs->notices)
	{
		notice *self = LCOWMIG__LIST_ENTRY(node, notice, kept);

		if (!notice_is_due(gcs, self->container_id))
			continue;
		notices_take(gcs, self);
		notice_deliver(gcs, self);
	}
}

void lcowmig__notices_drop(lcowmig_gcs *gcs)
{
	lcowmig__list *node;

	while ((node = lcowmig__list_pop(&gcs->notices)) != NULL)
		notice_free(LCOWMIG__LIST_ENTRY(node, notice, kept));
	gcs->n_notices = 0;
}

/* ---- Receiving ---- */

static void notice_arrived(lcowmig_gcs *gcs, const char *container_id, const char *text, size_t size)
{
	opened *container = opened_find(gcs, container_id);
	notice *self;

	if (container && container->is_closed) {
		opened_free(gcs, container); /* there is one for each container */
		return;
	}
	self = notice_new(gcs, container_id, text, size);
	if (!self) {
		lcowmig__log(gcs->context, LCOWMIG_LOG_ERROR, "guest connection: out of memory for the notification of container %s",
			     container_id);
		return;
	}
	if (notice_is_due(gcs, container_id)) {
		notice_deliver(gcs, self);
		return;
	}
	lcowmig__list_append(&gcs->notices, &self->kept);
	if (++gcs->n_notices <= LCOWMIG__GCS_KEPT)
		return;
	self = LCOWMIG__LIST_ENTRY(gcs->notices.next, notice, kept);
	notices_take(gcs, self);
	notice_deliver(gcs, self);
}

void lcowmig__notice_receive(lcowmig_gcs *gcs, const lcowmig__frame *frame, const char *text, size_t size)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	const char *container_id;
	cJSON *tree = NULL;

	if (frame->type != LCOWMIG_GCS_NOTIFICATION) {
		lcowmig__log(gcs->context, LCOWMIG_LOG_WARNING, "guest connection: dropped a notification of unknown type 0x%08lx",
			     (unsigned long)frame->type);
		return;
	}
	if (lcowmig__json_parse("guest notification", text, size, LCOWMIG_GCS_FRAME_MAX, &gcs->context->limits, &tree, &error)) {
		lcowmig__log(gcs->context, LCOWMIG_LOG_WARNING, "guest connection: dropped a notification: %s", error.message);
		return;
	}
	container_id = lcowmig__json_string(tree, "ContainerId");
	if (lcowmig__text_is_empty(container_id))
		lcowmig__log(gcs->context, LCOWMIG_LOG_WARNING, "guest connection: dropped a notification without ContainerId");
	else
		notice_arrived(gcs, container_id, text, size);
	cJSON_Delete(tree);
}

/* ---- Keeping ---- */

static void keeping_is_over(lcowmig__timer *timer)
{
	lcowmig__gcs_settle(LCOWMIG__CONTAINER_OF(timer, lcowmig_gcs, keeping));
}

void lcowmig__gcs_keep(lcowmig_gcs *gcs)
{
	gcs->is_keeping = true;
	lcowmig__timer_clear(gcs->context, &gcs->keeping);
}

void lcowmig__gcs_keep_until_timeout(lcowmig_gcs *gcs)
{
	if (gcs->is_keeping && !gcs->is_migrating)
		lcowmig__timer_set(gcs->context, &gcs->keeping, gcs->config.connect_timeout_ns, keeping_is_over);
}

void lcowmig__gcs_settle(lcowmig_gcs *gcs)
{
	lcowmig__node *node, *following;

	gcs->is_keeping = false;
	LCOWMIG__TREE_EACH(node, following, &gcs->containers)
		if (LCOWMIG__TREE_ENTRY(node, opened, node)->is_closed)
			opened_free(gcs, LCOWMIG__TREE_ENTRY(node, opened, node));
	lcowmig__timer_clear(gcs->context, &gcs->keeping);
	lcowmig__notices_release(gcs);
	lcowmig__answers_drop(gcs);
}

/* ---- Opening, for public use ---- */

void lcowmig_gcs_open_container(lcowmig_gcs *gcs, const char *container_id)
{
	opened *self;
	lcowmig__pump pump;

	if (!gcs || !container_id)
		return;
	lcowmig__enter(gcs->context, &pump);
	self = opened_find(gcs, container_id);
	if (self)
		self->is_closed = false;
	if (!self) {
		self = lcowmig__alloc(&gcs->context->mem, sizeof *self);
		if (self) {
			self->id = lcowmig__strdup(&gcs->context->mem, container_id);
			if (self->id)
				lcowmig__tree_insert(&gcs->containers, container_id, &self->node);
			else
				opened_free(gcs, self);
		}
	}
	lcowmig__notices_release(gcs);
	lcowmig__leave(gcs->context, &pump);
}

/* What was kept for a container that is closed now is for nobody. */
static void notices_drop_of(lcowmig_gcs *gcs, const char *container_id)
{
	lcowmig__list *node, *following;

	LCOWMIG__LIST_EACH(node, following, &gcs->notices)
	{
		notice *self = LCOWMIG__LIST_ENTRY(node, notice, kept);

		if (strcmp(self->container_id, container_id) != 0)
			continue;
		notices_take(gcs, self);
		notice_free(self);
	}
}

void lcowmig_gcs_close_container(lcowmig_gcs *gcs, const char *container_id)
{
	opened *self;
	lcowmig__pump pump;

	if (!gcs || !container_id)
		return;
	lcowmig__enter(gcs->context, &pump);
	self = opened_find(gcs, container_id);
	notices_drop_of(gcs, container_id);
	if (self && gcs->is_keeping)
		self->is_closed = true;
	else if (self)
		opened_free(gcs, self);
	lcowmig__leave(gcs->context, &pump);
}
