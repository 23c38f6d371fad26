/* lib/hcs: OCI specs, rootfs layers, guest paths, HCN endpoints. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "hcs/documents.h"
#include "hcs/endpoint.h"
#include "hcs/guest_paths.h"
#include "hcs/oci.h"
#include "hcs/oci_parts.h"

/* One counter for the library's allocations and for cJSON's, so that each can be made to fail. */
static int fail_at; /* counts down; 0: never */
static int out;

static void *count_malloc(size_t size)
{
	void *pointer;

	if (fail_at && --fail_at == 0)
		return NULL;
	pointer = malloc(size);
	out += pointer != NULL;
	return pointer;
}

static void count_free(void *pointer)
{
	out -= pointer != NULL;
	free(pointer);
}

static bool has_no_blocks; /* for the arena; cJSON's memory is not meant */

static void *mem_allocate(void *user, size_t size)
{
	(void)user;
	return has_no_blocks ? NULL : count_malloc(size);
}

static void mem_release(void *user, void *pointer)
{
	(void)user;
	count_free(pointer);
}

static const lcowmig__mem mem = { mem_allocate, mem_release, NULL };
static lcowmig_limits limits;
static lcowmig__arena arena;
static lcowmig_error error;

static void setup(void)
{
	cJSON_Hooks hooks = { count_malloc, count_free };

	cJSON_InitHooks(&hooks);
	fail_at = 0;
	out = 0;
	memset(&limits, 0, sizeof limits);
	limits.document_bytes = LCOWMIG_LIMIT_DOCUMENT_BYTES;
	limits.json_depth = LCOWMIG_LIMIT_JSON_DEPTH;
	limits.json_values = LCOWMIG_LIMIT_JSON_VALUES;
	limits.path_bytes = 64;
	limits.id_bytes = 48;
	limits.mount_options = 3;
	limits.layers = 3;
	limits.endpoints = 3;
	lcowmig__arena_init(&arena, &mem, 64);
	lcowmig__error_init(&error);
}

static void teardown(void)
{
	lcowmig__arena_done(&arena);
	ck_assert_int_eq(out, 0);
	cJSON_InitHooks(NULL);
}

static cJSON *parse(const char *text)
{
	cJSON *spec = NULL;

	lcowmig__oci_parse(&limits, text, strlen(text), &spec, &error);
	ck_assert_msg(spec != NULL, "%s: %s", text, error.message);
	return spec;
}

static void expect_json(const cJSON *tree, const char *expected)
{
	char *text = lcowmig__json_print(&mem, tree);

	ck_assert_str_eq(text, expected);
	lcowmig__free(&mem, text);
}

/* Repeats `call`, which yields a status, with each allocation failing until it succeeds. */
#define EXPECT_MEMORY_SAFE(call)                                                                                                           \
	do {                                                                                                                               \
		lcowmig_status safe_status = LCOWMIG_E_NO_MEMORY;                                                                          \
		int safe_i;                                                                                                                \
		for (safe_i = 1; safe_status; safe_i++) {                                                                                  \
			fail_at = safe_i;                                                                                                  \
			safe_status = (call);                                                                                              \
			ck_assert(safe_status == LCOWMIG_OK || safe_status == LCOWMIG_E_NO_MEMORY);                                        \
		}                                                                                                                          \
		fail_at = 0;                                                                                                               \
	} while (0)

/* The same with little room in the arena, until it is enough: so that each piece from it is missing once. */
#define EXPECT_ROOM_SAFE(call)                                                                                                             \
	do {                                                                                                                               \
		lcowmig_status room_status = LCOWMIG_E_NO_MEMORY;                                                                          \
		size_t room = 0;                                                                                                           \
		for (; room_status; room += sizeof(max_align_t)) {                                                                         \
			lcowmig__arena_done(&arena);                                                                                       \
			ck_assert_ptr_nonnull(lcowmig__arena_alloc(&arena, 1));                                                            \
			arena.used = arena.capacity - room;                                                                                \
			has_no_blocks = true;                                                                                              \
			room_status = (call);                                                                                              \
			has_no_blocks = false;                                                                                             \
			ck_assert(room_status == LCOWMIG_OK || room_status == LCOWMIG_E_NO_MEMORY);                                        \
		}                                                                                                                          \
		ck_assert_uint_gt(room, 2 * sizeof(max_align_t));                                                                          \
	} while (0)

/* The same for what gives a text. */
#define EXPECT_TEXT(expression, expected)                                                                                                  \
	do {                                                                                                                               \
		int text_i;                                                                                                                \
		char *text_got = NULL;                                                                                                     \
		for (text_i = 1; !text_got; text_i++) {                                                                                    \
			ck_assert_int_lt(text_i, 300);                                                                                     \
			fail_at = text_i;                                                                                                  \
			text_got = (expression);                                                                                           \
		}                                                                                                                          \
		fail_at = 0;                                                                                                               \
		ck_assert_str_eq(text_got, expected);                                                                                      \
		lcowmig__free(&mem, text_got);                                                                                             \
	} while (0)

/* ---- Reading ---- */

static const char *const bad_specs[] = {
	"",
	"[]",
	"7",
	"{\"linux\":[]}",
	"{\"linux\":{},\"linux\":{}}",
	"{\"linux\":{},\"Linux\":{}}",
	"{\"hooks\":{},\"HOOKS\":{}}",
	"{\"linux\":{\"resources\":7}}",
	"{\"linux\":{\"resources\":{\"pids\":{},\"Pids\":{}}}}",
	"{\"linux\":{\"resources\":{\"cpu\":{\"quota\":0,\"quota\":1}}}}",
	"{\"windows\":{\"network\":\"x\"}}",
	"{\"windows\":{\"devices\":{}}}",
	"{\"windows\":{\"devices\":[7]}}",
	"{\"windows\":{\"devices\":[{\"id\":\"a\",\"ID\":\"b\"}]}}",
	"{\"mounts\":{}}",
	"{\"mounts\":[null]}",
	"{\"mounts\":[{\"source\":\"a\",\"Source\":\"b\"}]}",
	"{\"root\":\"x\"}",
	"{\"annotations\":[]}",
};

START_TEST(test_oci_parse_refuses_sections_that_are_ambiguous_or_of_another_kind)
{
	cJSON *spec = NULL;

	ck_assert_msg(lcowmig__oci_parse(&limits, bad_specs[_i], strlen(bad_specs[_i]), &spec, &error) == LCOWMIG_E_CORRUPT_DATA, "%s",
		      bad_specs[_i]);
	ck_assert_ptr_null(spec);
	ck_assert_str_ne(error.message, "");
}
END_TEST

START_TEST(test_oci_parse_obeys_the_limits_and_survives_failing_allocations)
{
	static const char text[] = "{\"linux\":{\"resources\":{\"cpu\":{}}},\"mounts\":null}";
	cJSON *spec = NULL;

	limits.json_depth = 3;
	ck_assert_int_eq(lcowmig__oci_parse(&limits, text, strlen(text), &spec, NULL), LCOWMIG_E_LIMIT_EXCEEDED);
	limits.json_depth = 4;
	limits.document_bytes = (uint32_t)strlen(text) - 1;
	ck_assert_int_eq(lcowmig__oci_parse(&limits, text, strlen(text), &spec, NULL), LCOWMIG_E_LIMIT_EXCEEDED);
	limits.document_bytes++;
	EXPECT_MEMORY_SAFE(lcowmig__oci_parse(&limits, text, strlen(text), &spec, NULL));
	cJSON_Delete(spec);
}
END_TEST

