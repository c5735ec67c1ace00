/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A core for tests of mm: loads, stores and fetches through a TLB.
 *
 *   access -> TLB hit with the right -> bytes
 *          -> miss: walk the mapping -> flags set? fill the TLB : pmap_fault
 *                   none or no right -> pmap_fault says ERR_FAULT -> vm_fault
 *
 * Owns: the TLB. It caches a translation until it is invalidated or another one
 *   takes its place; one with the flag not set is not cached, as on the hardware.
 * Does not: change mappings.
 * Invariants:
 *   Y1 a cached translation agrees with its mapping: same frame, no right more.
 * Yields: an access, when vm_fault does.
 * See: test/host/sim_pmap.h.
 */
#include <stdio.h>
#include <string.h>

#include "mm/vm_fault.h"
#include "test/host/sim_pmap.h"

#define TLB_ENTRIES 61u

struct tlb_entry {
	struct pmap *pmap; /* NULL: empty */
	vm_offset_t va;
	uint8_t *frame;
	uint32_t page;
	vm_prot_t rights;  /* usable without another walk */
};

static struct tlb_entry tlb[TLB_ENTRIES];

void
sim_tlb_reset(void)
{
	memset(tlb, 0, sizeof(tlb));
}

static struct tlb_entry *
slot_of(const struct pmap *pmap, vm_offset_t va)
{
	return (&tlb[((uintptr_t)pmap / 16 + (va >> PAGE_SHIFT)) % TLB_ENTRIES]);
}

void
sim_tlb_invalidate(struct pmap *pmap, vm_offset_t va)
{
	struct tlb_entry *e = slot_of(pmap, va);

	if (e->pmap == pmap && e->va == va)
		e->pmap = NULL;
}

const char *
sim_tlb_check(void)
{
	const struct sim_mapping *map;
	const struct tlb_entry *e;

	for (e = tlb; e < tlb + TLB_ENTRIES; e++) {
		if (e->pmap == NULL)
			continue;
		map = sim_pmap_find(e->pmap, e->va);
		if (map == NULL || map->page != e->page)
			return ("Y1: the TLB knows a translation that is gone");
		if ((e->rights & ~map->prot) != 0 || !map->accessed ||
		    ((e->rights & VM_PROT_WRITE) != 0 && !map->modified))
			return ("Y1: the TLB allows more than the mapping");
	}
	return (NULL);
}

/* Walk: the frame if the mapping allows the access now, else NULL. */
static uint8_t *
walk(struct pmap *pmap, vm_offset_t va, vm_prot_t access)
{
	struct sim_mapping *map = sim_pmap_find(pmap, va);
	struct tlb_entry *e;

	if (map == NULL || (map->prot & access) == 0)
		return (NULL);
	if (sim_pmap_hw_flags) {
		map->accessed = true;
		map->modified |= access == VM_PROT_WRITE;
	}
	if (!map->accessed || (access == VM_PROT_WRITE && !map->modified))
		return (NULL);
	e = slot_of(pmap, va);
	*e = (struct tlb_entry){ .pmap = pmap, .va = va, .page = map->page,
		.frame = vm_page_address(vm_page_of(map->page)), .rights = map->prot };
	if (!map->modified)
		e->rights &= (vm_prot_t)~VM_PROT_WRITE;
	return (e->frame);
}

/* The byte at va, faulting as often as it takes. */
static int
translate(struct vmspace *vm, vm_offset_t va, vm_prot_t access, uint8_t **out)
{
	vm_offset_t page_va = trunc_page(va);
	struct tlb_entry *e;
	uint8_t *frame;
	int error, tries;

	for (tries = 0; tries < 1000; tries++) {
		e = slot_of(&vm->pmap, page_va);
		frame = e->pmap == &vm->pmap && e->va == page_va && (e->rights & access) != 0
		    ? e->frame : walk(&vm->pmap, page_va, access);
		if (frame != NULL) {
			*out = frame + (va & PAGE_MASK);
			return (0);
		}
		if (pmap_fault(&vm->pmap, va, access) == 0)
			continue;
		error = vm_fault(vm, va, access);
		if (error != 0)
			return (error);
	}
	KASSERT(false, "Y1: an access makes progress");
	return (ERR_FAULT);
}

/* Bytes from va to the end of its page, at most bytes. */
static size_t
in_page(vm_offset_t va, size_t bytes)
{
	size_t left = PAGE_SIZE - (va & PAGE_MASK);

	return (bytes < left ? bytes : left);
}

int
sim_load(struct vmspace *vm, vm_offset_t va, void *to, size_t bytes)
{
	uint8_t *at, *out = to;
	size_t n;
	int error;

	for (; bytes > 0; bytes -= n, va += n, out += n) {
		error = translate(vm, va, VM_PROT_READ, &at);
		if (error != 0)
			return (error);
		n = in_page(va, bytes);
		memcpy(out, at, n);
	}
	return (0);
}

int
sim_store(struct vmspace *vm, vm_offset_t va, const void *from, size_t bytes)
{
	const uint8_t *in = from;
	uint8_t *at;
	size_t n;
	int error;

	for (; bytes > 0; bytes -= n, va += n, in += n) {
		error = translate(vm, va, VM_PROT_WRITE, &at);
		if (error != 0)
			return (error);
		n = in_page(va, bytes);
		memcpy(at, in, n);
	}
	return (0);
}

int
sim_fetch(struct vmspace *vm, vm_offset_t va, uint32_t *insn)
{
	uint8_t *at;
	int error = translate(vm, va, VM_PROT_EXECUTE, &at);

	if (error == 0)
		memcpy(insn, at, sizeof(*insn));
	return (error);
}
