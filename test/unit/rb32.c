/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lib/rb32.c against a sorted presence table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/rb32.h"
#include "lib/rng.h"

#define NODES 1024u

struct element {
	struct rb32_node node;
	uint32_t key;
	uint8_t rest[48];
};
_Static_assert(sizeof(struct element) == 1 << RB32_SHIFT, "elements are 64 bytes");

static struct element elements[NODES];
static uint32_t root;
static uint32_t by_key[NODES]; /* model: element with this key, 0 = none */

static void
tree_insert(uint32_t n, uint32_t key)
{
	uint32_t at = root, parent = RB32_NIL;

	elements[n].key = key;
	while (at != RB32_NIL) {
		parent = at;
		at = elements[at].node.child[key > elements[at].key];
	}
	rb32_insert(elements, &root, parent, key > elements[parent].key, n);
	by_key[key] = n;
}

static void
tree_remove(uint32_t n)
{
	by_key[elements[n].key] = 0;
	rb32_remove(elements, &root, n);
}

/* The walk in both directions gives exactly the model's elements. */
static uint32_t
compare_with_model(void)
{
	uint32_t key, count = 0, n = rb32_end(elements, root, RB32_LEFT);

	for (key = 0; key < NODES; key++) {
		if (by_key[key] == 0)
			continue;
		assert_int_equal(n, by_key[key]);
		n = rb32_step(elements, n, RB32_RIGHT);
		count++;
	}
	assert_int_equal(n, RB32_NIL);
	n = rb32_end(elements, root, RB32_RIGHT);
	for (key = NODES; key-- > 0;) {
		if (by_key[key] == 0)
			continue;
		assert_int_equal(n, by_key[key]);
		n = rb32_step(elements, n, RB32_LEFT);
	}
	return (count);
}

static int
reset(void **state)
{
	(void)state;
	memset(elements, 0, sizeof(elements));
	memset(by_key, 0, sizeof(by_key));
	root = RB32_NIL;
	return (0);
}

static void
rb32_random_operations_match_model(void **state)
{
	struct rng rng;
	uint32_t i, n, key, count = 0;

	(void)state;
	rng_seed(&rng, 1);
	for (i = 0; i < 100000; i++) {
		/* the population swings between empty and full */
		bool grow = rng_below(&rng, 100) < (i / 5000 % 2 == 0 ? 60u : 40u);

		n = 1 + rng_below(&rng, NODES - 1);
		key = n * 37 % NODES;
		if (by_key[key] == 0 && grow) {
			tree_insert(n, key);
			count++;
		} else if (by_key[key] != 0 && !grow) {
			tree_remove(n);
			count--;
		}
		if (i % 100 == 0) {
			assert_int_equal(rb32_check(elements, root, NODES), count);
			assert_int_equal(compare_with_model(), count);
		}
	}
}

static void
rb32_ascending_stays_balanced(void **state)
{
	uint32_t n, at, depth = 0;

	(void)state;
	for (n = 1; n < NODES; n++)
		tree_insert(n, n);
	assert_int_equal(rb32_check(elements, root, NODES), NODES - 1);
	for (at = root; at != RB32_NIL; at = elements[at].node.child[RB32_RIGHT])
		depth++;
	assert_true(depth <= 20); /* 2 log2(1024) */
	for (n = 1; n < NODES; n++) {
		tree_remove(n);
		assert_int_equal(rb32_check(elements, root, NODES), NODES - 1 - n);
	}
	assert_int_equal(root, RB32_NIL);
}

static void
rb32_check_finds_damage(void **state)
{
	uint32_t n, red = RB32_NIL;

	(void)state;
	for (n = 1; n < 64; n++)
		tree_insert(n, n);
	for (n = 1; n < 64; n++)
		if ((elements[n].node.parent & RB32_RED) != 0)
			red = n;
	assert_int_not_equal(red, RB32_NIL);
	elements[red].node.parent &= ~RB32_RED;
	assert_int_equal(rb32_check(elements, root, NODES), -1);
	elements[red].node.parent |= RB32_RED;
	elements[root].node.parent |= RB32_RED;
	assert_int_equal(rb32_check(elements, root, NODES), -1);
	elements[root].node.parent = 0;
	assert_int_equal(rb32_check(elements, root, NODES), 63);
	assert_int_equal(rb32_check(elements, root, 62), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(rb32_random_operations_match_model, reset),
		cmocka_unit_test_setup(rb32_ascending_stays_balanced, reset),
		cmocka_unit_test_setup(rb32_check_finds_damage, reset),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
