/*
 * Live migration of the mock compute system.
 *
 * Source: initialize, start with a socket, transfer, finalize. Destination: create with migration options, start with a socket, transfer,
 * finalize. After its blackout the machine is held on both sides: only finalize says where it runs on, and a cancel does not let it go.
 */
#include "hcs_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void migrate_notify(hcs_vm *vm, const char *event, const char *result, const char *details)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	char data[300];

	snprintf(data, sizeof data, "{\"Origin\":\"%s\",\"Event\":\"%s\",\"Result\":\"%s\"%s%s}",
		 vm->is_destination ? "Destination" : "Source", event, result, details ? ",\"AdditionalDetails\":" : "",
		 details ? details : "");
	lcowmig_sandbox_hcs_event(vm->hcs->host->sandbox, LCOWMIG_HCS_EVENT_GROUP_LIVE_MIGRATION, data, &error);
}

static void migrate_blackout_exited(hcs_vm *vm)
{
	uint64_t milliseconds = (mock_now() - vm->blackout_start) / MOCK_MS;
	int64_t wall = mock_wall_clock();
	time_t seconds = (time_t)(wall / (int64_t)MOCK_SECOND);
	struct tm parts;
	char details[160], stamp[40];

	gmtime_r(&seconds, &parts);
	strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(details, sizeof details, "{\"BlackoutDurationMilliseconds\":%llu,\"BlackoutStopTimestamp\":\"%s.%07lldZ\"}",
		 (unsigned long long)milliseconds, stamp, (long long)(wall % (int64_t)MOCK_SECOND / 100));
	vm->blackout_start = 0;
	migrate_notify(vm, "BlackoutExited", "Success", details);
}

static void migrate_step(void *user, mock_transfer_step step)
{
	hcs_vm *vm = user;

	switch (step) {
	case MOCK_TRANSFER_SETUP_DONE:
		migrate_notify(vm, "SetupDone", "Success", NULL);
		break;
	case MOCK_TRANSFER_PROGRESS:
		migrate_notify(vm, "TransferInProgress", "Success", NULL);
		break;
	case MOCK_TRANSFER_BLACKOUT:
		vm->blackout_start = mock_now();
		if (!vm->is_destination) {
			vm->state = HCS_HELD;
			mock_guest_hold(vm->guest);
			mock_vsock_reset(vm->hcs->host->vsock);
		}
		migrate_notify(vm, "BlackoutStarted", "Success", NULL);
		break;
	case MOCK_TRANSFER_OFFLINE_DONE:
		migrate_notify(vm, "OfflineDone", "Success", NULL);
		break;
	}
}

/* Ends the transfer call, if somebody waits for it. */
static void migrate_end_call(hcs_vm *vm, uint32_t hresult, const char *message)
{
	lcowmig_call *call = vm->transfer_call;

	vm->transfer_call = NULL;
	if (!call)
		return;
	if (hresult)
		mock_call_fail(call, hresult, "%s", message);
	else
		lcowmig_call_complete(call, LCOWMIG_OK);
}

static void migrate_ended(void *user, uint32_t hresult, const char *message)
{
	hcs_vm *vm = user;
	const char *result = vm->is_destination ? "DestinationMigrationFailed" : "SourceMigrationFailed";

	if (hresult)
		migrate_notify(vm, "MigrationFailed", hresult == 0x800704C7u ? "MigrationCancelled" : result, NULL);
	else
		vm->has_arrived = true;
	migrate_end_call(vm, hresult, message);
}

void hcs_tell_guest_cancelled(hcs_vm *vm)
{
	if (vm->transfer_call)
		migrate_notify(vm, "MigrationFailed", "GuestInitiatedCancellation", NULL);
}

void hcs_drop_transfer(hcs_vm *vm, uint32_t hresult, const char *message)
{
	mock_transfer_free(vm->transfer);
	vm->transfer = NULL;
	migrate_end_call(vm, hresult, message);
}

static bool migrate_parse(mock_call *job, cJSON **ret_options)
{
	hcs_reason reason;

	*ret_options = hcs_parse(job->text, &reason);
	if (!*ret_options)
		mock_call_fail(job->call, HCS_E_INVALID_JSON, "%s", reason.text);
	return *ret_options != NULL;
}

