/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xorshift64*: the generator of ebb's measuring programs, the same everywhere so
 * that runs can be compared (Vigna, "An experimental exploration of Marsaglia's
 * xorshift generators, scrambled", 2016).
 */
#ifndef APP_LIBEBB_RANDOM_H
#define APP_LIBEBB_RANDOM_H

#include <stdint.h>

#define RANDOM_SEED 88172645463325252u

/* Next value; *state is never 0. */
static inline uint64_t
random_next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (*state * 2685821657736338717u);
}

#endif
