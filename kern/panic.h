/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end: print why and where, and stop.
 */
#ifndef KERN_PANIC_H
#define KERN_PANIC_H

#include <stdint.h>

#include "kern/led.h"

/* The kernel's own symbols, sorted by address: made from the linked image by
 * tools/mksymtab and linked back into it. */
struct ksym {
	uint64_t address;
	const char *name;
};
extern const struct ksym ksyms[];
extern const uint32_t ksyms_count;

/* Name of the function that holds address and the offset into it; "?" if none. */
const char *ksym_lookup(uint64_t address, uint64_t *offset);

/*
 * Print the message, registers, the fault decoded in words, a backtrace with
 * symbol names and the tail of the trace ring by polling the console, blink, then stop;
 * with boot argument semihosting=1 leave QEMU with exit code 101. A panic inside
 * a panic prints one line and stops. Any context.
 */
_Noreturn void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same with a class, which the board's light shows (kern/led.h); panic's is
 * LED_PANIC_OTHER. */
_Noreturn void panic_as(enum led_panic class, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The same from a trap: trap_frame is arch's struct trapframe. */
_Noreturn void panic_trap(const void *trap_frame, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Polled output for code that runs inside a panic. */
void panic_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define PANIC_EXIT_CODE 101

#endif
