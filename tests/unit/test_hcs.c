/* lib/hcs: the documents that HCS takes. */
#include "hcs_fixture.h"

START_TEST(test_hcs_scsi_table_works_both_ways)
{
	uint32_t index = 99;
	uint32_t i;

	for (i = 0; i < LCOWMIG_SCSI_CONTROLLERS_MAX; i++) {
		ck_assert(lcowmig__hcs_scsi_controller_index(lcowmig__hcs_scsi_controller(i), &index));
		ck_assert_uint_eq(index, i);
	}
	ck_assert_str_eq(lcowmig__hcs_scsi_controller(0), "df6d0690-79e5-55b6-a5ec-c1e2f77f580a");
	ck_assert_ptr_null(lcowmig__hcs_scsi_controller(4));
	ck_assert(lcowmig__hcs_scsi_controller_index("0110F83B-DE10-5172-A266-78BCA56BF50A", &index));
	ck_assert_uint_eq(index, 1);
	ck_assert(!lcowmig__hcs_scsi_controller_index("0110f83b-de10-5172-a266-78bca56bf50b", &index));
}
END_TEST

START_TEST(test_hcs_modify_requests_are_what_hcs_takes)
{
	const lcowmig__hcs_attachment disk = { 0, 2, "C:\\snap\\40\\sandbox.vhdx", LCOWMIG__DISK_VIRTUAL, false, NULL };
	const lcowmig__hcs_attachment extensible = { 3, 63, "name", LCOWMIG__DISK_EXTENSIBLE, true, "provider" };
	const lcowmig__hcs_cpu_limits cpu = { 50000, 500, 0, 0 };
	const lcowmig__hcs_cpu_limits all = { 1, 2, UINT64_MAX, 4 };

	EXPECT_TEXT(lcowmig__hcs_scsi_add(&mem, &disk),
		    "{\"ResourcePath\":\"VirtualMachine/Devices/Scsi/df6d0690-79e5-55b6-a5ec-c1e2f77f580a/Attachments/2\",\"RequestType\":"
		    "\"Add\",\"Settings\":{\"Type\":\"VirtualDisk\",\"Path\":\"C:\\\\snap\\\\40\\\\sandbox.vhdx\"}}");
	EXPECT_TEXT(lcowmig__hcs_scsi_add(&mem, &extensible),
		    "{\"ResourcePath\":\"VirtualMachine/Devices/Scsi/305891a9-b251-5dfe-91a2-c25d9212275b/Attachments/63\",\"RequestType\":"
		    "\"Add\",\"Settings\":{\"Type\":\"ExtensibleVirtualDisk\",\"Path\":\"name\",\"ReadOnly\":true,"
		    "\"ExtensibleVirtualDiskType\":\"provider\"}}");
	EXPECT_TEXT(lcowmig__hcs_scsi_remove(&mem, 0, 2),
		    "{\"ResourcePath\":\"VirtualMachine/Devices/Scsi/"
		    "df6d0690-79e5-55b6-a5ec-c1e2f77f580a/Attachments/2\",\"RequestType\":\"Remove\"}");
	EXPECT_TEXT(lcowmig__hcs_nic_add(&mem, "nic", "endpoint", "00-15-5D-01-02-03"),
		    "{\"ResourcePath\":\"VirtualMachine/Devices/NetworkAdapters/nic\",\"RequestType\":\"Add\",\"Settings\":{\"EndpointId\":"
		    "\"endpoint\",\"MacAddress\":\"00-15-5D-01-02-03\"}}");
	EXPECT_TEXT(
		lcowmig__hcs_nic_remove(&mem, "nic", "endpoint", "mac"),
		"{\"ResourcePath\":\"VirtualMachine/Devices/NetworkAdapters/nic\",\"RequestType\":\"Remove\",\"Settings\":{\"EndpointId\":"
		"\"endpoint\",\"MacAddress\":\"mac\"}}");
	EXPECT_TEXT(lcowmig__hcs_vpci_add(&mem, "bus", "PCIP\\VEN_10DE", 0),
		    "{\"ResourcePath\":\"VirtualMachine/Devices/VirtualPci/bus\",\"RequestType\":\"Add\",\"Settings\":{\"Functions\":[{"
		    "\"DeviceInstancePath\":\"PCIP\\\\VEN_10DE\"}],\"PropagateNumaAffinity\":true}}");
	EXPECT_TEXT(lcowmig__hcs_vpci_add(&mem, "bus", "x", 65535),
		    "{\"ResourcePath\":\"VirtualMachine/Devices/VirtualPci/bus\",\"RequestType\":\"Add\",\"Settings\":{\"Functions\":[{"
		    "\"DeviceInstancePath\":\"x\",\"VirtualFunction\":65535}],\"PropagateNumaAffinity\":true}}");
	EXPECT_TEXT(lcowmig__hcs_vpci_remove(&mem, "bus"),
		    "{\"ResourcePath\":\"VirtualMachine/Devices/VirtualPci/bus\",\"RequestType\":\"Remove\"}");
	EXPECT_TEXT(lcowmig__hcs_memory(&mem, 2048),
		    "{\"ResourcePath\":\"VirtualMachine/ComputeTopology/Memory/SizeInMB\",\"Settings\":2048}");
	EXPECT_TEXT(lcowmig__hcs_cpu_group(&mem, "g"),
		    "{\"ResourcePath\":\"VirtualMachine/ComputeTopology/Processor/CpuGroup\",\"Settings\":{\"Id\":\"g\"}}");
	EXPECT_TEXT(lcowmig__hcs_cpu_limits_request(&mem, &cpu),
		    "{\"ResourcePath\":\"VirtualMachine/ComputeTopology/Processor/Limits\",\"Settings\":{\"Limit\":50000,\"Weight\":500}}");
	EXPECT_TEXT(lcowmig__hcs_cpu_limits_request(&mem, &all),
		    "{\"ResourcePath\":\"VirtualMachine/ComputeTopology/Processor/Limits\",\"Settings\":{\"Limit\":1,\"Weight\":2,"
		    "\"Reservation\":18446744073709551615,\"MaximumFrequencyMHz\":4}}");
}
END_TEST

