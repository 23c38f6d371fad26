/* Disks, shares and devices of a running machine. */
#include "steps.h"

/* ---- SCSI ---- */

static lcowmig_status find_scsi(torture *t)
{
	lcowmig_status status = lcowmig_vm_scsi(SOURCE_VM(t), &t->scsi, t->error);

	if (status == LCOWMIG_OK)
		t->disks = steps_count_disks(t, t->world->source.sandbox);
	return status;
}

/* Two partitions of one disk, and a disk of its own. */
static lcowmig_status reserve_disks(torture *t)
{
	static const char *const options[] = { "ro", "noexec" };
	lcowmig_disk_config disk = LCOWMIG_DISK_CONFIG_INIT;
	lcowmig_mount_config mount = LCOWMIG_MOUNT_CONFIG_INIT;
	lcowmig_status status = LCOWMIG_OK;
	unsigned i;

	mount.options = options;
	mount.n_options = 2;
	mount.filesystem = "ext4";
	mount.read_only = 1;
	disk.read_only = 1;
	for (i = 0; i < 3 && status == LCOWMIG_OK; i++) {
		if (t->is_done[i])
			continue;
		disk.host_path = i < 2 ? "C:\\shared.vhdx" : "C:\\own.vhdx";
		mount.partition = i;
		status = lcowmig_scsi_reserve(t->scsi, &disk, &mount, &t->ids[i], t->error);
		t->is_done[i] = status == LCOWMIG_OK;
	}
	return status;
}

static lcowmig_status map_disks(torture *t)
{
	lcowmig_status status = LCOWMIG_OK;
	unsigned i;

	for (i = 0; i < 3 && status == LCOWMIG_OK; i++)
		status = torture_settle(t, lcowmig_scsi_map(t->scsi, &t->ids[i], test_on_done, torture_done(t), t->error));
	return status;
}

static lcowmig_status look_at_disks(torture *t)
{
	char path[256];
	size_t size;
	lcowmig_status status = lcowmig_scsi_guest_path(t->scsi, &t->ids[0], path, sizeof path, &size, t->error);

	return status == LCOWMIG_OK ? lcowmig_scsi_attachments(t->scsi, NULL, 0, &size, t->error) : status;
}

static lcowmig_status unmap_disks(torture *t)
{
	lcowmig_status status = LCOWMIG_OK;
	unsigned i;

	for (i = 0; i < 3 && status == LCOWMIG_OK; i++) {
		if (!t->is_done[i])
			continue;
		status = torture_settle(t, lcowmig_scsi_unmap(t->scsi, &t->ids[i], test_on_done, torture_done(t), t->error));
		t->is_done[i] = status != LCOWMIG_OK;
	}
	if (status == LCOWMIG_OK)
		ck_assert_uint_eq(steps_count_disks(t, t->world->source.sandbox), t->disks);
	return status;
}

static bool undo_with(torture *t, lcowmig_status (*step)(torture *t))
{
	lcowmig_status status = LCOWMIG_E_HOST_FAILED;
	unsigned i;

	if (torture_has_lost_guest(t))
		return false;
	for (i = 0; i < 5 && status != LCOWMIG_OK; i++)
		status = step(t);
	ck_assert_msg(status == LCOWMIG_OK, "undo: %s", t->error->message);
	return true;
}

bool torture_scsi_undo(torture *t)
{
	return !t->scsi || undo_with(t, unmap_disks);
}

const torture_step torture_scsi_steps[] = {
	{ "find", find_scsi },
	{ "reserve", reserve_disks },
	{ "map", map_disks },
	{ "look", look_at_disks },
	{ "unmap", unmap_disks },
	{ NULL, NULL },
};

/* ---- Plan9 ---- */

static lcowmig_status find_plan9(torture *t)
{
	return lcowmig_vm_plan9(SOURCE_VM(t), &t->plan9, t->error);
}

