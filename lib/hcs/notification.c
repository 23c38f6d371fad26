#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "document_parts.h"
#include "options.h"

/* Indexed by the phase or state that each text means. */
static const char *const phase_texts[] = {
	[LCOWMIG__PHASE_SETUP_DONE] = "SetupDone",
	[LCOWMIG__PHASE_TRANSFER_IN_PROGRESS] = "TransferInProgress",
	[LCOWMIG__PHASE_BLACKOUT_STARTED] = "BlackoutStarted",
	[LCOWMIG__PHASE_OFFLINE_DONE] = "OfflineDone",
	[LCOWMIG__PHASE_BLACKOUT_EXITED] = "BlackoutExited",
	[LCOWMIG__PHASE_DONE] = "MigrationDone",
	[LCOWMIG__PHASE_RECOVERY_DONE] = "MigrationRecoveryDone",
	[LCOWMIG__PHASE_FAILED] = "MigrationFailed",
};

static const char *const state_texts[] = {
	[LCOWMIG__PHASE_STATE_SUCCESS] = "Success",
	[LCOWMIG__PHASE_STATE_CANCELLED] = "MigrationCancelled",
	[LCOWMIG__PHASE_STATE_GUEST_INITIATED_CANCELLATION] = "GuestInitiatedCancellation",
	[LCOWMIG__PHASE_STATE_SOURCE_FAILED] = "SourceMigrationFailed",
	[LCOWMIG__PHASE_STATE_DESTINATION_FAILED] = "DestinationMigrationFailed",
	[LCOWMIG__PHASE_STATE_RECOVERY_FAILED] = "MigrationRecoveryFailed",
};

/* The index of `text`; 0, which is "unspecified" everywhere, when it is none of them. */
static unsigned notification_index(const char *const *texts, size_t count, const char *text)
{
	unsigned i;

	for (i = 1; i < count; i++)
		if (lcowmig__text_equal(texts[i], text))
			return i;
	return 0;
}

static lcowmig__origin notification_origin(const char *text, lcowmig__origin fallback)
{
	if (lcowmig__text_is_empty(text))
		return fallback;
	if (strcmp(text, "Source") == 0)
		return LCOWMIG__ORIGIN_SOURCE;
	return strcmp(text, "Destination") == 0 ? LCOWMIG__ORIGIN_DESTINATION : LCOWMIG__ORIGIN_UNSPECIFIED;
}

static lcowmig__phase_state notification_state(const char *text, lcowmig__phase phase)
{
	if (!lcowmig__text_is_empty(text) && strcmp(text, "Invalid") != 0)
		return (lcowmig__phase_state)notification_index(state_texts, LCOWMIG__COUNT(state_texts), text);
	/* Progress that is reported at all was successful; how a migration ended is never guessed. */
	if (phase >= LCOWMIG__PHASE_SETUP_DONE && phase <= LCOWMIG__PHASE_BLACKOUT_EXITED)
		return LCOWMIG__PHASE_STATE_SUCCESS;
	return LCOWMIG__PHASE_STATE_UNSPECIFIED;
}

/* Reads exactly `count` digits and moves on; -1 when there are not as many. */
static int timestamp_digits(const char **text, int count)
{
	int value = 0;

	while (count--) {
		if (**text < '0' || **text > '9')
			return -1;
		value = value * 10 + (*(*text)++ - '0');
	}
	return value;
}

static bool timestamp_expect(const char **text, char c)
{
	if (**text != c)
		return false;
	(*text)++;
	return true;
}

static int days_of_month(int year, int month)
{
	static const int days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && is_leap);
}

/* Days from 1970-01-01, counting years from March so that the leap day comes last. */
static int64_t days_of_date(int year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t m = month > 2 ? month - 3 : month + 9;

	return y * 365 + (y + 400) / 4 - (y + 400) / 100 + (y + 400) / 400 - 97 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

/* "2026-08-20T01:05:49", in seconds since 1970. */
static bool timestamp_seconds(const char **text, int64_t *ret_seconds)
{
	static const struct {
		int digits, lowest, highest;
		char following; /* NUL: none */
	} parts[] = { { 4, 0, 9999, '-' }, { 2, 1, 12, '-' }, { 2, 1, 31, 'T' }, { 2, 0, 23, ':' }, { 2, 0, 59, ':' }, { 2, 0, 59, '\0' } };
	int values[LCOWMIG__COUNT(parts)];
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(parts); i++) {
		values[i] = timestamp_digits(text, parts[i].digits);
		if (values[i] < parts[i].lowest || values[i] > parts[i].highest)
			return false;
		if (parts[i].following && !timestamp_expect(text, parts[i].following))
			return false;
	}
	if (values[2] > days_of_month(values[0], values[1]))
		return false;
	*ret_seconds = days_of_date(values[0], values[1], values[2]) * 86400 + values[3] * 3600 + values[4] * 60 + values[5];
	return true;
}

