/*
 * The mock guest: an operating system of a few hundred lines that keeps containers, processes and mounts in guest memory and talks to its
 * host as the real one does: it dials the bridge, answers requests, re-dials what it has lost. Move its memory to another mock and it goes
 * on there with everything it knew, requests it has not answered yet among them.
 *
 * Where it differs from the real guest: a stdout or stderr connection begins with eight bytes (little endian), the place of the next byte
 * in the process's whole output. The real guest repeats its last output after a reconnect without telling from where; with the offset
 * the mock's relay can drop what it has passed on already.
 */
#ifndef MOCK_GUEST_H
#define MOCK_GUEST_H

#include "memory.h"
#include "vsock.h"

typedef struct mock_guest mock_guest;

/* Things to go wrong inside the guest. Each member counts down with the request it spoils. */
typedef struct mock_guest_faults {
	uint32_t refuse_network_add; /* answer Network Add with an error */
	uint32_t drop_negotiate;     /* hang up when asked to negotiate */
} mock_guest_faults;

/* Called from the loop: the guest has shut the machine down. */
typedef void (*mock_guest_off_fn)(void *user);

/* `memory` and `vsock` are borrowed. */
mock_guest *mock_guest_new(mock_loop *loop, mock_memory *memory, mock_vsock *vsock, mock_guest_off_fn off, void *user);
void mock_guest_free(mock_guest *guest);

/* A cold start: an empty memory becomes a running guest. `fill_percent` of the memory gets contents, as a page cache would. */
void mock_guest_boot(mock_guest *guest, uint32_t fill_percent);
/* Runs a guest that lies in memory already. False when there is none. */
bool mock_guest_run(mock_guest *guest);
/* Stops it between two instructions; its connections must be reset as well. */
void mock_guest_hold(mock_guest *guest);
bool mock_guest_is_running(const mock_guest *guest);
void mock_guest_set_faults(mock_guest *guest, const mock_guest_faults *faults);
/* The guest powers itself off. */
void mock_guest_shut_down(mock_guest *guest);

/* What a person would see with ps. Texts live until the guest runs again. */
typedef struct mock_guest_container {
	const char *id;
	const char *state; /* "created", "running", "exited" */
	uint32_t pid;      /* 0 before it was started */
	uint64_t counter;  /* of the counting workload */
	uint32_t exit_code;
} mock_guest_container;

/* The container number `index`, counted from 0 in order of creation. False past the last. */
bool mock_guest_get_container(const mock_guest *guest, uint32_t index, mock_guest_container *ret_container);
bool mock_guest_find_container(const mock_guest *guest, const char *id, mock_guest_container *ret_container);
/* The NIC number `index` as "id mac address". */
bool mock_guest_get_nic(const mock_guest *guest, uint32_t index, const char **ret_id, const char **ret_mac, const char **ret_address);
/* The mount number `index`. */
bool mock_guest_get_mount(const mock_guest *guest, uint32_t index, const char **ret_path, uint32_t *ret_controller, uint32_t *ret_lun);

#endif
