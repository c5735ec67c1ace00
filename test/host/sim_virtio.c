/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated virtio block device behind virtio-mmio.
 *
 * Owns: the device's registers and content.
 * Does not: suppress notifications or interrupts.
 * Invariants:
 *   W1 the driver follows the handshake before it uses the queue;
 *   W2 a request is header, data, status; its limits are those that were stated;
 *   W3 after a reset nothing is touched any more.
 * Yields: never (raises interrupts).
 * See: VIRTIO 1.1, 2.6, 4.2, 5.2.
 */
#include "test/host/sim_virtio.h"

#include <stdlib.h>
#include <string.h>

#include "lib/assert.h"

#define F_SIZE_MAX  (1ull << 1)
#define F_SEG_MAX   (1ull << 2)
#define F_RO        (1ull << 5)
#define F_BLK_SIZE  (1ull << 6)
#define F_FLUSH     (1ull << 9)
#define F_DISCARD   (1ull << 13)
#define F_VERSION_1 (1ull << 32)

#define DRIVER_OK 4u

static char anchor;

struct desc {
	uint64_t address;
	uint32_t bytes;
	uint16_t flags, next;
};

struct used {
	uint32_t head, bytes;
};

struct header {
	uint32_t type, reserved;
	uint64_t sector;
};

static struct desc *
desc_at(const struct sim_virtio *v, uint16_t i)
{
	KASSERT(i < v->queue_size, "W2: a descriptor of the queue");
	return ((struct desc *)phys_to_virt(v->desc) + i);
}

/* ---- answering */

static void
used_put(struct sim_virtio *v, uint16_t head, uint32_t bytes)
{
	uint16_t *ring = phys_to_virt(v->used);
	struct used *entry = (struct used *)(void *)(ring + 2) + ring[1] % v->queue_size;
	bool garble = v->garbage != SIM_VIRTIO_SANE && v->garbage_after == 0;

	if (v->garbage_after > 0)
		v->garbage_after--;
	*entry = (struct used){ head, bytes };
	if (garble && v->garbage == SIM_VIRTIO_HEAD)
		entry->head = v->queue_size + 5;
	if (garble && v->garbage == SIM_VIRTIO_TWICE)
		entry->head = (head + 1) % v->queue_size;
	if (garble && v->garbage == SIM_VIRTIO_LONG)
		entry->bytes += 512;
	if (garble && v->garbage == SIM_VIRTIO_SHORT)
		entry->bytes = 0;
	ring[1] = (uint16_t)(ring[1] + (garble && v->garbage == SIM_VIRTIO_INDEX ? 77 : 1));
}

struct range {
	uint64_t sector;
	uint32_t sector_count, flags;
};

static uint8_t
discard(struct sim_virtio *v, const struct desc *d)
{
	const struct range *r = phys_to_virt(d->address);

	KASSERT((v->features & F_DISCARD) != 0 && (d->flags & 2) == 0 && d->bytes == 16,
	    "W2: a discard of one range");
	KASSERT(r->sector_count <= v->discard_max && r->sector % v->discard_align == 0 &&
	    r->sector_count % v->discard_align == 0, "W2: within what was offered");
	if (r->flags != 0 || r->sector + r->sector_count > v->capacity)
		return (2);
	if (v->bad_sector >= r->sector && v->bad_sector < r->sector + r->sector_count)
		return (1);
	memset(v->bytes + r->sector * 512, 0, r->sector_count * 512ul);
	v->discards++;
	return (0);
}

static uint8_t
data_move(struct sim_virtio *v, const struct header *h, uint64_t *offset, const struct desc *d)
{
	bool in = h->type == 0;
	uint8_t *memory = phys_to_virt(d->address);

	if (h->type == 11)
		return (discard(v, d));

	KASSERT(((d->flags & 2) != 0) == (h->type == 0 || h->type == 8), "W2: direction");
	if (h->type == 8) {
		memset(memory, 0, d->bytes);
		memcpy(memory, v->serial, strnlen(v->serial, d->bytes));
		return (0);
	}
	KASSERT(!(v->features & F_SIZE_MAX) || d->bytes <= v->size_max, "W2: segment size");
	if (d->bytes > v->segment_bytes_seen)
		v->segment_bytes_seen = d->bytes;
	if (*offset + d->bytes > v->capacity * 512)
		return (1);
	if (v->bad_sector * 512 >= *offset && v->bad_sector * 512 < *offset + d->bytes)
		return (1);
	if (in)
		memcpy(memory, v->bytes + *offset, d->bytes);
	else
		memcpy(v->bytes + *offset, memory, d->bytes);
	*offset += d->bytes;
	return (0);
}

