/* The life of the mock guest: boot, run, hold, and what one can see of it. */
#include "guest_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct guest_root *guest_root(const mock_guest *guest)
{
	return MOCK_VIEW(guest->memory, struct guest_root, MOCK_IMAGE_ROOT);
}

struct guest_root *guest_edit_root(mock_guest *guest)
{
	return MOCK_EDIT(guest->memory, struct guest_root, MOCK_IMAGE_ROOT);
}

const char *guest_text(const mock_guest *guest, uint64_t offset)
{
	return mock_image_get_text(guest->memory, offset);
}

void guest_replace_text(mock_guest *guest, uint64_t *place, const char *text)
{
	mock_image_free(guest->memory, *place);
	*place = mock_image_text(guest->memory, text);
}

/* The entropy connection: 512 bytes and the end. Whatever they are, they make up the guest's pool. */
static void guest_entropy_data(void *user, mock_end *end, const uint8_t *bytes, size_t size)
{
	(void)user;
	(void)end;
	(void)bytes;
	(void)size;
}

static void guest_entropy_over(void *user, mock_end *end, bool lost)
{
	mock_guest *guest = user;

	(void)lost;
	guest_edit_root(guest)->is_seeded = 1;
	guest->entropy = NULL;
	mock_end_close(end);
}

static const mock_end_ops guest_entropy_ops = { guest_entropy_data, guest_entropy_over };

static void guest_log_data(void *user, mock_end *end, const uint8_t *bytes, size_t size)
{
	(void)user;
	(void)end;
	(void)bytes;
	(void)size;
}

static void guest_log_over(void *user, mock_end *end, bool lost)
{
	mock_guest *guest = user;

	(void)lost;
	guest->log = NULL;
	mock_end_close(end);
}

static const mock_end_ops guest_log_ops = { guest_log_data, guest_log_over };

void guest_log(mock_guest *guest, const char *what, const char *name)
{
	char line[512];
	int length = snprintf(line, sizeof line, "{\"level\":\"info\",\"msg\":\"%s %.300s\"}\n", what, name);

	if (guest->log && mock_end_write(guest->log, line, (size_t)length))
		return;
	guest->log_wanted = true; /* the line is lost; the next one finds a connection, if somebody listens */
}

/* Cold: entropy, log, bridge, in this order. Later: whatever was lost. */
static void guest_dial_services(mock_guest *guest)
{
	uint64_t clock = guest_root(guest)->clock;

	if (!guest_root(guest)->is_seeded) {
		if (!guest->entropy)
			guest->entropy = mock_vsock_dial(guest->vsock, 1, &guest_entropy_ops, guest);
		return;
	}
	if (guest->log_wanted && !guest->log && clock >= guest->log_dial) {
		guest->log = mock_vsock_dial(guest->vsock, 109, &guest_log_ops, guest);
		guest->log_dial = clock + GUEST_REDIAL;
		if (guest->log)
			guest->log_wanted = false;
	}
	guest_bridge_tick(guest);
}

static void guest_tick(void *user)
{
	mock_guest *guest = user;
	uint64_t now = mock_now();
	uint64_t container, process, next;

	if (!guest->is_running)
		return;
	guest_edit_root(guest)->clock += now - guest->last_tick;
	guest->last_tick = now;
	mock_timer_set(guest->tick, now + GUEST_TICK);
	guest_dial_services(guest);
	for (container = guest_root(guest)->containers; container;
	     container = MOCK_VIEW(guest->memory, struct guest_container, container)->next) {
		const struct guest_container *record = MOCK_VIEW(guest->memory, struct guest_container, container);

		if (record->init)
			guest_workload_tick(guest, record->init);
		for (process = record->processes; process; process = next) {
			next = MOCK_VIEW(guest->memory, struct guest_process, process)->next;
			guest_workload_tick(guest, process);
		}
	}
	guest_reap(guest);
}

mock_guest *mock_guest_new(mock_loop *loop, mock_memory *memory, mock_vsock *vsock, mock_guest_off_fn off, void *user)
{
	mock_guest *guest = mock_alloc(sizeof *guest);

	guest->loop = loop;
	guest->memory = memory;
	guest->vsock = vsock;
	guest->off = off;
	guest->off_user = user;
	guest->tick = mock_timer_new(loop, guest_tick, guest);
	return guest;
}

void mock_guest_free(mock_guest *guest)
{
	if (!guest)
		return;
	mock_guest_hold(guest);
	mock_timer_free(guest->tick);
	mock_loop_forget(guest->loop, guest);
	for (uint32_t i = 0; i < guest->n_locals; i++)
		free(guest->locals[i]);
	free(guest->locals);
	free(guest->received);
	free(guest);
}