/* Origin must be this side's; what else is wrong is in `problem`. */
static bool migrate_allowed(mock_call *job, const cJSON *options, const char *problem)
{
	const hcs_vm *vm = job->object;
	const char *side = vm->is_destination ? "Destination" : "Source";

	if (problem)
		mock_call_fail(job->call, HCS_E_INVALID_STATE, "%s", problem);
	else if (strcmp(hcs_text(options, "Origin"), side) != 0)
		mock_call_fail(job->call, HCS_E_INVALID_JSON, "the options are for origin %s, this is the %s", hcs_text(options, "Origin"),
			       side);
	else
		return true;
	return false;
}

static void migrate_serve_initialize(mock_call *job)
{
	hcs_vm *vm = job->object;
	const cJSON *passes;
	cJSON *options;

	if (!migrate_parse(job, &options))
		return;
	if (migrate_allowed(job, options,
			    vm->is_migrating           ? "the machine is migrating already"
			    : vm->state != HCS_RUNNING ? "the machine does not run"
						       : NULL)) {
		passes = cJSON_GetObjectItem(cJSON_GetObjectItem(options, "MemoryTransferThrottleParams"),
					     "MaximumNumberOfBrownoutTransferPasses");
		vm->maximum_passes = cJSON_IsNumber(passes) ? (uint32_t)passes->valuedouble : 0;
		vm->is_migrating = true;
		lcowmig_call_complete(job->call, LCOWMIG_OK);
	}
	cJSON_Delete(options);
}

static lcowmig_status hcs_initialize_migration(void *user, lcowmig_call *call, void *system, const char *options)
{
	return hcs_later(user, call, migrate_serve_initialize, system, NULL, options);
}

static void migrate_connect(hcs_vm *vm, int fd, const cJSON *start)
{
	const cJSON *session = cJSON_GetObjectItem(cJSON_GetObjectItem(start, "NetworkSettings"), "SessionId");
	const mock_host_config *host = &vm->hcs->host->config;
	char devices[2048];
	mock_transfer_config config = { .loop = vm->hcs->host->loop,
					.memory = vm->memory,
					.user = vm,
					.step = migrate_step,
					.ended = migrate_ended,
					.devices = devices,
					.maximum_passes = vm->maximum_passes,
					.bandwidth = host->bandwidth,
					.is_source = !vm->is_destination };

	hcs_list_disks(vm, devices, sizeof devices);
	config.session = cJSON_IsNumber(session) ? (uint32_t)session->valuedouble : 0;
	config.break_in_pass = host->faults.break_in_pass;
	config.break_in_blackout = host->faults.break_in_blackout;
	if (host->progress) {
		config.progress = host->progress;
		config.progress_user = host->user;
	}
	mock_transfer_free(vm->transfer);
	vm->transfer = mock_transfer_new(fd, &config);
}

static void migrate_serve_start(mock_call *job)
{
	hcs_vm *vm = job->object;
	cJSON *options;

	if (!migrate_parse(job, &options))
		return;
	if (!vm->is_migrating || vm->transfer || vm->state != HCS_RUNNING || !job->data) {
		mock_call_fail(job->call, HCS_E_INVALID_STATE, "the machine %s is not ready to be migrated", vm->id);
	} else {
		migrate_connect(vm, mock_socket_fd(job->data), options);
		lcowmig_call_complete(job->call, LCOWMIG_OK);
	}
	cJSON_Delete(options);
}

static lcowmig_status hcs_start_migration(void *user, lcowmig_call *call, void *system, const char *options, void *socket)
{
	return hcs_later(user, call, migrate_serve_start, system, socket, options);
}

void hcs_serve_start_incoming(mock_call *job)
{
	hcs_vm *vm = job->object;
	const char *denied = NULL;
	cJSON *options;

	for (unsigned i = 0; i < HCS_CONTROLLERS * HCS_LUNS; i++) {
		const char *path = vm->disks[i / HCS_LUNS][i % HCS_LUNS].path;

		if (path && !hcs_is_granted(vm->hcs, vm->id, path))
			denied = path;
	}
	if (!migrate_parse(job, &options))
		return;
	if (!vm->is_destination || !job->data) {
		mock_call_fail(job->call, HCS_E_INVALID_STATE, "the machine %s was not made to receive", vm->id);
	} else if (denied) {
		mock_call_fail(job->call, HCS_E_ACCESS, "the machine %s may not open %s", vm->id, denied);
	} else {
		vm->state = HCS_INCOMING;
		migrate_connect(vm, mock_socket_fd(job->data), cJSON_GetObjectItem(options, "DestinationMigrationOptions"));
		lcowmig_call_complete(job->call, LCOWMIG_OK);
	}
	cJSON_Delete(options);
}

