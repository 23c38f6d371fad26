/* Small things done with files and programs of the machine itself. */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

bool make_directories(const char *path)
{
	char *copy = guest_strdup(path);
	bool good = true;

	for (char *at = copy + 1; good; at++) {
		char letter = *at;

		if (letter != '/' && letter != '\0')
			continue;
		*at = '\0';
		good = mkdir(copy, 0700) == 0 || errno == EEXIST;
		*at = letter;
		if (letter == '\0')
			break;
	}
	free(copy);
	return good;
}

bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

/* exec takes its arguments without const, and leaves them alone. */
static void exec_program(const char *const *arguments)
{
	union {
		const char *const *given;
		char *const *wanted;
	} list = { arguments };

	execv(arguments[0], list.wanted);
	_exit(127);
}

int run_program_in_network(pid_t pid, const char *const *arguments)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		if (pid > 0) {
			char *path = guest_printf("/proc/%d/ns/net", (int)pid);
			int fd = open(path, O_RDONLY | O_CLOEXEC);

			if (fd < 0 || setns(fd, CLONE_NEWNET) != 0)
				_exit(126);
		}
		exec_program(arguments);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int run_program(const char *const *arguments)
{
	return run_program_in_network(0, arguments);
}
