/* A QEMU host from the inside: one part for each group of host callbacks. Everything runs on the loop's thread. */
#ifndef QEMU_HOST_INTERNAL_H
#define QEMU_HOST_INTERNAL_H

#include "machine.h"
#include "mux.h"
#include "qemu_host.h"

#define HCS_E_INVALID_STATE 0x80370105u
#define HCS_E_INVALID_JSON 0xC037010Du
#define HCS_E_EXISTS 0xC037010Fu
#define HCS_E_ALREADY_STOPPED 0xC0370110u
#define HR_FAIL 0x80004005u
#define HR_CANCELLED 0x800704C7u
#define HR_NOT_SUPPORTED 0x80070032u
#define HR_NOT_FOUND 0x80070490u

/* How far a migration of this machine has come. */
enum hcs_move {
	MOVE_NONE,
	MOVE_STARTED, /* the machine has its socket */
	MOVE_RUNNING, /* source: migrate was said; destination: bytes may come */
	MOVE_BLACKOUT,
	MOVE_DONE,
	MOVE_FAILED
};

typedef struct hcs_vm {
	qemu_host *host;
	qemu_machine *machine;
	char *id;
	char *runtime_id;
	bool is_destination;
	bool is_started;
	bool is_running;    /* its processors */
	bool end_was_asked;
	enum hcs_move move;
	bool was_cancelled;
	bool has_setup;     /* was told */
	int questions;      /* about figures that are not there yet */
	char why[256];      /* a migration failed */
	lcowmig_call *transfer;
	lcowmig_call *cancel;
	void *socket;       /* of a source, until its migration has ended */
	mock_timer *stuck;  /* a cancel is not answered */
} hcs_vm;

typedef struct host_namespace {
	struct host_namespace *next;
	char *id;
	char *endpoints;
} host_namespace;

struct qemu_host {
	mock_loop *loop;
	qemu_host_config config;
	char *name;
	char *console;
	qemu_mux *mux;
	hcs_vm *vm;
	struct stream_handle *handles; /* streams.c */
	host_namespace *namespaces;
	const qemu_host *peer;
	qemu_figures figures;
	lcowmig_context *context;
	lcowmig_gcs *gcs;
	lcowmig_sandbox *sandbox;
};

/* ---- host.c ---- */
/* Ends a call with HOST_FAILED and a sentence; returns what the callback is to return, when the call was not pending. */
lcowmig_status host_fail(lcowmig_call *call, uint32_t hresult, const char *format, ...) __attribute__((format(printf, 3, 4)));
void host_complete_failed(lcowmig_call *call, uint32_t hresult, const char *format, ...) __attribute__((format(printf, 3, 4)));
void host_phase(qemu_host *host, qemu_phase phase);

/* ---- hcs.c ---- */
void hcs_fill_ops(qemu_host *host, lcowmig_hcs_ops *ret_ops);
/* A step whose end is the end of a pending call. */
qemu_step *hcs_step(hcs_vm *vm, lcowmig_call *call);
void hcs_event(hcs_vm *vm, uint32_t type, const char *data);

/* ---- hcs_modify.c ---- */
lcowmig_status hcs_modify(void *user, lcowmig_call *call, void *system, const char *request);
/* What another host must know of this machine to make one that the stream fits; base64 of JSON, allocated. */
char *hcs_compatibility(const hcs_vm *vm);
/* The source's cards go, now that the guest runs here. */
void hcs_drop_stale_nics(hcs_vm *vm);

/* ---- hcs_migrate.c ---- */
lcowmig_status hcs_start_incoming(hcs_vm *vm, lcowmig_call *call, void *socket);
lcowmig_status hcs_initialize_migration(void *user, lcowmig_call *call, void *system, const char *options);
lcowmig_status hcs_start_migration(void *user, lcowmig_call *call, void *system, const char *options, void *socket);
lcowmig_status hcs_transfer(void *user, lcowmig_call *call, void *system, const char *options);
lcowmig_status hcs_finalize_migration(void *user, lcowmig_call *call, void *system, const char *options);
lcowmig_status hcs_cancel_migration(void *user, lcowmig_call *call, void *system, const char *options);
void hcs_machine_event(void *user, const char *name, const cJSON *data, int64_t at);
void hcs_cancel_is_stuck(void *user);
/* The process has ended: so has whatever it was doing. */
void hcs_machine_lost(hcs_vm *vm);

/* ---- the others ---- */
void streams_fill_ops(qemu_host *host, lcowmig_stream_ops *ret_ops);
void streams_free(qemu_host *host);
void stdio_fill_ops(qemu_host *host, lcowmig_stdio_ops *ret_ops);
void network_fill_ops(qemu_host *host, lcowmig_network_ops *ret_ops);
const cJSON *network_find_endpoint(qemu_host *host, const char *id, cJSON **ret_owner); /* delete the owner afterwards */
void network_free(qemu_host *host);
void socket_fill_ops(qemu_host *host, lcowmig_socket_ops *ret_ops);
int socket_fd(const void *socket);
/* The machine has its own copy; this one is not needed any more. */
void socket_let_go(void *socket);

/* ---- wire.c: what is at the other end of a card's wire ---- */
void wire_packet(void *user, struct qemu_nic *nic, const uint8_t *bytes, size_t size);

#endif
