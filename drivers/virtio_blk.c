/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio block devices: "vd0", "vd1", ...
 *
 * A chain of merged bios taken from the block layer is a transfer. It goes to the
 * device as one request, or as several when it has more segments than the device
 * or the free descriptors allow. Transfers are worked on side by side, so the
 * device always has what the queue can hold.
 *
 *   blk_next        request_issue           reap             all its requests back
 *   ------> transfer ------------> request -------> (free) -----------------> bio_done
 *              |  partly issued: stays `filling` until descriptors come free
 *
 * A device that answers nothing for ANSWER_WAIT_US while requests are out has failed.
 *
 * Owns: the disks' softc and their DMA page; every transfer between blk_next and
 *   bio_done.
 * Does not: know rings (virtio_mmio.c), retry (a virtio device does that itself).
 * Invariants:
 *   K1 only the transfer `filling` is partly issued;
 *   K2 a transfer is finished when it is issued in full (or failed) and has no
 *      request out;
 *   K3 the lock is not held during bio_done, whose callbacks may submit;
 *   K4 whenever something waits, something is in flight whose end will issue it;
 *   K5 a failed disk has nothing in flight: the device was reset;
 *   K9 while a request is out the watch is pending, so a request waits for at most twice
 *      ANSWER_WAIT_US.
 * Yields: only vblk_serial_read.
 * See: VIRTIO 1.1, 5.2 (block device); virtio_blk_attach.c brings a disk up.
 */
#include <stddef.h>
#include <string.h>

#include "drivers/drivers_params.h"
#include "drivers/virtio_blk_internal.h"
#include "kern/console.h"
#include "kern/machdep.h"
#include "kern/sched.h"
#include "kern/trace.h"
#include "lib/assert.h"

#define SERIAL_WAIT_US 1000000
/* A host under load may take seconds. Looked at in small steps: where time jumps while all
 * sleep (QEMU -icount), a single long one would be over at once. */
#define WATCH_STEP_US  10000
#define WATCH_STEPS    3000
#define ANSWER_WAIT_US (WATCH_STEP_US * WATCH_STEPS)

/* ---- issuing */

static struct vblk_request *
request_get(struct vblk *vb)
{
	for (uint32_t i = 0; i < VBLK_REQUESTS; i++)
		if (!vb->requests[i].used)
			return (&vb->requests[i]);
	return (NULL);
}

/* Move the cursor over what has just been put into buffers. */
static void
cursor_advance(struct vblk_transfer *t, uint32_t bytes)
{
	t->offset_bytes += bytes;
	t->block += bytes / VBLK_BLOCK_BYTES;
	if (t->offset_bytes < t->bio->segments[t->segment].bytes)
		return;
	t->offset_bytes = 0;
	if (++t->segment < t->bio->segment_count)
		return;
	t->segment = 0;
	t->bio = t->bio->merged_next;
}

/* Fill buffers[1..] from the cursor, at most room of them; bytes taken. */
static uint32_t
data_take(struct vblk *vb, struct vblk_transfer *t, uint32_t room, uint32_t *count)
{
	bool in = t->first->op == BIO_READ;
	uint32_t total = 0;

	for (*count = 0; *count < room && t->bio != NULL; (*count)++) {
		const struct bio_segment *segment = &t->bio->segments[t->segment];
		uint32_t bytes = segment->bytes - t->offset_bytes;

		if (bytes > vb->segment_bytes_max)
			bytes = vb->segment_bytes_max;
		vb->buffers[1 + *count] = (struct virtio_buffer){
			dma_map(segment->pa + t->offset_bytes, bytes,
			    in ? DMA_FROM_DEVICE : DMA_TO_DEVICE), bytes, in };
		total += bytes;
		cursor_advance(t, bytes);
	}
	return (total);
}

