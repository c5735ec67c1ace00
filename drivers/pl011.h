/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ARM PrimeCell UART PL011 as the console (one a machine).
 */
#ifndef DRIVERS_PL011_H
#define DRIVERS_PL011_H

#include <stdint.h>

#include "lib/err.h"

/* Lowest reference clock for 115,200 baud: a divisor of 1 (DDI 0183G, 3.3.6). */
#define PL011_CLOCK_HZ_MIN (16u * 115200u)
/* What to ask for instead, and the firmware's own choice on a Raspberry Pi
 * (init_uart_clock of config.txt). */
#define PL011_CLOCK_HZ_USUAL 48000000u

/*
 * Bring the UART at virtual address base up at 115,200 8N1 and make it the
 * console, by polling. clock_hz is the UART's reference clock, 0 = unknown:
 * the divisor stays as the firmware set it, or fits PL011_CLOCK_HZ_USUAL if it has
 * not. Works before tasks, timer and interrupts. Does not yield.
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
