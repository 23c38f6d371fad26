/* Encoding and decoding envelopes, validation included; and patching a document. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "bench.h"
#include "engine/limits.h"

#define SECONDS 0.3

static void must(lcowmig_status status, const lcowmig_error *error)
{
	if (status == LCOWMIG_OK)
		return;
	fprintf(stderr, "bench: %s\n", error->message);
	exit(1);
}

void bench_wire(unsigned n)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig__wire_sandbox sandbox, decoded;
	lcowmig__arena model, arena;
	bench_memory memory, unmeasured;
	lcowmig_limits limits;
	unsigned long rounds = 0;
	lcowmig__buf envelope;
	double start, seconds;

	bench_memory_init(&memory);
	bench_memory_init(&unmeasured);
	must(lcowmig__limits_resolve(NULL, &limits, &error), &error);
	lcowmig__arena_init(&model, &unmeasured.mem, 0);
	bench_sandbox(&model, n, &sandbox);
	lcowmig__buf_init(&envelope, &unmeasured.mem);
	start = bench_seconds();
	do {
		lcowmig__buf_clear(&envelope);
		must(lcowmig__wire_encode_sandbox(&envelope, &sandbox, &error), &error);
		rounds++;
		seconds = bench_seconds() - start;
	} while (seconds < SECONDS);
	bench_print("envelope bytes per container", n, (double)envelope.size / n, "bytes");
	bench_print("encode per container", n, seconds / (double)rounds / n * 1e6, "us");
	rounds = 0;
	start = bench_seconds();
	do {
		memory.allocations = memory.peak = 0;
		lcowmig__arena_init(&arena, &memory.mem, 0);
		must(lcowmig__wire_decode_sandbox(&arena, &limits, (const uint8_t *)envelope.data, envelope.size, &decoded, &error), &error);
		lcowmig__arena_done(&arena);
		rounds++;
		seconds = bench_seconds() - start;
	} while (seconds < SECONDS);
	bench_print("decode and validate per container", n, seconds / (double)rounds / n * 1e6, "us");
	bench_print("decode allocations", n, (double)memory.allocations, "allocations");
	bench_print("decode peak heap per input byte", n, (double)memory.peak / (double)envelope.size, "bytes");
	lcowmig__buf_done(&envelope);
	lcowmig__arena_done(&model);
}

void bench_wire_once(unsigned n)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig__wire_sandbox sandbox, decoded;
	lcowmig__arena model, arena;
	lcowmig_limits limits;
	lcowmig__buf envelope;
	bench_memory memory;

	bench_memory_init(&memory);
	must(lcowmig__limits_resolve(NULL, &limits, &error), &error);
	lcowmig__arena_init(&model, &memory.mem, 0);
	bench_sandbox(&model, n, &sandbox);
	lcowmig__buf_init(&envelope, &memory.mem);
	must(lcowmig__wire_encode_sandbox(&envelope, &sandbox, &error), &error);
	lcowmig__arena_init(&arena, &memory.mem, 0);
	must(lcowmig__wire_decode_sandbox(&arena, &limits, (const uint8_t *)envelope.data, envelope.size, &decoded, &error), &error);
	lcowmig__arena_done(&arena);
	lcowmig__buf_done(&envelope);
	lcowmig__arena_done(&model);
}

/* A compute-system document of about 13 KB: one with many attachments. */
static void document_make(lcowmig__buf *document, const lcowmig__mem *mem)
{
	unsigned i;

	lcowmig__buf_init(document, mem);
	lcowmig__buf_text(document, "{\"Owner\":\"bench\",\"VirtualMachine\":{\"Devices\":{\"Scsi\":{\"df6d0690-79e5-55b6-a5ec-c1e2f77f580a\":{\"Attachments\":{");
	for (i = 0; i < 80; i++)
		lcowmig__buf_printf(document,
		                    "%s\"%u\":{\"Type\":\"VirtualDisk\",\"Path\":\"\\\\\\\\?\\\\Volume{0f3a2e1c-6f1e-4d7c-9f52-1d4a0c7d2b11}"
		                    "\\\\snapshots\\\\%u\\\\a-path-of-some-length\\\\layers\\\\layer.vhd\",\"ReadOnly\":true}",
		                    i ? "," : "", i, i);
	lcowmig__buf_text(document, "}}},\"HvSocket\":{}}}}");
}

static BENCH_PART void document_patch(const lcowmig__mem *mem, const lcowmig__buf *document)
{
	char *patched = NULL;
	size_t size = 0;

	if (lcowmig__json_splice(mem, document->data, document->size, "VirtualMachine/MigrationOptions", "{\"Origin\":\"Destination\"}",
				 &patched, &size) != LCOWMIG_OK)
		exit(1);
	lcowmig__free(mem, patched);
}

void bench_document(void)
{
	bench_memory memory;
	unsigned long rounds = 0;
	lcowmig__buf document;
	double start, seconds;

	bench_memory_init(&memory);
	document_make(&document, &memory.mem);
	start = bench_seconds();
	do {
		document_patch(&memory.mem, &document);
		rounds++;
		seconds = bench_seconds() - start;
	} while (seconds < SECONDS);
	bench_print("patch an HCS document", (unsigned)document.size, seconds / (double)rounds * 1e6, "us");
	lcowmig__buf_done(&document);
}

void bench_document_once(void)
{
	bench_memory memory;
	lcowmig__buf document;

	bench_memory_init(&memory);
	document_make(&document, &memory.mem);
	document_patch(&memory.mem, &document);
	lcowmig__buf_done(&document);
}
