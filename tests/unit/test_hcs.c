/* lib/hcs: the documents HCS takes and gives. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "hcs/documents.h"
#include "hcs/options.h"

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

static void *mem_allocate(void *user, size_t size)
{
	(void)user;
	return count_malloc(size);
}

static void mem_release(void *user, void *pointer)
{
	(void)user;
	count_free(pointer);
}

static const lcowmig__mem mem = { mem_allocate, mem_release, NULL };
static lcowmig_limits limits;

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
	limits.compat_bytes = 8;
}

static void teardown(void)
{
	ck_assert_int_eq(out, 0);
	cJSON_InitHooks(NULL);
}

/* Compares a builder's text, and sees it give NULL, leaking nothing, for each allocation that fails. */
#define EXPECT_TEXT(expression, expected)                                                                                                  \
	do {                                                                                                                               \
		int expect_i = 1;                                                                                                          \
		char *expect_text;                                                                                                         \
		for (;; expect_i++) {                                                                                                      \
			fail_at = expect_i;                                                                                                \
			expect_text = (expression);                                                                                        \
			if (fail_at)                                                                                                       \
				break;                                                                                                     \
			ck_assert_msg(!expect_text, "%s", expected);                                                                       \
			ck_assert_int_eq(out, 0);                                                                                          \
		}                                                                                                                          \
		fail_at = 0;                                                                                                               \
		ck_assert_str_eq(expect_text, expected);                                                                                   \
		lcowmig__free(&mem, expect_text);                                                                                          \
	} while (0)

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
	EXPECT_TEXT(lcowmig__hcs_modify_request(&mem, "path", "Update", NULL), "{\"ResourcePath\":\"path\",\"RequestType\":\"Update\"}");
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

/* ---- Properties ---- */

START_TEST(test_hcs_compatibility_answer_gives_its_bytes)
{
	static const char answer[] = "{\"PropertyResponses\":{\"CompatibilityInfo\":{\"Response\":{\"Data\":\"AQIDBA==\"}}}}";
	lcowmig_status status = LCOWMIG_E_NO_MEMORY;
	uint8_t *bytes = NULL;
	size_t size = 0;
	int i;

	for (i = 1; status; i++) {
		fail_at = i;
		status = lcowmig__hcs_parse_compatibility(&mem, &limits, answer, &bytes, &size, NULL);
		ck_assert(status == LCOWMIG_OK || status == LCOWMIG_E_NO_MEMORY);
	}
	fail_at = 0;
	ck_assert_uint_eq(size, 4);
	ck_assert_mem_eq(bytes, "\1\2\3\4", 4);
	lcowmig__free(&mem, bytes);
}
END_TEST

static const struct {
	const char *answer;
	lcowmig_status status;
} bad_answers[] = {
	{ NULL, LCOWMIG_E_HOST_FAILED },
	{ "", LCOWMIG_E_HOST_FAILED },
	{ "{}", LCOWMIG_E_HOST_FAILED },
	{ "{\"PropertyResponses\":{}}", LCOWMIG_E_HOST_FAILED },
	{ "{\"PropertyResponses\":{\"CompatibilityInfo\":{}}}", LCOWMIG_E_HOST_FAILED },
	{ "{\"PropertyResponses\":{\"CompatibilityInfo\":{\"Response\":null}}}", LCOWMIG_E_HOST_FAILED },
	{ "{\"PropertyResponses\":{\"CompatibilityInfo\":{\"Response\":{\"Data\":\"\"}}}}", LCOWMIG_E_HOST_FAILED },
	{ "{\"PropertyResponses\":{\"CompatibilityInfo\":{\"Response\":{\"Data\":\"A\"}}}}", LCOWMIG_E_CORRUPT_DATA },
	{ "{\"PropertyResponses\":{\"CompatibilityInfo\":{\"Response\":{\"Data\":\"AAAAAAAAAAAA\"}}}}", LCOWMIG_E_LIMIT_EXCEEDED },
	{ "[]", LCOWMIG_E_CORRUPT_DATA },
	{ "{", LCOWMIG_E_CORRUPT_DATA },
};

