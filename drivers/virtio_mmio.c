/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio-mmio transport: handshake, and one split virtqueue.
 *
 *   desc[]    the driver writes: address, length, direction, next
 *   avail     the driver writes: heads of chains that the device may work on
 *   used      the device writes: heads of chains that it has finished
 *
 * The device is not trusted: what it writes (used ring) is checked against our own
 * records before it indexes anything, and the free list is kept where the device
 * cannot reach.
 *
 * The rings are in cached memory. For a machine whose devices do not snoop, what
 * the device will read is cleaned line by line before it is told, and what it has
 * written is invalidated before it is read; no line is written by both sides.
 *
 * Owns: the device's registers, the queue's memory.
 * Does not: know what a request means; lock (its caller does); sleep.
 * Invariants:
 *   V1 free_count descriptors hang on free_head; the others belong to exactly one
 *      chain whose head has length > 0;
 *   V2 inflight_count heads have length > 0.
 * Yields: never.
 * See: VIRTIO 1.1, 2.6 and 4.2.
 */
#include "drivers/virtio_mmio.h"

#include <stddef.h>
#include <string.h>

#include "kern/machdep.h"
#include "kern/mmio.h"
#include "lib/assert.h"

enum virtio_register {
	MAGIC = 0x000,
	VERSION = 0x004,
	DEVICE_ID = 0x008,
	DEVICE_FEATURES = 0x010,
	DEVICE_FEATURES_SEL = 0x014,
	DRIVER_FEATURES = 0x020,
	DRIVER_FEATURES_SEL = 0x024,
	GUEST_PAGE_SIZE = 0x028, /* legacy */
	QUEUE_SEL = 0x030,
	QUEUE_NUM_MAX = 0x034,
	QUEUE_NUM = 0x038,
	QUEUE_ALIGN = 0x03c,     /* legacy */
	QUEUE_PFN = 0x040,       /* legacy */
	QUEUE_READY = 0x044,
	QUEUE_NOTIFY = 0x050,
	INTERRUPT_STATUS = 0x060,
	INTERRUPT_ACK = 0x064,
	STATUS = 0x070,
	QUEUE_DESC = 0x080,      /* low word; high word follows */
	QUEUE_AVAIL = 0x090,
	QUEUE_USED = 0x0a0,
	CONFIG_GENERATION = 0x0fc,
	CONFIG = 0x100,
};

#define MAGIC_VALUE 0x74726976u

#define STATUS_ACKNOWLEDGE 1u
#define STATUS_DRIVER      2u
#define STATUS_DRIVER_OK   4u
#define STATUS_FEATURES_OK 8u
#define STATUS_FAILED      128u

#define DESC_NEXT  1u
#define DESC_WRITE 2u

#define USED_NO_NOTIFY 1u

#define LEGACY_PAGE_BYTES 4096u
#define LINE_BYTES        64u
#define CONFIG_READS_MAX  16
#define RESET_READS_MAX   10000

static uint32_t
reg_read(const struct virtio_mmio *vm, uint32_t reg)
{
	return (mmio_read32(vm->base + reg));
}

static void
reg_write(const struct virtio_mmio *vm, uint32_t reg, uint32_t value)
{
	mmio_write32(vm->base + reg, value);
}

static void
status_add(const struct virtio_mmio *vm, uint32_t bits)
{
	reg_write(vm, STATUS, reg_read(vm, STATUS) | bits);
}

/* The reset is complete when the status reads 0 (4.2.3.1). */
static void
reset(const struct virtio_mmio *vm)
{
	reg_write(vm, STATUS, 0);
	for (uint32_t n = 0; n < RESET_READS_MAX && reg_read(vm, STATUS) != 0; n++)
		;
}

int
virtio_mmio_open(struct virtio_mmio *vm, uintptr_t base, uint32_t device_id)
{
	memset(vm, 0, sizeof(*vm));
	vm->base = base;
	if (reg_read(vm, MAGIC) != MAGIC_VALUE || reg_read(vm, DEVICE_ID) != device_id)
		return (ERR_NODEV);
	vm->version = reg_read(vm, VERSION);
	if (vm->version != 1 && vm->version != 2)
		return (ERR_NOTSUP);
	reset(vm);
	status_add(vm, STATUS_ACKNOWLEDGE);
	status_add(vm, STATUS_DRIVER);
	return (0);
}

static uint64_t
offered_features(const struct virtio_mmio *vm)
{
	uint64_t features;

	reg_write(vm, DEVICE_FEATURES_SEL, 0);
	features = reg_read(vm, DEVICE_FEATURES);
	if (vm->version == 1)
		return (features);
	reg_write(vm, DEVICE_FEATURES_SEL, 1);
	return (features | (uint64_t)reg_read(vm, DEVICE_FEATURES) << 32);
}

