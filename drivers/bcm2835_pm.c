/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reset and halt of BCM2835-2837.
 *
 * There is no power switch: a halt is a reset with a partition number of 63 left in
 * RSTS, at which the firmware stops instead of booting.
 *
 * Owns: the PM block.
 * Does not: feed the watchdog; it runs only to reset.
 * Invariants: none.
 * Yields: never.
 * See: the firmware's convention for RSTS as Linux' bcm2835_wdt documents it.
 */
#include "drivers/bcm2835_pm.h"

#include "kern/mmio.h"
#include "lib/assert.h"

#define PM_RSTC 0x1c
#define PM_RSTS 0x20
#define PM_WDOG 0x24

#define PM_PASSWORD           0x5a000000u
#define PM_RSTC_CONFIG_MASK   0x30u
#define PM_RSTC_FULL_RESET    0x20u
#define PM_RSTS_PARTITION_63  0x555u /* bits 0, 2, 4, 6, 8, 10 */
#define WATCHDOG_TICKS        10u    /* of 16 microseconds */

static uintptr_t pm_base;

void
bcm2835_pm_attach(uintptr_t base)
{
	pm_base = base;
}

void
bcm2835_pm_reset(void)
{
	uint32_t control;

	KASSERT(pm_base != 0, "P1: the block is attached");
	mmio_barrier();
	mmio_write32(pm_base + PM_WDOG, PM_PASSWORD | WATCHDOG_TICKS);
	control = mmio_read32(pm_base + PM_RSTC) & ~PM_RSTC_CONFIG_MASK;
	mmio_write32(pm_base + PM_RSTC, PM_PASSWORD | (control & 0xffffff) | PM_RSTC_FULL_RESET);
	mmio_barrier();
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
