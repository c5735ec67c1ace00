/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SEAM between virtio device drivers and the virtio-mmio transport: one device
 * with one split virtqueue. VIRTIO 1.1, sections 2.6 (split virtqueues) and 4.2
 * (MMIO; 4.2.4 legacy interface).
 */
#ifndef DRIVERS_VIRTIO_MMIO_H
#define DRIVERS_VIRTIO_MMIO_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

#define VIRTIO_DEVICE_BLOCK 2

#define VIRTIO_F_VERSION_1 (1ull << 32)

/* Descriptors of a queue, a power of two; a device with a smaller queue gets less. */
#define VIRTIO_QUEUE_SIZE 64
/* Memory of a queue, 4096-byte aligned: the three rings, each in its own cache lines. */
#define VIRTIO_QUEUE_BYTES 1792

struct virtio_desc {
	uint64_t bus;    /* address */
	uint32_t bytes;
	uint16_t flags;
	uint16_t next;
};

struct virtio_used {
	uint32_t head;
	uint32_t bytes;  /* written by the device */
};

/* One piece of memory of a request, in the order the device sees it; those that it
 * writes come last. */
struct virtio_buffer {
	uint64_t bus;
	uint32_t bytes;
	bool device_writes;
};

struct virtio_mmio {
	uintptr_t base;
	uint32_t version;       /* 1 legacy, 2 modern */
	uint64_t features;      /* negotiated */
	/* ---- the queue */
	struct virtio_desc *desc;
	uint16_t *avail;        /* flags, index, ring[size] */
	uint16_t *used;         /* flags, index, then struct virtio_used[size] */
	uint32_t size;          /* descriptors in use by both sides */
	uint32_t free_count;
	uint16_t free_head;
	uint16_t avail_index;   /* next to fill, free-running */
	uint16_t used_index;    /* next to read, free-running */
	uint32_t inflight_count;
	uint16_t next[VIRTIO_QUEUE_SIZE];   /* desc[].next, beyond the device's reach */
	uint16_t length[VIRTIO_QUEUE_SIZE]; /* descriptors of the request at this head; 0 = none */
	void *token[VIRTIO_QUEUE_SIZE];     /* its caller's name */
};

/*
 * Is there a device of this kind at base? Resets it and starts the handshake.
 * ERR_NODEV: nothing, or another kind; ERR_NOTSUP: unknown transport version.
 */
int virtio_mmio_open(struct virtio_mmio *vm, uintptr_t base, uint32_t device_id) ERR_MUST_CHECK;

/* Accept those of wanted that the device offers (vm->features). ERR_NOTSUP when
 * the device refuses. */
int virtio_mmio_negotiate(struct virtio_mmio *vm, uint64_t wanted) ERR_MUST_CHECK;

/* Configuration field at offset; the 64-bit one is read consistently. */
uint32_t virtio_mmio_config32(const struct virtio_mmio *vm, uint32_t offset);
uint64_t virtio_mmio_config64(const struct virtio_mmio *vm, uint32_t offset);

/* Set up queue 0 in memory (VIRTIO_QUEUE_BYTES, 4096-byte aligned, zeroed, in the
 * direct map) and declare the driver ready. ERR_NOTSUP: no usable queue. */
int virtio_mmio_start(struct virtio_mmio *vm, void *memory) ERR_MUST_CHECK;

/* Stop the device for good: after this it touches no memory. */
void virtio_mmio_stop(struct virtio_mmio *vm);

/* Read and acknowledge the interrupt cause; false: none of ours. */
bool virtio_mmio_interrupt(struct virtio_mmio *vm);

/*
 * Queue a request of count buffers; token comes back from virtio_mmio_reap.
 * ERR_BUSY when the queue lacks descriptors. The device learns of it by
 * virtio_mmio_notify, once for any number of requests.
 */
int virtio_mmio_add(struct virtio_mmio *vm, const struct virtio_buffer *buffers, uint32_t count,
    void *token) ERR_MUST_CHECK;
void virtio_mmio_notify(struct virtio_mmio *vm);

/*
 * The next finished request: 1 with its token and the bytes the device says it
 * wrote; 0 when there is none; ERR_CORRUPT when the device's answer cannot be
 * right (*why says what), after which only virtio_mmio_stop makes sense.
 */
int virtio_mmio_reap(struct virtio_mmio *vm, void **token, uint32_t *bytes,
    const char **why) ERR_MUST_CHECK;

#endif
