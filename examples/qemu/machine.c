/* A QEMU process: its start, its end, and steps of several commands. */
#include "machine_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct qemu_step {
	qemu_machine *machine;
	qemu_step_fn done;
	void *user;
	unsigned n_open; /* commands without an answer, and one until all have been added */
	cJSON *answer;
	char *error;
};

static void step_settle(qemu_step *step)
{
	if (--step->n_open > 0)
		return;
	if (step->done)
		step->done(step->user, step->answer, step->error);
	else if (step->error)
		fprintf(stderr, "qemu: %s\n", step->error);
	cJSON_Delete(step->answer);
	free(step->error);
	free(step);
}

static void step_answered(void *user, const cJSON *answer, const char *error)
{
	qemu_step *step = user;

	if (error && !step->error)
		step->error = mock_strdup(error);
	cJSON_Delete(step->answer);
	step->answer = answer ? cJSON_Duplicate(answer, true) : NULL;
	step_settle(step);
}

qemu_step *qemu_step_new(qemu_machine *machine, qemu_step_fn done, void *user)
{
	qemu_step *step = mock_alloc(sizeof *step);

	step->machine = machine;
	step->done = done;
	step->user = user;
	step->n_open = 1;
	return step;
}

void qemu_step_add(qemu_step *step, const char *command, cJSON *arguments)
{
	step->n_open++;
	qmp_command(step->machine->monitor, command, arguments, step_answered, step);
}

void qemu_step_addf(qemu_step *step, const char *command, const char *format, ...)
{
	char text[1024];
	va_list arguments;
	cJSON *json;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	json = cJSON_Parse(text);
	if (!json)
		abort(); /* the text is ours */
	qemu_step_add(step, command, json);
}

void qemu_step_end(qemu_step *step)
{
	step_settle(step);
}

static void machine_event(void *user, const char *name, const cJSON *data, int64_t at)
{
	qemu_machine *machine = user;

	if (strcmp(name, "DEVICE_DELETED") == 0 && *qemu_json_text(data, "device"))
		qemu_machine_deleted(machine, qemu_json_text(data, "device"));
	machine->config.event(machine->config.user, name, data, at);
}

static void machine_ended(void *user, short events)
{
	qemu_machine *machine = user;
	int status = 0;

	(void)events;
	if (waitpid(machine->pid, &status, WNOHANG) != machine->pid)
		return;
	machine->pid = 0;
	mock_watch_free(machine->end_watch);
	machine->end_watch = NULL;
	machine->config.ended(machine->config.user, status);
}

/* In the new process: descriptors to the places that the command line says, and nothing that outlives its parent. */
static void machine_become(const char *console, char **words, const int *fds, size_t n_fds)
{
	int high[CHILD_NIC_FD + QEMU_NICS];
	char path[1024];
	int log;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(path, sizeof path, "%s.qemu", console);
	log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (log >= 0) {
		dup2(log, 1);
		dup2(log, 2);
	}
	for (size_t i = 0; i < n_fds; i++)
		high[i] = fds[i] >= 0 ? fcntl(fds[i], F_DUPFD_CLOEXEC, 64) : -1;
	for (size_t i = 0; i < n_fds; i++) {
		if (high[i] >= 0)
			dup2(high[i], CHILD_QMP_FD + (int)i);
	}
	execvp(words[0], words);
	fprintf(stderr, "cannot run %s: %s\n", words[0], strerror(errno));
	_exit(127);
}

static void machine_pair(int *ret_ours, int *ret_theirs)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		abort();
	*ret_ours = ends[0];
	*ret_theirs = ends[1];
}

qemu_machine *qemu_machine_new(const struct qemu_machine_config *config, char *reason, size_t size)
{
	static const qmp_ops monitor_ops = { machine_event };
	qemu_machine *machine = mock_alloc(sizeof *machine);
	int fds[2 + QEMU_NICS];
	int monitor;
	char **words;

	machine->config = *config;
	machine_pair(&monitor, &fds[0]);
	machine_pair(&machine->mux_fd, &fds[1]);
	nics_from_source(machine, config->document->compatibility, fds + 2);
	words = machine_command_line(machine);
	fflush(NULL);
	machine->pid = fork();
	if (machine->pid == 0)
		machine_become(config->console, words, fds, sizeof fds / sizeof fds[0]);
	for (size_t i = 0; words[i]; i++)
		free(words[i]);
	free(words);
	for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	machine->pidfd = machine->pid > 0 ? (int)syscall(SYS_pidfd_open, machine->pid, 0) : -1;
	machine->monitor = qmp_new(config->loop, monitor, &monitor_ops, machine);
	if (machine->pidfd < 0) {
		snprintf(reason, size, "QEMU could not be started: %s", strerror(errno));
		qemu_machine_free(machine);
		return NULL;
	}
	machine->end_watch = mock_watch_new(config->loop, machine->pidfd, POLLIN, machine_ended, machine);
	machine->config.document = NULL;
	machine->config.id = NULL;
	machine->config.console = NULL;
	return machine;
}

void qemu_machine_kill(qemu_machine *machine)
{
	if (machine->pid > 0)
		kill(machine->pid, SIGKILL);
}

void qemu_machine_free(qemu_machine *machine)
{
	if (!machine)
		return;
	if (machine->pid > 0) {
		kill(machine->pid, SIGKILL);
		waitpid(machine->pid, NULL, 0);
		machine->pid = 0;
	}
	mock_watch_free(machine->end_watch);
	if (machine->pidfd >= 0)
		close(machine->pidfd);
	qmp_free(machine->monitor);
	if (machine->mux_fd >= 0)
		close(machine->mux_fd);
	for (unsigned i = 0; i < QEMU_NICS; i++)
		nic_close(&machine->nics[i]);
	free(machine);
}
