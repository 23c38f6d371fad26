/* An envelope as the tree a person wants to see. */
#include <string.h>

#include "base/guid.h"
#include "tool.h"

/* Where a reservation's disk is: "0:3" or "?". */
static void reservation_place(const lcowmig__wire_scsi *scsi, const lcowmig_guid *id, char *text, size_t size)
{
	size_t low = 0, high = scsi ? scsi->n_reservations : 0;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = lcowmig__guid_compare(id, &scsi->reservations[middle].id);

		if (order == 0) {
			const lcowmig__wire_reservation *found = &scsi->reservations[middle];
			int used = snprintf(text, size, "%u:%u", found->slot / LCOWMIG_SCSI_LUNS, found->slot % LCOWMIG_SCSI_LUNS);

			if (found->partition)
				snprintf(text + used, size - (size_t)used, " p%llu", (unsigned long long)found->partition);
			return;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	snprintf(text, size, "?");
}

static void print_mount(FILE *out, const char *indent, const lcowmig__wire_mount *mount)
{
	size_t i;

	fprintf(out, "%s  ", indent);
	if (mount->partition)
		fprintf(out, "partition %llu", (unsigned long long)mount->partition);
	else
		fprintf(out, "whole disk");
	fprintf(out, " at %s%s%s%s%s", mount->guest_path[0] ? mount->guest_path : "(reserved, not mounted)", mount->read_only ? ", read-only" : "",
	        mount->encrypted ? ", encrypted" : "", mount->block_device ? ", block device" : "", mount->filesystem[0] ? ", " : "");
	fprintf(out, "%s", mount->filesystem);
	for (i = 0; i < mount->n_options; i++)
		fprintf(out, "%s%s", i ? "," : ", options ", mount->options[i]);
	fprintf(out, ", %u user%s\n", mount->ref_count, mount->ref_count == 1 ? "" : "s");
}

static void print_scsi(FILE *out, const char *indent, const lcowmig__wire_scsi *scsi)
{
	char deeper[32];
	size_t i, j;

	snprintf(deeper, sizeof deeper, "%s  ", indent);
	fprintf(out, "%sdisks: %zu on %u controllers, %zu reservations\n", indent, scsi->n_disks, scsi->num_controllers, scsi->n_reservations);
	for (i = 0; i < scsi->n_disks; i++) {
		const lcowmig__wire_disk *disk = &scsi->disks[i];

		fprintf(out, "%s%u:%-2u %s%s  %s\n", deeper, disk->slot / LCOWMIG_SCSI_LUNS, disk->slot % LCOWMIG_SCSI_LUNS, disk->type,
		        disk->read_only ? " ro" : " rw", disk->host_path);
		for (j = 0; j < disk->n_mounts; j++)
			print_mount(out, deeper, &disk->mounts[j]);
	}
}

static void print_process(FILE *out, const char *indent, const lcowmig__wire_process *process)
{
	static const char *const names[3] = { "stdin", "stdout", "stderr" };
	size_t i;

	fprintf(out, "%sprocess %s: pid %d, wait id %lld", indent, process->exec_id[0] ? process->exec_id : "(init)", (int)process->pid,
	        (long long)process->wait_call_id);
	for (i = 0; i < LCOWMIG__COUNT(names); i++)
		if (process->ports[i])
			fprintf(out, ", %s port 0x%x", names[i], process->ports[i]);
	fprintf(out, "\n%s  bundle %s\n", indent, process->bundle);
}

static void print_layer(FILE *out, const char *indent, const char *what, const lcowmig__wire_scsi *scsi, const lcowmig__wire_layer *layer)
{
	char place[32];

	reservation_place(scsi, &layer->reservation_id, place, sizeof place);
	fprintf(out, "%s%s disk %s at %s\n", indent, what, place, layer->guest_path);
}

static void print_container(FILE *out, const char *indent, const lcowmig__wire_container *container, const lcowmig__wire_scsi *scsi)
{
	char deeper[32], place[32];
	size_t i;

	snprintf(deeper, sizeof deeper, "%s  ", indent);
	fprintf(out, "%scontainer %s", indent, container->container_id);
	if (strcmp(container->container_id, container->gcs_container_id) != 0)
		fprintf(out, " (%s in the guest)", container->gcs_container_id);
	fprintf(out, "\n");
	for (i = 0; i < container->n_ro_layers; i++)
		print_layer(out, deeper, "layer", scsi, &container->ro_layers[i]);
	if (container->has_scratch)
		print_layer(out, deeper, "scratch", scsi, &container->scratch);
	if (container->has_layers)
		fprintf(out, "%srootfs %s%s\n", deeper, container->rootfs_path, container->layers_combined ? "" : " (not combined)");
	for (i = 0; i < container->n_scsi_reservations; i++) {
		reservation_place(scsi, &container->scsi_reservations[i], place, sizeof place);
		fprintf(out, "%smount disk %s\n", deeper, place);
	}
	for (i = 0; i < container->n_processes; i++)
		print_process(out, deeper, &container->processes[i]);
}

static void print_network(FILE *out, const char *indent, const lcowmig__wire_network *network)
{
	size_t i;

	fprintf(out, "%snetwork namespace %s%s%s\n", indent, network->namespace_id, network->policy_based_routing ? ", policy-based routing" : "",
	        network->namespace_supported ? "" : ", unknown to the guest");
	for (i = 0; i < network->n_endpoints; i++)
		fprintf(out, "%s  NIC %s: endpoint %s %s %s\n", indent, network->endpoints[i].nic_id, network->endpoints[i].endpoint_id,
		        network->endpoints[i].mac_address, network->endpoints[i].endpoint_name);
}

static void print_pod(FILE *out, const char *indent, const lcowmig__wire_pod *pod, const lcowmig__wire_scsi *scsi)
{
	char deeper[32];
	size_t i;

	snprintf(deeper, sizeof deeper, "%s  ", indent);
	fprintf(out, "%spod %s", indent, pod->pod_id);
	if (strcmp(pod->pod_id, pod->gcs_pod_id) != 0)
		fprintf(out, " (%s in the guest)", pod->gcs_pod_id);
	fprintf(out, "\n");
	if (pod->has_network)
		print_network(out, deeper, &pod->network);
	for (i = 0; i < pod->n_containers; i++)
		print_container(out, deeper, &pod->containers[i], scsi);
}

static void print_vm(FILE *out, const char *indent, const lcowmig__wire_vm *vm)
{
	char deeper[32];

	snprintf(deeper, sizeof deeper, "%s  ", indent);
	fprintf(out, "%svm %s\n", indent, vm->vm_id);
	if (vm->has_options)
		fprintf(out, "%soptions: %s%s%s%s%s\n", deeper, vm->architecture[0] ? vm->architecture : "(no architecture)",
		        vm->no_writable_file_shares ? ", no writable shares" : "", vm->enable_scratch_encryption ? ", encrypted scratch" : "",
		        vm->policy_based_routing ? ", policy-based routing" : "", vm->fully_physically_backed ? ", physically backed" : "");
	fprintf(out, "%sHCS document %zu bytes, compatibility blob %zu bytes\n", deeper, vm->hcs_document.size, vm->compat_info.size);
	fprintf(out, "%snext stdio port 0x%x, next request id %lld\n", deeper, vm->gcs_next_port, (long long)vm->bridge_next_id);
	if (vm->has_scsi)
		print_scsi(out, deeper, &vm->scsi);
}

static void print_sandbox(FILE *out, const lcowmig__wire_sandbox *sandbox, size_t size)
{
	size_t i;

	fprintf(out, "sandbox, %zu bytes, %zu pod%s\n", size, sandbox->n_pods, sandbox->n_pods == 1 ? "" : "s");
	print_vm(out, "  ", &sandbox->vm);
	for (i = 0; i < sandbox->n_pods; i++)
		print_pod(out, "  ", &sandbox->pods[i], sandbox->vm.has_scsi ? &sandbox->vm.scsi : NULL);
}

void tool_print_tree(FILE *out, const tool_envelope *envelope)
{
	switch (envelope->kind) {
	case TOOL_VM:
		print_vm(out, "", &envelope->as.vm);
		break;
	case TOOL_POD:
		print_pod(out, "", &envelope->as.pod, NULL);
		break;
	case TOOL_CONTAINER:
		print_container(out, "", &envelope->as.container, NULL);
		break;
	case TOOL_PROCESS:
		print_process(out, "", &envelope->as.process);
		break;
	case TOOL_NETWORK:
		print_network(out, "", &envelope->as.network);
		break;
	case TOOL_SCSI:
		print_scsi(out, "", &envelope->as.scsi);
		break;
	case TOOL_SANDBOX:
	case TOOL_KINDS:
		print_sandbox(out, &envelope->as.sandbox, envelope->size);
		break;
	}
}
