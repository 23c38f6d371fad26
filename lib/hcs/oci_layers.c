#include <string.h>

#include "base/text.h"
#include "oci.h"

#define PARENT_PATHS "parentLayerPaths="
#define PARTITIONED_PARENTS "parent-partitioned-layers="
#define SCRATCH "scratch="

/* What reading layers needs everywhere. */
typedef struct layers_reader {
	lcowmig__arena *arena;
	const lcowmig_limits *limits;
	lcowmig_error *error;
	lcowmig__oci_layers result;
} layers_reader;

/* `folder` and `file` (or the folder alone) in the arena. The separator is the one the folder uses, a backslash if it has none. */
static lcowmig_status layers_path(layers_reader *reader, const char *folder, const char *file, const char **ret_path)
{
	size_t length = folder ? strlen(folder) : 0;
	bool has_slash = length && (folder[length - 1] == '/' || folder[length - 1] == '\\');
	size_t file_length = file ? strlen(file) : 0;
	char *path;

	if (!length)
		return lcowmig__fail(reader->error, LCOWMIG_E_INVALID_ARGUMENT, "rootfs: the path of a layer or of the scratch is missing");
	if (length + file_length + 1 > reader->limits->path_bytes)
		return lcowmig__fail(reader->error, LCOWMIG_E_LIMIT_EXCEEDED, "rootfs: a path is longer than %u bytes",
				     (unsigned)reader->limits->path_bytes);
	path = lcowmig__arena_alloc(reader->arena, length + file_length + 2);
	if (!path)
		return lcowmig__fail_memory(reader->error);
	memcpy(path, folder, length);
	if (file) {
		if (!has_slash)
			path[length++] = strchr(folder, '/') && !strchr(folder, '\\') ? '/' : '\\';
		memcpy(path + length, file, file_length);
	}
	*ret_path = path;
	return LCOWMIG_OK;
}

/* Makes room for as many layers as `list` has entries, without the last `excess`. */
static lcowmig_status layers_allocate(layers_reader *reader, const cJSON *list, size_t excess)
{
	size_t count = 0;
	const cJSON *item;

	for (item = list->child; item; item = item->next)
		count++;
	count -= excess;
	if (count > reader->limits->layers)
		return lcowmig__fail(reader->error, LCOWMIG_E_LIMIT_EXCEEDED, "rootfs: %zu layers, at most %u are accepted", count,
				     (unsigned)reader->limits->layers);
	reader->result.layers = lcowmig__arena_alloc(reader->arena, count * sizeof *reader->result.layers);
	if (!reader->result.layers)
		return lcowmig__fail_memory(reader->error);
	reader->result.count = count;
	return LCOWMIG_OK;
}

/* Folders that hold a layer.vhd each, from `list` without its last `excess` entries. */
static lcowmig_status layers_from_folders(layers_reader *reader, const cJSON *list, size_t excess)
{
	lcowmig_status status = layers_allocate(reader, list, excess);
	const cJSON *item = list->child;
	size_t i;

	for (i = 0; status == LCOWMIG_OK && i < reader->result.count; i++, item = item->next)
		status = layers_path(reader, cJSON_GetStringValue(item), "layer.vhd", &reader->result.layers[i].path);
	return status;
}

static lcowmig_status layers_from_partitions(layers_reader *reader, const cJSON *list)
{
	lcowmig_status status = layers_allocate(reader, list, 0);
	const cJSON *item = list->child;
	size_t i;

	for (i = 0; status == LCOWMIG_OK && i < reader->result.count; i++, item = item->next) {
		lcowmig__oci_layer *layer = &reader->result.layers[i];

		status = layers_path(reader, lcowmig__json_string(item, "Path"), NULL, &layer->path);
		if (status == LCOWMIG_OK && lcowmig__json_get(item, "Partition") &&
		    !lcowmig__json_uint64(item, "Partition", &layer->partition))
			return lcowmig__fail(reader->error, LCOWMIG_E_INVALID_ARGUMENT,
					     "rootfs: the partition of layer %zu is not a number", i);
	}
	return status;
}

/* The JSON array behind an option's name. */
static lcowmig_status layers_parse(layers_reader *reader, const char *text, cJSON **ret_list)
{
	lcowmig_status status;

	status = lcowmig__json_parse("rootfs option", text, strlen(text), reader->limits->document_bytes, reader->limits,
				     ret_list, reader->error);
	if (status == LCOWMIG_OK && !cJSON_IsArray(*ret_list))
		status = lcowmig__fail(reader->error, LCOWMIG_E_INVALID_ARGUMENT, "rootfs option: the layers are not a JSON array");
	return status;
}

