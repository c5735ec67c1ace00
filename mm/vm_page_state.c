/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages: busy states, and moves between the page queues.
 *
 *                 tryxbusy, xbusy                  trysbusy, sbusy
 *   EXCLUSIVE <-------------------- not busy --------------------> SHARED(n)
 *       |  \                          ^  ^                           |  ^
 *       |   `------- xunbusy ---------+  +--- sunbusy (n reaches 0) -+  |
 *       +------------------------ busy_downgrade -----------------------+
 *
 * Owns: busy, PG_WAITED, act_count where contract 1.12 says so, PG_WINATCFLS.
 * Does not: link queues itself (vm_pagequeue).
 * Invariants:
 *   B1 exclusive has one owner and no sharers; shared has no exclusive owner;
 *   B2 whoever finds a page busy sleeps on the page's address with PG_WAITED set,
 *      and the last release clears the flag and wakes all of them;
 *   B3 releases pair with acquisitions;
 *   B4 only pages with an object, unwired, are on a queue ("managed");
 *   B5 act_count >= ACT_INIT after an activation.
 * Yields: vm_page_busy_sleep, always; nothing else.
 * See: contract 1.12.
 */
#include "kern/sched.h"
#include "mm/vm_meter.h"
#include "mm/vm_page.h"

bool
vm_page_tryxbusy(struct vm_page *m)
{
	if (m->busy != 0)
		return (false);
	m->busy = VPB_EXCLUSIVE;
	return (true);
}

bool
vm_page_trysbusy(struct vm_page *m)
{
	if (m->busy == VPB_EXCLUSIVE)
		return (false);
	KASSERT(m->busy < VPB_EXCLUSIVE - 1, "B1: number of sharers fits");
	m->busy++;
	return (true);
}

void
vm_page_xbusy(struct vm_page *m)
{
	bool taken = vm_page_tryxbusy(m);

	KASSERT(taken, "B1: page is free to be taken exclusively");
}

void
vm_page_sbusy(struct vm_page *m)
{
	bool taken = vm_page_trysbusy(m);

	KASSERT(taken, "B1: page has no exclusive owner");
}

static inline void
wake_waiters(struct vm_page *m)
{
	if ((m->flags & PG_WAITED) == 0)
		return;
	m->flags &= (uint8_t)~PG_WAITED;
	wakeup(m);
}

void
vm_page_xunbusy(struct vm_page *m)
{
	KASSERT(m->busy == VPB_EXCLUSIVE, "B3: released page is exclusive-busy");
	m->busy = 0;
	wake_waiters(m);
}

void
vm_page_sunbusy(struct vm_page *m)
{
	KASSERT(m->busy != 0 && m->busy != VPB_EXCLUSIVE, "B3: released page is shared-busy");
	if (--m->busy == 0)
		wake_waiters(m);
}

void
vm_page_busy_downgrade(struct vm_page *m)
{
	KASSERT(m->busy == VPB_EXCLUSIVE, "B3: downgraded page is exclusive-busy");
	m->busy = 1;
	wake_waiters(m);
}

void
vm_page_busy_sleep(struct vm_page *m, const char *wmesg)
{
	KASSERT(m->busy != 0, "B2: sleeping on a busy page");
	m->flags |= PG_WAITED;
	tsleep(m, wmesg, SLEEP_FOREVER);
}

static inline struct vm_pagequeue *
queue_of(struct vm_page *m, uint8_t queue)
{
	return (&vm_domain_of(m)->pagequeues[queue]);
}

static inline bool
is_managed(const struct vm_page *m)
{
	return (m->wire_count == 0 && m->object != NULL);
}

void
vm_page_activate(struct vm_page *m)
{
	if (!is_managed(m))
		return;
	if (m->act_count < ACT_INIT)
		m->act_count = ACT_INIT;
	if (m->queue == PQ_ACTIVE)
		return;
	if (m->queue != PQ_NONE)
		vm_pagequeue_dequeue(queue_of(m, m->queue), m);
	vm_pagequeue_enqueue(queue_of(m, PQ_ACTIVE), m);
}

/* Off its queue, unless it is inactive already or not managed; true = go on. */
static bool
deactivate_begin(struct vm_page *m)
{
	if (!is_managed(m) || m->queue == PQ_INACTIVE)
		return (false);
	if (m->queue != PQ_NONE)
		vm_pagequeue_dequeue(queue_of(m, m->queue), m);
	m->flags &= (uint8_t)~PG_WINATCFLS;
	return (true);
}

void
vm_page_deactivate(struct vm_page *m)
{
	if (deactivate_begin(m))
		vm_pagequeue_enqueue(queue_of(m, PQ_INACTIVE), m);
}

void
vm_page_deactivate_head(struct vm_page *m)
{
	if (deactivate_begin(m))
		vm_pagequeue_enqueue_head(queue_of(m, PQ_INACTIVE), m);
}

void
vm_page_requeue(struct vm_page *m)
{
	KASSERT(m->queue != PQ_NONE, "B4: requeued page is on a queue");
	vm_pagequeue_requeue(queue_of(m, m->queue), m);
}

void
vm_page_dequeue(struct vm_page *m)
{
	KASSERT(m->queue != PQ_NONE, "B4: dequeued page is on a queue");
	vm_pagequeue_dequeue(queue_of(m, m->queue), m);
}
