/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How this machine stops: set up by the board, used by cpu_poweroff and cpu_reboot.
 */
#ifndef ARM64_POWER_H
#define ARM64_POWER_H

#include <stdint.h>

/* Semihosting is there (boot argument semihosting=1): without it HLT is an
 * undefined instruction. */
void power_use_semihosting(void);

/* The board's own means; each may be NULL. They may return if they fail. */
void power_use_board(void (*off)(void), void (*reset)(void));

/* PSCI 0.2 calls through HVC or SMC (Arm DEN0022). */
enum psci_conduit { PSCI_NONE, PSCI_HVC, PSCI_SMC };
void power_use_psci(enum psci_conduit conduit);

#endif
