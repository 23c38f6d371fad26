/* Task events on their way to the host. Made ahead of time, so that announcing an exit never needs memory. */
#ifndef LCOWMIG__EVENT_H
#define LCOWMIG__EVENT_H

#include "context.h"
#include "env.h"
#include "lcowmig/event.h"

/* What only a TASK_CREATE tells. */
typedef struct lcowmig__event_io {
	char *bundle;
	char *paths[3]; /* stdin, stdout, stderr */
	bool terminal;
} lcowmig__event_io;

struct lcowmig_event {
	lcowmig__delivery delivery;
	lcowmig_context *context;
	lcowmig_event_ops ops;
	lcowmig_event_type type;
	uint32_t pid;
	uint32_t exit_status;
	int64_t exited_at;
	char *container_id;
	char *exec_id;
	lcowmig__event_io *io; /* NULL: nothing of it is known */
};

/* Copies the ids. NULL and an error when memory is out. */
lcowmig_event *lcowmig__event_new(const lcowmig__env *env, lcowmig_event_type type, const char *container_id, const char *exec_id,
                                  lcowmig_error *error);
/* NULL is fine. Only for an event that was not sent. */
void lcowmig__event_free(lcowmig_event *event);
/* Gives a TASK_CREATE its bundle and stdio (copied). False when memory is out. */
bool lcowmig__event_set_io(lcowmig_event *event, const char *bundle, const char *const paths[3], bool terminal);
/* Queues it; takes it over. NULL is fine. */
void lcowmig__event_send(lcowmig_event *event);

#endif
