#include <string.h>

#include "base/text.h"
#include "documents.h"
#include "oci.h"
#include "oci_parts.h"

#define EXTENSIBLE_PREFIX "evd://"
#define HUGE_PAGES_PREFIX "hugepages://"
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

bool lcowmig__oci_split_extensible(const char *source, const char **ret_provider, size_t *ret_provider_size, const char **ret_path)
{
	const char *provider, *slash;

	if (!lcowmig__text_starts_with(source, EXTENSIBLE_PREFIX))
		return false;
	provider = source + strlen(EXTENSIBLE_PREFIX);
	slash = strchr(provider, '/');
	if (!slash || slash == provider || !slash[1])
		return false;
	*ret_provider = provider;
	*ret_provider_size = (size_t)(slash - provider);
	*ret_path = slash + 1;
	return true;
}

bool lcowmig__oci_is_huge_pages(const char *source)
{
	return lcowmig__text_starts_with(source, HUGE_PAGES_PREFIX);
}

bool lcowmig__oci_hugepages_are_valid(const char *source)
{
	static const char prefix[] = HUGE_PAGES_PREFIX "2M/";

	return lcowmig__text_starts_with(source, prefix) && source[strlen(prefix)];
}

bool lcowmig__oci_is_guest_path(const char *source)
{
	return lcowmig__text_starts_with(source, "sandbox://") || lcowmig__text_starts_with(source, "sandbox-tmp://") ||
	       lcowmig__text_starts_with(source, "uvm://");
}

bool lcowmig__oci_is_read_only(const char *const *options, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (lcowmig__text_compare_nocase(options[i], "ro") == 0)
			return true;
	return false;
}

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
static lcowmig_status mount_text(lcowmig__arena *arena, const lcowmig_limits *limits, const cJSON *item, const char *name, size_t index,
				 const char **ret_text, lcowmig_error *error)
{
	const char *value = lcowmig__json_string(item, name);
	size_t length = value ? strlen(value) : 0;
	char *copy;

	if (length > limits->path_bytes)
		return lcowmig__fail(error, LCOWMIG_E_LIMIT_EXCEEDED, "OCI spec: the %s of mount %zu is longer than %u bytes", name, index,
				     (unsigned)limits->path_bytes);
	copy = lcowmig__arena_strndup(arena, value ? value : "", length);
	if (!copy)
		return lcowmig__fail_memory(error);
	*ret_text = copy;
	return LCOWMIG_OK;
}

static lcowmig_status mount_options(lcowmig__arena *arena, const lcowmig_limits *limits, const cJSON *list, size_t index,
				    lcowmig__oci_mount *mount, lcowmig_error *error)
{
	const cJSON *item = cJSON_IsArray(list) ? list->child : NULL;
	const char **options;
	size_t count = 0;

	for (; item && count <= limits->mount_options; item = item->next)
		count++;
	if (count > limits->mount_options)
		return lcowmig__fail(error, LCOWMIG_E_LIMIT_EXCEEDED, "OCI spec: mount %zu has more than %u options", index,
				     (unsigned)limits->mount_options);
	if (!count)
		return LCOWMIG_OK;
	options = lcowmig__arena_alloc(arena, count * sizeof *options);
	if (!options)
		return lcowmig__fail_memory(error);
	for (item = list->child, count = 0; item; item = item->next) {
		if (!cJSON_IsString(item))
			return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "OCI spec: an option of mount %zu is not a text", index);
		options[count] = lcowmig__arena_strndup(arena, item->valuestring, strlen(item->valuestring));
		if (!options[count++])
			return lcowmig__fail_memory(error);
	}
	mount->options = options;
	mount->n_options = count;
	mount->read_only = lcowmig__oci_is_read_only(options, count);
	return LCOWMIG_OK;
}

