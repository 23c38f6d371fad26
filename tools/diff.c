/* What differs between two envelopes: their JSON forms, walked side by side. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "tool.h"

static size_t diff_walk(FILE *out, lcowmig__buf *path, const cJSON *a, const cJSON *b);

static void print_side(FILE *out, char sign, const char *path, const cJSON *node)
{
	char *text = cJSON_PrintUnformatted(node);

	fprintf(out, "%c %s: %s\n", sign, path, text ? text : "?");
	free(text);
}

/* Walks one member below `path` and takes the path back. */
static size_t diff_member(FILE *out, lcowmig__buf *path, const char *name, const cJSON *a, const cJSON *b)
{
	size_t length = path->size;
	size_t count;

	lcowmig__buf_printf(path, "%s%s", length ? "/" : "", name);
	count = diff_walk(out, path, a, b);
	path->size = length;
	if (path->data)
		path->data[length] = '\0';
	return count;
}

static size_t diff_objects(FILE *out, lcowmig__buf *path, const cJSON *a, const cJSON *b)
{
	const cJSON *member;
	size_t count = 0;

	cJSON_ArrayForEach (member, a)
		count += diff_member(out, path, member->string, member, cJSON_GetObjectItemCaseSensitive(b, member->string));
	cJSON_ArrayForEach (member, b)
		if (!cJSON_GetObjectItemCaseSensitive(a, member->string))
			count += diff_member(out, path, member->string, NULL, member);
	return count;
}

static size_t diff_arrays(FILE *out, lcowmig__buf *path, const cJSON *a, const cJSON *b)
{
	const cJSON *left = a->child, *right = b->child;
	size_t count = 0;
	unsigned i;

	for (i = 0; left || right; i++) {
		char name[24];

		snprintf(name, sizeof name, "%u", i);
		count += diff_member(out, path, name, left, right);
		left = left ? left->next : NULL;
		right = right ? right->next : NULL;
	}
	return count;
}

static size_t diff_walk(FILE *out, lcowmig__buf *path, const cJSON *a, const cJSON *b)
{
	if (a && b && cJSON_IsObject(a) && cJSON_IsObject(b))
		return diff_objects(out, path, a, b);
	if (a && b && cJSON_IsArray(a) && cJSON_IsArray(b))
		return diff_arrays(out, path, a, b);
	if (a && b && cJSON_Compare(a, b, 1))
		return 0;
	if (a)
		print_side(out, '-', path->data, a);
	if (b)
		print_side(out, '+', path->data, b);
	return 1;
}

size_t tool_diff(FILE *out, const cJSON *a, const cJSON *b)
{
	lcowmig__buf path;
	size_t count;

	lcowmig__buf_init(&path, &tool_mem);
	count = diff_walk(out, &path, a, b);
	lcowmig__buf_done(&path);
	return count;
}
