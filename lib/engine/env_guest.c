/* Calls of the guest vtable. */
#include "env_call.h"

static const lcowmig_guest_ops *call_guest(const lcowmig_call *call)
{
	return &call->env->guest;
}

static lcowmig_call *guest_call(lcowmig__flow *flow, const lcowmig__env *env, const char *what, bool has_member,
                                lcowmig_status (*invoke)(lcowmig_call *call))
{
	return lcowmig__env_call(flow, env, what, has_member, "the host's guest ops have no such member", invoke);
}

static lcowmig_status invoke_prepare(lcowmig_call *call)
{
	return call_guest(call)->prepare(call_guest(call)->user, call, call->text[0], (uint32_t)call->number);
}

void lcowmig__guest_prepare(lcowmig__flow *flow, const lcowmig__env *env, uint32_t port)
{
	lcowmig_call *call = guest_call(flow, env, "guest listen", env->guest.prepare != NULL, invoke_prepare);

	lcowmig__env_set_text(call, 0, env->runtime_id);
	if (call)
		call->number = port;
}

static lcowmig_status invoke_entropy(lcowmig_call *call)
{
	return call_guest(call)->entropy(call_guest(call)->user, call, call->bytes, call->size);
}

void lcowmig__guest_entropy(lcowmig__flow *flow, const lcowmig__env *env, const uint8_t *bytes, size_t size)
{
	if (env->guest.entropy)
		lcowmig__env_set_bytes(lcowmig__call_new(flow, env, "guest entropy", invoke_entropy), bytes, size);
}

static lcowmig_status invoke_log(lcowmig_call *call)
{
	return call_guest(call)->log(call_guest(call)->user, call);
}

void lcowmig__guest_log(lcowmig__flow *flow, const lcowmig__env *env)
{
	if (env->guest.log)
		lcowmig__call_new(flow, env, "guest log", invoke_log);
}

static lcowmig_status invoke_connect(lcowmig_call *call)
{
	return call_guest(call)->connect(call_guest(call)->user, call, call->flag);
}

void lcowmig__guest_connect(lcowmig__flow *flow, const lcowmig__env *env, bool cold)
{
	lcowmig_call *call = guest_call(flow, env, "guest connect", env->guest.connect != NULL, invoke_connect);

	if (call)
		call->flag = cold;
}

static lcowmig_status invoke_resume(lcowmig_call *call)
{
	return call_guest(call)->resume(call_guest(call)->user, call);
}

void lcowmig__guest_resume(lcowmig__flow *flow, const lcowmig__env *env)
{
	guest_call(flow, env, "guest resume connection", env->guest.resume != NULL, invoke_resume);
}

static lcowmig_status invoke_rpc(lcowmig_call *call)
{
	return call_guest(call)->rpc(call_guest(call)->user, call, (uint32_t)call->number, call->text[1], call->text[0]);
}

static const char *message_name(uint32_t message)
{
	switch (message) {
	case LCOWMIG_GCS_CREATE:
		return "guest create container";
	case LCOWMIG_GCS_START:
		return "guest start container";
	case LCOWMIG_GCS_EXECUTE_PROCESS:
		return "guest execute process";
	case LCOWMIG_GCS_WAIT_FOR_PROCESS:
		return "guest wait for process";
	case LCOWMIG_GCS_SIGNAL_PROCESS:
		return "guest signal process";
	case LCOWMIG_GCS_RESIZE_CONSOLE:
		return "guest resize console";
	case LCOWMIG_GCS_GET_PROPERTIES:
		return "guest properties";
	case LCOWMIG_GCS_MODIFY_SETTINGS:
		return "guest modify settings";
	case LCOWMIG_GCS_DUMP_STACKS:
		return "guest dump stacks";
	case LCOWMIG_GCS_DELETE_CONTAINER_STATE:
		return "guest delete container state";
	default:
		return "guest request";
	}
}

lcowmig_call *lcowmig__guest_rpc(lcowmig__flow *flow, const lcowmig__env *env, uint32_t message, const char *container_id, char *document)
{
	const char *what = message_name(message);
	lcowmig_call *call = NULL;

	if (env->has_guest)
		call = guest_call(flow, env, what, env->guest.rpc != NULL, invoke_rpc);
	else
		lcowmig__call_refuse(flow, LCOWMIG_E_UNAVAILABLE, what, "there is no guest connection");
	lcowmig__env_take_text(env, call, 0, document);
	lcowmig__env_set_text(call, 1, container_id);
	if (call)
		call->number = message;
	return call;
}

static lcowmig_status invoke_adopt(lcowmig_call *call)
{
	return call_guest(call)->adopt(call_guest(call)->user, call, (int64_t)call->number);
}

void lcowmig__guest_adopt(lcowmig__flow *flow, const lcowmig__env *env, int64_t id)
{
	lcowmig_call *call = guest_call(flow, env, "guest adopt wait", env->guest.adopt != NULL, invoke_adopt);

	if (!call)
		return;
	call->number = (uint64_t)id;
	call->request_id = id;
}

