/* What lies in guest memory. Fixed-width members and offsets only: these records are read on another host. */
#ifndef MOCK_GUEST_RECORDS_H
#define MOCK_GUEST_RECORDS_H

#include "image.h"

#define GUEST_MAGIC UINT64_C(0x747365756743434d)
#define GUEST_STREAM_BYTES 8192u
#define GUEST_NEVER UINT64_MAX

enum guest_container_state { GUEST_CREATED = 1, GUEST_RUNNING, GUEST_EXITED };
enum guest_workload { GUEST_PAUSE = 1, GUEST_COUNTER, GUEST_ECHO, GUEST_EXIT, GUEST_CAT };
enum guest_stop { GUEST_STOP_UNEXPECTED, GUEST_STOP_GRACEFUL, GUEST_STOP_FORCED };

struct guest_root { /* at MOCK_IMAGE_ROOT */
	uint64_t magic;
	uint64_t clock;      /* nanoseconds it has run */
	uint64_t containers; /* newest last */
	uint64_t mounts;
	uint64_t nics;
	uint64_t notifications; /* to be sent when there is a connection again */
	uint32_t next_pid;
	uint32_t n_slots;   /* processes, each with a place in the runtime's table */
	uint32_t free_slot; /* 1 + a slot that is free again, or 0 */
	uint32_t is_seeded; /* the entropy connection has served */
};

struct guest_container {
	uint64_t next;
	uint64_t id;
	uint64_t activity;
	uint64_t rootfs;
	uint64_t init;      /* guest_process, 0 before it was started */
	uint64_t processes; /* execs that have not been waited for */
	uint64_t arguments; /* of the init process, one text with spaces */
	uint32_t state;     /* enum guest_container_state */
	uint32_t stop;      /* enum guest_stop */
	uint32_t is_notified;
	uint32_t terminal;
};

struct guest_stream {
	uint32_t port;
	uint32_t is_shut;                  /* no more output will come */
	uint64_t total;                    /* bytes of output so far */
	uint64_t written;                  /* of them, given to some connection */
	uint8_t bytes[GUEST_STREAM_BYTES]; /* the last of them, a ring */
};

struct guest_process {
	uint64_t next;
	uint64_t container;
	uint64_t waiters;
	uint64_t streams[3]; /* guest_stream, 0: not there */
	uint64_t text;       /* what an echo prints */
	uint64_t pages;      /* what a counter writes to */
	uint64_t counter;
	uint64_t due;      /* clock of the next step */
	uint64_t interval; /* between steps */
	uint32_t n_pages;
	uint32_t pid;
	uint32_t slot;
	uint32_t is_init;
	uint32_t workload; /* enum guest_workload */
	uint32_t has_exited;
	uint32_t exit_code;
	uint32_t was_waited_for;
};

struct guest_waiter { /* a WaitForProcess that is not answered */
	uint64_t next;
	uint64_t id;
	uint64_t deadline;
	uint64_t activity;
	uint32_t type;
	uint32_t reserved;
};

struct guest_mount {
	uint64_t next;
	uint64_t kind; /* the resource type */
	uint64_t path;
	uint32_t controller;
	uint32_t lun;
	uint64_t partition;
};

struct guest_nic {
	uint64_t next;
	uint64_t namespace_id;
	uint64_t id;
	uint64_t mac;
	uint64_t address;
};

struct guest_notification {
	uint64_t next;
	uint64_t json;
};

#endif
