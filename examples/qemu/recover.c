/*
 * After something went wrong: where does the sandbox go on? The orchestrator's rules, given the library's promises:
 *
 *     the source has the right, and its machine     it goes on there; the destination is stopped
 *     the source has given the right away           the destination goes on; or, if it cannot, gives the right back, and the source goes on
 *     the source's machine was killed               the destination goes on if it has everything: with the source's token, or, when the
 * source died before it knew that it could give one, by force and with a reason the only machine that ever ran was killed     the sandbox
 * is lost, as with any crash, and both sides must be left empty
 */
#include "demo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool recover_complain(const demo_migration *m, const char *what, const lcowmig_error *error)
{
	fprintf(stderr, "lcowmig-qemu: %s at %s: %s: %s\n", demo_fault_name(m->world->fault), demo_point_name(m->world->point), what,
		error->message);
	return false;
}

/* Leaves the session on one side, and its machine behind when it is not to run. */
static bool recover_close(demo_migration *m, bool on_destination, bool is_to_run)
{
	lcowmig_migration *session = on_destination ? m->destination : m->source;
	const demo_side *side = on_destination ? m->to : m->from;
	lcowmig_vm *vm = lcowmig_sandbox_vm(qemu_host_sandbox(side->host));
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	demo_end end = { .error = LCOWMIG_ERROR_INIT };

	if (!is_to_run && !demo_state_is(session, LCOWMIG_MIGRATION_IDLE)) {
		if (!demo_state_is(session, LCOWMIG_MIGRATION_TRANSFER_COMPLETED) && !demo_state_is(session, LCOWMIG_MIGRATION_FINALIZED))
			demo_await(m->world->loop, &end, lcowmig_migration_cancel(session, m->session, demo_done, &end, &end.error));
		if (!demo_state_is(session, LCOWMIG_MIGRATION_FINALIZED) &&
		    demo_finalize(m, on_destination, LCOWMIG_FINALIZE_STOP, &error) != LCOWMIG_OK)
			recover_complain(m, "stopping", &error);
	}
	if (lcowmig_migration_cleanup(session, m->session, &error) != LCOWMIG_OK) {
		recover_complain(m, "cleanup", &error);
		end = (demo_end){ .error = LCOWMIG_ERROR_INIT };
		if (demo_await(m->world->loop, &end, lcowmig_migration_abandon(session, m->session, demo_done, &end, &end.error)) !=
		    LCOWMIG_OK)
			return recover_complain(m, "abandon", &end.error);
	}
	if (is_to_run)
		return true;
	end = (demo_end){ .error = LCOWMIG_ERROR_INIT };
	if (lcowmig_vm_get_state(vm) != LCOWMIG_VM_DESTINATION_MIGRATION_IMPORTED && lcowmig_vm_get_state(vm) != LCOWMIG_VM_NOT_CREATED &&
	    demo_await(m->world->loop, &end, lcowmig_vm_terminate(vm, demo_done, &end, &end.error)) != LCOWMIG_OK)
		return recover_complain(m, "terminate", &end.error);
	return true;
}

static demo_outcome recover_finish(demo_migration *m, demo_outcome outcome)
{
	bool good = recover_close(m, true, outcome == OUTCOME_MOVED);

	good = recover_close(m, false, outcome == OUTCOME_STAYED) && good;
	if (qemu_host_runs(m->from->host) != (outcome == OUTCOME_STAYED) || qemu_host_runs(m->to->host) != (outcome == OUTCOME_MOVED)) {
		fprintf(stderr, "lcowmig-qemu: %s at %s: the source %s, the destination %s\n", demo_fault_name(m->world->fault),
			demo_point_name(m->world->point), qemu_host_runs(m->from->host) ? "runs" : "does not run",
			qemu_host_runs(m->to->host) ? "runs" : "does not run");
		good = false;
	}
	if (outcome == OUTCOME_LOST && good) {
		good = demo_drop_host(m->world, m->world->at);
		good = demo_drop_host(m->world, 1 - m->world->at) && good;
	}
	return good ? outcome : OUTCOME_WRONG;
}

