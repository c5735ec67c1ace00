/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Self tests that run inside the kernel: in images that have a table of them.
 */
#ifndef BOARD_SELFTEST_H
#define BOARD_SELFTEST_H

#include <stdbool.h>
#include <stdint.h>

struct selftest {
	const char *name;
	bool (*fn)(void); /* in a task of its own; true if all was as expected */
};

/* Ends with a row without name; absent (weak, NULL) in the image that users get. */
extern const struct selftest selftests[] __attribute__((weak));

/* Run the one called name: one line with its verdict; a line with the names there are
 * if there is none. True if it passed. May yield. */
bool selftest_run(const char *name);

#endif
