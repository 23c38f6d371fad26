/* The connection between the two halves: frames of a type, a size and bytes. */
#include "demo.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONTROL_HEADER 8
#define CONTROL_FRAME_MAX (64u << 20)

struct demo_control {
	mock_loop *loop;
	mock_watch *watch;
	int fd;
	bool is_lost;
	uint8_t *input;
	size_t n_input;
	size_t capacity;
	size_t taken; /* of the input, by the last message */
};

/* Splits "host:port" and resolves it. */
static struct addrinfo *control_resolve(const char *address, bool passive, char *reason, size_t size)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC, .ai_flags = passive ? AI_PASSIVE : 0 };
	struct addrinfo *found = NULL;
	const char *colon = strrchr(address, ':');
	char host[256];
	int result;

	if (!colon || (size_t)(colon - address) >= sizeof host || !colon[1]) {
		snprintf(reason, size, "%s is not an address of the form host:port", address);
		return NULL;
	}
	snprintf(host, sizeof host, "%.*s", (int)(colon - address), address);
	result = getaddrinfo(*host ? host : NULL, colon + 1, &hints, &found);
	if (result != 0)
		snprintf(reason, size, "%s cannot be found: %s", address, gai_strerror(result));
	return result == 0 ? found : NULL;
}

static void control_tune(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
}

int demo_listen(const char *address, char *reason, size_t size, unsigned *ret_port)
{
	struct addrinfo *found = control_resolve(address, true, reason, size);
	struct sockaddr_storage bound;
	socklen_t length = sizeof bound;
	int on = 1;
	int fd;

	if (!found)
		return -1;
	fd = socket(found->ai_family, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, 4) != 0) {
		snprintf(reason, size, "cannot listen at %s: %s", address, strerror(errno));
		if (fd >= 0)
			close(fd);
		fd = -1;
	} else {
		control_tune(fd);
		getsockname(fd, (struct sockaddr *)&bound, &length);
		*ret_port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
							      : ((struct sockaddr_in *)&bound)->sin_port);
	}
	freeaddrinfo(found);
	return fd;
}

int demo_connect(const char *address, const char *greeting, char *reason, size_t size)
{
	struct addrinfo *found = control_resolve(address, false, reason, size);
	int fd, result;

	if (!found)
		return -1;
	fd = socket(found->ai_family, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
		result = errno;
		snprintf(reason, size, "nobody answers at %s (%s)", address, strerror(result));
		if (fd >= 0)
			close(fd);
		errno = result;
		fd = -1;
	} else {
		control_tune(fd);
		errno = 0;
		if (send(fd, greeting, DEMO_GREETING_SIZE, MSG_NOSIGNAL) != DEMO_GREETING_SIZE) {
			snprintf(reason, size, "%s hung up (%s)", address, strerror(errno));
			close(fd);
			fd = -1;
		}
	}
	result = errno; /* the caller may ask */
	freeaddrinfo(found);
	errno = result;
	return fd;
}

static void control_flag(void *user, short events)
{
	(void)events;
	*(bool *)user = true;
}

/* Reads a greeting within a second. */
static bool control_greeted(int fd, const char *greeting)
{
	char bytes[DEMO_GREETING_SIZE];
	size_t n = 0;
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	while (n < sizeof bytes && poll(&wait, 1, 1000) > 0) {
		ssize_t got = recv(fd, bytes + n, sizeof bytes - n, 0);

		if (got <= 0)
			return false;
		n += (size_t)got;
	}
	return n == sizeof bytes && memcmp(bytes, greeting, sizeof bytes) == 0;
}

int demo_accept(mock_loop *loop, int listener, const char *greeting, const demo_control *control, uint64_t timeout, char *reason,
		size_t size)
{
	uint64_t end = mock_now() + timeout;
	bool is_ready = false;
	mock_watch *watch = mock_watch_new(loop, listener, POLLIN, control_flag, &is_ready);
	int fd = -1;

	while (fd < 0 && mock_now() < end && !(control && control->is_lost)) {
		is_ready = false;
		if (!mock_loop_run(loop, &is_ready, 100 * MOCK_MS))
			continue;
		fd = accept(listener, NULL, NULL);
		if (fd < 0)
			continue;
		control_tune(fd);
		if (!control_greeted(fd, greeting)) { /* somebody else's connection */
			close(fd);
			fd = -1;
		}
	}
	mock_watch_free(watch);
	if (fd < 0 && control && control->is_lost)
		snprintf(reason, size, "the peer is gone");
	else if (fd < 0)
		snprintf(reason, size, "nobody connected within %llu seconds", (unsigned long long)(timeout / MOCK_SECOND));
	return fd;
}

static void control_lose(demo_control *control)
{
	control->is_lost = true;
	mock_watch_set(control->watch, 0);
}

