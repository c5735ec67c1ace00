/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limit: what one program may use.
 *
 *   limit 3                      shows all limits of process 3
 *   limit 3 nproc=8              it and all of its job may be 8 processes
 *   limit 3 rss=2M budget=4M:8M  sets two; of several words none counts if one is wrong
 *
 * Owns: nothing. Does not: enforce (proc/proc_limit.c tells who does).
 *
 * Invariants: none.
 * Yields: the command.
 * See: proc/proc.h; lib/ebb_abi.h.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/monitor/commands.h"
#include "kern/console.h"
#include "proc/proc.h"

static const char *const names[EBB_RLIMIT_COUNT] = {
	[EBB_RLIMIT_RSS] = "rss",
	[EBB_RLIMIT_AS] = "as",
	[EBB_RLIMIT_BUDGET] = "budget",
	[EBB_RLIMIT_MEMLOCK] = "memlock",
	[EBB_RLIMIT_NPROC] = "nproc",
};

/* "2M", "512K", "1G", "4096", "none" up to end; false if it is none of these. */
static bool
parse_size(const char *word, const char *end, uint64_t *bytes)
{
	static const char units[] = "KMG";
	const char *unit;
	char *after;
	uint64_t number;

	if (end - word == 4 && strncmp(word, "none", 4) == 0) {
		*bytes = EBB_RLIM_INFINITY;
		return (true);
	}
	if (end == word || *word < '0' || *word > '9')
		return (false);
	number = strtoull(word, &after, 10);
	if (after < end && (unit = strchr(units, *after)) != NULL) {
		uint32_t shift = 10 * (uint32_t)(unit - units + 1);

		if (number > UINT64_MAX >> shift)
			return (false);
		number <<= shift;
		after++;
	}
	*bytes = number;
	return (after == end && number != EBB_RLIM_INFINITY);
}

static int
find_name(const char *word, size_t bytes)
{
	int i;

	for (i = 0; i < EBB_RLIMIT_COUNT; i++)
		if (strlen(names[i]) == bytes && strncmp(names[i], word, bytes) == 0)
			return (i);
	return (-1);
}

/* One word NAME=SOFT[:HARD] into limits; false after a line. */
static bool
parse_word(const struct monitor_call *call, const char *word, struct ebb_rlimit *limits)
{
	const char *equals = strchr(word, '='), *colon, *end = word + strlen(word);
	struct ebb_rlimit *limit;
	int which = equals == NULL ? -1 : find_name(word, (size_t)(equals - word));

	if (which < 0) {
		monitor_expected(call,
		    "expected rss=, budget=, as=, memlock= or nproc=, got '%.60s'", word);
		return (false);
	}
	limit = &limits[which];
	colon = strchr(equals, ':');
	if (!parse_size(equals + 1, colon == NULL ? end : colon, &limit->soft) ||
	    (colon != NULL && !parse_size(colon + 1, end, &limit->hard))) {
		monitor_expected(call, "expected a size such as 2M, 512K or none, got '%.60s'",
		    equals + 1);
		return (false);
	}
	if (limit->soft > limit->hard) {
		monitor_expected(call, "the soft limit of %s is above its hard limit",
		    names[which]);
		return (false);
	}
	return (true);
}

static const char *
size_text(uint32_t which, uint64_t bytes, char text[32])
{
	if (bytes == EBB_RLIM_INFINITY)
		snprintf(text, 32, "none");
	else if (which == EBB_RLIMIT_NPROC)
		snprintf(text, 32, "%lu", (unsigned long)bytes);
	else if (bytes % 1024 == 0)
		snprintf(text, 32, "%lu KiB", (unsigned long)(bytes / 1024));
	else
		snprintf(text, 32, "%lu bytes", (unsigned long)bytes);
	return (text);
}

/* p is copied first: printing yields. */
static void
show(const struct proc *p)
{
	struct ebb_rlimit limits[EBB_RLIMIT_COUNT];
	char name[PROC_NAME_BYTES], soft[32], hard[32];
	uint32_t pid = p->pid, swapouts = p->swapouts, max = p->resident_pages_max, i;
	uint32_t resident = p->vmspace == NULL ? 0 : vmspace_resident_count(p->vmspace);

	memcpy(limits, p->limits, sizeof(limits));
	snprintf(name, sizeof(name), "%s", p->name);
	kprintf("%s (pid %u): %lu KiB resident, %lu at most; swapped out %u times\n", name, pid,
	    (unsigned long)resident * (PAGE_SIZE / 1024),
	    (unsigned long)(max > resident ? max : resident) * (PAGE_SIZE / 1024), swapouts);
	for (i = 0; i < EBB_RLIMIT_COUNT; i++)
		kprintf("  %-8s soft %s, hard %s\n", names[i], size_text(i, limits[i].soft, soft),
		    size_text(i, limits[i].hard, hard));
}

void
cmd_limit(const struct monitor_call *call)
{
	struct ebb_rlimit limits[EBB_RLIMIT_COUNT];
	struct proc *p;
	int64_t pid;
	int i, error = 0;

	if (call->argc < 2) {
		monitor_expected(call, "expected the number of a program; ps lists them");
		return;
	}
	if (!monitor_number(call, 1, 1, INT32_MAX, &pid))
		return;
	p = proc_find((uint32_t)pid);
	if (p == NULL) {
		monitor_expected(call, "no program has the number %ld; ps lists them", (long)pid);
		return;
	}
	memcpy(limits, p->limits, sizeof(limits));
	for (i = 2; i < call->argc; i++)
		if (!parse_word(call, call->argv[i], limits))
			return;
	if (call->argc == 2) {
		show(p);
		return;
	}
	for (i = 0; i < EBB_RLIMIT_COUNT && error == 0; i++)
		error = proc_limit_set(p, (uint64_t)i, &limits[i], true);
	if (error != 0)
		kprintf("limit: %s\n", err_string(error));
}
