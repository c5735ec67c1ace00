/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command table, help, and the sentences for what was typed wrongly.
 *
 * Owns: monitor_commands.
 * Does not: read lines (monitor.c), carry out commands (commands_*.c).
 *
 * Invariants:
 * M1 the table is in alphabetical order, no name twice.
 *
 * Yields: whatever prints.
 * See: app/monitor/commands.h.
 */
#include "app/monitor/commands.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "kern/console.h"
#include "lib/ebb_abi.h"

const struct monitor_command monitor_commands[] = {
	{ "blkstat", "", "disks: requests, bytes, merges, errors, latency, waiting", 0,
	    cmd_blkstat },
	{ "cat", "FILE", "print a file; a key stops it", 1, cmd_cat },
	{ "check", "", "verify every invariant of the VM", 0, cmd_check },
	{ "contig", "BYTES [LOW HIGH [ALIGN]]",
	    "can physical memory be had in one piece, and what goes for it", 4, cmd_contig },
	{ "dashboard", "[on [MS] | off]",
	    "page map, graphs and programs on the board's screen, every MS (500) milliseconds", 2,
	    cmd_dashboard },
	{ "domains", "", "memory domains: pages, thresholds, page daemon, votes to kill", 0,
	    cmd_domains },
	{ "fault", "[DEVICE off | DEVICE WHAT [every=K] [after=N] [times=N] [block=B [count=C]]]",
	    "make a disk fail on purpose: read, write, corrupt, torn, delay_ms=N, gone, cut", 7,
	    cmd_fault },
	{ "fg", "[PID]", "wait for a job of the background (the newest); Ctrl-C ends it", 1,
	    cmd_fg },
	{ "help", "[COMMAND]", "list the commands, or explain one", 1, cmd_help },
	{ "hist", "[NAME]",
	    "latencies as bars: of faults, swap, files, each disk; without a name, which", 1,
	    cmd_hist },
	{ "jobs", "", "programs in the background", 0, cmd_jobs },
	{ "kill", "PID", "end a program and all that it has started", 1, cmd_kill },
	{ "limit", "PID [NAME=SOFT[:HARD] ...]",
	    "show or set a program's limits: rss, budget, as, memlock; nproc of its job",
	    EBB_RLIMIT_COUNT + 1, cmd_limit },
	{ "ls", "[DIRECTORY]", "list a directory (/ if not given)", 1, cmd_ls },
	{ "pagemap", "[live]",
	    "every frame of the pool by its state; live: redrawn until a key is hit", 1,
	    cmd_pagemap },
	{ "poweroff", "[CODE]", "power off (with semihosting: exit code, 0 if not given)", 1,
	    cmd_poweroff },
	{ "protect", "PID [off]", "a program that is not killed when memory runs out", 2,
	    cmd_protect },
	{ "ps", "", "list programs and kernel tasks", 0, cmd_ps },
	{ "queues", "", "page queues and thresholds of each memory domain", 0, cmd_queues },
	{ "reboot", "", "start again", 0, cmd_reboot },
	{ "rm", "FILE", "remove a file from the card", 1, cmd_rm },
	{ "run", "PROGRAM [ARGUMENT...] [&]",
	    "run /apps/PROGRAM.elf or a path; & in the background; Ctrl-C ends it; run can be "
	    "left out", ARGS_MAX - 1, cmd_run },
	{ "source", "FILE",
	    "carry out the lines of a file, until one fails or Ctrl-C", 1, cmd_source },
	{ "stream", "[on [MS [MAP_MS]] | off]",
	    "statistics as lines of JSON for tools/watch, every MS (1000) milliseconds", 3,
	    cmd_stream },
	{ "swapinfo", "", "swap areas: size, use, transfers", 0, cmd_swapinfo },
	{ "swapoff", "DEVICE|FILE",
	    "swap there no more: what is in it comes into memory, or it is refused", 1,
	    cmd_swapoff },
	{ "swapon", "DEVICE|FILE [PRIORITY]",
	    "swap there too (partition or file made by tools/mkswap, RAM disk); larger priority "
	    "first", 2, cmd_swapon },
	{ "sync", "", "write what is dirty of files to the disk", 0, cmd_sync },
	{ "sysctl", "[NAME[=VALUE] | -d SECONDS [PREFIX]]",
	    "show tunables and statistics (a prefix lists), set one, or follow what changes", 3,
	    cmd_sysctl },
	{ "top", "[SECONDS]",
	    "programs by memory, domains, swap, on the whole screen until a key is hit", 1,
	    cmd_top },
	{ "trace", "[COUNT | EVENT on|off | [stream] EVENT... | stream | former [COUNT]]",
	    "show the last events (20), choose which are kept, follow all or some, or show how the "
	    "boot before this one ended", 9,
	    cmd_trace },
	{ "vmstat", "[SECONDS]", "memory, paging, disks, CPU: since boot, or until a key is hit", 1,
	    cmd_vmstat },
	{ "wait", "", "wait for all jobs of the background", 0, cmd_wait },
	{ "zones", "", "kernel objects: zones, slabs, and who gives back when memory is low", 0,
	    cmd_zones },
};
const uint32_t monitor_command_count = sizeof(monitor_commands) / sizeof(monitor_commands[0]);

const struct monitor_command *
monitor_command_find(const char *name)
{
	uint32_t i;

	for (i = 0; i < monitor_command_count; i++) {
		if (strcmp(monitor_commands[i].name, name) == 0)
			return (&monitor_commands[i]);
	}
	return (NULL);
}

const struct monitor_command *
monitor_command_near(const char *name)
{
	const struct monitor_command *best = NULL;
	uint32_t i, best_distance = 3;

	for (i = 0; i < monitor_command_count; i++) {
		uint32_t distance = args_distance(name, monitor_commands[i].name);

		/* A name of which nothing is left is not near. */
		if (distance < best_distance && distance < strlen(monitor_commands[i].name)) {
			best = &monitor_commands[i];
			best_distance = distance;
		}
	}
	return (best);
}

void
monitor_expected(const struct monitor_call *call, const char *fmt, ...)
{
	const struct monitor_command *c = call->command;
	char sentence[256];
	va_list args;

	monitor_fail();
	va_start(args, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, args);
	va_end(args);
	kprintf("%s: %s; usage: %s%s%s\n", c->name, sentence, c->name,
	    c->usage[0] != '\0' ? " " : "", c->usage);
}

bool
monitor_number(const struct monitor_call *call, int index, int64_t min, int64_t max,
    int64_t *out)
{
	if (args_number(call->argv[index], min, max, out) == 0)
		return (true);
	monitor_expected(call, "expected a number from %ld to %ld, got '%.60s'", (long)min,
	    (long)max, call->argv[index]);
	return (false);
}

static void
help_all(void)
{
	uint32_t i;

	for (i = 0; i < monitor_command_count; i++)
		kprintf("  %-9s %-32s %s\n", monitor_commands[i].name, monitor_commands[i].usage,
		    monitor_commands[i].help);
}

void
cmd_help(const struct monitor_call *call)
{
	const struct monitor_command *c;

	if (call->argc == 1) {
		help_all();
		return;
	}
	c = monitor_command_find(call->argv[1]);
	if (c != NULL) {
		kprintf("%s %s\n  %s\n", c->name, c->usage, c->help);
		return;
	}
	c = monitor_command_near(call->argv[1]);
	kprintf("help: no command '%.60s'%s%s%s; help alone lists them\n", call->argv[1],
	    c != NULL ? ", did you mean '" : "", c != NULL ? c->name : "", c != NULL ? "'?" : "");
}
