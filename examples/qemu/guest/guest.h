/*
 * A guest agent small enough to read: it speaks the LCOW guest protocol from inside a real Linux machine, mounts the machine's SCSI disks, runs
 * processes in namespaces of their own, and relays what they print. Where it differs from Microsoft's: streams go through mux.h in place of
 * vsock, disks and network cards are found by PCI place and MAC address in place of VMBus ids, cgroups and terminals are left out.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "json.h"
#include "loop.h"
#include "mux.h"

#define PORT_ENTROPY 1u
#define PORT_LOG 109u
#define PORT_BRIDGE 0x40000000u
#define NULL_GUID "00000000-0000-0000-0000-000000000000"

#define HR_FAIL 0x80004005u
#define HR_NOT_IMPLEMENTED 0x80004001u
#define HR_NOT_FOUND 0x80070490u
#define HR_INVALID_ARGUMENT 0x80070057u
#define HR_TIMEOUT 0xC0370109u
#define HR_INVALID_JSON 0xC037010Du
#define HR_NO_CONTAINER 0xC037010Eu
#define HR_EXISTS 0xC037010Fu
#define HR_STOPPED 0xC0370110u
#define HR_CREATING 0x80370105u

struct container;
struct process;

/* A request as it is served. */
struct request {
	struct request *next;
	uint64_t id;
	uint32_t type;
	struct json *json;
	const char *container_id; /* in json */
	int64_t deadline;         /* of a request that is tried again */
	struct process *process;  /* of an ExecuteProcess whose streams are being dialled */
	struct text error;        /* what to say when it fails */
};

/* What serving a request comes to: an HRESULT, 0 for success, or one of these. */
#define SERVED_LATER 1u /* answered by somebody else */
#define SERVED_AGAIN 2u /* try again in a while, until the deadline */

/* ---- bridge.c ---- */
void bridge_start(void);
void bridge_respond(uint32_t type, uint64_t id, uint32_t hresult, const char *message, const char *fields);
void bridge_notify(const char *container_id, const char *type);
uint32_t request_fail(struct request *request, uint32_t hresult, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- log.c ---- */
void log_start(void);
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- disk.c, network.c: ModifySettings ---- */
uint32_t disk_modify(struct request *request, const char *type, const char *what, const struct json *settings);
uint32_t layers_modify(struct request *request, const char *what, const struct json *settings);
uint32_t network_modify(struct request *request, const char *what, const struct json *settings);
/* The pod's first process runs: its network cards move in. */
void network_enter(const char *namespace_id, pid_t pid);
void network_leave(pid_t pid);

/* ---- files.c ---- */
bool make_directories(const char *path);
/* Waits for a program of the machine itself; its exit status, or -1. */
int run_program(const char *const *arguments);
/* The same, inside the network namespace of `pid`. */
int run_program_in_network(pid_t pid, const char *const *arguments);
bool write_file(const char *path, const char *text);

/* ---- container.c ---- */
struct container {
	struct container *next;
	char *id;
	char *pod;     /* id of the pod's first container */
	char *bundle;
	char *scratch;
	char *namespace_id;
	struct json *config;
	const struct json *spec; /* in config */
	struct process *init;    /* NULL before it was started */
	const char *stop;        /* the type of its notification */
	bool was_waited_for;
	bool is_notified;
};

struct container *container_find(const char *id);
uint32_t container_create(struct request *request);
uint32_t container_delete(struct request *request);
uint32_t container_properties(struct request *request, struct text *fields);
uint32_t container_shutdown(struct request *request, bool is_forced);
/* A wait on its init process was answered, or the process ended: time for the notification, maybe. */
void container_settle(struct container *container);

/* ---- process.c ---- */
struct waiter {
	struct waiter *next;
	uint64_t id;
	uint32_t type;
	struct timer timeout;
	struct process *process;
};

struct process {
	struct process *next;
	struct container *container; /* NULL: a process of the machine itself */
	struct json *parameters;
	const struct json *oci;      /* the OCI process; NULL for one of the machine itself */
	bool is_init;
	pid_t pid;                   /* 0: not started yet */
	bool has_exited;             /* and its output has been passed on */
	bool was_reaped;
	uint32_t exit_code;
	struct relay *relays[3];
	struct waiter *waiters;
};

uint32_t process_execute(struct request *request, struct text *fields);
uint32_t process_wait(struct request *request);
uint32_t process_signal(struct request *request);
void process_settle(struct process *process);
void process_reap(void);
struct process *process_next(struct process *after, const struct container *container);
void process_forget(struct process *process);

/* ---- spawn.c ---- */
/* Starts it with these ends of pipes (-1: none); 0 and a sentence in `error` when that fails. */
pid_t spawn_process(struct process *process, const int fds[3], struct text *error);

/* ---- relay.c ---- */
struct relay;
/* Dials; `number` is 0 for stdin. `repeats`: what was printed last is sent again after the connection was lost. */
struct relay *relay_new(struct process *process, int number, uint32_t port, bool repeats);
/* 0: still dialling, 1: open, -1: refused. */
int relay_state(const struct relay *relay);
/* The process's end of the pipe, to be closed by the caller when it was handed on; the relay begins. */
int relay_take_pipe(struct relay *relay);
/* All output has been taken by the host, or never will be. */
bool relay_is_over(const struct relay *relay);
void relay_free(struct relay *relay);

#endif