START_TEST(test_oci_annotations_are_looked_up_by_exact_name)
{
	cJSON *spec = parse("{\"Annotations\":{\"" LCOWMIG__ANNOTATION_SOURCE_CONTAINER "\":\"c1\",\"A\":\"x\",\"n\":5,"
			    "\"" LCOWMIG__ANNOTATION_MIGRATION_SUPPORT "\":\"True\",\"f\":\"false\"}}");
	cJSON *empty = parse("{}");

	ck_assert_str_eq(lcowmig__oci_annotation(spec, LCOWMIG__ANNOTATION_SOURCE_CONTAINER), "c1");
	ck_assert_ptr_null(lcowmig__oci_annotation(spec, "a"));
	ck_assert_ptr_null(lcowmig__oci_annotation(spec, "n"));
	ck_assert_ptr_null(lcowmig__oci_annotation(empty, "A"));
	ck_assert(lcowmig__oci_annotation_is_true(spec, LCOWMIG__ANNOTATION_MIGRATION_SUPPORT));
	ck_assert(!lcowmig__oci_annotation_is_true(spec, "f"));
	ck_assert(!lcowmig__oci_annotation_is_true(spec, "absent"));
	cJSON_Delete(spec);
	cJSON_Delete(empty);
}
END_TEST

#define ANNOTATED(type, id)                                                                                                                \
	"{\"annotations\":{\"" LCOWMIG__ANNOTATION_CONTAINER_TYPE "\":\"" type "\",\"" LCOWMIG__ANNOTATION_SANDBOX_ID "\":\"" id "\"}}"

static const struct {
	const char *text;
	lcowmig_status status;
	lcowmig__oci_kind kind;
	const char *id;
} identities[] = {
	{ "{}", LCOWMIG_OK, LCOWMIG__OCI_PLAIN, "" },
	{ ANNOTATED("", ""), LCOWMIG_OK, LCOWMIG__OCI_PLAIN, "" },
	{ ANNOTATED("sandbox", "p1"), LCOWMIG_OK, LCOWMIG__OCI_SANDBOX, "p1" },
	{ ANNOTATED("container", "p1"), LCOWMIG_OK, LCOWMIG__OCI_WORKLOAD, "p1" },
	{ ANNOTATED("Sandbox", "p1"), LCOWMIG_E_INVALID_ARGUMENT, LCOWMIG__OCI_PLAIN, NULL },
	{ ANNOTATED("sandbox", ""), LCOWMIG_E_INVALID_ARGUMENT, LCOWMIG__OCI_PLAIN, NULL },
	{ "{\"annotations\":{\"" LCOWMIG__ANNOTATION_SANDBOX_ID "\":\"p\"}}", LCOWMIG_E_INVALID_ARGUMENT, LCOWMIG__OCI_PLAIN, NULL },
};

START_TEST(test_oci_identify_tells_sandbox_from_workload)
{
	lcowmig__oci_kind kind = LCOWMIG__OCI_PLAIN;
	const char *id = NULL;
	cJSON *spec = parse(identities[_i].text);

	ck_assert_int_eq(lcowmig__oci_identify(spec, &kind, &id, &error), identities[_i].status);
	ck_assert_int_eq(kind, identities[_i].kind);
	ck_assert_pstr_eq(id, identities[_i].id);
	cJSON_Delete(spec);
}
END_TEST

static const struct {
	const char *text;
	lcowmig_status status;
	const char *id;
} namespaces[] = {
	{ "{\"windows\":{\"network\":{\"networkNamespace\":\"ns\"}}}", LCOWMIG_OK, "ns" },
	{ "{\"windows\":{\"network\":{\"endpointList\":[]}}}", LCOWMIG_OK, "" },
	{ "{\"windows\":{\"network\":{\"networkNamespace\":\"ns\",\"endpointList\":[\"e\"]}}}", LCOWMIG_E_INVALID_ARGUMENT, NULL },
	{ "{\"windows\":{}}", LCOWMIG_E_INVALID_ARGUMENT, NULL },
	{ "{}", LCOWMIG_E_INVALID_ARGUMENT, NULL },
};

START_TEST(test_oci_sandbox_names_its_namespace_and_no_endpoints)
{
	const char *id = NULL;
	cJSON *spec = parse(namespaces[_i].text);

	ck_assert_int_eq(lcowmig__oci_sandbox_namespace(spec, &id, &error), namespaces[_i].status);
	ck_assert_pstr_eq(id, namespaces[_i].id);
	cJSON_Delete(spec);
}
END_TEST

/* ---- The version for the guest ---- */

static const struct {
	const char *before;
	const char *after;
} sanitised[] = {
	/* LC-86: absent resources stay absent. */
	{ "{\"process\":{},\"linux\":{}}", "{\"process\":{},\"linux\":{},\"root\":{\"path\":\"/r\"}}" },
	/* LC-82: zeros of the CPU, and only those. */
	{ "{\"process\":{},\"root\":{},\"linux\":{\"resources\":{\"cpu\":{\"period\":0,\"quota\":0,\"shares\":0}}}}",
	  "{\"process\":{},\"root\":{\"path\":\"/r\"},\"linux\":{\"resources\":{\"cpu\":{\"shares\":0,\"period\":100000,\"quota\":-1}}}}" },
	{ "{\"process\":{},\"root\":{},\"linux\":{\"resources\":{\"cpu\":{\"period\":5,\"quota\":-1}}}}",
	  "{\"process\":{},\"root\":{\"path\":\"/r\"},\"linux\":{\"resources\":{\"cpu\":{\"period\":5,\"quota\":-1}}}}" },
	{ "{\"process\":{},\"root\":{},\"linux\":{\"resources\":{\"cpu\":{}}}}",
	  "{\"process\":{},\"root\":{\"path\":\"/r\"},\"linux\":{\"resources\":{\"cpu\":{}}}}" },
	/* LC-83: what goes, and what survives, in whatever case of letters. */
	{ "{\"process\":{},\"root\":{\"readonly\":true,\"Path\":\"x\"},\"linux\":{\"cgroupsPath\":\"/x\",\"namespaces\":[],\"resources\":{"
	  "\"devices\":[{}],\"Pids\":{\"limit\":5},\"blockIO\":{},\"hugepageLimits\":[],\"network\":{},\"cpu\":{\"shares\":512},"
	  "\"memory\":{\"limit\":9007199254740993}}}}",
	  "{\"process\":{},\"root\":{\"readonly\":true,\"path\":\"/"
	  "r\"},\"linux\":{\"namespaces\":[],\"resources\":{\"cpu\":{\"shares\":512},"
	  "\"memory\":{\"limit\":9007199254740993}}}}" },
	/* LC-84: hooks always, seccomp of the privileged only. */
	{ "{\"Hooks\":{\"prestart\":[]},\"process\":{},\"root\":{},\"linux\":{\"seccomp\":{}}}",
	  "{\"process\":{},\"root\":{\"path\":\"/r\"},\"linux\":{\"seccomp\":{}}}" },
	{ "{\"process\":{},\"root\":{},\"linux\":{\"seccomp\":{}},\"annotations\":{\"" LCOWMIG__ANNOTATION_PRIVILEGED "\":\"true\"}}",
	  "{\"process\":{},\"root\":{\"path\":\"/r\"},\"linux\":{},\"annotations\":{\"" LCOWMIG__ANNOTATION_PRIVILEGED "\":\"true\"}}" },
	/* LC-87: of the Windows section the namespace and the devices. */
	{ "{\"process\":{},\"root\":{},\"linux\":{},\"windows\":{\"layerFolders\":[\"x\"],\"network\":{\"networkNamespace\":\"ns\","
	  "\"allowUnqualifiedDNSQuery\":true},\"devices\":[{\"id\":\"a\"}]}}",
	  "{\"process\":{},\"root\":{\"path\":\"/r\"},\"linux\":{},\"windows\":{\"network\":{\"networkNamespace\":\"ns\"},\"devices\":[{"
	  "\"id\":\"a\"}]}}" },
	{ "{\"process\":{},\"root\":{},\"linux\":{},\"windows\":{\"network\":{\"networkNamespace\":\"ns\"},\"devices\":[]}}",
	  "{\"process\":{},\"root\":{\"path\":\"/r\"},\"linux\":{},\"windows\":{\"network\":{\"networkNamespace\":\"ns\"}}}" },
	{ "{\"process\":{},\"root\":{},\"linux\":{},\"windows\":{\"devices\":[]}}", "{\"process\":{},\"root\":{\"path\":\"/r\"},\"linux\":{}}" },
	{ "{\"process\":{},\"root\":{},\"linux\":{},\"windows\":{\"devices\":[{\"id\":\"a\"}]}}",
	  "{\"process\":{},\"root\":{\"path\":\"/r\"},\"linux\":{},\"windows\":{\"devices\":[{\"id\":\"a\"}]}}" },
	{ "{\"process\":{},\"root\":{},\"linux\":{},\"windows\":{\"layerFolders\":[\"x\"],\"network\":{\"networkNamespace\":\"\"}}}",
	  "{\"process\":{},\"root\":{\"path\":\"/r\"},\"linux\":{}}" },
	/* LC-89: the sandbox id. */
	{ "{\"process\":{},\"root\":{},\"linux\":{},\"annotations\":{\"" LCOWMIG__ANNOTATION_SANDBOX_ID
	  "\":\"a\",\"x\":\"y\",\"" LCOWMIG__ANNOTATION_SANDBOX_ID "\":\"b\"}}",
	  "{\"process\":{},\"root\":{\"path\":\"/r\"},\"linux\":{},\"annotations\":{\"x\":\"y\",\"" LCOWMIG__ANNOTATION_SANDBOX_ID
	  "\":\"guest-pod\"}}" },
};

