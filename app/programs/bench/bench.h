/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of bench share.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdint.h>

#include "app/libebb/ebb.h"

#define PAGE_BYTES 4096

/* A moment. */
struct mark {
	uint64_t ticks, idle_us;
	struct ebb_usage usage;
};

void mark(struct mark *m);
/* Busy nanoseconds (= instructions under -icount shift=0) between two marks. */
uint64_t busy_ns(const struct mark *a, const struct mark *b);
void print_mean(const char *what, uint64_t ns, uint64_t events);

/* ---- process.c: the exit status */
int bench_switch(void);
int bench_fork(void);
int bench_exec(void);
/* What bench exec becomes: (ticks at exec, descriptor to answer to). */
int bench_arrived(const char *ticks, const char *fd);

#endif
