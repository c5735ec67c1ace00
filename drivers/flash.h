/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SEAM between a NOR flash chip driver and what keeps data on it.
 *
 * NOR: a program only clears bits; an erase sets all bits of a whole block. One
 * operation at a time; who uses a struct flash is one task. Functions other than the
 * starters may sleep while the chip is busy, since NOR has no interrupt.
 */
#ifndef DRIVERS_FLASH_H
#define DRIVERS_FLASH_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

#define FLASH_NAME_BYTES 32

struct flash;

struct flash_geometry {
	uint32_t block_bytes;   /* erase unit; power of two */
	uint32_t block_count;
	uint32_t program_bytes; /* offsets and lengths of program and read are multiples */
	uint32_t buffer_bytes;  /* most bytes of one program; it stays inside an aligned piece */
	uint32_t erase_us;      /* typical time of a block erase; 0 = not known */
	bool can_suspend;       /* an erase can be interrupted by reads */
};

struct flash_ops {
	/* Copy bytes at offset to buffer (4-byte aligned). ERR_RANGE; ERR_BUSY: an erase is
	 * under way and not suspended; ERR_TIMEDOUT, ERR_NODEV. May yield. */
	int (*read)(struct flash *flash, uint64_t offset, void *buffer, uint32_t bytes);
	/* Clear bits; back when the chip has done it. ERR_IO: the chip reports failure;
	 * ERR_ROFS: locked; ERR_TIMEDOUT, ERR_RANGE, ERR_BUSY, ERR_NODEV. May yield. */
	int (*program)(struct flash *flash, uint64_t offset, const void *buffer, uint32_t bytes);
	/* Begin to erase a block; errors as program. */
	int (*erase_start)(struct flash *flash, uint32_t block);
	/* ERR_AGAIN while it goes on; 0 when it is done; else why it failed. Never yields. */
	int (*erase_poll)(struct flash *flash);
	/* Interrupt the erase so that reads work: 0, also if it has ended by then (erase_poll
	 * still tells how), or ERR_NOTSUP, ERR_TIMEDOUT. erase_resume goes on. May yield. */
	int (*erase_suspend)(struct flash *flash);
	int (*erase_resume)(struct flash *flash);
};

struct flash {
	const struct flash_ops *ops;
	struct flash_geometry geometry;
	char name[FLASH_NAME_BYTES]; /* for messages */
};

#endif