static void
serve(struct sim_virtio *v, uint16_t head)
{
	const struct desc *d = desc_at(v, head);
	const struct header *h = phys_to_virt(d->address);
	uint64_t offset = h->sector * 512;
	uint32_t segments = 0, written = 1;
	uint8_t status = 0;
	bool garble = v->garbage == SIM_VIRTIO_NO_STATUS && v->garbage_after == 0;

	KASSERT(d->bytes == 16 && !(d->flags & 2) && (d->flags & 1), "W2: header first");
	for (d = desc_at(v, d->next); d->flags & 1; d = desc_at(v, d->next)) {
		uint8_t result = data_move(v, h, &offset, d);

		segments++;
		status = result != 0 ? result : status;
		if (d->flags & 2)
			written += d->bytes;
	}
	KASSERT(d->bytes == 1 && (d->flags & 2), "W2: status last");
	if (h->type == 4)
		v->flushes++;
	if (h->type == 1 && v->features & F_RO)
		status = 1;
	if (h->type == 8 && v->serial == NULL)
		status = 2;
	if (h->type <= 1)
		KASSERT(!(v->features & F_SEG_MAX) || segments <= v->seg_max,
		    "W2: segment count");
	if (segments > v->segments_seen)
		v->segments_seen = segments;
	v->requests++;
	if (!garble)
		*(uint8_t *)phys_to_virt(d->address) = status;
	used_put(v, head, written);
}

/* Answer one request, or all; raise the interrupt. */
static void
answer(void *arg)
{
	struct sim_virtio *v = arg;

	KASSERT(v->ready && v->status & DRIVER_OK, "W3: in use");
	while (v->waiting_count > 0) {
		uint32_t i = v->shuffle ? sim_random(v->waiting_count) : 0;
		uint16_t head = v->waiting[i];

		memmove(&v->waiting[i], &v->waiting[i + 1],
		    (--v->waiting_count - i) * sizeof(v->waiting[0]));
		serve(v, head);
		if (v->latency_us != 0 && !v->batch)
			break;
	}
	v->interrupt |= 1;
	sim_irq_raise(v->line);
	if (v->waiting_count > 0)
		sim_event_schedule(&v->event, v->latency_us, answer, v);
}

static void
notified(struct sim_virtio *v)
{
	const uint16_t *ring = phys_to_virt(v->avail);

	KASSERT(v->ready && v->status & DRIVER_OK, "W1: DRIVER_OK before the first request");
	v->notifies++;
	for (; v->seen != ring[1]; v->seen++) {
		KASSERT(v->waiting_count < SIM_VIRTIO_REQUESTS, "W2: no more than fit");
		v->waiting[v->waiting_count++] = ring[2 + v->seen % v->queue_size];
	}
	if (v->waiting_count > v->waiting_max)
		v->waiting_max = v->waiting_count;
	if (v->deaf)
		return;
	if (v->latency_us == 0)
		answer(v);
	else if (!v->event.pending)
		sim_event_schedule(&v->event, v->latency_us, answer, v);
}

/* ---- registers */

static uint32_t
config_read(const struct sim_virtio *v, uint32_t offset)
{
	switch (offset) {
	case 0x00: return ((uint32_t)v->capacity);
	case 0x04: return ((uint32_t)(v->capacity >> 32));
	case 0x08: return (v->size_max);
	case 0x0c: return (v->seg_max);
	case 0x14: return (v->blk_size);
	case 0x24: return (v->discard_max);
	case 0x2c: return (v->discard_align);
	default: return (0);
	}
}

static uint32_t
virtio_read(void *device, uint32_t offset)
{
	const struct sim_virtio *v = device;

	if (offset >= 0x100)
		return (config_read(v, offset - 0x100));
	switch (offset) {
	case 0x000: return (0x74726976);
	case 0x004: return (v->version);
	case 0x008: return (v->device_id);
	case 0x010: return ((uint32_t)(v->features_sel ? v->features >> 32 : v->features));
	case 0x034: return (v->queue_max);
	case 0x040: return (v->version == 1 && v->ready ? (uint32_t)(v->desc / v->page_bytes) : 0);
	case 0x044: return (v->version == 2 && v->ready);
	case 0x060: return (v->interrupt);
	case 0x070: return (v->status);
	default: return (0);
	}
}

