/* Where the time of a session went: a list of named spans of bounded length. */
#ifndef LCOWMIG__TIMELINE_H
#define LCOWMIG__TIMELINE_H

#include "engine/context.h"

#define LCOWMIG__TIMELINE_MAX 64

#define LCOWMIG__SPAN_PREPARE "prepare"
#define LCOWMIG__SPAN_EXPORT "export"
#define LCOWMIG__SPAN_IMPORT "import"
#define LCOWMIG__SPAN_PATCH "patch"
#define LCOWMIG__SPAN_SOCKET "wait for the socket"
#define LCOWMIG__SPAN_START "start"
#define LCOWMIG__SPAN_TRANSFER "transfer"
#define LCOWMIG__SPAN_BLACKOUT "blackout"
#define LCOWMIG__SPAN_FINALIZE "finalize"
#define LCOWMIG__SPAN_FORCED "forced finalize"
#define LCOWMIG__SPAN_RESUME_MACHINE "resume the machine"
#define LCOWMIG__SPAN_RESUME_PODS "resume the pods"
#define LCOWMIG__SPAN_CANCEL "cancel"
#define LCOWMIG__SPAN_ABANDON "abandon"
#define LCOWMIG__SPAN_RELEASE "release the right"
#define LCOWMIG__SPAN_VM_ENDED "the machine ended"

typedef struct lcowmig__span {
	const char *name;
	uint64_t start;
	uint64_t end;
	bool has_ended;
	char detail[128]; /* of a forced finalize: the reason */
} lcowmig__span;

typedef struct lcowmig__timeline {
	lcowmig_context *context;
	lcowmig__span spans[LCOWMIG__TIMELINE_MAX];
	size_t count;
} lcowmig__timeline;

void lcowmig__timeline_init(lcowmig__timeline *timeline, lcowmig_context *context);
void lcowmig__timeline_begin(lcowmig__timeline *timeline, const char *name, const char *detail);
/* Ends the latest span of that name that is open, if any. */
void lcowmig__timeline_end(lcowmig__timeline *timeline, const char *name);
/* Something that is told only when it is over: it has just ended and took `milliseconds`. */
void lcowmig__timeline_past(lcowmig__timeline *timeline, const char *name, uint64_t milliseconds);
bool lcowmig__timeline_has(lcowmig__timeline *timeline, const char *name);
/* A moment. */
void lcowmig__timeline_mark(lcowmig__timeline *timeline, const char *name);

#endif
