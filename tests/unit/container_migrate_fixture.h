/* What the programs about the migration of a container share: patches with their commit, and roads into the states on the destination. */
#ifndef TEST_CONTAINER_MIGRATE_FIXTURE_H
#define TEST_CONTAINER_MIGRATE_FIXTURE_H

#include "container_fixture.h"
#include "process/process_private.h"

static inline lcowmig_status resume(bool is_destination)
{
	return lcowmig_container_resume(container, is_destination, NULL, NULL, &error);
}

static inline void abort_container(void)
{
	test_enter(host);
	lcowmig__container_abort(container);
	test_leave(host);
}

static const char *const layer_options[] = { "parentLayerPaths=[\"D:\\\\n2\",\"D:\\\\n1\"]" };
static const lcowmig_rootfs_mount new_rootfs = { "lcow-layer", "D:\\new", NULL, layer_options, 1 };
static const lcowmig_disk_patch new_disk = { "C:\\data.vhdx", "D:\\data.vhdx" };

static inline lcowmig_patch patch_options(void)
{
	lcowmig_patch patch = LCOWMIG_PATCH_INIT;

	patch.source_container_id = "c1";
	patch.container_id = "n1";
	patch.rootfs = &new_rootfs;
	patch.n_rootfs = 1;
	patch.disks = &new_disk;
	patch.n_disks = 1;
	patch.bundle = "D:\\bundle";
	patch.stdout_path = "newout";
	return patch;
}

static int commits;
static lcowmig_status commit_says;

static inline lcowmig_status on_commit(void *user, lcowmig_container *committed, const char *new_id, lcowmig_error *ret_error)
{
	ck_assert_ptr_eq(user, &commits);
	ck_assert_ptr_eq(committed, container);
	ck_assert_str_ne(lcowmig__container_id(committed), new_id);
	commits++;
	return commit_says == LCOWMIG_OK ? LCOWMIG_OK : lcowmig__fail(ret_error, commit_says, "the pod says no");
}

static inline lcowmig_status patch_with(const lcowmig_patch *patch)
{
	return test_run(host, lcowmig__container_patch_flow(container, patch, on_commit, &commits, &error), NULL, &error);
}

static inline lcowmig_status patch(void)
{
	const lcowmig_patch given = patch_options();

	return patch_with(&given);
}

/* The host paths of all disks, in slot order. */
static char paths[1024];

static inline void note_path(void *user, uint32_t slot, const lcowmig_disk_config *disk)
{
	strcat(strcat(paths, disk->host_path), " ");
}

static inline const char *disk_paths(void)
{
	paths[0] = '\0';
	lcowmig__scsi_each_disk(scsi, note_path, NULL);
	return paths;
}

static inline void become_ready(void)
{
	become_imported();
	test_host_clear_log(host);
	commits = 0;
	commit_says = LCOWMIG_OK;
}

static inline void become_patched(void)
{
	become_ready();
	ck_assert_int_eq(patch(), LCOWMIG_OK);
	test_host_clear_log(host);
}

#endif
