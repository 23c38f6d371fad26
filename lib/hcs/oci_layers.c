#include <string.h>

#include "base/text.h"
#include "guest_paths.h"
#include "oci.h"

#define PARENT_PATHS "parentLayerPaths="
#define PARTITIONED_PARENTS "parent-partitioned-layers="
#define SCRATCH "scratch="

/* What reading layers needs everywhere. After the first failure, which `status` keeps, nothing more is read. */
typedef struct layers_reader {
	lcowmig__arena *arena;
	const lcowmig_limits *limits;
	lcowmig_status status;
	lcowmig_error *error;
	lcowmig__oci_layers result;
} layers_reader;

/* `folder` and `file` ("": the folder alone) in the arena. The separator is the one the folder uses, a backslash if it has none. */
static const char *layers_path(layers_reader *reader, const char *folder, const char *file)
{
	size_t length = folder ? strlen(folder) : 0;
	const char *separator = "";
	char *path = NULL;

	if (reader->status != LCOWMIG_OK)
		return NULL;
	if (!length)
		reader->status = lcowmig__fail(reader->error, LCOWMIG_E_INVALID_ARGUMENT,
					       "rootfs: the path of a layer or of the scratch is missing");
	else if (length + strlen(file) + 1 > reader->limits->path_bytes)
		reader->status = lcowmig__fail(reader->error, LCOWMIG_E_LIMIT_EXCEEDED, "rootfs: a path is longer than %u bytes",
					       (unsigned)reader->limits->path_bytes);
	if (reader->status != LCOWMIG_OK)
		return NULL;
	if (file[0] && folder[length - 1] != '/' && folder[length - 1] != '\\')
		separator = strchr(folder, '/') && !strchr(folder, '\\') ? "/" : "\\";
	path = lcowmig__path_format(lcowmig__arena_mem(reader->arena), "%s%s%s", folder, separator, file);
	if (!path)
		reader->status = lcowmig__fail_memory(reader->error);
	return path;
}

/* Makes room for as many layers as `list` has entries, without the last `excess`. Returns the first entry; NULL after a failure. */
static const cJSON *layers_allocate(layers_reader *reader, const cJSON *list, size_t excess)
{
	size_t count = (size_t)cJSON_GetArraySize(list) - excess;

	if (count > reader->limits->layers) {
		reader->status = lcowmig__fail(reader->error, LCOWMIG_E_LIMIT_EXCEEDED, "rootfs: %zu layers, at most %u are accepted", count,
					       (unsigned)reader->limits->layers);
		return NULL;
	}
	reader->result.layers = lcowmig__arena_alloc(reader->arena, count * sizeof *reader->result.layers);
	if (!reader->result.layers) {
		reader->status = lcowmig__fail_memory(reader->error);
		return NULL;
	}
	reader->result.count = count;
	return list->child;
}

/* Folders that hold a layer.vhd each, from `list` without its last `excess` entries. */
static void layers_from_folders(layers_reader *reader, const cJSON *list, size_t excess)
{
	const cJSON *item = layers_allocate(reader, list, excess);
	size_t i;

	for (i = 0; reader->status == LCOWMIG_OK && i < reader->result.count; i++, item = item->next)
		reader->result.layers[i].path = layers_path(reader, cJSON_GetStringValue(item), "layer.vhd");
}

static void layers_from_partitions(layers_reader *reader, const cJSON *list)
{
	const cJSON *item = layers_allocate(reader, list, 0);
	size_t i;

	for (i = 0; reader->status == LCOWMIG_OK && i < reader->result.count; i++, item = item->next) {
		lcowmig__oci_layer *layer = &reader->result.layers[i];

		layer->path = layers_path(reader, lcowmig__json_string(item, "Path"), "");
		if (layer->path && lcowmig__json_get(item, "Partition") &&
		    !lcowmig__json_uint64(item, "Partition", &layer->partition))
			reader->status = lcowmig__fail(reader->error, LCOWMIG_E_INVALID_ARGUMENT,
						       "rootfs: the partition of layer %zu is not a number", i);
	}
}

