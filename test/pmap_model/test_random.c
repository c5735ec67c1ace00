/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random verbs, accesses, refusals and address spaces that come and go, against an
 * oracle that knows for every mapping its page, rights and flags, exactly.
 *
 * Owns: the oracle.
 * Does not: race a writer against verbs (test_race.c).
 * Invariants, after every step: counts of mappings, tables and reverse-map entries are
 *   exact; every page's dirty, modified and referenced state is the oracle's.
 * Yields: never.
 * See: mm/pmap.h. EBB_SEED=seed replays a failure.
 */
#include <stdio.h>
#include <string.h>

#include "arch/arm64/pmap_var.h"
#include "test/host/sim_machdep.h"
#include "test/pmap_model/model_test.h"

#define SPACES 3u
#define PAGES  7u
#define SPOTS  14u
#define STEPS  6000

static const vm_offset_t spots[SPOTS] = { 0x1000, 0x2000, 0x3000, 0x4000, 0x1ff000, 0x200000,
	0x201000, 0x3ff000, 0x40000000, 0x40001000, 0x7fffffe000, 0x7ffffff000, 0x7f80000000,
	0x7f80200000 };

struct mapping {
	int page; /* index, -1 = none */
	vm_prot_t prot;
	bool referenced;
	bool modified;
};

static struct pmap space[SPACES];
static struct vm_page *page[PAGES];
static struct mapping oracle[SPACES][SPOTS];
static bool page_dirty[PAGES], page_referenced[PAGES];
static int running; /* index of the active space, -1 = none */
static uint32_t hardware;

#define EACH_MAPPING(s, v)                                \
	for (uint32_t s = 0; s < SPACES; s++)             \
		for (uint32_t v = 0; v < SPOTS; v++)      \
			if (oracle[s][v].page >= 0)

/* ---- What the oracle does */

static void
forget_mapping(uint32_t s, uint32_t v)
{
	struct mapping *o = &oracle[s][v];

	if (o->page < 0)
		return;
	page_dirty[o->page] |= o->modified;
	page_referenced[o->page] |= o->referenced;
	*o = (struct mapping){ .page = -1 };
}

static void
reduce_mapping(struct mapping *o, vm_prot_t prot)
{
	o->prot &= prot;
	if ((o->prot & VM_PROT_WRITE) == 0) {
		page_dirty[o->page] |= o->modified;
		o->modified = false;
	}
}

/* ---- What must be equal */

static uint32_t
expected_tables(uint32_t s)
{
	uint64_t l2[SPOTS], l3[SPOTS];
	uint32_t l2_count = 0, l3_count = 0, i, v;

	for (v = 0; v < SPOTS; v++) {
		if (oracle[s][v].page < 0)
			continue;
		for (i = 0; i < l2_count && l2[i] != spots[v] >> L1_SHIFT; i++)
			;
		if (i == l2_count)
			l2[l2_count++] = spots[v] >> L1_SHIFT;
		for (i = 0; i < l3_count && l3[i] != spots[v] >> L2_SHIFT; i++)
			;
		if (i == l3_count)
			l3[l3_count++] = spots[v] >> L2_SHIFT;
	}
	return (1 + l2_count + l3_count);
}

static void
check_counts(void)
{
	uint32_t mapped[PAGES] = { 0 };
	uint32_t tables = 0, extra = 0, i, s, v;

	for (s = 0; s < SPACES; s++) {
		long resident = 0;

		for (v = 0; v < SPOTS; v++) {
			if (oracle[s][v].page >= 0) {
				resident++;
				mapped[oracle[s][v].page]++;
			}
		}
		assert_int_equal(pmap_resident_count(&space[s]), resident);
		tables += expected_tables(s);
	}
	for (i = 0; i < PAGES; i++) {
		assert_int_equal(pmap_page_is_mapped(page[i]), mapped[i] > 0);
		extra += mapped[i] > 0 ? mapped[i] - 1 : 0;
	}
	assert_int_equal(pmap_stats.table_pages, tables);
	assert_int_equal(pv_zone.used_items, extra);
	assert_int_equal(pv_slabs(), extra > 0);
	assert_int_equal(model_pool_used(), PAGES + tables + pv_zone.slab_pages);
}

