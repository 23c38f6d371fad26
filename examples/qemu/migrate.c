/* One migration as an orchestrator drives it: both hosts' sessions, the envelope and the token between them. */
#include "demo.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TRANSFER_PATIENCE (90 * MOCK_SECOND)

bool demo_state_is(lcowmig_migration *session, lcowmig_migration_state state)
{
	return lcowmig_migration_get_state(session) == state;
}

bool demo_reach(demo_migration *m, demo_point point)
{
	demo_world *world = m->world;

	if (world->has_struck || world->point != point || world->fault == FAULT_NONE)
		return true;
	world->has_struck = true;
	if (world->options->is_verbose)
		fprintf(stderr, "lcowmig-qemu: now %s at %s\n", demo_fault_name(world->fault), demo_point_name(point));
	if (world->fault == FAULT_KILL_SOURCE) {
		qemu_host_kill(m->from->host);
	} else if (world->fault == FAULT_KILL_DESTINATION) {
		qemu_host_kill(m->to->host);
	} else {
		m->is_cancelling = true;
		m->cancel = (demo_end){ .error = LCOWMIG_ERROR_INIT };
		m->cancel.status = lcowmig_migration_cancel(m->source, m->session, demo_done, &m->cancel, &m->cancel.error);
		m->cancel.is_over = m->cancel.status != LCOWMIG_PENDING;
	}
	return false;
}

/* Waits for a step of the migration and keeps the first reason against it. */
static bool migrate_step(demo_migration *m, const char *what, demo_end *end, lcowmig_status status)
{
	if (demo_await(m->world->loop, end, status) == LCOWMIG_OK)
		return true;
	if (m->why.status == 0) {
		m->why = end->error;
		m->why.status = end->status;
	}
	if (!m->world->has_struck)
		fprintf(stderr, "lcowmig-qemu: %s: %s: %s\n", what, lcowmig_status_name(end->status), end->error.message);
	return false;
}

#define STEP(m, what, operation)                                                                                                           \
	do {                                                                                                                               \
		end = (demo_end){ .error = LCOWMIG_ERROR_INIT };                                                                           \
		if (!migrate_step((m), (what), &end, (operation)))                                                                         \
			return false;                                                                                                      \
	} while (0)

static bool migrate_patch(demo_migration *m, unsigned index)
{
	const demo_place *old = &m->from->site->places[index];
	const demo_place *place = &m->to->site->places[index];
	lcowmig_patch patch = LCOWMIG_PATCH_INIT;
	lcowmig_rootfs_mount mount;
	char texts[2][1200];
	const char *list[2];
	demo_end end;

	demo_rootfs(place, texts, list, &mount);
	patch.source_container_id = old->id;
	patch.container_id = place->id;
	patch.rootfs = &mount;
	patch.n_rootfs = 1;
	patch.bundle = place->bundle;
	patch.stdout_path = place->log;
	patch.namespace_id = index == 0 ? m->to->site->namespace_id : NULL;
	patch.container_type = index == 0 ? "sandbox" : "container";
	STEP(m, "patch", lcowmig_migration_patch(m->destination, &patch, demo_done, &end, &end.error));
	return true;
}

static bool migrate_prepare(demo_migration *m)
{
	lcowmig_migration_options options = { .size = sizeof options };
	lcowmig_import_options import = LCOWMIG_IMPORT_OPTIONS_INIT;
	demo_end end;

	STEP(m, "prepare the source", lcowmig_migration_prepare_source(m->source, m->session, &options, demo_done, &end, &end.error));
	demo_reach(m, POINT_PREPARED);
	STEP(m, "export", lcowmig_migration_export(m->source, m->session, demo_done, &end, &end.error));
	demo_reach(m, POINT_EXPORTED);
	import.session_id = m->session;
	import.sandbox_id = "qemu-sandbox";
	STEP(m, "envelope", lcowmig_migration_envelope(m->source, m->session, &import.envelope, &import.envelope_size, &end.error));
	STEP(m, "import", lcowmig_migration_import(m->destination, &import, &end.error));
	demo_reach(m, POINT_IMPORTED);
	for (unsigned i = 0; i < DEMO_PLACES; i++) {
		if (!migrate_patch(m, i))
			return false;
	}
	demo_reach(m, POINT_PATCHED);
	STEP(m, "prepare the destination",
	     lcowmig_migration_prepare_destination(m->destination, m->session, &options, 0, demo_done, &end, &end.error));
	demo_reach(m, POINT_READY);
	return true;
}

