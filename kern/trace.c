/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ring of trace records.
 *
 * The ring survives a reset: it lies in .noinit, which nobody clears, behind a header
 * with magic, layout and CRC. Each record has a check of its own, for a CRC over a moving
 * ring would cost too much. It is six CRC instructions in trace_put and eleven around
 * them: 42 instructions instead of 25.
 *
 * Owns: the ring, the mask, the end of the former boot's ring.
 * Does not: print; trace_format makes one line for whoever does.
 * Invariants:
 *   Q1 record n lies at n modulo TRACE_RECORDS until n + TRACE_RECORDS is written;
 *   Q2 a number is taken by one atomic step before its record is written, so writers
 *      in tasks and in interrupts need no lock;
 *   Q3 a reader looks at the count again after copying: no later record came over it;
 *   Q4 nothing is taken from the former boot that has not been checked: header by CRC and
 *      layout, records by their check, which knows boot and number, so that an older record
 *      in the place of a lost one is seen; no index comes from memory unmasked.
 * Yields: never.
 * Complexity: an event outside the mask costs one load and one test; one inside
 *   about forty instructions.
 * See: kern/trace.h.
 */
#include "kern/trace.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "kern/machdep.h"
#include "kern/task.h"
#include "kern/timer.h"
#include "lib/crc32c.h"

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

#define NO_INIT __attribute__((section(".noinit"), aligned(64)))

#define KEEP_MAGIC   0x6563617274626265ull /* "ebbtrace" */
#define KEEP_VERSION 1u
#define COUNT_MAX    (1ull << 48)

/* What a kernel must agree on with the one before it. */
struct keep {
	uint64_t magic;
	uint32_t version;
	uint32_t record_bytes;
	uint32_t record_count;
	uint32_t boot;            /* boots in a row; makes each boot's checks different */
	uint64_t records_at, written_at;
	uint32_t crc;             /* of all before */
};

static struct keep keep NO_INIT;
static struct trace_record records[TRACE_RECORDS] NO_INIT;
static uint64_t written NO_INIT;

static uint64_t salt;     /* keep.boot where the checks want it */
static uint64_t flushed;  /* records in RAM for certain */
static void (*clean_lines)(const void *va, uint64_t bytes);

static struct trace_record former[TRACE_FORMER];
static uint32_t former_count, former_damaged;

static inline uint16_t
record_check(const struct trace_record *r, uint64_t n, uint64_t boot_salt)
{
	uint32_t crc = crc32c_word(UINT32_MAX, n ^ boot_salt);

	crc = crc32c_word(crc, r->cycles);
	crc = crc32c_word(crc, (uint64_t)r->task_id << 32 | r->event);
	crc = crc32c_word(crc, r->a);
	crc = crc32c_word(crc, r->b);
	crc = crc32c_word(crc, r->c);
	return ((uint16_t)crc);
}

static uint64_t
salt_of(uint32_t boot)
{
	return ((uint64_t)boot << 32 | 0x5a);
}

static bool
keep_is_good(void)
{
	return (keep.magic == KEEP_MAGIC && keep.version == KEEP_VERSION &&
	    keep.crc == crc32c(0, &keep, offsetof(struct keep, crc)) &&
	    keep.record_bytes == sizeof(struct trace_record) &&
	    keep.record_count == TRACE_RECORDS && keep.records_at == (uintptr_t)records &&
	    keep.written_at == (uintptr_t)&written && written <= COUNT_MAX);
}

/* The end of the ring as the former boot left it (Q4). */
static void
take_former(void)
{
	uint64_t end = written, former_salt = salt_of(keep.boot);

	for (uint64_t n = end > TRACE_FORMER ? end - TRACE_FORMER : 0; n < end; n++) {
		const struct trace_record *r = &records[n & (TRACE_RECORDS - 1)];

		if (r->event < TRACE_EVENT_COUNT && r->check == record_check(r, n, former_salt))
			former[former_count++] = *r;
		else
			former_damaged++;
	}
}

void
trace_init(void (*clean)(const void *va, uint64_t bytes))
{
	uint32_t boot = (uint32_t)get_cyclecount();

	former_count = former_damaged = 0;
	if (keep_is_good()) {
		boot = keep.boot + 1;
		take_former();
	}
	keep = (struct keep){ .magic = KEEP_MAGIC, .version = KEEP_VERSION,
		.record_bytes = sizeof(struct trace_record), .record_count = TRACE_RECORDS,
		.boot = boot, .records_at = (uintptr_t)records,
		.written_at = (uintptr_t)&written };
	keep.crc = crc32c(0, &keep, offsetof(struct keep, crc));
	salt = salt_of(boot);
	written = flushed = 0;
	clean_lines = clean;
	if (clean != NULL)
		clean(&keep, sizeof(keep));
	trace_flush();
}

/* Records first: what the count promises is there. */
void
trace_flush(void)
{
	uint64_t end = trace_count(), from = flushed;

	flushed = end;
	if (clean_lines == NULL)
		return;
	if (end - from >= TRACE_RECORDS) {
		clean_lines(records, sizeof(records));
	} else if ((from & (TRACE_RECORDS - 1)) + (end - from) > TRACE_RECORDS) {
		clean_lines(records, (end & (TRACE_RECORDS - 1)) * sizeof(records[0]));
		clean_lines(&records[from & (TRACE_RECORDS - 1)],
		    (TRACE_RECORDS - (from & (TRACE_RECORDS - 1))) * sizeof(records[0]));
	} else if (end > from) {
		clean_lines(&records[from & (TRACE_RECORDS - 1)],
		    (end - from) * sizeof(records[0]));
	}
	clean_lines(&written, sizeof(written));
}

uint32_t
trace_former_count(void)
{
	return (former_count);
}

uint32_t
trace_former_damaged(void)
{
	return (former_damaged);
}

bool
trace_former_get(uint32_t i, struct trace_record *out)
{
	if (i >= former_count)
		return (false);
	*out = former[i];
	return (true);
}

void
trace_put(enum trace_event event, uint64_t a, uint64_t b, uint64_t c)
{
	const struct task *t = curtask();
	uint64_t n = __atomic_fetch_add(&written, 1, __ATOMIC_RELAXED); /* Q2 */
	struct trace_record *r = &records[n & (TRACE_RECORDS - 1)];

	r->cycles = get_cyclecount();
	r->event = (uint16_t)event;
	r->task_id = t != NULL ? t->id : 0;
	r->a = a;
	r->b = b;
	r->c = c;
	r->check = record_check(r, n, salt);
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
