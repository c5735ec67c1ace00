/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The core's virtual counter (CNTVCT), which programs may read.
 */
#ifndef APP_LIBEBB_COUNTER_H
#define APP_LIBEBB_COUNTER_H

#include <stdint.h>

/* Ticks; in order with what stands before it. */
static inline uint64_t
counter_ticks(void)
{
	uint64_t value;

#ifdef __aarch64__
	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(value));
#else
	__asm__ volatile("isb; mrrc p15, 1, %Q0, %R0, c14" : "=r"(value));
#endif
	return (value);
}

static inline uint64_t
counter_ticks_per_second(void)
{
#ifdef __aarch64__
	uint64_t value;

	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(value));
#else
	uint32_t value;

	__asm__ volatile("mrc p15, 0, %0, c14, c0, 0" : "=r"(value));
#endif
	return (value);
}

#endif
