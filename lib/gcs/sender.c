/*
 * Writing: one flow for each busy spell of a transport, one frame at a time, in the order of the ids. It waits for the host between frames;
 * that is the back-pressure. When the transport is dropped meanwhile, it is no longer gcs->sender and ends after the host's answer.
 */
#include "gcs.h"

typedef struct sender_flow {
	lcowmig__flow flow;
	lcowmig_gcs *gcs;
	int64_t id;     /* of the request being written; it may be answered, or given up, before the write is over */
	bool is_handed; /* to the host: what it wrote of the frame is unknown */
} sender_flow;

/* The first in the queue that somebody still waits for. */
static lcowmig__request *sender_next(lcowmig_gcs *gcs)
{
	lcowmig__list *node;

	while ((node = gcs->queue.next) != &gcs->queue) {
		lcowmig__request *request = LCOWMIG__LIST_ENTRY(node, lcowmig__request, queued);

		if (lcowmig__request_is_wanted(request))
			return request;
		lcowmig__request_fail(request, LCOWMIG_E_CANCELLED, 0, "was given up before it was sent");
	}
	return NULL;
}

static void sender_write(sender_flow *self)
{
	lcowmig_gcs *gcs = self->gcs;
	lcowmig__request *request = sender_next(gcs);
	lcowmig__frame header;

	self->is_handed = false;
	self->id = -1;
	if (!request)
		return;
	self->id = request->id;
	header = lcowmig__frame_read(request->frame);
	lcowmig__record_frame(gcs, '>', &header, (const char *)request->frame + LCOWMIG__FRAME_HEADER,
			      request->frame_size - LCOWMIG__FRAME_HEADER);
	lcowmig__list_remove(&request->queued);
	request->is_queued = false;
	gcs->queue_bytes -= request->frame_size;
	if (!lcowmig__send_call(&self->flow, gcs, gcs->stream.handle, request->frame, request->frame_size))
		return;
	request->frame = NULL;
	self->is_handed = true;
}

/* A write failed: that request fails alone, and the stream is of no use any more. */
static void sender_failed(sender_flow *self)
{
	lcowmig_gcs *gcs = self->gcs;
	lcowmig__request *request = lcowmig__request_find(gcs, self->id);
	lcowmig_error *error = self->flow.error;
	bool is_current = gcs->sender == &self->flow;

	if (request)
		lcowmig__request_fail(request, self->is_handed ? LCOWMIG_E_UNAVAILABLE : LCOWMIG_E_NO_MEMORY, error->hresult,
				      error->message);
	if (self->is_handed && is_current)
		lcowmig__transport_lose(gcs, error->message);
}

static void sender_step(lcowmig__flow *flow)
{
	sender_flow *self = (sender_flow *)flow;
	lcowmig_gcs *gcs = self->gcs;

	FLOW_BEGIN(flow);
	while (gcs->sender == flow && !lcowmig__list_is_empty(&gcs->queue)) {
		FLOW_AWAIT(flow, sender_write(self));
		if (flow->result != LCOWMIG_OK)
			sender_failed(self);
	}
	if (gcs->sender == flow)
		gcs->sender = NULL;
	FLOW_END(flow);
}

static const lcowmig__flow_class sender_class = { "send", sender_step, NULL, false };

bool lcowmig__sender_queue(lcowmig__request *request)
{
	lcowmig_gcs *gcs = request->gcs;
	sender_flow *self;

	if (!gcs->sender) {
		self = lcowmig__flow_new(sizeof *self, &sender_class, gcs->context, &gcs->object, NULL);
		if (!self)
			return false;
		self->gcs = gcs;
		gcs->sender = &self->flow;
		lcowmig__flow_background(&self->flow);
	}
	lcowmig__list_append(&gcs->queue, &request->queued);
	request->is_queued = true;
	gcs->queue_bytes += request->frame_size;
	return true;
}

bool lcowmig__sender_is(const lcowmig__flow *flow)
{
	return flow->class == &sender_class;
}
