/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's page tables once the MMU is on: RAM, devices, stacks.
 *
 * start_map.c built the root and the image's part. Here further entries go from
 * invalid to valid; only pages of kernel stacks ever go back. Table pages come from
 * a small fixed store, those for stacks beyond it from the page pool, to stay.
 *
 * Owns: kmap_l1 and everything below it.
 * Does not: know programs' tables (pmap.c).
 * Invariants: K1 a valid entry is never replaced by another valid one. K2 nothing
 *   but the image's text is executable, and nothing executable is writable. K3 RAM
 *   has one kernel mapping apart from kernel stacks, all of it Normal write-back;
 *   a device's registers are not in the direct map.
 * Yields: never.
 * See: kva.h; Arm ARM DDI0487 D8.2.11 (ordering of table updates), D8.14 (TLB
 *   maintenance: DSB before and after TLBI).
 */
#include "arch/arm64/kmap.h"

#include "arch/arm64/kva.h"
#include "kern/machdep.h"
#include "kern/panic.h"
#include "lib/assert.h"
#include "mm/vm_page.h"

#define TABLE_PAGES      16
#define TABLE_PAGES_KEPT 4 /* of them for devices, not for stacks */
#define GIB_BYTES        (1ull << 30)

static uint64_t tables[TABLE_PAGES][PTE_TABLE_ENTRIES] __attribute__((aligned(4096)));
static uint32_t tables_used;
static uintptr_t device_next = KVA_DEVICES;

extern const char cpu_park[];

void *
phys_to_virt(uint64_t pa)
{
	return ((void *)(uintptr_t)(KVA_DIRECT + pa));
}

uint64_t
virt_to_phys(const void *va)
{
	return ((uintptr_t)va - KVA_DIRECT);
}

uint64_t
kmap_lower_pa(void)
{
	return (virt_to_phys(kmap_lower_l1));
}

uint64_t
cpu_park_address(void)
{
	return (virt_to_phys(cpu_park));
}

void
kmap_init(void)
{
	for (uint32_t i = 0; i < PTE_TABLE_ENTRIES; i++)
		((volatile uint64_t *)kmap_lower_l1)[i] = 0;
	__asm__ volatile("dsb ishst\n\ttlbi vmalle1is\n\tdsb ish\n\tisb" ::: "memory");
}

static void
entry_set(uint64_t *entry, uint64_t value)
{
	KASSERT((*entry & PTE_VALID) == 0, "K1: a valid entry is not replaced");
	*(volatile uint64_t *)entry = value;
}

/* New entries are seen by table walks from here on. */
static void
entries_publish(void)
{
	__asm__ volatile("dsb ishst\n\tisb" ::: "memory");
}

static uint64_t *
table_of(uint64_t entry)
{
	return (phys_to_virt(entry & PTE_ADDRESS));
}

/* The table below *entry, made from the store if there is none: NULL when it is
 * used up. */
static uint64_t *
table_below(uint64_t *entry)
{
	if ((*entry & KPTE_TYPE) == KPTE_POINTER)
		return (table_of(*entry));
	if (tables_used == TABLE_PAGES)
		return (NULL);
	uint64_t *table = tables[tables_used++];

	entries_publish();
	entry_set(entry, virt_to_phys(table) | KPTE_POINTER);
	return (table);
}

static uint64_t *
level2_entry(uintptr_t va)
{
	uint64_t *l2 = table_below(&kmap_l1[pte_index(va, L1_SHIFT)]);

	return (l2 == NULL ? NULL : &l2[pte_index(va, L2_SHIFT)]);
}

/* Map pages of one level-2 block; those that are mapped already stay. */
static int
map_pages(uint64_t *l2e, uintptr_t va, uint64_t pa, uint64_t end_pa, uint64_t attributes)
{
	uint64_t *l3 = table_below(l2e);

	if (l3 == NULL)
		return (ERR_NOMEM);
	for (; pa < end_pa; pa += PAGE_SIZE, va += PAGE_SIZE)
		if ((l3[pte_index(va, L3_SHIFT)] & PTE_VALID) == 0)
			entry_set(&l3[pte_index(va, L3_SHIFT)], pa | attributes | KPTE_PAGE);
	return (0);
}

/* May [pa, end_pa) at va begin with a block of that size? */
static bool
block_fits(uintptr_t va, uint64_t pa, uint64_t end_pa, uint64_t block_bytes)
{
	return ((va | pa) % block_bytes == 0 && end_pa - pa >= block_bytes);
}

/* The whole of an unused level-1 or level-2 entry as one block, if it fits. True if the
 * entry is a block now, whoever made it. */
static bool
map_block(uint64_t *entry, uint64_t pa, uint64_t attributes, bool fits)
{
	if (*entry == 0 && fits)
		entry_set(entry, pa | attributes | KPTE_BLOCK);
	return ((*entry & KPTE_TYPE) == KPTE_BLOCK);
}

