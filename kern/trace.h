/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trace ring: the last few thousand events, at a handful of instructions each.
 *
 * Fixed storage outside the pool; writers never wait. A panic prints its tail,
 * the monitor's `trace` shows or streams it. It lies in memory that a reset leaves
 * alone, so the next boot can show how the former one ended.
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
	X(TRACE_THROTTLE, "throttle", "now", "since the last look", "")      \
	X(TRACE_WATCHDOG, "watchdog", "seconds", "armed", "")

enum trace_event {
#define TRACE_ENUM(symbol, name, a, b, c) symbol,
	TRACE_EVENTS(TRACE_ENUM)
#undef TRACE_ENUM
	TRACE_EVENT_COUNT
};

struct trace_record {
	uint64_t cycles;
	uint16_t event;
	uint16_t check;    /* lower half of a CRC over boot, number and the other fields */
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

/*
 * Begin a ring of this boot, after taking the end of the former boot's from the memory of the
 * ring; first thing at boot, before any event. clean writes lines of the cache back to RAM and
 * may be NULL.
 */
void trace_init(void (*clean)(const void *va, uint64_t bytes));
/* Write to RAM what has been recorded since the last call; any context, never waits. Until
 * then a reset may lose it. */
void trace_flush(void);

#define TRACE_FORMER 512 /* records kept of the former boot */

/* Records of the former boot that are there and whole, at most TRACE_FORMER; of those that
 * should be there, how many are not whole. Both 0: no former boot. */
uint32_t trace_former_count(void);
uint32_t trace_former_damaged(void);
/* Number i of them, 0 the oldest. */
bool trace_former_get(uint32_t i, struct trace_record *out);

#endif
