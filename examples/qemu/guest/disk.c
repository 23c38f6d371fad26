/* Disks of the SCSI bus and the layers that are made of them. */
#include "guest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_SCSI_SLOT 4u /* the host puts SCSI controller n at this place of the PCI bus + n */

/* The first path that the pattern fits, or NULL. */
static char *find_path(const char *pattern)
{
	glob_t found;
	char *path = NULL;

	if (glob(pattern, 0, NULL, &found) == 0) {
		path = guest_strdup(found.gl_pathv[0]);
		globfree(&found);
	}
	return path;
}

static char *disk_find(uint64_t controller, uint64_t lun)
{
	char *pattern = guest_printf("/sys/bus/pci/devices/0000:00:%02x.0/virtio*/host*/target*/*:0:0:%u", FIRST_SCSI_SLOT + (unsigned)controller,
	                             (unsigned)lun);
	char *path = find_path(pattern);

	free(pattern);
	return path;
}

/* The device node of a partition (0: the whole disk), or NULL while it is not there. */
static char *disk_device(uint64_t controller, uint64_t lun, uint64_t partition)
{
	char *disk = disk_find(controller, lun);
	char *pattern = disk ? guest_printf("%s/block/*", disk) : NULL;
	char *block = pattern ? find_path(pattern) : NULL;
	char *device = NULL;

	if (block && partition == 0)
		device = guest_printf("/dev/%s", strrchr(block, '/') + 1);
	else if (block)
		device = guest_printf("/dev/%s%u", strrchr(block, '/') + 1, (unsigned)partition);
	free(disk);
	free(pattern);
	free(block);
	if (device && access(device, F_OK) != 0) {
		free(device);
		return NULL;
	}
	return device;
}

/* "" when it has none that is known here, NULL while it cannot be read: its node comes before the disk is ready. */
static const char *filesystem_of(const char *device)
{
	uint8_t start[2048] = { 0 };
	int fd = open(device, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, start, sizeof start) : -1;

	if (fd >= 0)
		close(fd);
	if (n < 4)
		return NULL;
	if (n == (ssize_t)sizeof start && start[1080] == 0x53 && start[1081] == 0xef)
		return "ext4";
	return memcmp(start, "hsqs", 4) == 0 ? "squashfs" : "";
}

static uint32_t disk_mount(struct request *request, const struct json *settings, const char *device, const char *path)
{
	const char *wanted = json_text(settings, "Filesystem");
	const char *found = filesystem_of(device);
	bool is_read_only = json_true(settings, "ReadOnly");

	if (!found) {
		request_fail(request, HR_FAIL, "%s cannot be read", device);
		return SERVED_AGAIN;
	}
	if (json_true(settings, "EnsureFilesystem") && strcmp(found, wanted) != 0) {
		const char *const format[] = { "/sbin/mke2fs", "-q", "-F", "-t", wanted, device, NULL };

		if (strcmp(wanted, "ext4") != 0 || run_program(format) != 0)
			return request_fail(request, HR_FAIL, "%s could not be formatted as \"%s\"", device, wanted);
		log_line("%s was formatted as %s", device, wanted);
		found = wanted;
	}
	if (!make_directories(path) || mount(device, path, *wanted ? wanted : found, is_read_only ? MS_RDONLY : 0,
	                                     is_read_only && strcmp(found, "ext4") == 0 ? "noload" : NULL) != 0)
		return request_fail(request, HR_FAIL, "%s could not be mounted at %s: %s", device, path, strerror(errno));
	log_line("mounted %s at %s", device, path);
	return 0;
}

static uint32_t disk_add(struct request *request, const struct json *settings)
{
	uint64_t controller = json_number(settings, "Controller");
	uint64_t lun = json_number(settings, "Lun");
	const char *path = json_text(settings, "MountPath");
	char *device = disk_device(controller, lun, json_number(settings, "Partition"));
	uint32_t result = 0;

	if (!device) {
		request_fail(request, HR_FAIL, "there is no disk %u:%u, or no such partition on it", (unsigned)controller, (unsigned)lun);
		return SERVED_AGAIN;
	}
	if (*path && json_true(settings, "BlockDev")) {
		char *parent = guest_strdup(path);

		*strrchr(parent, '/') = '\0';
		if ((*parent && !make_directories(parent)) || symlink(device, path) != 0)
			result = request_fail(request, HR_FAIL, "%s could not be linked to %s", path, device);
		free(parent);
	} else if (*path) {
		result = disk_mount(request, settings, device, path);
	}
	free(device);
	return result;
}

