/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The default job: the program that boot argument run= names.
 */
#ifndef APP_MONITOR_JOB_H
#define APP_MONITOR_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "app/monitor/args.h"

/*
 * Split "PROGRAM:ARG:ARG" in place into words. Returns their number, or ERR_INVAL
 * (no program, too many words) with a sentence in *why. Does not yield.
 */
int job_split(char *text, char *words[ARGS_MAX], const char **why) ERR_MUST_CHECK;

/*
 * Run the job and wait for it, printing vmstat lines every vmstat_seconds (0 =
 * none), then one summary line. run NULL or "": no job, which is no success.
 * True if the program ended with status 0. May yield.
 */
bool job_run(const char *run, uint32_t vmstat_seconds);

#endif
