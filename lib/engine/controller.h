/*
 * What the controllers of disks, shares and devices have in common: they know things by GUID, and work on one of them at a time. What comes
 * first is for every object: work, that is a public operation which is one flow.
 */
#ifndef LCOWMIG__CONTROLLER_H
#define LCOWMIG__CONTROLLER_H

#include "env.h"

/* ---- Work ---- */

typedef struct lcowmig__work_class {
	lcowmig__flow_class flow;
	size_t size;      /* of the struct that begins with the flow */
	const char *what; /* is NULL: for the error */
} lcowmig__work_class;

/* `handle` is what begins with the lcowmig__object on which it works, and flow->object later. NULL and an error when memory is out. */
void *lcowmig__work_new(void *handle, lcowmig_error *error, const lcowmig__work_class *class);
/* The whole public function. */
lcowmig_status lcowmig__work_run(void *handle, lcowmig_done_fn done, void *user, lcowmig_error *error, const lcowmig__work_class *class);

/* ---- Controllers ---- */

typedef struct lcowmig__controller {
	lcowmig__object object;
	lcowmig__env *env;
	lcowmig__gate gate;    /* held by work across its calls */
	lcowmig__tree entries; /* by id */
	const char *noun;      /* what an entry is: "reservation" */
} lcowmig__controller;

/* What is known by a GUID begins with it. */
typedef struct lcowmig__entry {
	lcowmig__node node; /* in the controller */
	lcowmig_guid id;
} lcowmig__entry;

/* A zeroed struct of `size` bytes that begins with a controller; NULL and an error when memory is out. */
void *lcowmig__controller_new(lcowmig__env *env, size_t size, const lcowmig__machine *machine, const char *noun, lcowmig_error *error);
/* NULL when there is none. */
lcowmig__entry *lcowmig__controller_find(const lcowmig__controller *controller, const lcowmig_guid *id);
/* Fails with "<controller>: <noun> <id> <why>". */
lcowmig_status lcowmig__controller_fail(const lcowmig__controller *controller, const lcowmig_guid *id, lcowmig_status status,
					const char *why, lcowmig_error *error);
/* As _find; then `error` tells NOT_FOUND, naming the id. */
lcowmig__entry *lcowmig__controller_look_up(const lcowmig__controller *controller, const lcowmig_guid *id, lcowmig_error *error);
/*
 * A zeroed struct of `size` bytes that begins with an entry of a new id, for _add or lcowmig__free. LIMIT_EXCEEDED, HOST_FAILED,
 * NO_MEMORY.
 */
lcowmig_status lcowmig__controller_draw(const lcowmig__controller *controller, size_t size, lcowmig__entry **ret_entry,
					lcowmig_error *error);
void lcowmig__controller_add(lcowmig__controller *controller, lcowmig__entry *entry);
/* Removes and frees it. */
void lcowmig__controller_forget(lcowmig__controller *controller, lcowmig__entry *entry);

/* ---- Work on an entry ---- */

typedef struct lcowmig__entry_work {
	lcowmig__flow flow;
	lcowmig_guid id;
	char **ret_path; /* what the work may result in: NULL or where a copy of a path goes */
	char *path;      /* that copy until then */
} lcowmig__entry_work;

lcowmig__flow *lcowmig__entry_work_new(void *handle, const lcowmig_guid *id, char **ret_path, lcowmig_error *error,
				       const lcowmig__work_class *class);
lcowmig_status lcowmig__entry_work_run(void *handle, const lcowmig_guid *id, lcowmig_done_fn done, void *user, lcowmig_error *error,
				       const lcowmig__work_class *class);
/* FAILED_PRECONDITION: "<controller>: <noun> <id> <why>". */
lcowmig_status lcowmig__entry_work_refuse(const lcowmig__entry_work *work, const char *why);
/*
 * Fires `trigger` when the await that just ended has failed. Not for memory: nothing was asked of anybody, so nothing has failed that could
 * not be asked again.
 */
void lcowmig__entry_work_fire_failed(const lcowmig__entry_work *work, lcowmig__object *object, int trigger);
/* Copies what the work will result in, if anybody wants it; giving it cannot fail. */
lcowmig_status lcowmig__entry_work_prepare(lcowmig__entry_work *work, const char *path);
void lcowmig__entry_work_give(lcowmig__entry_work *work);
void lcowmig__entry_work_release(lcowmig__flow *flow);

#endif
