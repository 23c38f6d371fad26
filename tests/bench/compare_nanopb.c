/*
 * The same envelope, decoded and encoded by plain nanopb in malloc mode with 32-bit sizes: every nested payload into its message, nothing
 * validated. Built by tests/bench/compare from nanopb's sources, where they are.
 *
 *     compare_nanopb ENVELOPE N [once]
 */
#include <pb_decode.h>
#include <pb_encode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "google/protobuf/any.pb.h"
#include "linuxcontainer.pb.h"
#include "migration.pb.h"
#include "network.pb.h"
#include "pod.pb.h"
#include "process.pb.h"
#include "scsi.pb.h"
#include "vm.pb.h"

typedef struct container {
	hcsshim_controller_linuxcontainer_save_v1_Payload payload;
	hcsshim_controller_process_save_v1_Payload *processes;
} container;

typedef struct pod {
	hcsshim_controller_pod_save_v1_Payload payload;
	hcsshim_controller_network_save_v1_Payload network;
	container *containers;
} pod;

typedef struct sandbox {
	google_protobuf_Any envelope;
	hcsshim_controller_migration_save_v1_Payload payload;
	hcsshim_controller_vm_save_v1_Payload vm;
	hcsshim_controller_scsi_save_v1_Payload scsi;
	pod *pods;
} sandbox;

#define FIELDS(module) hcsshim_controller_##module##_save_v1_Payload_fields

static bool unpack(const google_protobuf_Any *any, const pb_msgdesc_t *fields, void *message)
{
	pb_istream_t stream;

	if (!any || !any->value)
		return false;
	stream = pb_istream_from_buffer(any->value->bytes, any->value->size);
	return pb_decode(&stream, fields, message);
}

static bool decode_container(container *c, const google_protobuf_Any *any)
{
	bool is_good = unpack(any, FIELDS(linuxcontainer), &c->payload);

	c->processes = calloc(c->payload.processes_count + 1, sizeof *c->processes);
	for (size_t i = 0; is_good && i < c->payload.processes_count; i++)
		is_good = unpack(c->payload.processes[i].value, FIELDS(process), &c->processes[i]);
	return is_good;
}

static bool decode_pod(pod *p, const google_protobuf_Any *any)
{
	bool is_good = unpack(any, FIELDS(pod), &p->payload) && unpack(p->payload.network, FIELDS(network), &p->network);

	p->containers = calloc(p->payload.containers_count + 1, sizeof *p->containers);
	for (size_t i = 0; is_good && i < p->payload.containers_count; i++)
		is_good = decode_container(&p->containers[i], &p->payload.containers[i]);
	return is_good;
}

__attribute__((noinline)) bool compare_decode(sandbox *s, const void *bytes, size_t size)
{
	pb_istream_t stream = pb_istream_from_buffer(bytes, size);
	bool is_good = pb_decode(&stream, google_protobuf_Any_fields, &s->envelope) && unpack(&s->envelope, FIELDS(migration), &s->payload) &&
		       unpack(s->payload.vm, FIELDS(vm), &s->vm) && unpack(s->vm.scsi, FIELDS(scsi), &s->scsi);

	s->pods = calloc(s->payload.pods_count + 1, sizeof *s->pods);
	for (size_t i = 0; is_good && i < s->payload.pods_count; i++)
		is_good = decode_pod(&s->pods[i], &s->payload.pods[i]);
	return is_good;
}

/* In the place of what the envelope held before. */
static bool pack(google_protobuf_Any *any, const pb_msgdesc_t *fields, const void *message)
{
	pb_ostream_t stream;
	pb_bytes_array_t *value;
	size_t size = 0;

	if (!pb_get_encoded_size(&size, fields, message))
		return false;
	value = realloc(any->value, PB_BYTES_ARRAY_T_ALLOCSIZE(size));
	if (!value)
		return false;
	any->value = value;
	value->size = (pb_size_t)size;
	stream = pb_ostream_from_buffer(value->bytes, size);
	return pb_encode(&stream, fields, message);
}

