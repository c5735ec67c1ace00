/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated SDHOST controller of BCM2835 with a simulated card. It is strict: what
 * hardware would get wrong fails the test.
 */
#ifndef TEST_SIM_SDHOST_H
#define TEST_SIM_SDHOST_H

#include <stdbool.h>
#include <stdint.h>

#include "test/host/sim_card.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mmio.h"

#define SIM_SDHOST_BASE  0x3f202000u
#define SIM_SDHOST_LINE  56
#define SIM_SDHOST_CLOCK 250000000u
#define SIM_SDHOST_DREQ  13

struct sim_sdhost {
	/* ---- set by the test */
	struct sim_card *card;
	bool lazy_fsm;           /* stays in READWAIT and WRITESTART1 until forced (silicon) */
	bool mute;               /* NEW stays where a card is silent */
	bool lose_done;          /* the next end of data does not interrupt */
	bool stuck_busy;         /* the FSM never comes back from the next data phases */
	uint32_t command_us;     /* command to its answer; 0 = at once */
	uint32_t block_us;       /* for a block; 0 = at once */
	/* ---- the controller's */
	struct sim_mmio window;
	struct sim_event command_event, data_event, busy_event;
	uint32_t cmd, arg, tout, cdiv, resp[4], hsts, vdd, edm, hcfg, hbct, hblc;
	uint32_t fifo[16];
	uint32_t fifo_first, fifo_words;
	bool reading, writing;
	bool refused;            /* the card has refused a block: no more of them */
	uint32_t blocks_left, position; /* of the block between card and FIFO */
	uint8_t buffer[512];
	uint64_t power_us;       /* when VDD was written last */
	uint64_t power_clocks;   /* slow ones since then, */
	uint64_t clock_us;       /* as counted here */
	uint32_t full_resets;
};

/* A controller after power-on, its registers claimed. */
void sim_sdhost_init(struct sim_sdhost *s, struct sim_card *card);

#endif
