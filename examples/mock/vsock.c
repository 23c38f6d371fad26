/* Connections between the mock guest and its host; see vsock.h. */
#include "vsock.h"

#include <stdlib.h>
#include <string.h>

typedef struct vsock_listener {
	struct vsock_listener *next;
	uint32_t port;
	mock_accept_fn accepted;
	void *user;
} vsock_listener;

typedef struct vsock_pair vsock_pair;

struct mock_end {
	vsock_pair *pair;
	mock_end *peer;
	const mock_end_ops *ops;
	void *user;
	uint8_t *inbound; /* written by the peer, not read yet */
	size_t n_inbound;
	size_t capacity;
	bool is_closed;
	bool has_shut; /* this end sends no more */
	bool told_over;
};

struct vsock_pair {
	vsock_pair *next;
	mock_vsock *vsock;
	mock_end ends[2];
	bool is_lost;
	bool is_posted; /* a delivery is waiting in the loop */
	bool is_delivering;
};

struct mock_vsock {
	mock_loop *loop;
	vsock_listener *listeners;
	vsock_pair *pairs;
};

mock_vsock *mock_vsock_new(mock_loop *loop)
{
	mock_vsock *vsock = mock_alloc(sizeof *vsock);

	vsock->loop = loop;
	return vsock;
}

static void vsock_free_pair(vsock_pair *pair)
{
	for (vsock_pair **at = &pair->vsock->pairs; *at; at = &(*at)->next) {
		if (*at == pair) {
			*at = pair->next;
			break;
		}
	}
	mock_loop_forget(pair->vsock->loop, pair);
	free(pair->ends[0].inbound);
	free(pair->ends[1].inbound);
	free(pair);
}

void mock_vsock_free(mock_vsock *vsock)
{
	if (!vsock)
		return;
	while (vsock->pairs)
		vsock_free_pair(vsock->pairs);
	while (vsock->listeners)
		mock_vsock_unlisten(vsock, vsock->listeners->port);
	free(vsock);
}

static vsock_listener *vsock_find(mock_vsock *vsock, uint32_t port)
{
	vsock_listener *listener = vsock->listeners;

	while (listener && listener->port != port)
		listener = listener->next;
	return listener;
}

void mock_vsock_listen(mock_vsock *vsock, uint32_t port, mock_accept_fn accepted, void *user)
{
	vsock_listener *listener = vsock_find(vsock, port);

	if (!listener) {
		listener = mock_alloc(sizeof *listener);
		listener->next = vsock->listeners;
		vsock->listeners = listener;
	}
	listener->port = port;
	listener->accepted = accepted;
	listener->user = user;
}

void mock_vsock_unlisten(mock_vsock *vsock, uint32_t port)
{
	for (vsock_listener **at = &vsock->listeners; *at; at = &(*at)->next) {
		vsock_listener *listener = *at;

		if (listener->port == port) {
			*at = listener->next;
			free(listener);
			return;
		}
	}
}

static void vsock_deliver_to(mock_end *end)
{
	uint8_t *bytes = end->inbound;
	size_t size = end->n_inbound;

	if (end->is_closed || !end->ops)
		return;
	if (size > 0) {
		end->inbound = NULL;
		end->n_inbound = end->capacity = 0;
		end->ops->data(end->user, end, bytes, size);
		free(bytes);
	}
	if (!end->is_closed && !end->told_over && end->n_inbound == 0 &&
	    (end->pair->is_lost || end->peer->has_shut || end->peer->is_closed)) {
		end->told_over = true;
		end->ops->over(end->user, end, end->pair->is_lost || end->peer->is_closed);
	}
}

static void vsock_deliver(void *user)
{
	vsock_pair *pair = user;

	pair->is_posted = false;
	pair->is_delivering = true;
	vsock_deliver_to(&pair->ends[0]);
	vsock_deliver_to(&pair->ends[1]);
	pair->is_delivering = false;
	if (pair->ends[0].is_closed && pair->ends[1].is_closed)
		vsock_free_pair(pair);
}

static void vsock_post(vsock_pair *pair)
{
	if (pair->is_posted)
		return;
	pair->is_posted = true;
	mock_loop_post(pair->vsock->loop, vsock_deliver, pair);
}

mock_end *mock_vsock_dial(mock_vsock *vsock, uint32_t port, const mock_end_ops *ops, void *user)
{
	vsock_listener *listener = vsock_find(vsock, port);
	vsock_pair *pair;

	if (!listener)
		return NULL;
	pair = mock_alloc(sizeof *pair);
	pair->vsock = vsock;
	pair->next = vsock->pairs;
	vsock->pairs = pair;
	for (int i = 0; i < 2; i++) {
		pair->ends[i].pair = pair;
		pair->ends[i].peer = &pair->ends[1 - i];
	}
	mock_end_take(&pair->ends[0], ops, user);
	pair->is_posted = true; /* whatever the listener does with its end, the pair outlives this call */
	mock_loop_post(vsock->loop, vsock_deliver, pair);
	listener->accepted(listener->user, port, &pair->ends[1]);
	return &pair->ends[0];
}

void mock_vsock_reset(mock_vsock *vsock)
{
	for (vsock_pair *pair = vsock->pairs; pair; pair = pair->next) {
		pair->is_lost = true;
		pair->ends[0].n_inbound = pair->ends[1].n_inbound = 0;
		vsock_post(pair);
	}
}

void mock_end_take(mock_end *end, const mock_end_ops *ops, void *user)
{
	end->ops = ops;
	end->user = user;
	vsock_post(end->pair);
}

bool mock_end_write(mock_end *end, const void *bytes, size_t size)
{
	mock_end *peer = end->peer;

	if (end->pair->is_lost || peer->is_closed || end->has_shut)
		return false;
	if (peer->capacity - peer->n_inbound < size) {
		size_t capacity = 2 * (peer->n_inbound + size);
		uint8_t *grown = mock_alloc(capacity);

		if (peer->n_inbound > 0)
			memcpy(grown, peer->inbound, peer->n_inbound);
		free(peer->inbound);
		peer->inbound = grown;
		peer->capacity = capacity;
	}
	memcpy(peer->inbound + peer->n_inbound, bytes, size);
	peer->n_inbound += size;
	vsock_post(end->pair);
	return true;
}

void mock_end_shutdown(mock_end *end)
{
	end->has_shut = true;
	vsock_post(end->pair);
}

void mock_end_close(mock_end *end)
{
	vsock_pair *pair = end->pair;

	end->is_closed = end->has_shut = true;
	end->ops = NULL;
	if (!end->peer->is_closed)
		vsock_post(pair);
	else if (!pair->is_posted && !pair->is_delivering)
		vsock_free_pair(pair);
}

size_t mock_end_backlog(const mock_end *end)
{
	return end->peer->n_inbound;
}
