/*
 * A migration in QEMU's terms.
 *
 *     HCS, source             QEMU, source              QEMU, destination        HCS, destination
 *     initialize              capabilities              -incoming defer          create
 *     start with a socket     getfd                     getfd, migrate-incoming  start with a socket
 *     transfer                migrate  ---------------->  active                 transfer
 *       SetupDone             setup
 *       TransferInProgress    active
 *       BlackoutStarted       STOP, pre-switchover
 *                             migrate-continue
 *       OfflineDone           completed (paused)          completed (paused)       OfflineDone
 *     finalize Stop           quit                        cont, RESUME           finalize Resume
 *
 * The source stops before the switchover and waits for migrate-continue: until then it can only be the one that goes on, and the hook that
 * may kill or cancel is asked there. Afterwards both are paused with the same guest, and which of them gets `cont` is decided by the
 * library's token. The destination opens the disks for writing when it is told to run (late-block-activate), so QEMU's own image locks
 * agree.
 */
#include "host_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define FIGURE_QUESTIONS 50
#define CANCEL_PATIENCE (1 * MOCK_SECOND)

static void migrate_notify(hcs_vm *vm, const char *event, const char *result, const char *details)
{
	char data[512];

	snprintf(data, sizeof data, "{\"Origin\":\"%s\",\"Event\":\"%s\",\"Result\":\"%s\"%s%s}",
		 vm->is_destination ? "Destination" : "Source", event, result, *details ? ",\"AdditionalDetails\":" : "", details);
	hcs_event(vm, LCOWMIG_HCS_EVENT_GROUP_LIVE_MIGRATION, data);
}

/* The guest runs again, here or there: how long it stood still. */
static void migrate_tell_blackout(hcs_vm *vm)
{
	int64_t stopped_at = vm->is_destination && vm->host->peer ? vm->host->peer->figures.stopped_at : vm->host->figures.stopped_at;
	int64_t resumed_at = vm->host->figures.resumed_at;
	time_t seconds = (time_t)(resumed_at / 1000000);
	char details[160];
	struct tm when;

	if (stopped_at == 0 || resumed_at < stopped_at)
		return;
	gmtime_r(&seconds, &when);
	snprintf(details, sizeof details,
		 "{\"BlackoutDurationMilliseconds\":%lld,\"BlackoutStopTimestamp\":\"%04d-%02d-%02dT%02d:%02d:%02d.%06dZ\"}",
		 (long long)((resumed_at - stopped_at + 999) / 1000), when.tm_year + 1900, when.tm_mon + 1, when.tm_mday, when.tm_hour,
		 when.tm_min, when.tm_sec, (int)(resumed_at % 1000000));
	migrate_notify(vm, "BlackoutExited", "Success", details);
}

/* ---- The calls ---- */

static void migrate_set_capabilities(hcs_vm *vm, qemu_step *step)
{
	qemu_step_addf(
		step, "migrate-set-capabilities",
		"{\"capabilities\":[{\"capability\":\"events\",\"state\":true},{\"capability\":\"late-block-activate\",\"state\":true},"
		"{\"capability\":\"pause-before-switchover\",\"state\":%s}]}",
		vm->is_destination ? "false" : "true");
}

lcowmig_status hcs_start_incoming(hcs_vm *vm, lcowmig_call *call, void *socket)
{
	qemu_step *step;

	if (!socket)
		return host_fail(call, 0x80070057u, "a destination cannot start without a socket");
	vm->move = MOVE_RUNNING;
	qmp_give_fd(vm->machine->monitor, socket_fd(socket), "migration");
	socket_let_go(socket); /* or the source would not notice when this machine dies: the connection would live on here */
	step = hcs_step(vm, call);
	migrate_set_capabilities(vm, step);
	qemu_step_addf(step, "migrate-incoming", "{\"uri\":\"fd:migration\"}");
	qemu_step_end(step);
	return LCOWMIG_PENDING;
}

