/* What the files of the host share. */
#ifndef THREADS_HOST_PRIVATE_H
#define THREADS_HOST_PRIVATE_H

#include "host.h"

/* A call that the worker will end, or an exit to be told. */
typedef struct job {
	struct job *next;
	lcowmig_call *call; /* NULL: the machine has exited */
	lcowmig_status status;
} job;

/* A guest call that ends by an event of its own. */
typedef struct pending {
	struct pending *next;
	lcowmig_call *call;
	int64_t id;
	uint32_t pid; /* 0: none */
} pending;

struct mt_private {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t worker;
	pthread_t clock;
	bool ends;
	job *jobs;
	job **last_job;
	pending *waits;
	int64_t next_id;
	uint32_t next_port;
	uint32_t next_pid;
	unsigned char killed[4096]; /* by pid */
	bool is_connected;
	bool in_transfer;
	bool transfer_cancelled;
	bool transfer_let;
	unsigned handles_open;
};

/* host.c: the worker ends the call; NULL: tells that the machine has exited. */
void mt_add_job(mt_host *host, lcowmig_call *call, lcowmig_status status);
void mt_nap(long nanoseconds);

/* host_ops.c, guest_ops.c: fill the vtables. */
void mt_host_ops(mt_host *host, lcowmig_hcs_ops *hcs, lcowmig_network_ops *network, lcowmig_stdio_ops *stdio, lcowmig_socket_ops *socket,
                 lcowmig_event_ops *events);
void mt_guest_ops(mt_host *host, lcowmig_guest_ops *guest);
/* Ends a call as this host does: inside the callback, or by the worker. */
lcowmig_status mt_end(mt_host *host, lcowmig_call *call, lcowmig_status status);
lcowmig_status mt_succeed(mt_host *host, lcowmig_call *call, const char *result);

#endif