/* Put header and status around data_count buffers and queue the request. */
static void
request_send(struct vblk *vb, struct vblk_request *r, uint32_t type, uint64_t sector,
    uint32_t data_count)
{
	struct vblk_wire *wire = &vb->dma->wires[r - vb->requests];
	int error;

	wire->header.type = type;
	wire->header.reserved = 0;
	wire->header.sector = sector;
	wire->status = VBLK_STATUS_PENDING;
	(void)dma_map(virt_to_phys((const void *)(uintptr_t)&wire->status), VBLK_LINE_BYTES,
	    DMA_TO_DEVICE);
	vb->buffers[0] = (struct virtio_buffer){
		dma_map(virt_to_phys(&wire->header), VBLK_LINE_BYTES, DMA_TO_DEVICE),
		sizeof(wire->header), false };
	vb->buffers[1 + data_count] = (struct virtio_buffer){
		dma_map(virt_to_phys((const void *)(uintptr_t)&wire->status), VBLK_LINE_BYTES,
		    DMA_FROM_DEVICE), 1, true };
	if (type == VBLK_DISCARD)
		vb->buffers[1] = (struct virtio_buffer){
			vb->buffers[0].bus + offsetof(struct vblk_wire, discard),
			sizeof(wire->discard), false };
	r->used = true;
	error = virtio_mmio_add(&vb->vm, vb->buffers, data_count + 2, r);
	KASSERT(error == 0, "K6: room in the queue was checked before");
}

/* Discard what t has left, as much as one request may. */
static void
discard_issue(struct vblk *vb, struct vblk_request *r, struct vblk_transfer *t)
{
	struct vblk_wire *wire = &vb->dma->wires[r - vb->requests];
	uint64_t left = t->first->block + t->first->block_count - t->block;

	wire->discard.sector = t->block;
	wire->discard.sector_count = left < vb->discard_blocks_max ? (uint32_t)left :
	    vb->discard_blocks_max;
	wire->discard.flags = 0;
	t->block += wire->discard.sector_count;
	if (wire->discard.sector_count == left)
		t->bio = NULL;
	request_send(vb, r, VBLK_DISCARD, 0, 1);
}

/* One request from t's cursor; false when the device has no room for more. */
static bool
request_issue(struct vblk *vb, struct vblk_transfer *t)
{
	struct vblk_request *r = request_get(vb);
	uint64_t sector = t->block;
	uint32_t room = vb->vm.free_count > 2 ? vb->vm.free_count - 2 : 0;
	uint32_t bytes = 0, count = 0;

	if (r == NULL || room == 0)
		return (false);
	if (room > vb->segments_max)
		room = vb->segments_max;
	if (t->first->op == BIO_FLUSH) {
		t->bio = NULL;
		request_send(vb, r, VBLK_FLUSH, 0, 0);
	} else if (t->first->op == BIO_ERASE) {
		discard_issue(vb, r, t);
	} else {
		bytes = data_take(vb, t, room, &count);
		request_send(vb, r, t->first->op == BIO_READ ? VBLK_IN : VBLK_OUT, sector, count);
	}
	r->transfer = t;
	r->expect_bytes = 1 + (t->first->op == BIO_READ ? bytes : 0);
	t->out_count++;
	return (true);
}

static struct vblk_transfer *
transfer_get(struct vblk *vb)
{
	for (uint32_t i = 0; i < VBLK_REQUESTS; i++)
		if (vb->transfers[i].first == NULL)
			return (&vb->transfers[i]);
	return (NULL);
}

/* The next transfer to issue from: the one under way, or a new one. */
static struct vblk_transfer *
transfer_next(struct vblk *vb)
{
	struct vblk_transfer *t = vb->filling;
	struct bio *first;

	if (t != NULL)
		return (t);
	t = transfer_get(vb);
	if (t == NULL || vb->vm.free_count <= 2)
		return (NULL);
	first = blk_next(&vb->dev);
	if (first == NULL)
		return (NULL);
	*t = (struct vblk_transfer){ .first = first, .bio = first, .block = first->block };
	vb->filling = t;
	return (t);
}

static void watch_expired(void *arg);

/* K9. Lock held. */
static void
watch_set(struct vblk *vb)
{
	if (vb->watch.pending || vb->failed || vb->vm.inflight_count == 0)
		return;
	callout_reset(&vb->watch, WATCH_STEP_US, watch_expired, vb);
}

/* Give the device all that it can take. Lock held. */
static void
fill(struct vblk *vb)
{
	struct vblk_transfer *t;
	bool added = false;

	while (!vb->failed && (t = transfer_next(vb)) != NULL && request_issue(vb, t)) {
		added = true;
		if (t->bio == NULL)
			vb->filling = NULL;
	}
	if (vb->vm.inflight_count > drivers_params.vblk_inflight_max)
		drivers_params.vblk_inflight_max = vb->vm.inflight_count;
	if (added)
		virtio_mmio_notify(&vb->vm);
	watch_set(vb);
}

