#include "arena.h"

#include <stdio.h>
#include <stdlib.h>

#include <cjson/cJSON.h>

#define ARENA_SIZE ((size_t)16 << 20)
#define N_CLASSES 96 /* steps of 16 bytes up to 1 KiB, then powers of two */

/* Before each piece; a free one is in the list of its class. */
typedef struct piece {
	size_t class;
	struct piece *next;
} piece;

typedef struct stretch {
	size_t used;
	piece *free[N_CLASSES];
} stretch;

struct arena_copy {
	size_t used, room;
	unsigned char *bytes;
	size_t n_trace;
	size_t n_steps;
	unsigned char model[offsetof(model, done)];
	test_done *done;
	uint16_t *pending;
};

static _Alignas(64) unsigned char memory[ARENA_SIZE];
static bool is_used;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *pointer, size_t size);
void __real_free(void *pointer);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *pointer, size_t size);
void __wrap_free(void *pointer);

/* ---- The allocator ---- */

static stretch *all(void)
{
	return (stretch *)(void *)memory;
}

static bool is_inside(const void *pointer)
{
	return (const unsigned char *)pointer >= memory && (const unsigned char *)pointer < memory + ARENA_SIZE;
}

static size_t class_of(size_t size)
{
	size_t class = 64;

	if (size <= 1024)
		return size ? (size - 1) / 16 : 0;
	while (size > (size_t)1024 << (class - 63))
		class ++;
	return class;
}

static size_t class_size(size_t class)
{
	return class < 64 ? (class + 1) * 16 : (size_t)1024 << (class - 63);
}

static void *take(size_t size)
{
	size_t class = class_of(size);
	stretch *a = all();
	piece *p;

	if (class >= N_CLASSES)
		return NULL;
	p = a->free[class];
	if (p) {
		a->free[class] = p->next;
		return p + 1;
	}
	if (ARENA_SIZE - a->used < sizeof *p + class_size(class))
		return NULL;
	p = (piece *)(void *)(memory + a->used);
	a->used += sizeof *p + class_size(class);
	p->class = class;
	return p + 1;
}

void *__wrap_malloc(size_t size)
{
	return is_used ? take(size) : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	void *pointer;

	if (!is_used)
		return __real_calloc(count, size);
	if (size && count > SIZE_MAX / size)
		return NULL;
	pointer = take(count * size);
	return pointer ? memset(pointer, 0, count * size) : NULL;
}

void __wrap_free(void *pointer)
{
	piece *p = (piece *)pointer - 1;

	if (!is_inside(pointer)) {
		__real_free(pointer);
		return;
	}
	p->next = all()->free[p->class];
	all()->free[p->class] = p;
}

void *__wrap_realloc(void *pointer, size_t size)
{
	size_t had;
	void *moved;

	if (pointer ? !is_inside(pointer) : !is_used)
		return __real_realloc(pointer, size);
	had = pointer ? class_size(((piece *)pointer - 1)->class) : 0;
	if (size <= had)
		return pointer;
	moved = take(size);
	if (moved && pointer) {
		memcpy(moved, pointer, had);
		__wrap_free(pointer);
	}
	return moved;
}

void arena_use(bool is_on)
{
	cJSON_Hooks hooks = { __wrap_malloc, __wrap_free };

	is_used = is_on;
	cJSON_InitHooks(is_on ? &hooks : NULL);
	memset(all(), 0, sizeof *all());
	all()->used = (sizeof *all() + 15) / 16 * 16;
}

/* ---- Copies ---- */

static void *must_allocate(size_t size)
{
	void *pointer = __real_calloc(1, size);

	ck_assert_ptr_nonnull(pointer);
	return pointer;
}

arena_copy *arena_copy_new(void)
{
	arena_copy *copy = must_allocate(sizeof *copy);

	copy->done = must_allocate(MODEL_MAX_STEPS * sizeof *copy->done);
	copy->pending = must_allocate(MODEL_MAX_STEPS * sizeof *copy->pending);
	return copy;
}

void arena_copy_free(arena_copy *copy)
{
	if (!copy)
		return;
	__real_free(copy->bytes);
	__real_free(copy->done);
	__real_free(copy->pending);
	__real_free(copy);
}

void arena_save(arena_copy *copy, const model *m)
{
	copy->used = all()->used;
	if (copy->room < copy->used) {
		__real_free(copy->bytes);
		copy->room = copy->used * 2;
		copy->bytes = must_allocate(copy->room);
	}
	memcpy(copy->bytes, memory, copy->used);
	copy->n_trace = trace_count();
	memcpy(copy->model, m, sizeof copy->model);
	copy->n_steps = m->n_steps;
	memcpy(copy->done, m->done, m->n_steps * sizeof *m->done);
	memcpy(copy->pending, m->pending, m->n_steps * sizeof *m->pending);
}

/* Beyond the steps that were made everything is zero. */
void arena_restore(const arena_copy *copy, model *m)
{
	memcpy(memory, copy->bytes, copy->used);
	trace_rewind(copy->n_trace);
	memset(m->done, 0, m->n_steps * sizeof *m->done);
	memset(m->pending, 0, m->n_steps * sizeof *m->pending);
	memcpy(m, copy->model, sizeof copy->model);
	memcpy(m->done, copy->done, m->n_steps * sizeof *m->done);
	memcpy(m->pending, copy->pending, m->n_steps * sizeof *m->pending);
}

size_t arena_size(const arena_copy *copy)
{
	return copy->used;
}
