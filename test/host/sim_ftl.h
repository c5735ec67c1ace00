/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The translation layer of a simple memory card, as far as the cost of writes goes.
 *
 * The card keeps a few units open. An open unit takes writes in ascending order; what lies
 * between is copied from the unit's old place. A write behind the last one, and a unit
 * that must close because another is wanted, cost the copying of the rest. Erased pages are
 * copied no more.
 */
#ifndef TEST_SIM_FTL_H
#define TEST_SIM_FTL_H

#include <stdbool.h>
#include <stdint.h>

#define SIM_FTL_OPEN_MAX 8u

struct sim_ftl_open {
	uint32_t unit;
	uint32_t next_page; /* in the unit */
	uint64_t used;      /* when last written */
	bool in_use;
};

struct sim_ftl {
	uint8_t *written; /* a byte a page: holds data for all the card knows */
	uint32_t page_count;
	uint64_t programs, copies, erases, clock;
	struct sim_ftl_open open[SIM_FTL_OPEN_MAX];
	/* ---- configuration */
	uint32_t unit_pages;
	uint32_t open_max; /* 1..SIM_FTL_OPEN_MAX */
};

/* written has page_count bytes and is the caller's; the card is empty. */
void sim_ftl_init(struct sim_ftl *ftl, uint8_t *written, uint32_t page_count,
    uint32_t unit_pages, uint32_t open_max);
void sim_ftl_write(struct sim_ftl *ftl, uint32_t page, uint32_t count);
void sim_ftl_erase(struct sim_ftl *ftl, uint32_t page, uint32_t count);
/* Close all units. Pages programmed for each 100 written. */
uint32_t sim_ftl_amplification_percent(struct sim_ftl *ftl);

#endif
