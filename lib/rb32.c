/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Red-black tree by 32-bit indices.
 *
 * Owns: child and parent of every node in a tree.
 * Does not: know keys; lock.
 * Invariants:
 *   R1 the parent of a child is the node that has it as child; the root's is nil;
 *   R2 a red node has no red child, and the root is black;
 *   R3 every path from the root to nil crosses equally many black nodes, so no
 *      path is more than twice as long as another;
 *   R4 nil (index 0) is black and is never written.
 * Both sides are handled by one piece of code: side is 0 or 1, !side the other.
 * Yields: never.
 * Complexity: insert and remove O(log n), at most two and three rotations.
 * See: lib/rb32.h; mm/vm_page_tree.c is the user.
 */
#include "lib/rb32.h"

#include "lib/assert.h"

static inline bool
is_red(void *base, uint32_t n)
{
	return (n != RB32_NIL && (rb32_node(base, n)->parent & RB32_RED) != 0);
}

static inline void
set_red(void *base, uint32_t n)
{
	rb32_node(base, n)->parent |= RB32_RED;
}

static inline void
set_black(void *base, uint32_t n)
{
	rb32_node(base, n)->parent &= ~RB32_RED;
}

static inline void
set_parent(void *base, uint32_t n, uint32_t parent)
{
	struct rb32_node *node = rb32_node(base, n);

	node->parent = (node->parent & RB32_RED) | parent;
}

static inline int
side_of(void *base, uint32_t parent, uint32_t n)
{
	return (rb32_node(base, parent)->child[RB32_RIGHT] == n ? RB32_RIGHT : RB32_LEFT);
}

/* parent's child old is by now (nil allowed); parent nil: the root is. */
static void
replace_child(void *base, uint32_t *root, uint32_t parent, uint32_t old,
    uint32_t by)
{
	if (parent == RB32_NIL)
		*root = by;
	else
		rb32_node(base, parent)->child[side_of(base, parent, old)] = by;
	if (by != RB32_NIL)
		set_parent(base, by, parent);
}

/* n goes down on side; its other child takes its place. */
static void
rotate(void *base, uint32_t *root, uint32_t n, int side)
{
	uint32_t up = rb32_node(base, n)->child[!side];
	uint32_t across = rb32_node(base, up)->child[side];

	replace_child(base, root, rb32_parent(base, n), n, up);
	rb32_node(base, n)->child[!side] = across;
	if (across != RB32_NIL)
		set_parent(base, across, n);
	rb32_node(base, up)->child[side] = n;
	set_parent(base, n, up);
}

void
rb32_insert(void *base, uint32_t *root, uint32_t parent, int side, uint32_t n)
{
	uint32_t p, g, uncle;

	*rb32_node(base, n) = (struct rb32_node){ .parent = parent | RB32_RED };
	if (parent == RB32_NIL)
		*root = n;
	else
		rb32_node(base, parent)->child[side] = n;
	while (is_red(base, p = rb32_parent(base, n))) {
		g = rb32_parent(base, p);
		side = side_of(base, g, p);
		uncle = rb32_node(base, g)->child[!side];
		if (is_red(base, uncle)) {
			set_black(base, p);
			set_black(base, uncle);
			set_red(base, g);
			n = g;
			continue;
		}
		if (side_of(base, p, n) != side) {
			rotate(base, root, p, side);
			p = n;
		}
		set_black(base, p);
		set_red(base, g);
		rotate(base, root, g, !side);
		break;
	}
	set_black(base, *root);
}

/*
 * The paths through x, child of p on side, are one black node short (x may be
 * nil): borrow from the sibling, or push the shortage up.
 */
static void
remove_rebalance(void *base, uint32_t *root, uint32_t x, uint32_t p, int side)
{
	uint32_t w;

	while (x != *root && !is_red(base, x)) {
		w = rb32_node(base, p)->child[!side];
		if (is_red(base, w)) {
			set_black(base, w);
			set_red(base, p);
			rotate(base, root, p, side);
			w = rb32_node(base, p)->child[!side];
		}
		if (!is_red(base, rb32_node(base, w)->child[side]) &&
		    !is_red(base, rb32_node(base, w)->child[!side])) {
			set_red(base, w);
			x = p;
			p = rb32_parent(base, x);
			side = p == RB32_NIL ? RB32_LEFT : side_of(base, p, x);
			continue;
		}
		if (!is_red(base, rb32_node(base, w)->child[!side])) {
			set_black(base, rb32_node(base, w)->child[side]);
			set_red(base, w);
			rotate(base, root, w, !side);
			w = rb32_node(base, p)->child[!side];
		}
		if (is_red(base, p))
			set_red(base, w);
		else
			set_black(base, w);
		set_black(base, p);
		set_black(base, rb32_node(base, w)->child[!side]);
		rotate(base, root, p, side);
		x = *root;
	}
	if (x != RB32_NIL)
		set_black(base, x);
}

