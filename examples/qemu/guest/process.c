/* Processes: started when their streams are connected, waited for by requests that may have come over an earlier connection. */
#include "guest.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOREVER 0xffffffffu

static struct process *processes;

struct process *process_next(struct process *after, const struct container *container)
{
	struct process *process = after ? after->next : processes;

	while (process && process->container != container)
		process = process->next;
	return process;
}

static struct process *process_find(const struct container *container, uint64_t pid)
{
	struct process *process = NULL;

	while ((process = process_next(process, container))) {
		if (process->pid > 0 && (uint64_t)process->pid == pid)
			return process;
	}
	return NULL;
}

static void waiter_drop(struct waiter *waiter)
{
	for (struct waiter **at = &waiter->process->waiters; *at; at = &(*at)->next) {
		if (*at == waiter) {
			*at = waiter->next;
			break;
		}
	}
	loop_forget(&waiter->timeout);
	free(waiter);
}

void process_forget(struct process *process)
{
	for (struct process **at = &processes; *at; at = &(*at)->next) {
		if (*at == process) {
			*at = process->next;
			break;
		}
	}
	if (process->container && process->container->init == process)
		process->container->init = NULL;
	while (process->waiters)
		waiter_drop(process->waiters);
	for (int i = 0; i < 3; i++)
		relay_free(process->relays[i]);
	json_free(process->parameters);
	free(process);
}

static uint32_t waiter_answer(struct waiter *waiter)
{
	char fields[32];

	snprintf(fields, sizeof fields, "\"ExitCode\":%u", (unsigned)waiter->process->exit_code);
	bridge_respond(waiter->type, waiter->id, 0, "", fields);
	return 0;
}

/* It ended, or a stream of it has been read to its end. */
void process_settle(struct process *process)
{
	bool was_told = false;

	if (!process->was_reaped)
		return;
	for (int i = 1; i < 3 && !process->has_exited; i++) {
		if (process->relays[i] && !relay_is_over(process->relays[i]))
			return;
	}
	process->has_exited = true;
	while (process->waiters) {
		waiter_answer(process->waiters);
		waiter_drop(process->waiters);
		was_told = true;
	}
	if (was_told && process->container && process->is_init) {
		process->container->was_waited_for = true;
		container_settle(process->container);
	}
	/* The exit code of an exec is kept for the first who asks, that of an init process until its container is deleted. */
	if (was_told && !process->is_init)
		process_forget(process);
}

void process_reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct process *process = processes;

		while (process && process->pid != pid)
			process = process->next;
		if (!process)
			continue;
		process->was_reaped = true;
		process->exit_code = WIFEXITED(status) ? (uint32_t)WEXITSTATUS(status) : 128u + (uint32_t)WTERMSIG(status);
		if (process->is_init)
			network_leave(pid);
		log_line("process %d ended with %u", (int)pid, (unsigned)process->exit_code);
		process_settle(process);
	}
}

/* ---- ExecuteProcess ---- */

static uint32_t process_prepare(struct request *request)
{
	static const char *const wanted[3] = { "CreateStdInPipe", "CreateStdOutPipe", "CreateStdErrPipe" };
	static const char *const named[3] = { "StdIn", "StdOut", "StdErr" };
	const struct json *settings = json_get(request->json, "Settings");
	const struct json *ports = json_get(settings, "VsockStdioRelaySettings");
	const char *text = json_text(settings, "ProcessParameters");
	bool is_of_machine = strcmp(request->container_id, NULL_GUID) == 0;
	struct container *container = is_of_machine ? NULL : container_find(request->container_id);
	struct json *parameters = json_parse(text, strlen(text));
	struct process *process;

	if (!parameters)
		return request_fail(request, HR_INVALID_JSON, "the process parameters are not JSON");
	if (!is_of_machine && !container) {
		json_free(parameters);
		return request_fail(request, HR_NO_CONTAINER, "container \"%s\" not found", request->container_id);
	}
	process = guest_alloc(sizeof *process);
	process->container = container;
	process->parameters = parameters;
	process->oci = json_get(parameters, "OciProcess");
	if (container && !process->oci) {
		process->is_init = true;
		process->oci = json_get(container->spec, "process");
	}
	for (int i = 0; i < 3; i++) {
		if (json_true(parameters, wanted[i]))
			process->relays[i] = relay_new(process, i, (uint32_t)json_number(ports, named[i]), process->is_init);
	}
	process->next = processes;
	processes = process;
	if (process->is_init)
		container->init = process;
	request->process = process;
	return 0;
}

