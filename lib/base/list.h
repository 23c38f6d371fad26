/*
 * An intrusive doubly linked ring. An unlinked node points at itself, so removing twice is harmless.
 */
#ifndef LCOWMIG__LIST_H
#define LCOWMIG__LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "compiler.h"

typedef struct lcowmig__list {
	struct lcowmig__list *next;
	struct lcowmig__list *previous;
} lcowmig__list;

static inline void lcowmig__list_init(lcowmig__list *list)
{
	list->next = list;
	list->previous = list;
}

static inline bool lcowmig__list_is_empty(const lcowmig__list *list)
{
	return list->next == list;
}

static inline void lcowmig__list_append(lcowmig__list *list, lcowmig__list *node)
{
	node->previous = list->previous;
	node->next = list;
	list->previous->next = node;
	list->previous = node;
}

static inline void lcowmig__list_remove(lcowmig__list *node)
{
	node->previous->next = node->next;
	node->next->previous = node->previous;
	lcowmig__list_init(node);
}

/* Takes the first node out, or returns NULL. */
static inline lcowmig__list *lcowmig__list_pop(lcowmig__list *list)
{
	lcowmig__list *node = list->next;

	if (node == list)
		return NULL;
	lcowmig__list_remove(node);
	return node;
}

#define LCOWMIG__LIST_ENTRY(node, type, member) LCOWMIG__CONTAINER_OF(node, type, member)

/* Safe against removal of the current node. */
#define LCOWMIG__LIST_EACH(node, following, list) \
	for ((node) = (list)->next, (following) = (node)->next; (node) != (list); (node) = (following), (following) = (node)->next)

#endif
