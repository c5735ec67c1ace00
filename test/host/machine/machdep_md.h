/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host tests: the inline half of kern/machdep.h. An interrupt state is 0
 * (enabled) or 1 (masked); leaving the last masked section delivers whatever
 * simulated interrupt is due, as the real core would.
 */
#ifndef MACHINE_MACHDEP_MD_H
#define MACHINE_MACHDEP_MD_H

#include <stdbool.h>
#include <stdint.h>

struct task;

extern uint64_t sim_intr_masked;
extern struct task *sim_curtask;

uint64_t sim_cyclecount(void);
void sim_intr_deliver(void);

static inline uint64_t
intr_disable(void)
{
	uint64_t old = sim_intr_masked;

	sim_intr_masked = 1;
	return (old);
}

static inline void
intr_restore(uint64_t old)
{
	sim_intr_masked = old;
	if (old == 0)
		sim_intr_deliver();
}

static inline bool
intr_enabled(void)
{
	return (sim_intr_masked == 0);
}

static inline uint64_t
get_cyclecount(void)
{
	return (sim_cyclecount());
}

static inline struct task *
curtask(void)
{
	return (sim_curtask);
}

static inline void
curtask_set(struct task *t)
{
	sim_curtask = t;
}

#endif
