/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The monitor's commands: one table, one function each.
 */
#ifndef APP_MONITOR_COMMANDS_H
#define APP_MONITOR_COMMANDS_H

#include <stdbool.h>
#include <stdint.h>

#include "app/monitor/args.h"

struct monitor_command;

/* A command line. */
struct monitor_call {
	const struct monitor_command *command;
	int argc;               /* words, the command's name included */
	char **argv;
	const struct args_line *line; /* where its output goes, and whether it waits */
};

struct monitor_command {
	const char *name;
	const char *usage;      /* what follows the name */
	const char *help;       /* one line */
	uint8_t words_max;      /* most words after the name */
	void (*fn)(const struct monitor_call *call); /* may yield */
};

extern const struct monitor_command monitor_commands[];
extern const uint32_t monitor_command_count;

/* The command called name, or NULL. Does not yield. */
const struct monitor_command *monitor_command_find(const char *name);
/* The command whose name is nearest to name, or NULL if none is near. */
const struct monitor_command *monitor_command_near(const char *name);

/* One line: the command's name, the sentence, its usage. May yield. */
void monitor_expected(const struct monitor_call *call, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The command has not done what it was to do: a script ends here. Does not yield. */
void monitor_fail(void);

/* Word number index as a number in [min, max]; false after a line that says what
 * is expected. May yield. */
bool monitor_number(const struct monitor_call *call, int index, int64_t min, int64_t max,
    int64_t *out);

void cmd_help(const struct monitor_call *call);
/* commands_program.c */
void cmd_rm(const struct monitor_call *call);
void cmd_run(const struct monitor_call *call);
void cmd_ps(const struct monitor_call *call);
void cmd_kill(const struct monitor_call *call);
void cmd_protect(const struct monitor_call *call);
/* commands_job.c */
void cmd_fg(const struct monitor_call *call);
void cmd_jobs(const struct monitor_call *call);
void cmd_source(const struct monitor_call *call);
void cmd_wait(const struct monitor_call *call);
/* commands_top.c */
void cmd_domains(const struct monitor_call *call);
void cmd_top(const struct monitor_call *call);
/* commands_swap.c */
void cmd_swapon(const struct monitor_call *call);
void cmd_swapoff(const struct monitor_call *call);
/* commands_limit.c */
void cmd_limit(const struct monitor_call *call);
/* commands_contig.c */
void cmd_contig(const struct monitor_call *call);
/* commands_file.c */
void cmd_ls(const struct monitor_call *call);
void cmd_cat(const struct monitor_call *call);
/* commands_memory.c */
void cmd_vmstat(const struct monitor_call *call);
void cmd_swapinfo(const struct monitor_call *call);
void cmd_check(const struct monitor_call *call);
void cmd_queues(const struct monitor_call *call);
void cmd_zones(const struct monitor_call *call);
/* commands_disk.c */
void cmd_blkstat(const struct monitor_call *call);
void cmd_fault(const struct monitor_call *call);
/* commands_watch.c */
void cmd_hist(const struct monitor_call *call);
void cmd_pagemap(const struct monitor_call *call);
/* commands_dashboard.c */
void cmd_dashboard(const struct monitor_call *call);
/* commands_stream.c */
void cmd_stream(const struct monitor_call *call);
/* commands_system.c */
void cmd_trace(const struct monitor_call *call);
void cmd_sync(const struct monitor_call *call);
void cmd_reboot(const struct monitor_call *call);
void cmd_poweroff(const struct monitor_call *call);
/* Before the end: what is dirty of files is written, nothing more is begun, and the
 * console has said everything. May yield. */
void monitor_rest_disks(void);
/* commands_sysctl.c */
void cmd_sysctl(const struct monitor_call *call);

#endif
