/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Power management of BCM2835-2837: reset and halt through the watchdog.
 */
#ifndef DRIVERS_BCM2835_PM_H
#define DRIVERS_BCM2835_PM_H

#include <stdint.h>

struct watchdog_dev;
/* The chip's watchdog for kern/watchdog.h; attached by bcm2835_pm_attach. */
extern const struct watchdog_dev bcm2835_watchdog;

/* base: virtual address of the block (physical 0x3F100000 on raspi3). Boot time. */
void bcm2835_pm_attach(uintptr_t base);

/* Reset the chip; the firmware boots again, or halts. Both return before it happens
 * (150 microseconds); neither yields. */
void bcm2835_pm_reset(void);
void bcm2835_pm_halt(void);

#endif
