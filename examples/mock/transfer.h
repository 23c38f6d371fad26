/*
 * Memory from one mock to another, over a connected stream socket:
 *
 *     source                                   destination
 *     HELLO session, pages                     HELLO session, pages          both must agree
 *     PAGE … PAGE, PASS 1                                                    the guest runs on
 *     PAGE … PAGE, PASS 2                                                    only what has become dirty
 *     …                                                                      until little is left, or there were enough passes
 *     BLACKOUT                                                               the guest stands still
 *     PAGE … PAGE, DEVICES, DONE checksum
 *                                              ACK
 *
 * Either side may send GIVE_UP with a reason. It runs from the loop in portions; nothing here blocks.
 */
#ifndef MOCK_TRANSFER_H
#define MOCK_TRANSFER_H

#include "loop.h"
#include "memory.h"

typedef struct mock_transfer mock_transfer;

typedef enum mock_transfer_step {
	MOCK_TRANSFER_SETUP_DONE,
	MOCK_TRANSFER_PROGRESS, /* a pass has begun */
	MOCK_TRANSFER_BLACKOUT, /* the source stops its guest now */
	MOCK_TRANSFER_OFFLINE_DONE
} mock_transfer_step;

typedef struct mock_transfer_progress {
	uint32_t pass;       /* from 1; the blackout is the last one */
	uint64_t bytes;      /* of pages, sent or received so far */
	uint64_t pass_bytes; /* of this pass */
	uint64_t pass_total; /* of this pass; 0 on the destination, which is not told */
} mock_transfer_progress;

typedef struct mock_transfer_config {
	mock_loop *loop;
	mock_memory *memory;
	void *user;
	void (*step)(void *user, mock_transfer_step step);
	/* The end, once. `hresult` 0: memory has moved and its checksum agrees. Never called from inside a function of this header. */
	void (*ended)(void *user, uint32_t hresult, const char *message);
	void *progress_user;
	void (*progress)(void *progress_user, const mock_transfer_progress *progress); /* NULL: nobody asks */
	const char *devices;        /* what is plugged in, as one text; both sides must have the same; copied */
	uint32_t session;           /* both sides must have the same number */
	uint32_t maximum_passes;    /* 0: ten */
	uint64_t bandwidth;         /* bytes a second, 0: as fast as it goes */
	uint32_t break_in_pass;     /* fault: the connection breaks in the middle of this pass */
	uint32_t break_in_blackout; /* fault: it breaks while the guest stands still */
	bool is_source;
} mock_transfer_config;

/* `fd` is duplicated. The greeting is sent at once; the rest begins with mock_transfer_begin. */
mock_transfer *mock_transfer_new(int fd, const mock_transfer_config *config);
void mock_transfer_begin(mock_transfer *transfer);
/* Gives up and tells the peer; `ended` follows with 0x800704C7. False when it has ended already. */
bool mock_transfer_cancel(mock_transfer *transfer);
/* A peer that is still at it is told. */
void mock_transfer_free(mock_transfer *transfer);

#endif
