/* The Migration service: messages under construction, and the last answer. */
#ifndef UNIT_SERVICE_FIXTURE_H
#define UNIT_SERVICE_FIXTURE_H

#include <check.h>
#include <string.h>

#include "lcowmig/service.h"
#include "world.h"

static test_world *world;
static lcowmig_service *source, *destination;

/* A message under construction; the numbers are those of proto/migration_service.proto. */
typedef struct message {
	uint8_t data[65536];
	size_t size;
} message;

static inline void put_varint(message *m, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		m->data[m->size++] = (uint8_t)(value | 0x80);
	m->data[m->size++] = (uint8_t)value;
}

static inline void put_number(message *m, unsigned tag, uint64_t value)
{
	put_varint(m, tag << 3);
	put_varint(m, value);
}

static inline void put_bytes(message *m, unsigned tag, const void *data, size_t size)
{
	put_varint(m, tag << 3 | 2);
	put_varint(m, size);
	memcpy(m->data + m->size, data, size);
	m->size += size;
}

static inline void put_message(message *m, unsigned tag, const message *inner)
{
	put_bytes(m, tag, inner->data, inner->size);
}

static inline message *request(const char *session)
{
	static message m;

	m.size = 0;
	put_bytes(&m, 1, session, strlen(session));
	return &m;
}

/* The last answer. */
static struct {
	unsigned count;
	lcowmig_status status;
	lcowmig_rpc_code code;
	uint8_t data[65536];
	size_t size;
	char text[LCOWMIG_ERROR_MESSAGE_SIZE];
} answer;

static inline void on_reply(void *user, lcowmig_status status, lcowmig_rpc_code code, const uint8_t *response, size_t size, const lcowmig_error *error)
{
	ck_assert_ptr_eq(user, &answer);
	answer.count++;
	answer.status = status;
	answer.code = code;
	answer.size = size;
	if (size)
		memcpy(answer.data, response, size);
	strcpy(answer.text, error->message);
}

static inline lcowmig_status call(lcowmig_service *service, const char *method, const message *m)
{
	unsigned count = answer.count;

	ck_assert_int_eq(lcowmig_service_call(service, method, m->data, m->size, on_reply, &answer, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(answer.count, count + 1);
	return answer.status;
}

#define OK(expression) ck_assert_msg((expression) == LCOWMIG_OK, "%s: %s", #expression, answer.text)

static inline void setup(void)
{
	world = world_new(1, 2);
	ck_assert_int_eq(lcowmig_service_new(world->source.sandbox, 0, NULL, &source, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_service_new(world->destination.sandbox, LCOWMIG_SERVICE_PATHS_SHARED, "a test", &destination, NULL), LCOWMIG_OK);
}

static inline void teardown(void)
{
	ck_assert_int_eq(lcowmig_service_free(source), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_service_free(destination), LCOWMIG_OK);
	world_free(world);
}

#endif
