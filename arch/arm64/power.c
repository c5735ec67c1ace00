/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Power off and reset, by whichever means is there: semihosting (the only one that
 * carries an exit code), PSCI, the board's.
 *
 * Owns: the choice.
 * Does not: drain the console (callers do).
 * Invariants: Q1 HLT is executed only after power_use_semihosting. Q2 a failure that
 *   cannot be reported by an exit code leaves the machine halted, its text readable.
 * Yields: never; cpu_poweroff and cpu_reboot do not return.
 * See: Arm Semihosting specification 2.2 (SYS_EXIT_EXTENDED); DEN0022 (PSCI) 5.1.
 */
#include "arch/arm64/power.h"

#include <stdbool.h>
#include <stddef.h>

#include "kern/machdep.h"
#include "kern/trace.h"

#define SYS_EXIT_EXTENDED             0x20
#define ADP_STOPPED_APPLICATION_EXIT  0x20026ull
#define PSCI_SYSTEM_OFF               0x84000008ull
#define PSCI_SYSTEM_RESET             0x84000009ull

static bool semihosting;
static enum psci_conduit psci;
static void (*board_off)(void);
static void (*board_reset)(void);

void
power_use_semihosting(void)
{
	semihosting = true;
}

void
power_use_board(void (*off)(void), void (*reset)(void))
{
	board_off = off;
	board_reset = reset;
}

void
power_use_psci(enum psci_conduit conduit)
{
	psci = conduit;
}

static void
semihosting_exit(int exit_code)
{
	uint64_t block[2] = { ADP_STOPPED_APPLICATION_EXIT, (uint64_t)(int64_t)exit_code };
	register uint64_t operation __asm__("x0") = SYS_EXIT_EXTENDED;
	register const uint64_t *parameter __asm__("x1") = block;

	__asm__ volatile("hlt #0xf000" : "+r"(operation) : "r"(parameter) : "memory");
}

static void
psci_call(uint64_t function)
{
	register uint64_t x0 __asm__("x0") = function;

	if (psci == PSCI_HVC)
		__asm__ volatile("hvc #0" : "+r"(x0) :: "x1", "x2", "x3", "memory");
	else if (psci == PSCI_SMC)
		__asm__ volatile("smc #0" : "+r"(x0) :: "x1", "x2", "x3", "memory");
}

static _Noreturn void
stop(void)
{
	(void)intr_disable();
	for (;;)
		__asm__ volatile("wfi");
}

void
cpu_poweroff(int exit_code)
{
	(void)intr_disable();
	if (semihosting)
		semihosting_exit(exit_code);
	if (exit_code != 0)
		stop();
	psci_call(PSCI_SYSTEM_OFF);
	if (board_off != NULL)
		board_off();
	stop();
}

void
cpu_reboot(void)
{
	(void)intr_disable();
	trace_flush();
	psci_call(PSCI_SYSTEM_RESET);
	if (board_reset != NULL)
		board_reset();
	stop();
}
