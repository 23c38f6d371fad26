/*
 * A merge sort: the library's own because qsort may allocate behind our back and promises no bound for hostile orders.
 */
#include "reader.h"

#include <string.h>

static bool sort_is_done(const char *array, size_t count, size_t size, lcowmig__wire_order order, const void *context)
{
	for (size_t i = 1; i < count; i++) {
		if (order(array + (i - 1) * size, array + i * size, context) > 0)
			return false;
	}
	return true;
}

/* Merges from[start, middle) and from[middle, end) into `to`, the first run's elements before equal ones of the second. */
static void sort_merge(const char *from, char *to, size_t start, size_t middle, size_t end, size_t size, lcowmig__wire_order order,
		       const void *context)
{
	size_t left = start;
	size_t right = middle;

	for (size_t i = start; i < end; i++) {
		bool from_left = right == end || (left < middle && order(from + left * size, from + right * size, context) <= 0);
		size_t taken = from_left ? left++ : right++;

		memcpy(to + i * size, from + taken * size, size);
	}
}

bool lcowmig__wire_sort(lcowmig__arena *arena, void *array, size_t count, size_t size, lcowmig__wire_order order, const void *context)
{
	char *from = array;
	char *to;

	if (sort_is_done(array, count, size, order, context))
		return true;
	to = lcowmig__arena_alloc(arena, count * size);
	if (!to)
		return false;
	for (size_t width = 1; width < count; width *= 2) {
		char *swapped = from;

		for (size_t start = 0; start < count; start += 2 * width) {
			size_t middle = count - start < width ? count : start + width;
			size_t end = count - middle < width ? count : middle + width;

			sort_merge(from, to, start, middle, end, size, order, context);
		}
		from = to;
		to = swapped;
	}
	if (from != array)
		memcpy(array, from, count * size);
	return true;
}
