/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inline half of kern/machdep.h.
 */
#ifndef MACHINE_MACHDEP_MD_H
#define MACHINE_MACHDEP_MD_H

#include <stdbool.h>
#include <stdint.h>

struct task;

#define DAIF_I 0x80u

/* A state is DAIF.I alone: 0 = enabled. */
static inline uint64_t
intr_disable(void)
{
	uint64_t old;

	__asm__ volatile("mrs %0, daif\n\tmsr daifset, #2" : "=r"(old) :: "memory");
	return (old & DAIF_I);
}

static inline void
intr_restore(uint64_t old)
{
	if (old == 0)
		__asm__ volatile("msr daifclr, #6" ::: "memory"); /* and SError */
}

static inline bool
intr_enabled(void)
{
	uint64_t daif;

	__asm__ volatile("mrs %0, daif" : "=r"(daif) :: "memory");
	return ((daif & DAIF_I) == 0);
}

static inline uint64_t
get_cyclecount(void)
{
	uint64_t count;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(count) :: "memory");
	return (count);
}

static inline struct task *
curtask(void)
{
	struct task *t;

	__asm__ volatile("mrs %0, tpidr_el1" : "=r"(t));
	return (t);
}

static inline void
curtask_set(struct task *t)
{
	__asm__ volatile("msr tpidr_el1, %0" :: "r"(t) : "memory");
}

#endif
