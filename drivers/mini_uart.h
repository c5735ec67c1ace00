/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The mini-UART of BCM2835-2837 as the console, for boards whose PL011 serves Bluetooth.
 */
#ifndef DRIVERS_MINI_UART_H
#define DRIVERS_MINI_UART_H

#include <stdint.h>

#include "lib/err.h"

/*
 * Bring the mini-UART of the AUX block at virtual address base up at 115,200 8N1 and make
 * it the console, by polling. core_hz is the VideoCore's core clock, from which the baud
 * rate is made; 0 = unknown: the divisor stays as the firmware set it, or fits 250 MHz (what
 * enable_uart=1 makes the firmware choose) if it has not. Works before tasks, timer and
 * interrupts. Does not yield.
 */
void mini_uart_attach(uintptr_t base, uint32_t core_hz);

/* Take interrupt line irq for receive and transmit; call after irq_set_controller and
 * before console_start. Errors of irq_register. Does not yield. */
int mini_uart_attach_irq(uint32_t irq) ERR_MUST_CHECK;

/* The core clock has changed to core_hz: set the divisor anew once what is being sent has
 * left. Nothing if the mini-UART is not attached or the divisor stays. Does not yield. */
void mini_uart_set_clock(uint32_t core_hz);

#endif
