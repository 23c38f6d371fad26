/* A partition and where the guest has it. */
#include <string.h>

#include "base/text.h"
#include "hcs/guest_paths.h"
#include "scsi_private.h"

lcowmig__mount *lcowmig__mount_new(lcowmig_context *context, uint32_t slot, const lcowmig__wire_mount *wire)
{
	const lcowmig__mem *mem = &context->mem;
	lcowmig__mount *mount = lcowmig__alloc(mem, sizeof *mount);
	bool has_options;

	if (!mount)
		return NULL;
	mount->slot = slot;
	mount->wire = *wire;
	mount->wire.filesystem = lcowmig__strdup(mem, wire->filesystem ? wire->filesystem : "");
	if (lcowmig__text_is_empty(wire->guest_path))
		mount->wire.guest_path =
			lcowmig__path_scsi_mount(mem, slot / LCOWMIG_SCSI_LUNS, slot % LCOWMIG_SCSI_LUNS, wire->partition);
	else
		mount->wire.guest_path = lcowmig__strdup(mem, wire->guest_path);
	has_options = lcowmig__text_list_copy(&mount->options, mem, wire->options, wire->n_options);
	mount->wire.options = mount->options.texts;
	lcowmig__object_init(&mount->object, context, &lcowmig__mount_machine, mount->wire.guest_path);
	if (has_options && mount->wire.filesystem && mount->wire.guest_path)
		return mount;
	lcowmig__mount_free(mount);
	return NULL;
}

void lcowmig__mount_free(lcowmig__mount *mount)
{
	const lcowmig__mem *mem = &mount->object.context->mem;

	lcowmig__text_list_done(&mount->options, mem);
	lcowmig__free(mem, (void *)(uintptr_t)mount->wire.filesystem);
	lcowmig__free(mem, (void *)(uintptr_t)mount->wire.guest_path);
	lcowmig__free(mem, mount);
}

static bool mount_is(const lcowmig__mount *mount, const lcowmig__wire_mount *wire)
{
	const lcowmig__wire_mount *own = &mount->wire;

	return own->read_only == wire->read_only && own->encrypted == wire->encrypted &&
	       own->ensure_filesystem == wire->ensure_filesystem && own->block_device == wire->block_device &&
	       strcmp(own->filesystem, wire->filesystem ? wire->filesystem : "") == 0 &&
	       lcowmig__text_list_is(&mount->options, wire->options, wire->n_options);
}

lcowmig_status lcowmig__mount_reserve(lcowmig__mount *mount, const lcowmig__wire_mount *wire, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__object_check(&mount->object, MOUNT_RESERVE, error);

	if (status != LCOWMIG_OK)
		return status;
	if (!mount_is(mount, wire))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "SCSI mount %s (%s) was reserved with another configuration",
		                     mount->wire.guest_path, lcowmig__object_state_name(&mount->object));
	lcowmig__object_fire(&mount->object, MOUNT_RESERVE);
	mount->wire.ref_count++;
	return LCOWMIG_OK;
}

lcowmig__guest_disk lcowmig__mount_describe(const lcowmig__mount *mount)
{
	const lcowmig__wire_mount *wire = &mount->wire;

	return (lcowmig__guest_disk){
		.mount_path = wire->guest_path,
		.controller = mount->slot / LCOWMIG_SCSI_LUNS,
		.lun = mount->slot % LCOWMIG_SCSI_LUNS,
		.partition = wire->partition,
		.read_only = wire->read_only,
		.encrypted = wire->encrypted,
		.block_device = wire->block_device,
		.ensure_filesystem = wire->ensure_filesystem,
		.options = wire->options,
		.n_options = wire->n_options,
		.filesystem = wire->filesystem,
	};
}

bool lcowmig__mount_is_last_use(const lcowmig__mount *mount)
{
	return mount->object.state == MOUNT_MOUNTED && mount->wire.ref_count <= 1;
}