/* LC-85 too: the caller's spec stays as it is. */
START_TEST(test_oci_sanitise_gives_a_copy_for_the_guest)
{
	cJSON *spec = parse(sanitised[_i].before);
	cJSON *copy = NULL;

	EXPECT_MEMORY_SAFE(lcowmig__oci_sanitise(spec, "/r", "guest-pod", &copy, NULL));
	expect_json(copy, sanitised[_i].after);
	expect_json(spec, sanitised[_i].before);
	cJSON_Delete(copy);
	cJSON_Delete(spec);
}
END_TEST

/* LC-88. */
START_TEST(test_oci_sanitise_refuses_a_spec_without_linux_or_process)
{
	static const char *const texts[] = { "{\"process\":{}}", "{\"process\":{},\"linux\":null}", "{\"linux\":{}}" };
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(texts); i++) {
		cJSON *spec = parse(texts[i]);
		cJSON *copy = NULL;

		ck_assert_int_eq(lcowmig__oci_sanitise(spec, "/r", "p", &copy, &error), LCOWMIG_E_INVALID_ARGUMENT);
		ck_assert_ptr_null(copy);
		cJSON_Delete(spec);
	}
}
END_TEST

/* LC-89. */
START_TEST(test_oci_set_sandbox_id_does_nothing_where_there_is_none)
{
	static const char *const untouched[] = { "{}", "{\"annotations\":null}", "{\"annotations\":{}}",
						 "{\"annotations\":{\"a\":\"b\"}}" };
	cJSON *spec;
	size_t i;

	ck_assert(lcowmig__oci_set_sandbox_id(NULL, "p"));
	for (i = 0; i < LCOWMIG__COUNT(untouched); i++) {
		spec = parse(untouched[i]);
		ck_assert(lcowmig__oci_set_sandbox_id(spec, "p"));
		expect_json(spec, untouched[i]);
		cJSON_Delete(spec);
	}
	spec = parse("{\"annotations\":{\"" LCOWMIG__ANNOTATION_SANDBOX_ID "\":\"p\"}}");
	ck_assert(lcowmig__oci_set_sandbox_id(spec, "p"));
	ck_assert(lcowmig__oci_set_sandbox_id(spec, "p"));
	expect_json(spec, "{\"annotations\":{\"" LCOWMIG__ANNOTATION_SANDBOX_ID "\":\"p\"}}");
	cJSON_Delete(spec);
}
END_TEST

START_TEST(test_oci_guest_document_wraps_the_spec)
{
	cJSON *spec = parse("{\"linux\":{},\"big\":9007199254740993}");

	EXPECT_TEXT(lcowmig__oci_guest_document(&mem, spec, "/b", "/s"),
		    "{\"SchemaVersion\":{\"Major\":2,\"Minor\":1},\"OciBundlePath\":\"/b\",\"OciSpecification\":{\"linux\":{},"
		    "\"big\":9007199254740993},\"ScratchDirPath\":\"/s\"}");
	EXPECT_TEXT(lcowmig__oci_guest_document(&mem, spec, "/b", NULL),
		    "{\"SchemaVersion\":{\"Major\":2,\"Minor\":1},\"OciBundlePath\":\"/b\",\"OciSpecification\":{\"linux\":{},"
		    "\"big\":9007199254740993}}");
	cJSON_Delete(spec);
}
END_TEST

START_TEST(test_guest_paths_are_where_the_guest_looks)
{
	EXPECT_TEXT(lcowmig__path_scsi_mount(&mem, 3, 63, 0), "/run/mounts/scsi/3_63_0");
	EXPECT_TEXT(lcowmig__path_scsi_mount(&mem, 0, 0, UINT64_MAX), "/run/mounts/scsi/0_0_18446744073709551615");
	EXPECT_TEXT(lcowmig__path_plan9_mount(&mem, "12"), "/run/mounts/plan9/12");
	EXPECT_TEXT(lcowmig__path_bundle(&mem, "p", "c"), "/run/gcs/pods/p/c");
	EXPECT_TEXT(lcowmig__path_rootfs(&mem, "p", "c"), "/run/gcs/pods/p/c/rootfs");
	EXPECT_TEXT(lcowmig__path_scratch(&mem, "/run/mounts/scsi/0_1_0", "p", "c"), "/run/mounts/scsi/0_1_0/scratch/p/c");
}
END_TEST

/* ---- Mounts ---- */

static lcowmig_status read_mount(const char *mount, lcowmig__oci_mount *ret_mount)
{
	lcowmig__oci_mount *mounts = NULL;
	lcowmig_status status;
	size_t count = 0;
	char text[1024];
	cJSON *spec;

	snprintf(text, sizeof text, "{\"mounts\":[%s]}", mount);
	spec = parse(text);
	status = lcowmig__oci_mounts(&arena, &limits, spec, &mounts, &count, &error);
	cJSON_Delete(spec);
	ck_assert_uint_eq(count, status ? 0 : 1);
	if (status == LCOWMIG_OK)
		*ret_mount = mounts[0];
	return status;
}

#define MOUNT(type, source, destination) "{\"destination\":\"" destination "\",\"type\":\"" type "\",\"source\":\"" source "\"}"