static uint32_t disk_remove(struct request *request, const struct json *settings)
{
	const char *path = json_text(settings, "MountPath");

	if (*path && json_true(settings, "BlockDev"))
		unlink(path);
	else if (*path && umount2(path, 0) != 0 && errno != EINVAL && errno != ENOENT)
		return request_fail(request, HR_FAIL, "%s could not be unmounted: %s", path, strerror(errno));
	if (*path)
		rmdir(path);
	return 0;
}

static uint32_t disk_unplug(struct request *request, const struct json *settings)
{
	uint64_t controller = json_number(settings, "Controller");
	uint64_t lun = json_number(settings, "Lun");
	char *disk = disk_find(controller, lun);
	char *path = disk ? guest_printf("%s/delete", disk) : NULL;
	bool good = !path || write_file(path, "1\n");

	free(disk);
	free(path);
	return good ? 0 : request_fail(request, HR_FAIL, "disk %u:%u cannot be taken off the bus", (unsigned)controller, (unsigned)lun);
}

uint32_t disk_modify(struct request *request, const char *type, const char *what, const struct json *settings)
{
	if (strcmp(type, "SCSIDevice") == 0)
		return disk_unplug(request, settings);
	return strcmp(what, "Remove") == 0 ? disk_remove(request, settings) : disk_add(request, settings);
}

/* ---- Combined layers ---- */

/* A scratch outside the bundle keeps the bundle's files on the scratch disk. */
static bool layers_bind_bundle(const char *scratch, const char *bundle)
{
	char *source = guest_printf("%s/bundle", scratch);
	bool good = make_directories(source) && make_directories(bundle) && mount(source, bundle, NULL, MS_BIND, NULL) == 0;

	free(source);
	return good;
}

static char *layers_options(const struct json *settings, const char *scratch)
{
	const struct json *layers = json_get(settings, "Layers");
	struct text options = { 0 };
	char *upper;
	char *work;

	text_printf(&options, "lowerdir=");
	for (const struct json *layer = layers ? layers->child : NULL; layer; layer = layer->next)
		text_printf(&options, "%s%s", layer == layers->child ? "" : ":", json_text(layer, "Path"));
	if (!*scratch)
		return options.bytes;
	upper = guest_printf("%s/upper", scratch);
	work = guest_printf("%s/work", scratch);
	make_directories(upper);
	make_directories(work);
	chmod(upper, 0755);
	text_printf(&options, ",upperdir=%s,workdir=%s", upper, work);
	free(upper);
	free(work);
	return options.bytes;
}

uint32_t layers_modify(struct request *request, const char *what, const struct json *settings)
{
	const char *root = json_text(settings, "ContainerRootPath");
	const char *scratch = json_text(settings, "ScratchPath");
	char *bundle;
	char *options;
	uint32_t result = 0;

	if (!strrchr(root, '/'))
		return request_fail(request, HR_INVALID_ARGUMENT, "the root path \"%s\" is no path", root);
	if (strcmp(what, "Remove") == 0) {
		if (umount2(root, 0) != 0 && errno != EINVAL && errno != ENOENT)
			return request_fail(request, HR_FAIL, "%s could not be unmounted: %s", root, strerror(errno));
		rmdir(root);
		return 0;
	}
	bundle = guest_strdup(root);
	*strrchr(bundle, '/') = '\0';
	if (*scratch && strncmp(scratch, bundle, strlen(bundle)) != 0 && !layers_bind_bundle(scratch, bundle))
		result = request_fail(request, HR_FAIL, "%s could not be bound to the scratch disk: %s", bundle, strerror(errno));
	options = layers_options(settings, scratch);
	if (result == 0 && (!make_directories(root) || mount("overlay", root, "overlay", 0, options) != 0))
		result = request_fail(request, HR_FAIL, "no overlay at %s with %s: %s", root, options, strerror(errno));
	free(options);
	free(bundle);
	return result;
}
