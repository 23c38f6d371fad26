#include <inttypes.h>

#include "document_parts.h"
#include "documents.h"
#include "guest_paths.h"

/* Flags of a Plan9 share. */
#define PLAN9_READ_ONLY 0x01u
#define PLAN9_LINUX_METADATA 0x04u
#define PLAN9_RESTRICT_FILE_ACCESS 0x80u

#define NICS "VirtualMachine/Devices/NetworkAdapters/%s"
#define FUNCTIONS "VirtualMachine/Devices/VirtualPci/%s"
#define SHARES "VirtualMachine/Devices/Plan9/Shares"

/* ---- Disks ---- */

void lcowmig__hcs_write_attachment(lcowmig__buf *buf, const lcowmig__hcs_attachment *attachment)
{
	lcowmig__json_write(buf, "{Type:s Path:s ReadOnly:b ExtensibleVirtualDiskType:s}", attachment->type, attachment->path,
	                    attachment->read_only, attachment->evd_type);
}

static char *modify_slot(const lcowmig__mem *mem, uint32_t controller, uint32_t lun)
{
	return lcowmig__path_format(mem, "VirtualMachine/Devices/Scsi/%s/Attachments/%" PRIu32, lcowmig__hcs_scsi_controller(controller),
	                            lun);
}

char *lcowmig__hcs_scsi_add(const lcowmig__mem *mem, const lcowmig__hcs_attachment *attachment)
{
	lcowmig__buf settings;

	lcowmig__buf_init(&settings, mem);
	lcowmig__hcs_write_attachment(&settings, attachment);
	return lcowmig__json_text(mem, "{ResourcePath:t RequestType:s Settings:d}", modify_slot(mem, attachment->controller, attachment->lun),
	                          "Add", lcowmig__buf_take(&settings));
}

char *lcowmig__hcs_scsi_remove(const lcowmig__mem *mem, uint32_t controller, uint32_t lun)
{
	return lcowmig__json_text(mem, "{ResourcePath:t RequestType:s}", modify_slot(mem, controller, lun), "Remove");
}

/* ---- NICs and assigned devices ---- */

static char *modify_nic(const lcowmig__mem *mem, const char *type, const char *nic_id, const char *endpoint_id, const char *mac_address)
{
	return lcowmig__json_text(mem, "{ResourcePath:t RequestType:s Settings:{EndpointId:s MacAddress:s}}",
	                          lcowmig__path_format(mem, NICS, nic_id), type, endpoint_id, mac_address);
}

char *lcowmig__hcs_nic_add(const lcowmig__mem *mem, const char *nic_id, const char *endpoint_id, const char *mac_address)
{
	return modify_nic(mem, "Add", nic_id, endpoint_id, mac_address);
}

char *lcowmig__hcs_nic_remove(const lcowmig__mem *mem, const char *nic_id, const char *endpoint_id, const char *mac_address)
{
	return modify_nic(mem, "Remove", nic_id, endpoint_id, mac_address);
}

char *lcowmig__hcs_vpci_add(const lcowmig__mem *mem, const char *vmbus_guid, const char *instance_path, uint16_t virtual_function)
{
	return lcowmig__json_text(mem,
	                          "{ResourcePath:t RequestType:s Settings:{Functions:[{DeviceInstancePath:s VirtualFunction:u}] "
	                          "PropagateNumaAffinity:b}}",
	                          lcowmig__path_format(mem, FUNCTIONS, vmbus_guid), "Add", instance_path, (uint32_t)virtual_function, true);
}

char *lcowmig__hcs_vpci_remove(const lcowmig__mem *mem, const char *vmbus_guid)
{
	return lcowmig__json_text(mem, "{ResourcePath:t RequestType:s}", lcowmig__path_format(mem, FUNCTIONS, vmbus_guid), "Remove");
}

/* ---- Plan9 shares ---- */

char *lcowmig__hcs_plan9_add(const lcowmig__mem *mem, const lcowmig__hcs_plan9_share *share)
{
	uint32_t flags =
		PLAN9_LINUX_METADATA | (share->read_only ? PLAN9_READ_ONLY : 0) | (share->restrict_files ? PLAN9_RESTRICT_FILE_ACCESS : 0);

	return lcowmig__json_text(mem, "{ResourcePath:s RequestType:s Settings:{Name:s AccessName:s Path:s Port:u Flags:u AllowedFiles:a}}",
	                          SHARES, "Add", share->name, share->name, share->path, LCOWMIG__PLAN9_PORT, flags, share->allowed_files,
	                          share->n_allowed_files);
}

char *lcowmig__hcs_plan9_remove(const lcowmig__mem *mem, const char *name)
{
	return lcowmig__json_text(mem, "{ResourcePath:s RequestType:s Settings:{Name:s AccessName:s Port:u}}", SHARES, "Remove", name, name,
	                          LCOWMIG__PLAN9_PORT);
}

/* ---- Memory and processors ---- */

char *lcowmig__hcs_memory(const lcowmig__mem *mem, uint64_t size_mb)
{
	return lcowmig__json_text(mem, "{ResourcePath:s Settings:d}", LCOWMIG__HCS_MEMORY_SIZE,
	                          lcowmig__path_format(mem, "%" PRIu64, size_mb));
}

char *lcowmig__hcs_cpu_group(const lcowmig__mem *mem, const char *id)
{
	return lcowmig__json_text(mem, "{ResourcePath:s Settings:{Id:s}}", LCOWMIG__HCS_CPU_GROUP, id);
}

char *lcowmig__hcs_cpu_limits_request(const lcowmig__mem *mem, const lcowmig__hcs_cpu_limits *limits)
{
	return lcowmig__json_text(mem, "{ResourcePath:s Settings:{Limit:n Weight:n Reservation:n MaximumFrequencyMHz:u}}",
	                          LCOWMIG__HCS_PROCESSOR "/Limits", limits->limit, limits->weight, limits->reservation,
	                          limits->maximum_frequency_mhz);
}