static bool timestamp_fraction(const char **text, int64_t *ret_ns)
{
	int64_t scale = 100000000;
	int64_t ns = 0;

	if (timestamp_expect(text, '.')) {
		if (**text < '0' || **text > '9')
			return false;
		for (; **text >= '0' && **text <= '9'; (*text)++) {
			ns += (**text - '0') * scale;
			scale /= 10;
		}
	}
	*ret_ns = ns;
	return true;
}

/* What has to be subtracted to come to UTC. */
static bool timestamp_zone(const char **text, int64_t *ret_seconds)
{
	int sign = **text == '-' ? -1 : 1;
	int hour, minute;

	*ret_seconds = 0;
	if (timestamp_expect(text, 'Z'))
		return true;
	if (!timestamp_expect(text, '+') && !timestamp_expect(text, '-'))
		return false;
	hour = timestamp_digits(text, 2);
	if (hour < 0 || hour > 23 || !timestamp_expect(text, ':'))
		return false;
	minute = timestamp_digits(text, 2);
	if (minute < 0 || minute > 59)
		return false;
	*ret_seconds = (int64_t)sign * (hour * 3600 + minute * 60);
	return true;
}

bool lcowmig__parse_timestamp(const char *text, int64_t *ret_ns)
{
	int64_t seconds, fraction, zone;

	if (!timestamp_seconds(&text, &seconds) || !timestamp_fraction(&text, &fraction) || !timestamp_zone(&text, &zone) || *text)
		return false;
	seconds -= zone;
	if (seconds > INT64_MAX / 1000000000 - 1 || seconds < INT64_MIN / 1000000000 + 1)
		return false;
	*ret_ns = seconds * 1000000000 + fraction;
	return true;
}

static void notification_add_blackout(lcowmig__migration_notification *notification, const cJSON *details)
{
	const cJSON *duration = lcowmig__json_get(details, "BlackoutDurationMilliseconds");
	const cJSON *stop = lcowmig__json_get(details, "BlackoutStopTimestamp");
	uint64_t duration_ms = 0;
	int64_t stop_ns = 0;

	if (!cJSON_IsObject(details))
		return;
	if (duration && !cJSON_IsNull(duration) && !lcowmig__json_uint64(details, "BlackoutDurationMilliseconds", &duration_ms))
		return;
	if (stop && !cJSON_IsNull(stop) && (!cJSON_IsString(stop) || !lcowmig__parse_timestamp(stop->valuestring, &stop_ns)))
		return;
	notification->has_blackout = true;
	notification->blackout_duration_ms = duration_ms;
	notification->blackout_stop_ns = stop_ns;
}

/* The text of a member that must be a string when it is there. */
static bool notification_text(const cJSON *tree, const char *key, const char **ret_text)
{
	const cJSON *item = lcowmig__json_get(tree, key);

	*ret_text = cJSON_GetStringValue(item);
	return !item || cJSON_IsNull(item) || *ret_text;
}

lcowmig_status lcowmig__hcs_parse_notification(const lcowmig_limits *limits, const char *json, lcowmig__origin fallback,
					       lcowmig__migration_notification *ret_notification, lcowmig_error *error)
{
	lcowmig__migration_notification result = {
		LCOWMIG__ORIGIN_UNSPECIFIED, LCOWMIG__PHASE_UNSPECIFIED, LCOWMIG__PHASE_STATE_UNSPECIFIED, false, 0, 0
	};
	const char *origin, *event, *outcome;
	lcowmig_status status;
	cJSON *tree = NULL;

	status = lcowmig__hcs_parse_object("migration notification", limits, json, &tree, error);
	if (status)
		return status;
	if (!notification_text(tree, "Origin", &origin) || !notification_text(tree, "Event", &event) ||
	    !notification_text(tree, "Result", &outcome)) {
		cJSON_Delete(tree);
		return lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, "migration notification: Origin, Event or Result is not a string");
	}
	result.origin = notification_origin(origin, fallback);
	result.phase = (lcowmig__phase)notification_index(phase_texts, LCOWMIG__COUNT(phase_texts), event);
	result.state = notification_state(outcome, result.phase);
	if (result.phase == LCOWMIG__PHASE_BLACKOUT_EXITED)
		notification_add_blackout(&result, lcowmig__json_get(tree, "AdditionalDetails"));
	cJSON_Delete(tree);
	*ret_notification = result;
	return LCOWMIG_OK;
}
