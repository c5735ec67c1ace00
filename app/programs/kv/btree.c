/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A B+ tree over memory.
 *
 *   page 0: magic, pages, pages in use, root, height
 *   inner node: keys[0..count), children[0..count]; child i has keys below keys[i]
 *   leaf: keys[0..count), values, and the next leaf
 *
 * A put splits full nodes on its way down, so that there is always room above; before it
 * begins it makes sure of pages enough for all of them.
 *
 * Owns: the layout. Does not: write anything back (kv.c).
 * Invariants:
 *   B1  keys in a node ascend; a node but the root is at least half full, less one
 *   B2  all leaves have the same depth, header.height
 * Yields: a program, preemptive.
 * See: Comer, "The Ubiquitous B-Tree", ACM Computing Surveys 1979.
 */
#include "app/programs/kv/btree.h"

#include <string.h>

#define PAGE_BYTES 4096u
#define MAGIC      0x4555525442424245u /* "EBBBTREU" */
#define KEYS_MAX   254u
#define LEVELS_MAX 8u

struct header {
	uint64_t magic;
	uint32_t pages, used; /* page 0 included */
	uint32_t root, height; /* 0: the root is a leaf */
};

struct node {
	uint32_t count;
	uint32_t next;                /* leaf: the next one, 0 = last */
	uint64_t keys[KEYS_MAX];
	union {
		uint64_t values[KEYS_MAX];
		uint32_t children[KEYS_MAX + 1];
	};
};

_Static_assert(sizeof(struct node) <= PAGE_BYTES, "a node fits a page");

static struct node *
node_of(const void *memory, uint32_t page)
{
	return ((struct node *)(void *)((char *)(uintptr_t)memory + (size_t)page * PAGE_BYTES));
}

void
btree_make(void *memory, size_t bytes)
{
	struct header *h = memory;

	memset(memory, 0, 2 * PAGE_BYTES);
	h->pages = (uint32_t)(bytes / PAGE_BYTES);
	h->used = 2;
	h->root = 1;
	h->magic = MAGIC;
}

const char *
btree_check(const void *memory, size_t bytes)
{
	const struct header *h = memory;

	if (h->magic != MAGIC)
		return ("no tree");
	if (h->pages != bytes / PAGE_BYTES || h->used > h->pages || h->used < 2)
		return ("of another size");
	if (h->root == 0 || h->root >= h->used || h->height >= LEVELS_MAX)
		return ("damaged");
	return (NULL);
}

/* The first index whose key is not below key. */
static uint32_t
find(const struct node *n, uint64_t key)
{
	uint32_t low = 0, high = n->count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (n->keys[middle] < key)
			low = middle + 1;
		else
			high = middle;
	}
	return (low);
}

/* The child in which key is: that of the first key above it. */
static uint32_t
child_index(const struct node *n, uint64_t key)
{
	uint32_t i = find(n, key);

	return (i < n->count && n->keys[i] == key ? i + 1 : i);
}

/* Split the full child i of parent, which has room, into two. */
static void
split(void *memory, struct node *parent, uint32_t i, int leaf)
{
	struct header *h = memory;
	uint32_t page = h->used++, half = KEYS_MAX / 2;
	struct node *left = node_of(memory, parent->children[i]), *right = node_of(memory, page);
	/* A leaf's first right key is copied up; an inner node's middle key moves up. */
	uint32_t from = leaf ? half : half + 1;

	memset(right, 0, sizeof(*right));
	right->count = KEYS_MAX - from;
	memcpy(right->keys, left->keys + from, right->count * sizeof(uint64_t));
	if (leaf) {
		memcpy(right->values, left->values + from, right->count * sizeof(uint64_t));
		right->next = left->next;
		left->next = page;
	} else {
		memcpy(right->children, left->children + from,
		    (right->count + 1) * sizeof(uint32_t));
	}
	left->count = half;
	memmove(parent->keys + i + 1, parent->keys + i, (parent->count - i) * sizeof(uint64_t));
	memmove(parent->children + i + 2, parent->children + i + 1,
	    (parent->count - i) * sizeof(uint32_t));
	parent->keys[i] = left->keys[half];
	if (leaf)
		parent->keys[i] = right->keys[0];
	parent->children[i + 1] = page;
	parent->count++;
}

static void
grow_root(void *memory)
{
	struct header *h = memory;
	uint32_t page = h->used++;
	struct node *root = node_of(memory, page);

	memset(root, 0, sizeof(*root));
	root->children[0] = h->root;
	split(memory, root, 0, h->height == 0);
	h->root = page;
	h->height++;
}

static void
leaf_put(struct node *n, uint64_t key, uint64_t value)
{
	uint32_t i = find(n, key);

	if (i == n->count || n->keys[i] != key) {
		memmove(n->keys + i + 1, n->keys + i, (n->count - i) * sizeof(uint64_t));
		memmove(n->values + i + 1, n->values + i, (n->count - i) * sizeof(uint64_t));
		n->keys[i] = key;
		n->count++;
	}
	n->values[i] = value;
}

int
btree_put(void *memory, uint64_t key, uint64_t value)
{
	struct header *h = memory;
	struct node *n;
	uint32_t level;

	if (h->pages - h->used < h->height + 2)
		return (-1);
	if (node_of(memory, h->root)->count == KEYS_MAX)
		grow_root(memory);
	n = node_of(memory, h->root);
	for (level = h->height; level > 0; level--) {
		uint32_t i = child_index(n, key);

		if (node_of(memory, n->children[i])->count == KEYS_MAX) {
			split(memory, n, i, level == 1);
			i = child_index(n, key);
		}
		n = node_of(memory, n->children[i]);
	}
	leaf_put(n, key, value);
	return (0);
}

int
btree_get(const void *memory, uint64_t key, uint64_t *value)
{
	const struct header *h = memory;
	const struct node *n = node_of(memory, h->root);
	uint32_t level, i;

	for (level = h->height; level > 0; level--)
		n = node_of(memory, n->children[child_index(n, key)]);
	i = find(n, key);
	if (i == n->count || n->keys[i] != key)
		return (-1);
	*value = n->values[i];
	return (0);
}

int64_t
btree_sum(const void *memory, uint64_t *keys, uint64_t *values)
{
	const struct header *h = memory;
	const struct node *n = node_of(memory, h->root);
	uint64_t before = 0;
	int64_t count = 0;
	uint32_t level, i;

	*keys = *values = 0;
	for (level = h->height; level > 0; level--)
		n = node_of(memory, n->children[0]);
	for (;; n = node_of(memory, n->next)) {
		for (i = 0; i < n->count; i++, count++) {
			if (count > 0 && n->keys[i] <= before)
				return (-1);
			before = n->keys[i];
			*keys += n->keys[i];
			*values += n->values[i];
		}
		if (n->next == 0)
			return (count);
	}
}
