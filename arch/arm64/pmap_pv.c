/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reverse mappings of pages.
 *
 * Most pages are mapped once: that mapping lies inside struct vm_page. Further ones
 * are entries of 12 bytes in chunks, a chunk being one page of the pool, allocated
 * when no chunk has room and given back when its last entry goes. An entry's number
 * is the chunk's page number and its index, so 32 bits name it and 0 names none.
 *
 *   struct vm_page                chunk pages
 *   [first mapping]   pv_tail --> [last] --> [second] --> [third] ... --> [last]
 *
 * The extra entries of a page form a ring that is entered at its tail, so that
 * rotating the list of mappings by one (pv_rotate) is a swap of contents and one step.
 *
 * Owns: md_page of mapped pages; the chunks.
 * Does not: touch page tables.
 * Invariants:
 *   V1 md.pmap == 0 means no mapping and then there are no extra entries.
 *   V2 a chunk is on the list of chunks with room iff it has a free entry.
 *   V3 a chunk has at least one entry in use whenever no verb is running.
 * Yields: never.
 * Complexity: insertion and rotation constant; removal linear in the page's mappings.
 * See: mm/vm_page.h, pmap_page.c.
 */
#include "arch/arm64/pmap_pv.h"

#include "arch/arm64/pmap_var.h"

struct pv_entry {
	uint32_t pmap;
	uint32_t va_page;
	uint32_t next; /* in a page's ring; or the next free one's index */
};

#define PV_CHUNK_ENTRIES 340u
#define PV_INDEX_BITS    9
#define PV_INDEX_MASK    ((1u << PV_INDEX_BITS) - 1)
#define PV_INDEX_NONE    PV_INDEX_MASK

struct pv_chunk {
	uint32_t next_room; /* list of chunks with room: page numbers */
	uint32_t prev_room;
	uint32_t free_head; /* index, PV_INDEX_NONE = full */
	uint32_t used;
	struct pv_entry entry[PV_CHUNK_ENTRIES];
};
_Static_assert(sizeof(struct pv_chunk) == PAGE_SIZE, "a chunk is a page");

static uint32_t room_head; /* page number of the first chunk with room */

static struct pv_chunk *
chunk_of(uint32_t page)
{
	return (vm_page_address(vm_page_of(page)));
}

static struct pv_entry *
entry_of(uint32_t pv)
{
	return (&chunk_of(pv >> PV_INDEX_BITS)->entry[pv & PV_INDEX_MASK]);
}

/* ---- Chunks */

static void
room_insert(struct pv_chunk *chunk, uint32_t page)
{
	chunk->prev_room = 0;
	chunk->next_room = room_head;
	if (room_head != 0)
		chunk_of(room_head)->prev_room = page;
	room_head = page;
}

static void
room_remove(struct pv_chunk *chunk)
{
	if (chunk->prev_room != 0)
		chunk_of(chunk->prev_room)->next_room = chunk->next_room;
	else
		room_head = chunk->next_room;
	if (chunk->next_room != 0)
		chunk_of(chunk->next_room)->prev_room = chunk->prev_room;
}

static int
chunk_create(void)
{
	struct vm_page *m = pmap_page_alloc(0);
	struct pv_chunk *chunk;
	uint32_t i;

	if (m == NULL)
		return (ERR_NOMEM);
	KASSERT(vm_page_number(m) <= UINT32_MAX >> PV_INDEX_BITS, "V4: page number fits");
	chunk = vm_page_address(m);
	chunk->free_head = 0;
	chunk->used = 0;
	for (i = 0; i < PV_CHUNK_ENTRIES; i++)
		chunk->entry[i].next = i + 1 < PV_CHUNK_ENTRIES ? i + 1 : PV_INDEX_NONE;
	room_insert(chunk, vm_page_number(m));
	pmap_stats.pv_pages++;
	return (0);
}

