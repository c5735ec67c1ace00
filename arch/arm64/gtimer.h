/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The generic timer (virtual), behind cpu_timer_arm.
 */
#ifndef ARM64_GTIMER_H
#define ARM64_GTIMER_H

#include <stdint.h>

#include "lib/err.h"

/* Read the counter's frequency; panics if firmware left it zero. Boot time, before
 * timer_init. */
void gtimer_init(void);

/* Take timer interrupts from line of the board's controller. Errors as irq_register. */
int gtimer_attach(uint32_t line) ERR_MUST_CHECK;

#endif
