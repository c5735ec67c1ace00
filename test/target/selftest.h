/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every self test of the test image.
 */
#ifndef TEST_TARGET_SELFTEST_H
#define TEST_TARGET_SELFTEST_H

#include "board/selftest.h"
#include "kern/console.h"

/* Say what was not as expected, and give up. */
#define EXPECT(condition)                                                           \
	do {                                                                        \
		if (!(condition)) {                                                 \
			kprintf("%s:%d: expected %s\n", __FILE__, __LINE__, #condition); \
			return (false);                                             \
		}                                                                   \
	} while (0)

/* selftest_panic.c: these end in a panic */
bool selftest_panic(void);
bool selftest_assertion(void);
bool selftest_stack_overflow(void);
bool selftest_null_write(void);
bool selftest_text_write(void);
bool selftest_rodata_write(void);
bool selftest_data_execute(void);
bool selftest_stack_execute(void);
bool selftest_fp_register(void);
bool selftest_bad_frame(void);

/* selftest_task.c */
bool selftest_tasks(void);
bool selftest_stacks(void);
bool selftest_crowd(void);
bool selftest_no_memory(void);
bool selftest_timer(void);
bool selftest_irq(void);

/* selftest_aarch32.c */
bool selftest_aarch32(void);

/* selftest_memory.c */
bool selftest_w_xor_x(void);
bool selftest_usercopy(void);
bool selftest_copy(void);

/* selftest_pmap.c */
bool selftest_flags(void);
bool selftest_asids(void);

/* selftest_string.c */
bool selftest_string(void);

/* selftest_disk.c */
bool selftest_disk(void);
bool selftest_disk_error(void);
bool selftest_disk_speed(void);

/* selftest_cost.c */
bool selftest_page_cost(void);

/* selftest_pager.c */
bool selftest_pager_speed(void);

#endif
