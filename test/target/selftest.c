/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The self tests of the test image, chosen by boot argument selftest=NAME.
 *
 * Owns: the table.
 * Does not: judge tests that end in a panic: their .test files expect its words and
 *   its exit code.
 * Invariants: none.
 * Yields: tests may.
 * See: board/selftest.h; *.test beside this file.
 */
#include "test/target/selftest.h"

#include <stddef.h>

const struct selftest selftests[] = {
	{ "panic", selftest_panic },
	{ "assertion", selftest_assertion },
	{ "stack_overflow", selftest_stack_overflow },
	{ "null_write", selftest_null_write },
	{ "text_write", selftest_text_write },
	{ "rodata_write", selftest_rodata_write },
	{ "data_execute", selftest_data_execute },
	{ "stack_execute", selftest_stack_execute },
	{ "fp_register", selftest_fp_register },
	{ "bad_frame", selftest_bad_frame },
	{ "w_xor_x", selftest_w_xor_x },
	{ "tasks", selftest_tasks },
	{ "stacks", selftest_stacks },
	{ "crowd", selftest_crowd },
	{ "no_memory", selftest_no_memory },
	{ "timer", selftest_timer },
	{ "irq", selftest_irq },
	{ "usercopy", selftest_usercopy },
	{ "copy", selftest_copy },
	{ "aarch32", selftest_aarch32 },
	{ "flags", selftest_flags },
	{ "asids", selftest_asids },
	{ "string", selftest_string },
	{ "disk", selftest_disk },
	{ "disk_error", selftest_disk_error },
	{ "disk_speed", selftest_disk_speed },
	{ "page_cost", selftest_page_cost },
	{ "pager_speed", selftest_pager_speed },
	{ NULL, NULL },
};
