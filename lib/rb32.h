/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Red-black tree over the elements of an array, linked by 32-bit index; index 0
 * is nil, and element 0 is never part of a tree. Each element starts with a
 * struct rb32_node.
 *
 * The tree knows no keys: the caller descends (a loop of three lines, inlined
 * with its own comparison) and hands over the place where a node belongs. So it
 * serves any key, and a lookup costs no call.
 */
#ifndef LIB_RB32_H
#define LIB_RB32_H

#include <stdbool.h>
#include <stdint.h>

#define RB32_NIL   0u
#define RB32_RED   0x80000000u /* in parent: the colour of the node itself */
#define RB32_LEFT  0
#define RB32_RIGHT 1

struct rb32_node {
	uint32_t child[2]; /* indices: smaller, larger */
	uint32_t parent;   /* index | RB32_RED; indices are below 2^31 */
};

/* The array: element i lies at base + (i << shift). */
struct rb32_space {
	void *base;
	uint32_t shift;
};

static inline struct rb32_node *
rb32_node(const struct rb32_space *s, uint32_t n)
{
	return ((struct rb32_node *)((char *)s->base + ((uint64_t)n << s->shift)));
}

static inline uint32_t
rb32_parent(const struct rb32_space *s, uint32_t n)
{
	return (rb32_node(s, n)->parent & ~RB32_RED);
}

/* Link n below parent on side (RB32_LEFT or RB32_RIGHT; parent nil: the tree is
 * empty), where a descent for n's key ended. O(log n). */
void rb32_insert(const struct rb32_space *s, uint32_t *root, uint32_t parent, int side,
    uint32_t n);

/* Take n, which is in this tree, out. O(log n). */
void rb32_remove(const struct rb32_space *s, uint32_t *root, uint32_t n);

/* The outermost element below n on side, n itself at least; nil for nil. */
uint32_t rb32_end(const struct rb32_space *s, uint32_t n, int side);

/* The neighbour of n in order on side (RB32_RIGHT = next larger), or nil. */
uint32_t rb32_step(const struct rb32_space *s, uint32_t n, int side);

/*
 * Verify links and colours; the number of nodes, or -1 if a rule is broken. Stops
 * after limit nodes, so that a damaged tree cannot hold it. The order of keys is
 * the caller's to verify, by rb32_end and rb32_step.
 */
int64_t rb32_check(const struct rb32_space *s, uint32_t root, uint32_t limit);

#endif
