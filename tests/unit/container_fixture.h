/* What the programs about containers share: a container of pod "p1", with SCSI, Plan9 and vPCI on a scripted host. */
#ifndef TEST_CONTAINER_FIXTURE_H
#define TEST_CONTAINER_FIXTURE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container/container_private.h"
#include "host.h"

#define MODIFY(type, resource)                                                                                                             \
	"guest.rpc 0x10100a01 {\"ContainerId\":\"00000000-0000-0000-0000-000000000000\",\"ActivityId\":"                                   \
	"\"00000000-0000-0000-0000-000000000000\",\"Request\":{\"RequestType\":\"" type "\",\"ResourceType\":\"" resource "\""
#define GUEST_CREATE "guest.rpc 0x10100101 "
#define GUEST_START "guest.rpc 0x10100201 "
#define EXECUTE "guest.rpc 0x10100501 "
#define WAIT "guest.rpc 0x10100601 "
#define SIGNAL "guest.rpc 0x10100701 "
#define DELETE_STATE "guest.rpc 0x10100d01 "

#define SPEC_WITH(more)                                                                                                                    \
	"{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/pause\"],\"cwd\":\"/\"},\"root\":{\"path\":\"rootfs\"},\"linux\":{},"         \
	"\"annotations\":{\"io.kubernetes.cri.container-type\":\"container\",\"io.kubernetes.cri.sandbox-id\":\"pod\"}" more "}"
#define SPEC SPEC_WITH("")

static test_host *host;
static lcowmig_scsi *scsi;
static lcowmig_plan9 *plan9;
static lcowmig_vpci *vpci;
static bool scratch_is_encrypted;
static bool vm_is_gone;
static bool plan9_is_gone;
static bool vpci_is_gone;
static lcowmig_container *container;
static lcowmig_error error = LCOWMIG_ERROR_INIT;

/* ---- The machine ---- */

static lcowmig_status vm_scsi(void *user, lcowmig_scsi **ret_scsi, lcowmig_error *ret_error)
{
	if (vm_is_gone)
		return lcowmig__fail(ret_error, LCOWMIG_E_UNAVAILABLE, "the machine is gone");
	*ret_scsi = scsi;
	return LCOWMIG_OK;
}

static lcowmig_status vm_plan9(void *user, lcowmig_plan9 **ret_plan9, lcowmig_error *ret_error)
{
	if (plan9_is_gone)
		return lcowmig__fail(ret_error, LCOWMIG_E_UNAVAILABLE, "its Plan9 server is gone");
	*ret_plan9 = plan9;
	return LCOWMIG_OK;
}

static lcowmig_status vm_vpci(void *user, lcowmig_vpci **ret_vpci, lcowmig_error *ret_error)
{
	if (vpci_is_gone)
		return lcowmig__fail(ret_error, LCOWMIG_E_UNAVAILABLE, "its vPCI bus is gone");
	*ret_vpci = vpci;
	return LCOWMIG_OK;
}

static bool vm_scratch_encryption(void *user)
{
	return scratch_is_encrypted;
}

static const lcowmig__container_vm vm = { NULL, vm_scsi, vm_plan9, vm_vpci, vm_scratch_encryption };

/* ---- Life of the fixture ---- */

static lcowmig_container *make(const char *id)
{
	lcowmig_container *made;

	ck_assert_int_eq(lcowmig__container_new(&host->env, &vm, "p1", id, &made, &error), LCOWMIG_OK);
	return made;
}

static void replace(lcowmig_container *other)
{
	test_enter(host);
	lcowmig__container_free(container);
	test_leave(host);
	container = other;
}