/* Reads the JSON array behind an option's name. */
static void layers_from_option(layers_reader *reader, const char *text, bool has_partitions)
{
	cJSON *list = NULL;

	reader->status = lcowmig__json_parse("rootfs option", text, strlen(text), reader->limits->document_bytes, reader->limits, &list,
					     reader->error);
	if (reader->status != LCOWMIG_OK)
		return;
	if (!cJSON_IsArray(list))
		reader->status = lcowmig__fail(reader->error, LCOWMIG_E_INVALID_ARGUMENT, "rootfs option: the layers are not a JSON array");
	else if (has_partitions)
		layers_from_partitions(reader, list);
	else
		layers_from_folders(reader, list, 0);
	cJSON_Delete(list);
}

static void layers_from_plain_mount(layers_reader *reader, const lcowmig_rootfs_mount *mount)
{
	size_t i;

	reader->result.scratch = layers_path(reader, mount->source, "sandbox.vhdx");
	for (i = 0; reader->status == LCOWMIG_OK && i < mount->n_options; i++) {
		if (lcowmig__text_starts_with(mount->options[i], PARENT_PATHS)) {
			layers_from_option(reader, mount->options[i] + strlen(PARENT_PATHS), false);
			break;
		}
	}
}

static void layers_from_partitioned_mount(layers_reader *reader, const lcowmig_rootfs_mount *mount)
{
	size_t i;

	for (i = 0; reader->status == LCOWMIG_OK && i < mount->n_options; i++) {
		const char *option = mount->options[i];

		if (lcowmig__text_starts_with(option, SCRATCH))
			reader->result.scratch = layers_path(reader, option + strlen(SCRATCH), "");
		else if (lcowmig__text_starts_with(option, PARTITIONED_PARENTS))
			layers_from_option(reader, option + strlen(PARTITIONED_PARENTS), true);
		else
			reader->status = lcowmig__fail(reader->error, LCOWMIG_E_INVALID_ARGUMENT,
						       "rootfs: a partitioned layer mount has no option \"%.64s\"", option);
	}
}

static void layers_from_mounts(layers_reader *reader, const lcowmig_rootfs_mount *mounts, size_t n_mounts)
{
	if (n_mounts != 1)
		reader->status =
			lcowmig__fail(reader->error, LCOWMIG_E_INVALID_ARGUMENT, "rootfs: %zu mounts, expected one", n_mounts);
	else if (!lcowmig__text_is_empty(mounts->target))
		reader->status = lcowmig__fail(reader->error, LCOWMIG_E_INVALID_ARGUMENT,
					       "rootfs: the mount has the target \"%.128s\", expected none", mounts->target);
	else if (lcowmig__text_equal(mounts->type, "lcow-layer"))
		layers_from_plain_mount(reader, mounts);
	else if (lcowmig__text_equal(mounts->type, "lcow-partitioned-layer"))
		layers_from_partitioned_mount(reader, mounts);
	else
		reader->status = lcowmig__fail(reader->error, LCOWMIG_E_INVALID_ARGUMENT,
					       "rootfs: a mount of type \"%.64s\", expected lcow-layer or lcow-partitioned-layer",
					       mounts->type ? mounts->type : "");
}

static void layers_from_spec(layers_reader *reader, const cJSON *folders)
{
	const cJSON *last = folders->child->prev; /* the list's end, in cJSON */

	if (last == folders->child) {
		reader->status = lcowmig__fail(reader->error, LCOWMIG_E_INVALID_ARGUMENT,
					       "OCI spec: one layer folder, expected at least one layer and the scratch");
		return;
	}
	layers_from_folders(reader, folders, 1);
	reader->result.scratch = layers_path(reader, cJSON_GetStringValue(last), "sandbox.vhdx");
}

lcowmig_status lcowmig__oci_layers_read(lcowmig__arena *arena, const lcowmig_limits *limits, const lcowmig_rootfs_mount *mounts,
					size_t n_mounts, const cJSON *spec, lcowmig__oci_layers *ret_layers, lcowmig_error *error)
{
	const cJSON *folders = lcowmig__json_get(lcowmig__json_get(spec, "windows"), "layerFolders");
	layers_reader reader = { arena, limits, LCOWMIG_OK, error, { NULL, 0, "" } };
	bool has_folders = cJSON_IsArray(folders) && folders->child;

	if (!n_mounts == !has_folders)
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "rootfs: %s a rootfs mount %s layer folders are given",
				     has_folders ? "both" : "neither", has_folders ? "and" : "nor");
	if (n_mounts)
		layers_from_mounts(&reader, mounts, n_mounts);
	else
		layers_from_spec(&reader, folders);
	if (reader.status == LCOWMIG_OK)
		*ret_layers = reader.result;
	return reader.status;
}
