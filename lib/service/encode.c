/* Responses: small messages, written field by field with zero values left out. */
#include "messages.h"

#include "migration_service.pb.h"

#define WIRE_VARINT 0u
#define WIRE_BYTES 2u
#define NANOSECONDS 1000000000

static void put_varint(lcowmig__buf *buf, uint64_t value)
{
	uint8_t bytes[10];
	size_t size = 0;

	do {
		bytes[size] = (uint8_t)(value & 0x7f);
		value >>= 7;
		if (value)
			bytes[size] |= 0x80;
		size++;
	} while (value);
	lcowmig__buf_append(buf, bytes, size);
}

static void put_number(lcowmig__buf *buf, uint32_t tag, uint64_t value)
{
	if (!value)
		return;
	put_varint(buf, tag << 3 | WIRE_VARINT);
	put_varint(buf, value);
}

static void put_bytes(lcowmig__buf *buf, uint32_t tag, const void *data, size_t size)
{
	put_varint(buf, tag << 3 | WIRE_BYTES);
	put_varint(buf, size);
	lcowmig__buf_append(buf, data, size);
}

static void put_message(lcowmig__buf *buf, uint32_t tag, lcowmig__buf *message)
{
	put_bytes(buf, tag, message->data, message->size);
	buf->failed = buf->failed || message->failed;
	lcowmig__buf_done(message);
}

/* google.protobuf.Timestamp; nanos are never negative. */
static void put_timestamp(lcowmig__buf *buf, uint32_t tag, int64_t nanoseconds)
{
	int64_t seconds = nanoseconds / NANOSECONDS;
	int64_t nanos = nanoseconds % NANOSECONDS;
	lcowmig__buf message;

	if (nanos < 0) {
		nanos += NANOSECONDS;
		seconds--;
	}
	lcowmig__buf_init(&message, buf->mem);
	put_number(&message, 1, (uint64_t)seconds);
	put_number(&message, 2, (uint64_t)nanos);
	put_message(buf, tag, &message);
}

void lcowmig__service_encode_export(lcowmig__buf *buf, const uint8_t *envelope, size_t size)
{
	put_bytes(buf, lcowmig__service_PrepareAndExportSandboxResponse_config_tag, envelope, size);
}

static void put_notification(lcowmig__buf *buf, const lcowmig_notification *notification)
{
	lcowmig__buf message;

	lcowmig__buf_init(&message, buf->mem);
	put_number(&message, lcowmig__service_Notification_origin_tag, (uint64_t)lcowmig_notification_origin(notification));
	put_number(&message, lcowmig__service_Notification_phase_tag, (uint64_t)lcowmig_notification_phase(notification));
	put_number(&message, lcowmig__service_Notification_state_tag, (uint64_t)lcowmig_notification_state(notification));
	if (lcowmig_notification_has_blackout(notification)) {
		lcowmig__buf details;

		lcowmig__buf_init(&details, buf->mem);
		put_number(&details, lcowmig__service_BlackoutExitedEventDetails_blackout_duration_milliseconds_tag,
			   lcowmig_notification_blackout_ms(notification));
		put_timestamp(&details, lcowmig__service_BlackoutExitedEventDetails_blackout_stop_timestamp_tag,
			      lcowmig_notification_blackout_stop(notification));
		put_message(&message, lcowmig__service_Notification_blackout_exited_tag, &details);
	}
	put_message(buf, lcowmig__service_NotificationsResponse_notification_tag, &message);
}

void lcowmig__service_encode_notification(lcowmig__buf *buf, const lcowmig_notification *notification)
{
	put_number(buf, lcowmig__service_NotificationsResponse_message_id_tag, lcowmig_notification_message_id(notification));
	put_notification(buf, notification);
	put_timestamp(buf, lcowmig__service_NotificationsResponse_start_time_tag, lcowmig_notification_start_time(notification));
	put_timestamp(buf, lcowmig__service_NotificationsResponse_update_time_tag, lcowmig_notification_update_time(notification));
}
