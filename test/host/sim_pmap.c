/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm/pmap.h for host tests: mappings in one array, found by a hash of (pmap, va).
 *
 * Like the real one it takes table pages from the pool (one for each 2 MiB in use
 * and a root), wired, and gives them back when they are empty.
 *
 * Owns: md_page of every page, struct pmap, the array of mappings.
 * Does not: access memory for a program (sim_cpu.c).
 * Invariants:
 *   X1 resident_count is the number of mappings of a pmap, md.count that of a page;
 *   X2 a writable mapping that has not been written since it was made clean has
 *      modified = false;
 *   X3 no dirtiness is lost: a mapping that goes or becomes read-only hands it over;
 *   X4 a pmap is released without mappings;
 *   X5 a test uses at most TABLES_MAX tables.
 * Yields: never.
 * See: mm/pmap.h, contract 1.14.
 */
#include "test/host/sim_pmap.h"

#include <stdlib.h>
#include <string.h>

#include "mm/vm_page.h"
#include "test/host/sim_machdep.h"

#define HASH_SIZE  4096u
#define TABLES_MAX 1024u

/* A table page and how many of its entries are in use. */
struct sim_table {
	struct sim_table *next;
	vm_offset_t base; /* multiple of 2 MiB */
	uint32_t used;
	struct vm_page *page;
};

struct pmap_stats pmap_stats;
uint32_t sim_pmap_nomem_one_in;
bool sim_pmap_hw_flags, sim_pmap_lazy_tlb;

static struct sim_mapping *maps; /* element 0 is nil */
static uint32_t maps_count;
static uint32_t maps_free;
static uint32_t hash[HASH_SIZE];
static struct sim_table table_pool[TABLES_MAX]; /* page NULL: unused */

void
sim_pmap_reset(void)
{
	free(maps);
	maps = calloc(1, sizeof(*maps));
	maps_count = 1;
	maps_free = 0;
	memset(hash, 0, sizeof(hash));
	memset(table_pool, 0, sizeof(table_pool));
	memset(&pmap_stats, 0, sizeof(pmap_stats));
	sim_pmap_nomem_one_in = 0;
	sim_pmap_hw_flags = sim_pmap_lazy_tlb = false;
	sim_tlb_reset();
}

static uint32_t *
bucket(const struct pmap *pmap, vm_offset_t va)
{
	uint64_t key = ((uintptr_t)pmap >> 4) * 31 + (va >> PAGE_SHIFT);

	return (&hash[key * 0x9e3779b97f4a7c15ull >> 52]);
}

struct sim_mapping *
sim_pmap_find(struct pmap *pmap, vm_offset_t va)
{
	uint32_t n;

	va = trunc_page(va);
	for (n = *bucket(pmap, va); n != 0; n = maps[n].hash_next)
		if (maps[n].pmap == pmap && maps[n].va == va)
			return (&maps[n]);
	return (NULL);
}

static void
invalidate(const struct sim_mapping *map)
{
	pmap_stats.tlb_invalidations++;
	if (!sim_pmap_lazy_tlb)
		sim_tlb_invalidate(map->pmap, map->va);
}

/* X3: m->dirty and PGA_REFERENCED take over what the mapping knew. */
static void
hand_over(struct sim_mapping *map)
{
	struct vm_page *m = vm_page_of(map->page);

	if (map->modified)
		vm_page_dirty(m);
	if (map->accessed)
		m->aflags |= PGA_REFERENCED;
}

/* ---- table pages */

static struct sim_table **
table_find(struct pmap *pmap, vm_offset_t va)
{
	struct sim_table **link = &pmap->tables;

	while (*link != NULL && (*link)->base != (va & ~(vm_offset_t)0x1fffff))
		link = &(*link)->next;
	return (link);
}

static struct vm_page *
table_page_alloc(void)
{
	struct vm_page *m = vm_page_alloc(NULL, 0, VM_ALLOC_SYSTEM | VM_ALLOC_NOOBJ |
	    VM_ALLOC_NOBUSY | VM_ALLOC_WIRED | VM_ALLOC_ZERO);

	pmap_stats.table_pages += m != NULL;
	return (m);
}

