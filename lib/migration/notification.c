/* What a subscriber can ask of an event. */
#include "notify.h"

uint32_t lcowmig_notification_message_id(const lcowmig_notification *notification)
{
	return notification->notice->message_id;
}

uint32_t lcowmig_notification_sequence(const lcowmig_notification *notification)
{
	return notification->notice->sequence;
}

lcowmig_origin lcowmig_notification_origin(const lcowmig_notification *notification)
{
	return notification->notice->origin;
}

lcowmig_phase lcowmig_notification_phase(const lcowmig_notification *notification)
{
	return notification->notice->phase;
}

lcowmig_phase_state lcowmig_notification_state(const lcowmig_notification *notification)
{
	return notification->notice->state;
}

lcowmig_step lcowmig_notification_step(const lcowmig_notification *notification)
{
	return notification->notice->step;
}

uint32_t lcowmig_notification_number(const lcowmig_notification *notification)
{
	return notification->notice->number;
}

uint32_t lcowmig_notification_total(const lcowmig_notification *notification)
{
	return notification->notice->total;
}

bool lcowmig_notification_has_blackout(const lcowmig_notification *notification)
{
	return notification->notice->has_blackout;
}

uint64_t lcowmig_notification_blackout_ms(const lcowmig_notification *notification)
{
	return notification->notice->blackout_ms;
}

int64_t lcowmig_notification_blackout_stop(const lcowmig_notification *notification)
{
	return notification->notice->blackout_stop;
}

int64_t lcowmig_notification_start_time(const lcowmig_notification *notification)
{
	return notification->notice->start_time;
}

int64_t lcowmig_notification_update_time(const lcowmig_notification *notification)
{
	return notification->notice->update_time;
}

uint32_t lcowmig_notification_missed(const lcowmig_notification *notification)
{
	return notification->missed;
}

const char *lcowmig_notification_text(const lcowmig_notification *notification)
{
	return notification->notice->text;
}
