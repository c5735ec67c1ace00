/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the flash store share. docs/SPEC.md, section 3, has the layout.
 *
 *   flash_store.c        the disk: queue, task, figures
 *   flash_store_log.c    slots to and from the log, blocks opened and erased
 *   flash_store_gc.c     room, wear, bad blocks
 *   flash_store_mount.c  format and recovery
 */
#ifndef DRIVERS_FLASH_STORE_INTERNAL_H
#define DRIVERS_FLASH_STORE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "drivers/flash.h"
#include "drivers/flash_store.h"
#include "kern/blkdev.h"
#include "lib/crc32c.h"

#define STORE_SLOT_BYTES FLASH_STORE_SLOT_BYTES
#define STORE_NONE       UINT32_MAX /* no slot, place or block */
#define STORE_MAGIC      "EBBF"
#define STORE_VERSION    1
#define STORE_BLANK      UINT32_MAX /* an erased word */

/* On flash, little-endian. Block header: bytes 0 to 31 of a block. */
struct store_header {
	char magic[4];
	uint16_t version;
	uint16_t block_shift; /* log2 of block_bytes */
	uint32_t format;      /* number of this format, from 1 */
	uint32_t erase_count; /* of this block, this erase included */
	uint64_t sequence;    /* of the store when it was erased */
	uint32_t slot_count;  /* of the disk */
	uint32_t crc;
};
_Static_assert(sizeof(struct store_header) == 32, "programmed as one piece");

#define STORE_MARK_OFFSET  32u /* blank, or zeros: about to be erased */
#define STORE_MARK_BYTES   32u
#define STORE_ENTRY_OFFSET 64u /* first entry of the first copy */

/* What a place holds; programmed after the data, twice. */
struct store_entry {
	uint32_t format;
	uint32_t slot;     /* block of the disk; slot_count: the table of bad blocks */
	uint64_t sequence; /* of this write; the highest of a slot is its contents */
	uint32_t data_crc;
	uint32_t flags;
	uint32_t place;    /* where it is meant to be */
	uint32_t crc;
};
_Static_assert(sizeof(struct store_entry) == 32, "programmed as one piece");

#define STORE_ENTRY_LOST 1u /* the contents could not be read when they were moved */

static inline uint32_t
store_header_crc(const struct store_header *h)
{
	return (crc32c(0, h, offsetof(struct store_header, crc)));
}

static inline uint32_t
store_entry_crc(const struct store_entry *e)
{
	return (crc32c(0, e, offsetof(struct store_entry, crc)));
}

/*
 *            open                  full            last live slot gone, evacuate
 *   READY ---------> OPEN ---------------> CLOSED ------------------------------> DIRTY
 *     ^               |                      (live == 0: DIRTY)                     |
 *     |               | program fails                                               |
 *     |               v          evacuate                                           |
 *     |            FAILING ---------------> BAD <----- erase fails -----------------+
 *     +----------------------------------- erase, header ---------------------------+
 *
 * OLD: looks READY but was erased in an earlier boot; opened after a look at all of it.
 * DIRTY, READY and OLD are free.
 */
enum store_state { STORE_DIRTY, STORE_READY, STORE_OLD, STORE_OPEN, STORE_CLOSED, STORE_FAILING,
	STORE_BAD };

struct store_block {
	uint64_t sequence;    /* of its last write */
	uint32_t erase_count;
	uint32_t live;        /* places that the map names */
	uint8_t state;        /* enum store_state */
	bool counted;         /* erase_count was read from its header */
};

