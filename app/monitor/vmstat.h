/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One line a second about memory, paging, disk and CPU, in the manner of
 * FreeBSD's vmstat.
 */
#ifndef APP_MONITOR_VMSTAT_H
#define APP_MONITOR_VMSTAT_H

#include <stdbool.h>
#include <stdint.h>

/* The system at one moment: gauges in pages or tasks, counters since boot. */
struct vmstat_sample {
	uint64_t at_us;
	uint32_t runnable;
	uint64_t free, active, inactive, cache, wired;   /* pages */
	uint64_t swap_used;                              /* pages */
	uint64_t faults, flag_faults;                    /* events */
	uint64_t page_ins, page_outs;                    /* pages */
	uint64_t clusters;                               /* swap writes */
	uint64_t reads, writes;                          /* transfers of whole disks */
	uint64_t idle_us;
};

#define VMSTAT_LINE_BYTES 352
#define VMSTAT_HEADER_LINES 20 /* the header comes again after so many lines */

/* Look now. Does not yield. */
void vmstat_sample_take(struct vmstat_sample *out);

/* One line, with newline: gauges of now, counters as rates per second since
 * before. Does not yield. */
void vmstat_format(const struct vmstat_sample *before, const struct vmstat_sample *now,
    char line[VMSTAT_LINE_BYTES]);

/* The names of the columns, one line. */
extern const char vmstat_header[];

/*
 * Print the header and a line every seconds until stop(arg) says true, asked at
 * least ten times a second; stop may sleep up to wait_us and may yield. May yield.
 */
void vmstat_loop(uint32_t seconds, bool (*stop)(void *arg, uint64_t wait_us), void *arg);

/* Start a task "vmstat" that prints every seconds, and end it: vmstat_task_stop
 * returns when its last line is out. ERR_NOMEM, ERR_BUSY. The latter may yield. */
int vmstat_task_start(uint32_t seconds);
void vmstat_task_stop(void);

#endif
