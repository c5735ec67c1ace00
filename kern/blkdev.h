/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CONTRACT between those who need a disk (mm, fs) and those who are one.
 *
 * A partition, a RAM disk, an SD card, a virtio disk and the fault-injecting
 * disk of the tests are all a struct blkdev. blk.c keeps a queue per device,
 * merges adjacent requests, counts, and measures latency.
 */
#ifndef KERN_BLKDEV_H
#define KERN_BLKDEV_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "kern/irq.h"
#include "kern/param.h"
#include "lib/err.h"

struct blkdev;
struct blk_faults;

enum bio_op { BIO_READ, BIO_WRITE, BIO_FLUSH, BIO_ERASE };
enum bio_priority { BIO_PAGEIN, BIO_NORMAL, BIO_PAGEOUT, BIO_PRIORITY_COUNT };

/* Physically contiguous piece of memory; address and length are multiples of
 * 512 bytes. A PIO driver reaches it through the direct map. */
struct bio_segment {
	uint64_t pa;
	uint32_t bytes;
};

#define BIO_SEGMENTS_MAX 32

/*
 *        blk_submit         driver takes it          bio_done
 *  IDLE ------------> QUEUED --------------> ACTIVE -----------> IDLE, done() called
 *                       \___ merged behind another bio: follows it ___/
 */
enum bio_state { BIO_IDLE, BIO_QUEUED, BIO_ACTIVE };

/* One request. The submitter owns the memory, zeroes it once before the first use, and
 * sets everything above the line. */
struct bio {
	uint8_t op;                 /* enum bio_op */
	uint8_t priority;           /* enum bio_priority */
	uint16_t segment_count;
	uint32_t block_count;       /* device blocks */
	uint64_t block;             /* first block on dev */
	struct bio_segment segments[BIO_SEGMENTS_MAX];
	/* Called once, in interrupt or task context, never yields. NULL with blk_wait. */
	void (*done)(struct bio *bio);
	void *context;              /* for done */
	/* ---- blk.c and the driver */
	int error;                  /* 0 or ERR_* once done */
	uint8_t state;              /* enum bio_state */
	struct blkdev *dev;         /* where it was submitted */
	struct bio *merged_next;    /* bios served by the same transfer */
	TAILQ_ENTRY(bio) link;
	uint64_t submitted_cycles;
	uint64_t due_cycles;        /* blk_fault.c: held back until then */
};

struct blkdev_ops {
	/*
	 * Take requests from blk_next(dev) and start them; called with a new
	 * request queued, any context, must not yield or wait. The driver calls
	 * bio_done for each bio it took, in any order.
	 */
	void (*start)(struct blkdev *dev);
	/* Progress without interrupts (panic, bring-up); NULL if not possible. */
	void (*poll)(struct blkdev *dev);
	/* The driver's own figures for blkstat ("programs", "au_kib", ...), n = 0, 1, ...; false
	 * past the last. NULL: none. Never yields. */
	bool (*figure)(const struct blkdev *dev, uint32_t n, const char **name, uint64_t *value);
};

#define BLKDEV_NAME_BYTES 16

/* Errors as blkstat tells them apart: from the medium, too late, wrong contents, device
 * away, and refused requests (range, read only, not supported). */
enum blk_error_kind { BLK_ERROR_IO, BLK_ERROR_TIMEDOUT, BLK_ERROR_CORRUPT, BLK_ERROR_NODEV,
	BLK_ERROR_REFUSED, BLK_ERROR_KINDS };

