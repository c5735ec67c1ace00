/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding virtio block devices and bringing them up.
 *
 * A device that cannot be used (limits, features, no answer) costs one line on the
 * console and is reset, so that it touches no memory.
 *
 * Owns: the records of all disks, and one page of DMA memory for each.
 * Does not: transfer data (virtio_blk.c).
 * Invariants:
 *   K7 a disk is in the block layer's table only after it has answered a request;
 *   K8 memory that a device has been told of is not given back, even if it fails: who
 *      knows what it still does.
 * Yields: virtio_blk_probe.
 * See: VIRTIO 1.1, 5.2.3 to 5.2.5 (features, configuration, initialisation).
 */
#include "drivers/virtio_blk.h"

#include <stddef.h>
#include <string.h>

#include "drivers/virtio_blk_internal.h"
#include "kern/console.h"
#include "kern/contig.h"
#include "kern/machdep.h"

#define F_SIZE_MAX (1ull << 1)
#define F_SEG_MAX  (1ull << 2)
#define F_RO       (1ull << 5)
#define F_BLK_SIZE (1ull << 6)
#define F_FLUSH    (1ull << 9)
#define F_DISCARD  (1ull << 13)
#define F_WANTED   (F_SIZE_MAX | F_SEG_MAX | F_RO | F_BLK_SIZE | F_FLUSH | F_DISCARD)

#define CONFIG_CAPACITY 0x00
#define CONFIG_SIZE_MAX 0x08
#define CONFIG_SEG_MAX  0x0c
#define CONFIG_BLK_SIZE 0x14
#define CONFIG_DISCARD_MAX   0x24
#define CONFIG_DISCARD_ALIGN 0x2c

/* Merging beyond this gains nothing and makes one transfer hog the queue. */
#define TRANSFER_BLOCKS_MAX 512u

static struct vblk disks[VIRTIO_BLK_UNITS];

/* Limits that the device states; what is wrong with them, or NULL. */
static const char *
limits_read(struct vblk *vb)
{
	const struct virtio_mmio *vm = &vb->vm;

	vb->segments_max = VBLK_SEGMENTS_MAX;
	vb->segment_bytes_max = UINT32_MAX & ~(VBLK_BLOCK_BYTES - 1);
	if (vm->features & F_SEG_MAX &&
	    virtio_mmio_config32(vm, CONFIG_SEG_MAX) < VBLK_SEGMENTS_MAX)
		vb->segments_max = virtio_mmio_config32(vm, CONFIG_SEG_MAX);
	if (vb->segments_max == 0)
		vb->segments_max = 1;
	if (vm->features & F_SIZE_MAX)
		vb->segment_bytes_max = virtio_mmio_config32(vm, CONFIG_SIZE_MAX) &
		    ~(VBLK_BLOCK_BYTES - 1);
	if (vb->segment_bytes_max == 0)
		return ("its segments are smaller than a block");
	if (vm->features & F_BLK_SIZE &&
	    virtio_mmio_config32(vm, CONFIG_BLK_SIZE) != VBLK_BLOCK_BYTES)
		return ("its blocks are not of 512 bytes");
	return (NULL);
}

/* Of a disk that can discard, take units of a MiB: what is dead is told in such pieces. */
#define UNIT_BLOCKS 2048u

static void
discard_read(struct vblk *vb)
{
	uint32_t unit;

	if ((vb->vm.features & F_DISCARD) == 0)
		return;
	unit = virtio_mmio_config32(&vb->vm, CONFIG_DISCARD_ALIGN);
	vb->discard_blocks_max = virtio_mmio_config32(&vb->vm, CONFIG_DISCARD_MAX);
	if (unit == 0)
		unit = 1;
	vb->discard_blocks_max -= vb->discard_blocks_max % unit;
	if (vb->discard_blocks_max == 0)
		return; /* it offers what it cannot do */
	vb->dev.erase_blocks = unit;
	vb->dev.align_blocks = unit < UNIT_BLOCKS ? UNIT_BLOCKS / unit * unit : unit;
}

static void
dev_describe(struct vblk *vb, uint32_t unit)
{
	vb->dev = (struct blkdev){
		.name = { 'v', 'd', (char)('0' + unit) },
		.ops = &vblk_ops,
		.softc = vb,
		.block_bytes = VBLK_BLOCK_BYTES,
		.block_count = virtio_mmio_config64(&vb->vm, CONFIG_CAPACITY),
		.bio_blocks_max = TRANSFER_BLOCKS_MAX,
		.read_only = (vb->vm.features & F_RO) != 0,
		.can_flush = (vb->vm.features & F_FLUSH) != 0,
	};
}

/* The device's queue, in memory of its own; what is wrong, or NULL. */
static const char *
queue_start(struct vblk *vb)
{
	uint64_t pa;

	if (contig_alloc(sizeof(*vb->dma), 0, UINT64_MAX, sizeof(*vb->dma), &pa) != 0)
		return ("there is no memory for its queue");
	vb->dma = phys_to_virt(pa);
	memset(vb->dma, 0, sizeof(*vb->dma));
	if (virtio_mmio_start(&vb->vm, vb->dma->queue) == 0)
		return (NULL);
	contig_free(pa, sizeof(*vb->dma)); /* K8: it does not know it */
	return ("it has no usable queue");
}

/* Bring up the device that virtio_mmio_open has found; what is wrong, or NULL. */
static const char *
bring_up(struct vblk *vb, uint32_t unit, uint32_t irq)
{
	const char *why;

	if (virtio_mmio_negotiate(&vb->vm, F_WANTED) != 0)
		return ("it refuses the features");
	why = limits_read(vb);
	if (why != NULL)
		return (why);
	dev_describe(vb, unit);
	discard_read(vb);
	why = queue_start(vb);
	if (why != NULL)
		return (why);
	if (irq_register(irq, vblk_interrupt, vb, vb->dev.name) != 0)
		return ("its interrupt line is taken");
	vblk_serial_read(vb);
	if (vb->failed)
		return ("it does not work");
	return (blk_register(&vb->dev) != 0 ? "its name is taken" : NULL);
}

static bool
attach(struct vblk *vb, uint32_t unit, uint32_t irq)
{
	const char *why = bring_up(vb, unit, irq);

	if (why != NULL) {
		virtio_mmio_stop(&vb->vm);
		kprintf("vd%u: virtio disk not usable: %s\n", (unsigned)unit, why);
		return (false);
	}
	vb->present = true;
	kprintf("%s: virtio disk%s%s, %llu MiB%s\n", vb->dev.name, vb->serial[0] ? " " : "",
	    vb->serial, (unsigned long long)(vb->dev.block_count / 2048),
	    vb->dev.read_only ? ", read-only" : "");
	return (true);
}

uint32_t
virtio_blk_probe(const struct virtio_blk_slots *slots)
{
	uint32_t unit = 0;

	for (uint32_t slot = slots->count; slot-- > 0 && unit < VIRTIO_BLK_UNITS;) {
		struct vblk *vb = &disks[unit];
		uintptr_t base = slots->base + slot * (uintptr_t)slots->stride_bytes;

		memset(vb, 0, sizeof(*vb));
		if (virtio_mmio_open(&vb->vm, base, VIRTIO_DEVICE_BLOCK) != 0)
			continue;
		if (attach(vb, unit, slots->first_irq + slot))
			unit++;
	}
	return (unit);
}

const char *
virtio_blk_serial(uint32_t unit)
{
	if (unit >= VIRTIO_BLK_UNITS || !disks[unit].present)
		return (NULL);
	return (disks[unit].serial);
}
