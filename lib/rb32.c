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
is_red(const struct rb32_space *s, uint32_t n)
{
	return (n != RB32_NIL && (rb32_node(s, n)->parent & RB32_RED) != 0);
}

static inline void
set_red(const struct rb32_space *s, uint32_t n)
{
	rb32_node(s, n)->parent |= RB32_RED;
}

static inline void
set_black(const struct rb32_space *s, uint32_t n)
{
	rb32_node(s, n)->parent &= ~RB32_RED;
}

static inline void
set_parent(const struct rb32_space *s, uint32_t n, uint32_t parent)
{
	struct rb32_node *node = rb32_node(s, n);

	node->parent = (node->parent & RB32_RED) | parent;
}

static inline int
side_of(const struct rb32_space *s, uint32_t parent, uint32_t n)
{
	return (rb32_node(s, parent)->child[RB32_RIGHT] == n ? RB32_RIGHT : RB32_LEFT);
}

/* parent's child old is by now (nil allowed); parent nil: the root is. */
static void
replace_child(const struct rb32_space *s, uint32_t *root, uint32_t parent, uint32_t old,
    uint32_t by)
{
	if (parent == RB32_NIL)
		*root = by;
	else
		rb32_node(s, parent)->child[side_of(s, parent, old)] = by;
	if (by != RB32_NIL)
		set_parent(s, by, parent);
}

/* n goes down on side; its other child takes its place. */
static void
rotate(const struct rb32_space *s, uint32_t *root, uint32_t n, int side)
{
	uint32_t up = rb32_node(s, n)->child[!side];
	uint32_t across = rb32_node(s, up)->child[side];

	replace_child(s, root, rb32_parent(s, n), n, up);
	rb32_node(s, n)->child[!side] = across;
	if (across != RB32_NIL)
		set_parent(s, across, n);
	rb32_node(s, up)->child[side] = n;
	set_parent(s, n, up);
}

void
rb32_insert(const struct rb32_space *s, uint32_t *root, uint32_t parent, int side, uint32_t n)
{
	uint32_t p, g, uncle;

	*rb32_node(s, n) = (struct rb32_node){ .parent = parent | RB32_RED };
	if (parent == RB32_NIL)
		*root = n;
	else
		rb32_node(s, parent)->child[side] = n;
	while (is_red(s, p = rb32_parent(s, n))) {
		g = rb32_parent(s, p);
		side = side_of(s, g, p);
		uncle = rb32_node(s, g)->child[!side];
		if (is_red(s, uncle)) {
			set_black(s, p);
			set_black(s, uncle);
			set_red(s, g);
			n = g;
			continue;
		}
		if (side_of(s, p, n) != side) {
			rotate(s, root, p, side);
			p = n;
		}
		set_black(s, p);
		set_red(s, g);
		rotate(s, root, g, !side);
		break;
	}
	set_black(s, *root);
}

/*
 * The paths through x, child of p on side, are one black node short (x may be
 * nil): borrow from the sibling, or push the shortage up.
 */
static void
remove_rebalance(const struct rb32_space *s, uint32_t *root, uint32_t x, uint32_t p, int side)
{
	uint32_t w;

	while (x != *root && !is_red(s, x)) {
		w = rb32_node(s, p)->child[!side];
		if (is_red(s, w)) {
			set_black(s, w);
			set_red(s, p);
			rotate(s, root, p, side);
			w = rb32_node(s, p)->child[!side];
		}
		if (!is_red(s, rb32_node(s, w)->child[side]) &&
		    !is_red(s, rb32_node(s, w)->child[!side])) {
			set_red(s, w);
			x = p;
			p = rb32_parent(s, x);
			side = p == RB32_NIL ? RB32_LEFT : side_of(s, p, x);
			continue;
		}
		if (!is_red(s, rb32_node(s, w)->child[!side])) {
			set_black(s, rb32_node(s, w)->child[side]);
			set_red(s, w);
			rotate(s, root, w, !side);
			w = rb32_node(s, p)->child[!side];
		}
		if (is_red(s, p))
			set_red(s, w);
		else
			set_black(s, w);
		set_black(s, p);
		set_black(s, rb32_node(s, w)->child[!side]);
		rotate(s, root, p, side);
		x = *root;
	}
	if (x != RB32_NIL)
		set_black(s, x);
}