START_TEST(test_hcs_compatibility_answer_without_data_is_an_error)
{
	uint8_t *bytes = NULL;
	size_t size = 0;

	ck_assert_int_eq(lcowmig__hcs_parse_compatibility(&mem, &limits, bad_answers[_i].answer, &bytes, &size, NULL),
			 bad_answers[_i].status);
	ck_assert_ptr_null(bytes);
}
END_TEST

START_TEST(test_hcs_runtime_id_is_read_in_canonical_form)
{
	char text[LCOWMIG_GUID_TEXT_SIZE] = "x";

	ck_assert_int_eq(lcowmig__hcs_parse_runtime_id(&limits, "{\"State\":\"Created\"}", text, NULL), LCOWMIG_OK);
	ck_assert_str_eq(text, "");
	ck_assert_int_eq(lcowmig__hcs_parse_runtime_id(&limits, "{\"RuntimeId\":\"3F9B6E1C-9F55-4D6D-8B3B-2A9F4F0D6C77\"}", text, NULL),
			 LCOWMIG_OK);
	ck_assert_str_eq(text, "3f9b6e1c-9f55-4d6d-8b3b-2a9f4f0d6c77");
	ck_assert_int_eq(lcowmig__hcs_parse_runtime_id(&limits, "{\"RuntimeId\":\"vm\"}", text, NULL), LCOWMIG_E_CORRUPT_DATA);
	ck_assert_int_eq(lcowmig__hcs_parse_runtime_id(&limits, "3", text, NULL), LCOWMIG_E_CORRUPT_DATA);
	ck_assert_str_eq(text, "3f9b6e1c-9f55-4d6d-8b3b-2a9f4f0d6c77");
	ck_assert_int_eq(lcowmig__hcs_parse_runtime_id(&limits, NULL, text, NULL), LCOWMIG_OK);
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(test_hcs_exit_event_is_read)
{
	lcowmig__hcs_exit result;

	ck_assert_int_eq(lcowmig__hcs_parse_exit(&limits, "{\"Status\":0,\"ExitType\":\"GracefulExit\"}", &result, NULL), LCOWMIG_OK);
	ck_assert(!result.is_unexpected);
	ck_assert_str_eq(result.type, "GracefulExit");
	ck_assert_uint_eq(result.hresult, 0);
	ck_assert_int_eq(lcowmig__hcs_parse_exit(&limits, "{\"Status\":-1070137082,\"ExitType\":\"UnexpectedExit\"}", &result, NULL),
			 LCOWMIG_OK);
	ck_assert(result.is_unexpected);
	ck_assert_uint_eq(result.hresult, LCOWMIG__HR_UNEXPECTED_EXIT);
	ck_assert_int_eq(lcowmig__hcs_parse_exit(&limits, "{\"Status\":3224830214}", &result, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(result.hresult, LCOWMIG__HR_UNEXPECTED_EXIT);
	/* What is no HRESULT in either spelling is none. */
	ck_assert_int_eq(lcowmig__hcs_parse_exit(&limits, "{\"Status\":4294967296}", &result, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(result.hresult, 0);
	ck_assert_int_eq(lcowmig__hcs_parse_exit(&limits, "{\"Status\":-2147483649}", &result, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(result.hresult, 0);
	ck_assert_int_eq(lcowmig__hcs_parse_exit(&limits, NULL, &result, NULL), LCOWMIG_OK);
	ck_assert_str_eq(result.type, "");
	ck_assert_int_eq(lcowmig__hcs_parse_exit(&limits, "garbage", &result, NULL), LCOWMIG_E_CORRUPT_DATA);
}
END_TEST

/* ---- Migration options ---- */

/* OPT-01, OPT-03. */
START_TEST(test_options_that_are_absent_stay_absent)
{
	const lcowmig__migration_options plain = { .memory_transport = LCOWMIG__TRANSPORT_TCP };
	const lcowmig__migration_options empty_groups = { .memory_transport = LCOWMIG__TRANSPORT_TCP,
							  .has_throttle = true,
							  .has_compression = true };

	ck_assert_int_eq(lcowmig__migration_options_check(NULL, NULL), LCOWMIG_OK);
	EXPECT_TEXT(lcowmig__hcs_initialize_options(&mem, LCOWMIG__ORIGIN_SOURCE, NULL, NULL, 0), "{\"Origin\":\"Source\"}");
	EXPECT_TEXT(lcowmig__hcs_initialize_options(&mem, LCOWMIG__ORIGIN_SOURCE, &plain, NULL, 0),
		    "{\"Origin\":\"Source\",\"MemoryTransport\":\"TCP\"}");
	EXPECT_TEXT(lcowmig__hcs_initialize_options(&mem, LCOWMIG__ORIGIN_SOURCE, &empty_groups, NULL, 0),
		    "{\"Origin\":\"Source\",\"MemoryTransport\":\"TCP\",\"MemoryTransferThrottleParams\":{},\"CompressionSettings\":{}}");
}
END_TEST

/* OPT-02. */
START_TEST(test_options_with_another_transport_or_a_scale_that_is_no_number_are_refused)
{
	lcowmig__migration_options options = { .memory_transport = LCOWMIG__TRANSPORT_UNSPECIFIED };

	ck_assert_int_eq(lcowmig__migration_options_check(&options, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	options.memory_transport = 2;
	ck_assert_int_eq(lcowmig__migration_options_check(&options, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	options.memory_transport = LCOWMIG__TRANSPORT_TCP;
	ck_assert_int_eq(lcowmig__migration_options_check(&options, NULL), LCOWMIG_OK);
	options.throttle.throttling_scale.is_set = true;
	options.throttle.throttling_scale.value = NAN;
	ck_assert_int_eq(lcowmig__migration_options_check(&options, NULL), LCOWMIG_OK);
	options.has_throttle = true;
	ck_assert_int_eq(lcowmig__migration_options_check(&options, NULL), LCOWMIG_E_INVALID_ARGUMENT);
}
END_TEST

/* OPT-04, OPT-05. */
START_TEST(test_options_convert_field_by_field_and_keep_presence)
{
	lcowmig__migration_options options = {
		.memory_transport = LCOWMIG__TRANSPORT_TCP,
		.has_throttle = true,
		.throttle = {
			.skip_throttling = { true, false },
			.throttling_scale = { true, 1.5 },
			.minimum_throttle_percentage = { true, 10 },
			.target_brownout_passes = { true, 5 },
			.starting_brownout_pass_for_throttling = { true, 2 },
			.maximum_brownout_passes = { true, 10 },
			.target_blackout_ms = { true, 500 },
			.blackout_cancel_threshold_ms = { true, 3000 },
		},
		.has_compression = true,
		.compression_workers = { true, 4 },
		.checksum_verification = true,
		.perf_tracing_enabled = true,
		.cancel_if_blackout_threshold_exceeds = true,
		.prepare_memory_transfer_mode = true,
	};

	EXPECT_TEXT(lcowmig__hcs_initialize_options(&mem, LCOWMIG__ORIGIN_DESTINATION, &options, (const uint8_t *)"\1\2\3\4", 4),
		    "{\"Origin\":\"Destination\",\"MemoryTransport\":\"TCP\",\"MemoryTransferThrottleParams\":{\"SkipThrottling\":false,"
		    "\"ThrottlingScale\":1.5,\"MinimumThrottlePercentage\":10,\"TargetNumberOfBrownoutTransferPasses\":5,"
		    "\"StartingBrownoutPassNumberForThrottling\":2,\"MaximumNumberOfBrownoutTransferPasses\":10,"
		    "\"TargetBlackoutTransferTime\":500,\"BlackoutTimeThresholdForCancellingMigration\":3000},\"CompressionSettings\":{"
		    "\"ThrottleWorkerCount\":4},\"ChecksumVerification\":true,\"PerfTracingEnabled\":true,"
		    "\"CancelIfBlackoutThresholdExceeds\":true,\"PrepareMemoryTransferMode\":true,\"CompatibilityData\":{\"Data\":"
		    "\"AQIDBA==\"}}");
	options = (lcowmig__migration_options){
		.memory_transport = LCOWMIG__TRANSPORT_TCP,
		.has_throttle = true,
		.throttle = { .skip_throttling = { true, true },
			      .throttling_scale = { true, 0 },
			      .minimum_throttle_percentage = { true, 300 },
			      .target_blackout_ms = { true, 0 } },
		.has_compression = true,
		.compression_workers = { true, 0 },
	};
	EXPECT_TEXT(lcowmig__hcs_initialize_options(&mem, LCOWMIG__ORIGIN_SOURCE, &options, NULL, 0),
		    "{\"Origin\":\"Source\",\"MemoryTransport\":\"TCP\",\"MemoryTransferThrottleParams\":{\"SkipThrottling\":true,"
		    "\"ThrottlingScale\":0,\"MinimumThrottlePercentage\":44,\"TargetBlackoutTransferTime\":0},\"CompressionSettings\":{"
		    "\"ThrottleWorkerCount\":0}}");
}
END_TEST

START_TEST(test_options_of_the_later_steps)
{
	EXPECT_TEXT(lcowmig__hcs_start_options(&mem, LCOWMIG__ORIGIN_SOURCE, 640281193), "{\"NetworkSettings\":{\"SessionId\":640281193}}");
	EXPECT_TEXT(lcowmig__hcs_start_options(&mem, LCOWMIG__ORIGIN_SOURCE, 0), "{\"NetworkSettings\":{}}");
	EXPECT_TEXT(lcowmig__hcs_start_options(&mem, LCOWMIG__ORIGIN_DESTINATION, UINT32_MAX),
		    "{\"DestinationMigrationOptions\":{\"NetworkSettings\":{\"SessionId\":4294967295}}}");
	EXPECT_TEXT(lcowmig__hcs_transfer_options(&mem, LCOWMIG__ORIGIN_SOURCE), "{\"Origin\":\"Source\"}");
	EXPECT_TEXT(lcowmig__hcs_cancel_options(&mem, LCOWMIG__ORIGIN_DESTINATION), "{\"Origin\":\"Destination\"}");
	EXPECT_TEXT(lcowmig__hcs_finalize_options(&mem, LCOWMIG__ORIGIN_DESTINATION, true),
		    "{\"Origin\":\"Destination\",\"FinalizedOperation\":\"Resume\"}");
	EXPECT_TEXT(lcowmig__hcs_finalize_options(&mem, LCOWMIG__ORIGIN_SOURCE, false),
		    "{\"Origin\":\"Source\",\"FinalizedOperation\":\"Stop\"}");
}
END_TEST

START_TEST(test_session_number_is_the_same_for_both_cases_of_a_guid)
{
	ck_assert_uint_eq(lcowmig__session_number("5f0b1190-63be-4e0c-b974-bd0f55675a42"), 640281193);
	ck_assert_uint_eq(lcowmig__session_number("5F0B1190-63BE-4E0C-B974-BD0F55675A42"), 640281193);
	ck_assert_uint_eq(lcowmig__session_number("session-1"), 2215213096u);
	ck_assert_uint_ne(lcowmig__session_number("{5f0b1190-63be-4e0c-b974-bd0f55675a42}"), 640281193);
}
END_TEST

/* ---- Notifications ---- */

static lcowmig__migration_notification notify(const char *json, lcowmig__origin fallback)
{
	lcowmig__migration_notification notification;

	ck_assert_int_eq(lcowmig__hcs_parse_notification(&limits, json, fallback, &notification, NULL), LCOWMIG_OK);
	return notification;
}

/* OPT-06, OPT-11. */
START_TEST(test_notification_origin_takes_the_fallback_only_when_empty)
{
	ck_assert_int_eq(notify("{\"Origin\":\"Source\"}", LCOWMIG__ORIGIN_DESTINATION).origin, LCOWMIG__ORIGIN_SOURCE);
	ck_assert_int_eq(notify("{\"Origin\":\"Destination\"}", LCOWMIG__ORIGIN_SOURCE).origin, LCOWMIG__ORIGIN_DESTINATION);
	ck_assert_int_eq(notify("{\"Origin\":\"\"}", LCOWMIG__ORIGIN_DESTINATION).origin, LCOWMIG__ORIGIN_DESTINATION);
	ck_assert_int_eq(notify("{\"Origin\":null}", LCOWMIG__ORIGIN_SOURCE).origin, LCOWMIG__ORIGIN_SOURCE);
	ck_assert_int_eq(notify("{}", LCOWMIG__ORIGIN_UNSPECIFIED).origin, LCOWMIG__ORIGIN_UNSPECIFIED);
	ck_assert_int_eq(notify("{\"Origin\":\"Elsewhere\"}", LCOWMIG__ORIGIN_SOURCE).origin, LCOWMIG__ORIGIN_UNSPECIFIED);
	ck_assert_int_eq(notify(NULL, LCOWMIG__ORIGIN_SOURCE).origin, LCOWMIG__ORIGIN_SOURCE);
}
END_TEST

static const struct {
	const char *text;
	lcowmig__phase phase;
	lcowmig__phase_state state; /* without a result */
} events[] = {
	{ "SetupDone", LCOWMIG__PHASE_SETUP_DONE, LCOWMIG__PHASE_STATE_SUCCESS },
	{ "TransferInProgress", LCOWMIG__PHASE_TRANSFER_IN_PROGRESS, LCOWMIG__PHASE_STATE_SUCCESS },
	{ "BlackoutStarted", LCOWMIG__PHASE_BLACKOUT_STARTED, LCOWMIG__PHASE_STATE_SUCCESS },
	{ "OfflineDone", LCOWMIG__PHASE_OFFLINE_DONE, LCOWMIG__PHASE_STATE_SUCCESS },
	{ "BlackoutExited", LCOWMIG__PHASE_BLACKOUT_EXITED, LCOWMIG__PHASE_STATE_SUCCESS },
	{ "MigrationDone", LCOWMIG__PHASE_DONE, LCOWMIG__PHASE_STATE_UNSPECIFIED },
	{ "MigrationRecoveryDone", LCOWMIG__PHASE_RECOVERY_DONE, LCOWMIG__PHASE_STATE_UNSPECIFIED },
	{ "MigrationFailed", LCOWMIG__PHASE_FAILED, LCOWMIG__PHASE_STATE_UNSPECIFIED },
	{ "Unknown", LCOWMIG__PHASE_UNSPECIFIED, LCOWMIG__PHASE_STATE_UNSPECIFIED },
	{ "SomethingNew", LCOWMIG__PHASE_UNSPECIFIED, LCOWMIG__PHASE_STATE_UNSPECIFIED },
	{ "", LCOWMIG__PHASE_UNSPECIFIED, LCOWMIG__PHASE_STATE_UNSPECIFIED },
};

/* OPT-07, OPT-10, OPT-11. */
START_TEST(test_notification_event_gives_the_phase_and_its_default_state)
{
	static const char *const results[] = { "", ",\"Result\":\"\"", ",\"Result\":\"Invalid\"", ",\"Result\":null" };
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(results); i++) {
		lcowmig__migration_notification notification;
		char json[128];

		snprintf(json, sizeof json, "{\"Event\":\"%s\"%s}", events[_i].text, results[i]);
		notification = notify(json, LCOWMIG__ORIGIN_SOURCE);
		ck_assert_int_eq(notification.phase, events[_i].phase);
		ck_assert_int_eq(notification.state, events[_i].state);
	}
}
END_TEST

/* OPT-08, OPT-09. */
START_TEST(test_notification_result_wins_over_the_phase)
{
	static const char *const results[] = { "SomethingNew",           "Success",
					       "MigrationCancelled",     "GuestInitiatedCancellation",
					       "SourceMigrationFailed",  "DestinationMigrationFailed",
					       "MigrationRecoveryFailed" };
	unsigned i;

	for (i = 0; i < LCOWMIG__COUNT(results); i++) {
		char json[128];

		snprintf(json, sizeof json, "{\"Event\":\"SetupDone\",\"Result\":\"%s\"}", results[i]);
		ck_assert_uint_eq(notify(json, LCOWMIG__ORIGIN_SOURCE).state, i);
	}
	ck_assert_int_eq(notify("{\"Event\":\"MigrationFailed\",\"Result\":\"Success\"}", LCOWMIG__ORIGIN_SOURCE).state,
			 LCOWMIG__PHASE_STATE_SUCCESS);
}
END_TEST

/* OPT-12. */
START_TEST(test_notification_carries_blackout_details)
{
	lcowmig__migration_notification notification =
		notify("{\"Origin\":\"Destination\",\"Event\":\"BlackoutExited\",\"Result\":\"Success\",\"AdditionalDetails\":{"
		       "\"BlackoutDurationMilliseconds\":412,\"BlackoutStopTimestamp\":\"2026-08-20T01:05:49.1234567Z\"}}",
		       LCOWMIG__ORIGIN_SOURCE);

	ck_assert_int_eq(notification.origin, LCOWMIG__ORIGIN_DESTINATION);
	ck_assert(notification.has_blackout);
	ck_assert_uint_eq(notification.blackout_duration_ms, 412);
	ck_assert_int_eq(notification.blackout_stop_ns, INT64_C(1787187949123456700));
}
END_TEST

START_TEST(test_notification_takes_null_details_for_absent_ones)
{
	lcowmig__migration_notification notification =
		notify("{\"Event\":\"BlackoutExited\",\"AdditionalDetails\":{\"BlackoutDurationMilliseconds\":null,"
		       "\"BlackoutStopTimestamp\":null}}",
		       LCOWMIG__ORIGIN_SOURCE);

	ck_assert(notification.has_blackout);
	ck_assert_uint_eq(notification.blackout_duration_ms, 0);
	ck_assert_int_eq(notification.blackout_stop_ns, 0);
	notification = notify("{\"Event\":\"BlackoutExited\",\"AdditionalDetails\":{}}", LCOWMIG__ORIGIN_SOURCE);
	ck_assert(notification.has_blackout);
}
END_TEST

/* OPT-13. */
START_TEST(test_notification_drops_only_the_details_when_they_are_wrong)
{
	static const char *const details[] = { "",
					       ",\"AdditionalDetails\":null",
					       ",\"AdditionalDetails\":7",
					       ",\"AdditionalDetails\":\"x\"",
					       ",\"AdditionalDetails\":{\"BlackoutDurationMilliseconds\":-1}",
					       ",\"AdditionalDetails\":{\"BlackoutDurationMilliseconds\":\"1\"}",
					       ",\"AdditionalDetails\":{\"BlackoutStopTimestamp\":\"yesterday\"}",
					       ",\"AdditionalDetails\":{\"BlackoutStopTimestamp\":5}" };
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(details); i++) {
		lcowmig__migration_notification notification;
		char json[256];

		snprintf(json, sizeof json, "{\"Event\":\"BlackoutExited\"%s}", details[i]);
		notification = notify(json, LCOWMIG__ORIGIN_SOURCE);
		ck_assert_int_eq(notification.phase, LCOWMIG__PHASE_BLACKOUT_EXITED);
		ck_assert_int_eq(notification.state, LCOWMIG__PHASE_STATE_SUCCESS);
		ck_assert(!notification.has_blackout);
		ck_assert_uint_eq(notification.blackout_duration_ms, 0);
	}
}
END_TEST

/* OPT-14. */
START_TEST(test_notification_ignores_details_of_other_events)
{
	ck_assert(!notify("{\"Event\":\"SetupDone\",\"AdditionalDetails\":{\"BlackoutDurationMilliseconds\":412}}", LCOWMIG__ORIGIN_SOURCE)
			   .has_blackout);
	ck_assert_int_eq(notify("{\"Event\":\"SetupDone\",\"AdditionalDetails\":7}", LCOWMIG__ORIGIN_SOURCE).phase,
			 LCOWMIG__PHASE_SETUP_DONE);
}
END_TEST

START_TEST(test_notification_that_cannot_be_read_is_refused)
{
	static const char *const bad[] = { "nothing", "[]", "{\"Event\":5}", "{\"Origin\":{}}", "{\"Result\":true}" };
	lcowmig__migration_notification notification;
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(bad); i++)
		ck_assert_int_eq(lcowmig__hcs_parse_notification(&limits, bad[i], LCOWMIG__ORIGIN_SOURCE, &notification, NULL),
				 LCOWMIG_E_CORRUPT_DATA);
}
END_TEST

static const struct {
	const char *text;
	bool ok;
	int64_t ns;
} timestamps[] = {
	{ "1970-01-01T00:00:00Z", true, 0 },
	{ "1970-01-01T00:00:00.000000001Z", true, 1 },
	{ "1969-12-31T23:59:59.5Z", true, -500000000 },
	{ "1970-01-01T02:30:00+02:30", true, 0 },
	{ "1969-12-31T23:00:00-01:00", true, 0 },
	{ "2000-02-29T12:34:56Z", true, INT64_C(951827696000000000) },
	{ "2100-03-01T00:00:00Z", true, INT64_C(4107542400000000000) },
	{ "1904-02-29T00:00:00Z", true, INT64_C(-2077747200000000000) },
	{ "2026-08-20T01:05:49.1234567890123Z", true, INT64_C(1787187949123456789) },
	{ "2262-04-11T00:00:00Z", true, INT64_C(9223286400000000000) },
	{ "1970-01-01T00:00:00.5+00:00", true, 500000000 },
	{ "2001-01/01T00:00:00Z", false, 0 },
	{ "2001-01-01Tx0:00:00Z", false, 0 },
	{ "2001-01-01T00.00:00Z", false, 0 },
	{ "2001-01-01T00:x0:00Z", false, 0 },
	{ "2001-01-01T00:00.00Z", false, 0 },
	{ "2001-01-01T00:00:x0Z", false, 0 },
	{ "2001-01-01T00:00:00.-1Z", false, 0 },
	{ "2001-01-01T00:00:00+x1:00", false, 0 },
	{ "2001-01-01T00:00:00+01:x0", false, 0 },
	{ "2263-01-01T00:00:00Z", false, 0 },
	{ "1600-01-01T00:00:00Z", false, 0 },
	{ "0000-01-01T00:00:00Z", false, 0 },
	{ "2001-02-29T00:00:00Z", false, 0 },
	{ "1900-02-29T00:00:00Z", false, 0 },
	{ "2001-13-01T00:00:00Z", false, 0 },
	{ "2001-00-01T00:00:00Z", false, 0 },
	{ "2001-04-31T00:00:00Z", false, 0 },
	{ "2001-01-00T00:00:00Z", false, 0 },
	{ "2001-01-01T24:00:00Z", false, 0 },
	{ "2001-01-01T00:60:00Z", false, 0 },
	{ "2001-01-01T00:00:60Z", false, 0 },
	{ "2001-01-01T00:00:00", false, 0 },
	{ "2001-01-01 00:00:00Z", false, 0 },
	{ "2001-01-01T00:00:00.Z", false, 0 },
	{ "2001-01-01T00:00:00,5Z", false, 0 },
	{ "2001-01-01T00:00:00Zx", false, 0 },
	{ "2001-01-01T00:00:00+24:00", false, 0 },
	{ "2001-01-01T00:00:00+01:60", false, 0 },
	{ "2001-01-01T00:00:00+0100", false, 0 },
	{ "01-01-01T00:00:00Z", false, 0 },
	{ "2001/01/01T00:00:00Z", false, 0 },
	{ "", false, 0 },
};

START_TEST(test_timestamp_is_read_exactly_or_refused)
{
	int64_t ns = 77;

	ck_assert_msg(lcowmig__parse_timestamp(timestamps[_i].text, &ns) == timestamps[_i].ok, "%s", timestamps[_i].text);
	ck_assert_int_eq(ns, timestamps[_i].ok ? timestamps[_i].ns : 77);
}
END_TEST

static void add_option_tests(TCase *tests)
{
	tcase_add_test(tests, test_options_that_are_absent_stay_absent);
	tcase_add_test(tests, test_options_with_another_transport_or_a_scale_that_is_no_number_are_refused);
	tcase_add_test(tests, test_options_convert_field_by_field_and_keep_presence);
	tcase_add_test(tests, test_options_of_the_later_steps);
	tcase_add_test(tests, test_session_number_is_the_same_for_both_cases_of_a_guid);
	tcase_add_test(tests, test_notification_origin_takes_the_fallback_only_when_empty);
	tcase_add_loop_test(tests, test_notification_event_gives_the_phase_and_its_default_state, 0, LCOWMIG__COUNT(events));
	tcase_add_test(tests, test_notification_result_wins_over_the_phase);
	tcase_add_test(tests, test_notification_carries_blackout_details);
	tcase_add_test(tests, test_notification_takes_null_details_for_absent_ones);
	tcase_add_test(tests, test_notification_drops_only_the_details_when_they_are_wrong);
	tcase_add_test(tests, test_notification_ignores_details_of_other_events);
	tcase_add_test(tests, test_notification_that_cannot_be_read_is_refused);
	tcase_add_loop_test(tests, test_timestamp_is_read_exactly_or_refused, 0, LCOWMIG__COUNT(timestamps));
}

int main(void)
{
	Suite *suite = suite_create("hcs");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_hcs_scsi_table_works_both_ways);
	tcase_add_test(tests, test_hcs_modify_requests_are_what_hcs_takes);
	tcase_add_test(tests, test_hcs_plan9_requests_carry_the_right_flags);
	tcase_add_test(tests, test_hcs_document_inspect_says_what_is_in_it);
	tcase_add_test(tests, test_hcs_document_inspect_names_what_cannot_migrate);
	tcase_add_loop_test(tests, test_hcs_document_inspect_refuses_what_it_could_not_replace, 0, LCOWMIG__COUNT(bad_documents));
	tcase_add_test(tests, test_hcs_document_inspect_obeys_the_limits);
	tcase_add_test(tests, test_hcs_document_inspect_survives_each_failing_allocation);
	tcase_add_test(tests, test_hcs_document_disks_shows_each_disk);
	tcase_add_test(tests, test_hcs_document_set_disks_replaces_the_map_and_nothing_else);
	tcase_add_test(tests, test_hcs_document_set_disks_adds_the_parents_that_are_missing);
	tcase_add_test(tests, test_hcs_document_set_disks_refuses_slots_that_do_not_exist);
	tcase_add_test(tests, test_hcs_document_set_migration_stamps_a_copy);
	tcase_add_test(tests, test_hcs_document_remembers_run_time_changes);
	tcase_add_test(tests, test_hcs_compatibility_answer_gives_its_bytes);
	tcase_add_loop_test(tests, test_hcs_compatibility_answer_without_data_is_an_error, 0, LCOWMIG__COUNT(bad_answers));
	tcase_add_test(tests, test_hcs_runtime_id_is_read_in_canonical_form);
	tcase_add_test(tests, test_hcs_exit_event_is_read);
	add_option_tests(tests);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