/* n has two children: its successor y takes its place and colour, and is the one
 * whose old place is missing. */
static void
remove_inner(void *base, uint32_t *root, uint32_t n)
{
	struct rb32_node *node = rb32_node(base, n);
	uint32_t y = rb32_end(base, node->child[RB32_RIGHT], RB32_LEFT);
	uint32_t x = rb32_node(base, y)->child[RB32_RIGHT];
	uint32_t p = rb32_parent(base, y);
	int side = RB32_LEFT;
	bool lost_black = !is_red(base, y);

	if (p == n) {
		p = y;
		side = RB32_RIGHT;
	} else {
		replace_child(base, root, p, y, x);
		rb32_node(base, y)->child[RB32_RIGHT] = node->child[RB32_RIGHT];
		set_parent(base, node->child[RB32_RIGHT], y);
	}
	replace_child(base, root, rb32_parent(base, n), n, y);
	rb32_node(base, y)->child[RB32_LEFT] = node->child[RB32_LEFT];
	set_parent(base, node->child[RB32_LEFT], y);
	rb32_node(base, y)->parent = node->parent;
	if (lost_black)
		remove_rebalance(base, root, x, p, side);
}

void
rb32_remove(void *base, uint32_t *root, uint32_t n)
{
	struct rb32_node *node = rb32_node(base, n);
	uint32_t x, p;
	int side;

	KASSERT(n != RB32_NIL, "R4: nil is in no tree");
	if (node->child[RB32_LEFT] != RB32_NIL && node->child[RB32_RIGHT] != RB32_NIL) {
		remove_inner(base, root, n);
	} else {
		x = node->child[RB32_LEFT] | node->child[RB32_RIGHT];
		p = rb32_parent(base, n);
		side = p == RB32_NIL ? RB32_LEFT : side_of(base, p, n);
		replace_child(base, root, p, n, x);
		if (!is_red(base, n))
			remove_rebalance(base, root, x, p, side);
	}
	*node = (struct rb32_node){ .parent = RB32_NIL };
}

uint32_t
rb32_end(void *base, uint32_t n, int side)
{
	uint32_t child;

	while (n != RB32_NIL && (child = rb32_node(base, n)->child[side]) != RB32_NIL)
		n = child;
	return (n);
}

uint32_t
rb32_step(void *base, uint32_t n, int side)
{
	uint32_t up, child = rb32_node(base, n)->child[side];

	if (child != RB32_NIL)
		return (rb32_end(base, child, !side));
	while ((up = rb32_parent(base, n)) != RB32_NIL && side_of(base, up, n) == side)
		n = up;
	return (up);
}

/* Black nodes from n up to the root; -1 if links or colours on the way are wrong. */
static int
path_check(void *base, uint32_t root, uint32_t n)
{
	uint32_t up;
	int black = 0, steps = 0;

	for (; n != root; n = up) {
		up = rb32_parent(base, n);
		if (up == RB32_NIL || ++steps > 128)
			return (-1);
		if (rb32_node(base, up)->child[RB32_LEFT] != n &&
		    rb32_node(base, up)->child[RB32_RIGHT] != n)
			return (-1);
		if (is_red(base, n) && is_red(base, up))
			return (-1);
		black += !is_red(base, n);
	}
	return (is_red(base, root) || rb32_parent(base, root) != RB32_NIL ? -1 : black + 1);
}

int64_t
rb32_check(void *base, uint32_t root, uint32_t limit)
{
	int64_t count = 0;
	int black, expected = 0;
	uint32_t n;

	for (n = rb32_end(base, root, RB32_LEFT); n != RB32_NIL;
	    n = rb32_step(base, n, RB32_RIGHT)) {
		if (++count > limit || (black = path_check(base, root, n)) < 0)
			return (-1);
		if (rb32_node(base, n)->child[0] != RB32_NIL &&
		    rb32_node(base, n)->child[1] != RB32_NIL)
			continue;
		if (expected == 0)
			expected = black;
		if (black != expected)
			return (-1);
	}
	return (count);
}
