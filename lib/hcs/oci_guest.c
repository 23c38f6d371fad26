#include <string.h>

#include "base/text.h"
#include "oci.h"
#include "oci_parts.h"

/* The guest's cgroup driver takes neither of the two zeros for "default". */
#define DEFAULT_CPU_PERIOD 100000
#define UNLIMITED_CPU_QUOTA (-1)

static bool guest_replace_zero(cJSON *object, const char *name, double replacement)
{
	int64_t value;

	if (!lcowmig__json_int64(object, name, &value) || value != 0)
		return true;
	return lcowmig__oci_set(object, name, cJSON_CreateNumber(replacement));
}

static bool guest_reduce_linux(cJSON *section, bool is_privileged)
{
	static const char *const not_for_the_guest[] = { "devices", "pids", "blockIO", "hugepageLimits", "network" };
	cJSON *resources = lcowmig__oci_member(section, "resources");
	cJSON *cpu = lcowmig__oci_member(resources, "cpu");
	size_t i;

	lcowmig__oci_remove(section, "cgroupsPath");
	if (is_privileged)
		lcowmig__oci_remove(section, "seccomp");
	for (i = 0; i < LCOWMIG__COUNT(not_for_the_guest); i++)
		lcowmig__oci_remove(resources, not_for_the_guest[i]);
	return guest_replace_zero(cpu, "period", DEFAULT_CPU_PERIOD) && guest_replace_zero(cpu, "quota", UNLIMITED_CPU_QUOTA);
}

/* A new Windows section with what survives of the old one; NULL in `ret_section` when that is nothing. */
static bool guest_reduce_windows(cJSON *old, cJSON **ret_section)
{
	const char *namespace_id = lcowmig__json_string(lcowmig__json_get(old, "network"), "networkNamespace");
	cJSON *devices = lcowmig__oci_member(old, "devices");
	cJSON *section;
	cJSON *network;

	*ret_section = NULL;
	if (lcowmig__text_is_empty(namespace_id) && !(devices && devices->child))
		return true;
	section = cJSON_CreateObject();
	if (section && !lcowmig__text_is_empty(namespace_id)) {
		network = cJSON_AddObjectToObject(section, "network");
		if (!lcowmig__json_add_string(network, "networkNamespace", namespace_id))
			goto failed;
	}
	if (devices && devices->child && !lcowmig__json_add_item(section, "devices", cJSON_Duplicate(devices, 1)))
		goto failed;
	*ret_section = section;
	return section != NULL;
failed:
	cJSON_Delete(section);
	return false;
}

static bool guest_set_root(cJSON *spec, const char *rootfs_path)
{
	cJSON *root = lcowmig__oci_member(spec, "root");

	if (!root) {
		root = cJSON_CreateObject();
		if (!lcowmig__oci_set(spec, "root", root))
			return false;
	}
	return lcowmig__oci_set(root, "path", cJSON_CreateString(rootfs_path));
}

bool lcowmig__oci_set_sandbox_id(cJSON *spec, const char *guest_pod_id)
{
	cJSON *annotations = lcowmig__oci_member(spec, "annotations");
	cJSON *value;

	if (!cJSON_GetObjectItemCaseSensitive(annotations, LCOWMIG__ANNOTATION_SANDBOX_ID))
		return true;
	value = cJSON_CreateString(guest_pod_id);
	if (!value)
		return false;
	while (cJSON_GetObjectItemCaseSensitive(annotations, LCOWMIG__ANNOTATION_SANDBOX_ID))
		cJSON_DeleteItemFromObjectCaseSensitive(annotations, LCOWMIG__ANNOTATION_SANDBOX_ID);
	return lcowmig__json_add_item(annotations, LCOWMIG__ANNOTATION_SANDBOX_ID, value);
}

static bool guest_reduce(cJSON *spec, const char *rootfs_path, const char *guest_pod_id)
{
	bool is_privileged = lcowmig__oci_annotation_is_true(spec, LCOWMIG__ANNOTATION_PRIVILEGED);
	cJSON *windows;

	lcowmig__oci_remove(spec, "hooks");
	if (!guest_reduce_linux(lcowmig__oci_member(spec, "linux"), is_privileged) ||
	    !guest_reduce_windows(lcowmig__oci_member(spec, "windows"), &windows))
		return false;
	lcowmig__oci_remove(spec, "windows");
	if (windows && !lcowmig__json_add_item(spec, "windows", windows))
		return false;
	return guest_set_root(spec, rootfs_path) && lcowmig__oci_set_sandbox_id(spec, guest_pod_id);
}

lcowmig_status lcowmig__oci_sanitise(const cJSON *spec, const char *rootfs_path, const char *guest_pod_id, cJSON **ret_spec,
				     lcowmig_error *error)
{
	cJSON *copy;

	if (!cJSON_IsObject(lcowmig__json_get(spec, "linux")))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "OCI spec: it has no linux section, so it is no Linux container's");
	if (!cJSON_IsObject(lcowmig__json_get(spec, "process")))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "OCI spec: it has no process section, which the guest needs");
	copy = cJSON_Duplicate(spec, 1);
	if (!copy || !guest_reduce(copy, rootfs_path, guest_pod_id)) {
		cJSON_Delete(copy);
		return lcowmig__fail_memory(error);
	}
	*ret_spec = copy;
	return LCOWMIG_OK;
}

char *lcowmig__oci_guest_document(const lcowmig__mem *mem, const cJSON *spec, const char *bundle_path, const char *scratch_path)
{
	/* 2.1 is the oldest schema that the guest accepts, and all that is needed. */
	return lcowmig__json_text(mem, "{SchemaVersion:j OciBundlePath:s OciSpecification:d ScratchDirPath:s}", "{\"Major\":2,\"Minor\":1}",
				  bundle_path, lcowmig__json_print(mem, spec), scratch_path);
}
