/* Reading HCS documents; see document.h. */
#include "document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "loop.h"

static const char *const controller_ids[QEMU_CONTROLLERS] = {
	"df6d0690-79e5-55b6-a5ec-c1e2f77f580a",
	"0110f83b-de10-5172-a266-78bca56bf50a",
	"b5d2d8d4-3a75-51bf-945b-3444dc6b8579",
	"305891a9-b251-5dfe-91a2-c25d9212275b",
};

const cJSON *qemu_json_at(const cJSON *json, const char *path)
{
	char name[64];

	while (json && *path) {
		size_t size = strcspn(path, ".");

		snprintf(name, sizeof name, "%.*s", (int)size, path);
		json = cJSON_GetObjectItemCaseSensitive(json, name);
		path += size + (path[size] == '.');
	}
	return json;
}

const char *qemu_json_text(const cJSON *json, const char *path)
{
	const char *text = cJSON_GetStringValue(qemu_json_at(json, path));

	return text ? text : "";
}

static bool controller_index(const char *id, size_t size, uint32_t *ret_index)
{
	for (uint32_t i = 0; i < QEMU_CONTROLLERS; i++) {
		if (strlen(controller_ids[i]) == size && strncasecmp(controller_ids[i], id, size) == 0) {
			*ret_index = i;
			return true;
		}
	}
	return false;
}

static bool document_read_disks(struct qemu_document *document, const cJSON *scsi, char *reason, size_t size)
{
	const cJSON *controller;
	const cJSON *attachment;
	uint32_t index;

	cJSON_ArrayForEach(controller, scsi)
	{
		if (!controller_index(controller->string, strlen(controller->string), &index)) {
			snprintf(reason, size, "there is no SCSI controller %s", controller->string);
			return false;
		}
		document->controllers[index] = true;
		cJSON_ArrayForEach(attachment, cJSON_GetObjectItemCaseSensitive(controller, "Attachments"))
		{
			struct qemu_disk *disk = &document->disks[document->n_disks];
			unsigned long lun = strtoul(attachment->string, NULL, 10);

			if (lun > 63 || document->n_disks == QEMU_DISKS_MAX) {
				snprintf(reason, size, "there is no LUN %s", attachment->string);
				return false;
			}
			disk->controller = index;
			disk->lun = (uint32_t)lun;
			disk->path = mock_strdup(qemu_json_text(attachment, "Path"));
			disk->is_read_only = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(attachment, "ReadOnly"));
			document->n_disks++;
		}
	}
	return true;
}

bool qemu_document_read(struct qemu_document *document, const char *text, char *reason, size_t size)
{
	const cJSON *number;
	char *blob;

	memset(document, 0, sizeof *document);
	document->json = cJSON_Parse(text);
	if (!qemu_json_at(document->json, "VirtualMachine")) {
		snprintf(reason, size, "the document has no VirtualMachine");
		return false;
	}
	number = qemu_json_at(document->json, "VirtualMachine.ComputeTopology.Memory.SizeInMB");
	document->memory_mb = cJSON_IsNumber(number) ? (uint64_t)number->valuedouble : 1024;
	number = qemu_json_at(document->json, "VirtualMachine.ComputeTopology.Processor.Count");
	document->processors = cJSON_IsNumber(number) ? (uint32_t)number->valuedouble : 1;
	document->kernel = qemu_json_text(document->json, "VirtualMachine.Chipset.LinuxKernelDirect.KernelFilePath");
	document->initrd = qemu_json_text(document->json, "VirtualMachine.Chipset.LinuxKernelDirect.InitRdPath");
	document->command_line = qemu_json_text(document->json, "VirtualMachine.Chipset.LinuxKernelDirect.KernelCmdLine");
	document->is_destination = qemu_json_at(document->json, "VirtualMachine.MigrationOptions") != NULL;
	blob = qemu_base64_decode(qemu_json_text(document->json, "VirtualMachine.MigrationOptions.CompatibilityData.Data"));
	document->compatibility = blob ? cJSON_Parse(blob) : NULL;
	free(blob);
	if (!*document->kernel) {
		snprintf(reason, size, "the document names no kernel");
		return false;
	}
	return document_read_disks(document, qemu_json_at(document->json, "VirtualMachine.Devices.Scsi"), reason, size);
}

void qemu_document_done(struct qemu_document *document)
{
	for (size_t i = 0; i < document->n_disks; i++)
		free(document->disks[i].path);
	cJSON_Delete(document->json);
	cJSON_Delete(document->compatibility);
	memset(document, 0, sizeof *document);
}

void qemu_place_read(struct qemu_place *place, const char *path)
{
	static const char scsi[] = "VirtualMachine/Devices/Scsi/";
	static const char nics[] = "VirtualMachine/Devices/NetworkAdapters/";
	static const char attachments[] = "/Attachments/";

	memset(place, 0, sizeof *place);
	if (strncmp(path, scsi, strlen(scsi)) == 0) {
		const char *id = path + strlen(scsi);
		const char *rest = strstr(id, attachments);

		if (rest && controller_index(id, (size_t)(rest - id), &place->controller)) {
			place->kind = QEMU_PLACE_DISK;
			place->lun = (uint32_t)strtoul(rest + strlen(attachments), NULL, 10);
		}
	} else if (strncmp(path, nics, strlen(nics)) == 0) {
		place->kind = QEMU_PLACE_NIC;
		snprintf(place->nic_id, sizeof place->nic_id, "%s", path + strlen(nics));
	}
}

static const char base64_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *qemu_base64(const void *bytes, size_t size)
{
	const uint8_t *in = bytes;
	char *text = mock_alloc((size + 2) / 3 * 4 + 1);
	char *out = text;

	for (size_t i = 0; i < size; i += 3) {
		uint32_t group = (uint32_t)in[i] << 16 | (uint32_t)(i + 1 < size ? in[i + 1] : 0) << 8 | (i + 2 < size ? in[i + 2] : 0u);

		*out++ = base64_letters[group >> 18];
		*out++ = base64_letters[group >> 12 & 63];
		*out++ = i + 1 < size ? base64_letters[group >> 6 & 63] : '=';
		*out++ = i + 2 < size ? base64_letters[group & 63] : '=';
	}
	return text;
}

char *qemu_base64_decode(const char *text)
{
	size_t size = strlen(text);
	char *bytes = mock_alloc(size + 1);
	uint32_t group = 0;
	unsigned bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < size && text[i] != '='; i++) {
		const char *found = strchr(base64_letters, text[i]);

		if (!found) {
			free(bytes);
			return NULL;
		}
		group = group << 6 | (uint32_t)(found - base64_letters);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			bytes[n++] = (char)(group >> bits & 255);
		}
	}
	return bytes;
}