int
virtio_mmio_negotiate(struct virtio_mmio *vm, uint64_t wanted)
{
	uint64_t offered = offered_features(vm);

	if (vm->version == 2)
		wanted |= VIRTIO_F_VERSION_1;
	vm->features = offered & wanted;
	reg_write(vm, DRIVER_FEATURES_SEL, 0);
	reg_write(vm, DRIVER_FEATURES, (uint32_t)vm->features);
	if (vm->version == 1)
		return (0);
	if (!(vm->features & VIRTIO_F_VERSION_1))
		return (ERR_NOTSUP);
	reg_write(vm, DRIVER_FEATURES_SEL, 1);
	reg_write(vm, DRIVER_FEATURES, (uint32_t)(vm->features >> 32));
	status_add(vm, STATUS_FEATURES_OK);
	return (reg_read(vm, STATUS) & STATUS_FEATURES_OK ? 0 : ERR_NOTSUP);
}

uint32_t
virtio_mmio_config32(const struct virtio_mmio *vm, uint32_t offset)
{
	return (reg_read(vm, CONFIG + offset));
}

/* Two reads may straddle a change: the generation tells (modern); a legacy device
 * is read until two looks agree. */
uint64_t
virtio_mmio_config64(const struct virtio_mmio *vm, uint32_t offset)
{
	uint64_t value = 0, last;
	uint32_t generation;

	for (uint32_t n = 0; n < CONFIG_READS_MAX; n++) {
		last = value;
		generation = vm->version == 2 ? reg_read(vm, CONFIG_GENERATION) : 0;
		value = virtio_mmio_config32(vm, offset);
		value |= (uint64_t)virtio_mmio_config32(vm, offset + 4) << 32;
		if (vm->version == 2 && reg_read(vm, CONFIG_GENERATION) == generation)
			break;
		if (vm->version == 1 && n > 0 && value == last)
			break;
	}
	return (value);
}

/* ---- the queue */

static uint32_t
queue_size(const struct virtio_mmio *vm)
{
	uint32_t max = reg_read(vm, QUEUE_NUM_MAX);
	uint32_t size = VIRTIO_QUEUE_SIZE;

	while (size > max)
		size /= 2;
	return (size);
}

/* The layout that the legacy interface prescribes serves the modern one too. */
static void
queue_layout(struct virtio_mmio *vm, uint8_t *memory)
{
	uint32_t avail_end = vm->size * sizeof(struct virtio_desc) + (3 + vm->size) * 2;

	vm->desc = (struct virtio_desc *)(void *)memory;
	vm->avail = (uint16_t *)(void *)(memory + vm->size * sizeof(struct virtio_desc));
	vm->used = (uint16_t *)(void *)(memory + (avail_end + LINE_BYTES - 1) / LINE_BYTES *
	    LINE_BYTES);
	for (uint32_t i = 0; i < vm->size; i++)
		vm->next[i] = (uint16_t)(i + 1);
	vm->free_head = 0;
	vm->free_count = vm->size;
}

static void
write_address(const struct virtio_mmio *vm, uint32_t reg, uint64_t address)
{
	reg_write(vm, reg, (uint32_t)address);
	reg_write(vm, reg + 4, (uint32_t)(address >> 32));
}

static void
queue_tell(const struct virtio_mmio *vm, const uint8_t *memory, uint64_t bus)
{
	reg_write(vm, QUEUE_NUM, vm->size);
	if (vm->version == 1) {
		reg_write(vm, GUEST_PAGE_SIZE, LEGACY_PAGE_BYTES);
		reg_write(vm, QUEUE_ALIGN, LINE_BYTES);
		reg_write(vm, QUEUE_PFN, (uint32_t)(bus / LEGACY_PAGE_BYTES));
		return;
	}
	write_address(vm, QUEUE_DESC, bus);
	write_address(vm, QUEUE_AVAIL, bus + (uint64_t)((uint8_t *)vm->avail - memory));
	write_address(vm, QUEUE_USED, bus + (uint64_t)((uint8_t *)vm->used - memory));
	reg_write(vm, QUEUE_READY, 1);
}

int
virtio_mmio_start(struct virtio_mmio *vm, void *memory)
{
	uint64_t pa = virt_to_phys(memory);
	uint64_t bus;

	KASSERT(pa % LEGACY_PAGE_BYTES == 0, "V3: queue memory is page aligned");
	reg_write(vm, QUEUE_SEL, 0);
	vm->size = queue_size(vm);
	if (vm->size < 4 || reg_read(vm, vm->version == 1 ? QUEUE_PFN : QUEUE_READY) != 0)
		return (ERR_NOTSUP);
	queue_layout(vm, memory);
	bus = dma_map(pa, VIRTIO_QUEUE_BYTES, DMA_TO_DEVICE);
	queue_tell(vm, memory, bus);
	status_add(vm, STATUS_DRIVER_OK);
	return (0);
}

