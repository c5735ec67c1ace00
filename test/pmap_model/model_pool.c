/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages for tests of the pmap.
 *
 * Owns: the page array and one model_frame a page; the simulated RAM they name.
 * Does not: know thresholds, queues or objects.
 * Invariants: H1 what the pmap frees is wired once, in use and unmapped.
 * Yields: never.
 * See: model_tlb.c, test/host/sim_ram.c.
 */
#include "test/pmap_model/model_pool.h"

#include <string.h>

#include "kern/machdep.h"
#include "kern/usercpu.h"
#include "mm/vm_meter.h"
#include "test/host/sim_machdep.h"
#include "test/pmap_model/model_tlb.h"

struct vm_page *vm_page_array;
uint32_t vm_page_array_count;
struct model_frame model_frames[MODEL_POOL_PAGES];

static struct vm_page pages[VM_PAGE_FIRST + MODEL_POOL_PAGES];
struct vm_domain vm_domains[VM_DOMAINS_MAX]; /* with free_min 0: memory is never short */
static uint32_t used;
static uint32_t next_frame;
static uint32_t refuse_after = UINT32_MAX;

void
model_pool_reset(void)
{
	uint32_t i;

	sim_ram_init(MODEL_POOL_PAGES * (size_t)PAGE_SIZE);
	memset(pages, 0, sizeof(pages));
	memset(model_frames, 0, sizeof(model_frames));
	vm_page_array = pages;
	vm_page_array_count = VM_PAGE_FIRST + MODEL_POOL_PAGES;
	for (i = 0; i < MODEL_POOL_PAGES; i++)
		pages[VM_PAGE_FIRST + i].frame = SIM_RAM_BASE / PAGE_SIZE + i;
	used = 0;
	refuse_after = UINT32_MAX;
}

void
model_pool_refuse(uint32_t skip)
{
	refuse_after = skip;
}

uint32_t
model_pool_used(void)
{
	return (used);
}

struct vm_page *
PHYS_TO_VM_PAGE(vm_paddr_t pa)
{
	if (pa < SIM_RAM_BASE || pa >= SIM_RAM_BASE + ptoa(MODEL_POOL_PAGES))
		return (NULL);
	return (&vm_page_array[VM_PAGE_FIRST + atop(pa - SIM_RAM_BASE)]);
}

void *
vm_page_address(const struct vm_page *m)
{
	return (phys_to_virt(VM_PAGE_TO_PHYS(m)));
}

struct model_frame *
model_frame_of(uint64_t pa)
{
	struct vm_page *m = PHYS_TO_VM_PAGE(pa);

	KASSERT(m != NULL, "H2: an address in the pool");
	return (&model_frames[m - vm_page_array - VM_PAGE_FIRST]);
}

static struct vm_page *
take_page(void)
{
	uint32_t i;

	for (i = 0; i < MODEL_POOL_PAGES; i++) {
		next_frame = (next_frame + 1) % MODEL_POOL_PAGES;
		if (!model_frames[next_frame].in_use) {
			model_frames[next_frame] = (struct model_frame){ .in_use = true };
			used++;
			return (&pages[VM_PAGE_FIRST + next_frame]);
		}
	}
	return (NULL);
}

struct vm_page *
vm_page_alloc(struct vm_object *object, vm_pindex_t pindex, uint32_t req)
{
	struct vm_page *m;

	(void)pindex;
	KASSERT(object == NULL && (req & VM_ALLOC_NOOBJ) != 0 && (req & VM_ALLOC_WIRED) != 0 &&
	        (req & VM_ALLOC_NOBUSY) != 0 && (req & VM_ALLOC_CLASS) == VM_ALLOC_NORMAL,
	    "H3: the pmap takes wired pages of class NORMAL");
	if (refuse_after != UINT32_MAX && refuse_after-- == 0)
		return (NULL);
	m = take_page();
	if (m == NULL)
		return (NULL);
	m->wire_count = 1;
	memset(vm_page_address(m), 0xa5, PAGE_SIZE);
	if ((req & VM_ALLOC_ZERO) != 0) {
		pmap_zero_page(m);
		model_frame_of(VM_PAGE_TO_PHYS(m))->zeroes_unpublished = true;
	}
	return (m);
}

void
vm_page_unwire(struct vm_page *m, uint8_t queue)
{
	KASSERT(m->wire_count == 1 && queue == PQ_NONE, "H1: unwired page is wired once");
	m->wire_count = 0;
}

void
vm_page_free(struct vm_page *m)
{
	struct model_frame *frame = model_frame_of(VM_PAGE_TO_PHYS(m));

	KASSERT(frame->in_use && m->wire_count == 0 && m->md.pmap == 0 && m->md.va_page == 0 &&
	        m->md.pv_tail == 0,
	    "H1: freed page is in use, unwired, unmapped");
	model_page_freed(VM_PAGE_TO_PHYS(m));
	memset(vm_page_address(m), 0x5a, PAGE_SIZE);
	*frame = (struct model_frame){ 0 };
	*m = (struct vm_page){ .frame = m->frame };
	used--;
}

struct vm_page *
model_page_new(void)
{
	struct vm_page *m = take_page();

	KASSERT(m != NULL, "H4: the pool is large enough for the test");
	m->valid = VM_PAGE_BITS_ALL;
	model_page_fill(m);
	return (m);
}

void
model_page_fill(struct vm_page *m)
{
	model_frame_of(VM_PAGE_TO_PHYS(m))->icache_ok = false;
	pmap_page_filled(m);
}

void
cpu_sync_icache(const void *va, size_t bytes)
{
	KASSERT(bytes == PAGE_SIZE, "H5: a whole page");
	model_frame_of(virt_to_phys(va))->icache_ok = true;
}