/* ---- finishing */

/* The device wrote behind the caches. */
static void
chain_unmap(const struct bio *first)
{
	if (first->op != BIO_READ)
		return;
	for (const struct bio *bio = first; bio != NULL; bio = bio->merged_next)
		for (uint32_t i = 0; i < bio->segment_count; i++)
			dma_unmap(bio->segments[i].pa, bio->segments[i].bytes, DMA_FROM_DEVICE);
}

/* A transfer that is over (K2): its chain, and *error; NULL if none. Lock held. */
static struct bio *
finished_get(struct vblk *vb, int *error)
{
	struct vblk_transfer *t = vb->finished;
	struct bio *first;

	if (t == NULL)
		return (NULL);
	vb->finished = t->next;
	first = t->first;
	*error = t->error;
	t->first = NULL;
	return (first);
}

static void
finished_put(struct vblk *vb, struct vblk_transfer *t)
{
	t->next = vb->finished;
	vb->finished = t;
}

/* A chain to complete: a finished transfer's, or of a failed disk what still
 * waits; NULL and `completing` cleared when there is none. Lock held. */
static struct bio *
complete_next(struct vblk *vb, int *error)
{
	struct bio *first = finished_get(vb, error);

	if (first == NULL && vb->failed) {
		first = blk_next(&vb->dev);
		*error = ERR_IO;
	}
	vb->completing = first != NULL;
	return (first);
}

/* Complete what is over. A callback that submits again to a failed disk comes back
 * here: its request is left to the loop that runs. */
static void
complete(struct vblk *vb)
{
	struct bio *first;
	int error = 0;

	irq_lock_acquire(&vb->lock);
	if (vb->completing) {
		irq_lock_release(&vb->lock);
		return;
	}
	while ((first = complete_next(vb, &error)) != NULL) {
		irq_lock_release(&vb->lock);
		drivers_params.vblk_requests++;
		if (error != 0)
			drivers_params.vblk_errors++;
		chain_unmap(first);
		bio_done(first, error);
		irq_lock_acquire(&vb->lock);
	}
	irq_lock_release(&vb->lock);
}

/* The device broke the protocol: reset it, fail everything. Lock held. */
static void
give_up(struct vblk *vb, const char *why)
{
	virtio_mmio_stop(&vb->vm);
	vb->failed = true;
	vb->filling = NULL;
	for (uint32_t i = 0; i < VBLK_REQUESTS; i++) {
		struct vblk_transfer *t = &vb->transfers[i];

		vb->requests[i].used = false;
		if (t->first == NULL)
			continue;
		if (t->bio != NULL || t->out_count != 0)
			finished_put(vb, t);
		t->bio = NULL;
		t->out_count = 0;
		t->error = ERR_IO;
	}
	vb->id_done = true;
	wakeup(&vb->id_done);
	vb->why = why;
	drivers_params.vblk_failed++;
	trace(TRACE_DEVERR, VBLK_STATUS_PENDING, 0, 0);
}

/* Say once why a disk failed. Lock not held: the console may take its time. */
static void
announce(struct vblk *vb)
{
	const char *why = vb->why;

	if (why == NULL)
		return;
	vb->why = NULL;
	kprintf("%s: the device broke the virtio protocol (%s); it is not used any more\n",
	    vb->dev.name, why);
}

static void
request_finish(struct vblk *vb, struct vblk_request *r, uint8_t status)
{
	struct vblk_transfer *t = r->transfer;

	vb->answers++;
	r->used = false;
	if (t == NULL) {
		vb->id_status = status;
		vb->id_done = true;
		wakeup(&vb->id_done);
		return;
	}
	if (status != VBLK_STATUS_OK) {
		trace(TRACE_DEVERR, status, t->first->op, t->first->block);
		if (t->error == 0)
			t->error = status == VBLK_STATUS_UNSUPP ? ERR_NOTSUP : ERR_IO;
	}
	if (--t->out_count == 0 && t->bio == NULL)
		finished_put(vb, t);
}

/* What is wrong with the answer, or NULL. Legacy devices are known to give wrong
 * lengths (2.6.8.2), so theirs are not looked at. */
