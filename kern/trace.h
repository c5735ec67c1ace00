/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trace ring: the last few thousand events, at a handful of instructions each.
 *
 * Fixed storage outside the pool; writers never wait. A panic prints its tail,
 * the monitor's `trace` shows or streams it.
 */
#ifndef KERN_TRACE_H
#define KERN_TRACE_H

#include <stdbool.h>
#include <stdint.h>

/* X(symbol, name, meaning of a, b, c). Append only. */
#define TRACE_EVENTS(X)                                                      \
	X(TRACE_BOOT, "boot", "stage", "", "")                               \
	X(TRACE_SWITCH, "switch", "from task", "to task", "")                \
	X(TRACE_IRQ, "irq", "line", "", "")                                  \
	X(TRACE_FAULT, "fault", "address", "access", "result")               \
	X(TRACE_PAGEIN, "pagein", "page index", "slot", "pages")             \
	X(TRACE_PAGEOUT, "pageout", "page index", "slot", "pages")           \
	X(TRACE_SCAN, "scan", "pass", "shortage", "freed")                   \
	X(TRACE_WAKE, "pdwakeup", "free pages", "", "")                      \
	X(TRACE_OOM, "oom", "pid", "size pages", "")                         \
	X(TRACE_BIO, "bio", "block", "bytes", "op")                          \
	X(TRACE_BIO_DONE, "biodone", "block", "error", "us")                 \
	X(TRACE_DEVERR, "deverr", "code", "status", "block")                 \
	X(TRACE_EXEC, "exec", "pid", "entry", "")                            \
	X(TRACE_EXIT, "exit", "pid", "status", "")                           \
	X(TRACE_SIGNAL, "kill", "pid", "reason", "")                         \
	X(TRACE_SYSCALL, "syscall", "number", "pid", "result")               \
	X(TRACE_MARK, "mark", "a", "b", "c")                                 \
	X(TRACE_GROW, "grow", "domain", "queue", "tries")                    \
	X(TRACE_THROTTLE, "throttle", "now", "since the last look", "")

enum trace_event {
#define TRACE_ENUM(symbol, name, a, b, c) symbol,
	TRACE_EVENTS(TRACE_ENUM)
#undef TRACE_ENUM
	TRACE_EVENT_COUNT
};

struct trace_record {
	uint64_t cycles;
	uint32_t event;
	uint32_t task_id;
	uint64_t a, b, c;
};

#define TRACE_RECORDS 4096 /* power of two */

/* Bit per event; events outside the mask cost one test. Default: all but
 * SWITCH, IRQ and SYSCALL. */
extern uint64_t trace_mask;

void trace_put(enum trace_event event, uint64_t a, uint64_t b, uint64_t c);

/* Any context; never waits. */
static inline void
trace(enum trace_event event, uint64_t a, uint64_t b, uint64_t c)
{
	if (__builtin_expect((trace_mask >> event) & 1, 0))
		trace_put(event, a, b, c);
}

/* Records written so far; record number n is readable while n + TRACE_RECORDS >= count. */
uint64_t trace_count(void);
bool trace_get(uint64_t n, struct trace_record *out);
const char *trace_event_name(enum trace_event event);
/* The event called name, or -1. */
int trace_event_find(const char *name);
/* One line of text for r, NUL-terminated, without newline. */
void trace_format(const struct trace_record *r, char *buffer, uint32_t bytes);

#endif
