/*
 * Bytes to frames to what they are for. A frame that is whole in the caller's bytes is read there; only a frame that comes in pieces is put
 * together in gcs->partial, which is as large as the largest frame: no byte is copied twice and nothing is allocated.
 */
#include "gcs.h"

#include <stdio.h>
#include <string.h>

static void receive_answer(lcowmig_gcs *gcs, const lcowmig__frame *frame, const char *text)
{
	size_t size = frame->size - LCOWMIG__FRAME_HEADER;
	lcowmig__request *request = NULL;
	lcowmig__outcome outcome;

	if (frame->id <= INT64_MAX)
		request = lcowmig__request_find(gcs, (int64_t)frame->id);
	/* The guest answers with the request's own message id. Anything else answers a request that another connection sent under this id.
	 */
	if (request && !request->is_queued && (!request->type || ((request->type ^ frame->type) & ~LCOWMIG__FRAME_KIND) == 0)) {
		lcowmig__answer_read(gcs, text, size, &outcome);
		lcowmig__request_finish(request, &outcome);
		return;
	}
	lcowmig__answer_keep(gcs, frame, text);
}

static void receive_frame(lcowmig_gcs *gcs, const lcowmig__frame *frame, const uint8_t *payload)
{
	const char *text = (const char *)payload;
	char why[64];

	lcowmig__record_frame(gcs, '<', frame, text, frame->size - LCOWMIG__FRAME_HEADER);
	switch (frame->type & LCOWMIG__FRAME_KIND) {
	case LCOWMIG__FRAME_RESPONSE:
		receive_answer(gcs, frame, text);
		break;
	case LCOWMIG__FRAME_NOTIFICATION:
		lcowmig__notice_receive(gcs, frame, text, frame->size - LCOWMIG__FRAME_HEADER);
		break;
	default:
		snprintf(why, sizeof why, "the guest sent a frame of unknown type 0x%08lx", (unsigned long)frame->type);
		lcowmig__transport_lose(gcs, why);
	}
}

/* False, and the transport lost, when no frame can be that long or short: what follows could not be told apart. */
static bool receive_check_size(lcowmig_gcs *gcs, const lcowmig__frame *frame)
{
	char why[96];

	if (frame->size >= LCOWMIG__FRAME_HEADER && frame->size <= LCOWMIG_GCS_FRAME_MAX)
		return true;
	snprintf(why, sizeof why, "the guest sent a frame of %lu bytes; expected 16 to 65536", (unsigned long)frame->size);
	lcowmig__transport_lose(gcs, why);
	return false;
}

/* Adds to the frame in pieces what it still lacks of `wanted` bytes; returns how much that took. */
static size_t receive_gather(lcowmig_gcs *gcs, const uint8_t *bytes, size_t size, size_t wanted)
{
	size_t take = wanted - gcs->partial_size;

	if (take > size)
		take = size;
	memcpy(gcs->partial + gcs->partial_size, bytes, take);
	gcs->partial_size += take;
	return take;
}

/* Goes on with the frame in pieces. Returns how many bytes it took. */
static size_t receive_piece(lcowmig_gcs *gcs, const uint8_t *bytes, size_t size)
{
	lcowmig__frame frame;
	size_t taken = 0;

	if (gcs->partial_size < LCOWMIG__FRAME_HEADER)
		taken = receive_gather(gcs, bytes, size, LCOWMIG__FRAME_HEADER);
	if (gcs->partial_size < LCOWMIG__FRAME_HEADER)
		return taken;
	frame = lcowmig__frame_read(gcs->partial);
	if (!receive_check_size(gcs, &frame))
		return taken;
	taken += receive_gather(gcs, bytes + taken, size - taken, frame.size);
	if (gcs->partial_size < frame.size)
		return taken;
	gcs->partial_size = 0;
	receive_frame(gcs, &frame, gcs->partial + LCOWMIG__FRAME_HEADER);
	return taken;
}

void lcowmig__receive_feed(lcowmig_gcs *gcs, const uint8_t *bytes, size_t size)
{
	uint64_t transport = gcs->transport;
	lcowmig__frame frame;

	while (size && gcs->transport == transport) {
		size_t taken;

		if (gcs->partial_size || size < LCOWMIG__FRAME_HEADER) {
			taken = receive_piece(gcs, bytes, size);
		} else {
			frame = lcowmig__frame_read(bytes);
			if (!receive_check_size(gcs, &frame))
				return;
			taken = frame.size;
			if (frame.size <= size)
				receive_frame(gcs, &frame, bytes + LCOWMIG__FRAME_HEADER);
			else
				taken = receive_gather(gcs, bytes, size, frame.size);
		}
		bytes += taken;
		size -= taken;
	}
}

void lcowmig__receive_ended(lcowmig_gcs *gcs, lcowmig_status status)
{
	if (status != LCOWMIG_OK)
		lcowmig__transport_lose(gcs, lcowmig_status_text(status));
	else
		lcowmig__transport_lose(gcs, gcs->partial_size ? "the guest ended it in the middle of a frame" : "the guest ended it");
}

lcowmig_status lcowmig_gcs_receive(lcowmig_gcs *gcs, void *stream, const void *data, size_t size)
{
	lcowmig_status status = LCOWMIG_OK;
	lcowmig_gcs_config config;
	lcowmig_context *context;
	lcowmig__pump pump;

	if (!gcs || !stream || (!data && size))
		return LCOWMIG_E_INVALID_ARGUMENT;
	context = gcs->context;
	config = gcs->config;
	lcowmig__enter(context, &pump);
	if (stream == gcs->stream.handle) {
		config.log = NULL;
		lcowmig__receive_feed(gcs, data, size);
	} else if (!lcowmig__log_is_stream(gcs, stream)) {
		config.log = NULL;
		if (gcs->accepting)
			lcowmig__early_add(gcs, stream, data, size);
		else
			status = LCOWMIG_E_UNAVAILABLE;
	}
	lcowmig__leave(context, &pump);
	if (config.log && size)
		config.log(config.user, data, size);
	return status;
}

lcowmig_status lcowmig_gcs_receive_end(lcowmig_gcs *gcs, void *stream, lcowmig_status end)
{
	lcowmig_status status = LCOWMIG_OK;
	lcowmig_context *context;
	lcowmig__pump pump;

	if (!gcs || !stream)
		return LCOWMIG_E_INVALID_ARGUMENT;
	context = gcs->context;
	lcowmig__enter(context, &pump);
	if (stream == gcs->stream.handle)
		lcowmig__receive_ended(gcs, end);
	else if (lcowmig__log_is_stream(gcs, stream))
		lcowmig__log_ended(gcs);
	else if (gcs->accepting)
		lcowmig__early_end(gcs, stream, end);
	else
		status = LCOWMIG_E_UNAVAILABLE;
	lcowmig__leave(context, &pump);
	return status;
}
