/*
 * Import: check the bytes, ask the host's policy, and then build everything in one step that leaves nothing behind when it fails. The first
 * two run without the lock, so the state is asked before and after.
 */
#include <string.h>

#include "base/text.h"
#include "engine/abi.h"
#include "migration.h"

static lcowmig_status import_check_state(const lcowmig_migration *m, const lcowmig_import_options *options, lcowmig_error *error)
{
	const lcowmig_sandbox *sandbox = m->sandbox;
	lcowmig_status status = lcowmig__object_check(&m->object, LCOWMIG__MIGRATION_IMPORT, error);

	if (status == LCOWMIG_OK)
		status = lcowmig__session_check_quiet(m, error); /* a source is being prepared */
	if (status == LCOWMIG_OK && sandbox->id && strcmp(sandbox->id, options->sandbox_id) != 0)
		status = lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "import: the sandbox is %s, not %s", sandbox->id,
				       options->sandbox_id);
	if (status == LCOWMIG_OK && lcowmig__vm_get_state(sandbox->vm) != LCOWMIG__VM_NOT_CREATED)
		status = lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "import: the virtual machine is %s, expected NotCreated",
				       lcowmig__vm_state_name(sandbox->vm));
	return status;
}

/* Puts the pods [0, n_added) back out of the sandbox. */
static void import_remove(lcowmig_sandbox *sandbox, const lcowmig__wire_sandbox *wire, size_t n_added)
{
	while (n_added-- > 0)
		lcowmig__sandbox_remove_pod(sandbox, lcowmig__sandbox_find_pod(sandbox, wire->pods[n_added].pod_id));
}

static lcowmig_status import_pods(lcowmig_sandbox *sandbox, const lcowmig__wire_sandbox *wire, lcowmig_error *error)
{
	lcowmig_status status = LCOWMIG_OK;
	lcowmig_pod *pod;
	size_t i;

	for (i = 0; i < wire->n_pods; i++) {
		status = lcowmig__pod_import(&sandbox->env, lcowmig__vm_for_containers(sandbox->vm), &wire->pods[i], &pod, error);
		if (status != LCOWMIG_OK)
			break;
		status = lcowmig__sandbox_add_pod(sandbox, pod, error);
		if (status != LCOWMIG_OK) {
			lcowmig__pod_free(pod);
			break;
		}
	}
	if (status != LCOWMIG_OK)
		import_remove(sandbox, wire, i);
	return status;
}

/* Notes a container, so that it can be patched once and, if need be, again. False: no memory. */
static bool import_note(lcowmig_migration *m, const char *id)
{
	const lcowmig__mem *mem = &m->object.context->mem;
	lcowmig__imported *imported = lcowmig__alloc(mem, sizeof *imported);

	if (!imported)
		return false;
	imported->source_id = lcowmig__strdup(mem, id);
	if (!imported->source_id) {
		lcowmig__free(mem, imported);
		return false;
	}
	imported->container = lcowmig__sandbox_find(m->sandbox, id)->container; /* the index has all of them, each once */
	lcowmig__tree_insert(&m->imported, imported->source_id, &imported->node);
	m->n_pending++;
	return true;
}

static lcowmig_status import_note_pending(lcowmig_migration *m, const lcowmig__wire_sandbox *wire, lcowmig_error *error)
{
	size_t i, j;

	for (i = 0; i < wire->n_pods; i++)
		for (j = 0; j < wire->pods[i].n_containers; j++)
			if (!import_note(m, wire->pods[i].containers[j].container_id))
				return lcowmig__fail_memory(error);
	return LCOWMIG_OK;
}

/*
 * Every chunk holds some 64 containers, the first one the machine's part too. What they cost was measured (docs/performance.md): a guess that
 * is too low makes a small chunk more, one that is too high leaves the end of the last chunk empty.
 */
#define IMPORT_CHUNK_CONTAINERS 64u
#define IMPORT_CONTAINER_BYTES 1232u
#define IMPORT_MACHINE_BYTES 2500u
/* What is decoded takes half of an envelope in structs; its texts have a place of their own. */
#define IMPORT_STRUCTS_PART 2