__attribute__((noinline)) bool compare_encode(sandbox *s, void **bytes, size_t *size)
{
	bool is_good = true;
	pb_ostream_t stream;

	for (size_t i = 0; is_good && i < s->payload.pods_count; i++) {
		pod *p = &s->pods[i];

		for (size_t k = 0; is_good && k < p->payload.containers_count; k++) {
			container *c = &p->containers[k];

			for (size_t n = 0; is_good && n < c->payload.processes_count; n++)
				is_good = pack(c->payload.processes[n].value, FIELDS(process), &c->processes[n]);
			is_good = is_good && pack(&p->payload.containers[k], FIELDS(linuxcontainer), &c->payload);
		}
		is_good = is_good && pack(p->payload.network, FIELDS(network), &p->network) && pack(&s->payload.pods[i], FIELDS(pod), &p->payload);
	}
	is_good = is_good && pack(s->vm.scsi, FIELDS(scsi), &s->scsi) && pack(s->payload.vm, FIELDS(vm), &s->vm) &&
		  pack(&s->envelope, FIELDS(migration), &s->payload) && pb_get_encoded_size(size, google_protobuf_Any_fields, &s->envelope);
	*bytes = is_good ? realloc(*bytes, *size) : *bytes;
	stream = pb_ostream_from_buffer(*bytes, *size);
	return is_good && pb_encode(&stream, google_protobuf_Any_fields, &s->envelope);
}

/* The second time, when there is room for everything. */
__attribute__((noinline)) bool compare_encode_again(sandbox *s, void **bytes, size_t *size)
{
	return compare_encode(s, bytes, size);
}

static void release(sandbox *s)
{
	for (size_t i = 0; i < s->payload.pods_count; i++) {
		pod *p = &s->pods[i];

		for (size_t k = 0; k < p->payload.containers_count; k++) {
			for (size_t n = 0; n < p->containers[k].payload.processes_count; n++)
				pb_release(FIELDS(process), &p->containers[k].processes[n]);
			free(p->containers[k].processes);
			pb_release(FIELDS(linuxcontainer), &p->containers[k].payload);
		}
		free(p->containers);
		pb_release(FIELDS(network), &p->network);
		pb_release(FIELDS(pod), &p->payload);
	}
	free(s->pods);
	pb_release(FIELDS(scsi), &s->scsi);
	pb_release(FIELDS(vm), &s->vm);
	pb_release(FIELDS(migration), &s->payload);
	pb_release(google_protobuf_Any_fields, &s->envelope);
}

static double seconds(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

static void print(const char *name, unsigned n, double value)
{
	printf("{\"name\":\"%s\",\"n\":%u,\"value\":%.6g,\"unit\":\"us\"}\n", name, n, value);
}

int main(int argc, char **argv)
{
	const double limit = argc > 3 ? 0 : 0.3;
	unsigned n = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
	static uint8_t bytes[16u << 20];
	FILE *file = argc > 2 ? fopen(argv[1], "rb") : NULL;
	size_t size = file ? fread(bytes, 1, sizeof bytes, file) : 0, encoded_size = 0;
	double start = seconds(), passed;
	unsigned long rounds = 0;
	void *encoded = NULL;
	sandbox whole;

	if (!size)
		return 2;
	fclose(file);
	do {
		memset(&whole, 0, sizeof whole);
		if (!compare_decode(&whole, bytes, size))
			return 1;
		release(&whole);
		rounds++;
		passed = seconds() - start;
	} while (passed < limit);
	print("nanopb decode per container", n, passed / (double)rounds / n * 1e6);
	memset(&whole, 0, sizeof whole);
	if (!compare_decode(&whole, bytes, size) || !compare_encode(&whole, &encoded, &encoded_size))
		return 1;
	rounds = 0;
	start = seconds();
	do {
		if (!compare_encode_again(&whole, &encoded, &encoded_size))
			return 1;
		rounds++;
		passed = seconds() - start;
	} while (passed < limit);
	print("nanopb encode per container", n, passed / (double)rounds / n * 1e6);
	release(&whole);
	free(encoded);
	return encoded_size == size ? 0 : 1;
}
