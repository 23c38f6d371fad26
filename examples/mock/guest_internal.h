/* The mock guest from the inside: what is not in guest memory. */
#ifndef MOCK_GUEST_INTERNAL_H
#define MOCK_GUEST_INTERNAL_H

#include <cjson/cJSON.h>

#include "guest.h"
#include "guest_records.h"

#define GUEST_TICK (5 * MOCK_MS)
#define GUEST_REDIAL (100 * MOCK_MS)
#define GUEST_NULL_ID "00000000-0000-0000-0000-000000000000"

#define GUEST_E_NOT_IMPLEMENTED 0x80004001u
#define GUEST_E_FAIL 0x80004005u
#define GUEST_E_INVALID_ARGUMENT 0x80070057u
#define GUEST_E_NOT_FOUND 0x80070490u
#define GUEST_E_INVALID_STATE 0x80370105u
#define GUEST_E_TIMEOUT 0xC0370109u
#define GUEST_E_VERSION 0xC037010Cu
#define GUEST_E_INVALID_JSON 0xC037010Du
#define GUEST_E_NO_CONTAINER 0xC037010Eu
#define GUEST_E_EXISTS 0xC037010Fu
#define GUEST_E_STOPPED 0xC0370110u

/* The connections of one process; its place in the table is guest_process.slot. */
struct guest_local {
	mock_guest *guest;
	uint64_t process; /* 0: free */
	mock_end *ends[3];
	uint64_t next_dial[3];
	bool was_dialled[3];
	bool stdin_over;
};

struct mock_guest {
	mock_loop *loop;
	mock_memory *memory;
	mock_vsock *vsock;
	mock_timer *tick;
	mock_guest_off_fn off;
	void *off_user;
	mock_guest_faults faults;
	bool is_running;
	uint64_t last_tick;
	/* The bridge. */
	mock_end *control;
	uint64_t control_dial;
	bool is_negotiated;
	uint8_t *received;
	size_t n_received;
	size_t received_capacity;
	mock_end *entropy;
	mock_end *log;
	uint64_t log_dial;
	bool log_wanted; /* something to say since the last dial */
	struct guest_local **locals;
	uint32_t n_locals;
};

/* A request as it is being served. */
struct guest_request {
	uint64_t id;
	uint32_t type;
	const cJSON *json;
	const char *container_id;
	const char *activity;
};

/* guest.c */
const struct guest_root *guest_root(const mock_guest *guest);
struct guest_root *guest_edit_root(mock_guest *guest);
const char *guest_text(const mock_guest *guest, uint64_t offset);
void guest_replace_text(mock_guest *guest, uint64_t *place, const char *text); /* `place` is inside an edited record */
void guest_log(mock_guest *guest, const char *what, const char *name);

/* guest_bridge.c */
void guest_bridge_tick(mock_guest *guest);
void guest_bridge_drop(mock_guest *guest); /* the connection is gone */
void guest_send(mock_guest *guest, uint32_t type, uint64_t id, const cJSON *json);
/* Ends a request well; `fields` (may be NULL) are added to the answer and freed. */
void guest_reply(mock_guest *guest, const struct guest_request *request, cJSON *fields);
void guest_fail(mock_guest *guest, const struct guest_request *request, uint32_t hresult, const char *message);
void guest_answer_wait(mock_guest *guest, uint64_t waiter, uint32_t hresult, uint32_t exit_code);
void guest_notify(mock_guest *guest, const char *json);

/* guest_container.c; all serve a request */
void guest_create(mock_guest *guest, const struct guest_request *request);
void guest_start(mock_guest *guest, const struct guest_request *request);
void guest_delete_state(mock_guest *guest, const struct guest_request *request);
void guest_shutdown(mock_guest *guest, const struct guest_request *request);
void guest_get_properties(mock_guest *guest, const struct guest_request *request);
uint64_t guest_find(const mock_guest *guest, const char *id);
uint64_t guest_find_process(const mock_guest *guest, uint64_t container, uint32_t pid);
void guest_end_process(mock_guest *guest, uint64_t process, uint32_t exit_code);
/* Answers waits whose time is up and tells of containers that have ended. */
void guest_reap(mock_guest *guest);

/* guest_process.c */
void guest_execute(mock_guest *guest, const struct guest_request *request);
void guest_wait(mock_guest *guest, const struct guest_request *request);
void guest_signal(mock_guest *guest, const struct guest_request *request);
void guest_resize(mock_guest *guest, const struct guest_request *request);

/* guest_workload.c */
void guest_plan_workload(mock_guest *guest, uint64_t process, const char *arguments);
void guest_workload_tick(mock_guest *guest, uint64_t process);
void guest_workload_input(mock_guest *guest, uint64_t process, const uint8_t *bytes, size_t size);

/* guest_stdio.c */
struct guest_local *guest_local(mock_guest *guest, uint64_t process); /* made when it is not there */
bool guest_stdio_connect(mock_guest *guest, uint64_t process);        /* dials every stream of a new process */
void guest_stdio_release(mock_guest *guest, uint64_t process);
void guest_stdio_tick(mock_guest *guest, uint64_t process);
/* False when there is no room for all of it now. */
bool guest_stdio_print(mock_guest *guest, uint64_t process, int stream, const char *text, size_t size);
bool guest_stdio_is_flushed(mock_guest *guest, uint64_t process);
void guest_stdio_drop_all(mock_guest *guest); /* every connection is gone */

/* guest_modify.c */
void guest_modify(mock_guest *guest, const struct guest_request *request);

#endif