static void
check_pages(void)
{
	bool modified[PAGES] = { 0 }, referenced[PAGES] = { 0 }, writable[PAGES] = { 0 };
	uint32_t i;

	EACH_MAPPING (s, v) {
		const struct mapping *o = &oracle[s][v];

		modified[o->page] |= o->modified;
		referenced[o->page] |= o->referenced;
		writable[o->page] |= (o->prot & VM_PROT_WRITE) != 0;
	}
	for (i = 0; i < PAGES; i++) {
		assert_int_equal(page[i]->dirty, page_dirty[i] ? VM_PAGE_BITS_ALL : 0);
		assert_int_equal((page[i]->aflags & PGA_REFERENCED) != 0, page_referenced[i]);
		assert_int_equal(pmap_is_modified(page[i]), modified[i]);
		assert_int_equal(pmap_is_referenced(page[i]), referenced[i]);
		assert_int_equal(pmap_page_is_write_mapped(page[i]), writable[i]);
	}
}

/* ---- Steps */

static void
step_enter(void)
{
	uint32_t s = sim_random(SPACES), v = sim_random(SPOTS), p = sim_random(PAGES);
	vm_prot_t prot = (vm_prot_t)(VM_PROT_READ | sim_random(8));
	uint32_t flags = sim_random(2) * PMAP_ENTER_READ | sim_random(6) / 5 * PMAP_ENTER_WIRED;
	struct mapping *o = &oracle[s][v];

	if ((prot & VM_PROT_WRITE) != 0 && sim_random(2) == 0)
		flags |= PMAP_ENTER_WRITE;
	if (sim_random(3) == 0)
		model_pool_refuse(sim_random(3));
	if (pmap_enter(&space[s], spots[v], page[p], prot, flags) == 0) {
		if (o->page != (int)p)
			forget_mapping(s, v);
		if (o->page < 0)
			*o = (struct mapping){ .page = (int)p };
		o->prot = prot;
		reduce_mapping(o, prot);
		o->referenced |= flags != 0;
		o->modified |= (flags & PMAP_ENTER_WRITE) != 0;
		if ((prot & VM_PROT_EXECUTE) != 0)
			assert_true(model_frame_of(VM_PAGE_TO_PHYS(page[p]))->icache_ok);
	}
	model_pool_refuse(UINT32_MAX);
}

static void
random_range(uint32_t *first, uint32_t *last, vm_offset_t *start, vm_offset_t *end)
{
	uint32_t a = sim_random(SPOTS), b = sim_random(3) == 0 ? sim_random(SPOTS) : a;
	uint32_t low = spots[a] < spots[b] ? a : b, high = low == a ? b : a;

	*start = spots[low];
	*end = spots[high] + PAGE_SIZE;
	*first = low;
	*last = high;
}

static void
step_range(void)
{
	static const vm_prot_t prots[] = { VM_PROT_NONE, VM_PROT_READ, RW, RX, VM_PROT_ALL };
	uint32_t s = sim_random(SPACES), first, last, v;
	vm_prot_t prot = prots[sim_random(5)];
	vm_offset_t start, end;

	random_range(&first, &last, &start, &end);
	if (prot == VM_PROT_NONE && sim_random(2) == 0)
		pmap_remove(&space[s], start, end);
	else
		pmap_protect(&space[s], start, end, prot);
	for (v = 0; v < SPOTS; v++) {
		if (spots[v] < start || spots[v] >= end || oracle[s][v].page < 0)
			continue;
		if (prot == VM_PROT_NONE)
			forget_mapping(s, v);
		else
			reduce_mapping(&oracle[s][v], prot);
	}
}

