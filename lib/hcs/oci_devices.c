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

static void device_read(lcowmig__oci_reader *reader, const cJSON *item, size_t index, lcowmig__oci_device *device)
{
	const char *type = lcowmig__json_string(item, "idType");
	const char *id = lcowmig__json_string(item, "id");
	size_t length = id ? strlen(id) : 0;

	if (!lcowmig__text_equal(type, "vpci-instance-id") && !lcowmig__text_equal(type, "vpci") && !lcowmig__text_equal(type, "gpu")) {
		reader->status = lcowmig__fail(reader->error, LCOWMIG_E_INVALID_ARGUMENT,
					       "OCI spec: device %zu is of type \"%.64s\", expected vpci-instance-id, vpci or gpu", index,
					       type ? type : "");
	} else if (!length) {
		reader->status =
			lcowmig__fail(reader->error, LCOWMIG_E_INVALID_ARGUMENT, "OCI spec: device %zu has no id", index);
	} else if (length > reader->limits->path_bytes) {
		reader->status = lcowmig__fail(reader->error, LCOWMIG_E_LIMIT_EXCEEDED,
					       "OCI spec: the id of device %zu is longer than %u bytes", index,
					       (unsigned)reader->limits->path_bytes);
	} else {
		const char *last = lcowmig__oci_base_name(id);

		if (last > id + 1 && device_number(last, &device->virtual_function))
			length = (size_t)(last - id) - 1;
		device->instance_path = lcowmig__oci_copy(reader, id, length);
	}
}

lcowmig_status lcowmig__oci_devices(lcowmig__arena *arena, const lcowmig_limits *limits, const cJSON *spec,
				    lcowmig__oci_device **ret_devices, size_t *ret_count, lcowmig_error *error)
{
	const cJSON *list = lcowmig__json_get(lcowmig__json_get(spec, "windows"), "devices");
	lcowmig__oci_reader reader = { arena, limits, LCOWMIG_OK, error };
	size_t count, i;
	lcowmig__oci_device *devices = lcowmig__oci_elements(&reader, list, sizeof *devices, &count);
	const cJSON *item = count ? list->child : NULL;

	for (i = 0; item && reader.status == LCOWMIG_OK; item = item->next, i++)
		device_read(&reader, item, i, &devices[i]);
	if (reader.status != LCOWMIG_OK)
		return reader.status;
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
