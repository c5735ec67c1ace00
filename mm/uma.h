/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Zones of equal-sized kernel objects: what only mm asks of them. The zones
 * themselves are in kern/uma.h.
 */
#ifndef MM_UMA_H
#define MM_UMA_H

#include "kern/uma.h"
#include "mm/vm_page.h"

/* Give the empty slabs of all zones back to the pool (contract 1.17); how many
 * pages. There is one CPU, so a slab's own free chain is all the cache there is:
 * nothing else is drained when free pages are below free_min. Never yields. */
uint32_t uma_reclaim(void);
/* Forget all zones (host tests boot repeatedly). Before any zone is set up. */
void uma_startup(void);
/* Walk the zone's slabs and verify counts and chains (vm_check). Never yields. */
bool uma_zone_check(const struct uma_zone *zone);

#endif
