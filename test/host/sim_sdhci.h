/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated SDHCI 3.0 controller as BCM2835 has it (32-bit registers, PIO) with a
 * simulated card. It is strict: what hardware would get wrong fails the test.
 */
#ifndef TEST_SIM_SDHCI_H
#define TEST_SIM_SDHCI_H

#include <stdbool.h>
#include <stdint.h>

#include "test/host/sim_card.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mmio.h"

#define SIM_SDHCI_BASE  0x3f300000u
#define SIM_SDHCI_LINE  62
#define SIM_SDHCI_CLOCK 50000000u
#define SIM_SDHCI_DREQ  11

struct sim_sdhci {
	/* ---- set by the test */
	struct sim_card *card;
	bool stubborn;           /* line reset leaves the lines inhibited, as QEMU's does */
	bool mute;               /* no status at all where a card is silent, as QEMU does
	                          * with an ejected card */
	bool lose_done;          /* the next end of data does not interrupt */
	bool stuck_busy;         /* the card never leaves busy: no end of data */
	uint32_t command_us;     /* command to its answer; 0 = at once */
	uint32_t block_us;       /* between blocks; 0 = at once */
	/* ---- the controller's */
	struct sim_mmio window;
	struct sim_event command_event, data_event, busy_event;
	uint32_t blksizecnt, arg, cmdtm, resp[4];
	uint32_t control0, control1, status, enable, signal;
	bool command_inhibit, data_inhibit;
	bool writing, ready;
	uint32_t blocks_left, position;
	uint8_t buffer[512];
	uint32_t full_resets, line_resets;
	uint64_t reset_us;       /* when the whole controller was reset last */
	uint64_t written_cycles[64]; /* when each register was written last */
};

/* A controller after power-on, its registers claimed. */
void sim_sdhci_init(struct sim_sdhci *s, struct sim_card *card);

#endif
