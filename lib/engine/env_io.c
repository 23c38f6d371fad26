/* Calls of the network, stdio and socket vtables. */
#include "env_call.h"

static lcowmig_status invoke_endpoints(lcowmig_call *call)
{
	return call->env->network.endpoints(call->env->network.user, call, call->text[0]);
}

void lcowmig__network_endpoints(lcowmig__flow *flow, const lcowmig__env *env, const char *namespace_id)
{
	lcowmig_call *call = lcowmig__env_call(flow, env, "list endpoints", env->network.endpoints != NULL,
	                                       "the host's network ops have no such member", invoke_endpoints);

	lcowmig__env_set_text(call, 0, namespace_id);
}

static lcowmig_status invoke_stdio_close(lcowmig_call *call)
{
	call->env->stdio.close(call->env->stdio.user, call->handle_argument);
	return LCOWMIG_OK;
}

static void discard_stdio(lcowmig_call *late, void *stdio)
{
	lcowmig__env_discard(late, "stdio close", invoke_stdio_close, stdio);
}

static lcowmig_status invoke_stdio_open(lcowmig_call *call)
{
	return call->env->stdio.open(call->env->stdio.user, call, call->arguments);
}

/* One block: the config and the five texts behind it. */
static lcowmig_stdio_config *stdio_config_copy(const lcowmig__mem *mem, const lcowmig_stdio_config *config)
{
	const char *const texts[5] = { config->container_id, config->exec_id, config->stdin_path, config->stdout_path,
				       config->stderr_path };
	const char *copies[5];
	lcowmig_stdio_config *copy;
	size_t size = sizeof *copy;
	char *place;
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(texts); i++)
		size += (texts[i] ? strlen(texts[i]) : 0) + 1;
	copy = lcowmig__alloc(mem, size);
	if (!copy)
		return NULL;
	*copy = *config;
	copy->size = sizeof *copy;
	place = (char *)(copy + 1);
	for (i = 0; i < LCOWMIG__COUNT(texts); i++) {
		size_t length = texts[i] ? strlen(texts[i]) : 0;

		copies[i] = place;
		if (length)
			memcpy(place, texts[i], length);
		place += length + 1;
	}
	copy->container_id = copies[0];
	copy->exec_id = copies[1];
	copy->stdin_path = copies[2];
	copy->stdout_path = copies[3];
	copy->stderr_path = copies[4];
	return copy;
}

void lcowmig__stdio_open(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig_stdio_config *config)
{
	lcowmig_call *call = lcowmig__env_call(flow, env, "stdio open", env->stdio.open && env->stdio.close,
	                                       "the host's stdio ops have no open and close", invoke_stdio_open);

	if (!call)
		return;
	call->arguments = stdio_config_copy(&env->context->mem, config);
	call->discard = discard_stdio;
	if (!call->arguments)
		lcowmig__env_refuse(call);
}

static lcowmig_status invoke_stdio_attach(lcowmig_call *call)
{
	return call->env->stdio.attach(call->env->stdio.user, call, call->handle_argument, call->ports);
}

void lcowmig__stdio_attach(lcowmig__flow *flow, const lcowmig__env *env, void *stdio, const uint32_t ports[3])
{
	lcowmig_call *call;

	if (!ports[0] && !ports[1] && !ports[2])
		return; /* nothing to relay */
	call = lcowmig__env_call(flow, env, "stdio attach", env->stdio.attach != NULL, "the host's stdio ops have no such member",
	                         invoke_stdio_attach);
	if (!call)
		return;
	call->handle_argument = stdio;
	memcpy(call->ports, ports, sizeof call->ports);
}

static lcowmig_status invoke_stdio_drain(lcowmig_call *call)
{
	return call->env->stdio.drain(call->env->stdio.user, call, call->handle_argument);
}

void lcowmig__stdio_drain(lcowmig__flow *flow, const lcowmig__env *env, void *stdio)
{
	lcowmig_call *call;

	if (!env->stdio.drain || !stdio)
		return;
	call = lcowmig__call_new(flow, env, "stdio drain", invoke_stdio_drain);
	if (call)
		call->handle_argument = stdio;
}

static lcowmig_status invoke_socket_close(lcowmig_call *call)
{
	call->env->socket.close(call->env->socket.user, call->handle_argument);
	return LCOWMIG_OK;
}

static void discard_socket(lcowmig_call *late, void *socket)
{
	lcowmig__env_discard(late, "socket close", invoke_socket_close, socket);
}

static lcowmig_status invoke_socket_adopt(lcowmig_call *call)
{
	return call->env->socket.adopt(call->env->socket.user, call, call->bytes, call->size);
}

void lcowmig__socket_adopt(lcowmig__flow *flow, const lcowmig__env *env, const uint8_t *descriptor, size_t size)
{
	lcowmig_call *call = lcowmig__env_call(flow, env, "socket adopt", env->socket.adopt && env->socket.close,
	                                       "the host's socket ops have no adopt and close", invoke_socket_adopt);

	lcowmig__env_set_bytes(call, descriptor, size);
	if (call)
		call->discard = discard_socket;
}

static lcowmig_status invoke_stdio_close_stdin(lcowmig_call *call)
{
	if (call->env->stdio.close_stdin)
		call->env->stdio.close_stdin(call->env->stdio.user, call->handle_argument);
	return LCOWMIG_OK;
}

void lcowmig__post_stdio_close(lcowmig_call *spare, void *stdio)
{
	lcowmig__env_post(spare, "stdio close", invoke_stdio_close, stdio);
}

void lcowmig__await_stdio_close(lcowmig__flow *flow, lcowmig_call *spare, void *stdio)
{
	spare->flow = flow;
	lcowmig__list_append(&flow->rest->calls, &spare->in_flow);
	flow->waiting++;
	lcowmig__post_stdio_close(spare, stdio);
}

void lcowmig__post_socket_close(lcowmig_call *spare, void *socket)
{
	lcowmig__env_post(spare, "socket close", invoke_socket_close, socket);
}

void lcowmig__stdio_close_stdin(lcowmig__flow *flow, const lcowmig__env *env, void *stdio)
{
	lcowmig_call *call = lcowmig__call_new(flow, env, "stdio close stdin", invoke_stdio_close_stdin);

	if (call)
		call->handle_argument = stdio;
}
