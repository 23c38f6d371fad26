/* Starting a process: namespaces, root directory, streams, program. */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static char **spawn_list(const struct json *list)
{
	size_t n = 0;
	char **texts;

	for (const struct json *entry = list ? list->child : NULL; entry; entry = entry->next)
		n++;
	texts = guest_alloc((n + 1) * sizeof(char *));
	n = 0;
	for (const struct json *entry = list ? list->child : NULL; entry; entry = entry->next)
		texts[n++] = entry->text ? entry->text : guest_strdup("");
	return texts;
}

static bool spawn_join(pid_t pid, const char *const *names)
{
	for (; *names; names++) {
		char *path = guest_printf("/proc/%d/ns/%s", (int)pid, *names);
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		if (fd < 0 || setns(fd, 0) != 0)
			return false;
		close(fd);
		free(path);
	}
	return true;
}

/* Everything below runs in the new process. */

static bool child_mount_dev(void)
{
	static const struct {
		const char *path;
		unsigned minor;
	} nodes[] = { { "/dev/null", 3 }, { "/dev/zero", 5 }, { "/dev/random", 8 }, { "/dev/urandom", 9 } };

	mkdir("/dev", 0755);
	if (mount("tmpfs", "/dev", "tmpfs", MS_NOSUID, "size=64k") != 0)
		return false;
	for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++)
		mknod(nodes[i].path, S_IFCHR | 0666, makedev(1, nodes[i].minor));
	return true;
}

/* The container's root becomes the only one there is, as init programs do it from an initial RAM disk. */
static bool child_enter_root(const char *root)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 || mount(root, root, NULL, MS_BIND | MS_REC, NULL) != 0)
		return false;
	if (chdir(root) != 0 || mount(".", "/", NULL, MS_MOVE, NULL) != 0 || chroot(".") != 0 || chdir("/") != 0)
		return false;
	mkdir("/proc", 0555);
	return mount("proc", "/proc", "proc", 0, NULL) == 0 && child_mount_dev();
}

static void child_streams(const int fds[3])
{
	for (int i = 0; i < 3; i++) {
		int fd = fds[i] >= 0 ? fds[i] : open("/dev/null", O_RDWR);

		if (fd >= 0)
			dup2(fd, i);
	}
}

static void child_signals(void)
{
	sigset_t none;

	for (int i = 1; i < 32; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void child_fail(const char *what)
{
	dprintf(2, "%s: %s\n", what, strerror(errno));
	_exit(127);
}

static void child_exec(const struct json *oci)
{
	char **arguments = spawn_list(json_get(oci, "args"));
	const char *directory = json_text(oci, "cwd");

	environ = spawn_list(json_get(oci, "env"));
	if (*directory && chdir(directory) != 0)
		child_fail(directory);
	if (!arguments[0])
		child_fail("no program");
	execvp(arguments[0], arguments);
	child_fail(arguments[0]);
}

static void child_run(const struct process *process, const int fds[3])
{
	struct container *container = process->container;

	child_signals();
	setsid();
	if (process->is_init) {
		child_streams(fds);
		if (!child_enter_root(json_text(json_get(container->spec, "root"), "path")))
			child_fail("the container's root");
	} else {
		child_streams(fds);
		if (container && (chroot(".") != 0 || chdir("/") != 0))
			child_fail("the container's root");
	}
	child_exec(process->oci ? process->oci : process->parameters);
}

/* ---- */

/* fork with further flags. The new process is alone in it, so what the C library knows of threads stays true. */
static pid_t spawn_clone(unsigned long flags)
{
	return (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
}

/* The first process of a pod makes its network; those of other containers join it. */
static pid_t spawn_init(struct process *process, const int fds[3])
{
	static const char *const shared[] = { "net", "ipc", "uts", NULL };
	unsigned long flags = CLONE_NEWPID | CLONE_NEWNS;
	struct container *pod = container_find(process->container->pod);
	bool is_first = !pod || pod == process->container;
	pid_t pid;

	if (is_first)
		flags |= CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
	pid = spawn_clone(flags);
	if (pid != 0)
		return pid;
	if (!is_first && pod->init && pod->init->pid > 0 && !spawn_join(pod->init->pid, shared))
		child_fail("the pod's namespaces");
	child_run(process, fds);
	_exit(127);
}

/* A process id namespace holds for children only, so the one who enters it is not the one who runs in it. */
static pid_t spawn_exec(struct process *process, const int fds[3])
{
	static const char *const all[] = { "net", "ipc", "uts", "pid", "mnt", NULL };
	pid_t init = process->container->init ? process->container->init->pid : 0;
	int root;
	int own_pids;
	pid_t pid;

	if (init <= 0 || process->container->init->was_reaped)
		return -1;
	own_pids = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	if (!spawn_join(init, (const char *const[]){ "pid", NULL }))
		return -1;
	pid = spawn_clone(0);
	if (pid == 0) {
		char *path = guest_printf("/proc/%d/root", (int)init);

		root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (root < 0 || !spawn_join(init, (const char *const[]){ all[0], all[1], all[2], all[4], NULL }) || fchdir(root) != 0)
			child_fail("the container's namespaces");
		child_run(process, fds);
	}
	if (own_pids < 0 || setns(own_pids, CLONE_NEWPID) != 0)
		abort();
	close(own_pids);
	return pid;
}

/* The parameters of a process of the machine itself, in the words of an OCI process. */
static struct json *spawn_machine_process(const struct json *parameters)
{
	struct text text = { 0 };
	const struct json *arguments = json_get(parameters, "CommandArgs");
	const struct json *environment = json_get(parameters, "Environment");
	struct json *oci;

	text_printf(&text, "{\"args\":[");
	if (arguments) {
		for (const struct json *entry = arguments->child; entry; entry = entry->next) {
			text_printf(&text, "%s", entry == arguments->child ? "" : ",");
			text_quote(&text, entry->text ? entry->text : "");
		}
	} else {
		text_printf(&text, "\"/bin/sh\",\"-c\",");
		text_quote(&text, json_text(parameters, "CommandLine"));
	}
	text_printf(&text, "],\"env\":[\"PATH=/sbin:/bin\"");
	for (const struct json *entry = environment ? environment->child : NULL; entry; entry = entry->next) {
		char *pair = guest_printf("%s=%s", entry->key, entry->text ? entry->text : "");

		text_printf(&text, ",");
		text_quote(&text, pair);
		free(pair);
	}
	text_printf(&text, "],\"cwd\":");
	text_quote(&text, json_text(parameters, "WorkingDirectory"));
	text_printf(&text, "}");
	oci = json_parse(text.bytes, text.size);
	text_done(&text);
	return oci;
}

pid_t spawn_process(struct process *process, const int fds[3], struct text *error)
{
	pid_t pid;

	if (!process->container) {
		struct json *oci = spawn_machine_process(process->parameters);

		pid = spawn_clone(0);
		if (pid == 0) {
			process->oci = oci;
			child_run(process, fds);
		}
		json_free(oci);
	} else {
		pid = process->is_init ? spawn_init(process, fds) : spawn_exec(process, fds);
	}
	if (pid < 0)
		text_printf(error, "the process could not be started: %s", strerror(errno));
	return pid;
}
