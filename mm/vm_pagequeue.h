/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page queues: sole writer of m->queue, m->q_next and m->q_prev.
 *
 * Each memory domain has an active and an inactive queue, heads are the oldest.
 * A scan that may yield keeps its place by a marker: a queue element that is no
 * page and is counted nowhere.
 */
#ifndef MM_VM_PAGEQUEUE_H
#define MM_VM_PAGEQUEUE_H

#include "mm/vm_page.h"

struct vm_pagequeue {
	uint32_t head; /* page numbers */
	uint32_t tail;
	uint32_t count; /* pages, without markers */
	uint8_t id;     /* PQ_* */
};

static inline void
vm_pagequeue_init(struct vm_pagequeue *pq, uint8_t id)
{
	*pq = (struct vm_pagequeue){ .id = id };
}
/* At the tail. Inline: each page that comes into use passes here. */
static inline void
vm_pagequeue_enqueue(struct vm_pagequeue *pq, struct vm_page *m)
{
	uint32_t n = (uint32_t)(m - vm_page_array), tail = pq->tail;

	KASSERT(m->queue == PQ_NONE, "Q1: element is on no other queue");
	KASSERT((m->flags & (PG_MARKER | PG_FREE)) == 0 && m->wire_count == 0,
	    "Q4: a queued page is neither marker, free nor wired");
	m->q_prev = tail;
	m->q_next = VM_PAGE_NONE;
	m->queue = pq->id;
	*(tail == VM_PAGE_NONE ? &pq->head : &vm_page_array[tail].q_next) = n;
	pq->tail = n;
	pq->count++;
}
void vm_pagequeue_enqueue_head(struct vm_pagequeue *pq, struct vm_page *m);
void vm_pagequeue_dequeue(struct vm_pagequeue *pq, struct vm_page *m);
void vm_pagequeue_requeue(struct vm_pagequeue *pq, struct vm_page *m);      /* to tail */
/* Everything from the head up to m goes to the tail, in its order: as if each element
 * had been requeued. O(1). */
void vm_pagequeue_rotate(struct vm_pagequeue *pq, struct vm_page *m);
/* asserts that m is on from; goes to the tail of to */
void vm_pagequeue_move(struct vm_pagequeue *from, struct vm_pagequeue *to, struct vm_page *m);

static inline struct vm_page *
vm_pagequeue_first(const struct vm_pagequeue *pq)
{
	return (vm_page_of(pq->head));
}
/* The element behind m, a marker possibly; NULL at the end. */
static inline struct vm_page *
vm_pagequeue_next(const struct vm_page *m)
{
	return (vm_page_of(m->q_next));
}

/* A marker from the fixed set, prepared as contract 1.1 says; end gives it back. */
struct vm_page *vm_pagequeue_marker_begin(struct vm_pagequeue *pq);
void vm_pagequeue_marker_end(struct vm_page *marker);
void vm_pagequeue_insert_after(struct vm_pagequeue *pq, struct vm_page *m, struct vm_page *marker);
void vm_pagequeue_remove_marker(struct vm_pagequeue *pq, struct vm_page *marker);

#endif