static void import_open_heap(lcowmig_context *context, const lcowmig__wire_sandbox *wire)
{
	size_t expected, n = 0;
	size_t i;

	for (i = 0; i < wire->n_pods; i++)
		n += wire->pods[i].n_containers;
	expected = n * IMPORT_CONTAINER_BYTES + IMPORT_MACHINE_BYTES;
	lcowmig__heap_open(&context->heap, expected / (n / IMPORT_CHUNK_CONTAINERS + 1), expected);
}

/* What comes after the pods, which it takes back when it fails. */
static lcowmig_status import_rest(lcowmig_migration *m, const lcowmig__wire_sandbox *wire, lcowmig_error *error)
{
	lcowmig_status status = import_note_pending(m, wire, error);

	if (status == LCOWMIG_OK)
		status = lcowmig__vm_import(m->sandbox->vm, &wire->vm, error);
	if (status != LCOWMIG_OK)
		import_remove(m->sandbox, wire, wire->n_pods);
	return status;
}

/* The virtual machine comes last, because it cannot be taken back. */
static lcowmig_status import_fill(lcowmig_migration *m, const lcowmig_import_options *options, const lcowmig__wire_sandbox *wire,
				  lcowmig_error *error)
{
	lcowmig_sandbox *sandbox = m->sandbox;
	char *id = sandbox->id ? NULL : lcowmig__strdup(&m->object.context->mem, options->sandbox_id);
	lcowmig_status status = sandbox->id || id ? LCOWMIG_OK : lcowmig__fail_memory(error);

	if (status == LCOWMIG_OK)
		status = lcowmig__session_open(m, options->session_id, LCOWMIG_ORIGIN_DESTINATION, error);
	if (status != LCOWMIG_OK)
		goto no_session;
	lcowmig__timeline_begin(&m->timeline, LCOWMIG__SPAN_IMPORT, NULL);
	status = import_pods(sandbox, wire, error);
	if (status == LCOWMIG_OK)
		status = import_rest(m, wire, error);
	if (status != LCOWMIG_OK)
		goto no_pods;
	if (id) {
		sandbox->id = id;
		sandbox->object.id = id;
	}
	lcowmig__right_bind(&m->right, wire->vm.vm_id, options->envelope, options->envelope_size);
	lcowmig__object_fire(&m->object, LCOWMIG__MIGRATION_IMPORT);
	lcowmig__timeline_end(&m->timeline, LCOWMIG__SPAN_IMPORT);
	lcowmig__session_step(m, LCOWMIG_STEP_IMPORTED, m->n_pending, m->n_pending, NULL);
	return LCOWMIG_OK;

no_pods:
	lcowmig__session_close(m);
no_session:
	lcowmig__free(&m->object.context->mem, id);
	return status;
}

/* Under the lock from begin to end: nobody sees a half of it. */
static lcowmig_status import_build(lcowmig_migration *m, const lcowmig_import_options *options, const lcowmig__wire_sandbox *wire,
				   lcowmig_error *error)
{
	lcowmig_status status;

	import_open_heap(m->object.context, wire);
	status = import_fill(m, options, wire, error);
	lcowmig__heap_close(&m->object.context->heap);
	return status;
}

static lcowmig_status import_check_envelope(const lcowmig_import_options *options, lcowmig_error *error)
{
	const char *problem = NULL;

	if (options->envelope && options->n_pieces)
		problem = "the envelope is given both whole and in pieces";
	else if (!options->n_pieces && (!options->envelope || !options->envelope_size))
		problem = "the envelope is absent";
	else if (options->n_pieces && !options->pieces)
		problem = "the pieces are absent";
	if (problem)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "import: %s", problem);
	for (size_t i = 0; i < options->n_pieces; i++)
		if (options->pieces[i].size && !options->pieces[i].data)
			return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "import: piece %zu of the envelope is absent", i);
	return LCOWMIG_OK;
}