static const char *
answer_fault(const struct vblk *vb, const struct vblk_request *r, uint8_t status, uint32_t bytes)
{
	if (status == VBLK_STATUS_PENDING)
		return ("request returned without a status");
	if (vb->vm.version == 1)
		return (NULL);
	if (bytes > r->expect_bytes || (status == VBLK_STATUS_OK && bytes < r->expect_bytes))
		return ("wrong length");
	return (NULL);
}

/* Take back everything that the device has finished. Lock held. */
static void
reap(struct vblk *vb)
{
	const char *why = NULL;
	uint32_t bytes;
	void *token;
	int found;

	while (!vb->failed && (found = virtio_mmio_reap(&vb->vm, &token, &bytes, &why)) != 0) {
		struct vblk_request *r = token;
		struct vblk_wire *wire;
		uint8_t status;

		if (found < 0) {
			give_up(vb, why);
			return;
		}
		wire = &vb->dma->wires[r - vb->requests];
		dma_unmap(virt_to_phys((const void *)(uintptr_t)&wire->status), VBLK_LINE_BYTES,
		    DMA_FROM_DEVICE);
		status = wire->status;
		why = answer_fault(vb, r, status, bytes);
		if (why != NULL)
			give_up(vb, why);
		else
			request_finish(vb, r, status);
	}
}

static void
vblk_start(struct blkdev *dev)
{
	struct vblk *vb = dev->softc;

	irq_lock_acquire(&vb->lock);
	fill(vb);
	irq_lock_release(&vb->lock);
	if (vb->failed)
		complete(vb);
}

static void
vblk_poll(struct blkdev *dev)
{
	struct vblk *vb = dev->softc;

	irq_lock_acquire(&vb->lock);
	reap(vb);
	fill(vb);
	irq_lock_release(&vb->lock);
	announce(vb);
	complete(vb);
	/* Only now are the transfers of what was completed free for what still waits. */
	if (dev->queued_count > 0 || vb->filling != NULL)
		vblk_start(dev);
}

/* Callout: has the device answered anything of late? An answer of which no interrupt told
 * counts. */
static void
watch_expired(void *arg)
{
	struct vblk *vb = arg;

	irq_lock_acquire(&vb->lock);
	reap(vb);
	if (vb->answers != vb->answers_seen || vb->vm.inflight_count == 0)
		vb->watch_steps = 0;
	vb->answers_seen = vb->answers;
	if (!vb->failed && vb->vm.inflight_count != 0 && ++vb->watch_steps > WATCH_STEPS)
		give_up(vb, "no answer for 30 seconds");
	irq_lock_release(&vb->lock);
	vblk_poll(&vb->dev);
}

void
vblk_interrupt(void *arg)
{
	struct vblk *vb = arg;

	drivers_params.vblk_irqs++;
	if (virtio_mmio_interrupt(&vb->vm))
		vblk_poll(&vb->dev);
}

const struct blkdev_ops vblk_ops = {
	.start = vblk_start,
	.poll = vblk_poll,
};

/* ---- GET_ID */

/* GET_ID (5.2.6): 20 bytes, not always terminated. Not having one is no error. */
void
vblk_serial_read(struct vblk *vb)
{
	struct vblk_request *r;
	uint64_t pa = virt_to_phys(vb->dma->serial);

	irq_lock_acquire(&vb->lock);
	r = request_get(vb);
	r->transfer = NULL;
	r->expect_bytes = VBLK_SERIAL_BYTES + 1;
	vb->buffers[1] = (struct virtio_buffer){ dma_map(pa, VBLK_LINE_BYTES, DMA_FROM_DEVICE),
		VBLK_SERIAL_BYTES, true };
	request_send(vb, r, VBLK_GET_ID, 0, 1);
	virtio_mmio_notify(&vb->vm);
	while (!vb->id_done)
		if (msleep(&vb->id_done, &vb->lock, "vblkid", SERIAL_WAIT_US) != 0)
			break;
	if (!vb->id_done)
		give_up(vb, "no answer to the first request");
	irq_lock_release(&vb->lock);
	announce(vb);
	dma_unmap(pa, VBLK_LINE_BYTES, DMA_FROM_DEVICE);
	if (!vb->failed && vb->id_status == VBLK_STATUS_OK)
		memcpy(vb->serial, vb->dma->serial, VBLK_SERIAL_BYTES);
}