static lcowmig_status layers_from_plain_mount(layers_reader *reader, const lcowmig_rootfs_mount *mount)
{
	lcowmig_status status = layers_path(reader, mount->source, "sandbox.vhdx", &reader->result.scratch);
	cJSON *list = NULL;
	size_t i;

	for (i = 0; status == LCOWMIG_OK && i < mount->n_options; i++) {
		if (!lcowmig__text_starts_with(mount->options[i], PARENT_PATHS))
			continue;
		status = layers_parse(reader, mount->options[i] + strlen(PARENT_PATHS), &list);
		if (status == LCOWMIG_OK)
			status = layers_from_folders(reader, list, 0);
		cJSON_Delete(list);
		break;
	}
	return status;
}

static lcowmig_status layers_from_partitioned_mount(layers_reader *reader, const lcowmig_rootfs_mount *mount)
{
	lcowmig_status status = LCOWMIG_OK;
	size_t i;

	for (i = 0; status == LCOWMIG_OK && i < mount->n_options; i++) {
		const char *option = mount->options[i];
		cJSON *list = NULL;

		if (lcowmig__text_starts_with(option, SCRATCH)) {
			status = layers_path(reader, option + strlen(SCRATCH), NULL, &reader->result.scratch);
		} else if (lcowmig__text_starts_with(option, PARTITIONED_PARENTS)) {
			status = layers_parse(reader, option + strlen(PARTITIONED_PARENTS), &list);
			if (status == LCOWMIG_OK)
				status = layers_from_partitions(reader, list);
			cJSON_Delete(list);
		} else {
			status = lcowmig__fail(reader->error, LCOWMIG_E_INVALID_ARGUMENT,
					       "rootfs: a partitioned layer mount has no option \"%.64s\"", option);
		}
	}
	return status;
}

static lcowmig_status layers_from_mounts(layers_reader *reader, const lcowmig_rootfs_mount *mounts, size_t n_mounts)
{
	if (n_mounts != 1)
		return lcowmig__fail(reader->error, LCOWMIG_E_INVALID_ARGUMENT, "rootfs: %zu mounts, expected one", n_mounts);
	if (!lcowmig__text_is_empty(mounts->target))
		return lcowmig__fail(reader->error, LCOWMIG_E_INVALID_ARGUMENT,
				     "rootfs: the mount has the target \"%.128s\", expected none", mounts->target);
	if (lcowmig__text_equal(mounts->type, "lcow-layer"))
		return layers_from_plain_mount(reader, mounts);
	if (lcowmig__text_equal(mounts->type, "lcow-partitioned-layer"))
		return layers_from_partitioned_mount(reader, mounts);
	return lcowmig__fail(reader->error, LCOWMIG_E_INVALID_ARGUMENT,
			     "rootfs: a mount of type \"%.64s\", expected lcow-layer or lcow-partitioned-layer",
			     mounts->type ? mounts->type : "");
}

static lcowmig_status layers_from_spec(layers_reader *reader, const cJSON *folders)
{
	const cJSON *last = folders->child->prev; /* the list's end, in cJSON */
	lcowmig_status status;

	if (last == folders->child)
		return lcowmig__fail(reader->error, LCOWMIG_E_INVALID_ARGUMENT,
				     "OCI spec: one layer folder, expected at least one layer and the scratch");
	status = layers_from_folders(reader, folders, 1);
	if (status == LCOWMIG_OK)
		status = layers_path(reader, cJSON_GetStringValue(last), "sandbox.vhdx", &reader->result.scratch);
	return status;
}

lcowmig_status lcowmig__oci_layers_read(lcowmig__arena *arena, const lcowmig_limits *limits, const lcowmig_rootfs_mount *mounts,
					size_t n_mounts, const cJSON *spec, lcowmig__oci_layers *ret_layers, lcowmig_error *error)
{
	const cJSON *folders = lcowmig__json_get(lcowmig__json_get(spec, "windows"), "layerFolders");
	layers_reader reader = { arena, limits, error, { NULL, 0, "" } };
	bool has_folders = cJSON_IsArray(folders) && folders->child;
	lcowmig_status status;

	if (n_mounts && has_folders)
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "rootfs: both a rootfs mount and layer folders are given");
	if (!n_mounts && !has_folders)
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "rootfs: neither a rootfs mount nor layer folders are given");
	status = n_mounts ? layers_from_mounts(&reader, mounts, n_mounts) : layers_from_spec(&reader, folders);
	if (status == LCOWMIG_OK)
		*ret_layers = reader.result;
	return status;
}