static lcowmig_status import_check_options(const lcowmig_migration *m, const lcowmig_import_options *options, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__session_check_id(m, "session id", options->session_id, error);

	if (status == LCOWMIG_OK)
		status = lcowmig__session_check_id(m, "sandbox id", options->sandbox_id, error);
	return status == LCOWMIG_OK ? import_check_envelope(options, error) : status;
}

/* The pieces as one, in `options`; `ret_joined` is what must be freed afterwards. The limit is asked before anything is allocated. */
static lcowmig_status import_join(const lcowmig_migration *m, lcowmig_import_options *options, uint8_t **ret_joined, lcowmig_error *error)
{
	size_t limit = m->object.context->limits.envelope_bytes;
	size_t size = 0;
	uint8_t *joined;

	if (!options->n_pieces)
		return LCOWMIG_OK;
	for (size_t i = 0; i < options->n_pieces; i++) {
		if (options->pieces[i].size > limit - size)
			return lcowmig__fail(error, LCOWMIG_E_LIMIT_EXCEEDED, "sandbox: the pieces have more than the %zu bytes that are accepted",
					     limit);
		size += options->pieces[i].size;
	}
	if (!size)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "import: the envelope is absent");
	joined = lcowmig__alloc(&m->object.context->mem, size);
	if (!joined)
		return lcowmig__fail_memory(error);
	*ret_joined = joined;
	options->envelope = joined;
	options->envelope_size = size;
	for (size_t i = 0; i < options->n_pieces; i++) {
		if (options->pieces[i].size)
			memcpy(joined, options->pieces[i].data, options->pieces[i].size);
		joined += options->pieces[i].size;
	}
	return LCOWMIG_OK;
}

static lcowmig_status import_locked(lcowmig_migration *m, const lcowmig_import_options *options, const lcowmig__wire_sandbox *wire,
				    lcowmig_error *error)
{
	lcowmig__pump pump;
	lcowmig_status status;

	lcowmig__enter(m->object.context, &pump);
	status = import_check_state(m, options, error);
	if (status == LCOWMIG_OK && wire)
		status = import_build(m, options, wire, error);
	return lcowmig__leave_object(m, &pump, status);
}

/* Reads the envelope, asks what the host thinks of it, and builds. */
static lcowmig_status import_envelope(lcowmig_migration *m, const lcowmig_import_options *options, lcowmig_error *error)
{
	const lcowmig_limits *limits = &m->object.context->limits;
	lcowmig__wire_sandbox wire;
	lcowmig__texts texts;
	lcowmig_status status;
	lcowmig__arena arena;

	lcowmig__arena_init(&arena, &m->object.context->mem, options->envelope_size / IMPORT_STRUCTS_PART);
	lcowmig__texts_init(&texts, &m->object.context->heap, options->envelope_size);
	arena.texts = &texts;
	status = lcowmig__wire_decode_sandbox(&arena, limits, options->envelope, options->envelope_size, &wire, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__import_vet(limits, &wire, options->policy, options->policy_user, error);
	if (status == LCOWMIG_OK)
		status = import_locked(m, options, &wire, error);
	lcowmig__arena_done(&arena);
	lcowmig__texts_done(&texts);
	return status;
}

lcowmig_status lcowmig_migration_import(lcowmig_migration *m, const lcowmig_import_options *given, lcowmig_error *error)
{
	lcowmig_import_options options;
	uint8_t *joined = NULL;
	lcowmig_status status;

	if (!m)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "import: migration is NULL");
	status = LCOWMIG__COPY_SIZED("lcowmig_import_options", &options, given, n_pieces, error);
	if (status == LCOWMIG_OK)
		status = import_check_options(m, &options, error);
	if (status == LCOWMIG_OK)
		status = import_locked(m, &options, NULL, error);
	if (status == LCOWMIG_OK)
		status = import_join(m, &options, &joined, error);
	if (status == LCOWMIG_OK)
		status = import_envelope(m, &options, error);
	lcowmig__free(&m->object.context->mem, joined);
	return status;
}
