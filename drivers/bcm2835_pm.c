/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reset and halt of BCM2835-2837.
 *
 * There is no power switch: a halt is a reset with a partition number of 63 left in
 * RSTS, at which the firmware stops instead of booting.
 *
 * Owns: the PM block.
 * Does not: decide when the watchdog is reloaded (kern/watchdog.c). A halt or reset loads
 *   it with 150 microseconds, armed or not, so it needs no disarming first.
 * Invariants: P1 no register is touched before the block is attached. P2 a period fits
 *   the counter.
 * Yields: never.
 * See: the firmware's convention for RSTS as Linux' bcm2835_wdt documents it.
 */
#include "drivers/bcm2835_pm.h"

#include "kern/mmio.h"
#include "kern/watchdog.h"
#include "lib/assert.h"

#define PM_RSTC 0x1c
#define PM_RSTS 0x20
#define PM_WDOG 0x24

#define PM_PASSWORD           0x5a000000u
#define PM_RSTC_CONFIG_MASK   0x30u
#define PM_RSTC_FULL_RESET    0x20u
#define PM_RSTS_PARTITION_63  0x555u /* bits 0, 2, 4, 6, 8, 10 */
#define WATCHDOG_TICKS        10u    /* 65536 in a second */
#define WATCHDOG_TICKS_MASK   0xfffffu
#define TICKS_PER_SECOND      65536u
#define PM_RSTS_POWER_ON      0x1000u
#define PM_RSTS_WATCHDOG      0x70u   /* full, quick, halt reset by it */

static uintptr_t pm_base;

static void
load(uint32_t ticks)
{
	uint32_t control;

	KASSERT(pm_base != 0, "P1: the block is attached");
	mmio_barrier();
	mmio_write32(pm_base + PM_WDOG, PM_PASSWORD | ticks);
	control = mmio_read32(pm_base + PM_RSTC) & ~PM_RSTC_CONFIG_MASK;
	mmio_write32(pm_base + PM_RSTC, PM_PASSWORD | (control & 0xffffff) | PM_RSTC_FULL_RESET);
	mmio_barrier();
}

static void
watchdog_load(uint32_t seconds)
{
	KASSERT(seconds >= 1 && seconds <= WATCHDOG_TICKS_MASK / TICKS_PER_SECOND,
	    "P2: the counter has 20 bits");
	load(seconds * TICKS_PER_SECOND);
}

static uint64_t
watchdog_left_us(void)
{
	uint64_t ticks;

	mmio_barrier();
	ticks = mmio_read32(pm_base + PM_WDOG) & WATCHDOG_TICKS_MASK;
	mmio_barrier();
	return (ticks * 1000000 / TICKS_PER_SECOND);
}

static uint32_t
reset_cause(void)
{
	uint32_t cause;

	mmio_barrier();
	cause = mmio_read32(pm_base + PM_RSTS) & 0xffffff;
	mmio_barrier();
	return (cause);
}

static const char *
cause_words(uint32_t cause)
{
	if (cause & PM_RSTS_WATCHDOG)
		return ("the watchdog, or a reset by it");
	return (cause & PM_RSTS_POWER_ON ? "power on" : "not known");
}

const struct watchdog_dev bcm2835_watchdog = {
	.name = "BCM2835 power management",
	.load = watchdog_load,
	.left_us = watchdog_left_us,
	.cause = reset_cause,
	.cause_words = cause_words,
};

void
bcm2835_pm_attach(uintptr_t base)
{
	pm_base = base;
	watchdog_attach(&bcm2835_watchdog);
}

void
bcm2835_pm_reset(void)
{
	load(WATCHDOG_TICKS);
}

void
bcm2835_pm_halt(void)
{
	uint32_t status;

	KASSERT(pm_base != 0, "P1: the block is attached");
	mmio_barrier();
	status = mmio_read32(pm_base + PM_RSTS) & 0xffffff;
	mmio_write32(pm_base + PM_RSTS, PM_PASSWORD | status | PM_RSTS_PARTITION_63);
	bcm2835_pm_reset();
}