START_TEST(test_hcs_plan9_requests_carry_the_right_flags)
{
	static const char *const files[] = { "a", "b" };
	lcowmig__hcs_plan9_share share = { "0", "C:\\data", false, false, NULL, 0 };

	EXPECT_TEXT(lcowmig__hcs_plan9_add(&mem, &share),
		    "{\"ResourcePath\":\"VirtualMachine/Devices/Plan9/Shares\",\"RequestType\":\"Add\",\"Settings\":{\"Name\":\"0\","
		    "\"AccessName\":\"0\",\"Path\":\"C:\\\\data\",\"Port\":564,\"Flags\":4}}");
	share.read_only = true;
	share.restrict_files = true;
	share.allowed_files = files;
	share.n_allowed_files = 2;
	EXPECT_TEXT(lcowmig__hcs_plan9_add(&mem, &share),
		    "{\"ResourcePath\":\"VirtualMachine/Devices/Plan9/Shares\",\"RequestType\":\"Add\",\"Settings\":{\"Name\":\"0\","
		    "\"AccessName\":\"0\",\"Path\":\"C:\\\\data\",\"Port\":564,\"Flags\":133,\"AllowedFiles\":[\"a\",\"b\"]}}");
	EXPECT_TEXT(lcowmig__hcs_plan9_remove(&mem, "7"),
		    "{\"ResourcePath\":\"VirtualMachine/Devices/Plan9/Shares\",\"RequestType\":\"Remove\",\"Settings\":{\"Name\":\"7\","
		    "\"AccessName\":\"7\",\"Port\":564}}");
}
END_TEST

/* ---- The compute-system document ---- */

