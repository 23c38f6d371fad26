/*
 * The JSON documents that HCS takes and gives: modify requests, the compute-system document, property queries.
 *
 * Builders return text in memory of `mem` (lcowmig__free), NULL when memory is out. Arguments are the caller's own, checked before.
 */
#ifndef LCOWMIG__HCS_DOCUMENTS_H
#define LCOWMIG__HCS_DOCUMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "lcowmig/guid.h"
#include "lcowmig/limits.h"

#define LCOWMIG__DISK_VIRTUAL "VirtualDisk"
#define LCOWMIG__DISK_PASS_THRU "PassThru"
#define LCOWMIG__DISK_EXTENSIBLE "ExtensibleVirtualDisk"

#define LCOWMIG__PLAN9_PORT 564u

/* ---- SCSI ---- */

/* The GUID text of SCSI controller `index`; NULL beyond the last one. */
const char *lcowmig__hcs_scsi_controller(uint32_t index);
/* The reverse, in either case of letters; false for any other text. */
bool lcowmig__hcs_scsi_controller_index(const char *guid, uint32_t *ret_index);
bool lcowmig__hcs_disk_type_is_known(const char *type);

/* One disk of the virtual machine. */
typedef struct lcowmig__hcs_attachment {
	uint32_t controller;
	uint32_t lun;
	const char *path;
	const char *type; /* one of LCOWMIG__DISK_ */
	bool read_only;
	const char *evd_type; /* the provider of an extensible disk; else NULL or "" */
} lcowmig__hcs_attachment;

/* ---- Modify requests: {"ResourcePath", "RequestType" ("Add", "Remove", none to change), "Settings"} ---- */

char *lcowmig__hcs_scsi_add(const lcowmig__mem *mem, const lcowmig__hcs_attachment *attachment);
char *lcowmig__hcs_scsi_remove(const lcowmig__mem *mem, uint32_t controller, uint32_t lun);
char *lcowmig__hcs_nic_add(const lcowmig__mem *mem, const char *nic_id, const char *endpoint_id, const char *mac_address);
char *lcowmig__hcs_nic_remove(const lcowmig__mem *mem, const char *nic_id, const char *endpoint_id, const char *mac_address);
char *lcowmig__hcs_vpci_add(const lcowmig__mem *mem, const char *vmbus_guid, const char *instance_path, uint16_t virtual_function);
char *lcowmig__hcs_vpci_remove(const lcowmig__mem *mem, const char *vmbus_guid);

typedef struct lcowmig__hcs_plan9_share {
	const char *name;
	const char *path;
	bool read_only;
	bool restrict_files; /* only the allowed ones are visible */
	const char *const *allowed_files;
	size_t n_allowed_files;
} lcowmig__hcs_plan9_share;

char *lcowmig__hcs_plan9_add(const lcowmig__mem *mem, const lcowmig__hcs_plan9_share *share);
char *lcowmig__hcs_plan9_remove(const lcowmig__mem *mem, const char *name);

/* A zero member is left out, which leaves that limit as it is. */
typedef struct lcowmig__hcs_cpu_limits {
	uint64_t limit;
	uint64_t weight;
	uint64_t reservation;
	uint32_t maximum_frequency_mhz;
} lcowmig__hcs_cpu_limits;

char *lcowmig__hcs_memory(const lcowmig__mem *mem, uint64_t size_mb);
char *lcowmig__hcs_cpu_group(const lcowmig__mem *mem, const char *id);
char *lcowmig__hcs_cpu_limits_request(const lcowmig__mem *mem, const lcowmig__hcs_cpu_limits *limits);

/* ---- The compute-system document ---- */

/* The command that keeps the guest's log stream alive over a migration; a machine booted without it cannot migrate. */
#define LCOWMIG__LOG_RELAY_COMMAND "/bin/vsockexec -r -e 109"

typedef struct lcowmig__hcs_facts {
	char *kernel_command_line; /* "" when there is none */
	char *devices;             /* the kinds of devices it has, as in "HvSocket, Scsi": the members of Devices in their order */
	bool relays_log;           /* the command line contains LCOWMIG__LOG_RELAY_COMMAND */
	bool has_plan9;            /* even an empty element adds a device that cannot migrate */
	bool has_vpci;             /* devices are assigned */
	bool is_confidential;      /* GuestState or SecuritySettings */
	bool has_migration_options;
	uint64_t memory_mb;        /* 0: not given */
	uint32_t scsi_controllers; /* a bit for each controller that the document has, empty ones included */
	char blockers[96];         /* the elements that rule a migration out, "" or like "Devices.Plan9, SecuritySettings" */
} lcowmig__hcs_facts;

