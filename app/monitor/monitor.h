/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The monitor: a shell on the console, and the default job before it.
 */
#ifndef APP_MONITOR_MONITOR_H
#define APP_MONITOR_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

/* The monitor's tasks come before woken page-faulters: else a program that pages all
 * the time, and so is always woken ahead of PRI_NORMAL, would keep it silent. */
#define MONITOR_PRIORITY PRI_VMWAIT

/* What the boot arguments say; the strings stay valid for ever. */
struct monitor_boot {
	const char *run;          /* run=PROGRAM:ARG:ARG, NULL or "" = no job */
	const char *source;       /* script to carry out after it, NULL or "" = none */
	uint32_t stream_ms;       /* stream=MS: statistics as JSON from the start; 0 = do not */
	uint32_t dashboard_ms;    /* dashboard=MS: pictures on the screen; 0 = none */
	uint32_t vmstat_seconds;  /* vmstat=SECONDS: print while the job runs; 0 = do not */
	bool exit;                /* exit=1: power off after them */
};

/*
 * Start the task "monitor": it runs the job, if any, and if that succeeds the script, if any;
 * then with exit it powers off (exit code 0 only if both succeeded), else it gives the prompt
 * for ever.
 * ERR_NOMEM. Does not yield.
 */
int monitor_start(const struct monitor_boot *boot) ERR_MUST_CHECK;

/* Carry out one command line, which is changed. May yield. */
void monitor_execute(char *line);

/* Has a key been pressed? Waits at most wait_us (not 0). arg is not used. May
 * yield. */
bool monitor_key_pressed(void *arg, uint64_t wait_us);

#endif
