/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What board/main.c needs to know of a board; each board/BOARD/board.c supplies one.
 */
#ifndef BOARD_BOARD_H
#define BOARD_BOARD_H

#include <stdint.h>

#include "lib/err.h"

/* One device: mapped by main.c, attached by a driver. */
struct board_device {
	const char *name;    /* for messages */
	/* 0, or an error that has not been printed yet. */
	int (*attach)(const struct board_device *device, uintptr_t base);
	uint64_t pa;         /* registers */
	uint32_t bytes;
	uint32_t irq;        /* line of the board's controller */
	uint32_t unit;
};

struct board {
	const char *name;
	/* In order: what boot needs first. Attached on the boot stack, before tasks and
	 * interrupts. */
	const struct board_device *early;
	uint32_t early_count;
	/* The console and what else depends on boot arguments; as early. */
	const struct board_device *chosen;
	uint32_t chosen_count;
	/* Disks and the rest: attached by a task, with interrupts. */
	const struct board_device *devices;
	uint32_t device_count;
	uint32_t timer_irq;
	/* Bytes at physical address 0 that firmware or parked cores use. */
	uint32_t low_reserved_bytes;
	/* Where no device tree says it; NULL if nothing else does. */
	int (*memory)(uint64_t *pa, uint64_t *bytes);
	int (*command_line)(char *text, uint32_t bytes);
	/* Where PSCI is not there; may be NULL. */
	void (*power_off)(void);
	void (*reset)(void);
	/* Take the console's interrupt; then kern/console may use interrupts. */
	int (*console_interrupt)(void);
};

extern const struct board board;

#endif
