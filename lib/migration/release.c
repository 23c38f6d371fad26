/* Giving the right to run the sandbox away. */
#include "migration.h"

static lcowmig_status release_check(const lcowmig_migration *m, const char *session_id, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__session_check_call(m, session_id, LCOWMIG__MIGRATION_RELEASE, error);

	if (status != LCOWMIG_OK)
		return status;
	if (m->resume_begun)
		return lcowmig__session_refuse(m, ": the sandbox runs here or may run here; its right cannot be given away", error);
	if (!lcowmig__session_is_source(m))
		return LCOWMIG_OK;
	if (!m->transfer_done)
		return lcowmig__session_refuse(m, ": the source keeps the right, because its transfer has not completed", error);
	/* Given to a destination that cannot run any more it would be lost: that one has nothing newer to say. */
	if (lcowmig__right_is_held(&m->right) && m->right.epoch)
		return lcowmig__session_refuse(
			m, ": the destination has given the right back for this session; expected the source to resume or stop", error);
	return LCOWMIG_OK;
}

lcowmig_status lcowmig_migration_release(lcowmig_migration *m, const char *session_id, uint8_t *buffer, size_t size, size_t *ret_size,
					 lcowmig_error *error)
{
	uint8_t token[LCOWMIG__TOKEN_SIZE];
	lcowmig_status status;
	lcowmig__pump pump;
	bool held;

	if (!m || !ret_size || (!buffer && size))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "release: migration, buffer and ret_size are required");
	lcowmig__enter(m->object.context, &pump);
	held = lcowmig__right_is_held(&m->right);
	status = release_check(m, session_id, error);
	if (status == LCOWMIG_OK && buffer && size >= sizeof token) {
		status = lcowmig__right_release(&m->right, token, error);
		if (status == LCOWMIG_OK)
			lcowmig__object_fire(&m->object, LCOWMIG__MIGRATION_RELEASE);
		if (status == LCOWMIG_OK && held) {
			lcowmig__timeline_mark(&m->timeline, LCOWMIG__SPAN_RELEASE);
			lcowmig__session_step(m, LCOWMIG_STEP_RELEASED, 0, 0, NULL);
		}
	}
	if (status == LCOWMIG_OK)
		status = lcowmig__session_copy_out("release", token, sizeof token, buffer, size, ret_size, error);
	return lcowmig__leave_object(m, &pump, status);
}
