/* lib/hcs: rootfs layers, and HCN endpoints. */
#include "oci_fixture.h"

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

	ck_assert_int_eq(lcowmig__endpoints_parse(&arena, &limits,
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

int main(void)
{
	Suite *suite = suite_create("oci layers");
	TCase *tcase = tcase_create("oci layers");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, test_oci_layers_come_from_a_mount_or_from_folders, 0, LCOWMIG__COUNT(layers_cases));
	tcase_add_test(tcase, test_oci_layers_take_one_mount_without_target);
	tcase_add_test(tcase, test_endpoint_becomes_the_guest_adapter);
	tcase_add_test(tcase, test_endpoint_without_details_gives_a_bare_adapter);
	tcase_add_test(tcase, test_endpoints_named_eth0_come_first_and_the_order_is_kept_otherwise);
	tcase_add_loop_test(tcase, test_endpoints_that_are_malformed_are_refused, 0, LCOWMIG__COUNT(bad_endpoints));
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