/* Map from the start of [pa, end_pa) as much as one entry covers; *bytes is how much. */
static int
map_step(uintptr_t va, uint64_t pa, uint64_t end_pa, uint64_t attributes, uint64_t *bytes)
{
	uint64_t *l2e;

	*bytes = GIB_BYTES - va % GIB_BYTES;
	if (map_block(&kmap_l1[pte_index(va, L1_SHIFT)], pa, attributes,
		block_fits(va, pa, end_pa, GIB_BYTES)))
		return (0);
	*bytes = KBLOCK_BYTES - va % KBLOCK_BYTES;
	l2e = level2_entry(va);
	if (l2e == NULL)
		return (ERR_NOMEM);
	if (map_block(l2e, pa, attributes, block_fits(va, pa, end_pa, KBLOCK_BYTES)))
		return (0);
	if (*bytes > end_pa - pa)
		*bytes = end_pa - pa;
	return (map_pages(l2e, va, pa, pa + *bytes, attributes));
}

/* [pa, end_pa) at va. */
static int
map(uintptr_t va, uint64_t pa, uint64_t end_pa, uint64_t attributes)
{
	uint64_t bytes;
	int err = 0;

	while (pa < end_pa && err == 0) {
		err = map_step(va, pa, end_pa, attributes, &bytes);
		pa += bytes;
		va += bytes;
	}
	entries_publish();
	return (err);
}

int
kmap_add_ram(uint64_t pa, uint64_t bytes)
{
	uint64_t end = trunc_page(pa + bytes);

	pa = round_page(pa);
	if (end > KVA_DIRECT_END - KVA_DIRECT)
		return (ERR_RANGE);
	return (map(KVA_DIRECT + pa, pa, end, KPTE_DATA));
}

uintptr_t
cpu_map_device(uint64_t pa, size_t bytes)
{
	uint64_t first = trunc_page(pa);
	uint64_t end = round_page(pa + bytes);
	uintptr_t va = device_next;

	if (end - first >= KBLOCK_BYTES)
		va = (va + KBLOCK_BYTES - 1) & ~(KBLOCK_BYTES - 1);
	if (va + (end - first) > KVA_DEVICES + KVA_DEVICES_BYTES ||
	    map(va, first, end, KPTE_REGS) != 0)
		panic("no room to map %zu bytes of device registers at 0x%llx", bytes,
		    (unsigned long long)pa);
	device_next = va + (end - first);
	return (va + pa % PAGE_SIZE);
}

/* Blocks where it can be: address and frame lie alike in theirs. */
void *
cpu_map_uncached(uint64_t pa, size_t bytes)
{
	uint64_t first = trunc_page(pa), end = round_page(pa + bytes);
	uintptr_t va = (device_next + KBLOCK_BYTES - 1) & ~(KBLOCK_BYTES - 1);

	va += first % KBLOCK_BYTES;
	if (va + (end - first) > KVA_DEVICES + KVA_DEVICES_BYTES ||
	    map(va, first, end, KPTE_UNCACHED) != 0)
		return (NULL);
	device_next = va + (end - first);
	return ((void *)(va + pa % PAGE_SIZE));
}

/* A table for stacks: from the pool once the store is down to what devices may need. */
static uint64_t *
stack_table(uint64_t *l2e)
{
	struct vm_page *m;

	if (*l2e != 0 || tables_used < TABLE_PAGES - TABLE_PAGES_KEPT)
		return (table_below(l2e));
	m = vm_page_alloc(NULL, 0,
	    VM_ALLOC_SYSTEM | VM_ALLOC_NOOBJ | VM_ALLOC_NOBUSY | VM_ALLOC_WIRED | VM_ALLOC_ZERO);
	if (m == NULL)
		return (NULL);
	entries_publish();
	entry_set(l2e, VM_PAGE_TO_PHYS(m) | KPTE_POINTER);
	return (table_of(*l2e));
}

int
kmap_stack_enter(uintptr_t va, uint64_t pa)
{
	uint64_t *l2e = level2_entry(va);
	uint64_t *l3 = l2e == NULL ? NULL : stack_table(l2e);

	if (l3 == NULL)
		return (ERR_NOMEM);
	entry_set(&l3[pte_index(va, L3_SHIFT)], pa | KPTE_DATA | KPTE_PAGE);
	entries_publish();
	return (0);
}

uint64_t
kmap_stack_remove(uintptr_t va)
{
	uint64_t *l3e = &table_of(*level2_entry(va))[pte_index(va, L3_SHIFT)];
	uint64_t old = *l3e;

	KASSERT((old & PTE_VALID) != 0, "K4: a stack page that goes was there");
	*(volatile uint64_t *)l3e = 0;
	__asm__ volatile("dsb ishst\n\ttlbi vaale1is, %0\n\tdsb ish\n\tisb"
	    :: "r"(va >> 12 & 0xfffffffffffull) : "memory");
	return (old & PTE_ADDRESS);
}

bool
kmap_readable(uintptr_t va)
{
	uint64_t par;

	if (va % 8 != 0 || va < KVA_DIRECT)
		return (false);
	__asm__ volatile("at s1e1r, %1\n\tisb\n\tmrs %0, par_el1" : "=r"(par) : "r"(va) : "memory");
	return ((par & 1) == 0);
}
