/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data phase of an SD command by DMA: what both controllers do alike.
 *
 * The wait ends when the channel has come to its end, the controller or the engine reports an
 * error, or time is up. Neither kind of error is sure to interrupt, and an interrupt may be
 * lost: every DMA_LOOK_US the registers are looked at all the same.
 *
 * An engine that reports an error, or twice in a row does not come to its end while
 * the controller sees nothing wrong, is not used again: the transfer is repeated by the
 * processor, as are all that follow.
 *
 * Owns: the choice between DMA and PIO.
 * Does not: touch registers; repeat a transfer (sdcard.c).
 * Invariants:
 *   G1 the channel has stopped and the memory is the CPU's when sdhost_dma_move returns;
 *   G2 cache maintenance, some four instructions a line, runs between two yields.
 * Yields: sdhost_dma_move.
 * See: drivers/bcm2835_dma.h, drivers/sdhost.h.
 */
#include "drivers/sdhost_dma.h"

#include <stddef.h>

#include "drivers/drivers_params.h"
#include "kern/console.h"
#include "kern/sched.h"
#include "kern/timer.h"

#define DMA_WAIT_US       1000000u
#define DMA_BLOCK_WAIT_US 5000u   /* on top, for each block: 100 KB/s */
#define DMA_LOOK_US       10000u
#define STALLS_MAX        2u

bool
sdhost_dma_takes(struct sdhost_dma *dma, const struct sd_data *data)
{
	struct sd_data at = *data;

	if (dma->port.dma == NULL || dma->off || data->buffer != NULL)
		return (false);
	bcm2835_dma_begin(dma->port.dma);
	for (;;) {
		uint32_t bytes;
		uint64_t pa = sd_data_piece(&at, &bytes);

		if (bytes == 0)
			return (true);
		if (bcm2835_dma_add(dma->port.dma, pa, bytes) != 0)
			return (false);
		dma->end_pa = pa + bytes;
		sd_data_advance(&at, bytes);
	}
}

/* 0, or why the wait is over; *at_fault: it is the engine. */
static int
wait(struct sdhost *host, struct sdhost_dma *dma, uint64_t timeout_us, bool *at_fault)
{
	uint64_t deadline_us = timer_now_us() + timeout_us;

	*at_fault = false;
	for (;;) {
		int error = dma->look(host);
		int state = error != 0 ? error : bcm2835_dma_state(dma->port.dma);

		*at_fault = error == 0 && state != 0;
		if (state != ERR_BUSY)
			return (state);
		if (timer_now_us() >= deadline_us) {
			drivers_params.sd_timeouts++;
			return (ERR_TIMEDOUT);
		}
		dma->doze(host, DMA_LOOK_US);
	}
}

static void
judge(struct sdhost *host, struct sdhost_dma *dma, int error, bool at_fault)
{
	dma->stalls = at_fault ? dma->stalls + 1 : 0;
	if (!at_fault || (error == ERR_TIMEDOUT && dma->stalls < STALLS_MAX))
		return;
	dma->off = true;
	kprintf("%s: DMA channel %u %s; the processor moves the data from now on\n", host->name,
	    (unsigned)bcm2835_dma_channel(dma->port.dma),
	    error == ERR_TIMEDOUT ? "does not come to its end" : "reports an error");
}

int
sdhost_dma_move(struct sdhost *host, struct sdhost_dma *dma, const struct sd_data *data,
    uint32_t tail_bytes)
{
	bool at_fault;
	int error;

	sched_maybe_yield(); /* G2 */
	bcm2835_dma_start(&dma->port, data->write, tail_bytes);
	error = wait(host, dma, DMA_WAIT_US + (uint64_t)data->block_count * DMA_BLOCK_WAIT_US,
	    &at_fault);
	bcm2835_dma_end(dma->port.dma);
	sched_maybe_yield();
	judge(host, dma, error, at_fault);
	return (error);
}
