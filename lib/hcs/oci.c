#include "oci.h"

#include <string.h>

#include "base/text.h"
#include "oci_parts.h"

#define SPEC "OCI spec"

cJSON *lcowmig__oci_member(cJSON *object, const char *name)
{
	cJSON *found = NULL;
	cJSON *item;

	if (!cJSON_IsObject(object))
		return NULL;
	for (item = object->child; item; item = item->next)
		if (lcowmig__text_compare_nocase(item->string, name) == 0)
			found = item;
	return cJSON_IsNull(found) ? NULL : found;
}

void lcowmig__oci_remove(cJSON *object, const char *name)
{
	cJSON *following;
	cJSON *item;

	if (!cJSON_IsObject(object))
		return;
	for (item = object->child; item; item = following) {
		following = item->next;
		if (lcowmig__text_compare_nocase(item->string, name) == 0)
			cJSON_Delete(cJSON_DetachItemViaPointer(object, item));
	}
}

bool lcowmig__oci_set(cJSON *object, const char *name, cJSON *item)
{
	if (item)
		lcowmig__oci_remove(object, name);
	return lcowmig__json_add_item(object, name, item);
}

void *lcowmig__oci_elements(lcowmig__oci_reader *reader, const cJSON *list, size_t size, size_t *ret_count)
{
	size_t count = cJSON_IsArray(list) ? (size_t)cJSON_GetArraySize(list) : 0;
	void *elements = count ? lcowmig__arena_alloc(reader->arena, count * size) : NULL;

	if (count && !elements)
		reader->status = lcowmig__fail_memory(reader->error);
	*ret_count = count;
	return elements;
}

const char *lcowmig__oci_copy(lcowmig__oci_reader *reader, const char *text, size_t size)
{
	const char *copy = lcowmig__arena_strndup(reader->arena, text, size);

	if (!copy)
		reader->status = lcowmig__fail_memory(reader->error);
	return copy;
}

/* A section of the spec: what it must be, and which of its members may not be there twice. Parents come before their children. */
typedef struct oci_section {
	int parent; /* index of the section it is in; -1: the spec itself */
	const char *name;
	bool is_array; /* of objects, to each of which the members refer */
	const char *members[9]; /* ends with NULL */
} oci_section;

enum { OCI_ROOT = 0, OCI_LINUX = 1, OCI_RESOURCES = 2, OCI_WINDOWS = 4, OCI_SECTIONS = 10 };

static const oci_section oci_sections[OCI_SECTIONS] = {
	[OCI_ROOT] = { -1, NULL, false, { "process", "root", "hooks", "linux", "windows", "mounts", "annotations" } },
	[OCI_LINUX] = { OCI_ROOT, "linux", false, { "cgroupsPath", "resources", "seccomp" } },
	[OCI_RESOURCES] = { OCI_LINUX, "resources", false, { "devices", "pids", "blockIO", "hugepageLimits", "network", "cpu" } },
	[3] = { OCI_RESOURCES, "cpu", false, { "period", "quota" } },
	[OCI_WINDOWS] = { OCI_ROOT, "windows", false, { "network", "devices", "layerFolders" } },
	[5] = { OCI_WINDOWS, "network", false, { "networkNamespace", "endpointList" } },
	[6] = { OCI_WINDOWS, "devices", true, { "id", "idType" } },
	[7] = { OCI_ROOT, "mounts", true, { "source", "destination", "type", "options" } },
	[8] = { OCI_ROOT, "root", false, { "path" } },
	[9] = { OCI_ROOT, "annotations", false, { NULL } },
};

