/* The calls themselves, with the outcome that the action asks of the host. */
#include <stdio.h>
#include <stdlib.h>

#include "model.h"

#define A_WHILE UINT64_C(70000000000)

static lcowmig_error error_of_call = LCOWMIG_ERROR_INIT;

static lcowmig_status call_import(const model *m, test_side *side, const char *session, unsigned number)
{
	lcowmig_import_options options = LCOWMIG_IMPORT_OPTIONS_INIT;

	options.session_id = session;
	options.sandbox_id = side == &m->world->source ? "sb" : "d-sb";
	options.envelope = m->envelopes[number].bytes;
	options.envelope_size = m->envelopes[number].size;
	return lcowmig_migration_import(side->m, &options, &error_of_call);
}

static lcowmig_status call_patch(test_side *side, unsigned container, unsigned n_containers, test_done *done)
{
	const char *base = container < n_containers ? world_container_id(0, container) : "nobody";
	char id[64], source[128];
	const char *mount_options[1] = { "parentLayerPaths=[\"C:\\\\destination\\\\base\"]" };
	lcowmig_rootfs_mount rootfs = { "lcow-layer", source, "", mount_options, 1 };
	lcowmig_patch patch = { .size = sizeof patch };

	snprintf(id, sizeof id, "d-%s", base);
	snprintf(source, sizeof source, "C:\\destination\\%s", id);
	patch.source_container_id = base;
	patch.container_id = id;
	patch.rootfs = &rootfs;
	patch.n_rootfs = 1;
	patch.bundle = "C:\\bundle-d";
	patch.stdout_path = "\\\\.\\pipe\\out-d";
	patch.namespace_id = container ? NULL : "a1b2c3d4-0000-4000-8000-000000000002";
	return lcowmig_migration_patch(side->m, &patch, test_on_done, done, &error_of_call);
}

static uint32_t epoch_of_next(const model_side *side)
{
	if (side->released && side->released == side->epoch)
		return side->epoch;
	return side->epoch + ((side->epoch % 2 == 0) == side->is_source ? 1 : 2);
}

/* Tokens are kept: they may arrive at any time. The same one is always the same bytes. The invariants are told of the last word. */
static void keep_token(model *m, const model_side *side, const uint8_t *bytes, size_t size)
{
	model_message *token = &m->tokens[m->n_tokens];
	size_t i;

	ck_assert_uint_lt(m->n_tokens + 1, MODEL_MAX_TOKENS);
	m->token_sessions |= 1u << side->session;
	token->epoch = epoch_of_next(side);
	token->session = side->session;
	token->from_source = side->is_source;
	token->size = size;
	memcpy(token->bytes, bytes, size);
	for (i = 0; i < m->n_tokens; i++) {
		const model_message *other = &m->tokens[i];
		bool is_same = other->size == size && memcmp(other->bytes, bytes, size) == 0;

		ck_assert_int_eq(is_same, other->session == token->session && other->epoch == token->epoch);
		if (is_same)
			return;
	}
	m->n_tokens++;
	if (m->last_session > token->session || (m->last_session == token->session && m->last_epoch > token->epoch))
		return;
	m->last_session = token->session;
	m->last_epoch = token->epoch;
	memcpy(m->world->token, bytes, size);
	m->world->token_size = size;
}

static lcowmig_status call_release(model *m, test_side *side, const model_side *as, const char *session)
{
	uint8_t token[LCOWMIG_TOKEN_SIZE_MAX];
	lcowmig_status status;
	size_t size;

	status = lcowmig_migration_release(side->m, session, token, sizeof token, &size, &error_of_call);
	if (status == LCOWMIG_OK)
		keep_token(m, as, token, size);
	return status;
}

static lcowmig_status call_finalize(const model *m, test_side *side, const model_action *action, const char *session, test_done *done)
{
	lcowmig_finalize_options options = LCOWMIG_FINALIZE_OPTIONS_INIT;
	model_message damaged;

	options.action = action->call == CALL_STOP ? LCOWMIG_FINALIZE_STOP : LCOWMIG_FINALIZE_RESUME;
	if (action->call == CALL_RESUME && action->argument == TOKEN_FORCE) {
		options.flags = LCOWMIG_FINALIZE_FORCE;
		options.reason = "the operator says that the other side is gone";
	} else if (action->call == CALL_RESUME && action->argument != TOKEN_NONE) {
		damaged = *model_find_token(m, action->on_destination, (model_token)action->argument);
		if (action->argument == TOKEN_CORRUPT)
			damaged.bytes[damaged.size / 2] ^= 1;
		options.token = damaged.bytes;
		options.token_size = damaged.size;
	}
	return lcowmig_migration_finalize(side->m, session, &options, test_on_done, done, &error_of_call);
}