#define C0 "df6d0690-79e5-55b6-a5ec-c1e2f77f580a"
#define C1 "0110f83b-de10-5172-a266-78bca56bf50a"
#define C2 "b5d2d8d4-3a75-51bf-945b-3444dc6b8579"
#define C3 "305891a9-b251-5dfe-91a2-c25d9212275b"

static const char document[] =
	"{\"Owner\":\"test\", \"SchemaVersion\":{\"Major\":2,\"Minor\":1},\n"
	" \"VirtualMachine\":{\"Chipset\":{\"LinuxKernelDirect\":{\"KernelCmdLine\":\"quiet -- -e 1 /bin/vsockexec -r -e 109 "
	"/bin/gcs\"}},\n"
	"  \"ComputeTopology\":{\"Memory\":{\"SizeInMB\":1024,\"HighMmioBaseInMB\":9007199254740993},\"Processor\":{\"Count\":2}},\n"
	"  \"Devices\":{\"Scsi\":{\"" C1 "\":{},\"" C3 "\":null,\"" C0 "\":{\"Attachments\":{\"0\":{\"Type\":\"VirtualDisk\","
	"\"Path\":\"C:\\\\root.vhd\",\"ReadOnly\":true},\"12\":{\"Type\":\"ExtensibleVirtualDisk\",\"Path\":\"p\","
	"\"ExtensibleVirtualDiskType\":\"prov\"}}}},\"Plan9\":null}}}";

static lcowmig_status inspect(const char *text, lcowmig__hcs_facts *facts, lcowmig_error *error)
{
	return lcowmig__hcs_document_inspect(&mem, &limits, text, strlen(text), facts, error);
}

START_TEST(test_hcs_document_inspect_says_what_is_in_it)
{
	lcowmig__hcs_facts facts;

	ck_assert_int_eq(inspect(document, &facts, NULL), LCOWMIG_OK);
	ck_assert_str_eq(facts.kernel_command_line, "quiet -- -e 1 /bin/vsockexec -r -e 109 /bin/gcs");
	ck_assert(facts.relays_log);
	ck_assert_str_eq(facts.blockers, "");
	ck_assert_str_eq(facts.devices, "Scsi");
	ck_assert(!facts.has_plan9 && !facts.has_vpci && !facts.is_confidential && !facts.has_migration_options);
	ck_assert_uint_eq(facts.memory_mb, 1024);
	ck_assert_uint_eq(facts.scsi_controllers, 1 | 2 | 8);
	lcowmig__hcs_facts_done(&mem, &facts);
	ck_assert_ptr_null(facts.kernel_command_line);
}
END_TEST

START_TEST(test_hcs_document_inspect_names_what_cannot_migrate)
{
	lcowmig__hcs_facts facts;

	ck_assert_int_eq(inspect("{\"VirtualMachine\":{\"Chipset\":{\"Uefi\":{\"BootThis\":{\"OptionalData\":\"/bin/vsockexec -e 109\"}}},"
				 "\"Devices\":{\"Plan9\":{},\"VirtualPci\":{\"g\":{}}},\"GuestState\":{},\"SecuritySettings\":{},"
				 "\"MigrationOptions\":{}}}",
				 &facts, NULL),
			 LCOWMIG_OK);
	ck_assert_str_eq(facts.kernel_command_line, "/bin/vsockexec -e 109");
	ck_assert(!facts.relays_log);
	ck_assert(facts.has_plan9 && facts.has_vpci && facts.is_confidential && facts.has_migration_options);
	ck_assert_str_eq(facts.devices, "Plan9, VirtualPci");
	ck_assert_str_eq(facts.blockers, "Devices.Plan9, Devices.VirtualPci, GuestState, SecuritySettings");
	lcowmig__hcs_facts_done(&mem, &facts);
	ck_assert_int_eq(inspect("{\"VirtualMachine\":{\"Devices\":{\"VirtualPci\":{}}}}", &facts, NULL), LCOWMIG_OK);
	ck_assert(!facts.has_vpci);
	ck_assert_str_eq(facts.kernel_command_line, "");
	lcowmig__hcs_facts_done(&mem, &facts);
}
END_TEST

