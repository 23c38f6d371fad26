/* What of an HCS document and of HCS's other papers matters to a QEMU machine. */
#ifndef QEMU_DOCUMENT_H
#define QEMU_DOCUMENT_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QEMU_CONTROLLERS 4u
#define QEMU_DISKS_MAX (QEMU_CONTROLLERS * 64u)

struct qemu_disk {
	uint32_t controller;
	uint32_t lun;
	char *path;
	bool is_read_only;
};

struct qemu_document {
	cJSON *json;
	uint64_t memory_mb;
	uint32_t processors;
	const char *kernel; /* in json, like the next two; "" when there is none */
	const char *initrd;
	const char *command_line;
	bool controllers[QEMU_CONTROLLERS];
	struct qemu_disk disks[QEMU_DISKS_MAX];
	size_t n_disks;
	bool is_destination; /* it has migration options */
	cJSON *compatibility; /* what the source said of itself; NULL when there is none */
};

/* False, with a sentence in `reason`, when no machine can be made of it. */
bool qemu_document_read(struct qemu_document *document, const char *text, char *reason, size_t size);
void qemu_document_done(struct qemu_document *document);

/* A modify request's place. */
enum qemu_place_kind { QEMU_PLACE_OTHER, QEMU_PLACE_DISK, QEMU_PLACE_NIC };

struct qemu_place {
	enum qemu_place_kind kind;
	uint32_t controller;
	uint32_t lun;
	char nic_id[40];
};

void qemu_place_read(struct qemu_place *place, const char *path);

/* The member at the end of a path such as "VirtualMachine.Chipset", or NULL. */
const cJSON *qemu_json_at(const cJSON *json, const char *path);
const char *qemu_json_text(const cJSON *json, const char *path); /* "" when it is not there */

/* Base64, in allocated text. */
char *qemu_base64(const void *bytes, size_t size);
char *qemu_base64_decode(const char *text); /* NUL-terminated; NULL when it is not base64 */

#endif