static void must_be_wrong(lcowmig_status status, const char *what)
{
	ck_assert_msg(status == LCOWMIG_E_INVALID_ARGUMENT, "%s of another session: %s", what, lcowmig_status_name(status));
}

static lcowmig_status call_wrong_session(test_side *side)
{
	lcowmig_finalize_options options = LCOWMIG_FINALIZE_OPTIONS_INIT;
	const char *wrong = "another-session";
	lcowmig_migration *m = side->m;
	uint8_t token[LCOWMIG_TOKEN_SIZE_MAX];
	size_t size;

	options.action = LCOWMIG_FINALIZE_STOP;
	must_be_wrong(lcowmig_migration_export(m, wrong, NULL, NULL, NULL), "export");
	must_be_wrong(lcowmig_migration_prepare_destination(m, wrong, NULL, 0, NULL, NULL, NULL), "prepare destination");
	must_be_wrong(lcowmig_migration_register_socket(m, wrong, (const uint8_t *)"socket", 6, NULL, NULL, NULL), "register socket");
	must_be_wrong(lcowmig_migration_transfer(m, wrong, NULL, NULL), "transfer");
	must_be_wrong(lcowmig_migration_release(m, wrong, token, sizeof token, &size, NULL), "release");
	must_be_wrong(lcowmig_migration_finalize(m, wrong, &options, NULL, NULL, NULL), "finalize");
	must_be_wrong(lcowmig_migration_cancel(m, wrong, NULL, NULL, NULL), "cancel");
	must_be_wrong(lcowmig_migration_cleanup(m, wrong, NULL), "cleanup");
	must_be_wrong(lcowmig_migration_abandon(m, wrong, NULL, NULL, NULL), "abandon");
	return LCOWMIG_E_INVALID_ARGUMENT;
}

static lcowmig_status machine_exits(test_side *side, bool by_guest)
{
	const char *data = "{\"Status\":-1070137075,\"ExitType\":\"UnexpectedExit\"}";

	if (by_guest)
		data = "{\"Status\":0,\"ExitType\":\"GracefulExit\"}";

	side->vm_exit_is_told = true;
	return lcowmig_sandbox_hcs_event(side->sandbox, LCOWMIG_HCS_EVENT_SYSTEM_EXITED, data, NULL);
}

static lcowmig_status time_passes(const test_side *side)
{
	unsigned i;

	for (i = 0; i < 10; i++)
		test_host_advance(side->host, A_WHILE);
	return LCOWMIG_OK;
}

/* Whose exit somebody waits for, on the source or, adopted, on the destination. */
static void process_exits(test_side *side)
{
	const char *wait = test_host_pending(side->host, "guest.adopt") ? "guest.adopt" : "guest.rpc:10100601";

	test_host_complete(side->host, wait, LCOWMIG_OK, 0,
			   "{\"Result\":0,\"ActivityId\":\"00000000-0000-0000-0000-000000000000\",\"ExitCode\":3}");
}

static lcowmig_status call_complete(test_side *side, const model_action *action)
{
	if (action->outcome == OUTCOME_OK)
		test_host_complete(side->host, model_op_name((model_op)action->argument), LCOWMIG_OK, 0, NULL);
	else
		test_host_complete(side->host, model_op_name((model_op)action->argument), LCOWMIG_E_HOST_FAILED, 0x80070005u, NULL);
	return LCOWMIG_OK;
}

static void new_destination(model *m)
{
	if (m->is_lost[1])
		recover_bury_destination(m);
	m->is_lost[1] = false;
	test_script_settle_abandoned(m->world->destination.host);
	world_new_destination(m->world);
	memset(&m->destination, 0, sizeof m->destination);
	m->n_destinations++;
}

static void lose(model *m, bool on_destination)
{
	m->is_lost[on_destination] = true;
	model_world_side(m, on_destination)->is_lost = true;
}

static void forget(model *m)
{
	unsigned i;

	m->n_tokens = 0;
	for (i = 0; i <= MODEL_MAX_SESSIONS; i++) {
		free(m->envelopes[i].bytes);
		m->envelopes[i].bytes = NULL;
	}
}

