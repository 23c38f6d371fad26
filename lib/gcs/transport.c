/* The one transport of the moment: installing it, losing it, closing everything. */
#include "gcs.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* A write that has not reached the host yet must not reach it after the stream's close. One that has, ends with the stream. */
static void transport_stop_sender(lcowmig_gcs *gcs)
{
	lcowmig__flow *sender = gcs->sender;
	lcowmig__list *node, *following;
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	gcs->sender = NULL;
	if (!sender)
		return;
	lcowmig__fail(&error, LCOWMIG_E_UNAVAILABLE, "the guest connection was lost before the request was sent");
	LCOWMIG__LIST_EACH(node, following, &sender->rest->calls)
	{
		lcowmig_call *call = LCOWMIG__LIST_ENTRY(node, lcowmig_call, in_flow);

		if (call->phase != LCOWMIG__CALL_QUEUED)
			continue;
		lcowmig__flow_await_failed(sender, LCOWMIG_E_UNAVAILABLE, &error);
		lcowmig__call_abandon(call);
	}
}

/* Whatever was half sent or half received goes with it. */
static void transport_drop(lcowmig_gcs *gcs, const char *why)
{
	transport_stop_sender(gcs);
	lcowmig__gcs_handle_close(&gcs->stream);
	gcs->partial_size = 0;
	gcs->transport++;
	lcowmig__requests_fail_unsent(gcs, why);
}

void lcowmig__transport_install(lcowmig_gcs *gcs, lcowmig__gcs_handle *stream, bool replaces)
{
	lcowmig_status status = LCOWMIG_OK;
	lcowmig__buf bytes;
	bool has_ended;

	if (gcs->stream.handle)
		transport_drop(gcs, "the transport was replaced before the request was sent");
	gcs->stream = *stream;
	memset(stream, 0, sizeof *stream);
	gcs->transport++;
	gcs->is_resuming = replaces;
	lcowmig__object_fire(&gcs->object, LCOWMIG__GCS_ACCEPT);
	lcowmig__record_change(gcs, replaces ? "new transport" : "transport");
	lcowmig__buf_init(&bytes, &gcs->context->mem);
	has_ended = lcowmig__early_take(gcs, gcs->stream.handle, &bytes, &status);
	lcowmig__receive_feed(gcs, (const uint8_t *)bytes.data, bytes.size);
	lcowmig__buf_done(&bytes);
	if (has_ended && gcs->stream.handle)
		lcowmig__receive_ended(gcs, status);
}

/* ---- Losing it ---- */

typedef struct lcowmig__disconnect {
	lcowmig__delivery delivery;
	lcowmig_context *context;
	void (*function)(void *user, const char *why);
	void *user;
	char why[256];
} disconnect;

static void disconnect_deliver(lcowmig__delivery *delivery)
{
	disconnect *self = LCOWMIG__CONTAINER_OF(delivery, disconnect, delivery);
	lcowmig__mem mem = self->context->mem;

	self->function(self->user, self->why);
	lcowmig__free(&mem, self);
}

/* False when memory is out. */
static bool disconnect_prepare(lcowmig_gcs *gcs)
{
	disconnect *self;

	if (gcs->disconnect || !gcs->config.disconnected)
		return true;
	self = lcowmig__alloc(&gcs->context->mem, sizeof *self);
	if (!self)
		return false;
	self->delivery.run = disconnect_deliver;
	lcowmig__list_init(&self->delivery.node);
	self->context = gcs->context;
	self->function = gcs->config.disconnected;
	self->user = gcs->config.user;
	gcs->disconnect = self;
	return true;
}

static void disconnect_tell(lcowmig_gcs *gcs, const char *why)
{
	disconnect *self = gcs->disconnect;

	gcs->disconnect = NULL;
	if (!self)
		return;
	lcowmig__gcs_copy(self->why, sizeof self->why, why);
	lcowmig__deliver(gcs->context, &self->delivery);
}

/* The connection is over, whether or not there still was a transport. */
static void connection_give_up(lcowmig_gcs *gcs, const char *why)
{
	lcowmig__object_fire(&gcs->object, LCOWMIG__GCS_LOSE);
	lcowmig__requests_fail_all(gcs, why);
	lcowmig__gcs_settle(gcs);
	disconnect_tell(gcs, why);
}

