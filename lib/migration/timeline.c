#include "timeline.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "engine/abi.h"
#include "migration.h"

#define NANOSECONDS_PER_MS UINT64_C(1000000)

void lcowmig__timeline_init(lcowmig__timeline *timeline, lcowmig_context *context)
{
	timeline->context = context;
	timeline->count = 0;
}

void lcowmig__timeline_begin(lcowmig__timeline *timeline, const char *name, const char *detail)
{
	lcowmig__span *span;

	if (timeline->count == LCOWMIG__TIMELINE_MAX)
		return; /* somebody repeats calls; the first ones tell the story */
	span = &timeline->spans[timeline->count++];
	span->name = name;
	span->start = lcowmig__now(timeline->context);
	span->end = span->start;
	span->has_ended = false;
	snprintf(span->detail, sizeof span->detail, "%s", detail ? detail : "");
}

static lcowmig__span *timeline_find(lcowmig__timeline *timeline, const char *name, bool open)
{
	size_t i;

	for (i = timeline->count; i-- > 0;)
		if (strcmp(timeline->spans[i].name, name) == 0 && (!open || !timeline->spans[i].has_ended))
			return &timeline->spans[i];
	return NULL;
}

void lcowmig__timeline_end(lcowmig__timeline *timeline, const char *name)
{
	lcowmig__span *span = timeline_find(timeline, name, true);

	if (!span)
		return;
	span->end = lcowmig__now(timeline->context);
	span->has_ended = true;
}

void lcowmig__timeline_past(lcowmig__timeline *timeline, const char *name, uint64_t milliseconds)
{
	size_t count = timeline->count;

	lcowmig__timeline_mark(timeline, name);
	if (timeline->count > count && milliseconds <= timeline->spans[count].start / NANOSECONDS_PER_MS)
		timeline->spans[count].start -= milliseconds * NANOSECONDS_PER_MS;
}

void lcowmig__timeline_mark(lcowmig__timeline *timeline, const char *name)
{
	lcowmig__timeline_begin(timeline, name, NULL);
	lcowmig__timeline_end(timeline, name);
}

static uint64_t span_end(const lcowmig__timeline *timeline, const lcowmig__span *span)
{
	return span->has_ended ? span->end : lcowmig__now(timeline->context);
}

bool lcowmig__timeline_has(lcowmig__timeline *timeline, const char *name)
{
	return timeline_find(timeline, name, false) != NULL;
}

size_t lcowmig_migration_timeline_count(lcowmig_migration *m)
{
	size_t count;

	if (!m)
		return 0;
	lcowmig__lock_take(&m->object.context->lock);
	count = m->timeline.count;
	lcowmig__lock_drop(&m->object.context->lock);
	return count;
}

lcowmig_status lcowmig_migration_timeline_entry(lcowmig_migration *m, size_t index, lcowmig_timeline_entry *ret_entry, lcowmig_error *error)
{
	lcowmig_status status = LCOWMIG_OK;

	if (!m || !ret_entry)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "timeline entry: migration and ret_entry are required");
	if (ret_entry->size < LCOWMIG__SIZE_THROUGH(lcowmig_timeline_entry, reserved))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT,
				     "lcowmig_timeline_entry: size is %zu, expected at least %zu (set it to sizeof)", ret_entry->size,
				     sizeof *ret_entry);
	lcowmig__lock_take(&m->object.context->lock);
	if (index < m->timeline.count) {
		const lcowmig__span *span = &m->timeline.spans[index];

		ret_entry->name = span->name;
		ret_entry->start = span->start;
		ret_entry->duration = span_end(&m->timeline, span) - span->start;
		ret_entry->has_ended = span->has_ended;
		ret_entry->reserved = 0;
	} else {
		status = lcowmig__fail(error, LCOWMIG_E_NOT_FOUND, "timeline entry %zu does not exist, there are %zu", index,
				       m->timeline.count);
	}
	lcowmig__lock_drop(&m->object.context->lock);
	return status;
}