static uint32_t process_launch(struct request *request, struct text *fields)
{
	struct process *process = request->process;
	int fds[3] = { -1, -1, -1 };

	for (int i = 0; i < 3; i++) {
		if (process->relays[i])
			fds[i] = relay_take_pipe(process->relays[i]);
	}
	process->pid = spawn_process(process, fds, &request->error);
	for (int i = 0; i < 3; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	if (process->pid <= 0) {
		process_forget(process);
		return HR_FAIL;
	}
	if (process->is_init && strcmp(process->container->id, process->container->pod) == 0)
		network_enter(process->container->namespace_id, process->pid);
	text_printf(fields, "\"ProcessId\":%d", (int)process->pid);
	return 0;
}

uint32_t process_execute(struct request *request, struct text *fields)
{
	uint32_t result = request->process ? 0 : process_prepare(request);
	bool is_waiting = false;

	if (result != 0)
		return result;
	for (int i = 0; i < 3; i++) {
		int state = request->process->relays[i] ? relay_state(request->process->relays[i]) : 1;

		if (state < 0 || (state == 0 && loop_now() >= request->deadline)) {
			process_forget(request->process);
			return request_fail(request, HR_FAIL, "the process's stream %d has nobody at its other end", i);
		}
		is_waiting = is_waiting || state == 0;
	}
	return is_waiting ? SERVED_AGAIN : process_launch(request, fields);
}

/* ---- The rest ---- */

/* The process that a request names, or why there is none. */
static uint32_t process_of_request(struct request *request, struct process **ret_process)
{
	uint64_t pid = json_number(request->json, "ProcessId");
	struct container *container = NULL;

	if (strcmp(request->container_id, NULL_GUID) != 0) {
		container = container_find(request->container_id);
		if (!container)
			return request_fail(request, HR_NO_CONTAINER, "container \"%s\" not found", request->container_id);
	}
	*ret_process = process_find(container, pid);
	return *ret_process ? 0 : request_fail(request, HR_NOT_FOUND, "no process %llu", (unsigned long long)pid);
}

static void waiter_time_out(void *user)
{
	struct waiter *waiter = user;

	bridge_respond(waiter->type, waiter->id, HR_TIMEOUT, "the process is still running", NULL);
	waiter_drop(waiter);
}

uint32_t process_wait(struct request *request)
{
	uint32_t timeout = (uint32_t)json_number(request->json, "TimeoutInMs");
	struct process *process;
	struct waiter *waiter;
	uint32_t result = process_of_request(request, &process);

	if (result != 0)
		return result;
	waiter = guest_alloc(sizeof *waiter);
	waiter->process = process;
	waiter->id = request->id;
	waiter->type = request->type;
	waiter->timeout.fn = waiter_time_out;
	waiter->timeout.user = waiter;
	waiter->timeout.at = -1;
	waiter->next = process->waiters;
	process->waiters = waiter;
	if (timeout != FOREVER)
		loop_set(&waiter->timeout, loop_now() + timeout);
	process_settle(process);
	return SERVED_LATER;
}

uint32_t process_signal(struct request *request)
{
	int number = (int)json_number(json_get(request->json, "Options"), "Signal");
	struct process *process;
	uint32_t result = process_of_request(request, &process);

	if (result != 0)
		return result;
	if (number == 0)
		number = SIGKILL;
	if (process->was_reaped)
		return process->is_init ? request_fail(request, HR_STOPPED, "process %d has ended", (int)process->pid)
		                        : request_fail(request, HR_NOT_FOUND, "process %d has ended", (int)process->pid);
	if (kill(process->pid, number) != 0)
		return request_fail(request, HR_FAIL, "signal %d: %s", number, strerror(errno));
	if (process->is_init && process->container && (number == SIGTERM || number == SIGKILL))
		process->container->stop = number == SIGTERM ? "GracefulExit" : "ForcedExit";
	return 0;
}
