/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The statistics stream: what vmstat, sysctl, hist, pagemap and ps know, for machines.
 */
#ifndef APP_MONITOR_STREAM_H
#define APP_MONITOR_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

#define STREAM_PERIOD_MS_MIN 20
#define STREAM_PERIOD_MS_MAX 60000
#define STREAM_MAP_MS_DEFAULT 1000

/* Send a sample every period_ms, and every map_ms or a little later the page map and the
 * programs (0 = never). If it is on, it begins anew, with all names. ERR_NOMEM, ERR_NOSPC
 * (more statistics than it has room for). Does not yield. */
int stream_start(uint32_t period_ms, uint32_t map_ms) ERR_MUST_CHECK;
/* Returns when the last line is out. May yield. */
void stream_stop(void);
/* 0 = off. */
uint32_t stream_period_ms(void);
uint64_t stream_lines_sent(void);

#endif
