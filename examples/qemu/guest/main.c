/* The machine's first program: mounts what everybody expects, loads drivers, seeds the kernel's random numbers, and then serves the host. */
#include "guest.h"

#include <fcntl.h>
#include <linux/random.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MODULE_LIST "/lib/drivers/order"

static struct stream *entropy;
static struct timer entropy_redial;
static struct watch *ended;

/* Microsoft's init reads the seed first and starts everything else then. */
static void boot_services(void)
{
	static bool are_started;

	if (are_started)
		return;
	are_started = true;
	log_start();
	bridge_start();
	log_line("the guest is up");
}

static void entropy_open(void *user)
{
	(void)user;
}

/* Whoever asks for random bytes waits until there are some: a file system's UUID, for one. So the seed is credited. */
static void entropy_data(void *user, const uint8_t *bytes, size_t size)
{
	struct rand_pool_info *seed = guest_alloc(sizeof *seed + size);
	int fd = open("/dev/urandom", O_WRONLY | O_CLOEXEC);

	(void)user;
	seed->entropy_count = (int)(8 * size);
	seed->buf_size = (int)size;
	memcpy(seed->buf, bytes, size);
	if (fd < 0 || ioctl(fd, RNDADDENTROPY, seed) != 0)
		perror("/dev/urandom");
	if (fd >= 0)
		close(fd);
	free(seed);
}

static void entropy_over(void *user, enum stream_end how)
{
	(void)user;
	(void)how;
	stream_close(entropy);
	entropy = NULL;
	boot_services();
}

static void entropy_dial(void *user)
{
	static const struct stream_ops ops = { entropy_open, entropy_data, entropy_over };

	(void)user;
	entropy = mux_dial(PORT_ENTROPY, &ops, NULL);
	if (!entropy)
		loop_set(&entropy_redial, loop_now() + 20);
}

static void boot_mount(const char *type, const char *path)
{
	mkdir(path, 0755);
	if (mount(type, path, type, 0, NULL) != 0)
		perror(path);
}

static void boot_load_drivers(void)
{
	FILE *list = fopen(MODULE_LIST, "re");
	char name[128];

	while (list && fgets(name, sizeof name, list)) {
		char path[256];
		int fd;

		name[strcspn(name, "\n")] = '\0';
		snprintf(path, sizeof path, "/lib/drivers/%s", name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) != 0)
			perror(path);
		if (fd >= 0)
			close(fd);
	}
	if (list)
		fclose(list);
}

static void boot_process_ended(void *user)
{
	struct signalfd_siginfo info[8];
	ssize_t n = read(ended->fd, info, sizeof info);

	(void)user;
	(void)n;
	process_reap();
}

int main(void)
{
	sigset_t signals;

	boot_mount("proc", "/proc");
	boot_mount("sysfs", "/sys");
	boot_mount("devtmpfs", "/dev");
	boot_mount("tmpfs", "/run");
	boot_load_drivers();
	setenv("PATH", "/sbin:/bin", 1);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	ended = loop_watch(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK), POLLIN, boot_process_ended, NULL);
	printf("guest: drivers are loaded, waiting for the host\n");
	fflush(stdout);
	mux_start();
	entropy_redial.fn = entropy_dial;
	entropy_dial(NULL);
	loop_run();
}