static lcowmig_status invoke_close(lcowmig_call *call)
{
	if (call_guest(call)->close)
		call_guest(call)->close(call_guest(call)->user);
	return LCOWMIG_OK;
}

void lcowmig__guest_close(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__call_new(flow, env, "guest close", invoke_close);
}

static lcowmig_status invoke_set_migrating(lcowmig_call *call)
{
	if (call_guest(call)->set_migrating)
		call_guest(call)->set_migrating(call_guest(call)->user, call->flag);
	return LCOWMIG_OK;
}

void lcowmig__guest_set_migrating(lcowmig__flow *flow, const lcowmig__env *env, bool migrating)
{
	lcowmig_call *call = lcowmig__call_new(flow, env, "guest set migrating", invoke_set_migrating);

	if (call)
		call->flag = migrating;
}

static lcowmig_status invoke_raise_floors(lcowmig_call *call)
{
	const lcowmig_guest_ops *guest = call_guest(call);

	if (call->ports[0] && guest->raise_port)
		guest->raise_port(guest->user, call->ports[0]);
	if (call->number && guest->raise_request_id)
		guest->raise_request_id(guest->user, (int64_t)call->number);
	return LCOWMIG_OK;
}

void lcowmig__guest_raise_floors(lcowmig__flow *flow, const lcowmig__env *env, uint32_t port, int64_t request_id)
{
	lcowmig_call *call = lcowmig__call_new(flow, env, "guest raise floors", invoke_raise_floors);

	if (!call)
		return;
	call->ports[0] = port;
	call->number = (uint64_t)request_id;
}

static lcowmig_status invoke_read_floors(lcowmig_call *call)
{
	const lcowmig_guest_ops *guest = call_guest(call);

	call->ports[0] = guest->next_port ? guest->next_port(guest->user) : 0;
	call->request_id = guest->next_request_id ? guest->next_request_id(guest->user) : 0;
	return LCOWMIG_OK;
}

static void report_floors(lcowmig_call *call)
{
	*(uint32_t *)call->ret[0] = call->ports[0];
	*(int64_t *)call->ret[1] = call->request_id;
}

void lcowmig__guest_read_floors(lcowmig__flow *flow, const lcowmig__env *env, uint32_t *ret_port, int64_t *ret_request_id)
{
	lcowmig_call *call = lcowmig__call_new(flow, env, "guest read floors", invoke_read_floors);

	if (!call)
		return;
	call->report = report_floors;
	call->ret[0] = ret_port;
	call->ret[1] = ret_request_id;
}

static lcowmig_status invoke_allocate_ports(lcowmig_call *call)
{
	const lcowmig_guest_ops *guest = call_guest(call);
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(call->ports); i++)
		call->ports[i] = call->ports[i] ? guest->allocate_port(guest->user) : 0;
	return LCOWMIG_OK;
}

static void report_ports(lcowmig_call *call)
{
	memcpy(call->ret[0], call->ports, sizeof call->ports);
}

void lcowmig__guest_allocate_ports(lcowmig__flow *flow, const lcowmig__env *env, const bool wanted[3], uint32_t ret_ports[3])
{
	lcowmig_call *call = guest_call(flow, env, "guest allocate ports", env->guest.allocate_port != NULL, invoke_allocate_ports);
	size_t i;

	if (!call)
		return;
	for (i = 0; i < LCOWMIG__COUNT(call->ports); i++)
		call->ports[i] = wanted[i];
	call->report = report_ports;
	call->ret[0] = ret_ports;
}

static lcowmig_status invoke_is_connected(lcowmig_call *call)
{
	const lcowmig_guest_ops *guest = call_guest(call);

	call->flag = guest->is_connected && guest->is_connected(guest->user);
	return LCOWMIG_OK;
}

static void report_flag(lcowmig_call *call)
{
	*(bool *)call->ret[0] = call->flag;
}

void lcowmig__guest_is_connected(lcowmig__flow *flow, const lcowmig__env *env, bool *ret_connected)
{
	lcowmig_call *call = lcowmig__call_new(flow, env, "guest is connected", invoke_is_connected);

	if (!call)
		return;
	call->report = report_flag;
	call->ret[0] = ret_connected;
}

static lcowmig_status invoke_container(lcowmig_call *call)
{
	const lcowmig_guest_ops *guest = call_guest(call);

	if (call->flag && guest->open_container)
		guest->open_container(guest->user, call->text[0]);
	if (!call->flag && guest->close_container)
		guest->close_container(guest->user, call->text[0]);
	return LCOWMIG_OK;
}

static void container_call(lcowmig__flow *flow, const lcowmig__env *env, const char *what, const char *container_id, bool opens)
{
	lcowmig_call *call = lcowmig__call_new(flow, env, what, invoke_container);

	lcowmig__env_set_text(call, 0, container_id);
	if (call)
		call->flag = opens;
}

void lcowmig__guest_open_container(lcowmig__flow *flow, const lcowmig__env *env, const char *container_id)
{
	container_call(flow, env, "guest open container", container_id, true);
}

void lcowmig__guest_close_container(lcowmig__flow *flow, const lcowmig__env *env, const char *container_id)
{
	container_call(flow, env, "guest close container", container_id, false);
}