/* n has two children: its successor y takes its place and colour, and is the one
 * whose old place is missing. */
static void
remove_inner(const struct rb32_space *s, uint32_t *root, uint32_t n)
{
	struct rb32_node *node = rb32_node(s, n);
	uint32_t y = rb32_end(s, node->child[RB32_RIGHT], RB32_LEFT);
	uint32_t x = rb32_node(s, y)->child[RB32_RIGHT];
	uint32_t p = rb32_parent(s, y);
	int side = RB32_LEFT;
	bool lost_black = !is_red(s, y);

	if (p == n) {
		p = y;
		side = RB32_RIGHT;
	} else {
		replace_child(s, root, p, y, x);
		rb32_node(s, y)->child[RB32_RIGHT] = node->child[RB32_RIGHT];
		set_parent(s, node->child[RB32_RIGHT], y);
	}
	replace_child(s, root, rb32_parent(s, n), n, y);
	rb32_node(s, y)->child[RB32_LEFT] = node->child[RB32_LEFT];
	set_parent(s, node->child[RB32_LEFT], y);
	rb32_node(s, y)->parent = node->parent;
	if (lost_black)
		remove_rebalance(s, root, x, p, side);
}

void
rb32_remove(const struct rb32_space *s, uint32_t *root, uint32_t n)
{
	struct rb32_node *node = rb32_node(s, n);
	uint32_t x, p;
	int side;

	KASSERT(n != RB32_NIL, "R4: nil is in no tree");
	if (node->child[RB32_LEFT] != RB32_NIL && node->child[RB32_RIGHT] != RB32_NIL) {
		remove_inner(s, root, n);
	} else {
		x = node->child[RB32_LEFT] | node->child[RB32_RIGHT];
		p = rb32_parent(s, n);
		side = p == RB32_NIL ? RB32_LEFT : side_of(s, p, n);
		replace_child(s, root, p, n, x);
		if (!is_red(s, n))
			remove_rebalance(s, root, x, p, side);
	}
	*node = (struct rb32_node){ .parent = RB32_NIL };
}

uint32_t
rb32_end(const struct rb32_space *s, uint32_t n, int side)
{
	uint32_t child;

	while (n != RB32_NIL && (child = rb32_node(s, n)->child[side]) != RB32_NIL)
		n = child;
	return (n);
}

uint32_t
rb32_step(const struct rb32_space *s, uint32_t n, int side)
{
	uint32_t up, child = rb32_node(s, n)->child[side];

	if (child != RB32_NIL)
		return (rb32_end(s, child, !side));
	while ((up = rb32_parent(s, n)) != RB32_NIL && side_of(s, up, n) == side)
		n = up;
	return (up);
}

/* Black nodes from n up to the root; -1 if links or colours on the way are wrong. */
static int
path_check(const struct rb32_space *s, uint32_t root, uint32_t n)
{
	uint32_t up;
	int black = 0, steps = 0;

	for (; n != root; n = up) {
		up = rb32_parent(s, n);
		if (up == RB32_NIL || ++steps > 128)
			return (-1);
		if (rb32_node(s, up)->child[RB32_LEFT] != n &&
		    rb32_node(s, up)->child[RB32_RIGHT] != n)
			return (-1);
		if (is_red(s, n) && is_red(s, up))
			return (-1);
		black += !is_red(s, n);
	}
	return (is_red(s, root) || rb32_parent(s, root) != RB32_NIL ? -1 : black + 1);
}

int64_t
rb32_check(const struct rb32_space *s, uint32_t root, uint32_t limit)
{
	int64_t count = 0;
	int black, expected = 0;
	uint32_t n;

	for (n = rb32_end(s, root, RB32_LEFT); n != RB32_NIL; n = rb32_step(s, n, RB32_RIGHT)) {
		if (++count > limit || (black = path_check(s, root, n)) < 0)
			return (-1);
		if (rb32_node(s, n)->child[0] != RB32_NIL && rb32_node(s, n)->child[1] != RB32_NIL)
			continue;
		if (expected == 0)
			expected = black;
		if (black != expected)
			return (-1);
	}
	return (count);
}