static lcowmig_status oci_check_members(const cJSON *object, const oci_section *section, lcowmig_error *error)
{
	const char *name = section->name ? section->name : "its top level";
	unsigned counts[LCOWMIG__COUNT(section->members)] = { 0 };
	const cJSON *item;
	size_t i;

	if (!cJSON_IsObject(object))
		return lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, SPEC ": %s is not an object", name);
	for (item = object->child; item; item = item->next)
		for (i = 0; section->members[i]; i++)
			if (lcowmig__text_compare_nocase(item->string, section->members[i]) == 0 && ++counts[i] > 1)
				return lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, SPEC ": %s has two members %s", name,
						     section->members[i]);
	return LCOWMIG_OK;
}

static lcowmig_status oci_check(cJSON *spec, lcowmig_error *error)
{
	cJSON *sections[OCI_SECTIONS] = { spec };
	lcowmig_status status = oci_check_members(spec, &oci_sections[OCI_ROOT], error);
	const cJSON *item;
	int i;

	for (i = 1; status == LCOWMIG_OK && i < OCI_SECTIONS; i++) {
		const oci_section *section = &oci_sections[i];

		sections[i] = lcowmig__oci_member(sections[section->parent], section->name);
		if (!sections[i])
			continue;
		if (!section->is_array) {
			status = oci_check_members(sections[i], section, error);
			continue;
		}
		if (!cJSON_IsArray(sections[i]))
			return lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, SPEC ": %s is not an array", section->name);
		for (item = sections[i]->child; status == LCOWMIG_OK && item; item = item->next)
			status = oci_check_members(item, section, error);
	}
	return status;
}

lcowmig_status lcowmig__oci_parse(const lcowmig_limits *limits, const char *text, size_t size, cJSON **ret_spec, lcowmig_error *error)
{
	lcowmig_status status;
	cJSON *spec = NULL;

	status = lcowmig__json_parse(SPEC, text, size, limits->document_bytes, limits, &spec, error);
	if (status)
		return status;
	status = oci_check(spec, error);
	if (status) {
		cJSON_Delete(spec);
		return status;
	}
	*ret_spec = spec;
	return LCOWMIG_OK;
}

const char *lcowmig__oci_annotation(const cJSON *spec, const char *name)
{
	const cJSON *annotations = lcowmig__json_get(spec, "annotations");
	const cJSON *item = cJSON_IsObject(annotations) ? annotations->child : NULL;
	const char *value = NULL;

	for (; item; item = item->next)
		if (strcmp(item->string, name) == 0)
			value = cJSON_GetStringValue(item);
	return value;
}

bool lcowmig__oci_annotation_is_true(const cJSON *spec, const char *name)
{
	const char *value = lcowmig__oci_annotation(spec, name);

	return value && lcowmig__text_compare_nocase(value, "true") == 0;
}

lcowmig_status lcowmig__oci_identify(const cJSON *spec, lcowmig__oci_kind *ret_kind, const char **ret_sandbox_id, lcowmig_error *error)
{
	const char *type = lcowmig__oci_annotation(spec, LCOWMIG__ANNOTATION_CONTAINER_TYPE);
	const char *id = lcowmig__oci_annotation(spec, LCOWMIG__ANNOTATION_SANDBOX_ID);
	lcowmig__oci_kind kind = LCOWMIG__OCI_PLAIN;

	if (lcowmig__text_is_empty(type) != lcowmig__text_is_empty(id))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, SPEC ": of the annotations %s and %s only one is there",
				     LCOWMIG__ANNOTATION_CONTAINER_TYPE, LCOWMIG__ANNOTATION_SANDBOX_ID);
	if (lcowmig__text_equal(type, "sandbox"))
		kind = LCOWMIG__OCI_SANDBOX;
	else if (lcowmig__text_equal(type, "container"))
		kind = LCOWMIG__OCI_WORKLOAD;
	else if (!lcowmig__text_is_empty(type))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, SPEC ": container type \"%.64s\", expected sandbox or container",
				     type);
	*ret_kind = kind;
	*ret_sandbox_id = kind == LCOWMIG__OCI_PLAIN ? "" : id;
	return LCOWMIG_OK;
}
