/* Containers: a bundle on disk, a spec, and the processes that run in it. */
#include "guest.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

static struct container *containers;

struct container *container_find(const char *id)
{
	struct container *container = containers;

	while (container && strcmp(container->id, id) != 0)
		container = container->next;
	return container;
}

static void container_free(struct container *container)
{
	free(container->id);
	free(container->pod);
	free(container->bundle);
	free(container->scratch);
	free(container->namespace_id);
	json_free(container->config);
	free(container);
}

uint32_t container_create(struct request *request)
{
	const char *text = json_text(request->json, "ContainerConfig");
	struct json *config = json_parse(text, strlen(text));
	const struct json *schema = json_get(config, "SchemaVersion");
	const struct json *spec = json_get(config, "OciSpecification");
	struct container *container;

	if (json_number(schema, "Major") != 2 || !json_get(spec, "process") || !json_get(spec, "root") || !json_get(spec, "linux")) {
		json_free(config);
		return request_fail(request, HR_INVALID_JSON, "the container's configuration lacks schema version, process, root or linux");
	}
	if (container_find(request->container_id)) {
		json_free(config);
		return request_fail(request, HR_EXISTS, "container \"%s\" exists", request->container_id);
	}
	container = guest_alloc(sizeof *container);
	container->id = guest_strdup(request->container_id);
	container->config = config;
	container->spec = spec;
	container->bundle = guest_strdup(json_text(config, "OciBundlePath"));
	container->scratch = guest_strdup(json_text(config, "ScratchDirPath"));
	container->pod = guest_strdup(json_text(json_get(spec, "annotations"), "io.kubernetes.cri.sandbox-id"));
	container->namespace_id = guest_strdup(json_text(json_get(json_get(spec, "windows"), "network"), "networkNamespace"));
	container->stop = "UnexpectedExit";
	container->next = containers;
	containers = container;
	make_directories(container->bundle);
	log_line("created container %s", container->id);
	return 0;
}

/* Microsoft's guest tells of the end once, when its init process has ended and everybody who waits for that has been told, one at least. */
void container_settle(struct container *container)
{
	if (container->is_notified || !container->init || !container->init->has_exited || container->init->waiters || !container->was_waited_for)
		return;
	container->is_notified = true;
	bridge_notify(container->id, container->stop);
}

/* Everything below it, then itself; only on the file system it is on. */
static void remove_tree(const char *path, dev_t device)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	struct stat found;

	while (directory && (entry = readdir(directory))) {
		char *child;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		child = guest_printf("%s/%s", path, entry->d_name);
		if (lstat(child, &found) == 0 && found.st_dev == device) {
			if (S_ISDIR(found.st_mode))
				remove_tree(child, device);
			else
				unlink(child);
		}
		free(child);
	}
	if (directory)
		closedir(directory);
	rmdir(path);
}

/* The entry goes even when something could not be removed. What containers left on their scratch disks stays: the demo looks at it. */
uint32_t container_delete(struct request *request)
{
	struct container *container = container_find(request->container_id);
	struct process *process = NULL;
	struct stat found;

	if (!container)
		return request_fail(request, HR_NO_CONTAINER, "container \"%s\" not found", request->container_id);
	while ((process = process_next(NULL, container))) {
		if (process->pid > 0 && !process->was_reaped)
			kill(process->pid, SIGKILL);
		process_forget(process);
	}
	for (struct container **at = &containers; *at; at = &(*at)->next) {
		if (*at == container) {
			*at = container->next;
			break;
		}
	}
	umount2(container->bundle, MNT_DETACH);
	if (stat(container->bundle, &found) == 0)
		remove_tree(container->bundle, found.st_dev);
	log_line("deleted container %s", container->id);
	container_free(container);
	return 0;
}

uint32_t container_properties(struct request *request, struct text *fields)
{
	struct container *container = container_find(request->container_id);
	const char *query = json_text(request->json, "Query");
	struct process *process = NULL;
	struct text properties = { 0 };
	bool is_first = true;

	if (!container)
		return request_fail(request, HR_NO_CONTAINER, "container \"%s\" not found", request->container_id);
	text_printf(&properties, "{");
	if (strstr(query, "ProcessList")) {
		text_printf(&properties, "\"ProcessList\":[");
		while ((process = process_next(process, container))) {
			if (process->pid == 0 || process->was_reaped)
				continue;
			text_printf(&properties, "%s{\"ProcessId\":%d}", is_first ? "" : ",", (int)process->pid);
			is_first = false;
		}
		text_printf(&properties, "]");
	} else if (strstr(query, "Statistics")) {
		text_printf(&properties, "\"LCOWMetrics\":{}");
	}
	text_printf(&properties, "}");
	text_printf(fields, "\"Properties\":");
	text_quote(fields, properties.bytes);
	text_done(&properties);
	return 0;
}

uint32_t container_shutdown(struct request *request, bool is_forced)
{
	struct container *container;
	struct process *process = NULL;

	if (strcmp(request->container_id, NULL_GUID) == 0) {
		sync();
		reboot(RB_POWER_OFF);
		return SERVED_LATER;
	}
	container = container_find(request->container_id);
	if (!container)
		return request_fail(request, HR_NO_CONTAINER, "container \"%s\" not found", request->container_id);
	container->stop = is_forced ? "ForcedExit" : "GracefulExit";
	while ((process = process_next(process, container))) {
		if (process->pid > 0 && !process->was_reaped)
			kill(process->pid, is_forced ? SIGKILL : SIGTERM);
	}
	return 0;
}
