#include "text_list.h"

#include <stdint.h>

#include "text.h"

bool lcowmig__text_list_copy(lcowmig__text_list *list, const lcowmig__mem *mem, const char *const *texts, size_t count)
{
	if (!count)
		return true;
	list->texts = lcowmig__alloc_array(mem, count, sizeof *list->texts);
	if (!list->texts)
		return false;
	for (; list->count < count; list->count++) {
		list->texts[list->count] = lcowmig__strdup(mem, texts[list->count]);
		if (!list->texts[list->count])
			return false;
	}
	return true;
}

void lcowmig__text_list_done(lcowmig__text_list *list, const lcowmig__mem *mem)
{
	while (list->count)
		lcowmig__free(mem, (void *)(uintptr_t)list->texts[--list->count]);
	lcowmig__free(mem, list->texts);
}

static size_t count_text(const char *const *texts, size_t n_texts, const char *text)
{
	size_t count = 0;
	size_t i;

	for (i = 0; i < n_texts; i++)
		count += lcowmig__text_compare_nocase(texts[i], text) == 0;
	return count;
}

bool lcowmig__text_list_is(const lcowmig__text_list *list, const char *const *texts, size_t count)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (count_text(list->texts, list->count, list->texts[i]) != count_text(texts, count, list->texts[i]))
			return false;
	return list->count == count;
}
