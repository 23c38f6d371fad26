#include <string.h>

#include "base/text.h"
#include "documents.h"
#include "oci.h"
#include "oci_parts.h"

#define EXTENSIBLE_PREFIX "evd://"
#define HUGE_PAGES "hugepages://"
#define BLOCK_DEVICE_PREFIX "blockdev://"

/* The disk types of HCS by mount type. */
static const struct {
	const char *mount_type;
	const char *disk_type;
} disk_mounts[] = {
	{ "virtual-disk", LCOWMIG__DISK_VIRTUAL },
	{ "physical-disk", LCOWMIG__DISK_PASS_THRU },
	{ "extensible-virtual-disk", LCOWMIG__DISK_EXTENSIBLE },
};

const char *lcowmig__oci_base_name(const char *path)
{
	const char *p;
	const char *base = path;

	for (p = path; *p; p++)
		if (*p == '/' || *p == '\\')
			base = p + 1;
	return base;
}

/* A copy of a member in the arena, "" when absent. */
static const char *mount_text(lcowmig__oci_reader *reader, const cJSON *item, const char *name, size_t index)
{
	const char *value = lcowmig__json_string(item, name);
	size_t length = value ? strlen(value) : 0;

	if (reader->status == LCOWMIG_OK && length > reader->limits->path_bytes)
		reader->status = lcowmig__fail(reader->error, LCOWMIG_E_LIMIT_EXCEEDED,
					       "OCI spec: the %s of mount %zu is longer than %u bytes", name, index,
					       (unsigned)reader->limits->path_bytes);
	return reader->status == LCOWMIG_OK ? lcowmig__oci_copy(reader, value ? value : "", length) : "";
}

static void mount_options(lcowmig__oci_reader *reader, const cJSON *list, size_t index, lcowmig__oci_mount *mount)
{
	const cJSON *item = cJSON_IsArray(list) ? list->child : NULL;
	const char **options;
	size_t i;

	if (cJSON_IsArray(list) && (size_t)cJSON_GetArraySize(list) > reader->limits->mount_options) {
		reader->status = lcowmig__fail(reader->error, LCOWMIG_E_LIMIT_EXCEEDED, "OCI spec: mount %zu has more than %u options", index,
					       (unsigned)reader->limits->mount_options);
		return;
	}
	options = lcowmig__oci_elements(reader, list, sizeof *options, &mount->n_options);
	for (i = 0; item && reader->status == LCOWMIG_OK; item = item->next, i++) {
		if (!cJSON_IsString(item)) {
			reader->status = lcowmig__fail(reader->error, LCOWMIG_E_INVALID_ARGUMENT,
						       "OCI spec: an option of mount %zu is not a text", index);
			break;
		}
		options[i] = lcowmig__oci_copy(reader, item->valuestring, strlen(item->valuestring));
		mount->read_only |= lcowmig__text_compare_nocase(item->valuestring, "ro") == 0;
	}
	mount->options = options;
}

/* What a source must look like. */
static void mount_expect(lcowmig__oci_reader *reader, size_t index, const lcowmig__oci_mount *mount, const char *expected)
{
	reader->status = lcowmig__fail(reader->error, LCOWMIG_E_INVALID_ARGUMENT,
				       "OCI spec: the source of mount %zu is \"%.128s\", expected %s", index, mount->source, expected);
}

static void mount_classify_disk(lcowmig__oci_reader *reader, size_t index, const char *disk_type, lcowmig__oci_mount *mount)
{
	const char *provider = NULL;
	const char *slash = NULL;

	mount->kind = LCOWMIG__MOUNT_DISK;
	mount->disk_type = disk_type;
	mount->host_path = mount->source;
	mount->block_device = lcowmig__text_starts_with(mount->destination, BLOCK_DEVICE_PREFIX);
	if (strcmp(disk_type, LCOWMIG__DISK_EXTENSIBLE) != 0)
		return;
	if (lcowmig__text_starts_with(mount->source, EXTENSIBLE_PREFIX)) {
		provider = mount->source + strlen(EXTENSIBLE_PREFIX);
		slash = strchr(provider, '/');
	}
	if (!slash || slash == provider || !slash[1]) {
		mount_expect(reader, index, mount, "evd://<provider>/<path>");
		return;
	}
	mount->evd_type = lcowmig__oci_copy(reader, provider, (size_t)(slash - provider));
	mount->host_path = slash + 1;
}

