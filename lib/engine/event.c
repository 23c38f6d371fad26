#include "event.h"

void lcowmig__event_free(lcowmig_event *event)
{
	lcowmig__mem mem;
	size_t i;

	if (!event)
		return;
	mem = event->context->mem;
	lcowmig__free(&mem, event->container_id);
	lcowmig__free(&mem, event->exec_id);
	if (event->io) {
		lcowmig__free(&mem, event->io->bundle);
		for (i = 0; i < LCOWMIG__COUNT(event->io->paths); i++)
			lcowmig__free(&mem, event->io->paths[i]);
		lcowmig__free(&mem, event->io);
	}
	lcowmig__free(&mem, event);
}

static void event_deliver(lcowmig__delivery *delivery)
{
	lcowmig_event *event = LCOWMIG__CONTAINER_OF(delivery, lcowmig_event, delivery);

	if (event->ops.event)
		event->ops.event(event->ops.user, event);
	lcowmig__event_free(event);
}

lcowmig_event *lcowmig__event_new(const lcowmig__env *env, lcowmig_event_type type, const char *container_id, const char *exec_id,
                                  lcowmig_error *error)
{
	const lcowmig__mem *mem = &env->context->mem;
	lcowmig_event *event = lcowmig__alloc(mem, sizeof *event);

	if (!event) {
		lcowmig__fail_memory(error);
		return NULL;
	}
	event->context = env->context;
	event->ops = env->events;
	event->type = type;
	event->delivery.run = event_deliver;
	lcowmig__list_init(&event->delivery.node);
	event->container_id = lcowmig__strdup(mem, container_id ? container_id : "");
	event->exec_id = lcowmig__strdup(mem, exec_id ? exec_id : "");
	if (!event->container_id || !event->exec_id) {
		lcowmig__event_free(event);
		lcowmig__fail_memory(error);
		return NULL;
	}
	return event;
}

bool lcowmig__event_set_io(lcowmig_event *event, const char *bundle, const char *const paths[3], bool terminal)
{
	const lcowmig__mem *mem = &event->context->mem;
	lcowmig__event_io *io = lcowmig__alloc(mem, sizeof *io);
	size_t i;

	if (!io)
		return false;
	event->io = io;
	io->terminal = terminal;
	io->bundle = lcowmig__strdup(mem, bundle ? bundle : "");
	for (i = 0; i < LCOWMIG__COUNT(io->paths); i++) {
		io->paths[i] = lcowmig__strdup(mem, paths[i] ? paths[i] : "");
		if (!io->paths[i])
			return false;
	}
	return io->bundle != NULL;
}

void lcowmig__event_send(lcowmig_event *event)
{
	if (event)
		lcowmig__deliver(event->context, &event->delivery);
}

lcowmig_event_type lcowmig_event_get_type(const lcowmig_event *event)
{
	return event->type;
}

const char *lcowmig_event_container_id(const lcowmig_event *event)
{
	return event->container_id;
}

const char *lcowmig_event_exec_id(const lcowmig_event *event)
{
	return event->exec_id;
}

uint32_t lcowmig_event_pid(const lcowmig_event *event)
{
	return event->pid;
}

uint32_t lcowmig_event_exit_status(const lcowmig_event *event)
{
	return event->exit_status;
}

int64_t lcowmig_event_exited_at(const lcowmig_event *event)
{
	return event->exited_at;
}

const char *lcowmig_event_bundle(const lcowmig_event *event)
{
	return event->io ? event->io->bundle : "";
}

static const char *event_path(const lcowmig_event *event, size_t i)
{
	return event->io ? event->io->paths[i] : "";
}

const char *lcowmig_event_stdin(const lcowmig_event *event)
{
	return event_path(event, 0);
}

const char *lcowmig_event_stdout(const lcowmig_event *event)
{
	return event_path(event, 1);
}

const char *lcowmig_event_stderr(const lcowmig_event *event)
{
	return event_path(event, 2);
}

bool lcowmig_event_terminal(const lcowmig_event *event)
{
	return event->io && event->io->terminal;
}
