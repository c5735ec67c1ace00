/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ring of trace records.
 *
 * Owns: the ring and the mask.
 * Does not: print; trace_format makes one line for whoever does.
 * Invariants:
 *   Q1 record n lies at n modulo TRACE_RECORDS until n + TRACE_RECORDS is written;
 *   Q2 a number is taken by one atomic step before its record is written, so writers
 *      in tasks and in interrupts need no lock;
 *   Q3 a reader looks at the count again after copying: no later record came over it.
 * Yields: never.
 * Complexity: an event outside the mask costs one load and one test; one inside
 *   about twenty instructions.
 * See: kern/trace.h.
 */
#include "kern/trace.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "kern/machdep.h"
#include "kern/task.h"
#include "kern/timer.h"

#define EVENT_BIT(event) (1ull << (event))

uint64_t trace_mask =
    ~(EVENT_BIT(TRACE_SWITCH) | EVENT_BIT(TRACE_IRQ) | EVENT_BIT(TRACE_SYSCALL));

struct event_text {
	const char *name, *a, *b, *c;
};

static const struct event_text texts[TRACE_EVENT_COUNT] = {
#define TRACE_TEXT(symbol, name, a, b, c) [symbol] = { name, a, b, c },
	TRACE_EVENTS(TRACE_TEXT)
#undef TRACE_TEXT
};

static struct trace_record records[TRACE_RECORDS];
static uint64_t written;

void
trace_put(enum trace_event event, uint64_t a, uint64_t b, uint64_t c)
{
	const struct task *t = curtask();
	uint64_t n = __atomic_fetch_add(&written, 1, __ATOMIC_RELAXED); /* Q2 */
	struct trace_record *r = &records[n & (TRACE_RECORDS - 1)];

	r->cycles = get_cyclecount();
	r->event = event;
	r->task_id = t != NULL ? t->id : 0;
	r->a = a;
	r->b = b;
	r->c = c;
}

uint64_t
trace_count(void)
{
	return (__atomic_load_n(&written, __ATOMIC_RELAXED));
}

bool
trace_get(uint64_t n, struct trace_record *out)
{
	if (n >= trace_count())
		return (false);
	*out = records[n & (TRACE_RECORDS - 1)];
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return (n + TRACE_RECORDS >= trace_count()); /* Q3 */
}

const char *
trace_event_name(enum trace_event event)
{
	return ((uint32_t)event < TRACE_EVENT_COUNT ? texts[event].name : "?");
}

int
trace_event_find(const char *name)
{
	for (int event = 0; event < TRACE_EVENT_COUNT; event++)
		if (strcmp(texts[event].name, name) == 0)
			return (event);
	return (-1);
}

void
trace_format(const struct trace_record *r, char *buffer, uint32_t bytes)
{
	static const struct event_text unknown = { "?", "a", "b", "c" };
	const struct event_text *text =
	    r->event < TRACE_EVENT_COUNT ? &texts[r->event] : &unknown;
	const char *labels[3] = { text->a, text->b, text->c };
	uint64_t values[3] = { r->a, r->b, r->c };
	uint64_t us = timer_cycles_to_us(r->cycles);
	uint32_t used;

	if (bytes == 0)
		return;
	snprintf(buffer, bytes, "%llu.%06u task %u %s", (unsigned long long)(us / 1000000),
	    (unsigned)(us % 1000000), (unsigned)r->task_id, text->name);
	for (int i = 0; i < 3; i++) {
		if (labels[i][0] == '\0')
			continue;
		used = (uint32_t)strlen(buffer);
		snprintf(buffer + used, bytes - used, ", %s 0x%llx", labels[i],
		    (unsigned long long)values[i]);
	}
}