/* A TCP connection of the machine with itself. */
static bool migrate_connect(int fds[2])
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	fds[1] = -1;
	if (listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 1) == 0 &&
	    getsockname(listener, (struct sockaddr *)&address, &size) == 0 && connect(fds[0], (struct sockaddr *)&address, size) == 0)
		fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (listener >= 0)
		close(listener);
	return fds[1] >= 0;
}

static bool migrate_register(demo_migration *m, lcowmig_migration *session, int fd)
{
	demo_end end;

	STEP(m, "register the socket",
	     lcowmig_migration_register_socket(session, m->session, (const uint8_t *)&fd, sizeof fd, demo_done, &end, &end.error));
	return true;
}

static bool migrate_is_over(lcowmig_migration *session)
{
	return demo_state_is(session, LCOWMIG_MIGRATION_FAILED) || demo_state_is(session, LCOWMIG_MIGRATION_CANCELLED) ||
	       demo_state_is(session, LCOWMIG_MIGRATION_CANCELLING);
}

static bool migrate_transfer(demo_migration *m)
{
	uint64_t limit = mock_now() + TRANSFER_PATIENCE;
	int fds[2];
	bool good;
	demo_end end;

	if (!migrate_connect(fds))
		return false;
	good = migrate_register(m, m->destination, fds[1]) && migrate_register(m, m->source, fds[0]);
	close(fds[0]);
	close(fds[1]);
	if (!good)
		return false;
	STEP(m, "start the destination", lcowmig_migration_transfer(m->destination, m->session, NULL, &end.error));
	STEP(m, "start the source", lcowmig_migration_transfer(m->source, m->session, NULL, &end.error));
	while (!demo_state_is(m->source, LCOWMIG_MIGRATION_TRANSFER_COMPLETED) ||
	       !demo_state_is(m->destination, LCOWMIG_MIGRATION_TRANSFER_COMPLETED)) {
		if (migrate_is_over(m->source) || migrate_is_over(m->destination) || mock_now() > limit) {
			lcowmig_migration_failure(migrate_is_over(m->source) ? m->source : m->destination, &m->why);
			if (!m->world->has_struck)
				fprintf(stderr, "lcowmig-qemu: the transfer: %s\n", m->why.message);
			return false;
		}
		mock_loop_step(m->world->loop, MOCK_SECOND);
	}
	demo_reach(m, POINT_COMPLETED);
	return true;
}

lcowmig_status demo_finalize(demo_migration *m, bool on_destination, lcowmig_finalize_action action, lcowmig_error *error)
{
	lcowmig_finalize_options options = LCOWMIG_FINALIZE_OPTIONS_INIT;
	demo_end end = { .error = LCOWMIG_ERROR_INIT };

	options.action = action;
	if (action == LCOWMIG_FINALIZE_RESUME && m->token_size > 0) {
		options.token = m->token;
		options.token_size = m->token_size;
	}
	demo_await(
		m->world->loop, &end,
		lcowmig_migration_finalize(on_destination ? m->destination : m->source, m->session, &options, demo_done, &end, &end.error));
	*error = end.error;
	return end.status;
}

static bool migrate_hand_over(demo_migration *m)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	demo_end end;

	if (m->is_cancelling)
		return false; /* the library would still give the right away */
	STEP(m, "release", lcowmig_migration_release(m->source, m->session, m->token, sizeof m->token, &m->token_size, &end.error));
	demo_reach(m, POINT_RELEASED);
	end.status = demo_finalize(m, true, LCOWMIG_FINALIZE_RESUME, &error);
	end.error = error;
	if (!migrate_step(m, "resume", &end, end.status))
		return false;
	m->is_resumed = true;
	demo_reach(m, POINT_RESUMED);
	return true;
}

/* ---- Figures ---- */

