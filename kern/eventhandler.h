/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events that one layer announces and others listen to.
 *
 * Whoever has something to give, or to do, when an event happens registers a
 * handler; the layer that notices the event runs them all. So mm can ask fs and
 * proc for memory without knowing them.
 */
#ifndef KERN_EVENTHANDLER_H
#define KERN_EVENTHANDLER_H

#include <stdint.h>
#include <sys/queue.h>

enum event {
	EVENT_VM_LOWMEM, /* memory is short: give back what can be made again */
	EVENT_COUNT
};

/* Flags of EVENT_VM_LOWMEM. The page daemon passes 0: whatever can be had. */
#define VM_LOW_KMEM  1u /* kernel memory is short */
#define VM_LOW_PAGES 2u /* page frames are short */

/* Of equal priority: in order of registration. */
#define EVENTHANDLER_PRI_FIRST 0
#define EVENTHANDLER_PRI_ANY   10000
#define EVENTHANDLER_PRI_LAST  20000

/* One handler; storage is its owner's, who fills name, fn, arg and priority. */
struct eventhandler {
	TAILQ_ENTRY(eventhandler) link; /* eventhandler.c: in order of priority */
	const char *name;
	/* Must not yield, and allocates nothing: memory may be what is missing. May
	 * deregister itself, no other. */
	void (*fn)(void *arg, uint32_t flags);
	void *arg;
	int32_t priority;               /* EVENTHANDLER_PRI_*: lower runs earlier */
	uint64_t runs;                  /* times it was called */
};

/* Add handler to event; one that is there already keeps its place. Never yields. */
void eventhandler_register(enum event event, struct eventhandler *handler);
/* Take it off; nothing if it is not there. Never yields. */
void eventhandler_deregister(enum event event, struct eventhandler *handler);
/* Run every handler of event, in order; how many. Never yields. */
uint32_t eventhandler_invoke(enum event event, uint32_t flags);
/* In order; NULL = first. For the monitor. */
struct eventhandler *eventhandler_next(enum event event, struct eventhandler *prev);

#endif
