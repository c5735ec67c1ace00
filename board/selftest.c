/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Running a self test by name.
 *
 * Owns: nothing; the table is the test image's.
 * Does not: know any test.
 * Invariants: none.
 * Yields: selftest_run.
 * See: boot argument selftest=, kern/bootargs.h.
 */
#include "board/selftest.h"

#include <stddef.h>
#include <string.h>

#include "kern/console.h"

bool
selftest_run(const char *name)
{
	bool passed;

	if (selftests == NULL) {
		kprintf("selftest=%s: this image holds no self tests; use kernel8-test.img\n",
		    name);
		return (false);
	}
	for (const struct selftest *t = selftests; t->name != NULL; t++) {
		if (strcmp(t->name, name) != 0)
			continue;
		passed = t->fn();
		kprintf("selftest %s: %s\n", name, passed ? "passed" : "FAILED");
		return (passed);
	}
	kprintf("selftest=%s: no such test; there are:\n", name);
	for (const struct selftest *t = selftests; t->name != NULL; t++)
		kprintf("    %s\n", t->name);
	return (false);
}
