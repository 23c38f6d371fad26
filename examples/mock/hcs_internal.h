/* The mock compute system: a machine, its devices, its migration. */
#ifndef MOCK_HCS_INTERNAL_H
#define MOCK_HCS_INTERNAL_H

#include "host_internal.h"

#define HCS_CONTROLLERS 4u
#define HCS_LUNS 64u
#define HCS_COMPATIBILITY "mock-hypervisor-1"

#define HCS_E_INVALID_STATE 0x80370105u
#define HCS_E_INVALID_JSON 0xC037010Du
#define HCS_E_NOT_FOUND 0x80070490u
#define HCS_E_EXISTS 0x800700B7u
#define HCS_E_ACCESS 0x80070005u
#define HCS_E_FAIL 0x80004005u
#define HCS_E_MISMATCH 0xC0370131u /* the other host's machines cannot run here */

typedef enum hcs_vm_state {
	HCS_CREATED,
	HCS_RUNNING,
	HCS_HELD,     /* a source after its blackout: only finalize decides */
	HCS_INCOMING, /* a destination before its finalize */
	HCS_OFF
} hcs_vm_state;

typedef struct hcs_disk {
	char *path; /* NULL: the slot is empty */
	bool read_only;
} hcs_disk;

typedef struct hcs_nic {
	struct hcs_nic *next;
	char *id;
	char *endpoint_id;
	char *mac;
} hcs_nic;

typedef struct hcs_vm {
	mock_hcs *hcs;
	char *id;
	hcs_vm_state state;
	uint64_t memory_mb;
	uint32_t processors;
	hcs_disk disks[HCS_CONTROLLERS][HCS_LUNS];
	hcs_nic *nics;
	mock_memory *memory;
	mock_guest *guest;
	/* Migration. */
	bool is_destination; /* made from a document with migration options */
	bool is_migrating;   /* initialised as source */
	bool has_arrived;    /* all of memory is here */
	uint32_t maximum_passes;
	uint32_t finalize_refusals;
	mock_transfer *transfer;
	lcowmig_call *transfer_call;
	uint64_t blackout_start; /* 0: none */
} hcs_vm;

typedef struct hcs_grant {
	struct hcs_grant *next;
	char *id;
	char *path;
} hcs_grant;

struct mock_hcs {
	mock_host *host;
	hcs_vm *vm; /* one at a time */
	hcs_grant *grants;
};

/* hcs_document.c: false with a reason when a document is not what it should be. */
typedef struct hcs_reason {
	char text[200];
} hcs_reason;
/* Parses one JSON object, or NULL. */
cJSON *hcs_parse(const char *text, hcs_reason *ret_reason);
/* Every key of an object is in the NULL-terminated list. */
bool hcs_only(const cJSON *object, const char *const *keys, const char *what, hcs_reason *ret_reason);
const char *hcs_text(const cJSON *object, const char *key); /* "" when absent */
/* Fills a machine from its document: memory, processors, disks, migration options. */
bool hcs_read_document(hcs_vm *vm, const cJSON *document, hcs_reason *ret_reason);
/* "controller:lun,…" of every disk, in a buffer of `size` bytes. */
void hcs_list_disks(const hcs_vm *vm, char *text, size_t size);
int hcs_controller(const char *guid, size_t length); /* 0 to 3, or -1 */
bool hcs_is_granted(const mock_hcs *hcs, const char *id, const char *path);
char *hcs_compatibility(const hcs_vm *vm); /* base64, to be freed */

/* hcs.c */
void hcs_off(hcs_vm *vm, const char *exit_type); /* the machine ends, and says so */
lcowmig_status hcs_later(mock_hcs *hcs, lcowmig_call *call, void (*serve)(mock_call *job), void *object, const void *data,
			 const char *text);

/* hcs_modify.c */
void hcs_serve_modify(mock_call *job);

/* hcs_migrate.c */
void hcs_migrate_fill_ops(lcowmig_hcs_ops *ops);
void hcs_serve_start_incoming(mock_call *job); /* a start with options and a socket */
void hcs_tell_guest_cancelled(hcs_vm *vm);     /* a migration under way ends because the guest does */
void hcs_drop_transfer(hcs_vm *vm, uint32_t hresult, const char *message);

#endif