lcowmig_status hcs_initialize_migration(void *user, lcowmig_call *call, void *system, const char *options)
{
	hcs_vm *vm = system;
	cJSON *json = cJSON_Parse(options);
	const cJSON *blackout = qemu_json_at(json, "MemoryTransferThrottleParams.TargetBlackoutTransferTime");
	qemu_step *step = hcs_step(vm, call);

	(void)user;
	vm->move = MOVE_NONE;
	vm->is_destination = false;
	vm->was_cancelled = false;
	vm->has_setup = false;
	memset(&vm->host->figures, 0, sizeof vm->host->figures);
	migrate_set_capabilities(vm, step);
	qemu_step_addf(step, "migrate-set-parameters", "{\"downtime-limit\":%d}",
		       cJSON_IsNumber(blackout) ? (int)blackout->valuedouble : 300);
	qemu_step_end(step);
	cJSON_Delete(json);
	return LCOWMIG_PENDING;
}

lcowmig_status hcs_start_migration(void *user, lcowmig_call *call, void *system, const char *options, void *socket)
{
	hcs_vm *vm = system;

	(void)user;
	(void)options;
	if (!vm->is_running || vm->move > MOVE_STARTED)
		return host_fail(call, HCS_E_INVALID_STATE, "%s is not in a state in which a migration can start", vm->id);
	vm->move = MOVE_STARTED;
	vm->socket = socket;
	qmp_give_fd(vm->machine->monitor, socket_fd(socket), "migration");
	return LCOWMIG_OK;
}

static lcowmig_status migrate_transfer_result(hcs_vm *vm, lcowmig_call *call)
{
	if (vm->move == MOVE_DONE)
		return LCOWMIG_OK;
	return host_fail(call, vm->was_cancelled ? HR_CANCELLED : HR_FAIL, "%s", vm->why);
}

static void migrate_settle(hcs_vm *vm)
{
	lcowmig_call *transfer = vm->transfer;
	lcowmig_call *cancel = vm->cancel;

	vm->transfer = NULL;
	vm->cancel = NULL;
	vm->socket = NULL;
	mock_timer_stop(vm->stuck);
	if (cancel && vm->was_cancelled)
		lcowmig_call_complete(cancel, LCOWMIG_OK);
	else if (cancel)
		host_complete_failed(cancel, HCS_E_INVALID_STATE, "the migration had ended before it could be cancelled");
	if (transfer)
		lcowmig_call_complete(transfer, migrate_transfer_result(vm, transfer));
}

static void migrate_failed(hcs_vm *vm, const char *why)
{
	if (vm->move == MOVE_FAILED || vm->move == MOVE_NONE)
		return;
	vm->move = MOVE_FAILED;
	snprintf(vm->why, sizeof vm->why, "%s", why);
	migrate_notify(vm, "MigrationFailed",
		       vm->was_cancelled    ? "MigrationCancelled"
		       : vm->is_destination ? "DestinationMigrationFailed"
					    : "SourceMigrationFailed",
		       "");
	migrate_settle(vm);
}

static void migrate_started(void *user, const cJSON *answer, const char *error)
{
	hcs_vm *vm = user;

	(void)answer;
	if (error && vm->machine->pid > 0)
		migrate_failed(vm, error);
}

lcowmig_status hcs_transfer(void *user, lcowmig_call *call, void *system, const char *options)
{
	hcs_vm *vm = system;
	qemu_step *step;

	(void)user;
	(void)options;
	if (vm->move == MOVE_NONE || vm->transfer)
		return host_fail(call, HCS_E_INVALID_STATE, "%s has no migration to transfer", vm->id);
	if (vm->move == MOVE_DONE || vm->move == MOVE_FAILED)
		return migrate_transfer_result(vm, call);
	vm->transfer = call;
	if (vm->is_destination)
		return LCOWMIG_PENDING; /* what comes, comes by itself */
	vm->move = MOVE_RUNNING;
	step = qemu_step_new(vm->machine, migrate_started, vm);
	qemu_step_addf(step, "migrate", "{\"uri\":\"fd:migration\"}");
	qemu_step_end(step);
	return LCOWMIG_PENDING;
}

