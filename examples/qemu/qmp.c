/* A QMP client; see qmp.h. */
#include "qmp.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct command {
	struct command *next;
	char *text;
	int fd; /* to be sent along, or -1 */
	qmp_answer_fn answered;
	void *user;
};

struct qmp {
	mock_loop *loop;
	int fd;
	mock_watch *watch;
	const qmp_ops *ops;
	void *user;
	bool is_greeted;
	struct command *unsent;
	struct command *unanswered;
	char *in;
	size_t in_size;
	size_t in_capacity;
};

static void command_append(struct command **list, struct command *command)
{
	while (*list)
		list = &(*list)->next;
	command->next = NULL;
	*list = command;
}

static void command_end(struct command *command, const cJSON *answer, const char *error)
{
	if (command->answered)
		command->answered(command->user, answer, error);
	if (command->fd >= 0)
		close(command->fd);
	free(command->text);
	free(command);
}

/* A monitor takes short lines at once, so a write that would block is simply tried again. */
static bool qmp_write(qmp *monitor, const struct command *command)
{
	struct iovec part = { command->text, strlen(command->text) };
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (command->fd >= 0) {
		message.msg_control = control.space;
		message.msg_controllen = sizeof control.space;
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &command->fd, sizeof(int));
	}
	while (part.iov_len > 0) {
		ssize_t n = sendmsg(monitor->fd, &message, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			part.iov_base = (char *)part.iov_base + n;
			part.iov_len -= (size_t)n;
			message.msg_control = NULL;
			message.msg_controllen = 0;
		}
	}
	return true;
}

static void qmp_lose(qmp *monitor)
{
	mock_watch_free(monitor->watch);
	monitor->watch = NULL;
	while (monitor->unanswered || monitor->unsent) {
		struct command **list = monitor->unanswered ? &monitor->unanswered : &monitor->unsent;
		struct command *command = *list;

		*list = command->next;
		command_end(command, NULL, "QEMU is gone");
	}
}

static void qmp_send_waiting(qmp *monitor)
{
	while (monitor->is_greeted && monitor->unsent) {
		struct command *command = monitor->unsent;

		monitor->unsent = command->next;
		command_append(&monitor->unanswered, command);
		if (!qmp_write(monitor, command))
			break; /* the end of the connection will be noticed where it is read */
	}
}

static int64_t qmp_time(const cJSON *stamp)
{
	const cJSON *seconds = cJSON_GetObjectItemCaseSensitive(stamp, "seconds");
	const cJSON *rest = cJSON_GetObjectItemCaseSensitive(stamp, "microseconds");

	return cJSON_IsNumber(seconds) && cJSON_IsNumber(rest) ? (int64_t)seconds->valuedouble * 1000000 + (int64_t)rest->valuedouble : 0;
}

static void qmp_take_answer(qmp *monitor, const cJSON *answer, const cJSON *error)
{
	struct command *command = monitor->unanswered;
	const char *why = error ? cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(error, "desc")) : NULL;

	if (!command)
		return;
	monitor->unanswered = command->next;
	command_end(command, answer, error && !why ? "QEMU refused" : why);
}

static void qmp_take(qmp *monitor, const char *line, size_t size)
{
	cJSON *message = cJSON_ParseWithLength(line, size);
	const cJSON *answer = cJSON_GetObjectItemCaseSensitive(message, "return");
	const cJSON *error = cJSON_GetObjectItemCaseSensitive(message, "error");
	const char *event = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(message, "event"));

	if (answer || error)
		qmp_take_answer(monitor, answer, error);
	else if (event && monitor->ops)
		monitor->ops->event(monitor->user, event, cJSON_GetObjectItemCaseSensitive(message, "data"),
		                    qmp_time(cJSON_GetObjectItemCaseSensitive(message, "timestamp")));
	else if (cJSON_GetObjectItemCaseSensitive(message, "QMP"))
		monitor->is_greeted = true;
	cJSON_Delete(message);
}

static void qmp_ready(void *user, short events)
{
	qmp *monitor = user;
	char *end;
	ssize_t n;

	(void)events;
	if (monitor->in_capacity - monitor->in_size < 16384) {
		monitor->in_capacity = 2 * monitor->in_capacity + 16384;
		monitor->in = realloc(monitor->in, monitor->in_capacity);
		if (!monitor->in)
			abort();
	}
	n = read(monitor->fd, monitor->in + monitor->in_size, monitor->in_capacity - monitor->in_size);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		qmp_lose(monitor);
		return;
	}
	monitor->in_size += (size_t)n;
	while ((end = memchr(monitor->in, '\n', monitor->in_size))) {
		size_t size = (size_t)(end - monitor->in) + 1;
		char *line = mock_alloc(size);

		memcpy(line, monitor->in, size);
		memmove(monitor->in, end + 1, monitor->in_size - size);
		monitor->in_size -= size;
		qmp_take(monitor, line, size - 1);
		free(line);
	}
	qmp_send_waiting(monitor);
}

qmp *qmp_new(mock_loop *loop, int fd, const qmp_ops *ops, void *user)
{
	qmp *monitor = mock_alloc(sizeof *monitor);

	monitor->loop = loop;
	monitor->fd = fd;
	monitor->ops = ops;
	monitor->user = user;
	monitor->watch = mock_watch_new(loop, fd, POLLIN, qmp_ready, monitor);
	qmp_command(monitor, "qmp_capabilities", NULL, NULL, NULL);
	return monitor;
}

void qmp_free(qmp *monitor)
{
	if (!monitor)
		return;
	qmp_lose(monitor);
	close(monitor->fd);
	free(monitor->in);
	free(monitor);
}

static void qmp_queue(qmp *monitor, const char *name, cJSON *arguments, int fd, qmp_answer_fn answered, void *user)
{
	struct command *command = mock_alloc(sizeof *command);
	cJSON *json = cJSON_CreateObject();
	char *text;

	cJSON_AddStringToObject(json, "execute", name);
	if (arguments)
		cJSON_AddItemToObject(json, "arguments", arguments);
	text = cJSON_PrintUnformatted(json);
	cJSON_Delete(json);
	command->text = mock_alloc(strlen(text) + 2);
	memcpy(command->text, text, strlen(text));
	command->text[strlen(text)] = '\n';
	cJSON_free(text);
	command->fd = fd;
	command->answered = answered;
	command->user = user;
	if (!monitor->watch) {
		command_end(command, NULL, "QEMU is gone");
		return;
	}
	command_append(&monitor->unsent, command);
	qmp_send_waiting(monitor);
}

void qmp_command(qmp *monitor, const char *name, cJSON *arguments, qmp_answer_fn answered, void *user)
{
	qmp_queue(monitor, name, arguments, -1, answered, user);
}

void qmp_give_fd(qmp *monitor, int fd, const char *name)
{
	cJSON *arguments = cJSON_CreateObject();

	cJSON_AddStringToObject(arguments, "fdname", name);
	qmp_queue(monitor, "getfd", arguments, fcntl(fd, F_DUPFD_CLOEXEC, 0), NULL, NULL);
}