#define SCSI(inside) "{\"VirtualMachine\":{\"Devices\":{\"Scsi\":" inside "}}}"
#define DISK "{\"Type\":\"VirtualDisk\",\"Path\":\"p\"}"

static const struct {
	const char *text;
	lcowmig_status status;
} bad_documents[] = {
	{ "", LCOWMIG_E_CORRUPT_DATA },
	{ "[]", LCOWMIG_E_CORRUPT_DATA },
	{ "{}", LCOWMIG_E_CORRUPT_DATA },
	{ "{\"VirtualMachine\":null}", LCOWMIG_E_CORRUPT_DATA },
	{ "{\"VirtualMachine\":1}", LCOWMIG_E_CORRUPT_DATA },
	{ "{\"virtualmachine\":{}}", LCOWMIG_E_CORRUPT_DATA },
	{ "{\"VirtualMachine\":{},\"VirtualMachine\":{}}", LCOWMIG_E_CORRUPT_DATA },
	{ "{\"VirtualMachine\":{}} {}", LCOWMIG_E_CORRUPT_DATA },
	{ "{\"VirtualMachine\":{\"Devices\":[]}}", LCOWMIG_E_CORRUPT_DATA },
	{ "{\"VirtualMachine\":{\"Devices\":{\"scsi\":{}}}}", LCOWMIG_E_CORRUPT_DATA },
	{ "{\"VirtualMachine\":{\"Devices\":{\"Plan9\":{},\"plan9\":{}}}}", LCOWMIG_E_CORRUPT_DATA },
	{ "{\"VirtualMachine\":{\"Devices\":{\"VirtualPci\":1}}}", LCOWMIG_E_CORRUPT_DATA },
	{ "{\"VirtualMachine\":{\"guestState\":{}}}", LCOWMIG_E_CORRUPT_DATA },
	{ "{\"VirtualMachine\":{\"securitySettings\":{}}}", LCOWMIG_E_CORRUPT_DATA },
	{ "{\"VirtualMachine\":{\"MigrationOptions\":\"x\"}}", LCOWMIG_E_CORRUPT_DATA },
	{ "{\"VirtualMachine\":{\"Chipset\":{\"Uefi\":7}}}", LCOWMIG_E_CORRUPT_DATA },
	{ "{\"VirtualMachine\":{\"Chipset\":7}}", LCOWMIG_E_CORRUPT_DATA },
	{ "{\"VirtualMachine\":{\"ComputeTopology\":7}}", LCOWMIG_E_CORRUPT_DATA },
	{ "{\"VirtualMachine\":{\"ComputeTopology\":{\"Processor\":7}}}", LCOWMIG_E_CORRUPT_DATA },
	{ "{\"VirtualMachine\":{\"ComputeTopology\":{\"Processor\":{\"CpuGroup\":7}}}}", LCOWMIG_E_CORRUPT_DATA },
	{ "{\"VirtualMachine\":{\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":\"x\"}}}}", LCOWMIG_E_CORRUPT_DATA },
	{ "{\"VirtualMachine\":{\"ComputeTopology\":{\"Memory\":{\"sizeInMB\":1}}}}", LCOWMIG_E_CORRUPT_DATA },
	{ "{\"VirtualMachine\":{\"ComputeTopology\":{\"Processor\":{\"CpuGroup\":{\"ID\":\"\"}}}}}", LCOWMIG_E_CORRUPT_DATA },
	{ "{\"VirtualMachine\":{\"ComputeTopology\":{\"Processor\":{\"limit\":1}}}}", LCOWMIG_E_CORRUPT_DATA },
	{ SCSI("{\"00000000-0000-0000-0000-000000000000\":{}}"), LCOWMIG_E_CORRUPT_DATA },
	{ SCSI("{\"" C0 "\":{},\"DF6D0690-79E5-55B6-A5EC-C1E2F77F580A\":{}}"), LCOWMIG_E_CORRUPT_DATA },
	{ SCSI("{\"" C0 "\":[]}"), LCOWMIG_E_CORRUPT_DATA },
	{ SCSI("{\"" C0 "\":{\"Attachments\":1}}"), LCOWMIG_E_CORRUPT_DATA },
	{ SCSI("{\"" C0 "\":{\"Attachments\":{\"64\":" DISK "}}}"), LCOWMIG_E_CORRUPT_DATA },
	{ SCSI("{\"" C0 "\":{\"Attachments\":{\"01\":" DISK "}}}"), LCOWMIG_E_CORRUPT_DATA },
	{ SCSI("{\"" C0 "\":{\"Attachments\":{\"\":" DISK "}}}"), LCOWMIG_E_CORRUPT_DATA },
	{ SCSI("{\"" C0 "\":{\"Attachments\":{\"x\":" DISK "}}}"), LCOWMIG_E_CORRUPT_DATA },
	{ SCSI("{\"" C0 "\":{\"Attachments\":{\"-1\":" DISK "}}}"), LCOWMIG_E_CORRUPT_DATA },
	{ SCSI("{\"" C0 "\":{\"Attachments\":{\"99999999999\":" DISK "}}}"), LCOWMIG_E_CORRUPT_DATA },
	{ SCSI("{\"" C0 "\":{\"Attachments\":{\"1\":" DISK ",\"1\":" DISK "}}}"), LCOWMIG_E_CORRUPT_DATA },
	{ SCSI("{\"" C0 "\":{\"Attachments\":{\"1\":null}}}"), LCOWMIG_E_CORRUPT_DATA },
	{ SCSI("{\"" C0 "\":{\"Attachments\":{\"1\":{\"Type\":\"VirtualDisk\"}}}}"), LCOWMIG_E_CORRUPT_DATA },
	{ SCSI("{\"" C0 "\":{\"Attachments\":{\"1\":{\"Path\":\"p\"}}}}"), LCOWMIG_E_CORRUPT_DATA },
	{ SCSI("{\"" C0 "\":{\"Attachments\":{\"1\":{\"Type\":\"Iso\",\"Path\":\"p\"}}}}"), LCOWMIG_E_NOT_SUPPORTED },
	{ SCSI("{\"" C0 "\":{\"Attachments\":{\"1\":{\"Type\":\"PassThru\",\"Path\":"
	       "\"12345678901234567890123456789012345678901234567890123456789012345\"}}}}"),
	  LCOWMIG_E_LIMIT_EXCEEDED },
};

