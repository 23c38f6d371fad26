/* The public functions: arguments, the lock, and the copying in and out. */
#include <string.h>

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

lcowmig_status lcowmig_scsi_map(lcowmig_scsi *scsi, const lcowmig_guid *reservation, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!lcowmig__enter_object(scsi, reservation, "lcowmig_scsi_map: an argument", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_flow(scsi, &pump, LCOWMIG_OK, lcowmig__scsi_map_flow(scsi, reservation, NULL, error), done, user, error);
}

lcowmig_status lcowmig_scsi_unmap(lcowmig_scsi *scsi, const lcowmig_guid *reservation, lcowmig_done_fn done, void *user,
                                  lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!lcowmig__enter_object(scsi, reservation, "lcowmig_scsi_unmap: an argument", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_flow(scsi, &pump, LCOWMIG_OK, lcowmig__scsi_unmap_flow(scsi, reservation, error), done, user, error);
}

/* ---- Looking ---- */

/* Hands out `size` bytes, with a NUL behind them for texts (`extra` 1). */
static lcowmig_status give_bytes(const char *what, const void *data, size_t size, size_t extra, void *buffer, size_t capacity,
                                 size_t *ret_size, lcowmig_error *error)
{
	if (buffer && capacity < size + extra)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "%s: the buffer has %zu bytes, expected %zu", what, capacity,
				     size + extra);
	if (buffer)
		memcpy(buffer, data, size + extra);
	if (ret_size)
		*ret_size = size;
	return LCOWMIG_OK;
}

static lcowmig_status find_mapped(const lcowmig_scsi *scsi, const lcowmig_guid *id, const lcowmig__mount **ret_mount, lcowmig_error *error)
{
	lcowmig__scsi_reservation *reservation = NULL;
	lcowmig_status status = lcowmig__scsi_look_up(scsi, id, &reservation, error);
	const lcowmig__mount *mount;
	char text[LCOWMIG_GUID_TEXT_SIZE];

	if (status != LCOWMIG_OK)
		return status;
	mount = lcowmig__scsi_reservation_mount(reservation);
	if (!mount || mount->object.state != MOUNT_MOUNTED) {
		lcowmig_guid_format(id, text);
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
				     "SCSI: reservation %s is not mapped; its guest path needs it mapped", text);
	}
	*ret_mount = mount;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig_scsi_guest_path(lcowmig_scsi *scsi, const lcowmig_guid *reservation, char *buffer, size_t capacity, size_t *ret_size,
                                       lcowmig_error *error)
{
	const lcowmig__mount *mount = NULL;
	lcowmig_status status;
	lcowmig__pump pump;

	if (!lcowmig__enter_object(scsi, reservation, "lcowmig_scsi_guest_path: an argument", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	status = find_mapped(scsi, reservation, &mount, error);
	if (status == LCOWMIG_OK)
		status = give_bytes("lcowmig_scsi_guest_path", mount->guest_path, strlen(mount->guest_path), 1, buffer, capacity, ret_size,
				    error);
	return lcowmig__leave_object(scsi, &pump, status);
}

uint32_t lcowmig_scsi_slots(lcowmig_scsi *scsi)
{
	return scsi ? scsi->n_controllers * LCOWMIG_SCSI_LUNS : 0;
}

lcowmig_status lcowmig_scsi_disk(lcowmig_scsi *scsi, uint32_t slot, lcowmig_disk_config *ret_disk, lcowmig_error *error)
{
	lcowmig_status status = LCOWMIG_OK;
	lcowmig__pump pump;
	size_t size;

	if (!scsi || !ret_disk)
		return lcowmig__fail_null("lcowmig_scsi_disk", error);
	size = ret_disk->size;
	if (size < sizeof *ret_disk)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT,
				     "lcowmig_disk_config: size is %zu, expected at least %zu (set it to sizeof)", size, sizeof *ret_disk);
	lcowmig__enter(scsi->object.context, &pump);
	if (slot < scsi->n_controllers * LCOWMIG_SCSI_LUNS && scsi->slots[slot])
		lcowmig__disk_config(scsi->slots[slot], ret_disk);
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
		status = give_bytes("lcowmig_scsi_attachments", text, strlen(text), 1, buffer, capacity, ret_size, error);
	else
		status = lcowmig__fail_memory(error);
	lcowmig__free(&scsi->object.context->mem, text);
	return lcowmig__leave_object(scsi, &pump, status);
}

bool lcowmig_scsi_is_migrating(lcowmig_scsi *scsi)
{
	lcowmig__pump pump;
	bool is_migrating;

	if (!scsi)
		return false;
	lcowmig__enter(scsi->object.context, &pump);
	is_migrating = lcowmig__scsi_is_migrating(scsi);
	lcowmig__leave(scsi->object.context, &pump);
	return is_migrating;
}

/* ---- Migrating ---- */

static lcowmig_status save_locked(lcowmig_scsi *scsi, uint8_t *buffer, size_t capacity, size_t *ret_size, lcowmig_error *error)
{
	const lcowmig__mem *mem = &scsi->object.context->mem;
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
		status = give_bytes("lcowmig_scsi_save", buf.data, buf.size, 0, buffer, capacity, ret_size, error);
	if (status == LCOWMIG_OK && buffer)
		lcowmig__scsi_freeze(scsi);
	lcowmig__buf_done(&buf);
	lcowmig__arena_done(&arena);
	return status;
}

lcowmig_status lcowmig_scsi_save(lcowmig_scsi *scsi, uint8_t *buffer, size_t capacity, size_t *ret_size, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!scsi || (!buffer && !ret_size))
		return lcowmig__fail_null("lcowmig_scsi_save", error);
	lcowmig__enter(scsi->object.context, &pump);
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
	lcowmig_context *context;
	lcowmig_status status;
	lcowmig__env *env;
	lcowmig__pump pump;

	if (!sandbox || !ret_scsi)
		return lcowmig__fail_null("lcowmig_scsi_import", error);
	env = lcowmig__sandbox_env(sandbox);
	context = env->context;
	lcowmig__enter(context, &pump);
	status = lcowmig__scsi_import_alone(env, data, size, ret_scsi, error);
	lcowmig__leave(context, &pump);
	return status;
}

lcowmig_status lcowmig_scsi_update_disk_host_path(lcowmig_scsi *scsi, const lcowmig_guid *reservation, const char *host_path,
                                                  lcowmig_error *error)
{
	lcowmig__repoint item = { .reservation = reservation, .host_path = host_path };
	lcowmig__pump pump;

	if (!scsi || !reservation || !host_path)
		return lcowmig__fail_null("lcowmig_scsi_update_disk_host_path", error);
	lcowmig__enter(scsi->object.context, &pump);
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
	context = scsi->object.context;
	lcowmig__enter(context, &pump);
	status = lcowmig__object_check_idle(&scsi->object, error);
	if (status == LCOWMIG_OK && !scsi->is_alone)
		status = lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "SCSI: the controller belongs to a virtual machine");
	if (status == LCOWMIG_OK) {
		lcowmig__scsi_free(scsi);
		context->dependents--;
	}
	lcowmig__leave(context, &pump);
	return status;
}