/* Contents that no compression and no run of zeroes makes smaller. */
static void guest_fill(mock_guest *guest, uint32_t percent)
{
	uint64_t size = mock_memory_size(guest->memory) / 100 * percent / MOCK_PAGE_SIZE * MOCK_PAGE_SIZE;
	uint64_t word = UINT64_C(0x2545f4914f6cdd1d);

	for (uint64_t at = mock_memory_size(guest->memory) - size; at < mock_memory_size(guest->memory); at += MOCK_PAGE_SIZE) {
		uint64_t *page = mock_memory_edit(guest->memory, at, MOCK_PAGE_SIZE);

		for (size_t i = 0; i < MOCK_PAGE_SIZE / sizeof word; i++) {
			word ^= word << 13;
			word ^= word >> 7;
			word ^= word << 17;
			page[i] = word;
		}
	}
}

void mock_guest_boot(mock_guest *guest, uint32_t fill_percent)
{
	struct guest_root *root;

	mock_image_format(guest->memory);
	root = guest_edit_root(guest);
	memset(root, 0, sizeof *root);
	root->magic = GUEST_MAGIC;
	root->next_pid = 100;
	guest_fill(guest, fill_percent <= 75 ? fill_percent : 75);
	guest->log_wanted = true; /* its log service connects at once */
	mock_guest_run(guest);
}

bool mock_guest_run(mock_guest *guest)
{
	if (!mock_image_is_formatted(guest->memory) || guest_root(guest)->magic != GUEST_MAGIC)
		return false;
	guest->is_running = true;
	guest->control_dial = 0;
	guest->last_tick = mock_now();
	mock_timer_set(guest->tick, guest->last_tick);
	return true;
}

void mock_guest_hold(mock_guest *guest)
{
	guest->is_running = false;
	mock_timer_stop(guest->tick);
	if (guest->control)
		guest_bridge_drop(guest);
	if (guest->log)
		guest_log_over(guest, guest->log, true);
	if (guest->entropy) {
		mock_end_close(guest->entropy);
		guest->entropy = NULL;
	}
	guest_stdio_drop_all(guest);
}

bool mock_guest_is_running(const mock_guest *guest)
{
	return guest->is_running;
}

void mock_guest_set_faults(mock_guest *guest, const mock_guest_faults *faults)
{
	guest->faults = *faults;
}

static void guest_power_off(void *user)
{
	mock_guest *guest = user;

	guest->off(guest->off_user);
}

void mock_guest_shut_down(mock_guest *guest)
{
	mock_guest_hold(guest);
	mock_loop_post(guest->loop, guest_power_off, guest); /* its owner frees it */
}

static void guest_describe(const mock_guest *guest, uint64_t offset, mock_guest_container *ret_container)
{
	static const char *const states[] = { "none", "created", "running", "exited" };
	const struct guest_container *record = MOCK_VIEW(guest->memory, struct guest_container, offset);
	const struct guest_process *init = record->init ? MOCK_VIEW(guest->memory, struct guest_process, record->init) : NULL;

	*ret_container = (mock_guest_container){ .id = guest_text(guest, record->id), .state = states[record->state] };
	if (init) {
		ret_container->pid = init->pid;
		ret_container->counter = init->counter;
		ret_container->exit_code = init->exit_code;
	}
}

bool mock_guest_get_container(const mock_guest *guest, uint32_t index, mock_guest_container *ret_container)
{
	uint64_t at = guest_root(guest)->containers;

	for (; at; at = MOCK_VIEW(guest->memory, struct guest_container, at)->next) {
		bool is_machine = strcmp(guest_text(guest, MOCK_VIEW(guest->memory, struct guest_container, at)->id), GUEST_NULL_ID) == 0;

		if (!is_machine && index-- == 0)
			break;
	}
	if (at)
		guest_describe(guest, at, ret_container);
	return at != 0;
}

bool mock_guest_find_container(const mock_guest *guest, const char *id, mock_guest_container *ret_container)
{
	uint64_t at = guest_find(guest, id);

	if (at)
		guest_describe(guest, at, ret_container);
	return at != 0;
}

bool mock_guest_get_nic(const mock_guest *guest, uint32_t index, const char **ret_id, const char **ret_mac, const char **ret_address)
{
	uint64_t at = guest_root(guest)->nics;
	const struct guest_nic *nic;

	while (at && index-- > 0)
		at = MOCK_VIEW(guest->memory, struct guest_nic, at)->next;
	if (!at)
		return false;
	nic = MOCK_VIEW(guest->memory, struct guest_nic, at);
	*ret_id = guest_text(guest, nic->id);
	*ret_mac = guest_text(guest, nic->mac);
	*ret_address = guest_text(guest, nic->address);
	return true;
}

bool mock_guest_get_mount(const mock_guest *guest, uint32_t index, const char **ret_path, uint32_t *ret_controller, uint32_t *ret_lun)
{
	uint64_t at = guest_root(guest)->mounts;
	const struct guest_mount *mount;

	while (at && index-- > 0)
		at = MOCK_VIEW(guest->memory, struct guest_mount, at)->next;
	if (!at)
		return false;
	mount = MOCK_VIEW(guest->memory, struct guest_mount, at);
	*ret_path = guest_text(guest, mount->path);
	*ret_controller = mount->controller;
	*ret_lun = mount->lun;
	return true;
}
