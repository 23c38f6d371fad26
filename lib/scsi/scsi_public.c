/* The public functions: arguments, the lock, and the copying in and out. */
#include "engine/abi.h"
#include "scsi_private.h"

lcowmig_status lcowmig_scsi_reserve_for_rootfs(lcowmig_scsi *scsi, uint32_t controller, uint32_t lun, const lcowmig_disk_config *disk,
                                               lcowmig_error *error)
{
	lcowmig_disk_config own;
	lcowmig_status status;
	lcowmig__pump pump;

	if (!lcowmig__enter_object(scsi, scsi, "lcowmig_scsi_reserve_for_rootfs: an argument", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	status = LCOWMIG__COPY_SIZED("lcowmig_disk_config", &own, disk, read_only, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__scsi_reserve_for_rootfs(scsi, controller, lun, &own, error);
	return lcowmig__leave_object(scsi, &pump, status);
}

lcowmig_status lcowmig_scsi_reserve(lcowmig_scsi *scsi, const lcowmig_disk_config *disk, const lcowmig_mount_config *mount,
                                    lcowmig_guid *ret_reservation, lcowmig_error *error)
{
	lcowmig_disk_config own_disk;
	lcowmig_mount_config own_mount;
	lcowmig_status status;
	lcowmig__pump pump;

	if (!lcowmig__enter_object(scsi, ret_reservation, "lcowmig_scsi_reserve: an argument", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	status = LCOWMIG__COPY_SIZED("lcowmig_disk_config", &own_disk, disk, read_only, error);
	if (status == LCOWMIG_OK)
		status = LCOWMIG__COPY_SIZED("lcowmig_mount_config", &own_mount, mount, block_device, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__scsi_reserve(scsi, &own_disk, &own_mount, ret_reservation, error);
	return lcowmig__leave_object(scsi, &pump, status);
}

/* ---- Looking ---- */

static lcowmig_status guest_path_locked(const lcowmig_scsi *scsi, const lcowmig_guid *id, char *buffer, size_t capacity, size_t *ret_size,
					lcowmig_error *error)
{
	const lcowmig__scsi_reservation *reservation = lcowmig__scsi_look_up(scsi, id, error);
	const lcowmig__mount *mount;

	if (!reservation)
		return LCOWMIG_E_NOT_FOUND;
	mount = lcowmig__scsi_reservation_mount(reservation);
	if (!mount || mount->object.state != MOUNT_MOUNTED)
		return lcowmig__controller_fail(&scsi->base, id, LCOWMIG_E_FAILED_PRECONDITION,
						"is not mapped; its guest path needs it mapped", error);
	return lcowmig__copy_text_out("lcowmig_scsi_guest_path", mount->wire.guest_path, buffer, capacity, ret_size, error);
}

lcowmig_status lcowmig_scsi_guest_path(lcowmig_scsi *scsi, const lcowmig_guid *reservation, char *buffer, size_t capacity, size_t *ret_size,
                                       lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!lcowmig__enter_object(scsi, reservation, "lcowmig_scsi_guest_path: an argument", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_object(scsi, &pump, guest_path_locked(scsi, reservation, buffer, capacity, ret_size, error));
}

uint32_t lcowmig_scsi_slots(lcowmig_scsi *scsi)
{
	return scsi ? scsi->n_controllers * LCOWMIG_SCSI_LUNS : 0;
}

lcowmig_status lcowmig_scsi_disk(lcowmig_scsi *scsi, uint32_t slot, lcowmig_disk_config *ret_disk, lcowmig_error *error)
{
	lcowmig_status status = LCOWMIG_OK;
	const lcowmig__disk *disk;
	lcowmig__pump pump;
	size_t size;

	if (!scsi || !ret_disk)
		return lcowmig__fail_null("lcowmig_scsi_disk", error);
	size = ret_disk->size;
	if (size < sizeof *ret_disk)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT,
				     "lcowmig_disk_config: size is %zu, expected at least %zu (set it to sizeof)", size, sizeof *ret_disk);
	lcowmig__enter(scsi->base.object.context, &pump);
	disk = lcowmig__scsi_disk_in(scsi, slot);
	if (disk)
		lcowmig__disk_config(disk, ret_disk);
	else
		status = lcowmig__fail(error, LCOWMIG_E_NOT_FOUND, "SCSI: there is no disk in slot %u", (unsigned)slot);
	ret_disk->size = size;
	return lcowmig__leave_object(scsi, &pump, status);
}

lcowmig_status lcowmig_scsi_attachments(lcowmig_scsi *scsi, char *buffer, size_t capacity, size_t *ret_size, lcowmig_error *error)
{
	lcowmig_status status;
	lcowmig__pump pump;
	char *text;

	if (!lcowmig__enter_object(scsi, scsi, "lcowmig_scsi_attachments: an argument", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	text = lcowmig__scsi_attachments(scsi);
	if (text)
		status = lcowmig__copy_text_out("lcowmig_scsi_attachments", text, buffer, capacity, ret_size, error);
	else
		status = lcowmig__fail_memory(error);
	lcowmig__free(&scsi->base.object.context->mem, text);
	return lcowmig__leave_object(scsi, &pump, status);
}

bool lcowmig_scsi_is_migrating(lcowmig_scsi *scsi)
{
	lcowmig__pump pump;
	bool is_migrating;

	if (!scsi)
		return false;
	lcowmig__enter(scsi->base.object.context, &pump);
	is_migrating = lcowmig__scsi_is_migrating(scsi);
	lcowmig__leave(scsi->base.object.context, &pump);
	return is_migrating;
}

/* ---- Migrating ---- */

static lcowmig_status save_locked(lcowmig_scsi *scsi, uint8_t *buffer, size_t capacity, size_t *ret_size, lcowmig_error *error)
{
	const lcowmig__mem *mem = &scsi->base.object.context->mem;
	lcowmig__wire_scsi wire = { 0 };
	lcowmig__arena arena;
	lcowmig_status status;
	lcowmig__buf buf;

	lcowmig__arena_init(&arena, mem, 0);
	lcowmig__buf_init(&buf, mem);
	status = lcowmig__scsi_capture(scsi, &arena, &wire, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__wire_encode_scsi(&buf, &wire, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__copy_out("lcowmig_scsi_save", buf.data, buf.size, buffer, capacity, ret_size, error);
	if (status == LCOWMIG_OK && buffer)
		lcowmig__scsi_freeze(scsi);
	lcowmig__buf_done(&buf);
	lcowmig__arena_done(&arena);
	return status;
}

lcowmig_status lcowmig_scsi_save(lcowmig_scsi *scsi, uint8_t *buffer, size_t capacity, size_t *ret_size, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!lcowmig__enter_object(scsi, buffer ? (const void *)buffer : ret_size, "lcowmig_scsi_save: an argument", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_object(scsi, &pump, save_locked(scsi, buffer, capacity, ret_size, error));
}

lcowmig_status lcowmig__scsi_import_alone(lcowmig__env *env, const uint8_t *data, size_t size, lcowmig_scsi **ret_scsi,
                                          lcowmig_error *error)
{
	lcowmig__wire_scsi wire = { 0 };
	lcowmig_scsi *scsi = NULL;
	lcowmig__arena arena;
	lcowmig_status status;

	lcowmig__arena_init(&arena, &env->context->mem, 0);
	status = lcowmig__wire_decode_scsi(&arena, &env->context->limits, data, size, &wire, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__scsi_import(env, &wire, &scsi, error);
	lcowmig__arena_done(&arena);
	if (status != LCOWMIG_OK)
		return status;
	scsi->is_alone = true;
	env->context->dependents++;
	*ret_scsi = scsi;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig_scsi_import(lcowmig_sandbox *sandbox, const uint8_t *data, size_t size, lcowmig_scsi **ret_scsi,
				   lcowmig_error *error)
{
	lcowmig_status status;
	lcowmig__pump pump;

	if (!lcowmig__enter_object(sandbox, ret_scsi, "lcowmig_scsi_import: an argument", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	status = lcowmig__scsi_import_alone(lcowmig__sandbox_env(sandbox), data, size, ret_scsi, error);
	return lcowmig__leave_object(sandbox, &pump, status);
}

lcowmig_status lcowmig_scsi_update_disk_host_path(lcowmig_scsi *scsi, const lcowmig_guid *reservation, const char *host_path,
                                                  lcowmig_error *error)
{
	lcowmig__repoint item = { .reservation = reservation, .host_path = host_path };
	lcowmig__pump pump;

	if (!lcowmig__enter_object(scsi, host_path ? reservation : NULL, "lcowmig_scsi_update_disk_host_path: an argument", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_object(scsi, &pump, lcowmig__scsi_repoint(scsi, &item, 1, error));
}

lcowmig_status lcowmig_scsi_resume(lcowmig_scsi *scsi, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!lcowmig__enter_object(scsi, scsi, "lcowmig_scsi_resume: an argument", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	lcowmig__scsi_thaw(scsi);
	return lcowmig__leave_object(scsi, &pump, LCOWMIG_OK);
}

lcowmig_status lcowmig_scsi_free(lcowmig_scsi *scsi, lcowmig_error *error)
{
	lcowmig_context *context;
	lcowmig_status status;
	lcowmig__pump pump;

	if (!scsi)
		return LCOWMIG_OK;
	context = scsi->base.object.context;
	lcowmig__enter(context, &pump);
	status = lcowmig__object_check_idle(&scsi->base.object, error);
	if (status == LCOWMIG_OK && !scsi->is_alone)
		status = lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "SCSI: the controller belongs to a virtual machine");
	if (status == LCOWMIG_OK) {
		lcowmig__scsi_free(scsi);
		context->dependents--;
	}
	lcowmig__leave(context, &pump);
	return status;
}
