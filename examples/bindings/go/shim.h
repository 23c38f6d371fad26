/*
 * What cgo cannot do itself: fill vtables with C functions, use initialisers that are macros, and pass structs that hold pointers. `user` is a cgo.Handle.
 */
#ifndef SHIM_H
#define SHIM_H

#include <lcowmig/lcowmig.h>

/* The entries of computecore.dll, for goHCS. */
enum shim_hcs {
	SHIM_CREATE,
	SHIM_START,
	SHIM_TERMINATE,
	SHIM_CLOSE,
	SHIM_MODIFY,
	SHIM_PROPERTIES,
	SHIM_INITIALIZE_MIGRATION,
	SHIM_START_MIGRATION,
	SHIM_TRANSFER,
	SHIM_FINALIZE_MIGRATION,
	SHIM_CANCEL_MIGRATION,
	SHIM_GRANT_ACCESS
};

lcowmig_error shim_error(void);

/* `id` NULL: a sandbox that will import. */
lcowmig_status shim_sandbox_new(lcowmig_context *context, uintptr_t user, const char *id, lcowmig_sandbox **ret_sandbox, lcowmig_error *error);
/* Says that the machine has ended. */
void shim_tell_exit(lcowmig_sandbox *sandbox);

/* A container with a scratch disk and partitioned layers, created and started. */
lcowmig_status shim_run(lcowmig_pod *pod, const char *id, const char *specification, const char *scratch, const char *layers,
                        lcowmig_error *error);
lcowmig_status shim_import(lcowmig_migration *migration, const char *session, const char *id, const void *envelope, size_t size,
                           lcowmig_error *error);
lcowmig_status shim_patch(lcowmig_migration *migration, const char *source_id, const char *id, const char *namespace_id, const char *scratch,
                          const char *layers, lcowmig_error *error);
lcowmig_status shim_finalize(lcowmig_migration *migration, const char *session, lcowmig_finalize_action action, const void *token, size_t size,
                             lcowmig_error *error);
/* NOT_FOUND when the slot is empty; the path is borrowed. */
lcowmig_status shim_disk(lcowmig_scsi *scsi, uint32_t slot, const char **ret_path, bool *ret_read_only);

#endif
