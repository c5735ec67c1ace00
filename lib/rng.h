/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xorshift64*: a small seedable generator for tests, workloads and shuffles.
 * Not for secrets.
 */
#ifndef LIB_RNG_H
#define LIB_RNG_H

#include <stdint.h>

struct rng {
	uint64_t state; /* never 0 */
};

/* Start the sequence that belongs to seed (0 is replaced by a constant, since
 * the generator never leaves 0). */
static inline void
rng_seed(struct rng *r, uint64_t seed)
{
	r->state = seed != 0 ? seed : 88172645463325252ull;
}

static inline uint64_t
rng_next(struct rng *r)
{
	uint64_t x = r->state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	r->state = x;
	return (x * 2685821657736338717ull);
}

/* A number in [0, bound); bound >= 1. The bias is below bound / 2^32. */
static inline uint32_t
rng_below(struct rng *r, uint32_t bound)
{
	return ((uint32_t)((rng_next(r) >> 32) * bound >> 32));
}

#endif
