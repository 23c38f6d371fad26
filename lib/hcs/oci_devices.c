#include <string.h>

#include "base/text.h"
#include "oci.h"
#include "oci_parts.h"

/* The number that `text` spells in decimal, if it fits 16 bits. */
static bool device_number(const char *text, uint16_t *ret_number)
{
	uint32_t number = 0;
	const char *p;

	for (p = text; *p; p++) {
		if (*p < '0' || *p > '9')
			return false;
		number = number * 10 + (uint32_t)(*p - '0');
		if (number > UINT16_MAX)
			return false;
	}
	*ret_number = (uint16_t)number;
	return p > text;
}

static lcowmig_status device_read(lcowmig__arena *arena, const lcowmig_limits *limits, const cJSON *item, size_t index,
				  lcowmig__oci_device *device, lcowmig_error *error)
{
	const char *type = lcowmig__json_string(item, "idType");
	const char *id = lcowmig__json_string(item, "id");
	const char *last;
	size_t length;

	if (!lcowmig__text_equal(type, "vpci-instance-id") && !lcowmig__text_equal(type, "vpci") && !lcowmig__text_equal(type, "gpu"))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT,
				     "OCI spec: device %zu is of type \"%.64s\", expected vpci-instance-id, vpci or gpu", index,
				     type ? type : "");
	if (lcowmig__text_is_empty(id))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "OCI spec: device %zu has no id", index);
	length = strlen(id);
	if (length > limits->path_bytes)
		return lcowmig__fail(error, LCOWMIG_E_LIMIT_EXCEEDED, "OCI spec: the id of device %zu is longer than %u bytes", index,
				     (unsigned)limits->path_bytes);
	last = lcowmig__oci_base_name(id);
	if (last > id + 1 && device_number(last, &device->virtual_function))
		length = (size_t)(last - id) - 1;
	device->instance_path = lcowmig__arena_strndup(arena, id, length);
	return device->instance_path ? LCOWMIG_OK : lcowmig__fail_memory(error);
}

lcowmig_status lcowmig__oci_devices(lcowmig__arena *arena, const lcowmig_limits *limits, const cJSON *spec,
				    lcowmig__oci_device **ret_devices, size_t *ret_count, lcowmig_error *error)
{
	const cJSON *list = lcowmig__json_get(lcowmig__json_get(spec, "windows"), "devices");
	const cJSON *item = cJSON_IsArray(list) ? list->child : NULL;
	lcowmig__oci_device *devices = NULL;
	size_t count = 0;
	size_t i = 0;

	for (; item; item = item->next)
		count++;
	if (count) {
		devices = lcowmig__arena_alloc(arena, count * sizeof *devices);
		if (!devices)
			return lcowmig__fail_memory(error);
		for (item = list->child; item; item = item->next, i++) {
			lcowmig_status status = device_read(arena, limits, item, i, &devices[i], error);

			if (status)
				return status;
		}
	}
	*ret_devices = devices;
	*ret_count = count;
	return LCOWMIG_OK;
}

bool lcowmig__oci_rewrite_devices(cJSON *spec, const lcowmig__oci_device *devices, size_t count)
{
	cJSON *list = lcowmig__oci_member(lcowmig__oci_member(spec, "windows"), "devices");
	cJSON *item = list ? list->child : NULL;
	size_t i;

	for (i = 0; i < count && item; i++, item = item->next)
		if (devices[i].vmbus_guid && !lcowmig__oci_set(item, "id", cJSON_CreateString(devices[i].vmbus_guid)))
			return false;
	return true;
}
