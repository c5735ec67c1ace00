/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the swap pager share: areas and their slots
 * (swap_pager_area.c), writes (swap_pager_write.c), reads (swap_pager_read.c).
 * Nobody else includes it.
 */
#ifndef MM_SWAP_PAGER_INTERNAL_H
#define MM_SWAP_PAGER_INTERNAL_H

#include "lib/run_alloc.h"
#include "lib/slot_layout.h"
#include "mm/mm_params.h"
#include "mm/swap_map.h"
#include "mm/swap_pager.h"

struct swap_area {
	struct blkdev *dev;       /* NULL: number not in use (any more) */
	struct run_alloc runs;
	struct slot_layout layout; /* layout.runs NULL: the device has no units */
	int32_t priority;         /* larger ones are filled first */
	void *records;            /* the caller of swapon's, until swapoff */
	vm_size_t record_bytes;
	bool closing;             /* swapoff: nothing new goes there */
	uint32_t slot_count;      /* with the reserved ones */
	uint32_t used_slots;      /* hold a page, or will when its write is done */
	uint32_t bad_slots;       /* never used again */
	uint32_t blocks_per_slot; /* device blocks */
	uint32_t run_max;         /* slots that one request may cover */
	uint64_t reported_us;     /* when the last write error was told, 0 = never */
	uint64_t writes, written_pages, reads, read_pages, crc_errors;
	uint64_t discards;        /* units told to be dead */
};

extern struct swap_area swap_areas[SWAP_AREAS_MAX];
extern uint32_t swap_area_count;

static inline struct swap_area *
swap_area_of(uint32_t slot)
{
	return (&swap_areas[SWAP_SLOT_AREA(slot)]);
}

/* ---- swap_pager_area.c */
void swap_area_init(void);
/*
 * A run of up to *count slots of one area, first choice all of them, then halves
 * down to 4, then single slots: first slot, its length in *count; SWAP_SLOT_NONE
 * when no slot is left anywhere. Never yields.
 */
uint32_t swap_area_alloc_run(uint32_t *count);
void swap_area_free(uint32_t slot, uint32_t count);
/* Slots in use that failed: neither used nor free from now on. */
void swap_area_retire(uint32_t slot, uint32_t count);
/* swapoff begins: area's slots do not count as free or usable any more; it has failed and
 * they do again; it is done, and area, without slots in use, does not exist any more. */
void swap_area_close(struct swap_area *area);
void swap_area_reopen(struct swap_area *area);
void swap_area_remove(struct swap_area *area);
/* Print the message about scarce space if it is due. May yield. */
void swap_area_report(void);
/* Fill in the part of bio that names slots and pages. */
void swap_area_fill_bio(struct bio *bio, enum bio_op op, uint32_t slot, struct vm_page **m,
    uint32_t count);

/* ---- swap_pager_write.c */
void swap_write_init(void);
/* Create task swapio, once. ERR_NOMEM. */
int swap_write_start(void) ERR_MUST_CHECK;
void swap_put_pages(struct vm_object *object, struct vm_page **m, uint32_t count,
    uint32_t flags, enum vm_pager_outcome *outcomes);

/* ---- swap_pager_discard.c */
void swap_discard_init(void (*wake_swapio)(void));
/* Task swapio passes by: settle an erase that has ended, start another if it is time and
 * the device is idle. How long to sleep at most, 0 = for ever. Never yields. */
uint64_t swap_discard_poll(void);
/* Is a unit of the area being erased? */
bool swap_discard_busy(const struct swap_area *area);

/* ---- swap_pager_read.c */
bool swap_has_page(struct vm_object *object, vm_pindex_t pindex, uint32_t *before,
    uint32_t *after);
enum vm_pager_outcome swap_get_pages(struct vm_object *object, struct vm_page **m,
    uint32_t count, uint32_t wanted);

#endif
