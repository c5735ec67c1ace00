/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NOR flash chips with the Intel command set, registers and all, side by side on a
 * 32-bit bus. What a chip would not understand sets its error bits, as in silicon; what a
 * driver must never do fails the test.
 */
#ifndef TEST_SIM_CFI_H
#define TEST_SIM_CFI_H

#include <stdbool.h>
#include <stdint.h>

#include "test/host/sim_mmio.h"

#define SIM_CFI_BASE  0x04000000u
#define SIM_CFI_LANES 4u

/* What a chip waits for, and what it shows. */
enum sim_cfi_expect { SIM_CFI_COMMAND, SIM_CFI_WORD, SIM_CFI_COUNT, SIM_CFI_DATA,
	SIM_CFI_CONFIRM, SIM_CFI_ERASE, SIM_CFI_LOCK };
enum sim_cfi_show { SIM_CFI_ARRAY, SIM_CFI_STATUS, SIM_CFI_QUERY };

struct sim_cfi_chip {
	uint8_t status;       /* error bits; ready is computed */
	uint8_t expect, show;
	uint32_t left;        /* words still to come */
	uint32_t buffer_at;   /* first word of the buffered program */
	uint32_t staged[1024]; /* words of it */
	uint32_t staged_count;
	bool erasing, suspended;
	uint32_t erase_at;    /* word in the block */
	uint64_t busy_until_us;
	uint64_t left_us;     /* of a suspended erase */
};

struct sim_cfi {
	struct sim_mmio window;
	uint8_t *bytes;
	struct sim_cfi_chip chips[SIM_CFI_LANES];
	uint8_t query[256];   /* as one chip answers */
	bool locked[64];      /* blocks */
	/* counted */
	uint32_t erases, buffers, words, suspends, resumes, unlocks;
	/* ---- configuration */
	uint32_t lane_bits;   /* 8, 16, 32; 0: nothing answers */
	uint32_t block_bytes, block_count; /* of all lanes together */
	uint32_t word_us, buffer_us, erase_us; /* times; of lane 1 a little longer */
	uint32_t suspend_us;  /* until a chip has suspended; 0: the usual time */
	uint32_t odd_at;      /* byte of the query of which lane 1 says something else; 0: none */
	uint8_t fail_status;  /* error bits after the next program or erase, of lane 1 */
	bool stuck;           /* nothing that begins ends */
	uint32_t buffer_wait_us; /* until a chip has a buffer */
	uint32_t buffer_words; /* most words of a chip in one buffer */
};

/* Chips of 16 bits, 2 MiB in 16 blocks of 128 KiB, features none, erased; registered. */
void sim_cfi_init(struct sim_cfi *s);
/* Fill in query from the configuration again. */
void sim_cfi_query_make(struct sim_cfi *s);
void sim_cfi_close(struct sim_cfi *s);

#endif