struct finalization {
	hcs_vm *vm;
	lcowmig_call *call;
};

static void migrate_resumed(void *user, const cJSON *answer, const char *error)
{
	struct finalization *finalization = user;
	hcs_vm *vm = finalization->vm;
	lcowmig_call *call = finalization->call;

	(void)answer;
	free(finalization);
	if (error) {
		host_complete_failed(call, HR_FAIL, "the guest does not run: %s", error);
		return;
	}
	migrate_notify(vm, vm->is_destination ? "MigrationDone" : "MigrationRecoveryDone", "Success", "");
	vm->move = MOVE_NONE;
	hcs_drop_stale_nics(vm);
	lcowmig_call_complete(call, LCOWMIG_OK);
}

lcowmig_status hcs_finalize_migration(void *user, lcowmig_call *call, void *system, const char *options)
{
	hcs_vm *vm = system;
	cJSON *json = cJSON_Parse(options);
	bool is_resume = strcmp(qemu_json_text(json, "FinalizedOperation"), "Resume") == 0;
	struct finalization *finalization;
	qemu_step *step;

	(void)user;
	cJSON_Delete(json);
	if (vm->machine->pid == 0)
		return is_resume ? host_fail(call, HCS_E_ALREADY_STOPPED, "%s has stopped", vm->id) : LCOWMIG_OK;
	if (!is_resume) {
		vm->end_was_asked = true;
		step = hcs_step(vm, call);
		qemu_step_add(step, "quit", NULL);
		qemu_step_end(step);
		return LCOWMIG_PENDING;
	}
	if (vm->is_destination && vm->move != MOVE_DONE && vm->move != MOVE_NONE)
		return host_fail(call, HCS_E_INVALID_STATE, "%s has not received its memory", vm->id);
	finalization = mock_alloc(sizeof *finalization);
	finalization->vm = vm;
	finalization->call = call;
	step = qemu_step_new(vm->machine, migrate_resumed, finalization);
	qemu_step_add(step, "cont", NULL);
	qemu_step_end(step);
	return LCOWMIG_PENDING;
}

lcowmig_status hcs_cancel_migration(void *user, lcowmig_call *call, void *system, const char *options)
{
	hcs_vm *vm = system;

	(void)user;
	(void)options;
	if (vm->machine->pid == 0 || vm->move == MOVE_NONE || vm->move == MOVE_DONE || vm->move == MOVE_FAILED || vm->cancel)
		return host_fail(call, HCS_E_INVALID_STATE, "%s has nothing to cancel", vm->id);
	vm->was_cancelled = true;
	if (vm->is_destination || vm->move == MOVE_STARTED) {
		/* QEMU cannot stop listening: what has not begun will not, and what comes in ends with the process. */
		if (vm->is_destination) {
			vm->end_was_asked = true;
			qemu_machine_kill(vm->machine);
		}
		migrate_failed(vm, "the migration was cancelled");
		return LCOWMIG_OK;
	}
	vm->cancel = call;
	mock_timer_set(vm->stuck, mock_now() + CANCEL_PATIENCE);
	qmp_command(vm->machine->monitor, "migrate_cancel", NULL, NULL, NULL);
	return LCOWMIG_PENDING;
}

/* QEMU answers nobody while it waits, in the blackout, for a peer that does not read. Its own socket, of which there is another copy here,
 * ends that. */
void hcs_cancel_is_stuck(void *user)
{
	hcs_vm *vm = user;

	if (vm->socket)
		shutdown(socket_fd(vm->socket), SHUT_RDWR);
}

/* ---- The events ---- */

