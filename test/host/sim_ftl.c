/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a memory card copies.
 *
 * Owns: the map of what the card believes to hold data, the open units.
 * Does not: hold data.
 * Invariants: a unit is open at most once.
 * Yields: never.
 * See: test/host/sim_ftl.h. Cheap cards keep one to about eight units open.
 */
#include "test/host/sim_ftl.h"

#include <string.h>

#include "lib/assert.h"

void
sim_ftl_init(struct sim_ftl *ftl, uint8_t *written, uint32_t page_count, uint32_t unit_pages,
    uint32_t open_max)
{
	KASSERT(open_max >= 1 && open_max <= SIM_FTL_OPEN_MAX && page_count % unit_pages == 0,
	    "a card of whole units");
	memset(written, 0, page_count);
	*ftl = (struct sim_ftl){ .written = written, .page_count = page_count,
		.unit_pages = unit_pages, .open_max = open_max };
}

/* Copy what holds data in pages [from, to) of the unit. */
static void
copy(struct sim_ftl *ftl, uint32_t unit, uint32_t from, uint32_t to)
{
	for (; from < to; from++)
		ftl->copies += ftl->written[unit * ftl->unit_pages + from];
}

static void
close_unit(struct sim_ftl *ftl, struct sim_ftl_open *o)
{
	copy(ftl, o->unit, o->next_page, ftl->unit_pages);
	o->in_use = false;
}

/* The place of unit among the open ones; it is opened if need be. */
static struct sim_ftl_open *
open_unit(struct sim_ftl *ftl, uint32_t unit)
{
	struct sim_ftl_open *o, *oldest = NULL;

	for (o = ftl->open; o < ftl->open + ftl->open_max; o++)
		if (o->in_use && o->unit == unit)
			return (o);
	for (o = ftl->open; o < ftl->open + ftl->open_max; o++)
		if (oldest == NULL || !o->in_use || (oldest->in_use && o->used < oldest->used))
			oldest = o;
	if (oldest->in_use)
		close_unit(ftl, oldest);
	*oldest = (struct sim_ftl_open){ .unit = unit, .in_use = true };
	return (oldest);
}

void
sim_ftl_write(struct sim_ftl *ftl, uint32_t page, uint32_t count)
{
	for (; count > 0; page++, count--) {
		struct sim_ftl_open *o = open_unit(ftl, page / ftl->unit_pages);
		uint32_t at = page % ftl->unit_pages;

		KASSERT(page < ftl->page_count, "a page of the card");
		if (at < o->next_page) {
			close_unit(ftl, o);
			o = open_unit(ftl, page / ftl->unit_pages);
		}
		copy(ftl, o->unit, o->next_page, at);
		o->next_page = at + 1;
		o->used = ++ftl->clock;
		ftl->written[page] = 1;
		ftl->programs++;
	}
}

void
sim_ftl_erase(struct sim_ftl *ftl, uint32_t page, uint32_t count)
{
	memset(ftl->written + page, 0, count);
	ftl->erases++;
}

uint32_t
sim_ftl_amplification_percent(struct sim_ftl *ftl)
{
	for (struct sim_ftl_open *o = ftl->open; o < ftl->open + ftl->open_max; o++)
		if (o->in_use)
			close_unit(ftl, o);
	return ((uint32_t)((ftl->programs + ftl->copies) * 100 / ftl->programs));
}
