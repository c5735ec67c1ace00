/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Red-black tree over the elements of an array, linked by 32-bit index; index 0
 * is nil, and element 0 is never part of a tree. Each element is 64 bytes long and
 * starts with a struct rb32_node: so an index becomes an address by one instruction.
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

#define RB32_SHIFT 6 /* log2 of the bytes of an element */

/* base is the array, in all that follows. */
static inline struct rb32_node *
rb32_node(void *base, uint32_t n)
{
	return ((struct rb32_node *)((char *)base + ((uint64_t)n << RB32_SHIFT)));
}

static inline uint32_t
rb32_parent(void *base, uint32_t n)
{
	return (rb32_node(base, n)->parent & ~RB32_RED);
}

/* Link n below parent on side (RB32_LEFT or RB32_RIGHT; parent nil: the tree is
 * empty), where a descent for n's key ended. O(log n). */
void rb32_insert(void *base, uint32_t *root, uint32_t parent, int side,
    uint32_t n);

/* Take n, which is in this tree, out. O(log n). */
void rb32_remove(void *base, uint32_t *root, uint32_t n);

/* The outermost element below n on side, n itself at least; nil for nil. */
uint32_t rb32_end(void *base, uint32_t n, int side);

/* The neighbour of n in order on side (RB32_RIGHT = next larger), or nil. */
uint32_t rb32_step(void *base, uint32_t n, int side);

/*
 * Verify links and colours; the number of nodes, or -1 if a rule is broken. Stops
 * after limit nodes, so that a damaged tree cannot hold it. The order of keys is
 * the caller's to verify, by rb32_end and rb32_step.
 */
int64_t rb32_check(void *base, uint32_t root, uint32_t limit);

#endif
