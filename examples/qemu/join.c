/* See join.h. */
#include "join.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop.h"

#define TAIL_MAX (128u << 10)

struct join {
	uint8_t tail[TAIL_MAX]; /* of the file */
	size_t n_tail;
	uint8_t *said; /* by the guest, on this connection */
	size_t n_said;
	size_t start;   /* the place in the tail where what is said is taken to begin: the first that fits */
	size_t matched; /* bytes from there on that agree */
};

struct join *join_new(int fd)
{
	struct join *join;
	struct stat found;
	ssize_t n;

	if (fd < 0 || fstat(fd, &found) != 0 || found.st_size == 0)
		return NULL;
	join = mock_alloc(sizeof *join);
	n = pread(fd, join->tail, sizeof join->tail, found.st_size > (off_t)sizeof join->tail ? found.st_size - (off_t)sizeof join->tail : 0);
	join->n_tail = n > 0 ? (size_t)n : 0;
	return join;
}

/* Moves on to the next place that fits. What begins early in the tail is the longer, and so the likelier, overlap. */
static void join_search(struct join *join)
{
	while (join->start + join->matched < join->n_tail && join->matched < join->n_said) {
		if (join->tail[join->start + join->matched] == join->said[join->matched]) {
			join->matched++;
		} else {
			join->start++;
			join->matched = 0;
		}
	}
}

bool join_feed(struct join *join, const uint8_t *bytes, size_t size, const uint8_t **ret_fresh, size_t *ret_size)
{
	uint8_t *said = mock_alloc(join->n_said + size);

	if (join->n_said > 0)
		memcpy(said, join->said, join->n_said);
	memcpy(said + join->n_said, bytes, size);
	free(join->said);
	join->said = said;
	join->n_said += size;
	join_search(join);
	if (join->start + join->matched < join->n_tail)
		return false;
	join_end(join, ret_fresh, ret_size);
	return true;
}

void join_end(struct join *join, const uint8_t **ret_fresh, size_t *ret_size)
{
	*ret_fresh = join->said + join->matched;
	*ret_size = join->n_said - join->matched;
}

void join_free(struct join *join)
{
	if (!join)
		return;
	free(join->said);
	free(join);
}