static void control_readable(void *user, short events)
{
	demo_control *control = user;
	ssize_t got;

	(void)events;
	if (control->capacity - control->n_input < 65536) {
		control->capacity = 2 * control->capacity + 65536;
		control->input = realloc(control->input, control->capacity);
	}
	got = recv(control->fd, control->input + control->n_input, control->capacity - control->n_input, 0);
	if (got > 0)
		control->n_input += (size_t)got;
	else if (got == 0 || (errno != EINTR && errno != EAGAIN))
		control_lose(control);
}

static void control_answer(void *user, short events)
{
	int fd = accept(*(const int *)user, NULL, NULL);

	(void)events;
	if (fd < 0)
		return;
	if (control_greeted(fd, DEMO_GREETING_QUESTION))
		send(fd, "y", 1, MSG_NOSIGNAL);
	close(fd);
}

mock_watch *demo_answer_questions(mock_loop *loop, const int *listener)
{
	return mock_watch_new(loop, *listener, POLLIN, control_answer, (void *)(uintptr_t)listener);
}

demo_peer demo_ask(const char *address, char *reason, size_t size)
{
	/* A process that is dying may accept once more; then it says nothing, and the next question is refused. */
	for (int i = 0; i < 10; i++) {
		int fd = demo_connect(address, DEMO_GREETING_QUESTION, reason, size);
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		char answer = 0;

		if (fd < 0)
			return errno == ECONNREFUSED ? DEMO_PEER_DEAD : DEMO_PEER_UNKNOWN;
		if (poll(&wait, 1, 1000) > 0 && recv(fd, &answer, 1, 0) != 1)
			answer = 0;
		close(fd);
		if (answer == 'y')
			return DEMO_PEER_ALIVE;
		usleep(200000);
	}
	snprintf(reason, size, "%s accepts connections but does not answer", address);
	return DEMO_PEER_UNKNOWN;
}

demo_control *demo_control_new(mock_loop *loop, int fd)
{
	demo_control *control = mock_alloc(sizeof *control);

	control->loop = loop;
	control->fd = fd;
	control->watch = mock_watch_new(loop, fd, POLLIN, control_readable, control);
	return control;
}

void demo_control_free(demo_control *control)
{
	if (!control)
		return;
	mock_watch_free(control->watch);
	close(control->fd);
	free(control->input);
	free(control);
}

/* Messages are small and few: writing them may block for a moment. */
static void control_write(demo_control *control, const void *data, size_t size)
{
	const uint8_t *bytes = data;

	while (size > 0 && !control->is_lost) {
		ssize_t written = send(control->fd, bytes, size, MSG_NOSIGNAL);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0) {
			/* What the peer said before it went can still be read. */
			return;
		}
		bytes += written;
		size -= (size_t)written;
	}
}

void demo_control_send(demo_control *control, demo_message type, const void *data, size_t size)
{
	uint8_t header[CONTROL_HEADER];

	for (int i = 0; i < 4; i++) {
		header[i] = (uint8_t)((uint32_t)type >> (8 * i));
		header[4 + i] = (uint8_t)(size >> (8 * i));
	}
	control_write(control, header, sizeof header);
	control_write(control, data, size);
}

void demo_control_send_json(demo_control *control, demo_message type, cJSON *json)
{
	char *text = cJSON_PrintUnformatted(json);

	demo_control_send(control, type, text, strlen(text));
	cJSON_free(text);
	cJSON_Delete(json);
}

void demo_control_flush(demo_control *control)
{
	uint64_t end = mock_now() + MOCK_SECOND;

	shutdown(control->fd, SHUT_WR);
	while (!control->is_lost && mock_now() < end)
		mock_loop_step(control->loop, 10 * MOCK_MS);
}

bool demo_control_is_lost(const demo_control *control)
{
	return control->is_lost;
}

int demo_control_next(demo_control *control, const uint8_t **ret_data, size_t *ret_size)
{
	uint32_t type = 0, size = 0;

	if (control->taken > 0) {
		memmove(control->input, control->input + control->taken, control->n_input - control->taken);
		control->n_input -= control->taken;
		control->taken = 0;
	}
	if (control->n_input < CONTROL_HEADER)
		return 0;
	for (int i = 0; i < 4; i++) {
		type |= (uint32_t)control->input[i] << (8 * i);
		size |= (uint32_t)control->input[4 + i] << (8 * i);
	}
	if (size > CONTROL_FRAME_MAX || type == 0 || type > DEMO_FAILED) {
		control_lose(control);
		control->n_input = 0;
		return 0;
	}
	if (control->n_input - CONTROL_HEADER < size)
		return 0;
	*ret_data = control->input + CONTROL_HEADER;
	*ret_size = size;
	control->taken = CONTROL_HEADER + size;
	return (int)type;
}