/* QEMU 7.2 tells of the end before it has filled in the figures, so it is asked again until there is a downtime. */
static void migrate_take_figures(void *user, const cJSON *answer, const char *error)
{
	hcs_vm *vm = user;
	const cJSON *downtime = qemu_json_at(answer, "downtime");
	const cJSON *total = qemu_json_at(answer, "total-time");
	const cJSON *bytes = qemu_json_at(answer, "ram.transferred");

	if (error)
		return;
	vm->host->figures.downtime_ms = cJSON_IsNumber(downtime) ? (uint64_t)downtime->valuedouble : 0;
	vm->host->figures.total_ms = cJSON_IsNumber(total) ? (uint64_t)total->valuedouble : 0;
	vm->host->figures.bytes = cJSON_IsNumber(bytes) ? (uint64_t)bytes->valuedouble : 0;
	if (vm->host->figures.downtime_ms == 0 && vm->questions-- > 0)
		qmp_command(vm->machine->monitor, "query-migrate", NULL, migrate_take_figures, vm);
}

static void migrate_completed(hcs_vm *vm)
{
	vm->move = MOVE_DONE;
	vm->questions = FIGURE_QUESTIONS;
	if (!vm->is_destination)
		qmp_command(vm->machine->monitor, "query-migrate", NULL, migrate_take_figures, vm);
	migrate_notify(vm, "OfflineDone", "Success", "");
	host_phase(vm->host, QEMU_PHASE_MOVED);
	vm->was_cancelled = false; /* too late */
	migrate_settle(vm);
}

static void migrate_before_switchover(hcs_vm *vm)
{
	vm->move = MOVE_BLACKOUT;
	migrate_notify(vm, "BlackoutStarted", "Success", "");
	host_phase(vm->host, QEMU_PHASE_BLACKOUT);
	if (vm->was_cancelled || vm->machine->pid == 0)
		return;
	qmp_command(vm->machine->monitor, "migrate-continue", cJSON_Parse("{\"state\":\"pre-switchover\"}"), NULL, NULL);
	host_phase(vm->host, QEMU_PHASE_SWITCHOVER);
}

static void migrate_status(hcs_vm *vm, const char *status)
{
	if (!vm->has_setup && (strcmp(status, "setup") == 0 || strcmp(status, "active") == 0)) {
		vm->has_setup = true;
		migrate_notify(vm, "SetupDone", "Success", "");
		host_phase(vm->host, QEMU_PHASE_SETUP);
	}
	if (strcmp(status, "active") == 0) {
		migrate_notify(vm, "TransferInProgress", "Success", "");
		host_phase(vm->host, QEMU_PHASE_TRANSFER);
	} else if (strcmp(status, "pre-switchover") == 0) {
		migrate_before_switchover(vm);
	} else if (strcmp(status, "completed") == 0) {
		migrate_completed(vm);
	} else if (strcmp(status, "cancelled") == 0) {
		migrate_failed(vm, "the migration was cancelled");
	} else if (strcmp(status, "failed") == 0) {
		migrate_failed(vm, "QEMU's migration failed");
	}
}

void hcs_machine_event(void *user, const char *name, const cJSON *data, int64_t at)
{
	hcs_vm *vm = user;

	if (strcmp(name, "STOP") == 0) {
		vm->is_running = false;
		vm->host->figures.stopped_at = at;
	} else if (strcmp(name, "RESUME") == 0) {
		vm->is_running = true;
		vm->host->figures.resumed_at = at;
		if (vm->move != MOVE_NONE)
			migrate_tell_blackout(vm);
		host_phase(vm->host, QEMU_PHASE_RUNS);
	} else if (strcmp(name, "MIGRATION") == 0) {
		if (strcmp(qemu_json_text(data, "status"), "completed") == 0)
			vm->host->figures.moved_at = at;
		migrate_status(vm, qemu_json_text(data, "status"));
	}
}

void hcs_machine_lost(hcs_vm *vm)
{
	if (vm->move == MOVE_DONE)
		return;
	migrate_failed(vm, "the machine has ended");
	migrate_settle(vm);
}
