/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What virtio_blk.c (requests) and virtio_blk_attach.c (bring-up) share.
 */
#ifndef DRIVERS_VIRTIO_BLK_INTERNAL_H
#define DRIVERS_VIRTIO_BLK_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/virtio_mmio.h"
#include "kern/blkdev.h"
#include "kern/irq.h"
#include "kern/timer.h"

enum vblk_type { VBLK_IN = 0, VBLK_OUT = 1, VBLK_FLUSH = 4, VBLK_GET_ID = 8, VBLK_DISCARD = 11 };

#define VBLK_STATUS_OK      0
#define VBLK_STATUS_UNSUPP  2
#define VBLK_STATUS_PENDING 0xff /* ours: not written by the device yet */

#define VBLK_BLOCK_BYTES  512u
#define VBLK_REQUESTS     16
#define VBLK_SERIAL_BYTES 20
#define VBLK_LINE_BYTES   64
/* A descriptor each for header and status. */
#define VBLK_SEGMENTS_MAX (VIRTIO_QUEUE_SIZE - 2)

/* What the device reads and writes of a request, each in its own cache line. */
struct vblk_wire {
	struct {
		uint32_t type;
		uint32_t reserved;
		uint64_t sector;
	} header __attribute__((aligned(VBLK_LINE_BYTES)));
	struct {
		uint64_t sector;
		uint32_t sector_count;
		uint32_t flags;
	} discard; /* in the header's line, which is cleaned as a whole */
	volatile uint8_t status __attribute__((aligned(VBLK_LINE_BYTES)));
};

struct vblk_dma {
	uint8_t queue[VIRTIO_QUEUE_BYTES];
	struct vblk_wire wires[VBLK_REQUESTS];
	char serial[VBLK_LINE_BYTES] __attribute__((aligned(VBLK_LINE_BYTES)));
} __attribute__((aligned(4096)));

_Static_assert(sizeof(struct vblk_dma) == 4096, "the DMA memory of a disk is one page");

/* A chain of bios on its way, and how much of it has been issued. */
struct vblk_transfer {
	struct bio *first;        /* NULL = unused */
	struct bio *bio;          /* cursor: next to issue, NULL = all issued */
	uint32_t segment;         /* in bio */
	uint32_t offset_bytes;    /* in segment */
	uint64_t block;
	uint32_t out_count;       /* requests at the device */
	int error;
	struct vblk_transfer *next; /* in vblk.finished */
};

struct vblk_request {
	struct vblk_transfer *transfer; /* NULL: GET_ID */
	uint32_t expect_bytes;          /* the device writes, status included */
	bool used;
};

struct vblk {
	struct blkdev dev;
	struct virtio_mmio vm;
	struct irq_lock lock;           /* everything below */
	struct vblk_dma *dma;
	struct vblk_request requests[VBLK_REQUESTS];
	struct vblk_transfer transfers[VBLK_REQUESTS];
	struct vblk_transfer *filling;  /* K1 */
	struct vblk_transfer *finished; /* over (K2), not completed yet */
	uint32_t segments_max, segment_bytes_max;
	uint32_t discard_blocks_max;    /* in one request; 0: cannot discard */
	bool present, failed;
	bool completing;                /* someone is in complete() */
	const char *why;                /* of failed, until it has been said */
	struct callout watch;           /* pending while requests are out, or a little longer */
	uint32_t answers, answers_seen; /* so far; when watch was last looked at */
	uint32_t watch_steps;           /* since then without an answer */
	bool id_done;                   /* sleep channel of GET_ID */
	uint8_t id_status;
	char serial[VBLK_SERIAL_BYTES + 1];
	struct virtio_buffer buffers[VBLK_SEGMENTS_MAX + 2];
};

extern const struct blkdev_ops vblk_ops;

void vblk_interrupt(void *arg);

/* Ask the device for its serial text into vb->serial; not having one is no error.
 * May yield. */
void vblk_serial_read(struct vblk *vb);

#endif