static const struct {
	const char *text;
	lcowmig__mount_kind kind;
	const char *disk_type;
	const char *host_path;
	const char *evd_type;
	bool block_device;
} mounts_read[] = {
	/* LC-56, LC-57, LC-58, LC-59. */
	{ MOUNT("virtual-disk", "C:\\\\d.vhdx", "/d"), LCOWMIG__MOUNT_DISK, LCOWMIG__DISK_VIRTUAL, "C:\\d.vhdx", "", false },
	{ MOUNT("physical-disk", "\\\\\\\\.\\\\PHYSICALDRIVE1", "/d"), LCOWMIG__MOUNT_DISK, LCOWMIG__DISK_PASS_THRU,
	  "\\\\.\\PHYSICALDRIVE1", "", false },
	{ MOUNT("extensible-virtual-disk", "evd://prov/a/b", "/d"), LCOWMIG__MOUNT_DISK, LCOWMIG__DISK_EXTENSIBLE, "a/b", "prov", false },
	{ MOUNT("virtual-disk", "d", "blockdev:///dev/x"), LCOWMIG__MOUNT_DISK, LCOWMIG__DISK_VIRTUAL, "d", "", true },
	/* LC-61. */
	{ MOUNT("bind", "C:\\\\dir", "/d"), LCOWMIG__MOUNT_SHARE, "", "C:\\dir", "", false },
	{ MOUNT("bind", "C:\\\\dir", "blockdev://x"), LCOWMIG__MOUNT_SHARE, "", "C:\\dir", "", false },
	/* LC-65. */
	{ MOUNT("bind", "hugepages://2M/x", "/d"), LCOWMIG__MOUNT_GUEST, "", "", "", false },
	/* LC-66. */
	{ MOUNT("bind", "sandbox:///x", "/d"), LCOWMIG__MOUNT_GUEST, "", "", "", false },
	{ MOUNT("bind", "sandbox-tmp://x", "/d"), LCOWMIG__MOUNT_GUEST, "", "", "", false },
	{ MOUNT("bind", "uvm:///x", "/d"), LCOWMIG__MOUNT_GUEST, "", "", "", false },
	/* LC-67. */
	{ MOUNT("tmpfs", "tmpfs", "/tmp"), LCOWMIG__MOUNT_GUEST, "", "", "", false },
	{ MOUNT("proc", "proc", "/proc"), LCOWMIG__MOUNT_GUEST, "", "", "", false },
	{ MOUNT("devpts", "devpts", "/dev/pts"), LCOWMIG__MOUNT_GUEST, "", "", "", false },
	{ "{\"destination\":\"/d\",\"source\":\"x\"}", LCOWMIG__MOUNT_GUEST, "", "", "", false },
};

START_TEST(test_oci_mount_is_classified)
{
	lcowmig__oci_mount mount;

	ck_assert_int_eq(read_mount(mounts_read[_i].text, &mount), LCOWMIG_OK);
	ck_assert_int_eq(mount.kind, mounts_read[_i].kind);
	ck_assert_str_eq(mount.disk_type, mounts_read[_i].disk_type);
	ck_assert_str_eq(mount.host_path, mounts_read[_i].host_path);
	ck_assert_str_eq(mount.evd_type, mounts_read[_i].evd_type);
	ck_assert_int_eq(mount.block_device, mounts_read[_i].block_device);
	ck_assert(!mount.read_only);
	ck_assert_ptr_null(mount.guest_path);
}
END_TEST

START_TEST(test_oci_extensible_mount_is_read_or_there_is_no_memory)
{
	lcowmig__oci_mount *mounts = NULL;
	size_t count = 0;
	cJSON *spec = parse("{\"mounts\":[" MOUNT("extensible-virtual-disk", "evd://prov/a/b", "/d") "]}");

	EXPECT_ROOM_SAFE(lcowmig__oci_mounts(&arena, &limits, spec, &mounts, &count, NULL));
	ck_assert_str_eq(mounts[0].evd_type, "prov");
	cJSON_Delete(spec);
}
END_TEST

/* A spec that has fewer of them than were read: what is there is rewritten. */
START_TEST(test_oci_rewriting_ends_with_the_list)
{
	lcowmig__oci_mount mounts[2] = { { .kind = LCOWMIG__MOUNT_SHARE, .guest_path = "/g" }, { .guest_path = "/h" } };
	lcowmig__oci_device devices[2] = { { .vmbus_guid = "g" }, { .vmbus_guid = "h" } };
	cJSON *spec = parse("{\"mounts\":[" MOUNT("bind", "a", "/d") "],\"windows\":{\"devices\":[{\"idType\":\"gpu\",\"id\":\"a\"}]}}");
	cJSON *empty = parse("{}");

	ck_assert(lcowmig__oci_rewrite_mounts(spec, mounts, 2));
	ck_assert(lcowmig__oci_rewrite_devices(spec, devices, 2));
	ck_assert_str_eq(lcowmig__json_string(lcowmig__oci_member(spec, "mounts")->child, "source"), "/g");
	ck_assert_str_eq(lcowmig__json_string(lcowmig__oci_member(lcowmig__oci_member(spec, "windows"), "devices")->child, "id"), "g");
	ck_assert(lcowmig__oci_rewrite_mounts(empty, mounts, 2));
	ck_assert(lcowmig__oci_rewrite_devices(empty, devices, 2));
	expect_json(empty, "{}");
	cJSON_Delete(spec);
	cJSON_Delete(empty);
}
END_TEST

static const struct {
	const char *text;
	lcowmig_status status;
} bad_mounts[] = {
	/* LC-69. */
	{ MOUNT("tmpfs", "", "/d"), LCOWMIG_E_INVALID_ARGUMENT },
	{ MOUNT("tmpfs", "x", ""), LCOWMIG_E_INVALID_ARGUMENT },
	{ "{}", LCOWMIG_E_INVALID_ARGUMENT },
	/* LC-65. */
	{ MOUNT("bind", "hugepages://1G/x", "/d"), LCOWMIG_E_INVALID_ARGUMENT },
	{ MOUNT("bind", "hugepages://", "/d"), LCOWMIG_E_INVALID_ARGUMENT },
	/* LC-75. */
	{ MOUNT("extensible-virtual-disk", "C:\\\\d", "/d"), LCOWMIG_E_INVALID_ARGUMENT },
	{ MOUNT("extensible-virtual-disk", "evd:///d", "/d"), LCOWMIG_E_INVALID_ARGUMENT },
	{ "{\"source\":\"x\",\"destination\":\"y\",\"options\":[1]}", LCOWMIG_E_INVALID_ARGUMENT },
	{ "{\"source\":\"x\",\"destination\":\"y\",\"options\":[\"1\",\"2\",\"3\",\"4\"]}", LCOWMIG_E_LIMIT_EXCEEDED },
	{ "{\"source\":\"x\",\"destination\":\"y\",\"options\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\"]}", LCOWMIG_E_LIMIT_EXCEEDED },
	{ MOUNT("bind", "12345678901234567890123456789012345678901234567890123456789012345", "/d"), LCOWMIG_E_LIMIT_EXCEEDED },
};

START_TEST(test_oci_mount_that_makes_no_sense_is_refused)
{
	lcowmig__oci_mount mount;

	ck_assert_msg(read_mount(bad_mounts[_i].text, &mount) == bad_mounts[_i].status, "%s", bad_mounts[_i].text);
	ck_assert_str_ne(error.message, "");
}
END_TEST

