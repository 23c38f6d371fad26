/*
 * An intrusive ordered map (AVL): O(log n) insert, find, remove, in-order walk, no allocation of its own. The node is a member of the
 * user's struct; the comparison gets the key searched for and a node.
 */
#ifndef LCOWMIG__TREE_H
#define LCOWMIG__TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"

typedef struct lcowmig__node {
	struct lcowmig__node *child[2];
	struct lcowmig__node *parent;
	int height; /* 0: in no tree */
} lcowmig__node;

/* Negative, zero or positive as `key` sorts before, at or after `node`. */
typedef int (*lcowmig__compare)(const void *key, const lcowmig__node *node);

typedef struct lcowmig__tree {
	lcowmig__node *root;
	lcowmig__compare compare;
	size_t count;
} lcowmig__tree;

void lcowmig__tree_init(lcowmig__tree *tree, lcowmig__compare compare);
lcowmig__node *lcowmig__tree_find(const lcowmig__tree *tree, const void *key);
/* False, and nothing changed, when the key is there already. */
bool lcowmig__tree_insert(lcowmig__tree *tree, const void *key, lcowmig__node *node);
/* Harmless for a node that is in no tree. */
void lcowmig__tree_remove(lcowmig__tree *tree, lcowmig__node *node);
lcowmig__node *lcowmig__tree_first(const lcowmig__tree *tree);
lcowmig__node *lcowmig__tree_next(const lcowmig__node *node);

#define LCOWMIG__TREE_ENTRY(node, type, member) ((type *)lcowmig__tree_entry(node, offsetof(type, member)))
static inline void *lcowmig__tree_entry(const lcowmig__node *node, size_t offset)
{
	return node ? (char *)(uintptr_t)node - offset : NULL; /* by way of an integer: the result drops the const */
}

/* In order; `node` itself may be removed inside the loop, others may not. */
#define LCOWMIG__TREE_EACH(node, following, tree)                                                                      \
	for ((node) = lcowmig__tree_first(tree), (following) = (node) ? lcowmig__tree_next(node) : NULL; (node) != NULL; \
	     (node) = (following), (following) = (node) ? lcowmig__tree_next(node) : NULL)

#endif