static void
step_advise(void)
{
	uint32_t s = sim_random(SPACES), first, last, v;
	bool keep = sim_random(2) == 0;
	vm_offset_t start, end;

	random_range(&first, &last, &start, &end);
	pmap_advise(&space[s], start, end, keep);
	for (v = 0; v < SPOTS; v++) {
		struct mapping *o = &oracle[s][v];

		if (spots[v] < start || spots[v] >= end || o->page < 0)
			continue;
		page_dirty[o->page] |= o->modified && keep;
		o->referenced = o->modified = false;
	}
}

static void
step_by_page(void)
{
	uint32_t p = sim_random(PAGES), verb = sim_random(3);

	if (verb == 0)
		pmap_remove_all(page[p]);
	else if (verb == 1)
		pmap_remove_write(page[p]);
	else
		pmap_clear_modify(page[p]);
	EACH_MAPPING (s, v) {
		struct mapping *o = &oracle[s][v];

		if (o->page != (int)p)
			continue;
		if (verb == 0)
			forget_mapping(s, v);
		else if (verb == 1)
			reduce_mapping(o, RX);
		else
			o->modified = false;
	}
}

/* Which five of many mappings were looked at is the pmap's to choose; what it says
 * must be what it cleared. */
static void
step_ts_referenced(void)
{
	uint32_t p = sim_random(PAGES), mappings = 0, left = 0;
	int cleared = 0, count = pmap_ts_referenced(page[p]);

	EACH_MAPPING (s, v) {
		struct mapping *o = &oracle[s][v];
		bool now;

		if (o->page != (int)p)
			continue;
		mappings++;
		now = (*pmap_pte(&space[s], spots[v]) & PTE_AF) != 0;
		assert_false(now && !o->referenced);
		cleared += o->referenced && !now;
		left += now;
		o->referenced = now;
	}
	assert_int_equal(count, cleared);
	assert_true(count <= PMAP_TS_REFERENCED_MAX);
	assert_true(left == 0 || mappings > PMAP_TS_REFERENCED_MAX);
}

static void
step_access(void)
{
	static const vm_prot_t kinds[] = { VM_PROT_READ, VM_PROT_WRITE, VM_PROT_EXECUTE };
	vm_prot_t access = kinds[sim_random(3)];
	uint32_t v = sim_random(SPOTS);
	struct mapping *o;
	int faults = 0;
	bool emulated, went;

	if (running < 0)
		return;
	o = &oracle[running][v];
	went = test_touch(&space[running], spots[v], access, o->page < 0 ? NULL : page[o->page],
	    &faults);
	assert_int_equal(went, o->page >= 0 && (o->prot & access) != 0);
	if (!went)
		return;
	emulated = (hardware < MMU_HAFDBS_AF && !o->referenced) ||
	    (hardware < MMU_HAFDBS_DIRTY && access == VM_PROT_WRITE && !o->modified);
	assert_int_equal(faults, emulated);
	o->referenced = true;
	o->modified |= access == VM_PROT_WRITE;
}

static void
step_queries(void)
{
	uint32_t s = sim_random(SPACES), v = sim_random(SPOTS), p = sim_random(PAGES);
	vm_prot_t prot = (vm_prot_t)(VM_PROT_READ | sim_random(8));
	const struct mapping *o = &oracle[s][v];
	struct vm_page *found = pmap_extract(&space[s], spots[v] + sim_random(PAGE_SIZE), prot);
	bool exists = false;
	uint32_t i;

	if (o->page >= 0 && (prot & ~o->prot) == 0)
		assert_ptr_equal(found, page[o->page]);
	else
		assert_null(found);
	for (i = 0; i < SPOTS; i++)
		exists |= oracle[s][i].page == (int)p;
	if (pmap_page_exists_quick(&space[s], page[p]))
		assert_true(exists);
	assert_int_equal(pmap_mincore(&space[s], spots[v]), o->page < 0 ? 0 :
	    PMAP_MINCORE_MAPPED | (o->referenced ? PMAP_MINCORE_REFERENCED : 0) |
	    (o->modified ? PMAP_MINCORE_MODIFIED : 0));
}