/*
 * Checks a document once and says what the callers need to know of it. It must be one JSON object with a VirtualMachine, and each
 * element that we read or replace must be there at most once, spelled exactly, and be of the right kind; its disks are checked as by
 * lcowmig__hcs_document_disks. The other functions here take text that has passed. CORRUPT_DATA, LIMIT_EXCEEDED, NOT_SUPPORTED (a disk
 * of unknown kind), NO_MEMORY.
 */
lcowmig_status lcowmig__hcs_document_inspect(const lcowmig__mem *mem, const lcowmig_limits *limits, const char *text, size_t size,
					     lcowmig__hcs_facts *ret_facts, lcowmig_error *error);
void lcowmig__hcs_facts_done(const lcowmig__mem *mem, lcowmig__hcs_facts *facts);

/* Anything but OK ends the walk and is returned. The attachment lives as long as the call. */
typedef lcowmig_status (*lcowmig__hcs_disk_visitor)(void *user, const lcowmig__hcs_attachment *attachment, lcowmig_error *error);

/* Shows every disk of the document, in its order. A controller or LUN that does not exist, or one named twice, is CORRUPT_DATA. */
lcowmig_status lcowmig__hcs_document_disks(const lcowmig_limits *limits, const char *text, size_t size, lcowmig__hcs_disk_visitor visit,
					   void *user, lcowmig_error *error);

/*
 * Each gives a new text in which one value differs and every other byte is the same; missing parents are added. They
 * fail with NO_MEMORY only, unless they say so. The input stays as it is; results are untouched on failure.
 */

/* Devices.Scsi becomes these disks on controllers 0 to n_controllers - 1, empty ones included. Equal disks give equal bytes, in whatever
 * order they come. INVALID_ARGUMENT for a slot that does not exist or is used twice. */
lcowmig_status lcowmig__hcs_document_set_disks(const lcowmig__mem *mem, const char *text, size_t size, uint32_t n_controllers,
					       const lcowmig__hcs_attachment *attachments, size_t n_attachments, char **ret_text,
					       size_t *ret_size, lcowmig_error *error);
/* VirtualMachine.MigrationOptions becomes `options` (of lcowmig__hcs_initialize_options). */
lcowmig_status lcowmig__hcs_document_set_migration(const lcowmig__mem *mem, const char *text, size_t size, const char *options,
						   char **ret_text, size_t *ret_size, lcowmig_error *error);
/* What a running machine was changed to. A document has no place for the maximum frequency. */
lcowmig_status lcowmig__hcs_document_set_memory(const lcowmig__mem *mem, const char *text, size_t size, uint64_t size_mb, char **ret_text,
						size_t *ret_size, lcowmig_error *error);
lcowmig_status lcowmig__hcs_document_set_cpu_group(const lcowmig__mem *mem, const char *text, size_t size, const char *id, char **ret_text,
						   size_t *ret_size, lcowmig_error *error);
lcowmig_status lcowmig__hcs_document_set_cpu_limits(const lcowmig__mem *mem, const char *text, size_t size,
						    const lcowmig__hcs_cpu_limits *limits, char **ret_text, size_t *ret_size,
						    lcowmig_error *error);

/* ---- Property queries and answers ---- */

#define LCOWMIG__HCS_QUERY_BASIC "{}"
#define LCOWMIG__HCS_QUERY_COMPATIBILITY "{\"Queries\":{\"CompatibilityInfo\":null}}"
#define LCOWMIG__HCS_QUERY_STATISTICS "{\"PropertyTypes\":[\"Statistics\"]}"
#define LCOWMIG__HCS_QUERY_MEMORY "{\"PropertyTypes\":[\"Memory\"]}"

/* The compatibility blob. HOST_FAILED when `json` (may be NULL) has none or an empty one, CORRUPT_DATA, LIMIT_EXCEEDED, NO_MEMORY. */
lcowmig_status lcowmig__hcs_parse_compatibility(const lcowmig__mem *mem, const lcowmig_limits *limits, const char *json,
						uint8_t **ret_bytes, size_t *ret_size, lcowmig_error *error);
/* The RuntimeId in canonical form; "" when `json` is NULL or has none. */
lcowmig_status lcowmig__hcs_parse_runtime_id(const lcowmig_limits *limits, const char *json, char ret_text[LCOWMIG_GUID_TEXT_SIZE],
					     lcowmig_error *error);

typedef struct lcowmig__hcs_exit {
	uint32_t hresult; /* Status; 0 when absent */
	bool is_unexpected;
	char type[32]; /* ExitType, "" when absent, cut when longer */
} lcowmig__hcs_exit;

/* What an exit event carried. NULL gives the empty result. CORRUPT_DATA, LIMIT_EXCEEDED or NO_MEMORY. */
lcowmig_status lcowmig__hcs_parse_exit(const lcowmig_limits *limits, const char *json, lcowmig__hcs_exit *ret_exit, lcowmig_error *error);

#endif