void
virtio_mmio_stop(struct virtio_mmio *vm)
{
	status_add(vm, STATUS_FAILED);
	reset(vm);
}

bool
virtio_mmio_interrupt(struct virtio_mmio *vm)
{
	uint32_t status = reg_read(vm, INTERRUPT_STATUS);

	if (status == 0)
		return (false);
	reg_write(vm, INTERRUPT_ACK, status);
	return (true);
}

/* Whole cache lines around [at, at + bytes). */
static void
clean(const void *at, uint32_t bytes)
{
	uint64_t pa = virt_to_phys(at);
	uint64_t start = pa & ~(uint64_t)(LINE_BYTES - 1);

	(void)dma_map(start, (pa + bytes - start + LINE_BYTES - 1) & ~(uint64_t)(LINE_BYTES - 1),
	    DMA_TO_DEVICE);
}

static void
invalidate(const volatile void *at, uint32_t bytes)
{
	uint64_t pa = virt_to_phys((const void *)(uintptr_t)at);
	uint64_t start = pa & ~(uint64_t)(LINE_BYTES - 1);

	dma_unmap(start, (pa + bytes - start + LINE_BYTES - 1) & ~(uint64_t)(LINE_BYTES - 1),
	    DMA_FROM_DEVICE);
}

/* Write the chain into free descriptors; the head. Descriptors mostly lie side by
 * side, so a line is cleaned when the chain leaves it. */
static uint16_t
chain_write(struct virtio_mmio *vm, const struct virtio_buffer *buffers, uint32_t count)
{
	uint16_t head = vm->free_head, at = head;

	for (uint32_t i = 0; i < count; i++) {
		struct virtio_desc *desc = &vm->desc[at];
		uint16_t next = vm->next[at];
		bool last = i + 1 == count;

		desc->bus = buffers[i].bus;
		desc->bytes = buffers[i].bytes;
		desc->flags = (uint16_t)((buffers[i].device_writes ? DESC_WRITE : 0) |
		    (last ? 0 : DESC_NEXT));
		desc->next = last ? 0 : next;
		if (last || next / 4 != at / 4)
			clean(desc, sizeof(*desc));
		at = next;
	}
	vm->free_head = at;
	vm->free_count -= count;
	return (head);
}

int
virtio_mmio_add(struct virtio_mmio *vm, const struct virtio_buffer *buffers, uint32_t count,
    void *token)
{
	uint16_t head;
	uint16_t *slot;

	KASSERT(count > 0, "V1: a chain has descriptors");
	if (count > vm->free_count)
		return (ERR_BUSY);
	head = chain_write(vm, buffers, count);
	vm->length[head] = (uint16_t)count;
	vm->token[head] = token;
	vm->inflight_count++;
	slot = &vm->avail[2 + vm->avail_index % vm->size];
	*slot = head;
	clean(slot, sizeof(*slot));
	vm->avail_index++;
	return (0);
}

void
virtio_mmio_notify(struct virtio_mmio *vm)
{
	volatile uint16_t *flags = &vm->used[0];

	mmio_barrier(); /* descriptors and ring before the index */
	*(volatile uint16_t *)&vm->avail[1] = vm->avail_index;
	clean(&vm->avail[1], sizeof(vm->avail[1]));
	mmio_barrier(); /* index before the look at the flags */
	invalidate(flags, sizeof(*flags));
	if (!(*flags & USED_NO_NOTIFY))
		reg_write(vm, QUEUE_NOTIFY, 0);
}

/* Give the chain at head back to the free list. */
static void
chain_free(struct virtio_mmio *vm, uint16_t head)
{
	uint16_t last = head;

	for (uint32_t i = 1; i < vm->length[head]; i++)
		last = vm->next[last];
	vm->next[last] = vm->free_head;
	vm->free_head = head;
	vm->free_count += vm->length[head];
	vm->length[head] = 0;
	vm->inflight_count--;
}

int
virtio_mmio_reap(struct virtio_mmio *vm, void **token, uint32_t *bytes, const char **why)
{
	volatile uint16_t *index = &vm->used[1];
	volatile struct virtio_used *entry;
	uint32_t head;
	uint16_t ready;

	invalidate(index, sizeof(*index));
	ready = (uint16_t)(*index - vm->used_index);
	if (ready == 0)
		return (0);
	*why = "used index out of range";
	if (ready > vm->inflight_count)
		return (ERR_CORRUPT);
	mmio_barrier(); /* index before the entry */
	entry = (volatile struct virtio_used *)(void *)&vm->used[2] + vm->used_index % vm->size;
	invalidate(entry, sizeof(*entry));
	head = entry->head;
	*why = "answer to no request";
	if (head >= vm->size || vm->length[head] == 0)
		return (ERR_CORRUPT);
	*bytes = entry->bytes;
	*token = vm->token[head];
	vm->used_index++;
	chain_free(vm, (uint16_t)head);
	return (1);
}
