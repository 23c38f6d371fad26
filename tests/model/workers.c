#define _DEFAULT_SOURCE /* fork */

#include "workers.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model.h"

unsigned workers_count(void)
{
	const char *fork_mode = getenv("CK_FORK");
	uint64_t count = trace_number("MODEL_WORKERS", 2);

	ck_assert_msg(count >= 1 && count <= WORKERS_MAX, "MODEL_WORKERS is 1 to %d", WORKERS_MAX);
	return fork_mode && strcmp(fork_mode, "no") == 0 ? 1 : (unsigned)count;
}

/* A worker that fails has told the framework why; this process only ends likewise. */
static void wait_for(const pid_t *children, unsigned count)
{
	bool has_failed = false;
	int killed_by = 0;
	unsigned w;

	for (w = 0; w < count; w++) {
		int status = 0;

		while (waitpid(children[w], &status, 0) < 0)
			;
		has_failed = has_failed || (WIFEXITED(status) && WEXITSTATUS(status) != EXIT_SUCCESS);
		if (WIFSIGNALED(status))
			killed_by = WTERMSIG(status);
	}
	if (has_failed)
		_exit(EXIT_FAILURE);
	ck_assert_msg(killed_by == 0, "a worker was ended by signal %d", killed_by);
}

void workers_run(unsigned slot, const char *name, void (*work)(unsigned worker, void *user), void *user)
{
	unsigned count = workers_count();
	pid_t children[WORKERS_MAX];
	unsigned w;

	if (count == 1) {
		work(0, user);
		return;
	}
	fflush(NULL);
	for (w = 0; w < count; w++) {
		children[w] = fork();
		ck_assert_int_ge(children[w], 0);
		if (children[w] == 0) {
			trace_slot(slot + w, name);
			work(w, user);
			exit(EXIT_SUCCESS);
		}
	}
	wait_for(children, count);
}