START_TEST(test_hcs_document_inspect_refuses_what_it_could_not_replace)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig__hcs_facts facts;

	ck_assert_msg(inspect(bad_documents[_i].text, &facts, &error) == bad_documents[_i].status, "%s: %s", bad_documents[_i].text,
		      error.message);
	ck_assert_str_ne(error.message, "");
}
END_TEST

START_TEST(test_hcs_document_inspect_obeys_the_limits)
{
	lcowmig__hcs_facts facts;

	limits.document_bytes = (uint32_t)strlen(document) - 1;
	ck_assert_int_eq(inspect(document, &facts, NULL), LCOWMIG_E_LIMIT_EXCEEDED);
	limits.document_bytes++;
	limits.json_depth = 6;
	ck_assert_int_eq(inspect(document, &facts, NULL), LCOWMIG_E_LIMIT_EXCEEDED);
	limits.json_depth = 7;
	ck_assert_int_eq(inspect(document, &facts, NULL), LCOWMIG_OK);
	lcowmig__hcs_facts_done(&mem, &facts);
}
END_TEST

START_TEST(test_hcs_document_inspect_survives_each_failing_allocation)
{
	lcowmig_status status = LCOWMIG_E_NO_MEMORY;
	lcowmig__hcs_facts facts;
	int i;

	for (i = 1; status; i++) {
		fail_at = i;
		status = inspect(document, &facts, NULL);
		ck_assert(status == LCOWMIG_OK || status == LCOWMIG_E_NO_MEMORY);
		ck_assert(status == LCOWMIG_OK || out == 0);
	}
	fail_at = 0;
	lcowmig__hcs_facts_done(&mem, &facts);
}
END_TEST

