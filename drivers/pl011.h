/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ARM PrimeCell UART PL011 as the console (one a machine).
 */
#ifndef DRIVERS_PL011_H
#define DRIVERS_PL011_H

#include <stdint.h>

#include "lib/err.h"

/*
 * Bring the UART at virtual address base up at 115,200 8N1 and make it the
 * console, by polling. clock_hz is the UART's reference clock, 0 = leave the
 * divisor as the firmware set it. Works before tasks, timer and interrupts. Does
 * not yield.
 */
void pl011_attach(uintptr_t base, uint32_t clock_hz);

/*
 * Take interrupt line irq for receive and transmit; call after irq_set_controller
 * and before console_start. Errors of irq_register. Does not yield.
 */
int pl011_attach_irq(uint32_t irq) ERR_MUST_CHECK;

/* The reference clock has changed to clock_hz: set the divisor anew once what is
 * being sent has left. Does not yield. */
void pl011_set_clock(uint32_t clock_hz);

#endif