struct flash_store {
	struct blkdev dev;
	struct flash *flash;
	/* ---- layout */
	uint32_t block_count;
	uint32_t slots_per_block;
	uint32_t summary_bytes;  /* of a block, before its slots */
	uint32_t slot_count;     /* of the disk; slot slot_count is the store's own */
	uint32_t slot_limit;     /* slot_count that memory is for */
	uint32_t gc_free;        /* below so many free blocks, room is made */
	uint32_t good_min;       /* good blocks without which room cannot always be made */
	/* ---- state */
	uint32_t *map;           /* slot -> place, slot_count + 1 of them */
	struct store_block *blocks;
	uint32_t format;
	uint64_t sequence;       /* of the last attempt to write */
	uint32_t head, head_next; /* the OPEN block, its next place */
	uint32_t free_count, good_count, failing_count;
	uint32_t wear_looked;    /* erases at the last look at wear */
	bool table_due;          /* bad blocks that the flash does not know of */
	bool read_only;
	bool gone;               /* the flash does not answer */
	/* ---- figures of this boot */
	uint64_t writes;         /* slots that users wrote */
	uint64_t programs;       /* slots programmed */
	uint64_t gc_copies;
	uint64_t erases;
	/* ---- flash_store.c: requests; NULL: none come */
	bool (*reads_wait)(struct flash_store *s);
	void (*reads_serve)(struct flash_store *s);
	struct irq_lock lock;
	bool work;
	TAILQ_HEAD(, bio) deferred; /* taken from the block layer, not begun */
	/* What is moved; what is read and written for users. */
	uint8_t page[STORE_SLOT_BYTES] __attribute__((aligned(64)));
	uint8_t read_page[STORE_SLOT_BYTES] __attribute__((aligned(64)));
	uint8_t write_page[STORE_SLOT_BYTES] __attribute__((aligned(64)));
};

/* ---- flash_store_log.c: all may yield unless said otherwise */

/* The block of place, its offset on the flash, and the offset of a copy (0, 1) of its entry. */
uint32_t store_block_of(const struct flash_store *s, uint32_t place);
uint64_t store_data_offset(const struct flash_store *s, uint32_t place);
uint64_t store_entry_offset(const struct flash_store *s, uint32_t place, uint32_t copy);
int store_flash_read(struct flash_store *s, uint64_t offset, void *buffer,
    uint32_t bytes) ERR_MUST_CHECK;
/* ERR_NOENT: blank; ERR_CORRUPT: neither copy is good; or the flash's error. */
int store_entry_read(struct flash_store *s, uint32_t place, struct store_entry *e) ERR_MUST_CHECK;
/* Contents of slot, which lies at place. ERR_CORRUPT after all tries, with a line. */
int store_place_read(struct flash_store *s, uint32_t slot, uint32_t place,
    void *page) ERR_MUST_CHECK;
/* Contents of slot; zeros if it has none. */
int store_read(struct flash_store *s, uint32_t slot, void *page) ERR_MUST_CHECK;
/* Put page at the head of the log as slot's contents. ERR_NOSPC: no free block. */
int store_append(struct flash_store *s, uint32_t slot, const void *page,
    uint32_t flags) ERR_MUST_CHECK;
/* slot has no contents any more. Never yields. */
void store_forget(struct flash_store *s, uint32_t slot);
/* Say on the flash that what block b holds is of no use: its header's mark. */
int store_block_mark(struct flash_store *s, uint32_t b) ERR_MUST_CHECK;
/* Erase a free block; on success it is READY. Sets no state after an error. */
int store_block_erase(struct flash_store *s, uint32_t b) ERR_MUST_CHECK;
bool store_block_is_free(const struct store_block *block);
/* The free block with the fewest erases: of those ready for use if there is one (or only of
 * those that want an erase); STORE_NONE. */
uint32_t store_free_pick(struct flash_store *s, bool dirty_only);

/* ---- flash_store_gc.c */

/* Write a slot, making room first. On the flash when it returns 0. ERR_ROFS: the store
 * has become read-only. */
int store_write(struct flash_store *s, uint32_t slot, const void *page) ERR_MUST_CHECK;
/* Block b is no good: what it holds stays readable until it is moved. */
void store_block_failed(struct flash_store *s, uint32_t b, int error);
/* Move what lies in failed blocks and record them. */
void store_settle(struct flash_store *s);
/* One piece of work for an idle time; false: there is none. */
bool store_idle_work(struct flash_store *s);
void store_read_only(struct flash_store *s, const char *why);

/* ---- flash_store_mount.c */

/* Sizes for a geometry; ERR_NOTSUP with a phrase in *why. Never yields. */
int store_layout(struct flash_store *s, const struct flash_geometry *g,
    const char **why) ERR_MUST_CHECK;
/* Set up *s from flash: recover or format. As flash_store_attach, but no disk and no
 * task: for any bytes on the flash (test/fuzz). s is zeroed but for dev.name. */
int store_mount(struct flash_store *s, struct flash *flash, void *memory,
    bool format) ERR_MUST_CHECK;

#endif