static void migrate_serve_transfer(mock_call *job)
{
	hcs_vm *vm = job->object;
	cJSON *options;

	if (!migrate_parse(job, &options))
		return;
	if (migrate_allowed(job, options,
			    !vm->transfer || vm->transfer_call ? "the machine has no connection to move its memory over" : NULL)) {
		vm->transfer_call = job->call;
		mock_transfer_begin(vm->transfer);
	}
	cJSON_Delete(options);
}

static lcowmig_status hcs_transfer(void *user, lcowmig_call *call, void *system, const char *options)
{
	return hcs_later(user, call, migrate_serve_transfer, system, NULL, options);
}

static void migrate_stopped(void *user)
{
	hcs_off(user, "GracefulExit");
}

static void migrate_stop(hcs_vm *vm)
{
	if (!vm->is_destination && vm->has_arrived)
		migrate_notify(vm, "MigrationDone", "Success", NULL);
	hcs_drop_transfer(vm, HCS_E_INVALID_STATE, "the migration was finalized");
	vm->is_migrating = false;
	mock_loop_post(vm->hcs->host->loop, migrate_stopped, vm);
}

static void migrate_resume(hcs_vm *vm)
{
	bool was_held = vm->state != HCS_RUNNING;

	hcs_drop_transfer(vm, HCS_E_INVALID_STATE, "the migration was finalized");
	vm->state = HCS_RUNNING;
	vm->is_migrating = false;
	if (was_held) {
		mock_guest_run(vm->guest);
		migrate_blackout_exited(vm);
	}
	migrate_notify(vm, vm->is_destination ? "MigrationDone" : "MigrationRecoveryDone", "Success", NULL);
	vm->has_arrived = false;
	vm->is_destination = false; /* an ordinary machine from here on; it may migrate again */
}

static void migrate_serve_finalize(mock_call *job)
{
	hcs_vm *vm = job->object;
	bool resume;
	cJSON *options;

	if (!migrate_parse(job, &options))
		return;
	resume = strcmp(hcs_text(options, "FinalizedOperation"), "Resume") == 0;
	if (!migrate_allowed(job, options,
			     vm->state == HCS_OFF                               ? "the machine has stopped"
			     : !vm->is_destination && !vm->is_migrating         ? "no migration was initialised"
			     : resume && vm->is_destination && !vm->has_arrived ? "the machine's memory is not here"
			     : vm->is_destination && vm->state == HCS_RUNNING   ? "the machine runs already"
										: NULL)) {
		cJSON_Delete(options);
		return;
	}
	if (resume && vm->finalize_refusals > 0) {
		vm->finalize_refusals--;
		mock_call_fail(job->call, HCS_E_FAIL, "the hypervisor cannot let the machine run");
	} else {
		if (resume)
			migrate_resume(vm);
		else
			migrate_stop(vm);
		lcowmig_call_complete(job->call, LCOWMIG_OK);
	}
	cJSON_Delete(options);
}

static lcowmig_status hcs_finalize_migration(void *user, lcowmig_call *call, void *system, const char *options)
{
	return hcs_later(user, call, migrate_serve_finalize, system, NULL, options);
}

static void migrate_serve_cancel(mock_call *job)
{
	hcs_vm *vm = job->object;
	cJSON *options;

	if (!migrate_parse(job, &options))
		return;
	if (migrate_allowed(job, options, !vm->transfer || !mock_transfer_cancel(vm->transfer) ? "there is nothing to cancel" : NULL))
		lcowmig_call_complete(job->call, LCOWMIG_OK);
	cJSON_Delete(options);
}

static lcowmig_status hcs_cancel_migration(void *user, lcowmig_call *call, void *system, const char *options)
{
	return hcs_later(user, call, migrate_serve_cancel, system, NULL, options);
}

void hcs_migrate_fill_ops(lcowmig_hcs_ops *ops)
{
	ops->initialize_migration = hcs_initialize_migration;
	ops->start_migration = hcs_start_migration;
	ops->transfer = hcs_transfer;
	ops->finalize_migration = hcs_finalize_migration;
	ops->cancel_migration = hcs_cancel_migration;
}
