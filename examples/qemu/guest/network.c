/*
 * Network cards. The host plugs one in, then names its MAC address and what it is to be called and reached by; the card moves into the
 * network namespace of the pod that goes by that name, at once when its first process runs, else when it starts.
 */
#include "guest.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define IP "/bin/busybox", "ip"

struct nic {
	struct nic *next;
	char *namespace_id;
	char *id;
	char *device; /* as the machine calls it */
	struct json *settings;
	bool is_inside;
};

struct space {
	struct space *next;
	char *namespace_id;
	pid_t pid;
	int n_inside; /* cards that have moved in so far: names are never used again */
};

static struct nic *nics;
static struct space *spaces;

static struct space *space_find(const char *namespace_id)
{
	struct space *space = spaces;

	while (space && strcasecmp(space->namespace_id, namespace_id) != 0)
		space = space->next;
	return space;
}

static void squeeze_mac(char *mac, const char *text)
{
	size_t n = 0;

	for (; *text && n < 12; text++) {
		if (*text != ':' && *text != '-' && *text != '\n')
			mac[n++] = (char)(*text >= 'A' && *text <= 'F' ? *text + 'a' - 'A' : *text);
	}
	mac[n] = '\0';
}

/* The interface of the machine itself with this MAC address, or NULL. */
static char *device_find(const char *mac)
{
	DIR *directory = opendir("/sys/class/net");
	struct dirent *entry;
	char *device = NULL;
	char wanted[13];
	char found[13];

	squeeze_mac(wanted, mac);
	while (directory && !device && (entry = readdir(directory))) {
		char path[300];
		char line[64] = "";
		FILE *file;

		snprintf(path, sizeof path, "/sys/class/net/%s/address", entry->d_name);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fgets(line, sizeof line, file)) {
			squeeze_mac(found, line);
			if (strcmp(found, wanted) == 0)
				device = guest_strdup(entry->d_name);
		}
		fclose(file);
	}
	if (directory)
		closedir(directory);
	return device;
}

static bool nic_configure(const struct nic *nic, const struct space *space, const char *name)
{
	const struct json *list = json_get(nic->settings, "IPConfigs");
	const char *const up[] = { IP, "link", "set", "dev", name, "up", NULL };
	bool good = true;

	for (const struct json *entry = list ? list->child : NULL; entry; entry = entry->next) {
		char *address = guest_printf("%s/%u", json_text(entry, "IPAddress"), (unsigned)json_number(entry, "PrefixLength"));
		const char *const add[] = { IP, "addr", "add", address, "dev", name, NULL };

		good = run_program_in_network(space->pid, add) == 0 && good;
		free(address);
	}
	good = run_program_in_network(space->pid, up) == 0 && good;
	list = json_get(nic->settings, "Routes");
	for (const struct json *entry = list ? list->child : NULL; entry; entry = entry->next) {
		const char *const add[] = {
			IP, "route", "replace", json_text(entry, "DestinationPrefix"), "via", json_text(entry, "NextHop"), "dev", name, NULL
		};

		good = run_program_in_network(space->pid, add) == 0 && good;
	}
	return good;
}

static bool nic_move(struct nic *nic, struct space *space)
{
	char *name = guest_printf("eth%d", space->n_inside);
	char *pid = guest_printf("%d", (int)space->pid);
	const char *const move[] = { IP, "link", "set", "dev", nic->device, "netns", pid, NULL };
	const char *const rename[] = { IP, "link", "set", "dev", nic->device, "name", name, NULL };
	bool good = run_program(move) == 0;

	if (good && strcmp(nic->device, name) != 0)
		good = run_program_in_network(space->pid, rename) == 0;
	good = good && nic_configure(nic, space, name);
	if (good) {
		nic->is_inside = true;
		space->n_inside++;
		log_line("network card %s is %s of namespace %s", nic->id, name, space->namespace_id);
	}
	free(name);
	free(pid);
	return good;
}

static struct nic **nic_place(const char *namespace_id, const char *id)
{
	struct nic **at = &nics;

	while (*at && !(strcasecmp((*at)->id, id) == 0 && strcasecmp((*at)->namespace_id, namespace_id) == 0))
		at = &(*at)->next;
	return at;
}

static void nic_free(struct nic *nic)
{
	free(nic->namespace_id);
	free(nic->id);
	free(nic->device);
	json_free(nic->settings);
	free(nic);
}

static struct json *json_copy(const struct json *json)
{
	struct json *copy = guest_alloc(sizeof *copy);
	struct json **last = &copy->child;

	copy->kind = json->kind;
	copy->key = json->key ? guest_strdup(json->key) : NULL;
	copy->text = json->text ? guest_strdup(json->text) : NULL;
	for (const struct json *child = json->child; child; child = child->next) {
		*last = json_copy(child);
		last = &(*last)->next;
	}
	return copy;
}

static uint32_t network_add(struct request *request, const char *namespace_id, const char *id, const struct json *settings)
{
	struct space *space = space_find(namespace_id);
	struct nic *nic;
	char *device;

	if (*nic_place(namespace_id, id))
		return request_fail(request, HR_FAIL, "network card %s is there already", id);
	device = device_find(json_text(settings, "MacAddress"));
	if (!device) {
		request_fail(request, HR_FAIL, "no network card has the address %s", json_text(settings, "MacAddress"));
		return SERVED_AGAIN;
	}
	nic = guest_alloc(sizeof *nic);
	nic->namespace_id = guest_strdup(namespace_id);
	nic->id = guest_strdup(id);
	nic->device = device;
	nic->settings = json_copy(settings);
	nic->next = nics;
	nics = nic;
	if (space && space->pid > 0 && !nic_move(nic, space))
		return request_fail(request, HR_FAIL, "network card %s could not be set up", id);
	return 0;
}

/* As in Microsoft's guest, removing forgets the card and leaves the interface alone. */
uint32_t network_modify(struct request *request, const char *what, const struct json *settings)
{
	const char *namespace_id = json_text(settings, "NamespaceID");
	const char *id = json_text(settings, "ID");
	struct nic **at;
	struct nic *nic;

	if (strcmp(what, "Remove") != 0)
		return network_add(request, namespace_id, id, settings);
	at = nic_place(namespace_id, id);
	nic = *at;
	if (nic) {
		*at = nic->next;
		nic_free(nic);
	}
	return 0;
}

void network_enter(const char *namespace_id, pid_t pid)
{
	const char *const lo[] = { IP, "link", "set", "dev", "lo", "up", NULL };
	struct space *space = space_find(namespace_id);

	if (!space) {
		space = guest_alloc(sizeof *space);
		space->namespace_id = guest_strdup(namespace_id);
		space->next = spaces;
		spaces = space;
	}
	space->pid = pid;
	run_program_in_network(pid, lo);
	for (struct nic *nic = nics; nic; nic = nic->next) {
		if (!nic->is_inside && strcasecmp(nic->namespace_id, namespace_id) == 0 && !nic_move(nic, space))
			log_line("network card %s could not be set up", nic->id);
	}
}

void network_leave(pid_t pid)
{
	for (struct space *space = spaces; space; space = space->next) {
		if (space->pid == pid)
			space->pid = 0;
	}
}
