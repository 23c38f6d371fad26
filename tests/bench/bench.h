/* Figures, one JSON line each: {"name":…,"n":…,"value":…,"unit":…}. Times are printed and never asserted. */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>

#include "wire/wire.h"

/* A function of its own, so that an instruction counter can find it. clang never clones and does not know the word. */
#ifdef __clang__
#define BENCH_PART __attribute__((noinline))
#else
#define BENCH_PART __attribute__((noinline, noclone))
#endif

void bench_print(const char *name, unsigned n, double value, const char *unit);
double bench_seconds(void); /* of processor time: whatever else the machine does counts for nobody */

/* Memory that counts. */
typedef struct bench_memory {
	lcowmig__mem mem;
	unsigned long allocations;
	size_t now;
	size_t peak;
} bench_memory;
void bench_memory_init(bench_memory *memory);

/* A sandbox of one pod with `n` containers of about 900 bytes each. Freed with the arena. */
void bench_sandbox(lcowmig__arena *arena, unsigned n, lcowmig__wire_sandbox *ret_sandbox);

void bench_wire(unsigned n);
void bench_document(void);
void bench_session(unsigned n);
void bench_bridge(void);

/* One round each, printing nothing. */
void bench_wire_once(unsigned n);
void bench_document_once(void);
void bench_session_once(unsigned n);
void bench_bridge_once(unsigned n);

#endif
