/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts: one handler table, fed by the board's controller drivers.
 *
 * A handler records what happened and wakes a task; it does nothing else, never
 * yields and never allocates.
 */
#ifndef KERN_IRQ_H
#define KERN_IRQ_H

#include <stdbool.h>
#include <stdint.h>

#include "kern/machdep.h"
#include "lib/err.h"

/* A lock for what interrupt handlers share with tasks. On one core it masks
 * interrupts; the struct is where SMP will add its spin word. Not recursive. */
struct irq_lock {
	uint64_t saved;
	bool held;
};

static inline void
irq_lock_acquire(struct irq_lock *lock)
{
	uint64_t saved = intr_disable();

	lock->saved = saved;
	lock->held = true;
}

static inline void
irq_lock_release(struct irq_lock *lock)
{
	lock->held = false;
	intr_restore(lock->saved);
}

/*
 * A controller: enable/disable a line, and hand out pending ones. next returns
 * the pending line with the best priority and acknowledges it, or -1 when none
 * is left; done ends it (GIC: EOI). Lines are numbered from 0 by the controller.
 */
struct irq_controller {
	const char *name;
	uint32_t line_count;
	void (*enable)(uint32_t line);
	void (*disable)(uint32_t line);
	int (*next)(void);
	void (*done)(uint32_t line);
};

#define IRQ_LINES_MAX 192

/* The board's one controller; boot time, before any irq_register. */
void irq_set_controller(const struct irq_controller *controller);

/* Call handler(arg) on each interrupt of line, and enable it. ERR_RANGE for a
 * line outside the controller, ERR_EXIST if taken. Does not yield. */
int irq_register(uint32_t line, void (*handler)(void *arg), void *arg,
    const char *name) ERR_MUST_CHECK;

/* From arch's IRQ vector: run handlers until the controller has no more.
 * An interrupt without handler is disabled, counted (kern.irq_stray) and traced. */
void irq_dispatch(void);

#endif