static lcowmig_status reserve_shares(torture *t)
{
	static const char *const names[] = { "file", "other" };
	lcowmig_share_config share = LCOWMIG_SHARE_CONFIG_INIT;
	lcowmig_status status = LCOWMIG_OK;
	unsigned i;

	share.allowed_names = names;
	share.n_allowed_names = 2;
	share.read_only = 1;
	share.restrict_access = 1;
	for (i = 0; i < 2 && status == LCOWMIG_OK; i++) {
		if (t->is_done[i])
			continue;
		share.host_path = "C:\\share";
		status = lcowmig_plan9_reserve(t->plan9, &share, 1, &t->ids[i], t->error);
		t->is_done[i] = status == LCOWMIG_OK;
	}
	return status;
}

static lcowmig_status map_shares(torture *t)
{
	lcowmig_status status = LCOWMIG_OK;
	unsigned i;

	for (i = 0; i < 2 && status == LCOWMIG_OK; i++)
		status = torture_settle(t, lcowmig_plan9_map(t->plan9, &t->ids[i], test_on_done, torture_done(t), t->error));
	return status;
}

static lcowmig_status unmap_shares(torture *t)
{
	lcowmig_status status = LCOWMIG_OK;
	unsigned i;

	for (i = 0; i < 2 && status == LCOWMIG_OK; i++) {
		if (!t->is_done[i])
			continue;
		status = torture_settle(t, lcowmig_plan9_unmap(t->plan9, &t->ids[i], test_on_done, torture_done(t), t->error));
		t->is_done[i] = status != LCOWMIG_OK;
	}
	return status == LCOWMIG_OK ? lcowmig_plan9_save(t->plan9, t->error) : status;
}

bool torture_plan9_undo(torture *t)
{
	return !t->plan9 || undo_with(t, unmap_shares);
}

const torture_step torture_plan9_steps[] = {
	{ "find", find_plan9 },
	{ "reserve", reserve_shares },
	{ "map", map_shares },
	{ "unmap", unmap_shares },
	{ NULL, NULL },
};

/* ---- vPCI ---- */

static lcowmig_status find_vpci(torture *t)
{
	return lcowmig_vm_vpci(SOURCE_VM(t), &t->vpci, t->error);
}

static lcowmig_status reserve_devices(torture *t)
{
	lcowmig_status status = lcowmig_vpci_reserve(t->vpci, "PCIP\\VEN_1", 0, &t->ids[0], t->error);

	t->is_done[0] = t->is_done[0] || status == LCOWMIG_OK;
	if (status == LCOWMIG_OK)
		status = lcowmig_vpci_reserve(t->vpci, "PCIP\\VEN_1", 1, &t->ids[1], t->error);
	t->is_done[1] = t->is_done[1] || status == LCOWMIG_OK;
	return status;
}

static lcowmig_status add_devices(torture *t)
{
	lcowmig_status status = LCOWMIG_OK;
	unsigned i;

	/* Additions are counted: none is repeated. */
	for (i = 0; i < 2 && status == LCOWMIG_OK; i++) {
		if (t->is_done[2 + i])
			continue;
		status = torture_settle(t, lcowmig_vpci_add(t->vpci, &t->ids[i], test_on_done, torture_done(t), t->error));
		t->is_done[2 + i] = status == LCOWMIG_OK;
	}
	return status;
}

static lcowmig_status remove_devices(torture *t)
{
	lcowmig_status status = LCOWMIG_OK;
	unsigned i;

	for (i = 0; i < 2 && status == LCOWMIG_OK; i++) {
		if (!t->is_done[i])
			continue;
		status = torture_settle(t, lcowmig_vpci_remove(t->vpci, &t->ids[i], test_on_done, torture_done(t), t->error));
		t->is_done[i] = status != LCOWMIG_OK;
		t->is_done[2 + i] = false;
	}
	return status == LCOWMIG_OK ? lcowmig_vpci_save(t->vpci, t->error) : status;
}

bool torture_vpci_undo(torture *t)
{
	return !t->vpci || undo_with(t, remove_devices);
}

const torture_step torture_vpci_steps[] = {
	{ "find", find_vpci },
	{ "reserve", reserve_devices },
	{ "add", add_devices },
	{ "remove", remove_devices },
	{ NULL, NULL },
};
