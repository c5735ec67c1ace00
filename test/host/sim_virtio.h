/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated virtio block device behind virtio-mmio, legacy or modern, which
 * answers late, out of order, with errors, or with garbage, as the test asks.
 */
#ifndef TEST_SIM_VIRTIO_H
#define TEST_SIM_VIRTIO_H

#include <stdbool.h>
#include <stdint.h>

#include "test/host/sim_machdep.h"
#include "test/host/sim_mmio.h"

#define SIM_VIRTIO_REQUESTS 64

enum sim_virtio_garbage {
	SIM_VIRTIO_SANE,
	SIM_VIRTIO_INDEX,      /* used index far ahead */
	SIM_VIRTIO_HEAD,       /* a head that does not exist */
	SIM_VIRTIO_TWICE,      /* a head that is not in flight */
	SIM_VIRTIO_LONG,       /* more bytes than the buffers hold */
	SIM_VIRTIO_SHORT,      /* success, but too few bytes */
	SIM_VIRTIO_NO_STATUS,  /* status byte not written */
};

struct sim_virtio {
	/* ---- set by the test */
	uint32_t version;        /* 1 or 2 */
	uint32_t device_id;
	uint64_t features;       /* offered; VERSION_1 is added for version 2 */
	uint32_t size_max, seg_max, blk_size, queue_max;
	uint32_t discard_max, discard_align;
	uint64_t capacity;
	uint32_t latency_us;     /* 0 = at once */
	bool shuffle;            /* answer in random order */
	bool batch;              /* after latency_us answer all that wait, not one */
	bool deaf;               /* never answers */
	uint64_t bad_sector;     /* requests that touch it get status 1 */
	enum sim_virtio_garbage garbage;
	uint32_t garbage_after;  /* answers that are still sane */
	const char *serial;
	/* ---- the device's */
	uint8_t *bytes;
	uint32_t line;
	struct sim_mmio window;
	struct sim_event event;
	uint32_t status, interrupt;
	uint64_t driver_features;
	uint32_t features_sel, driver_sel, queue_size, queue_align, page_bytes;
	uint64_t desc, avail, used;
	bool ready;
	uint16_t seen;           /* of the avail ring */
	uint16_t waiting[SIM_VIRTIO_REQUESTS];
	uint32_t waiting_count, waiting_max;
	/* What was asked. */
	uint32_t requests, discards, flushes, notifies, segments_seen, segment_bytes_seen;
};

/* Slot number slot at SIM_VIRTIO_BASE; a modern device with everything offered. */
#define SIM_VIRTIO_BASE   0x0a000000u
#define SIM_VIRTIO_STRIDE 0x200u
#define SIM_VIRTIO_LINE   48
void sim_virtio_init(struct sim_virtio *v, uint32_t slot, uint64_t capacity);
void sim_virtio_free(struct sim_virtio *v);

/* A slot without a device: reads zeros behind the magic value. */
void sim_virtio_empty(struct sim_virtio *v, uint32_t slot);

#endif