static lcowmig_status mount_classify_disk(lcowmig__arena *arena, size_t index, const char *disk_type, lcowmig__oci_mount *mount,
					  lcowmig_error *error)
{
	const char *provider;
	size_t provider_size;

	mount->kind = LCOWMIG__MOUNT_DISK;
	mount->disk_type = disk_type;
	mount->host_path = mount->source;
	mount->block_device = lcowmig__text_starts_with(mount->destination, BLOCK_DEVICE_PREFIX);
	if (strcmp(disk_type, LCOWMIG__DISK_EXTENSIBLE) != 0)
		return LCOWMIG_OK;
	if (!lcowmig__oci_split_extensible(mount->source, &provider, &provider_size, &mount->host_path))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT,
				     "OCI spec: the source of mount %zu is \"%.128s\", expected evd://<provider>/<path>", index,
				     mount->source);
	mount->evd_type = lcowmig__arena_strndup(arena, provider, provider_size);
	return mount->evd_type ? LCOWMIG_OK : lcowmig__fail_memory(error);
}

static lcowmig_status mount_classify(lcowmig__arena *arena, size_t index, lcowmig__oci_mount *mount, lcowmig_error *error)
{
	size_t i;

	if (!mount->source[0] || !mount->destination[0])
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT,
				     "OCI spec: mount %zu (\"%.128s\" on \"%.128s\") lacks source or destination", index, mount->source,
				     mount->destination);
	for (i = 0; i < LCOWMIG__COUNT(disk_mounts); i++)
		if (strcmp(mount->type, disk_mounts[i].mount_type) == 0)
			return mount_classify_disk(arena, index, disk_mounts[i].disk_type, mount, error);
	if (strcmp(mount->type, "bind") != 0 || lcowmig__oci_is_guest_path(mount->source))
		return LCOWMIG_OK;
	if (lcowmig__oci_is_huge_pages(mount->source)) {
		if (lcowmig__oci_hugepages_are_valid(mount->source))
			return LCOWMIG_OK;
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT,
				     "OCI spec: the source of mount %zu is \"%.128s\", expected hugepages://2M/<location>", index,
				     mount->source);
	}
	mount->kind = LCOWMIG__MOUNT_SHARE;
	mount->host_path = mount->source;
	return LCOWMIG_OK;
}

static lcowmig_status mount_read(lcowmig__arena *arena, const lcowmig_limits *limits, const cJSON *item, size_t index,
				 lcowmig__oci_mount *mount, lcowmig_error *error)
{
	lcowmig_status status;

	mount->kind = LCOWMIG__MOUNT_GUEST;
	mount->host_path = "";
	mount->disk_type = "";
	mount->evd_type = "";
	status = mount_text(arena, limits, item, "source", index, &mount->source, error);
	if (status == LCOWMIG_OK)
		status = mount_text(arena, limits, item, "destination", index, &mount->destination, error);
	if (status == LCOWMIG_OK)
		status = mount_text(arena, limits, item, "type", index, &mount->type, error);
	if (status == LCOWMIG_OK)
		status = mount_options(arena, limits, lcowmig__json_get(item, "options"), index, mount, error);
	if (status == LCOWMIG_OK)
		status = mount_classify(arena, index, mount, error);
	return status;
}

lcowmig_status lcowmig__oci_mounts(lcowmig__arena *arena, const lcowmig_limits *limits, const cJSON *spec, lcowmig__oci_mount **ret_mounts,
				   size_t *ret_count, lcowmig_error *error)
{
	const cJSON *list = lcowmig__json_get(spec, "mounts");
	const cJSON *item = cJSON_IsArray(list) ? list->child : NULL;
	lcowmig__oci_mount *mounts = NULL;
	size_t count = 0;
	size_t i = 0;

	for (; item; item = item->next)
		count++;
	if (count) {
		mounts = lcowmig__arena_alloc(arena, count * sizeof *mounts);
		if (!mounts)
			return lcowmig__fail_memory(error);
		for (item = list->child; item; item = item->next, i++) {
			lcowmig_status status = mount_read(arena, limits, item, i, &mounts[i], error);

			if (status)
				return status;
		}
	}
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
