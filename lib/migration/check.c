/* What speaks against an export: asked of every part, all of it in one answer, nothing changed. */
#include <stddef.h>
#include <string.h>

#include "migration.h"

static void reason_append(void *user, const char *reason)
{
	lcowmig__buf_append(user, reason, strlen(reason) + 1);
}

/* Members of the host's HCS ops without which a migration could not be finished. */
static const struct {
	const char *name;
	size_t at;
} needed[] = {
#define NEEDED(member) { #member, offsetof(lcowmig_hcs_ops, member) }
	NEEDED(initialize_migration), NEEDED(start_migration), NEEDED(transfer), NEEDED(finalize_migration), NEEDED(cancel_migration),
	NEEDED(properties),
#undef NEEDED
};

static void check_host(const lcowmig__env *env, lcowmig__buf *texts)
{
	void (*member)(void);
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(needed); i++) {
		memcpy(&member, (const char *)&env->hcs + needed[i].at, sizeof member);
		if (member)
			continue;
		lcowmig__buf_printf(texts, "the host's HCS ops have no %s", needed[i].name);
		lcowmig__buf_append(texts, "", 1);
	}
	if (!env->socket.adopt || !env->socket.close)
		reason_append(texts, "the host's socket ops have no adopt and close");
}

/* All reasons as NUL-terminated texts one behind the other. */
static size_t reasons_collect(const lcowmig_migration *m, lcowmig__buf *texts)
{
	const lcowmig_sandbox *sandbox = m->sandbox;
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	const lcowmig_pod *pod;
	size_t count = 0;
	size_t at;

	check_host(&sandbox->env, texts);
	if (lcowmig__object_check_idle(&sandbox->object, &error) != LCOWMIG_OK)
		reason_append(texts, error.message);
	lcowmig__vm_check(sandbox->vm, reason_append, texts);
	for (pod = lcowmig__sandbox_next_pod(sandbox, NULL); pod; pod = lcowmig__sandbox_next_pod(sandbox, pod))
		lcowmig__pod_check(pod, reason_append, texts);
	for (at = 0; at < texts->size; at++)
		count += texts->data[at] == '\0';
	return count;
}

/* As many reasons as fit into one sentence. */
static lcowmig_status reasons_fail(const lcowmig_migration *m, lcowmig__buf *texts, size_t count, lcowmig_error *error)
{
	size_t i;

	if (texts->failed)
		return lcowmig__fail_memory(error);
	if (!count)
		return LCOWMIG_OK;
	for (i = 0; i + 1 < texts->size; i++)
		if (texts->data[i] == '\0')
			texts->data[i] = ';';
	return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "sandbox %s cannot migrate, %zu reason%s: %s",
			     m->sandbox->object.id, count, count == 1 ? "" : "s", texts->data);
}

lcowmig_status lcowmig__migration_check_reasons(const lcowmig_migration *m, lcowmig_error *error)
{
	lcowmig_status status;
	lcowmig__buf texts;
	size_t count;

	lcowmig__buf_init(&texts, &m->object.context->mem);
	count = reasons_collect(m, &texts);
	status = reasons_fail(m, &texts, count, error);
	lcowmig__buf_done(&texts);
	return status;
}

lcowmig_status lcowmig_migration_check(lcowmig_migration *m, lcowmig_reason_fn report, void *user, lcowmig_error *error)
{
	lcowmig_status status;
	lcowmig__buf texts;
	const char *text;
	size_t count;
	size_t i;

	if (!m)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "check: migration is NULL");
	lcowmig__buf_init(&texts, &m->object.context->mem);
	lcowmig__lock_take(&m->object.context->lock);
	count = reasons_collect(m, &texts);
	lcowmig__lock_drop(&m->object.context->lock);
	text = texts.data;
	for (i = 0; report && !texts.failed && i < count; i++, text += strlen(text) + 1)
		report(user, text);
	lcowmig__lock_take(&m->object.context->lock); /* an import may be naming the sandbox */
	status = reasons_fail(m, &texts, count, error);
	lcowmig__lock_drop(&m->object.context->lock);
	lcowmig__buf_done(&texts);
	return status;
}