static void
step_switch(void)
{
	running = (int)sim_random(SPACES + 1) - 1;
	pmap_activate(running < 0 ? NULL : &space[running]);
}

/* A program ends and another begins. */
static void
step_renew(void)
{
	uint32_t s = sim_random(SPACES), v;

	if (running == (int)s)
		return;
	pmap_remove(&space[s], 0, PMAP_USER_MAX);
	model_check_rest();
	for (v = 0; v < SPOTS; v++)
		forget_mapping(s, v);
	pmap_release(&space[s]);
	test_pinit(&space[s]);
}

/* The pager settles a page: clean, and filled anew with something else. */
static void
step_settle(void)
{
	uint32_t p = sim_random(PAGES);

	page[p]->dirty = 0;
	page_dirty[p] = false;
	page[p]->aflags &= (uint8_t)~PGA_REFERENCED;
	page_referenced[p] = false;
	if (!pmap_page_is_mapped(page[p]))
		model_page_fill(page[p]);
}

static void
step(void)
{
	static void (*const steps[])(void) = { step_enter, step_enter, step_enter, step_enter,
		step_access, step_access, step_access, step_access, step_access, step_range,
		step_by_page, step_ts_referenced, step_queries, step_switch, step_settle,
		step_renew, step_advise };

	steps[sim_random(sizeof(steps) / sizeof(steps[0]))]();
	model_check_rest();
	check_counts();
	check_pages();
}

static void
run(uint32_t hafdbs)
{
	const struct model_core core = { .hafdbs = hafdbs, .asid_bits = 3 };
	uint64_t seed = sim_seed(0);
	uint32_t i;

	printf("# seed %llu\n", (unsigned long long)seed);
	hardware = hafdbs;
	model_reset(&core);
	memset(oracle, 0xff, sizeof(oracle));
	for (i = 0; i < SPACES; i++)
		test_pinit(&space[i]);
	for (i = 0; i < PAGES; i++) {
		page[i] = model_page_new();
		page_dirty[i] = page_referenced[i] = false;
	}
	for (i = 0; i < SPOTS; i++)
		model_interest(spots[i]);
	running = -1;
	for (i = 0; i < STEPS; i++)
		step();
	assert_true(pmap_stats.asid_rollovers > 0);
	if (hafdbs == MMU_HAFDBS_DIRTY)
		assert_int_equal(pmap_stats.af_faults + pmap_stats.dirty_faults, 0);
	for (i = 0; i < PAGES; i++)
		pmap_remove_all(page[i]);
	pmap_activate(NULL);
	for (i = 0; i < SPACES; i++)
		pmap_release(&space[i]);
	test_all_returned(PAGES);
}

static void
pmap_T6a_counts_are_exact_with_software_flags(void **state)
{
	(void)state;
	run(MMU_HAFDBS_NONE);
}

static void
pmap_T6b_counts_are_exact_with_hardware_access_flags(void **state)
{
	(void)state;
	run(MMU_HAFDBS_AF);
}

static void
pmap_T6c_counts_are_exact_with_hardware_dirty_flags(void **state)
{
	(void)state;
	run(MMU_HAFDBS_DIRTY);
}

int
model_random_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pmap_T6a_counts_are_exact_with_software_flags),
		cmocka_unit_test(pmap_T6b_counts_are_exact_with_hardware_access_flags),
		cmocka_unit_test(pmap_T6c_counts_are_exact_with_hardware_dirty_flags),
	};

	return (cmocka_run_group_tests_name("pmap at random", tests, NULL, NULL));
}
