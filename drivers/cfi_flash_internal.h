/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What cfi_flash.c and cfi_flash_query.c share.
 *
 * The bus is 32 bits wide; chips of 8, 16 or 32 bits lie side by side on it, a lane each,
 * and get every command at the same time.
 */
#ifndef DRIVERS_CFI_FLASH_INTERNAL_H
#define DRIVERS_CFI_FLASH_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/flash.h"

#define CFI_BUS_BYTES 4u

/* Commands of the Intel sets. */
#define CFI_ARRAY   0xffu
#define CFI_QUERY   0x98u
#define CFI_STATUS  0x70u
#define CFI_CLEAR   0x50u
#define CFI_ERASE   0x20u
#define CFI_CONFIRM 0xd0u /* also: resume */
#define CFI_WORD    0x40u
#define CFI_BUFFER  0xe8u
#define CFI_SUSPEND 0xb0u
#define CFI_LOCK    0x60u

/* Status register. */
#define CFI_SR_READY     0x80u
#define CFI_SR_SUSPENDED 0x40u
#define CFI_SR_ERASE     0x20u
#define CFI_SR_PROGRAM   0x10u
#define CFI_SR_VOLTAGE   0x08u
#define CFI_SR_LOCKED    0x02u
#define CFI_SR_ERRORS    (CFI_SR_ERASE | CFI_SR_PROGRAM | CFI_SR_VOLTAGE | CFI_SR_LOCKED)

enum cfi_unlock { CFI_UNLOCK_NONE, CFI_UNLOCK_ALL, CFI_UNLOCK_EACH };

/* IDLE --erase_start--> ERASING <--suspend, resume--> SUSPENDED; ERASING --erase_poll--> IDLE */
enum cfi_state { CFI_IDLE, CFI_ERASING, CFI_SUSPENDED };

struct cfi_flash {
	struct flash flash;
	uintptr_t base;
	uint32_t lanes;          /* chips side by side */
	uint32_t lane_ones;      /* 1 in each lane */
	uint16_t command_set;
	bool buffered;
	uint8_t unlock;          /* enum cfi_unlock */
	uint32_t word_us, word_us_max; /* program a word, a buffer: typical, at most */
	uint32_t buffer_us, buffer_us_max;
	uint32_t erase_us_max;
	/* ---- */
	bool array;              /* reads give the contents */
	bool stuck;              /* something did not end in time */
	uint8_t state;           /* enum cfi_state */
	uint32_t block;          /* being erased */
	uint32_t suspend_status; /* CFI_SUSPENDED: of all lanes */
	uint64_t erase_began_us; /* CFI_SUSPENDED: how long it has had */
};

/* value in every lane. */
static inline uint32_t
cfi_lanes(const struct cfi_flash *c, uint32_t value)
{
	return (value * c->lane_ones);
}

/* Fill in *c, whose base is set, from the query. ERR_NODEV, ERR_NOTSUP, with a line. Leaves
 * the chips reading their array. Never yields. (cfi_flash_query.c) */
int cfi_query(struct cfi_flash *c, uint64_t window_bytes) ERR_MUST_CHECK;

#endif