typedef struct seen_disks {
	char text[256];
	int stop_after;
} seen_disks;

static lcowmig_status see_disk(void *user, const lcowmig__hcs_attachment *a, lcowmig_error *error)
{
	seen_disks *seen = user;
	size_t used = strlen(seen->text);

	snprintf(seen->text + used, sizeof seen->text - used, "%u:%u %s %s %d %s;", a->controller, a->lun, a->type, a->path, a->read_only,
		 a->evd_type ? a->evd_type : "-");
	return --seen->stop_after == 0 ? lcowmig__fail(error, LCOWMIG_E_DENIED, "enough") : LCOWMIG_OK;
}

START_TEST(test_hcs_document_disks_shows_each_disk)
{
	seen_disks seen = { "", 0 };
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	ck_assert_int_eq(lcowmig__hcs_document_disks(&limits, document, strlen(document), see_disk, &seen, NULL), LCOWMIG_OK);
	ck_assert_str_eq(seen.text, "0:0 VirtualDisk C:\\root.vhd 1 -;0:12 ExtensibleVirtualDisk p 0 prov;");
	seen.text[0] = '\0';
	seen.stop_after = 1;
	ck_assert_int_eq(lcowmig__hcs_document_disks(&limits, document, strlen(document), see_disk, &seen, &error), LCOWMIG_E_DENIED);
	ck_assert_str_eq(error.message, "enough");
	ck_assert_str_eq(seen.text, "0:0 VirtualDisk C:\\root.vhd 1 -;");
	ck_assert_int_eq(lcowmig__hcs_document_disks(&limits, "{}", 2, see_disk, &seen, NULL), LCOWMIG_E_CORRUPT_DATA);
}
END_TEST

/* `document` with the part from `from` up to before `to` replaced. */
static void edited(char *ret, size_t size, const char *from, const char *to, const char *replacement)
{
	const char *start = strstr(document, from);
	const char *end = strstr(start, to);

	snprintf(ret, size, "%.*s%s%s", (int)(start - document), document, replacement, end);
}

/* An edit, tried with each allocation failing. Leaves the text in `spliced`. */
#define EXPECT_EDIT(call, expected)                                                                                                        \
	do {                                                                                                                               \
		lcowmig_status edit_status = LCOWMIG_E_NO_MEMORY;                                                                          \
		char *spliced = NULL;                                                                                                      \
		size_t spliced_size = 0;                                                                                                   \
		int edit_i;                                                                                                                \
		for (edit_i = 1; edit_status; edit_i++) {                                                                                  \
			fail_at = edit_i;                                                                                                  \
			edit_status = call;                                                                                                \
			ck_assert(!edit_status || out == 0);                                                                               \
			ck_assert(!edit_status || !spliced);                                                                               \
			ck_assert_int_le(edit_i, 200);                                                                                     \
		}                                                                                                                          \
		fail_at = 0;                                                                                                               \
		ck_assert_str_eq(spliced, expected);                                                                                       \
		ck_assert_uint_eq(spliced_size, strlen(spliced));                                                                          \
		lcowmig__free(&mem, spliced);                                                                                              \
	} while (0)

#define EDIT document, strlen(document)
#define RESULT &spliced, &spliced_size, NULL