/* A path in the guest, whose meaning is the guest's business. */
static bool mount_is_in_guest(const char *source)
{
	return lcowmig__text_starts_with(source, "sandbox://") || lcowmig__text_starts_with(source, "sandbox-tmp://") ||
	       lcowmig__text_starts_with(source, "uvm://");
}

static void mount_classify(lcowmig__oci_reader *reader, size_t index, lcowmig__oci_mount *mount)
{
	size_t i;

	if (!mount->source[0] || !mount->destination[0]) {
		reader->status = lcowmig__fail(reader->error, LCOWMIG_E_INVALID_ARGUMENT,
					       "OCI spec: mount %zu (\"%.128s\" on \"%.128s\") lacks source or destination", index,
					       mount->source, mount->destination);
		return;
	}
	for (i = 0; i < LCOWMIG__COUNT(disk_mounts); i++)
		if (strcmp(mount->type, disk_mounts[i].mount_type) == 0)
			mount_classify_disk(reader, index, disk_mounts[i].disk_type, mount);
	if (strcmp(mount->type, "bind") != 0 || mount_is_in_guest(mount->source))
		return;
	if (!lcowmig__text_starts_with(mount->source, HUGE_PAGES)) {
		mount->kind = LCOWMIG__MOUNT_SHARE;
		mount->host_path = mount->source;
	} else if (!lcowmig__text_starts_with(mount->source, HUGE_PAGES "2M/") || !mount->source[strlen(HUGE_PAGES "2M/")]) {
		mount_expect(reader, index, mount, "hugepages://2M/<location>");
	}
}

static void mount_read(lcowmig__oci_reader *reader, const cJSON *item, size_t index, lcowmig__oci_mount *mount)
{
	mount->kind = LCOWMIG__MOUNT_GUEST;
	mount->host_path = "";
	mount->disk_type = "";
	mount->evd_type = "";
	mount->source = mount_text(reader, item, "source", index);
	mount->destination = mount_text(reader, item, "destination", index);
	mount->type = mount_text(reader, item, "type", index);
	if (reader->status == LCOWMIG_OK)
		mount_options(reader, lcowmig__json_get(item, "options"), index, mount);
	if (reader->status == LCOWMIG_OK)
		mount_classify(reader, index, mount);
}

lcowmig_status lcowmig__oci_mounts(lcowmig__arena *arena, const lcowmig_limits *limits, const cJSON *spec, lcowmig__oci_mount **ret_mounts,
				   size_t *ret_count, lcowmig_error *error)
{
	const cJSON *list = lcowmig__json_get(spec, "mounts");
	lcowmig__oci_reader reader = { arena, limits, LCOWMIG_OK, error };
	size_t count, i;
	lcowmig__oci_mount *mounts = lcowmig__oci_elements(&reader, list, sizeof *mounts, &count);
	const cJSON *item = count ? list->child : NULL;

	for (i = 0; item && reader.status == LCOWMIG_OK; item = item->next, i++)
		mount_read(&reader, item, i, &mounts[i]);
	if (reader.status != LCOWMIG_OK)
		return reader.status;
	*ret_mounts = mounts;
	*ret_count = count;
	return LCOWMIG_OK;
}

bool lcowmig__oci_rewrite_mounts(cJSON *spec, const lcowmig__oci_mount *mounts, size_t count)
{
	cJSON *list = lcowmig__oci_member(spec, "mounts");
	cJSON *item = list ? list->child : NULL;
	size_t i;

	for (i = 0; i < count && item; i++, item = item->next) {
		const lcowmig__oci_mount *mount = &mounts[i];

		if (!mount->guest_path)
			continue;
		if (!lcowmig__oci_set(item, "source", cJSON_CreateString(mount->guest_path)))
			return false;
		/* The disk's file system is mounted already; a raw device is a node to be bound. */
		if (mount->kind == LCOWMIG__MOUNT_DISK &&
		    !lcowmig__oci_set(item, "type", cJSON_CreateString(mount->block_device ? "bind" : "none")))
			return false;
	}
	return true;
}