struct blkdev {
	char name[BLKDEV_NAME_BYTES];     /* "sd0", "vd0", "md0", "sd0s2" */
	const struct blkdev_ops *ops;
	void *softc;                      /* driver's */
	uint32_t block_bytes;             /* power of two, >= 512 */
	uint64_t block_count;
	uint32_t erase_blocks;            /* unit of BIO_ERASE, counted from the start of the
	                                   * whole device; 0 = no erase */
	uint32_t align_blocks;            /* preferred write alignment, 0 = none */
	uint32_t bio_blocks_max;          /* largest transfer after merging */
	bool read_only;
	bool can_flush;                   /* else BIO_FLUSH completes at once */
	/* A partition: requests go to parent, shifted. NULL for a whole device. */
	struct blkdev *parent;
	uint64_t parent_block;
	uint8_t mbr_type;                 /* of a partition; 0 = none */
	uint64_t retries, resets;         /* counted by the driver */
	/* ---- blk.c */
	SLIST_ENTRY(blkdev) all_link;
	struct irq_lock lock;
	bool gone;                        /* no further requests */
	TAILQ_HEAD(bio_queue, bio) queue[BIO_PRIORITY_COUNT];
	uint32_t passed_count[BIO_PRIORITY_COUNT]; /* better ones served since its last */
	uint32_t queued_count;            /* waiting */
	uint32_t active_count;            /* taken by the driver; partition: submitted */
	uint64_t busy_since_cycles;
	uint64_t reads, writes, erases, read_blocks, written_blocks, merges, errors;
	uint64_t errors_of[BLK_ERROR_KINDS];
	uint64_t depth_sum;               /* of the requests waiting when one came */
	uint32_t depth_max;
	uint64_t busy_cycles;             /* time with at least one active request */
	struct histogram read_us, write_us;
	struct histogram wait_us[BIO_PRIORITY_COUNT]; /* until the driver took it; whole device */
	struct blk_faults *faults;        /* faults on purpose; NULL: none */
};

/* Add a device (or partition) to the table; ERR_EXIST for a name in use, ERR_INVAL
 * for a geometry that makes no sense. A partition's block_bytes and bio_blocks_max of
 * 0 become its parent's, as does its erase_blocks. The struct stays the caller's. */
int blk_register(struct blkdev *dev) ERR_MUST_CHECK;
/* Take it out of the table; new requests get ERR_NODEV; waits until idle. May yield. */
void blk_unregister(struct blkdev *dev);
/* For a driver whose (whole) device has vanished: queued and new requests get ERR_NODEV. The
 * driver ends those that it has taken. Any context. */
void blk_gone(struct blkdev *dev);
struct blkdev *blk_find(const char *name);
/* Iterate: NULL = first. */
struct blkdev *blk_next_device(struct blkdev *prev);

/*
 * Queue bio on dev. A request outside the device, with bad segments (or more blocks
 * than bio_blocks_max), on a read-only device or to a device that is gone completes at
 * once with ERR_RANGE, ERR_INVAL, ERR_ROFS or ERR_NODEV through done. An erase that the
 * device cannot do gets ERR_NOTSUP; a flush that it need not do, 0. Requests in flight
 * at the same time have no order: who needs one waits. Never yields, never allocates.
 */
void blk_submit(struct blkdev *dev, struct bio *bio);
/* Submit and sleep until it is done; returns bio->error. May yield. */
int blk_wait(struct blkdev *dev, struct bio *bio) ERR_MUST_CHECK;
/* Convenience for boot and fs: synchronous transfer of whole blocks to or from a
 * physically contiguous buffer in the direct map, 512-byte aligned. May yield. */
int blk_read(struct blkdev *dev, uint64_t block, void *buffer, uint32_t block_count) ERR_MUST_CHECK;
int blk_write(struct blkdev *dev, uint64_t block, const void *buffer,
    uint32_t block_count) ERR_MUST_CHECK;
/* Make all completed writes durable. May yield. */
int blk_flush(struct blkdev *dev) ERR_MUST_CHECK;

/*
 * For drivers. blk_next: the next request to serve, best priority first (but one of
 * lesser priority after kern.blk.pass_max better ones), with adjacent queued ones of
 * the same kind and priority chained on merged_next (block ascending, at most
 * bio_blocks_max in all); NULL if none. Blocks are dev's, whatever partition the
 * request came by. bio_done: completes bio and everything merged behind it with error.
 * Any context.
 */
struct bio *blk_next(struct blkdev *dev);
void bio_done(struct bio *bio, int error);
/* Blocks and segments of a whole merged chain. */
uint32_t bio_chain_blocks(const struct bio *bio);

#endif
