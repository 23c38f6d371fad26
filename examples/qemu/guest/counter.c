/*
 * What runs in the demo's containers: counts, prints each number, appends it to a file on the scratch disk, and (when told where) sends it over the
 * network. It also writes to its memory, so that there is something to migrate. SIGTERM ends it with a last line.
 *
 *     counter NAME INTERVAL_MS [MEMORY_MIB [HOST PORT]]
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096u

static volatile sig_atomic_t is_over;

static void on_term(int number)
{
	(void)number;
	is_over = 1;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void put(int fd, const char *text, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, text, size);

		if (n < 0)
			exit(3);
		text += n;
		size -= (size_t)n;
	}
}

/* A few hundred pages change with every count. */
static void touch(unsigned char *memory, size_t size, unsigned count)
{
	for (size_t i = 0; size > 0 && i < 256; i++)
		memory[((count * 256u + i) * PAGE) % size] += 1;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "counter";
	long interval = argc > 2 ? atol(argv[2]) : 100;
	size_t size = argc > 3 ? (size_t)atol(argv[3]) << 20 : 0;
	unsigned char *memory = size > 0 ? malloc(size) : NULL;
	struct sockaddr_in to = { .sin_family = AF_INET };
	int sender = argc > 5 ? socket(AF_INET, SOCK_DGRAM, 0) : -1;
	int file = open("/counts", O_WRONLY | O_CREAT | O_APPEND, 0644);
	struct sigaction action = { 0 };
	unsigned count = 0;
	char line[128];
	int n;

	action.sa_handler = on_term;
	sigaction(SIGTERM, &action, NULL);
	if (file < 0 || (size > 0 && !memory)) {
		perror("counter");
		return 2;
	}
	if (size > 0)
		memset(memory, 1, size);
	if (sender >= 0) {
		to.sin_port = htons((uint16_t)atoi(argv[5]));
		inet_pton(AF_INET, argv[4], &to.sin_addr);
	}
	while (!is_over) {
		struct timespec pause = { interval / 1000, interval % 1000 * 1000000 };

		count++;
		n = snprintf(line, sizeof line, "%u %lld\n", count, (long long)now_ms());
		put(file, line, (size_t)n);
		fdatasync(file);
		n = snprintf(line, sizeof line, "%s %u\n", name, count);
		put(1, line, (size_t)n);
		if (sender >= 0)
			(void)!sendto(sender, line, (size_t)n, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof to);
		if (memory)
			touch(memory, size, count);
		nanosleep(&pause, NULL);
	}
	fsync(file);
	n = snprintf(line, sizeof line, "%s end %u\n", name, count);
	put(1, line, (size_t)n);
	return 0;
}
