/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio block devices behind virtio-mmio: "vd0", "vd1", ...
 */
#ifndef DRIVERS_VIRTIO_BLK_H
#define DRIVERS_VIRTIO_BLK_H

#include <stdint.h>

#include "lib/err.h"

#define VIRTIO_BLK_UNITS 4

/* A row of equal virtio-mmio slots. */
struct virtio_blk_slots {
	uintptr_t base;        /* virtual address of slot 0 */
	uint32_t stride_bytes; /* between slots; 0x200 on virt */
	uint32_t count;        /* 32 on virt */
	uint32_t first_irq;    /* line of slot 0; slot n has first_irq + n */
};

/*
 * Look at every slot, highest first (QEMU fills them from the top, so the first
 * -device of the command line becomes vd0), and attach each block device. Returns
 * how many were attached; a device that cannot be used gets one console line and
 * is left alone. Interrupts must work. Task context; may yield.
 */
uint32_t virtio_blk_probe(const struct virtio_blk_slots *slots);

/* The serial text of vd<unit> (GET_ID), read at attach; "" if it has none; NULL
 * for a unit that is not there. */
const char *virtio_blk_serial(uint32_t unit);

#endif