static void
table_page_free(struct vm_page *m)
{
	pmap_stats.table_pages--;
	vm_page_unwire(m, PQ_NONE);
	vm_page_free(m);
}

static bool
table_use(struct pmap *pmap, vm_offset_t va)
{
	struct sim_table **link = table_find(pmap, va), *table = *link;
	struct vm_page *page;

	if (table == NULL) {
		page = table_page_alloc();
		if (page == NULL)
			return (false);
		for (table = table_pool; table->page != NULL; table++)
			KASSERT(table < table_pool + TABLES_MAX - 1, "X5: tables suffice");
		*table = (struct sim_table){ .base = va & ~(vm_offset_t)0x1fffff, .page = page };
		*link = table;
	}
	table->used++;
	return (true);
}

static void
table_unuse(struct pmap *pmap, vm_offset_t va)
{
	struct sim_table **link = table_find(pmap, va), *table = *link;

	if (--table->used != 0)
		return;
	*link = table->next;
	table_page_free(table->page);
	table->page = NULL;
}

/* ---- mappings */

static struct sim_mapping *
mapping_add(struct pmap *pmap, vm_offset_t va, struct vm_page *m)
{
	uint32_t n = maps_free, *head = bucket(pmap, va);
	struct sim_mapping *map;

	if (n == 0) {
		maps = realloc(maps, (maps_count + 1) * sizeof(*maps));
		n = maps_count++;
	} else {
		maps_free = maps[n].hash_next;
	}
	map = &maps[n];
	*map = (struct sim_mapping){ .pmap = pmap, .va = va, .page = vm_page_number(m),
		.hash_next = *head, .pmap_next = pmap->first, .page_next = m->md.first };
	if (pmap->first != 0)
		maps[pmap->first].pmap_prev = n;
	*head = pmap->first = m->md.first = n;
	m->md.count++;
	pmap->resident_count++;
	return (map);
}

static void
mapping_remove(struct sim_mapping *map)
{
	uint32_t n = (uint32_t)(map - maps), *link = bucket(map->pmap, map->va);
	struct vm_page *m = vm_page_of(map->page);
	struct pmap *pmap = map->pmap;

	hand_over(map);
	invalidate(map);
	while (*link != n)
		link = &maps[*link].hash_next;
	*link = map->hash_next;
	for (link = &m->md.first; *link != n; link = &maps[*link].page_next)
		continue;
	*link = map->page_next;
	if (map->pmap_next != 0)
		maps[map->pmap_next].pmap_prev = map->pmap_prev;
	if (map->pmap_prev != 0)
		maps[map->pmap_prev].pmap_next = map->pmap_next;
	else
		pmap->first = map->pmap_next;
	m->md.count--;
	pmap->resident_count--;
	map->pmap = NULL;
	map->hash_next = maps_free;
	maps_free = n;
	table_unuse(pmap, map->va);
}

static void
mapping_protect(struct sim_mapping *map, vm_prot_t prot)
{
	if ((map->prot & VM_PROT_WRITE) != 0 && (prot & VM_PROT_WRITE) == 0) {
		hand_over(map);
		map->modified = false;
	}
	map->prot = prot;
	invalidate(map);
}

/* ---- the contract */

int
pmap_pinit(struct pmap *pmap)
{
	*pmap = (struct pmap){ .root = table_page_alloc() };
	return (pmap->root == NULL ? ERR_NOMEM : 0);
}

void
pmap_release(struct pmap *pmap)
{
	KASSERT(pmap->resident_count == 0 && pmap->tables == NULL,
	    "X4: a released pmap is empty");
	table_page_free(pmap->root);
	pmap->root = NULL;
}

void
pmap_activate(struct pmap *pmap)
{
	(void)pmap;
}