static void
reset(struct sim_virtio *v)
{
	sim_event_cancel(&v->event);
	v->ready = false;
	v->status = v->interrupt = 0;
	v->seen = 0;
	v->waiting_count = 0;
	v->desc = v->avail = v->used = 0;
}

static void
status_write(struct sim_virtio *v, uint32_t value)
{
	if (value == 0) {
		reset(v);
		return;
	}
	if (value & 8 && v->driver_features & ~v->features)
		value &= ~8u;
	v->status = value;
}

static void
legacy_pfn(struct sim_virtio *v, uint32_t pfn)
{
	uint64_t end, near = (uintptr_t)&anchor;

	KASSERT(v->page_bytes != 0 && v->queue_align != 0, "W1: page size and alignment first");
	/* A page number of 32 bits does not reach static memory of a Linux process; the
	 * driver's lies not far from ours. */
	v->desc = near + (uint64_t)((int64_t)(((uint64_t)pfn * v->page_bytes - near) << 20) >> 20);
	v->avail = v->desc + v->queue_size * 16;
	end = v->avail + (3 + v->queue_size) * 2;
	v->used = (end + v->queue_align - 1) / v->queue_align * v->queue_align;
	v->ready = true;
}

static void
set_half(uint64_t *address, uint32_t offset, uint32_t value)
{
	if (offset & 4)
		*address = (*address & UINT32_MAX) | (uint64_t)value << 32;
	else
		*address = (*address & ~(uint64_t)UINT32_MAX) | value;
}

static void
virtio_write(void *device, uint32_t offset, uint32_t value)
{
	struct sim_virtio *v = device;

	switch (offset) {
	case 0x014: v->features_sel = value; break;
	case 0x020: set_half(&v->driver_features, v->driver_sel * 4, value); break;
	case 0x024: v->driver_sel = value; break;
	case 0x028: v->page_bytes = value; break;
	case 0x038: v->queue_size = value; break;
	case 0x03c: v->queue_align = value; break;
	case 0x040: legacy_pfn(v, value); break;
	case 0x044: v->ready = value != 0; break;
	case 0x050: notified(v); break;
	case 0x064: v->interrupt &= ~value; break;
	case 0x070: status_write(v, value); break;
	case 0x080: case 0x084: set_half(&v->desc, offset, value); break;
	case 0x090: case 0x094: set_half(&v->avail, offset, value); break;
	case 0x0a0: case 0x0a4: set_half(&v->used, offset, value); break;
	default: break;
	}
}

void
sim_virtio_empty(struct sim_virtio *v, uint32_t slot)
{
	memset(v, 0, sizeof(*v));
	v->version = 2;
	v->line = SIM_VIRTIO_LINE + slot;
	v->window = (struct sim_mmio){ .base = SIM_VIRTIO_BASE + slot * SIM_VIRTIO_STRIDE,
		.bytes = SIM_VIRTIO_STRIDE, .read = virtio_read, .write = virtio_write,
		.device = v };
	sim_mmio_add(&v->window);
}

void
sim_virtio_init(struct sim_virtio *v, uint32_t slot, uint64_t capacity)
{
	sim_virtio_empty(v, slot);
	v->device_id = 2;
	v->features = F_SEG_MAX | F_BLK_SIZE | F_FLUSH | F_DISCARD | F_VERSION_1;
	v->seg_max = 126;
	v->blk_size = 512;
	v->discard_max = 100;
	v->discard_align = 4;
	v->queue_max = 1024;
	v->capacity = capacity;
	v->bad_sector = UINT64_MAX / 1024;
	v->serial = "simulated";
	v->bytes = malloc(capacity * 512);
	KASSERT(v->bytes != NULL, "W4: memory for the disk");
	for (uint64_t i = 0; i < capacity * 512; i++)
		v->bytes[i] = (uint8_t)(i * 31 + i / 512);
}

void
sim_virtio_free(struct sim_virtio *v)
{
	sim_event_cancel(&v->event);
	free(v->bytes);
	v->bytes = NULL;
}
