/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SEAM for the SD controllers: words between memory and a data register, by the processor.
 */
#ifndef DRIVERS_SDHOST_PIO_H
#define DRIVERS_SDHOST_PIO_H

#include <stdint.h>

#include "kern/mmio.h"

#define SDHOST_UNROLL 16

/* Sixteen registers at a time: the compiler pairs the stores. */
static inline void
sdhost_words_read(uintptr_t port, uint32_t *to, uint32_t words)
{
	for (; words >= SDHOST_UNROLL; words -= SDHOST_UNROLL, to += SDHOST_UNROLL) {
		uint32_t w[SDHOST_UNROLL];

#pragma GCC unroll 16
		for (uint32_t i = 0; i < SDHOST_UNROLL; i++)
			w[i] = mmio_read32(port);
#pragma GCC unroll 16
		for (uint32_t i = 0; i < SDHOST_UNROLL; i++)
			to[i] = w[i];
	}
	for (; words > 0; words--)
		*to++ = mmio_read32(port);
}

static inline void
sdhost_words_write(uintptr_t port, const uint32_t *from, uint32_t words)
{
	for (; words >= SDHOST_UNROLL; words -= SDHOST_UNROLL, from += SDHOST_UNROLL) {
		uint32_t w[SDHOST_UNROLL];

#pragma GCC unroll 16
		for (uint32_t i = 0; i < SDHOST_UNROLL; i++)
			w[i] = from[i];
#pragma GCC unroll 16
		for (uint32_t i = 0; i < SDHOST_UNROLL; i++)
			mmio_write32(port, w[i]);
	}
	for (; words > 0; words--)
		mmio_write32(port, *from++);
}

#endif