/* LC-75: a bad one anywhere fails all. */
START_TEST(test_oci_mounts_are_all_checked_before_any_is_given)
{
	lcowmig__oci_mount *mounts = NULL;
	size_t count = 0;
	cJSON *spec = parse("{\"mounts\":[" MOUNT("virtual-disk", "a", "/a") "," MOUNT("extensible-virtual-disk", "evd://x", "/b") "]}");

	ck_assert_int_eq(lcowmig__oci_mounts(&arena, &limits, spec, &mounts, &count, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_ptr_null(mounts);
	cJSON_Delete(spec);
}
END_TEST

/* LC-62, LC-68, LC-70. */
START_TEST(test_oci_mounts_are_rewritten_one_by_one)
{
	static const char text[] =
		"{\"mounts\":[{\"destination\":\"/a\",\"type\":\"virtual-disk\",\"source\":\"a\",\"options\":[\"noatime\",\"RO\"]},"
		"{\"destination\":\"/p\",\"type\":\"proc\",\"source\":\"proc\"},"
		"{\"destination\":\"blockdev://b\",\"type\":\"physical-disk\",\"source\":\"b\"},"
		"{\"destination\":\"/c\",\"type\":\"bind\",\"source\":\"c\",\"options\":[\"rbind\"]}]}";
	lcowmig__oci_mount *mounts = NULL;
	size_t count = 9;
	cJSON *spec = parse(text);
	cJSON *copy;
	int i;

	EXPECT_MEMORY_SAFE(lcowmig__oci_mounts(&arena, &limits, spec, &mounts, &count, NULL));
	EXPECT_ROOM_SAFE(lcowmig__oci_mounts(&arena, &limits, spec, &mounts, &count, NULL));
	ck_assert_uint_eq(count, 4);
	ck_assert(mounts[0].read_only);
	ck_assert_uint_eq(mounts[0].n_options, 2);
	ck_assert_str_eq(mounts[0].options[1], "RO");
	ck_assert(!mounts[3].read_only);
	ck_assert(lcowmig__oci_rewrite_mounts(spec, mounts, count));
	expect_json(spec, text);
	mounts[0].guest_path = "/run/mounts/scsi/0_1_0";
	mounts[2].guest_path = "/run/mounts/scsi/0_2_0";
	mounts[3].guest_path = "/run/mounts/plan9/0";
	for (i = 1;; i++) {
		bool ok;

		copy = cJSON_Duplicate(spec, 1);
		fail_at = i;
		ok = lcowmig__oci_rewrite_mounts(copy, mounts, count);
		fail_at = 0;
		if (ok)
			break;
		cJSON_Delete(copy);
	}
	expect_json(copy, "{\"mounts\":[{\"destination\":\"/a\",\"options\":[\"noatime\",\"RO\"],\"source\":\"/run/mounts/scsi/"
			  "0_1_0\",\"type\":\"none\"},"
			  "{\"destination\":\"/p\",\"type\":\"proc\",\"source\":\"proc\"},"
			  "{\"destination\":\"blockdev://b\",\"source\":\"/run/mounts/scsi/0_2_0\",\"type\":\"bind\"},"
			  "{\"destination\":\"/c\",\"type\":\"bind\",\"options\":[\"rbind\"],\"source\":\"/run/mounts/plan9/0\"}]}");
	cJSON_Delete(copy);
	cJSON_Delete(spec);
	spec = parse("{}");
	ck_assert_int_eq(lcowmig__oci_mounts(&arena, &limits, spec, &mounts, &count, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(count, 0);
	ck_assert(lcowmig__oci_rewrite_mounts(spec, mounts, count));
	cJSON_Delete(spec);
}
END_TEST

/* LC-71. */
START_TEST(test_oci_split_extensible_needs_prefix_provider_and_path)
{
	static const char *const bad[] = { "", "evd://", "evd://x", "evd:///x", "evd://x/", "evd:/x/y", "EVD://x/y", "x/y" };
	const char *provider, *path;
	size_t size, i;

	ck_assert(lcowmig__oci_split_extensible("evd://prov/a/b/c", &provider, &size, &path));
	ck_assert_uint_eq(size, 4);
	ck_assert_mem_eq(provider, "prov", 4);
	ck_assert_str_eq(path, "a/b/c");
	for (i = 0; i < LCOWMIG__COUNT(bad); i++)
		ck_assert_msg(!lcowmig__oci_split_extensible(bad[i], &provider, &size, &path), "%s", bad[i]);
}
END_TEST

/* LC-72. */
START_TEST(test_oci_hugepages_need_size_and_location)
{
	static const char *const bad[] = {
		"hugepages://", "hugepages://2M", "hugepages://2M/", "hugepages:///x", "hugepages://1G/x", "hugepages://2m/x", "2M/x"
	};
	size_t i;

	ck_assert(lcowmig__oci_hugepages_are_valid("hugepages://2M/x"));
	ck_assert(lcowmig__oci_hugepages_are_valid("hugepages://2M/x/y"));
	for (i = 0; i < LCOWMIG__COUNT(bad); i++)
		ck_assert_msg(!lcowmig__oci_hugepages_are_valid(bad[i]), "%s", bad[i]);
}
END_TEST

/* LC-73. */
START_TEST(test_oci_read_only_is_found_anywhere_in_any_case)
{
	static const char *const options[] = { "rbind", "rO", "noatime", "rw", "robust" };

	ck_assert(lcowmig__oci_is_read_only(options, 5));
	ck_assert(lcowmig__oci_is_read_only(options + 1, 1));
	ck_assert(!lcowmig__oci_is_read_only(options, 1));
	ck_assert(!lcowmig__oci_is_read_only(options + 2, 3));
	ck_assert(!lcowmig__oci_is_read_only(NULL, 0));
}
END_TEST

/* LC-74. */
START_TEST(test_oci_guest_paths_have_one_of_three_prefixes)
{
	ck_assert(lcowmig__oci_is_guest_path("sandbox://a"));
	ck_assert(lcowmig__oci_is_guest_path("sandbox-tmp://a"));
	ck_assert(lcowmig__oci_is_guest_path("uvm://a"));
	ck_assert(!lcowmig__oci_is_guest_path("hugepages://2M/a"));
	ck_assert(!lcowmig__oci_is_guest_path("/sandbox://a"));
	ck_assert(!lcowmig__oci_is_guest_path("sandbox:/a"));
	ck_assert(lcowmig__oci_is_huge_pages("hugepages://2M/a"));
	ck_assert(!lcowmig__oci_is_huge_pages("uvm://a"));
}
END_TEST

START_TEST(test_oci_base_name_knows_both_separators)
{
	ck_assert_str_eq(lcowmig__oci_base_name("C:\\a\\b.txt"), "b.txt");
	ck_assert_str_eq(lcowmig__oci_base_name("/a\\b/c"), "c");
	ck_assert_str_eq(lcowmig__oci_base_name("c"), "c");
	ck_assert_str_eq(lcowmig__oci_base_name("c/"), "");
}
END_TEST

/* ---- Devices ---- */

/* LC-76. */
START_TEST(test_oci_no_devices_is_fine)
{
	static const char *const texts[] = { "{}", "{\"windows\":{}}", "{\"windows\":{\"devices\":[]}}",
					     "{\"windows\":{\"devices\":null}}" };
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(texts); i++) {
		lcowmig__oci_device *devices = NULL;
		size_t count = 9;
		cJSON *spec = parse(texts[i]);

		ck_assert_int_eq(lcowmig__oci_devices(&arena, &limits, spec, &devices, &count, NULL), LCOWMIG_OK);
		ck_assert_uint_eq(count, 0);
		ck_assert(lcowmig__oci_rewrite_devices(spec, devices, count));
		cJSON_Delete(spec);
	}
}
END_TEST

/* LC-77. */
START_TEST(test_oci_device_of_another_type_fails_all_wherever_it_stands)
{
	static const struct {
		const char *text;
		lcowmig_status status;
	} bad[] = {
		{ "{\"id\":\"a\",\"idType\":\"class\"},{\"id\":\"b\",\"idType\":\"vpci\"}", LCOWMIG_E_INVALID_ARGUMENT },
		{ "{\"id\":\"b\",\"idType\":\"vpci\"},{\"id\":\"a\",\"idType\":\"\"}", LCOWMIG_E_INVALID_ARGUMENT },
		{ "{\"id\":\"a\"}", LCOWMIG_E_INVALID_ARGUMENT },
		{ "{\"idType\":\"gpu\"}", LCOWMIG_E_INVALID_ARGUMENT },
		{ "{\"id\":\"12345678901234567890123456789012345678901234567890123456789012345\",\"idType\":\"gpu\"}",
		  LCOWMIG_E_LIMIT_EXCEEDED },
	};
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(bad); i++) {
		lcowmig__oci_device *devices = NULL;
		char text[256];
		size_t count = 9;
		cJSON *spec;

		snprintf(text, sizeof text, "{\"windows\":{\"devices\":[%s]}}", bad[i].text);
		spec = parse(text);
		ck_assert_int_eq(lcowmig__oci_devices(&arena, &limits, spec, &devices, &count, NULL), bad[i].status);
		ck_assert_ptr_null(devices);
		cJSON_Delete(spec);
	}
}
END_TEST

/* LC-78, LC-80. */
START_TEST(test_oci_devices_are_split_and_rewritten_in_order)
{
	static const struct {
		const char *path;
		uint16_t function;
	} expected[] = { { "PCIP\\X", 3 }, { "PCIP/X", 65535 }, { "PCIP\\65536", 0 }, { "PCIP\\3x", 0 }, { "7", 0 }, { "PCIP\\", 0 },
			{ "PCIP\\-3", 0 } };
	lcowmig__oci_device *devices = NULL;
	size_t count = 0;
	cJSON *spec =
		parse("{\"windows\":{\"devices\":[{\"id\":\"PCIP\\\\X\\\\3\",\"idType\":\"vpci-instance-id\"},{\"id\":\"PCIP/X/65535\","
		      "\"idType\":\"vpci\"},{\"id\":\"PCIP\\\\65536\",\"idType\":\"gpu\"},{\"id\":\"PCIP\\\\3x\",\"idType\":\"vpci\"},"
		      "{\"id\":\"7\",\"idType\":\"vpci\"},{\"id\":\"PCIP\\\\\",\"idType\":\"vpci\"},{\"id\":\"PCIP\\\\-3\",\"idType\":\"vpci\"}]}}");
	size_t i;

	EXPECT_MEMORY_SAFE(lcowmig__oci_devices(&arena, &limits, spec, &devices, &count, NULL));
	ck_assert_uint_eq(count, LCOWMIG__COUNT(expected));
	for (i = 0; i < count; i++) {
		ck_assert_str_eq(devices[i].instance_path, expected[i].path);
		ck_assert_uint_eq(devices[i].virtual_function, expected[i].function);
	}
	devices[0].vmbus_guid = "g0";
	devices[4].vmbus_guid = "g4";
	fail_at = 1;
	ck_assert(!lcowmig__oci_rewrite_devices(spec, devices, count));
	fail_at = 0;
	ck_assert(lcowmig__oci_rewrite_devices(spec, devices, count));
	expect_json(spec, "{\"windows\":{\"devices\":[{\"idType\":\"vpci-instance-id\",\"id\":\"g0\"},{\"id\":\"PCIP/X/65535\","
			  "\"idType\":\"vpci\"},{\"id\":\"PCIP\\\\65536\",\"idType\":\"gpu\"},{\"id\":\"PCIP\\\\3x\",\"idType\":\"vpci\"},"
			  "{\"idType\":\"vpci\",\"id\":\"g4\"},{\"id\":\"PCIP\\\\\",\"idType\":\"vpci\"},{\"id\":\"PCIP\\\\-3\",\"idType\":\"vpci\"}]}}");
	cJSON_Delete(spec);
}
END_TEST

/* ---- Layers ---- */

typedef struct layers_case {
	const char *type; /* of the rootfs mount; NULL: no mount */
	const char *source;
	const char *options[4];
	const char *folders; /* JSON array for windows.layerFolders; NULL: none */
	lcowmig_status status;
	const char *expected; /* "path@partition;…|scratch" */
} layers_case;

/* clang-format off */
static const layers_case layers_cases[] = {
	/* LC-54: a rootfs mount works as well as layer folders. */
	{ "lcow-layer", "C:\\snap\\40", { "rw", "parentLayerPaths=[\"C:\\\\snap\\\\12\",\"C:\\\\snap\\\\3\\\\\"]" }, NULL, LCOWMIG_OK,
	  "C:\\snap\\12\\layer.vhd@0;C:\\snap\\3\\layer.vhd@0;|C:\\snap\\40\\sandbox.vhdx" },
	{ NULL, NULL, { NULL }, "[\"C:\\\\a\",\"C:\\\\b\",\"C:\\\\s\"]", LCOWMIG_OK,
	  "C:\\a\\layer.vhd@0;C:\\b\\layer.vhd@0;|C:\\s\\sandbox.vhdx" },
	{ "lcow-layer", "/snap/40", { "parentLayerPaths=[\"/snap/1/\"]", "parentLayerPaths=[\"/other\"]" }, NULL, LCOWMIG_OK,
	  "/snap/1/layer.vhd@0;|/snap/40/sandbox.vhdx" },
	{ "lcow-layer", "s", { "ro" }, NULL, LCOWMIG_OK, "|s\\sandbox.vhdx" },
	{ "lcow-layer", "C:/snap\\40", { NULL }, NULL, LCOWMIG_OK, "|C:/snap\\40\\sandbox.vhdx" },
	{ "lcow-layer", "s", { "parentLayerPaths=[]" }, "[]", LCOWMIG_OK, "|s\\sandbox.vhdx" },
	{ "lcow-partitioned-layer", "ignored",
	  { "scratch=C:\\s\\sandbox.vhdx",
	    "parent-partitioned-layers=[{\"Path\":\"C:\\\\l.vhd\",\"Partition\":2},{\"Path\":\"C:\\\\l.vhd\"}]" },
	  NULL, LCOWMIG_OK, "C:\\l.vhd@2;C:\\l.vhd@0;|C:\\s\\sandbox.vhdx" },
	{ "lcow-partitioned-layer", NULL, { NULL }, NULL, LCOWMIG_OK, "|" },
	/* LC-55: neither is an error; both are one, too. */
	{ NULL, NULL, { NULL }, NULL, LCOWMIG_E_FAILED_PRECONDITION, NULL },
	{ NULL, NULL, { NULL }, "[]", LCOWMIG_E_FAILED_PRECONDITION, NULL },
	{ "lcow-layer", "s", { NULL }, "[\"a\",\"b\"]", LCOWMIG_E_FAILED_PRECONDITION, NULL },
	{ NULL, NULL, { NULL }, "[\"a\"]", LCOWMIG_E_INVALID_ARGUMENT, NULL },
	{ NULL, NULL, { NULL }, "[\"\",\"a\"]", LCOWMIG_E_INVALID_ARGUMENT, NULL },
	{ NULL, NULL, { NULL }, "[\"a\",7]", LCOWMIG_E_INVALID_ARGUMENT, NULL },
	{ NULL, NULL, { NULL }, "[\"a\",\"b\",\"c\",\"d\",\"s\"]", LCOWMIG_E_LIMIT_EXCEEDED, NULL },
	{ "overlay", "s", { NULL }, NULL, LCOWMIG_E_INVALID_ARGUMENT, NULL },
	{ "lcow-layer", "", { NULL }, NULL, LCOWMIG_E_INVALID_ARGUMENT, NULL },
	{ "lcow-layer", "s", { "parentLayerPaths={}" }, NULL, LCOWMIG_E_INVALID_ARGUMENT, NULL },
	{ "lcow-layer", "s", { "parentLayerPaths=x" }, NULL, LCOWMIG_E_CORRUPT_DATA, NULL },
	{ "lcow-layer", "s", { "parentLayerPaths=[1]" }, NULL, LCOWMIG_E_INVALID_ARGUMENT, NULL },
	{ "lcow-layer", "1234567890123456789012345678901234567890123456789012", { NULL }, NULL, LCOWMIG_E_LIMIT_EXCEEDED, NULL },
	{ "lcow-partitioned-layer", "s", { "rw" }, NULL, LCOWMIG_E_INVALID_ARGUMENT, NULL },
	{ "lcow-partitioned-layer", "s", { "scratch=" }, NULL, LCOWMIG_E_INVALID_ARGUMENT, NULL },
	{ "lcow-partitioned-layer", "s", { "parent-partitioned-layers=[{}]" }, NULL, LCOWMIG_E_INVALID_ARGUMENT, NULL },
	{ "lcow-partitioned-layer", "s", { "parent-partitioned-layers=[{\"Path\":\"a\",\"Partition\":-1}]" }, NULL,
	  LCOWMIG_E_INVALID_ARGUMENT, NULL },
	{ "lcow-partitioned-layer", "s", { "parent-partitioned-layers=7" }, NULL, LCOWMIG_E_INVALID_ARGUMENT, NULL },
};
/* clang-format on */

START_TEST(test_oci_layers_come_from_a_mount_or_from_folders)
{
	const layers_case *c = &layers_cases[_i];
	lcowmig_rootfs_mount mount = { c->type, c->source, "", c->options, 0 };
	lcowmig__oci_layers layers = { NULL, 99, NULL };
	char text[512] = "{}";
	size_t used = 0;
	cJSON *spec;
	size_t i;

	while (mount.n_options < LCOWMIG__COUNT(c->options) && c->options[mount.n_options])
		mount.n_options++;
	if (c->folders)
		snprintf(text, sizeof text, "{\"windows\":{\"layerFolders\":%s}}", c->folders);
	spec = parse(text);
	if (c->status) {
		ck_assert_int_eq(lcowmig__oci_layers_read(&arena, &limits, &mount, c->type != NULL, spec, &layers, &error), c->status);
		ck_assert_uint_eq(layers.count, 99);
		ck_assert_str_ne(error.message, "");
	} else {
		EXPECT_MEMORY_SAFE(lcowmig__oci_layers_read(&arena, &limits, &mount, c->type != NULL, spec, &layers, NULL));
		for (i = 0; i < layers.count; i++)
			used += (size_t)snprintf(text + used, sizeof text - used, "%s@%u;", layers.layers[i].path,
						 (unsigned)layers.layers[i].partition);
		snprintf(text + used, sizeof text - used, "|%s", layers.scratch);
		ck_assert_str_eq(text, c->expected);
	}
	cJSON_Delete(spec);
}
END_TEST

START_TEST(test_oci_layers_take_one_mount_without_target)
{
	const lcowmig_rootfs_mount two[] = { { "lcow-layer", "a", NULL, NULL, 0 }, { "lcow-layer", "b", "/x", NULL, 0 } };
	const lcowmig_rootfs_mount untyped = { NULL, "a", NULL, NULL, 0 };
	lcowmig__oci_layers layers;

	ck_assert_int_eq(lcowmig__oci_layers_read(&arena, &limits, &untyped, 1, NULL, &layers, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(error.message, "a mount of type \"\""));

	ck_assert_int_eq(lcowmig__oci_layers_read(&arena, &limits, two, 2, NULL, &layers, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig__oci_layers_read(&arena, &limits, two + 1, 1, NULL, &layers, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig__oci_layers_read(&arena, &limits, two, 1, NULL, &layers, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig__oci_layers_read(&arena, &limits, NULL, 0, NULL, &layers, &error), LCOWMIG_E_FAILED_PRECONDITION);
}
END_TEST

/* ---- Endpoints ---- */

START_TEST(test_endpoint_becomes_the_guest_adapter)
{
	static const char json[] =
		"[{\"ID\":\"e1\",\"Name\":\"pod1_eth0\",\"HostComputeNamespace\":\"ns\",\"Policies\":[{\"Type\":\"OutBoundNAT\","
		"\"Settings\":"
		"{\"Overhead\":7}},{\"Type\":\"EncapOverhead\",\"Settings\":{\"Overhead\":40}},{\"Type\":\"EncapOverhead\",\"Settings\":{"
		"\"Overhead\":50}}],\"IpConfigurations\":[{\"IpAddress\":\"10.244.1.7\",\"PrefixLength\":24},{\"IpAddress\":\"fd00::7\"}],"
		"\"Dns\":{\"Domain\":\"Default.SVC.local\",\"Search\":[\"Svc.local\",\"local\"],\"ServerList\":[\"10.96.0.10\",\"FD00::A\"]"
		"},"
		"\"Routes\":[{\"NextHop\":\"10.244.1.1\",\"DestinationPrefix\":\"0.0.0.0/"
		"0\"},{\"NextHop\":\"10.244.1.2\",\"DestinationPrefix\":"
		"\"10.0.0.0/8\",\"Metric\":65535}],\"MacAddress\":\"00-15-5D-01-02-03\"}]";
	lcowmig__endpoint *endpoints = NULL;
	size_t count = 0;

	EXPECT_MEMORY_SAFE(lcowmig__endpoints_parse(&arena, &limits, json, &endpoints, &count, NULL));
	EXPECT_ROOM_SAFE(lcowmig__endpoints_parse(&arena, &limits, json, &endpoints, &count, NULL));
	ck_assert_uint_eq(count, 1);
	ck_assert_str_eq(endpoints->id, "e1");
	ck_assert_str_eq(endpoints->name, "pod1_eth0");
	ck_assert_str_eq(endpoints->namespace_id, "ns");
	EXPECT_TEXT(
		lcowmig__endpoint_adapter(&mem, endpoints, "source-ns", "nic", true),
		"{\"NamespaceID\":\"source-ns\",\"ID\":\"nic\",\"MacAddress\":\"00-15-5D-01-02-03\",\"DNSSuffix\":"
		"\"default.svc.local,svc.local,local\",\"DNSServerList\":\"10.96.0.10,fd00::a\",\"EncapOverhead\":50,\"IPConfigs\":[{"
		"\"IPAddress\":\"10.244.1.7\",\"PrefixLength\":24},{\"IPAddress\":\"fd00::7\"}],\"Routes\":[{\"NextHop\":\"10.244.1.1\","
		"\"DestinationPrefix\":\"0.0.0.0/0\"},{\"NextHop\":\"10.244.1.2\",\"DestinationPrefix\":\"10.0.0.0/8\",\"Metric\":65535}],"
		"\"PolicyBasedRouting\":true}");
}
END_TEST

START_TEST(test_endpoint_without_details_gives_a_bare_adapter)
{
	lcowmig__endpoint *endpoints = NULL;
	size_t count = 0;

	ck_assert_int_eq(
		lcowmig__endpoints_parse(&arena, &limits,
					 "[{\"ID\":\"e\",\"Dns\":null,\"Routes\":null,\"Policies\":[{\"Type\":\"EncapOverhead\","
					 "\"Settings\":{\"Overhead\":null}}]}]",
					 &endpoints, &count, NULL),
		LCOWMIG_OK);
	EXPECT_TEXT(lcowmig__endpoint_adapter(&mem, endpoints, "ns", "nic", false), "{\"NamespaceID\":\"ns\",\"ID\":\"nic\"}");
	ck_assert_int_eq(lcowmig__endpoints_parse(&arena, &limits, NULL, &endpoints, &count, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(count, 0);
}
END_TEST

/* NET-36. */
START_TEST(test_endpoints_named_eth0_come_first_and_the_order_is_kept_otherwise)
{
	lcowmig__endpoint *endpoints = NULL;
	size_t count = 0;

	limits.endpoints = 5;
	ck_assert_int_eq(lcowmig__endpoints_parse(&arena, &limits,
						  "[{\"ID\":\"1\",\"Name\":\"eth0x\"},{\"ID\":\"2\",\"Name\":\"a_eth0\"},{\"ID\":\"3\"},"
						  "{\"ID\":\"4\",\"Name\":\"ETH0\"},{\"ID\":\"5\",\"Name\":\"eth0\"}]",
						  &endpoints, &count, NULL),
			 LCOWMIG_OK);
	ck_assert_uint_eq(count, 5);
	ck_assert_str_eq(endpoints[0].id, "2");
	ck_assert_str_eq(endpoints[1].id, "5");
	ck_assert_str_eq(endpoints[2].id, "1");
	ck_assert_str_eq(endpoints[3].id, "3");
	ck_assert_str_eq(endpoints[4].id, "4");
}
END_TEST

static const struct {
	const char *text;
	lcowmig_status status;
} bad_endpoints[] = {
	{ "{}", LCOWMIG_E_CORRUPT_DATA },
	{ "[", LCOWMIG_E_CORRUPT_DATA },
	{ "[7]", LCOWMIG_E_CORRUPT_DATA },
	{ "[{}]", LCOWMIG_E_CORRUPT_DATA },
	{ "[{\"ID\":7}]", LCOWMIG_E_CORRUPT_DATA },
	{ "[{\"ID\":\"e\",\"Routes\":{}}]", LCOWMIG_E_CORRUPT_DATA },
	{ "[{\"ID\":\"e\",\"Routes\":[7]}]", LCOWMIG_E_CORRUPT_DATA },
	{ "[{\"ID\":\"e\",\"Routes\":[{\"NextHop\":\"12345678901234567890123456789012345678901234567890123456789012345\"}]}]",
	  LCOWMIG_E_LIMIT_EXCEEDED },
	{ "[{\"ID\":\"e\",\"Routes\":[{\"DestinationPrefix\":\"12345678901234567890123456789012345678901234567890123456789012345\"}]}]",
	  LCOWMIG_E_LIMIT_EXCEEDED },
	{ "[{\"ID\":\"e\",\"IpConfigurations\":{}}]", LCOWMIG_E_CORRUPT_DATA },
	{ "[{\"ID\":\"e\",\"IpConfigurations\":[{\"IpAddress\":\"12345678901234567890123456789012345678901234567890123456789012345\"}]}]",
	  LCOWMIG_E_LIMIT_EXCEEDED },
	{ "[{\"ID\":\"e\",\"Routes\":[{\"Metric\":65536}]}]", LCOWMIG_E_CORRUPT_DATA },
	{ "[{\"ID\":\"e\",\"IpConfigurations\":[{\"PrefixLength\":256}]}]", LCOWMIG_E_CORRUPT_DATA },
	{ "[{\"ID\":\"e\",\"IpConfigurations\":[{\"PrefixLength\":\"x\"}]}]", LCOWMIG_E_CORRUPT_DATA },
	{ "[{\"ID\":\"e\",\"Policies\":[{\"Type\":\"EncapOverhead\",\"Settings\":{\"Overhead\":-1}}]}]", LCOWMIG_E_CORRUPT_DATA },
	{ "[{\"ID\":\"e\",\"Policies\":7}]", LCOWMIG_E_CORRUPT_DATA },
	{ "[{\"ID\":\"e\",\"Dns\":{\"Search\":[7]}}]", LCOWMIG_E_CORRUPT_DATA },
	{ "[{\"ID\":\"1234567890123456789012345678901234567890123456789\"}]", LCOWMIG_E_LIMIT_EXCEEDED },
	{ "[{\"ID\":\"1\"},{\"ID\":\"2\"},{\"ID\":\"3\"},{\"ID\":\"4\"}]", LCOWMIG_E_LIMIT_EXCEEDED },
};

START_TEST(test_endpoints_that_are_malformed_are_refused)
{
	lcowmig__endpoint *endpoints = NULL;
	size_t count = 9;

	ck_assert_msg(lcowmig__endpoints_parse(&arena, &limits, bad_endpoints[_i].text, &endpoints, &count, &error) ==
			      bad_endpoints[_i].status,
		      "%s: %s", bad_endpoints[_i].text, error.message);
	ck_assert_ptr_null(endpoints);
}
END_TEST

static void add_mount_tests(TCase *tests)
{
	tcase_add_loop_test(tests, test_oci_mount_is_classified, 0, LCOWMIG__COUNT(mounts_read));
	tcase_add_loop_test(tests, test_oci_mount_that_makes_no_sense_is_refused, 0, LCOWMIG__COUNT(bad_mounts));
	tcase_add_test(tests, test_oci_extensible_mount_is_read_or_there_is_no_memory);
	tcase_add_test(tests, test_oci_rewriting_ends_with_the_list);
	tcase_add_test(tests, test_oci_mounts_are_all_checked_before_any_is_given);
	tcase_add_test(tests, test_oci_mounts_are_rewritten_one_by_one);
	tcase_add_test(tests, test_oci_split_extensible_needs_prefix_provider_and_path);
	tcase_add_test(tests, test_oci_hugepages_need_size_and_location);
	tcase_add_test(tests, test_oci_read_only_is_found_anywhere_in_any_case);
	tcase_add_test(tests, test_oci_guest_paths_have_one_of_three_prefixes);
	tcase_add_test(tests, test_oci_base_name_knows_both_separators);
	tcase_add_test(tests, test_oci_no_devices_is_fine);
	tcase_add_test(tests, test_oci_device_of_another_type_fails_all_wherever_it_stands);
	tcase_add_test(tests, test_oci_devices_are_split_and_rewritten_in_order);
	tcase_add_loop_test(tests, test_oci_layers_come_from_a_mount_or_from_folders, 0, LCOWMIG__COUNT(layers_cases));
	tcase_add_test(tests, test_oci_layers_take_one_mount_without_target);
	tcase_add_test(tests, test_endpoint_becomes_the_guest_adapter);
	tcase_add_test(tests, test_endpoint_without_details_gives_a_bare_adapter);
	tcase_add_test(tests, test_endpoints_named_eth0_come_first_and_the_order_is_kept_otherwise);
	tcase_add_loop_test(tests, test_endpoints_that_are_malformed_are_refused, 0, LCOWMIG__COUNT(bad_endpoints));
}

int main(void)
{
	Suite *suite = suite_create("oci");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, test_oci_parse_refuses_sections_that_are_ambiguous_or_of_another_kind, 0, LCOWMIG__COUNT(bad_specs));
	tcase_add_test(tests, test_oci_parse_obeys_the_limits_and_survives_failing_allocations);
	tcase_add_test(tests, test_oci_annotations_are_looked_up_by_exact_name);
	tcase_add_loop_test(tests, test_oci_identify_tells_sandbox_from_workload, 0, LCOWMIG__COUNT(identities));
	tcase_add_loop_test(tests, test_oci_sandbox_names_its_namespace_and_no_endpoints, 0, LCOWMIG__COUNT(namespaces));
	tcase_add_loop_test(tests, test_oci_sanitise_gives_a_copy_for_the_guest, 0, LCOWMIG__COUNT(sanitised));
	tcase_add_test(tests, test_oci_sanitise_refuses_a_spec_without_linux_or_process);
	tcase_add_test(tests, test_oci_set_sandbox_id_does_nothing_where_there_is_none);
	tcase_add_test(tests, test_oci_guest_document_wraps_the_spec);
	tcase_add_test(tests, test_guest_paths_are_where_the_guest_looks);
	add_mount_tests(tests);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