static void make_controllers(void)
{
	ck_assert_int_eq(lcowmig__scsi_new(&host->env, 2, &scsi, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig__plan9_new(&host->env, false, &plan9, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig__vpci_new(&host->env, &vpci, &error), LCOWMIG_OK);
}

static void free_controllers(void)
{
	test_enter(host);
	lcowmig__scsi_free(scsi);
	lcowmig__plan9_free(plan9);
	lcowmig__vpci_free(vpci);
	test_leave(host);
}

static void setup(void)
{
	host = test_host_new();
	scratch_is_encrypted = false;
	vm_is_gone = false;
	plan9_is_gone = false;
	vpci_is_gone = false;
	make_controllers();
	container = make("c1");
}

static void teardown(void)
{
	replace(NULL);
	free_controllers();
	test_host_free(host);
}

/* Everything anew, the controllers too. */
static inline void start_over(void)
{
	replace(NULL);
	free_controllers();
	make_controllers();
	container = make("c1");
}

/* ---- What the tests do again and again ---- */

static inline lcowmig_status create_with(const char *spec, const char *rootfs_options)
{
	const char *const options[] = { rootfs_options };
	const lcowmig_rootfs_mount rootfs = { "lcow-layer", "C:\\scratch", NULL, options, 1 };
	lcowmig_container_options given = LCOWMIG_CONTAINER_OPTIONS_INIT;

	given.oci_spec = spec;
	given.oci_spec_size = strlen(spec);
	given.rootfs = rootfs_options ? &rootfs : NULL;
	given.n_rootfs = rootfs_options ? 1 : 0;
	given.bundle = "C:\\bundle";
	given.stdout_path = "out";
	return lcowmig_container_create(container, &given, NULL, NULL, &error);
}

static inline lcowmig_status create(void)
{
	return create_with(SPEC, "parentLayerPaths=[\"C:\\\\l2\",\"C:\\\\l1\"]");
}

static inline lcowmig_status start(void)
{
	return lcowmig_container_start(container, NULL, NULL, &error);
}

static inline lcowmig_status delete (const char *exec_id, lcowmig_exit *ret_exit)
{
	return lcowmig_container_delete(container, exec_id, ret_exit, NULL, NULL, &error);
}

static inline lcowmig_status kill_it(const char *exec_id, uint32_t signal, bool all)
{
	return lcowmig_container_kill(container, exec_id, signal, all, NULL, NULL, &error);
}

static inline lcowmig_process *exec(const char *exec_id)
{
	lcowmig_process_options given = LCOWMIG_PROCESS_OPTIONS_INIT;
	lcowmig_process *process = NULL;

	given.stdout_path = "out";
	given.process_spec = "{\"args\":[\"/bin/sh\"]}";
	ck_assert_int_eq(lcowmig_container_exec(container, exec_id, &given, &process, NULL, NULL, &error), LCOWMIG_OK);
	return process;
}

static inline size_t save(uint8_t *bytes, size_t capacity)
{
	size_t size = 0;

	ck_assert_int_eq(lcowmig_container_save(container, bytes, capacity, &size, &error), LCOWMIG_OK);
	return size;
}

static inline lcowmig_status import(const uint8_t *bytes, size_t size, lcowmig_container **ret_container)
{
	lcowmig__wire_container wire;
	lcowmig__arena arena;
	lcowmig_status status;

	lcowmig__arena_init(&arena, &host->context->mem, 0);
	test_enter(host);
	status = lcowmig__wire_decode_container(&arena, &host->context->limits, bytes, size, &wire, &error);
	if (status == LCOWMIG_OK)
		status = lcowmig__container_import(&host->env, &vm, "p1", &wire, ret_container, &error);
	test_leave(host);
	lcowmig__arena_done(&arena);
	return status;
}

/* The other side's SCSI controller, with the disks that ours has. */
static inline void become_destination_scsi(void)
{
	lcowmig__wire_scsi wire;
	lcowmig__arena arena;
	lcowmig_scsi *imported;

	lcowmig__arena_init(&arena, &host->context->mem, 0);
	test_enter(host);
	ck_assert_int_eq(lcowmig__scsi_capture(scsi, &arena, &wire, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig__scsi_import(&host->env, &wire, &imported, &error), LCOWMIG_OK);
	lcowmig__scsi_free(scsi);
	test_leave(host);
	scsi = imported;
	lcowmig__arena_done(&arena);
}

#define SPEC_WITH_DISK SPEC_WITH(",\"mounts\":[{\"type\":\"virtual-disk\",\"source\":\"C:\\\\data.vhdx\",\"destination\":\"/data\"}]")

/* A container with two layers, scratch and a further disk, as it arrives on another machine; its SCSI controller with it. */
static inline void become_imported(void)
{
	static uint8_t bytes[8192];
	lcowmig_container *imported;
	size_t size;

	ck_assert_int_eq(create_with(SPEC_WITH_DISK, "parentLayerPaths=[\"C:\\\\l2\",\"C:\\\\l1\"]"), LCOWMIG_OK);
	ck_assert_int_eq(start(), LCOWMIG_OK);
	size = save(bytes, sizeof bytes);
	ck_assert_int_eq(import(bytes, size, &imported), LCOWMIG_OK);
	become_destination_scsi();
	replace(imported);
}

static inline void become_invalid(void)
{
	test_host_fail(host, "hcs.grant_access", 1, LCOWMIG_E_HOST_FAILED, 5, "no");
	ck_assert_int_eq(create(), LCOWMIG_E_HOST_FAILED);
}

static inline void become(int state)
{
	uint8_t bytes[8192];

	switch (state) {
	case CONTAINER_NOT_CREATED:
		break;
	case CONTAINER_INVALID:
		become_invalid();
		break;
	case CONTAINER_DESTINATION_MIGRATING:
		become_imported();
		break;
	default:
		ck_assert_int_eq(create(), LCOWMIG_OK);
		if (state != CONTAINER_CREATED)
			ck_assert_int_eq(start(), LCOWMIG_OK);
		if (state == CONTAINER_STOPPED)
			test_host_exit_process(host, 101, 3);
		if (state == CONTAINER_SOURCE_MIGRATING)
			save(bytes, sizeof bytes);
		break;
	}
	ck_assert_int_eq(container->object.state, state);
	test_host_clear_log(host);
}

#define assert_state(name) ck_assert_str_eq(lcowmig_container_state_name(container), name)
#define assert_says(text) ck_assert_msg(strstr(error.message, text) != NULL, "\"%s\" does not say %s", error.message, text)
#define assert_logged(text) ck_assert_msg(strstr(test_host_log(host), text) != NULL, "%s is not in\n%s", text, test_host_log(host))
#define assert_not_logged(text) ck_assert_msg(strstr(test_host_log(host), text) == NULL, "%s is in\n%s", text, test_host_log(host))

/* The disks and mounts that are left; 0 once everything was given back. */
static unsigned n_disks;

static inline void note_disk_left(void *user, uint32_t slot, const lcowmig_disk_config *disk)
{
	n_disks++;
}

static inline unsigned disks_left(void)
{
	n_disks = 0;
	lcowmig__scsi_each_disk(scsi, note_disk_left, NULL);
	return n_disks;
}

/* Checks the order in which texts appear in the log. */
static inline void assert_order(const char *const *texts, size_t count)
{
	const char *place = test_host_log(host);
	size_t i;

	for (i = 0; i < count; i++) {
		place = strstr(place, texts[i]);
		ck_assert_msg(place != NULL, "%s is missing or too early in\n%s", texts[i], test_host_log(host));
		place++;
	}
}

#define ASSERT_ORDER(...)                                                                                                                  \
	do {                                                                                                                               \
		const char *const texts_[] = { __VA_ARGS__ };                                                                              \
		assert_order(texts_, LCOWMIG__COUNT(texts_));                                                                              \
	} while (0)

#endif