int
pmap_enter(struct pmap *pmap, vm_offset_t va, struct vm_page *m, vm_prot_t prot, uint32_t flags)
{
	struct sim_mapping *map;
	bool used = (flags & (PMAP_ENTER_READ | PMAP_ENTER_WRITE)) != 0;

	KASSERT((va & PAGE_MASK) == 0 && m->valid == VM_PAGE_BITS_ALL, "X1: valid page, aligned");
	KASSERT(prot != VM_PROT_NONE, "X1: a mapping allows something");
	KASSERT((flags & PMAP_ENTER_WRITE) == 0 || (prot & VM_PROT_WRITE) != 0,
	    "X2: written through a writable mapping");
	if (sim_pmap_nomem_one_in != 0 && sim_random(sim_pmap_nomem_one_in) == 0)
		return (ERR_NOMEM);
	map = sim_pmap_find(pmap, va);
	if (map != NULL && map->page != vm_page_number(m)) {
		mapping_remove(map);
		map = NULL;
	}
	if (map == NULL) {
		if (!table_use(pmap, va))
			return (ERR_NOMEM);
		map = mapping_add(pmap, va, m);
	}
	mapping_protect(map, prot);
	map->accessed |= used;
	map->modified |= (flags & PMAP_ENTER_WRITE) != 0;
	map->wired = (flags & PMAP_ENTER_WIRED) != 0;
	return (0);
}

void
pmap_remove(struct pmap *pmap, vm_offset_t start, vm_offset_t end)
{
	uint32_t n, next;

	for (n = pmap->first; n != 0; n = next) {
		next = maps[n].pmap_next;
		if (maps[n].va >= start && maps[n].va < end)
			mapping_remove(&maps[n]);
	}
}

void
pmap_protect(struct pmap *pmap, vm_offset_t start, vm_offset_t end, vm_prot_t prot)
{
	uint32_t n;

	if (prot == VM_PROT_NONE) {
		pmap_remove(pmap, start, end);
		return;
	}
	for (n = pmap->first; n != 0; n = maps[n].pmap_next)
		if (maps[n].va >= start && maps[n].va < end)
			mapping_protect(&maps[n], maps[n].prot & prot);
}

void
pmap_remove_all(struct vm_page *m)
{
	while (m->md.first != 0)
		mapping_remove(&maps[m->md.first]);
}

void
pmap_remove_write(struct vm_page *m)
{
	uint32_t n;

	for (n = m->md.first; n != 0; n = maps[n].page_next)
		if ((maps[n].prot & VM_PROT_WRITE) != 0)
			mapping_protect(&maps[n], maps[n].prot & (vm_prot_t)~VM_PROT_WRITE);
}

/* The first mapping of m goes behind the others. */
static void
rotate_mappings(struct vm_page *m)
{
	uint32_t first = m->md.first, *link = &maps[first].page_next;

	if (*link == 0)
		return;
	m->md.first = *link;
	while (*link != 0)
		link = &maps[*link].page_next;
	*link = first;
	maps[first].page_next = 0;
}

int
pmap_ts_referenced(struct vm_page *m)
{
	int looked, used = 0;
	struct sim_mapping *map;

	for (looked = 0; looked < PMAP_TS_REFERENCED_MAX && looked < (int)m->md.count; looked++) {
		map = &maps[m->md.first];
		if (map->accessed) {
			used++;
			map->accessed = false;
			invalidate(map);
		}
		rotate_mappings(m);
	}
	return (used);
}

bool
pmap_is_modified(struct vm_page *m)
{
	uint32_t n;

	for (n = m->md.first; n != 0; n = maps[n].page_next)
		if (maps[n].modified)
			return (true);
	return (false);
}

bool
pmap_is_referenced(struct vm_page *m)
{
	uint32_t n;

	for (n = m->md.first; n != 0; n = maps[n].page_next)
		if (maps[n].accessed)
			return (true);
	return (false);
}

