/* The transport: adopted once, kept until the session ends. */
#include "migration.h"

struct register_socket {
	lcowmig__session_flow base;
	lcowmig_call *spare; /* closes the socket later, without memory */
	const char *descriptor;
	size_t size;
};

/* A cancel or an abandon would have interrupted the adoption; but the transfer that waits for it may have given up. */
static lcowmig_status register_adopted(struct register_socket *self, void *socket)
{
	lcowmig_migration *m = self->base.m;
	lcowmig_status status = lcowmig__object_check(&m->object, LCOWMIG__MIGRATION_REGISTER_SOCKET, self->base.flow.error);

	if (status == LCOWMIG_OK) {
		m->socket = socket;
		m->socket_spare = self->spare;
		lcowmig__object_fire(&m->object, LCOWMIG__MIGRATION_REGISTER_SOCKET);
		lcowmig__signal_set(&m->socket_signal);
	} else {
		lcowmig__post_socket_close(self->spare, socket);
	}
	self->spare = NULL;
	return status;
}

static void register_refused(struct register_socket *self)
{
	lcowmig_migration *m = self->base.m;

	if (!lcowmig__machine_allows(m->object.machine, m->object.state, LCOWMIG__MIGRATION_REGISTER_SOCKET))
		return; /* Failed already */
	lcowmig__session_fail(m, self->base.flow.result, self->base.flow.error);
	lcowmig__signal_set(&m->socket_signal);
}

static void register_socket_step(lcowmig__flow *flow)
{
	struct register_socket *self = (struct register_socket *)flow;
	lcowmig_migration *m = self->base.m;

	FLOW_BEGIN(flow);
	FLOW_AWAIT(flow, lcowmig__socket_adopt(flow, &m->sandbox->env, (const uint8_t *)self->descriptor, self->size));
	if (flow->result == LCOWMIG_OK)
		FLOW_RETURN(flow, register_adopted(self, lcowmig__flow_take_handle(flow)));
	if (flow->result != LCOWMIG_E_NO_MEMORY && flow->result != LCOWMIG_E_CANCELLED)
		register_refused(self);
	FLOW_RETURN(flow, flow->result);
	FLOW_END(flow);
}

static void register_socket_release(lcowmig__flow *flow)
{
	struct register_socket *self = (struct register_socket *)flow;
	lcowmig_migration *m = self->base.m;

	if (!m->socket)
		m->socket_taken = false;
	lcowmig__call_spare_free(self->spare);
	lcowmig__session_flow_release(flow);
}

static const lcowmig__flow_class register_socket_class = {
	.name = "register socket",
	.step = register_socket_step,
	.release = register_socket_release,
};

static lcowmig_status register_check(const lcowmig_migration *m, const char *session_id, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__session_check(m, session_id, error);

	if (status == LCOWMIG_OK && m->socket_taken)
		status = lcowmig__fail(error, LCOWMIG_E_ALREADY_EXISTS, "migration session %s (%s) has its socket already", m->object.id,
				       lcowmig__object_state_name(&m->object));
	return status == LCOWMIG_OK ? lcowmig__session_check_call(m, session_id, LCOWMIG__MIGRATION_REGISTER_SOCKET, error) : status;
}

static lcowmig__flow *register_flow(lcowmig_migration *m, const uint8_t *descriptor, size_t size, lcowmig_error *error)
{
	struct register_socket *self = lcowmig__session_flow_new(m, sizeof *self, &register_socket_class, true, error);

	if (!self)
		return NULL;
	self->spare = lcowmig__call_spare(&m->sandbox->env);
	self->descriptor = lcowmig__flow_bytes(&self->base.flow, (const char *)descriptor, size);
	self->size = size;
	m->socket_taken = true;
	lcowmig__session_begin_work(m, &self->base.flow);
	return lcowmig__flow_made(&self->base.flow, self->spare != NULL, error);
}

lcowmig_status lcowmig_migration_register_socket(lcowmig_migration *m, const char *session_id, const uint8_t *descriptor, size_t size,
						 lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	lcowmig__pump pump;
	lcowmig__flow *flow;
	lcowmig_status status;

	if (!m || !descriptor || !size)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "register socket: migration and descriptor are required");
	if (size < m->sandbox->env.socket.descriptor_size)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT,
				     "register socket: the descriptor has %zu bytes, expected at least %zu", size,
				     m->sandbox->env.socket.descriptor_size);
	lcowmig__enter(m->object.context, &pump);
	status = register_check(m, session_id, error);
	flow = status == LCOWMIG_OK ? register_flow(m, descriptor, size, error) : NULL;
	return lcowmig__leave_flow(m, &pump, status, flow, done, user, error);
}
