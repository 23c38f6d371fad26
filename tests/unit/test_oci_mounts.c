/* lib/hcs: the mounts and devices of an OCI spec. */
#include "oci_fixture.h"

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

static lcowmig_status read_source(const char *type, const char *source, lcowmig__oci_mount *ret_mount)
{
	char text[256];

	snprintf(text, sizeof text, MOUNT("%s", "%s", "/d"), type, source);
	return read_mount(text, ret_mount);
}

/* LC-71. */
START_TEST(test_oci_extensible_disk_needs_prefix_provider_and_path)
{
	static const char *const bad[] = { "", "evd://", "evd://x", "evd:///x", "evd://x/", "evd:/x/y", "EVD://x/y", "x/y" };
	lcowmig__oci_mount mount;
	size_t i;

	ck_assert_int_eq(read_source("extensible-virtual-disk", "evd://prov/a/b/c", &mount), LCOWMIG_OK);
	ck_assert_str_eq(mount.evd_type, "prov");
	ck_assert_str_eq(mount.host_path, "a/b/c");
	for (i = 0; i < LCOWMIG__COUNT(bad); i++)
		ck_assert_msg(read_source("extensible-virtual-disk", bad[i], &mount) == LCOWMIG_E_INVALID_ARGUMENT, "%s", bad[i]);
}
END_TEST

/* LC-72. */
START_TEST(test_oci_hugepages_need_size_and_location)
{
	static const char *const bad[] = {
		"hugepages://", "hugepages://2M", "hugepages://2M/", "hugepages:///x", "hugepages://1G/x", "hugepages://2m/x"
	};
	lcowmig__oci_mount mount;
	size_t i;

	ck_assert_int_eq(read_source("bind", "hugepages://2M/x", &mount), LCOWMIG_OK);
	ck_assert_int_eq(mount.kind, LCOWMIG__MOUNT_GUEST);
	ck_assert_int_eq(read_source("bind", "hugepages://2M/x/y", &mount), LCOWMIG_OK);
	for (i = 0; i < LCOWMIG__COUNT(bad); i++)
		ck_assert_msg(read_source("bind", bad[i], &mount) == LCOWMIG_E_INVALID_ARGUMENT, "%s", bad[i]);
}
END_TEST

/* LC-73. */
START_TEST(test_oci_read_only_is_found_anywhere_in_any_case)
{
	static const struct {
		const char *options;
		bool is_read_only;
	} rows[] = {
		{ "[\"rbind\",\"rO\",\"rw\"]", true },
		{ "[\"rO\"]", true },
		{ "[\"rbind\"]", false },
		{ "[\"noatime\",\"rw\",\"robust\"]", false },
		{ "[]", false },
	};
	lcowmig__oci_mount mount;
	char text[256];
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(rows); i++) {
		snprintf(text, sizeof text, "{\"destination\":\"/d\",\"type\":\"bind\",\"source\":\"C:\",\"options\":%s}", rows[i].options);
		ck_assert_int_eq(read_mount(text, &mount), LCOWMIG_OK);
		ck_assert_msg(mount.read_only == rows[i].is_read_only, "%s", rows[i].options);
	}
}
END_TEST

/* LC-74. */
START_TEST(test_oci_guest_paths_have_one_of_three_prefixes)
{
	static const struct {
		const char *source;
		lcowmig__mount_kind kind;
	} rows[] = {
		{ "sandbox://a", LCOWMIG__MOUNT_GUEST },      { "sandbox-tmp://a", LCOWMIG__MOUNT_GUEST },
		{ "uvm://a", LCOWMIG__MOUNT_GUEST },          { "2M/a", LCOWMIG__MOUNT_SHARE },
		{ "/sandbox://a", LCOWMIG__MOUNT_SHARE },     { "sandbox:/a", LCOWMIG__MOUNT_SHARE },
		{ "hugepages://2M/a", LCOWMIG__MOUNT_GUEST },
	};
	lcowmig__oci_mount mount;
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(rows); i++) {
		ck_assert_int_eq(read_source("bind", rows[i].source, &mount), LCOWMIG_OK);
		ck_assert_msg(mount.kind == rows[i].kind, "%s", rows[i].source);
	}
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
	} expected[] = { { "PCIP\\X", 3 }, { "PCIP/X", 65535 }, { "PCIP\\65536", 0 }, { "PCIP\\3x", 0 },
			 { "7", 0 },       { "PCIP\\", 0 },     { "PCIP\\-3", 0 } };
	lcowmig__oci_device *devices = NULL;
	size_t count = 0;
	cJSON *spec =
		parse("{\"windows\":{\"devices\":[{\"id\":\"PCIP\\\\X\\\\3\",\"idType\":\"vpci-instance-id\"},{\"id\":\"PCIP/X/65535\","
		      "\"idType\":\"vpci\"},{\"id\":\"PCIP\\\\65536\",\"idType\":\"gpu\"},{\"id\":\"PCIP\\\\3x\",\"idType\":\"vpci\"},"
		      "{\"id\":\"7\",\"idType\":\"vpci\"},{\"id\":\"PCIP\\\\\",\"idType\":\"vpci\"},{\"id\":\"PCIP\\\\-3\",\"idType\":"
		      "\"vpci\"}]}}");
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
			  "{\"idType\":\"vpci\",\"id\":\"g4\"},{\"id\":\"PCIP\\\\\",\"idType\":\"vpci\"},{\"id\":\"PCIP\\\\-3\",\"idType\":"
			  "\"vpci\"}]}}");
	cJSON_Delete(spec);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("oci mounts");
	TCase *tcase = tcase_create("oci mounts");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, test_oci_mount_is_classified, 0, LCOWMIG__COUNT(mounts_read));
	tcase_add_loop_test(tcase, test_oci_mount_that_makes_no_sense_is_refused, 0, LCOWMIG__COUNT(bad_mounts));
	tcase_add_test(tcase, test_oci_extensible_mount_is_read_or_there_is_no_memory);
	tcase_add_test(tcase, test_oci_rewriting_ends_with_the_list);
	tcase_add_test(tcase, test_oci_mounts_are_all_checked_before_any_is_given);
	tcase_add_test(tcase, test_oci_mounts_are_rewritten_one_by_one);
	tcase_add_test(tcase, test_oci_extensible_disk_needs_prefix_provider_and_path);
	tcase_add_test(tcase, test_oci_hugepages_need_size_and_location);
	tcase_add_test(tcase, test_oci_read_only_is_found_anywhere_in_any_case);
	tcase_add_test(tcase, test_oci_guest_paths_have_one_of_three_prefixes);
	tcase_add_test(tcase, test_oci_base_name_knows_both_separators);
	tcase_add_test(tcase, test_oci_no_devices_is_fine);
	tcase_add_test(tcase, test_oci_device_of_another_type_fails_all_wherever_it_stands);
	tcase_add_test(tcase, test_oci_devices_are_split_and_rewritten_in_order);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