static const char *session_of_call(const model *m, const model_action *action, const model_side *side)
{
	if (action->call == CALL_PREPARE_SOURCE)
		return model_session_id(m->n_sessions);
	if (action->call == CALL_IMPORT)
		return model_session_id(model_find_envelope(m, action->argument));
	return model_session_id(side->session ? side->session : m->n_sessions);
}

static lcowmig_status perform(model *m, const model_action *action, test_done *done)
{
	test_side *side = model_world_side(m, action->on_destination);
	const model_side *as = action->on_destination ? &m->destination : &m->source;
	const char *session = session_of_call(m, action, as);

	switch (action->call) {
	case CALL_PREPARE_SOURCE:
		return lcowmig_migration_prepare_source(side->m, session, NULL, test_on_done, done, &error_of_call);
	case CALL_EXPORT:
		return lcowmig_migration_export(side->m, session, test_on_done, done, &error_of_call);
	case CALL_IMPORT:
		return call_import(m, side, session, model_find_envelope(m, action->argument));
	case CALL_PATCH:
		return call_patch(side, action->argument, m->world->n_containers, done);
	case CALL_PREPARE_DESTINATION:
		return lcowmig_migration_prepare_destination(side->m, session, NULL, LCOWMIG_PREPARE_PATHS_SHARED, test_on_done, done,
							     &error_of_call);
	case CALL_REGISTER:
		return lcowmig_migration_register_socket(side->m, session, (const uint8_t *)"socket", 6, test_on_done, done,
							 &error_of_call);
	case CALL_TRANSFER:
		return lcowmig_migration_transfer(side->m, session, NULL, &error_of_call);
	case CALL_RELEASE:
		return call_release(m, side, as, session);
	case CALL_RESUME:
	case CALL_STOP:
		return call_finalize(m, side, action, session, done);
	case CALL_CANCEL:
		return lcowmig_migration_cancel(side->m, session, test_on_done, done, &error_of_call);
	case CALL_CLEANUP:
		return lcowmig_migration_cleanup(side->m, session, &error_of_call);
	case CALL_ABANDON:
		return lcowmig_migration_abandon(side->m, session, test_on_done, done, &error_of_call);
	case CALL_WRONG_SESSION:
		return call_wrong_session(side);
	case CALL_TERMINATE:
		return lcowmig_vm_terminate(lcowmig_sandbox_vm(side->sandbox), test_on_done, done, &error_of_call);
	case CALL_MACHINE_EXIT:
		return machine_exits(side, action->argument != 0);
	case CALL_PROCESS_EXIT:
		process_exits(side);
		return LCOWMIG_OK;
	case CALL_COMPLETE:
		return call_complete(side, action);
	case CALL_TIME:
		return time_passes(side);
	case CALL_LOSE:
		lose(m, action->on_destination);
		return LCOWMIG_OK;
	case CALL_FORGET:
		forget(m);
		return LCOWMIG_OK;
	default:
		new_destination(m);
		return LCOWMIG_OK;
	}
}

static void arm(const test_side *side, const model_action *action)
{
	const char *op = model_op_name((model_op)action->op);

	if (action->call == CALL_COMPLETE || action->op == OP_EXIT)
		return;
	if (action->outcome == OUTCOME_FAIL)
		test_host_fail(side->host, op, 1, LCOWMIG_E_HOST_FAILED, 0x80070005u, "the model says so");
	else if (action->outcome == OUTCOME_POINTLESS)
		test_host_fail(side->host, op, 1, LCOWMIG_E_HOST_FAILED, LCOWMIG__HR_INVALID_STATE, "there is no migration");
	else if (action->outcome == OUTCOME_HOLD)
		test_host_hold(side->host, op, true);
}

static void disarm(const test_side *side, const model_action *action)
{
	lcowmig__list *node;

	if (action->outcome == OUTCOME_HOLD && action->op != OP_EXIT)
		test_host_hold(side->host, model_op_name((model_op)action->op), false);
	while ((node = lcowmig__list_pop(&side->host->p->failures)) != NULL)
		free(LCOWMIG__LIST_ENTRY(node, test_failure, node));
}

lcowmig_status model_perform(model *m, const model_action *action, test_done *done)
{
	lcowmig_status status;

	arm(model_world_side(m, action->on_destination), action);
	status = perform(m, action, done);
	disarm(model_world_side(m, action->on_destination), action);
	return status;
}