/* It moved; but who was killed at the very end? */
demo_outcome demo_confirm(demo_migration *m)
{
	demo_run_for(m->world, 20);
	return recover_finish(m, qemu_host_has_machine(m->to->host) ? OUTCOME_MOVED : OUTCOME_LOST);
}

static bool recover_on_destination(demo_migration *m, bool by_force)
{
	lcowmig_finalize_options options = LCOWMIG_FINALIZE_OPTIONS_INIT;
	demo_end end = { .error = LCOWMIG_ERROR_INIT };
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	if (!by_force) {
		if (demo_finalize(m, true, LCOWMIG_FINALIZE_RESUME, &error) == LCOWMIG_OK)
			return true;
		return m->world->options->is_verbose ? recover_complain(m, "resume on the destination", &error) : false;
	}
	options.action = LCOWMIG_FINALIZE_RESUME;
	options.flags = LCOWMIG_FINALIZE_FORCE;
	options.reason = "the demo: the source's QEMU was killed, as its exit status says";
	if (demo_await(m->world->loop, &end,
		       lcowmig_migration_finalize(m->destination, m->session, &options, demo_done, &end, &end.error)) == LCOWMIG_OK)
		return true;
	return recover_complain(m, "resume on the destination by force", &end.error);
}

/* The source's machine lives: back to it, after a cancel that settles whatever is still under way. */
static demo_outcome recover_on_source(demo_migration *m)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	demo_end end = { .error = LCOWMIG_ERROR_INIT };

	if (!demo_state_is(m->source, LCOWMIG_MIGRATION_TRANSFER_COMPLETED) && !demo_state_is(m->source, LCOWMIG_MIGRATION_IDLE) &&
	    demo_await(m->world->loop, &end, lcowmig_migration_cancel(m->source, m->session, demo_done, &end, &end.error)) != LCOWMIG_OK)
		recover_complain(m, "cancel", &end.error);
	if (!demo_state_is(m->source, LCOWMIG_MIGRATION_IDLE) && demo_finalize(m, false, LCOWMIG_FINALIZE_RESUME, &error) != LCOWMIG_OK) {
		recover_complain(m, "resume on the source", &error);
		return OUTCOME_WRONG;
	}
	return recover_finish(m, OUTCOME_STAYED);
}

static demo_outcome recover_after_release(demo_migration *m)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	if (!m->is_resumed && qemu_host_has_machine(m->to->host) && recover_on_destination(m, false))
		m->is_resumed = true;
	if (m->is_resumed)
		return recover_finish(m, qemu_host_has_machine(m->to->host) ? OUTCOME_MOVED : OUTCOME_LOST);
	if (!qemu_host_has_machine(m->from->host))
		return recover_finish(m, OUTCOME_LOST);
	if (lcowmig_migration_release(m->destination, m->session, m->token, sizeof m->token, &m->token_size, &error) != LCOWMIG_OK) {
		recover_complain(m, "giving the right back", &error);
		return OUTCOME_WRONG;
	}
	return recover_on_source(m);
}

demo_outcome demo_recover(demo_migration *m)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	if (!m->world->has_struck)
		return OUTCOME_WRONG; /* nothing was meant to go wrong */
	if (m->is_cancelling && !m->cancel.is_over && demo_await(m->world->loop, &m->cancel, LCOWMIG_PENDING) != LCOWMIG_OK)
		recover_complain(m, "cancel", &m->cancel.error);
	demo_run_for(m->world, 20); /* the end of a process that was killed is noticed by now */
	if (m->token_size > 0)
		return recover_after_release(m);
	if (qemu_host_has_machine(m->from->host))
		return recover_on_source(m);
	if (qemu_host_has_machine(m->to->host) && demo_state_is(m->destination, LCOWMIG_MIGRATION_TRANSFER_COMPLETED)) {
		bool has_token =
			lcowmig_migration_release(m->source, m->session, m->token, sizeof m->token, &m->token_size, &error) == LCOWMIG_OK;

		return recover_on_destination(m, !has_token) ? recover_finish(m, OUTCOME_MOVED) : OUTCOME_WRONG;
	}
	return recover_finish(m, OUTCOME_LOST);
}
