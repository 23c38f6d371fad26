#include "tree.h"

void lcowmig__tree_init(lcowmig__tree *tree, lcowmig__compare compare)
{
	tree->root = NULL;
	tree->compare = compare;
	tree->count = 0;
}

lcowmig__node *lcowmig__tree_find(const lcowmig__tree *tree, const void *key)
{
	lcowmig__node *node = tree->root;

	while (node) {
		int order = tree->compare(key, node);

		if (order == 0)
			break;
		node = node->child[order > 0];
	}
	return node;
}

static int height(const lcowmig__node *node)
{
	return node ? node->height : 0;
}

static void update_height(lcowmig__node *node)
{
	int left = height(node->child[0]);
	int right = height(node->child[1]);

	node->height = (left > right ? left : right) + 1;
}

/* Puts `replacement` where `node` hangs below its parent. */
static void replace(lcowmig__tree *tree, lcowmig__node *node, lcowmig__node *replacement)
{
	lcowmig__node *parent = node->parent;

	if (!parent)
		tree->root = replacement;
	else
		parent->child[parent->child[1] == node] = replacement;
	if (replacement)
		replacement->parent = parent;
}

/* Lifts the child on side `side` above `node` and returns it. */
static lcowmig__node *rotate(lcowmig__tree *tree, lcowmig__node *node, int side)
{
	lcowmig__node *lifted = node->child[side];
	lcowmig__node *moved = lifted->child[!side];

	replace(tree, node, lifted);
	lifted->child[!side] = node;
	node->parent = lifted;
	node->child[side] = moved;
	if (moved)
		moved->parent = node;
	update_height(node);
	update_height(lifted);
	return lifted;
}

static void rebalance(lcowmig__tree *tree, lcowmig__node *node)
{
	for (; node; node = node->parent) {
		int balance = height(node->child[1]) - height(node->child[0]);
		int side = balance > 0;

		update_height(node);
		if (balance >= -1 && balance <= 1)
			continue;
		if (height(node->child[side]->child[!side]) > height(node->child[side]->child[side]))
			rotate(tree, node->child[side], !side);
		node = rotate(tree, node, side);
	}
}

bool lcowmig__tree_insert(lcowmig__tree *tree, const void *key, lcowmig__node *node)
{
	lcowmig__node *parent = NULL;
	lcowmig__node **link = &tree->root;

	while (*link) {
		int order = tree->compare(key, *link);

		if (order == 0)
			return false;
		parent = *link;
		link = &parent->child[order > 0];
	}
	node->child[0] = NULL;
	node->child[1] = NULL;
	node->parent = parent;
	node->height = 1;
	*link = node;
	tree->count++;
	rebalance(tree, parent);
	return true;
}

void lcowmig__tree_remove(lcowmig__tree *tree, lcowmig__node *node)
{
	lcowmig__node *start; /* the lowest node whose height may have changed */

	if (!node->height)
		return;
	if (node->child[0] && node->child[1]) {
		lcowmig__node *heir = lcowmig__tree_next(node);

		start = heir->parent == node ? heir : heir->parent;
		replace(tree, heir, heir->child[1]);
		replace(tree, node, heir);
		heir->child[0] = node->child[0];
		heir->child[1] = node->child[1];
		heir->child[0]->parent = heir;
		if (heir->child[1])
			heir->child[1]->parent = heir;
	} else {
		start = node->parent;
		replace(tree, node, node->child[0] ? node->child[0] : node->child[1]);
	}
	node->height = 0;
	node->parent = NULL;
	tree->count--;
	rebalance(tree, start);
}

lcowmig__node *lcowmig__tree_first(const lcowmig__tree *tree)
{
	lcowmig__node *node = tree->root;

	while (node && node->child[0])
		node = node->child[0];
	return node;
}

lcowmig__node *lcowmig__tree_next(const lcowmig__node *node)
{
	lcowmig__node *next = node->child[1];

	if (next) {
		while (next->child[0])
			next = next->child[0];
		return next;
	}
	while (node->parent && node->parent->child[1] == node)
		node = node->parent;
	return node->parent;
}