int
pv_entry_alloc(uint32_t *pv)
{
	struct pv_chunk *chunk;
	uint32_t index;
	int error;

	if (room_head == 0 && (error = chunk_create()) != 0)
		return (error);
	chunk = chunk_of(room_head);
	index = chunk->free_head;
	KASSERT(index < PV_CHUNK_ENTRIES, "V2: a chunk on the list has room");
	*pv = room_head << PV_INDEX_BITS | index;
	chunk->free_head = chunk->entry[index].next;
	chunk->used++;
	if (chunk->free_head == PV_INDEX_NONE)
		room_remove(chunk);
	pmap_stats.pv_entries++;
	return (0);
}

static void
entry_free(uint32_t pv)
{
	uint32_t page = pv >> PV_INDEX_BITS;
	struct pv_chunk *chunk = chunk_of(page);

	KASSERT(chunk->used > 0, "V3: a chunk that loses an entry had one");
	if (chunk->free_head == PV_INDEX_NONE)
		room_insert(chunk, page);
	chunk->entry[pv & PV_INDEX_MASK].next = chunk->free_head;
	chunk->free_head = pv & PV_INDEX_MASK;
	pmap_stats.pv_entries--;
	if (--chunk->used == 0) {
		room_remove(chunk);
		pmap_page_free(vm_page_of(page));
		pmap_stats.pv_pages--;
	}
}

/* ---- Mappings of a page */

void
pv_unreserve(uint32_t pv)
{
	if (pv != 0)
		entry_free(pv);
}

void
pv_insert_extra(struct vm_page *m, uint32_t ref, vm_offset_t va, uint32_t pv)
{
	struct pv_entry *entry, *tail;

	entry = entry_of(pv);
	entry->pmap = ref;
	entry->va_page = (uint32_t)atop(va);
	entry->next = pv;
	if (m->md.pv_tail != 0) {
		tail = entry_of(m->md.pv_tail);
		entry->next = tail->next;
		tail->next = pv;
	}
	m->md.pv_tail = pv;
}

/* Take the ring's entry behind prev out and free it. */
static void
ring_remove(struct vm_page *m, uint32_t prev)
{
	struct pv_entry *before = entry_of(prev);
	uint32_t pv = before->next;

	before->next = entry_of(pv)->next;
	if (pv == prev)
		m->md.pv_tail = 0;
	else if (pv == m->md.pv_tail)
		m->md.pv_tail = prev;
	entry_free(pv);
}

static void
inline_remove(struct vm_page *m)
{
	const struct pv_entry *first;

	if (m->md.pv_tail == 0) {
		m->md = (struct md_page){ 0 };
		return;
	}
	first = entry_of(entry_of(m->md.pv_tail)->next);
	m->md.pmap = first->pmap;
	m->md.va_page = first->va_page;
	ring_remove(m, m->md.pv_tail);
}

void
pv_remove_extra(struct vm_page *m, uint32_t ref, vm_offset_t va)
{
	uint32_t va_page = (uint32_t)atop(va);
	uint32_t prev = m->md.pv_tail;
	const struct pv_entry *entry;

	if (m->md.pmap == ref && m->md.va_page == va_page) {
		inline_remove(m);
		return;
	}
	KASSERT(prev != 0, "V1: a mapping is among the reverse mappings");
	for (;;) {
		entry = entry_of(entry_of(prev)->next);
		if (entry->pmap == ref && entry->va_page == va_page)
			break;
		prev = entry_of(prev)->next;
		KASSERT(prev != m->md.pv_tail, "V1: a mapping is among the reverse mappings");
	}
	ring_remove(m, prev);
}

void
pv_rotate(struct vm_page *m)
{
	uint32_t pv;
	struct pv_entry *first;
	struct md_page former = m->md;

	if (former.pv_tail == 0)
		return;
	pv = entry_of(former.pv_tail)->next;
	first = entry_of(pv);
	m->md.pmap = first->pmap;
	m->md.va_page = first->va_page;
	m->md.pv_tail = pv;
	first->pmap = former.pmap;
	first->va_page = former.va_page;
}

void
pv_next_extra(const struct vm_page *m, struct pv_cursor *c)
{
	const struct pv_entry *entry;

	c->at = entry_of(c->at == 0 ? m->md.pv_tail : c->at)->next;
	entry = entry_of(c->at);
	c->ref = entry->pmap;
	c->va = ptoa(entry->va_page);
}
