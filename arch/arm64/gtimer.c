/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual timer: one deadline, one interrupt.
 *
 * Its counter is the one that programs may read (CNTVCT_EL0). The interrupt is a
 * level: it stays until the deadline is moved or the timer turned off.
 *
 * Owns: CNTV_CTL_EL0, CNTV_CVAL_EL0.
 * Does not: keep time or a list of deadlines (kern/timer.c).
 * Invariants: H1 the frequency is CNTFRQ_EL0's, never a constant: 19.2 MHz on a
 *   Raspberry Pi 3, 62.5 MHz in QEMU.
 * Yields: never.
 * See: Arm ARM DDI0487 D11.2 (timers).
 */
#include "arch/arm64/gtimer.h"

#include "kern/irq.h"
#include "kern/machdep.h"
#include "kern/panic.h"
#include "kern/timer.h"

#define CTL_ENABLE 1ull

static uint64_t frequency;

static void
control_set(uint64_t value)
{
	__asm__ volatile("msr cntv_ctl_el0, %0\n\tisb" :: "r"(value) : "memory");
}

static void
interrupt(void *arg)
{
	(void)arg;
	control_set(0);
	timer_interrupt();
}

void
gtimer_init(void)
{
	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(frequency));
	if (frequency == 0)
		panic("CNTFRQ_EL0 is 0: the firmware has not set the timer's frequency");
	control_set(0);
}

int
gtimer_attach(uint32_t line)
{
	return (irq_register(line, interrupt, NULL, "timer"));
}

uint64_t
cpu_cycles_per_second(void)
{
	return (frequency);
}

void
cpu_timer_arm(uint64_t deadline_cycles)
{
	if (deadline_cycles == UINT64_MAX) {
		control_set(0);
		return;
	}
	__asm__ volatile("msr cntv_cval_el0, %0" :: "r"(deadline_cycles) : "memory");
	control_set(CTL_ENABLE);
}
