/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults on purpose: a device that fails, lies, dawdles or vanishes as rules say.
 * For tests and demonstrations on any board, set up by the boot argument fault= or the
 * monitor's fault command. Public.
 *
 * A rule is words with blanks or commas between: a device (or partition), what happens,
 * and to which requests:
 *
 *   sd0s2 write every=50            each 50th write fails, nothing of it is written
 *   sd0s2 read block=100 count=8    reads that touch these blocks fail
 *   sd0s2 corrupt block=100         one bit of the block is wrong in what is read
 *   sd0s2 torn every=9              the first half is written, then an error
 *   sd0   delay_us=2000             takes so long more, one request after the other
 *   sd0   gone after=500            nothing succeeds from then on
 *   sd0   cut after=100             power is cut in the middle of the 101st write
 *   sd0   off                       no rules any more
 *
 * every=K: each K-th request that the rule is about; after=N: not the first N; times=N: at
 * most N times; block=B count=C: only requests that touch blocks B to B+C-1 of the device
 * named. delay_ms= is delay_us= times 1000.
 */
#ifndef KERN_BLK_FAULT_H
#define KERN_BLK_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "kern/blkdev.h"
#include "lib/err.h"

enum blk_fault_kind {
	BLK_FAULT_READ,
	BLK_FAULT_WRITE,
	BLK_FAULT_CORRUPT,
	BLK_FAULT_TORN,
	BLK_FAULT_DELAY,
	BLK_FAULT_GONE,
	BLK_FAULT_CUT,
	BLK_FAULT_KINDS
};

struct blk_fault_rule {
	const struct blkdev *dev; /* as named; NULL: the row is free */
	uint8_t kind;             /* enum blk_fault_kind */
	bool bounded;             /* block and count were given */
	uint64_t block, end;      /* of the whole device; [block, end) */
	uint64_t every, after, times;
	uint64_t delay_us;
	uint64_t seen, hits;      /* requests it was about; of these hit */
};

/*
 * Carry out one rule's text. ERR_INVAL, ERR_NODEV (no such device), ERR_NOSPC (too many
 * rules), each with a sentence in why. Task context; does not yield.
 */
int blk_fault_set(const char *text, char *why, uint32_t why_bytes) ERR_MUST_CHECK;
/* The n-th rule there is; NULL past the last. */
const struct blk_fault_rule *blk_fault_rule(uint32_t n);
/* Its text, as blk_fault_set would take it. */
void blk_fault_describe(const struct blk_fault_rule *rule, char *text, uint32_t bytes);

#define BLK_FAULT_RULES_MAX 8u

/* ---- blk.c, blk_fault.c and blk_fault_rule.c only. Any context, never yield. */

extern struct blk_fault_rule blk_fault_rules[BLK_FAULT_RULES_MAX];
/* Let rules act on this whole device. ERR_NOSPC: four have rules. */
int blk_fault_enable(struct blkdev *device) ERR_MUST_CHECK;
/* Is the rule about this whole device, or a partition of it? */
bool blk_fault_is_on(const struct blk_fault_rule *rule, const struct blkdev *device);

/* A chain is about to go to the driver: true if it must not (it ends by itself, later). */
bool blk_fault_start(struct blkdev *dev, struct bio *chain);
/* The driver has ended a chain with *error, which may change: true if it is held back and
 * ends by itself, later. */
bool blk_fault_done(struct blkdev *dev, struct bio *chain, int *error);
/* (blk.c) End a chain for good. */
void blk_finish(struct bio *chain, int error);

#endif
