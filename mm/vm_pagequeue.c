/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page queues: doubly linked by page number, and scan markers.
 *
 *   head (oldest) -> page -> marker -> page -> ... -> tail (youngest)
 *
 * A marker is one of the first elements of the page array, so that it links like
 * a page; whoever walks a queue asks for PG_MARKER before anything else.
 *
 * Owns: queue, q_next and q_prev of every page and marker; the set of markers.
 * Does not: touch act_count, flags or any other state of a page (vm_page does).
 * Invariants:
 *   Q1 m->queue is the id of the queue that m is linked on, else PQ_NONE;
 *   Q2 count is the number of pages on the queue, markers never included;
 *   Q3 a marker has PG_MARKER and no other flag, is exclusive-busy and held once
 *      (contract 1.1, T1-T3), is on at most one queue and belongs to one scan;
 *   Q4 a page on a queue is not wired and belongs to the queue's domain.
 * Yields: never.
 * Complexity: O(1) each.
 * See: contract 1.1, 1.2, 1.12.
 */
#include "mm/vm_pagequeue.h"

/* Link m behind prev (VM_PAGE_NONE: at the head). */
static inline void
link_after(struct vm_pagequeue *pq, struct vm_page *m, uint32_t prev)
{
	uint32_t n = vm_page_number(m);
	uint32_t next = prev == VM_PAGE_NONE ? pq->head : vm_page_array[prev].q_next;

	m->q_prev = prev;
	m->q_next = next;
	if (prev == VM_PAGE_NONE)
		pq->head = n;
	else
		vm_page_array[prev].q_next = n;
	if (next == VM_PAGE_NONE)
		pq->tail = n;
	else
		vm_page_array[next].q_prev = n;
	m->queue = pq->id;
}

static inline void
unlink_element(struct vm_pagequeue *pq, struct vm_page *m)
{
	KASSERT(m->queue == pq->id, "Q1: element is on this queue");
	if (m->q_prev == VM_PAGE_NONE)
		pq->head = m->q_next;
	else
		vm_page_array[m->q_prev].q_next = m->q_next;
	if (m->q_next == VM_PAGE_NONE)
		pq->tail = m->q_prev;
	else
		vm_page_array[m->q_next].q_prev = m->q_prev;
	m->q_next = m->q_prev = VM_PAGE_NONE;
	m->queue = PQ_NONE;
}

static inline void
assert_page(const struct vm_page *m)
{
	KASSERT(m->queue == PQ_NONE, "Q1: element is on no other queue");
	KASSERT((m->flags & (PG_MARKER | PG_FREE)) == 0 && m->wire_count == 0,
	    "Q4: a queued page is neither marker, free nor wired");
}

void
vm_pagequeue_enqueue_head(struct vm_pagequeue *pq, struct vm_page *m)
{
	assert_page(m);
	link_after(pq, m, VM_PAGE_NONE);
	pq->count++;
}

void
vm_pagequeue_dequeue(struct vm_pagequeue *pq, struct vm_page *m)
{
	KASSERT((m->flags & PG_MARKER) == 0, "Q2: markers are removed by their own verb");
	unlink_element(pq, m);
	pq->count--;
}

void
vm_pagequeue_requeue(struct vm_pagequeue *pq, struct vm_page *m)
{
	vm_pagequeue_dequeue(pq, m);
	vm_pagequeue_enqueue(pq, m);
}

void
vm_pagequeue_rotate(struct vm_pagequeue *pq, struct vm_page *m)
{
	uint32_t next = m->q_next, head = pq->head;

	KASSERT(m->queue == pq->id, "Q1: element is on this queue");
	if (next == VM_PAGE_NONE)
		return;
	vm_page_array[next].q_prev = VM_PAGE_NONE;
	vm_page_array[pq->tail].q_next = head;
	vm_page_array[head].q_prev = pq->tail;
	m->q_next = VM_PAGE_NONE;
	pq->head = next;
	pq->tail = vm_page_number(m);
}

void
vm_pagequeue_move(struct vm_pagequeue *from, struct vm_pagequeue *to, struct vm_page *m)
{
	vm_pagequeue_dequeue(from, m);
	vm_pagequeue_enqueue(to, m);
}

struct vm_page *
vm_pagequeue_marker_begin(struct vm_pagequeue *pq)
{
	struct vm_page *m;
	uint32_t n;

	for (n = 1; n < VM_PAGE_FIRST; n++) {
		m = &vm_page_array[n];
		if ((m->flags & PG_MARKER) != 0)
			continue;
		*m = (struct vm_page){ .flags = PG_MARKER, .busy = VPB_EXCLUSIVE,
			.hold_count = 1, .queue = pq->id, .order = 0xff };
		return (m);
	}
	KASSERT(false, "Q3: there are enough markers for all scans");
	return (NULL);
}

void
vm_pagequeue_marker_end(struct vm_page *marker)
{
	KASSERT((marker->flags & PG_MARKER) != 0 && marker->q_next == VM_PAGE_NONE &&
	    marker->q_prev == VM_PAGE_NONE, "Q3: marker in use and off its queue");
	*marker = (struct vm_page){ .queue = PQ_NONE, .order = 0xff };
}

void
vm_pagequeue_insert_after(struct vm_pagequeue *pq, struct vm_page *m, struct vm_page *marker)
{
	KASSERT((marker->flags & PG_MARKER) != 0 && marker->queue == pq->id &&
	    m->queue == pq->id, "Q3: marker belongs to the queue of the page");
	link_after(pq, marker, vm_page_number(m));
}

void
vm_pagequeue_remove_marker(struct vm_pagequeue *pq, struct vm_page *marker)
{
	uint8_t id = marker->queue;

	KASSERT((marker->flags & PG_MARKER) != 0, "Q3: it is a marker");
	unlink_element(pq, marker);
	marker->queue = id;
}
