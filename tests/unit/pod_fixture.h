/* What the programs about the pod controller share: real containers and a real network below it, and a scripted host. */
#ifndef TEST_POD_FIXTURE_H
#define TEST_POD_FIXTURE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "pod/private.h"

#define MAX_CONTAINERS 4

static test_host *host;
static lcowmig_scsi *scsi;
static unsigned scsi_asked;
static bool scsi_fails;
static lcowmig__container_vm for_containers;
static lcowmig_pod *pod;

static inline lcowmig_status give_scsi(void *user, lcowmig_scsi **ret_scsi, lcowmig_error *error)
{
	(void)user;
	scsi_asked++;
	if (scsi_fails)
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "there are no disks");
	*ret_scsi = scsi;
	return LCOWMIG_OK;
}

static inline void setup(void)
{
	host = test_host_new();
	ck_assert_int_eq(lcowmig__scsi_new(&host->env, 1, &scsi, NULL), LCOWMIG_OK);
	scsi_asked = 0;
	scsi_fails = false;
	for_containers.scsi = give_scsi;
	pod = NULL;
}

static inline void teardown(void)
{
	test_host_fail_allocation(host, 0, false);
	test_enter(host);
	lcowmig__pod_free(pod);
	lcowmig__scsi_free(scsi);
	test_leave(host);
	test_host_free(host);
}

static lcowmig__wire_process wire_processes[MAX_CONTAINERS];
static lcowmig__wire_container wire_containers[MAX_CONTAINERS];
static lcowmig__wire_endpoint wire_endpoint;

/* A saved pod "p1" with `count` containers p1, p1-b, p1-c …; the first is the sandbox container. */
static inline lcowmig__wire_pod wire_pod(size_t count)
{
	static const char *const ids[MAX_CONTAINERS] = { "p1", "p1-b", "p1-c", "p1-d" };
	lcowmig__wire_pod wire = { 0 };
	size_t i;

	for (i = 0; i < count; i++) {
		wire_processes[i] =
			(lcowmig__wire_process){ .exec_id = "", .pid = (int32_t)(101 + i), .bundle = "", .wait_call_id = (int64_t)(5 + i) };
		wire_containers[i] = (lcowmig__wire_container){ .container_id = ids[i],
								.gcs_container_id = ids[i],
								.rootfs_path = "",
								.processes = &wire_processes[i],
								.n_processes = 1 };
	}
	wire_endpoint = (lcowmig__wire_endpoint){ "6a3f6c57-6c0e-4a0e-9c5f-0c2f3b7e9c11", "e1", "00-15-5D-01-02-03", "source_eth0" };
	wire.pod_id = "p1";
	wire.gcs_pod_id = "guest-p1";
	wire.has_network = true;
	wire.network.namespace_id = "ns-source";
	wire.network.namespace_supported = true;
	wire.network.endpoints = &wire_endpoint;
	wire.network.n_endpoints = 1;
	wire.containers = wire_containers;
	wire.n_containers = count;
	return wire;
}

static inline void make_imported(size_t count)
{
	lcowmig__wire_pod wire = wire_pod(count);

	ck_assert_int_eq(lcowmig__pod_import(&host->env, &for_containers, &wire, &pod, NULL), LCOWMIG_OK);
}

static inline lcowmig_patch patch_of(const char *source, const char *id)
{
	lcowmig_patch patch = { .size = sizeof patch, .source_container_id = source, .container_id = id };

	patch.bundle = "bundle";
	patch.stdout_path = "out";
	patch.namespace_id = strcmp(source, "p1") == 0 ? "ns-here" : NULL;
	return patch;
}

static inline lcowmig_status patch(const char *source, const char *id, lcowmig_error *error)
{
	lcowmig_patch request = patch_of(source, id);

	return test_run(host, lcowmig__pod_patch_flow(pod, &request, NULL, NULL, NULL), NULL, error);
}

/* Every container, each to the id it has already. */
static inline void patch_all(void)
{
	lcowmig_container *list[MAX_CONTAINERS];
	size_t count = lcowmig_pod_list_containers(pod, list, MAX_CONTAINERS);
	size_t i;

	for (i = 0; i < count; i++)
		ck_assert_int_eq(patch(lcowmig_container_id(list[i]), lcowmig_container_id(list[i]), NULL), LCOWMIG_OK);
}

static inline lcowmig_status resume(bool is_destination, lcowmig_error *error)
{
	return test_run(host, lcowmig__pod_resume_flow(pod, is_destination, NULL), NULL, error);
}

/* A live pod with running containers, as after a migration to here. */
static inline void make_live(size_t count)
{
	make_imported(count);
	patch_all();
	ck_assert_int_eq(resume(true, NULL), LCOWMIG_OK);
	test_host_clear_log(host);
}

static inline void end_containers(size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		test_host_exit_process(host, (uint32_t)(101 + i), 0);
}

static inline lcowmig_status capture(lcowmig__wire_pod *wire, lcowmig__arena *arena, lcowmig_error *error)
{
	lcowmig_status status;

	test_enter(host);
	status = lcowmig__pod_capture(pod, arena, wire, error);
	test_leave(host);
	return status;
}

static inline lcowmig_status capture_and_forget(lcowmig_error *error)
{
	lcowmig__wire_pod wire;
	lcowmig__arena arena;
	lcowmig_status status;

	lcowmig__arena_init(&arena, &host->context->mem, 0);
	status = capture(&wire, &arena, error);
	lcowmig__arena_done(&arena);
	return status;
}

static inline void freeze(void)
{
	ck_assert_int_eq(capture_and_forget(NULL), LCOWMIG_OK);
	test_enter(host);
	lcowmig__pod_freeze(pod);
	test_leave(host);
}

static inline lcowmig_status new_container(const char *id, lcowmig_container **ret_container, lcowmig_error *error)
{
	lcowmig_status status;

	test_enter(host);
	status = lcowmig__pod_new_container(pod, id, ret_container, error);
	test_leave(host);
	return status;
}

#endif
