/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SEAM between an SD controller and the DMA engine: the data phase of a command as one list.
 */
#ifndef DRIVERS_SDHOST_DMA_H
#define DRIVERS_SDHOST_DMA_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/bcm2835_dma.h"
#include "drivers/sdhost.h"
#include "lib/err.h"

/* A controller's use of a DMA channel; embedded in the controller. */
struct sdhost_dma {
	struct bcm2835_dma_port port;
	/* The controller's own error so far (ERR_IO, ERR_TIMEDOUT), or 0. Does not yield. */
	int (*look)(struct sdhost *host);
	/* Sleep until the engine has notified, the controller has an error, or us have gone. */
	void (*doze)(struct sdhost *host, uint64_t us);
	/* ---- sdhost_dma.c */
	bool off;                /* given up: PIO from then on */
	uint32_t stalls;         /* ends that did not come, one after the other */
	uint64_t end_pa;         /* where the last list's memory ends */
};

/* May the data go by DMA? Puts its memory on the channel's list then. Registers (data with
 * a buffer) and lists that are too long go by PIO. Does not yield. */
bool sdhost_dma_takes(struct sdhost_dma *dma, const struct sd_data *data);

/*
 * Move the data that sdhost_dma_takes has put on the list, all but tail_bytes at its end, and
 * wait until it is through. The error of the controller, ERR_IO when the engine reports one,
 * ERR_TIMEDOUT when there is no end. When the engine is at fault, DMA is given up with one line
 * on the console. The memory is the CPU's again. May yield.
 */
int sdhost_dma_move(struct sdhost *host, struct sdhost_dma *dma, const struct sd_data *data,
    uint32_t tail_bytes) ERR_MUST_CHECK;

#endif
