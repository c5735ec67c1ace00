/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The swap pager: anonymous pages to and from swap areas, in clusters.
 * Public: swap_pager_* below are also used by the monitor and board.
 */
#ifndef MM_SWAP_PAGER_H
#define MM_SWAP_PAGER_H

#include "kern/blkdev.h"
#include "lib/err.h"
#include "mm/vm_pager.h"

#define SWAP_AREAS_MAX 4

/* Wired bytes that the records of an area of slot_count slots need. */
vm_size_t swap_pager_record_bytes(uint64_t slot_count);

void swap_pager_init(void);

/*
 * Use dev (a partition made by tools/mkswap, header checked; or a RAM disk, which
 * needs none) as a swap area; records is wired memory of swap_pager_record_bytes.
 * ERR_CORRUPT (no or bad header: one line says which field), ERR_RANGE (fewer than
 * 64 slots), ERR_NOSPC (too many areas), ERR_NOMEM, ERR_INVAL, ERR_ROFS, or the
 * device's error; each with one line on the console. May yield.
 */
int swap_pager_swapon(struct blkdev *dev, void *records, vm_size_t record_bytes,
    bool needs_header) ERR_MUST_CHECK;
/* Slots that the area on dev would have; reads the header if needed. Errors and
 * messages as swap_pager_swapon. May yield. */
int swap_pager_probe(struct blkdev *dev, bool needs_header, uint64_t *slot_count) ERR_MUST_CHECK;

/*
 * Use the area on dev no more: everything in it comes into memory first (and from there,
 * where memory is short, into other areas). result says what became of it. ERR_NOENT (no
 * such area), ERR_BUSY (another swapoff of it is under way, or slots remain in use after
 * 100 rounds), ERR_NOMEM (unfit_pages fit neither in memory nor in other areas: nothing
 * was done), ERR_IO (a page cannot be read back). After an error the area is in use as
 * before. Lines on the console tell. May yield. (mm/swap_pager_off.c)
 */
struct swap_off_result {
	uint32_t unfit_pages;
	void *records; /* as swapon was given them: the caller's again */
	vm_size_t record_bytes;
};
int swap_pager_swapoff(struct blkdev *dev, struct swap_off_result *result) ERR_MUST_CHECK;
/* Larger priorities are filled first, equal ones in turn; an area begins with 0.
 * ERR_NOENT: there is no area on dev. */
int swap_pager_set_priority(const struct blkdev *dev, int32_t priority) ERR_MUST_CHECK;
/* Is there an area on dev? */
bool swap_pager_uses(const struct blkdev *dev);

/* Pages: total usable, free. */
uint32_t swap_pager_total(void);
uint32_t swap_pager_avail(void);
/* The two alarms of the contract (1.15): full after a failed allocation (and with
 * no area at all), almost_full below NSWAP_LOWAT. */
bool swap_pager_full(void);
bool swap_pager_almost_full(void);

struct swap_area_info {
	const char *device;
	uint32_t area;  /* number in slots */
	bool closing;   /* being swapped off */
	int32_t priority;
	uint32_t unit_slots; /* of the device's allocation unit; 0 = none */
	uint64_t discards;   /* units that the device was told to be dead */
	uint32_t slots, used_slots, bad_slots;
	uint64_t writes, written_pages, reads, read_pages, crc_errors;
};
/* The n-th area there is; false past the last. */
bool swap_pager_info(uint32_t n, struct swap_area_info *out);

extern const struct vm_pager_ops swap_pager_ops;

#endif