/* every controller stays, empty ones included. */
START_TEST(test_hcs_document_set_disks_replaces_the_map_and_nothing_else)
{
	const lcowmig__hcs_attachment disks[] = {
		{ 2, 2, "b", LCOWMIG__DISK_PASS_THRU, false, NULL }, { 0, 2, "c", LCOWMIG__DISK_VIRTUAL, true, "" },
		{ 0, 63, "e", LCOWMIG__DISK_VIRTUAL, false, NULL },  { 0, 10, "d", LCOWMIG__DISK_EXTENSIBLE, false, "prov" },
		{ 0, 0, "a", LCOWMIG__DISK_VIRTUAL, false, NULL },
	};
	char expected[2048];

	edited(expected, sizeof expected, "{\"" C1, ",\"Plan9\"",
	       "{\"" C1 "\":{},\"" C3 "\":{},\"" C2 "\":{\"Attachments\":{\"2\":{\"Type\":\"PassThru\",\"Path\":\"b\"}}},\"" C0
	       "\":{\"Attachments\":{\"0\":{\"Type\":\"VirtualDisk\",\"Path\":\"a\"},\"10\":{\"Type\":\"ExtensibleVirtualDisk\",\"Path\":"
	       "\"d\",\"ExtensibleVirtualDiskType\":\"prov\"},\"2\":{\"Type\":\"VirtualDisk\",\"Path\":\"c\",\"ReadOnly\":true},\"63\":{"
	       "\"Type\":\"VirtualDisk\",\"Path\":\"e\"}}}}");
	EXPECT_EDIT(lcowmig__hcs_document_set_disks(&mem, EDIT, 4, disks, 5, RESULT), expected);
	edited(expected, sizeof expected, "{\"" C1, ",\"Plan9\"", "{\"" C0 "\":{}}");
	EXPECT_EDIT(lcowmig__hcs_document_set_disks(&mem, EDIT, 1, NULL, 0, RESULT), expected);
}
END_TEST

START_TEST(test_hcs_document_set_disks_adds_the_parents_that_are_missing)
{
	static const char empty[] = "{\"VirtualMachine\":{}}";
	static const char null[] = "{\"VirtualMachine\":{\"Devices\":null}}";

	EXPECT_EDIT(lcowmig__hcs_document_set_disks(&mem, empty, strlen(empty), 1, NULL, 0, RESULT),
		    "{\"VirtualMachine\":{\"Devices\":{\"Scsi\":{\"" C0 "\":{}}}}}");
	EXPECT_EDIT(lcowmig__hcs_document_set_disks(&mem, null, strlen(null), 1, NULL, 0, RESULT),
		    "{\"VirtualMachine\":{\"Devices\":{\"Scsi\":{\"" C0 "\":{}}}}}");
}
END_TEST

