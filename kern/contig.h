/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CONTRACT with mm: physical memory in one piece, for what a device reads and writes.
 *
 * Drivers know nothing of pages, so the header lies here; mm/vm_pageout_contig.c
 * implements it. From the page pool: not before it exists.
 */
#ifndef KERN_CONTIG_H
#define KERN_CONTIG_H

#include <stdint.h>

#include "lib/err.h"

/*
 * At least bytes (> 0; whole pages are taken) of wired memory in one piece at *pa, within
 * [low, high), its first byte a multiple of alignment (a power of two, or 0); contents
 * undefined. Whatever is in the way is given up: clean pages, dirty ones, used ones, in
 * this order (contract 1.5). ERR_NOMEM: there is no such piece even so. May yield.
 */
int contig_alloc(uint64_t bytes, uint64_t low, uint64_t high, uint64_t alignment,
    uint64_t *pa) ERR_MUST_CHECK;
/* Exactly what contig_alloc gave for bytes. Never yields. */
void contig_free(uint64_t pa, uint64_t bytes);

#endif
