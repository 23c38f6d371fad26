/* The guest's log: JSON lines to port 109, and to the console until there is a connection. As Microsoft's relay it dials again only to write. */
#include "guest.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define REDIAL_MS 100
#define KEPT_MAX (64u << 10)

static struct {
	struct stream *stream;
	bool is_open;
	struct text kept; /* lines that wait for a connection */
	struct timer redial;
} logged;

static void log_open(void *user)
{
	(void)user;
	logged.is_open = true;
	stream_send(logged.stream, logged.kept.bytes, logged.kept.size);
	text_done(&logged.kept);
}

static void log_data(void *user, const uint8_t *bytes, size_t size)
{
	(void)user;
	(void)bytes;
	(void)size;
}

static void log_over(void *user, enum stream_end how)
{
	(void)user;
	(void)how;
	stream_close(logged.stream);
	logged.stream = NULL;
	logged.is_open = false;
	if (logged.kept.size > 0)
		loop_set(&logged.redial, loop_now() + REDIAL_MS);
}

static void log_dial(void *user)
{
	static const struct stream_ops ops = { log_open, log_data, log_over };

	(void)user;
	if (logged.stream)
		return;
	logged.stream = mux_dial(PORT_LOG, &ops, NULL);
	if (!logged.stream)
		loop_set(&logged.redial, loop_now() + REDIAL_MS);
}

void log_start(void)
{
	logged.redial.fn = log_dial;
	logged.redial.at = -1;
	log_dial(NULL);
}

void log_line(const char *format, ...)
{
	struct text line = { 0 };
	char message[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	text_printf(&line, "{\"level\":\"info\",\"uptime_ms\":%lld,\"msg\":", (long long)loop_now());
	text_quote(&line, message);
	text_printf(&line, "}\n");
	if (logged.is_open) {
		stream_send(logged.stream, line.bytes, line.size);
	} else if (logged.kept.size + line.size < KEPT_MAX) {
		text_add(&logged.kept, line.bytes, line.size);
		if (!logged.stream && logged.redial.fn)
			log_dial(NULL);
	}
	text_done(&line);
}
