/* A partition and where the guest has it. */
#include <string.h>

#include "base/text.h"
#include "guest/guest.h"
#include "hcs/guest_paths.h"
#include "scsi_private.h"

static bool mount_copy_options(lcowmig__mount *mount, const lcowmig__mem *mem, const lcowmig_mount_config *config)
{
	size_t i;

	if (!config->n_options)
		return true;
	mount->options = lcowmig__alloc_array(mem, config->n_options, sizeof *mount->options);
	if (!mount->options)
		return false;
	mount->n_options = config->n_options;
	for (i = 0; i < config->n_options; i++) {
		mount->options[i] = lcowmig__strdup(mem, config->options[i]);
		if (!mount->options[i])
			return false;
	}
	return true;
}

lcowmig__mount *lcowmig__mount_new(lcowmig_context *context, uint32_t controller, uint32_t lun, const lcowmig_mount_config *config,
                                   const char *guest_path)
{
	const lcowmig__mem *mem = &context->mem;
	lcowmig__mount *mount = lcowmig__alloc(mem, sizeof *mount);

	if (!mount)
		return NULL;
	mount->controller = controller;
	mount->lun = lun;
	mount->partition = config->partition;
	mount->read_only = config->read_only != 0;
	mount->encrypted = config->encrypted != 0;
	mount->ensure_filesystem = config->ensure_filesystem != 0;
	mount->block_device = config->block_device != 0;
	mount->ref_count = 1;
	mount->filesystem = lcowmig__strdup(mem, config->filesystem ? config->filesystem : "");
	mount->guest_path =
		guest_path ? lcowmig__strdup(mem, guest_path) : lcowmig__path_scsi_mount(mem, controller, lun, config->partition);
	lcowmig__object_init(&mount->object, context, &lcowmig__mount_machine, mount->guest_path);
	if (mount_copy_options(mount, mem, config) && mount->filesystem && mount->guest_path)
		return mount;
	lcowmig__mount_free(mount);
	return NULL;
}

void lcowmig__mount_free(lcowmig__mount *mount)
{
	const lcowmig__mem *mem = &mount->object.context->mem;
	size_t i;

	for (i = 0; i < mount->n_options; i++)
		lcowmig__free(mem, mount->options[i]);
	lcowmig__free(mem, mount->options);
	lcowmig__free(mem, mount->filesystem);
	lcowmig__free(mem, mount->guest_path);
	lcowmig__free(mem, mount);
}

static size_t count_option(const char *const *options, size_t n_options, const char *option)
{
	size_t count = 0;
	size_t i;

	for (i = 0; i < n_options; i++)
		count += lcowmig__text_compare_nocase(options[i], option) == 0;
	return count;
}

/* Equal as multisets; lists are a few entries long, and bounded. */
static bool options_equal(const lcowmig__mount *mount, const lcowmig_mount_config *config)
{
	const char *const *own = (const char *const *)mount->options;
	size_t i;

	if (mount->n_options != config->n_options)
		return false;
	for (i = 0; i < mount->n_options; i++)
		if (count_option(own, mount->n_options, own[i]) != count_option(config->options, config->n_options, own[i]))
			return false;
	return true;
}

bool lcowmig__mount_is(const lcowmig__mount *mount, const lcowmig_mount_config *config)
{
	return mount->read_only == (config->read_only != 0) && mount->encrypted == (config->encrypted != 0) &&
	       mount->ensure_filesystem == (config->ensure_filesystem != 0) && mount->block_device == (config->block_device != 0) &&
	       strcmp(mount->filesystem, config->filesystem ? config->filesystem : "") == 0 && options_equal(mount, config);
}

lcowmig_status lcowmig__mount_reserve(lcowmig__mount *mount, const lcowmig_mount_config *config, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__object_check(&mount->object, MOUNT_RESERVE, error);

	if (status != LCOWMIG_OK)
		return status;
	if (!lcowmig__mount_is(mount, config))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "SCSI mount %s (%s) was reserved with another configuration",
		                     mount->guest_path, lcowmig__object_state_name(&mount->object));
	lcowmig__object_fire(&mount->object, MOUNT_RESERVE);
	mount->ref_count++;
	return LCOWMIG_OK;
}

static void mount_describe(const lcowmig__mount *mount, const char *path, lcowmig__guest_disk *ret_disk)
{
	*ret_disk = (lcowmig__guest_disk){
		.mount_path = path,
		.controller = mount->controller,
		.lun = mount->lun,
		.partition = mount->partition,
		.read_only = mount->read_only,
		.encrypted = mount->encrypted,
		.block_device = mount->block_device,
		.ensure_filesystem = mount->ensure_filesystem,
		.options = (const char *const *)mount->options,
		.n_options = mount->n_options,
		.filesystem = mount->filesystem,
	};
}

void lcowmig__mount_ask_add(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__mount *mount)
{
	lcowmig__guest_disk disk;

	mount_describe(mount, mount->guest_path, &disk);
	lcowmig__guest_add_disk(flow, env, &disk);
}

void lcowmig__mount_ask_remove(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__mount *mount)
{
	lcowmig__guest_disk disk;

	mount_describe(mount, mount->guest_path, &disk);
	lcowmig__guest_remove_disk(flow, env, &disk);
}

bool lcowmig__mount_is_last_use(const lcowmig__mount *mount)
{
	return mount->object.state == MOUNT_MOUNTED && mount->ref_count <= 1;
}