/* Memory has been moved when the transfer call has returned; what stands still after that waits for us or for whoever calls us. */
static void timeline_blackout(lcowmig__timeline *timeline, const lcowmig__span *blackout, uint64_t *ret_total, uint64_t *ret_control_plane)
{
	const lcowmig__span *transfer = timeline_find(timeline, LCOWMIG__SPAN_TRANSFER, false);
	uint64_t end = span_end(timeline, blackout);
	uint64_t moved = transfer && transfer->has_ended ? transfer->end : end;

	if (moved < blackout->start)
		moved = blackout->start;
	*ret_total = end - blackout->start;
	*ret_control_plane = end > moved ? end - moved : 0;
}

lcowmig_status lcowmig_migration_blackout(lcowmig_migration *m, uint64_t *ret_nanoseconds, uint64_t *ret_control_plane,
					  lcowmig_error *error)
{
	lcowmig_status status = LCOWMIG_OK;
	const lcowmig__span *blackout;
	uint64_t control_plane = 0;
	uint64_t total = 0;

	if (!m)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "blackout: migration is NULL");
	lcowmig__lock_take(&m->object.context->lock);
	blackout = timeline_find(&m->timeline, LCOWMIG__SPAN_BLACKOUT, false);
	if (blackout)
		timeline_blackout(&m->timeline, blackout, &total, &control_plane);
	else
		status = lcowmig__fail(error, LCOWMIG_E_NOT_FOUND, "migration session %s has seen no blackout", m->object.id);
	lcowmig__lock_drop(&m->object.context->lock);
	if (status == LCOWMIG_OK && ret_nanoseconds)
		*ret_nanoseconds = total;
	if (status == LCOWMIG_OK && ret_control_plane)
		*ret_control_plane = control_plane;
	return status;
}

/* Chrome trace times are microseconds; three decimals keep the nanoseconds. */
static void json_time(lcowmig__buf *buf, const char *key, uint64_t nanoseconds)
{
	lcowmig__buf_printf(buf, "\"%s\":%llu.%03u", key, (unsigned long long)(nanoseconds / 1000), (unsigned)(nanoseconds % 1000));
}

static void timeline_write(lcowmig_migration *m, lcowmig__buf *buf)
{
	size_t i;

	lcowmig__buf_text(buf, "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[");
	for (i = 0; i < m->timeline.count; i++) {
		const lcowmig__span *span = &m->timeline.spans[i];

		lcowmig__buf_text(buf, i ? ",{\"name\":" : "{\"name\":");
		lcowmig__json_put_string(buf, span->name);
		lcowmig__buf_text(buf, ",\"ph\":\"X\",\"pid\":1,\"tid\":1,");
		json_time(buf, "ts", span->start);
		lcowmig__buf_text(buf, ",");
		json_time(buf, "dur", span_end(&m->timeline, span) - span->start);
		if (span->detail[0]) {
			lcowmig__buf_text(buf, ",\"args\":{\"reason\":");
			lcowmig__json_put_string(buf, span->detail);
			lcowmig__buf_text(buf, "}");
		}
		lcowmig__buf_text(buf, "}");
	}
	lcowmig__buf_text(buf, "]}");
}

lcowmig_status lcowmig_migration_timeline_json(lcowmig_migration *m, char *buffer, size_t size, size_t *ret_size, lcowmig_error *error)
{
	lcowmig_status status;
	lcowmig__buf buf;

	if (!m || !ret_size || (!buffer && size))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "timeline: migration, buffer and ret_size are required");
	lcowmig__buf_init(&buf, &m->object.context->mem);
	lcowmig__lock_take(&m->object.context->lock);
	timeline_write(m, &buf);
	lcowmig__lock_drop(&m->object.context->lock);
	status = buf.failed ? lcowmig__fail_memory(error)
			    : lcowmig__session_copy_out("timeline", buf.data, buf.size + 1, buffer, size, ret_size, error);
	lcowmig__buf_done(&buf);
	return status;
}