void lcowmig__transport_lose(lcowmig_gcs *gcs, const char *cause)
{
	bool was_up = gcs->object.state == LCOWMIG__GCS_CONNECTED || gcs->is_resuming;
	char why[256];

	if (!gcs->stream.handle)
		return;
	snprintf(why, sizeof why, "the guest connection was lost: %s", cause);
	lcowmig__text_trim(why, sizeof why);
	lcowmig__log(gcs->context, LCOWMIG_LOG_WARNING, "%s%s", why, was_up && gcs->is_migrating ? " (parked: migrating)" : "");
	lcowmig__record_change(gcs, why);
	transport_drop(gcs, why);
	gcs->is_resuming = false;
	if (was_up && gcs->is_migrating)
		lcowmig__object_fire(&gcs->object, LCOWMIG__GCS_PARK);
	else if (was_up)
		connection_give_up(gcs, why);
	else
		/* It never was up: adopted waits go on waiting for one that will be. */
		lcowmig__object_fire(&gcs->object, LCOWMIG__GCS_LOSE);
}

lcowmig_status lcowmig__transport_negotiated(lcowmig_gcs *gcs, lcowmig_error *error)
{
	if (!disconnect_prepare(gcs))
		return lcowmig__fail_memory(error);
	gcs->is_resuming = false;
	lcowmig__object_fire(&gcs->object, LCOWMIG__GCS_NEGOTIATED);
	lcowmig__record_change(gcs, "negotiated version 4"); /* no other is accepted */
	lcowmig__notices_release(gcs);
	lcowmig__gcs_keep_until_timeout(gcs);
	return LCOWMIG_OK;
}

/* ---- Closing, migrating ---- */

void lcowmig__gcs_shut(lcowmig_gcs *gcs)
{
	static const char why[] = "the guest connection was closed";
	lcowmig__list *node, *following;
	size_t i;

	gcs->is_migrating = false;
	gcs->is_resuming = false;
	if (gcs->stream.handle)
		lcowmig__record_change(gcs, "closed");
	transport_drop(gcs, why);
	LCOWMIG__LIST_EACH(node, following, &gcs->object.flows)
	{
		lcowmig__flow *flow = LCOWMIG__FLOW_OF(node, on_object);

		if (!lcowmig__sender_is(flow))
			lcowmig__flow_interrupt(flow, LCOWMIG_E_UNAVAILABLE, "ended because the guest connection was closed");
	}
	for (i = 0; i < LCOWMIG__COUNT(gcs->ports); i++) {
		if (!gcs->ports[i].is_accepting) /* else the accept does it when it ends, which is now */
			lcowmig__gcs_port_disarm(&gcs->ports[i]);
		lcowmig__gcs_port_forget(gcs, &gcs->ports[i]);
	}
	if (gcs->object.state != LCOWMIG__GCS_DISCONNECTED)
		lcowmig__object_fire(&gcs->object, LCOWMIG__GCS_LOSE);
	lcowmig__requests_fail_all(gcs, why);
	gcs->is_keeping = false;
	lcowmig__timer_clear(gcs->context, &gcs->keeping);
	lcowmig__notices_drop(gcs);
	lcowmig__answers_drop(gcs);
	lcowmig__containers_forget(gcs);
	lcowmig__early_drop(gcs);
}

void lcowmig__gcs_migrate(lcowmig_gcs *gcs, bool migrating)
{
	if (migrating == gcs->is_migrating)
		return;
	if (migrating) {
		lcowmig__requests_suspend(gcs);
		gcs->is_migrating = true;
		lcowmig__gcs_keep(gcs);
		return;
	}
	gcs->is_migrating = false;
	if (gcs->object.state == LCOWMIG__GCS_PARKED) {
		connection_give_up(gcs, "the guest connection was lost during the migration and not resumed");
		return;
	}
	lcowmig__requests_continue(gcs);
	lcowmig__gcs_keep_until_timeout(gcs);
}
