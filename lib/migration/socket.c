/* The transport: adopted once, kept until the session ends. */
#include "migration.h"

struct register_socket {
	lcowmig__flow flow;
	lcowmig_migration *m;
	lcowmig_call *spare; /* closes the socket later, without memory */
	uint8_t *descriptor;
	size_t size;
};

/* A cancel or an abandon would have interrupted the adoption; but the transfer that waits for it may have given up. */
static lcowmig_status register_adopted(struct register_socket *self, void *socket)
{
	lcowmig_migration *m = self->m;
	lcowmig_status status = lcowmig__object_check(&m->object, LCOWMIG__MIGRATION_REGISTER_SOCKET, self->flow.error);

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
	lcowmig_migration *m = self->m;

	if (!lcowmig__machine_allows(m->object.machine, m->object.state, LCOWMIG__MIGRATION_REGISTER_SOCKET))
		return; /* Failed already */
	lcowmig__session_fail(m, self->flow.result, self->flow.error);
	lcowmig__signal_set(&m->socket_signal);
}

static void register_socket_step(lcowmig__flow *flow)
{
	struct register_socket *self = (struct register_socket *)flow;
	lcowmig_migration *m = self->m;

	FLOW_BEGIN(flow);
	FLOW_AWAIT(flow, lcowmig__socket_adopt(flow, &m->sandbox->env, self->descriptor, self->size));
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

	if (!self->m->socket)
		self->m->socket_taken = false;
	lcowmig__call_spare_free(self->spare);
	lcowmig__free(&flow->context->mem, self->descriptor);
	lcowmig__session_end_work(self->m, flow);
}

static const lcowmig__flow_class register_socket_class = { "register socket", register_socket_step, register_socket_release, false };

static lcowmig_status register_check(const lcowmig_migration *m, const char *session_id, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__session_check(m, session_id, error);

	if (status == LCOWMIG_OK && m->socket_taken)
		status = lcowmig__fail(error, LCOWMIG_E_ALREADY_EXISTS, "migration session %s (%s) has its socket already", m->object.id,
				       lcowmig__object_state_name(&m->object));
	if (status == LCOWMIG_OK)
		status = lcowmig__object_check(&m->object, LCOWMIG__MIGRATION_REGISTER_SOCKET, error);
	return status == LCOWMIG_OK ? lcowmig__session_check_quiet(m, error) : status;
}

static lcowmig_status register_begin(lcowmig_migration *m, const uint8_t *descriptor, size_t size, lcowmig__flow **ret_flow,
				     lcowmig_error *error)
{
	struct register_socket *self = lcowmig__flow_new(sizeof *self, &register_socket_class, m->object.context, &m->object, error);

	if (!self)
		return LCOWMIG_E_NO_MEMORY;
	self->m = m;
	self->spare = lcowmig__call_spare(&m->sandbox->env);
	self->descriptor = lcowmig__memdup(&m->object.context->mem, descriptor, size);
	self->size = size;
	if (!self->spare || !self->descriptor) {
		lcowmig__flow_discard(&self->flow);
		return lcowmig__fail_memory(error);
	}
	m->socket_taken = true;
	lcowmig__session_begin_work(m, &self->flow);
	*ret_flow = &self->flow;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig_migration_register_socket(lcowmig_migration *m, const char *session_id, const uint8_t *descriptor, size_t size,
						 lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	lcowmig__pump pump;
	lcowmig__flow *flow = NULL;
	lcowmig_status status;

	if (!m || !descriptor || !size)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "register socket: migration and descriptor are required");
	if (size < m->sandbox->env.socket.descriptor_size)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT,
				     "register socket: the descriptor has %zu bytes, expected at least %zu", size,
				     m->sandbox->env.socket.descriptor_size);
	lcowmig__enter(m->object.context, &pump);
	status = register_check(m, session_id, error);
	if (status == LCOWMIG_OK)
		status = register_begin(m, descriptor, size, &flow, error);
	return lcowmig__leave_with(m->object.context, &pump, status, flow, done, user, error);
}
