/* The QEMU machine protocol: commands in order, answers in order, events in between. */
#ifndef QEMU_QMP_H
#define QEMU_QMP_H

#include <cjson/cJSON.h>

#include "loop.h"

typedef struct qmp qmp;

/* The end of a command, once. `error` is NULL when it succeeded. `answer` is valid during the call. */
typedef void (*qmp_answer_fn)(void *user, const cJSON *answer, const char *error);

typedef struct qmp_ops {
	/* `at` is when it happened: microseconds since 1970 UTC. */
	void (*event)(void *user, const char *name, const cJSON *data, int64_t at);
} qmp_ops;

/* `fd` (taken) is connected to a QEMU's monitor. Commands may be given at once. */
qmp *qmp_new(mock_loop *loop, int fd, const qmp_ops *ops, void *user);
/* Commands that have no answer yet fail. Not to be called from a callback of its own. */
void qmp_free(qmp *monitor);

/* `arguments` may be NULL and is taken. `answered` may be NULL. A command that QEMU does not live to answer fails. */
void qmp_command(qmp *monitor, const char *name, cJSON *arguments, qmp_answer_fn answered, void *user);
/* Hands a copy of `fd` to QEMU, which calls it `name`. */
void qmp_give_fd(qmp *monitor, int fd, const char *name);

#endif