START_TEST(test_hcs_document_set_disks_refuses_slots_that_do_not_exist)
{
	const lcowmig__hcs_attachment disks[] = {
		{ 1, 0, "a", LCOWMIG__DISK_VIRTUAL, false, NULL },
		{ 1, 64, "a", LCOWMIG__DISK_VIRTUAL, false, NULL },
		{ 1, 0, "b", LCOWMIG__DISK_VIRTUAL, false, NULL },
	};
	const lcowmig__hcs_attachment twice[] = { disks[0], disks[2] };
	char *text = NULL;
	size_t size = 0;

	ck_assert_int_eq(lcowmig__hcs_document_set_disks(&mem, EDIT, 1, disks, 1, &text, &size, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig__hcs_document_set_disks(&mem, EDIT, 5, disks, 1, &text, &size, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig__hcs_document_set_disks(&mem, EDIT, 4, disks + 1, 1, &text, &size, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig__hcs_document_set_disks(&mem, EDIT, 4, disks, 3, &text, &size, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig__hcs_document_set_disks(&mem, EDIT, 4, twice, 2, &text, &size, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	/* Nor is anything added to what is no document. */
	ck_assert_int_eq(lcowmig__hcs_document_set_disks(&mem, "[]", 2, 4, disks, 1, &text, &size, NULL), LCOWMIG_E_NOT_FOUND);
	ck_assert_ptr_null(text);
}
END_TEST

/* on a copy; the retained text is not written to, and a second stamp replaces the first. */
START_TEST(test_hcs_document_set_migration_stamps_a_copy)
{
	char expected[2048];
	char *twice = NULL;
	size_t size = 0;

	edited(expected, sizeof expected, ",\"Plan9\":null", "}}", ",\"Plan9\":null},\"MigrationOptions\":{\"Origin\":\"Destination\"}");
	memmove(expected + strlen(expected) - 3, "}}", 3); /* the closing brace of Devices came in the replacement */
	EXPECT_EDIT(lcowmig__hcs_document_set_migration(&mem, EDIT, "{\"Origin\":\"Destination\"}", RESULT), expected);
	ck_assert_int_eq(lcowmig__hcs_document_set_migration(&mem, expected, strlen(expected), "{}", &twice, &size, NULL), LCOWMIG_OK);
	ck_assert_ptr_nonnull(strstr(twice, "\"MigrationOptions\":{}"));
	ck_assert_ptr_null(strstr(twice, "Origin"));
	lcowmig__free(&mem, twice);
}
END_TEST

/* what was changed at run time is part of what is exported. */
START_TEST(test_hcs_document_remembers_run_time_changes)
{
	const lcowmig__hcs_cpu_limits cpu = { 50000, 0, UINT64_MAX, 1000 };
	const lcowmig__hcs_cpu_limits none = { 0, 0, 0, 0 };
	char expected[2048];

	edited(expected, sizeof expected, "1024,", ",\"High", "18446744073709551614");
	EXPECT_EDIT(lcowmig__hcs_document_set_memory(&mem, EDIT, UINT64_MAX - 1, RESULT), expected);
	edited(expected, sizeof expected, "\"Count\":2", "}}", "\"Count\":2,\"CpuGroup\":{\"Id\":\"g\\\"1\"}");
	EXPECT_EDIT(lcowmig__hcs_document_set_cpu_group(&mem, EDIT, "g\"1", RESULT), expected);
	edited(expected, sizeof expected, "\"Count\":2", "}}", "\"Count\":2,\"Limit\":50000,\"Reservation\":18446744073709551615");
	EXPECT_EDIT(lcowmig__hcs_document_set_cpu_limits(&mem, EDIT, &cpu, RESULT), expected);
	EXPECT_EDIT(lcowmig__hcs_document_set_cpu_limits(&mem, EDIT, &none, RESULT), document);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hcs");
	TCase *tcase = tcase_create("hcs");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_hcs_scsi_table_works_both_ways);
	tcase_add_test(tcase, test_hcs_modify_requests_are_what_hcs_takes);
	tcase_add_test(tcase, test_hcs_plan9_requests_carry_the_right_flags);
	tcase_add_test(tcase, test_hcs_document_inspect_says_what_is_in_it);
	tcase_add_test(tcase, test_hcs_document_inspect_names_what_cannot_migrate);
	tcase_add_loop_test(tcase, test_hcs_document_inspect_refuses_what_it_could_not_replace, 0, LCOWMIG__COUNT(bad_documents));
	tcase_add_test(tcase, test_hcs_document_inspect_obeys_the_limits);
	tcase_add_test(tcase, test_hcs_document_inspect_survives_each_failing_allocation);
	tcase_add_test(tcase, test_hcs_document_disks_shows_each_disk);
	tcase_add_test(tcase, test_hcs_document_set_disks_replaces_the_map_and_nothing_else);
	tcase_add_test(tcase, test_hcs_document_set_disks_adds_the_parents_that_are_missing);
	tcase_add_test(tcase, test_hcs_document_set_disks_refuses_slots_that_do_not_exist);
	tcase_add_test(tcase, test_hcs_document_set_migration_stamps_a_copy);
	tcase_add_test(tcase, test_hcs_document_remembers_run_time_changes);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
