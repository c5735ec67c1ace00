/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registry of event handlers: a list for each event, ordered by priority.
 *
 * Owns: the lists; link and runs of every registered handler.
 * Does not: know what an event means; allocate (a handler is its owner's storage).
 * Invariants:
 *   E1 a handler is on the list of one event at most, once;
 *   E2 a list is in order of priority, equal ones in order of registration.
 * Yields: never; nor may a handler.
 * Complexity: O(handlers of the event).
 * See: kern/eventhandler.h; mm/vm_lowmem.c announces EVENT_VM_LOWMEM.
 */
#include "kern/eventhandler.h"

#include <stdbool.h>
#include <stddef.h>

#include "lib/assert.h"

TAILQ_HEAD(eventhandler_list, eventhandler);

static struct eventhandler_list lists[EVENT_COUNT] = {
	[EVENT_VM_LOWMEM] = TAILQ_HEAD_INITIALIZER(lists[EVENT_VM_LOWMEM]),
};

static bool
registered(const struct eventhandler_list *list, const struct eventhandler *handler)
{
	const struct eventhandler *h;

	TAILQ_FOREACH(h, list, link)
		if (h == handler)
			return (true);
	return (false);
}

void
eventhandler_register(enum event event, struct eventhandler *handler)
{
	struct eventhandler_list *list = &lists[event];
	struct eventhandler *h;

	KASSERT(event < EVENT_COUNT && handler->fn != NULL, "E1: a handler of an event");
	if (registered(list, handler))
		return;
	handler->runs = 0;
	TAILQ_FOREACH(h, list, link) {
		if (h->priority > handler->priority) {
			TAILQ_INSERT_BEFORE(h, handler, link);
			return;
		}
	}
	TAILQ_INSERT_TAIL(list, handler, link);
}

void
eventhandler_deregister(enum event event, struct eventhandler *handler)
{
	if (registered(&lists[event], handler))
		TAILQ_REMOVE(&lists[event], handler, link);
}

uint32_t
eventhandler_invoke(enum event event, uint32_t flags)
{
	struct eventhandler *h, *next;
	uint32_t count = 0;

	TAILQ_FOREACH_SAFE(h, &lists[event], link, next) {
		h->runs++;
		count++;
		h->fn(h->arg, flags);
	}
	return (count);
}

struct eventhandler *
eventhandler_next(enum event event, struct eventhandler *prev)
{
	return (prev == NULL ? TAILQ_FIRST(&lists[event]) : TAILQ_NEXT(prev, link));
}
