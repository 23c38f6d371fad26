/* Both halves of a transfer share the connection; what they say to each other is in transfer.h. */
#ifndef MOCK_TRANSFER_INTERNAL_H
#define MOCK_TRANSFER_INTERNAL_H

#include "transfer.h"

#define TRANSFER_VERSION 1u
#define TRANSFER_HEADER 16u
#define TRANSFER_PAYLOAD_MAX 16384u
#define TRANSFER_CHUNK (256u * 1024u)

#define TRANSFER_E_CANCELLED 0x800704C7u
#define TRANSFER_E_CONNECTION 0x80072746u
#define TRANSFER_E_DATA 0x8007000Du

enum transfer_record {
	TRANSFER_HELLO = 1,
	TRANSFER_PAGE,
	TRANSFER_PASS,
	TRANSFER_BLACKOUT,
	TRANSFER_DEVICES,
	TRANSFER_DONE,
	TRANSFER_ACK,
	TRANSFER_GIVE_UP
};

enum transfer_state { TRANSFER_GREETING, TRANSFER_READY, TRANSFER_MOVING, TRANSFER_HOLDING, TRANSFER_CLOSING, TRANSFER_ENDED };

struct mock_transfer {
	mock_transfer_config config;
	char *devices;
	int fd;
	mock_watch *watch;
	mock_timer *timer; /* the next portion, when the bandwidth is limited */
	enum transfer_state state;
	bool has_begun;
	bool peer_has_greeted;
	bool devices_agree;
	uint32_t next_page;
	uint32_t pass_pages; /* of this pass so far */
	mock_transfer_progress progress;
	uint64_t throttle_start;
	uint64_t throttle_bytes;
	uint8_t *output;
	size_t n_output;
	size_t n_sent;
	size_t output_capacity;
	uint8_t *input;
	size_t n_input;
	uint32_t hresult; /* how it ended */
	char message[256];
};

void transfer_put(mock_transfer *transfer, enum transfer_record type, uint32_t a, uint32_t b, const void *payload, size_t size);
void transfer_end(mock_transfer *transfer, uint32_t hresult, const char *format, ...);
void transfer_give_up(mock_transfer *transfer, const char *reason); /* tells the peer, then ends as E_DATA */
void transfer_report(mock_transfer *transfer);
/* What a side does with a record, and when there is room for more output. */
void transfer_source_take(mock_transfer *transfer, uint32_t type, uint32_t a, const uint8_t *payload, size_t size);
void transfer_source_fill(mock_transfer *transfer);
void transfer_destination_take(mock_transfer *transfer, uint32_t type, uint32_t a, uint32_t b, const uint8_t *payload, size_t size);

#endif