static void migrate_timeline(lcowmig_migration *session, char *text, size_t size)
{
	size_t n = lcowmig_migration_timeline_count(session);
	lcowmig_timeline_entry first = LCOWMIG_TIMELINE_ENTRY_INIT;
	size_t at = 0;

	lcowmig_migration_timeline_entry(session, 0, &first, NULL);
	for (size_t i = 0; i < n && at < size; i++) {
		lcowmig_timeline_entry entry = LCOWMIG_TIMELINE_ENTRY_INIT;

		lcowmig_migration_timeline_entry(session, i, &entry, NULL);
		at += (size_t)snprintf(text + at, size - at, "    %9.1f ms  %9.1f ms%s  %s\n", (double)(entry.start - first.start) / 1e6,
				       (double)entry.duration / 1e6, entry.has_ended ? " " : "…", entry.name);
	}
}

static void migrate_measure(demo_migration *m, demo_result *result)
{
	const qemu_figures *there = qemu_host_figures(m->from->host);
	const qemu_figures *here = qemu_host_figures(m->to->host);
	int64_t moved_at = there->moved_at > here->moved_at ? there->moved_at : here->moved_at;

	result->blackout_us = (uint64_t)(here->resumed_at - there->stopped_at);
	result->qemu_downtime_ms = there->downtime_ms;
	result->control_plane_us = (uint64_t)(here->resumed_at - moved_at);
	result->bytes = there->bytes;
	for (size_t i = 0; i < lcowmig_migration_timeline_count(m->destination); i++) {
		lcowmig_timeline_entry entry = LCOWMIG_TIMELINE_ENTRY_INIT;

		if (lcowmig_migration_timeline_entry(m->destination, i, &entry, NULL) == LCOWMIG_OK && strcmp(entry.name, "finalize") == 0)
			result->finalize = entry.duration;
	}
	migrate_timeline(m->source, result->timeline[0], sizeof result->timeline[0]);
	migrate_timeline(m->destination, result->timeline[1], sizeof result->timeline[1]);
}

static bool migrate_finish(demo_migration *m, demo_result *result)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	demo_end end = { .error = LCOWMIG_ERROR_INIT };

	migrate_measure(m, result);
	end.status = demo_finalize(m, false, LCOWMIG_FINALIZE_STOP, &error);
	end.error = error;
	if (!migrate_step(m, "stop the source", &end, end.status))
		return false;
	STEP(m, "cleanup", lcowmig_migration_cleanup(m->destination, m->session, &end.error));
	STEP(m, "cleanup", lcowmig_migration_cleanup(m->source, m->session, &end.error));
	return true;
}

static bool migrate_all(demo_migration *m, demo_result *result)
{
	return migrate_prepare(m) && migrate_transfer(m) && migrate_hand_over(m) && migrate_finish(m, result);
}

demo_result demo_migrate(demo_world *world, demo_fault fault, demo_point point)
{
	unsigned from = world->at;
	demo_migration m = { .world = world, .from = &world->sides[from], .to = &world->sides[1 - from], .why = LCOWMIG_ERROR_INIT };
	demo_result result = { .outcome = OUTCOME_WRONG };
	uint64_t begin = mock_now();

	world->hop++;
	world->fault = fault;
	world->point = point;
	world->has_struck = false;
	if (!demo_make_host(world, 1 - from, NULL))
		return result;
	qemu_host_set_peer(m.to->host, m.from->host);
	m.from->is_source = true;
	m.to->is_source = false;
	m.source = lcowmig_sandbox_migration(qemu_host_sandbox(m.from->host));
	m.destination = lcowmig_sandbox_migration(qemu_host_sandbox(m.to->host));
	snprintf(m.session, sizeof m.session, "5f0b1190-63be-4e0c-b974-%012x", world->hop);
	world->migration = &m;
	result.outcome = migrate_all(&m, &result) ? demo_confirm(&m) : demo_recover(&m);
	world->migration = NULL;
	result.total = mock_now() - begin;
	if (result.outcome == OUTCOME_MOVED)
		world->at = 1 - from;
	if (result.outcome == OUTCOME_MOVED && !demo_drop_host(world, from))
		result.outcome = OUTCOME_WRONG;
	if (result.outcome == OUTCOME_STAYED && !demo_drop_host(world, 1 - from))
		result.outcome = OUTCOME_WRONG;
	return result;
}