void
pmap_clear_modify(struct vm_page *m)
{
	uint32_t n;

	for (n = m->md.first; n != 0; n = maps[n].page_next) {
		maps[n].modified = false;
		invalidate(&maps[n]);
	}
}

bool
pmap_page_is_mapped(const struct vm_page *m)
{
	return (m->md.first != 0);
}

bool
pmap_page_is_write_mapped(struct vm_page *m)
{
	uint32_t n;

	for (n = m->md.first; n != 0; n = maps[n].page_next)
		if ((maps[n].prot & VM_PROT_WRITE) != 0)
			return (true);
	return (false);
}

bool
pmap_page_exists_quick(struct pmap *pmap, struct vm_page *m)
{
	uint32_t n;

	for (n = m->md.first; n != 0; n = maps[n].page_next)
		if (maps[n].pmap == pmap)
			return (true);
	return (false);
}

struct vm_page *
pmap_extract(struct pmap *pmap, vm_offset_t va, vm_prot_t prot)
{
	struct sim_mapping *map = sim_pmap_find(pmap, va);

	return (map != NULL && (map->prot & prot) == prot ? vm_page_of(map->page) : NULL);
}

int
pmap_fault(struct pmap *pmap, vm_offset_t va, vm_prot_t access)
{
	struct sim_mapping *map = sim_pmap_find(pmap, va);

	if (map == NULL || (map->prot & access) != access)
		return (ERR_FAULT);
	pmap->flag_faults++;
	if (!map->accessed)
		pmap_stats.af_faults++;
	else if (access == VM_PROT_WRITE && !map->modified)
		pmap_stats.dirty_faults++;
	map->accessed = true;
	if (access == VM_PROT_WRITE)
		map->modified = true;
	invalidate(map);
	return (0);
}

uint32_t
pmap_mincore(struct pmap *pmap, vm_offset_t va)
{
	const struct sim_mapping *map = sim_pmap_find(pmap, va);

	if (map == NULL)
		return (0);
	return (PMAP_MINCORE_MAPPED | (map->accessed ? PMAP_MINCORE_REFERENCED : 0) |
	    (map->modified ? PMAP_MINCORE_MODIFIED : 0));
}

void
pmap_advise(struct pmap *pmap, vm_offset_t start, vm_offset_t end, bool keep_dirty)
{
	uint32_t n;

	for (n = pmap->first; n != 0; n = maps[n].pmap_next) {
		if (maps[n].va < start || maps[n].va >= end)
			continue;
		if (maps[n].modified && keep_dirty)
			vm_page_dirty(vm_page_of(maps[n].page));
		maps[n].accessed = maps[n].modified = false;
		invalidate(&maps[n]);
	}
}

void
pmap_unwire(struct pmap *pmap, vm_offset_t start, vm_offset_t end)
{
	uint32_t n;

	for (n = pmap->first; n != 0; n = maps[n].pmap_next)
		if (maps[n].va >= start && maps[n].va < end)
			maps[n].wired = false;
}

void
pmap_zero_page(struct vm_page *m)
{
	memset(vm_page_address(m), 0, PAGE_SIZE);
}

void
pmap_copy_page(const struct vm_page *from, struct vm_page *to)
{
	memcpy(vm_page_address(to), vm_page_address(from), PAGE_SIZE);
}

void
pmap_page_filled(struct vm_page *m)
{
	m->aflags &= (uint8_t)~PGA_EXECSYNC;
}

const char *
sim_pmap_check(void)
{
	uint32_t n, count = 0, by_page = 0, i;

	for (n = 1; n < maps_count; n++)
		count += maps[n].pmap != NULL;
	for (i = VM_PAGE_FIRST; i < vm_page_array_count; i++) {
		for (n = vm_page_array[i].md.first; n != 0; n = maps[n].page_next) {
			if (maps[n].page != i || maps[n].pmap == NULL)
				return ("X1: a page's mapping names another page");
			by_page++;
		}
	}
	if (by_page != count)
		return ("X1: mappings by page and in all differ");
	return (sim_tlb_check());
}
