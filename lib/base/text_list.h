/* Lists of texts that the library keeps for somebody. */
#ifndef LCOWMIG__TEXT_LIST_H
#define LCOWMIG__TEXT_LIST_H

#include <stdbool.h>

#include "alloc.h"

typedef struct lcowmig__text_list {
	const char **texts;
	size_t count;
} lcowmig__text_list;

/* False when memory is out; what there is by then is for _done too. */
bool lcowmig__text_list_copy(lcowmig__text_list *list, const lcowmig__mem *mem, const char *const *texts, size_t count);
void lcowmig__text_list_done(lcowmig__text_list *list, const lcowmig__mem *mem);
/* The same texts, each as often, in any order and either case of letters. Lists are a few entries long, and bounded. */
bool lcowmig__text_list_is(const lcowmig__text_list *list, const char *const *texts, size_t count);

#endif
