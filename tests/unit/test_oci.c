/* lib/hcs: reading an OCI spec, and its version for the guest. */
#include "oci_fixture.h"

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
	{ "{\"process\":{},\"root\":{},\"linux\":{},\"windows\":{\"devices\":[]}}",
	  "{\"process\":{},\"root\":{\"path\":\"/r\"},\"linux\":{}}" },
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

int main(void)
{
	Suite *suite = suite_create("oci");
	TCase *tcase = tcase_create("oci");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, test_oci_parse_refuses_sections_that_are_ambiguous_or_of_another_kind, 0, LCOWMIG__COUNT(bad_specs));
	tcase_add_test(tcase, test_oci_parse_obeys_the_limits_and_survives_failing_allocations);
	tcase_add_test(tcase, test_oci_annotations_are_looked_up_by_exact_name);
	tcase_add_loop_test(tcase, test_oci_identify_tells_sandbox_from_workload, 0, LCOWMIG__COUNT(identities));
	tcase_add_loop_test(tcase, test_oci_sanitise_gives_a_copy_for_the_guest, 0, LCOWMIG__COUNT(sanitised));
	tcase_add_test(tcase, test_oci_sanitise_refuses_a_spec_without_linux_or_process);
	tcase_add_test(tcase, test_oci_set_sandbox_id_does_nothing_where_there_is_none);
	tcase_add_test(tcase, test_oci_guest_document_wraps_the_spec);
	tcase_add_test(tcase, test_guest_paths_are_where_the_guest_looks);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
