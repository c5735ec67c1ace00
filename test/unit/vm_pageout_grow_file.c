/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making room where dirty pages of files are in the way (contract 1.5).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "mm/file_pager.h"
#include "mm/vm_meter.h"
#include "mm/vm_pageout_grow.h"
#include "test/host/sim_file.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"

#define FRAMES 1024u

static struct sim_file file;
static struct vm_object *object;
static const bool alive;

#define RUN_TEST(name)                       \
	static void name##_body(void *arg);  \
	static void name(void **state)       \
	{                                    \
		sim_run(name##_body, state); \
	}                                    \
	static void name##_body(void *arg)

static void
boot(void)
{
	sim_file_boot(FRAMES, 64);
	sim_file_make(&file, "/data", 64 * PAGE_SIZE, 8, 0);
	object = file_pager_alloc(&file.vnode);
	assert_non_null(object);
	tsleep(&file, "boot", 1000);
}

/* Page pindex of the file, changed, inactive. */
static struct vm_page *
dirty(vm_pindex_t pindex)
{
	struct vm_page *m = NULL;

	assert_int_equal(file_pager_page(object, pindex, 0, &alive, &m), 0);
	memset(vm_page_address(m), 0x5a, PAGE_SIZE);
	file_pager_changed(m);
	vm_page_unhold(m);
	vm_page_deactivate(m);
	return (m);
}

/* Nobody has the file open: its clean pages go as others do. */
RUN_TEST(grow_T1f_clean_page_of_an_unused_file_goes)
{
	struct vm_page *m = NULL;

	(void)arg;
	boot();
	assert_int_equal(file_pager_page(object, 5, 0, &alive, &m), 0);
	vm_page_unhold(m);
	vm_page_deactivate(m);
	vm_object_deallocate(object); /* kept, with its pages */
	assert_int_equal(object->ref_count, 0);
	vm_pageout_grow_cache(0, 0, UINT64_MAX);
	assert_true(vm_page_is_cached(object, 5));
	sim_mm_check();
}

/* One page is in the range: the whole file is written, and that page goes. */
RUN_TEST(grow_T2a_file_is_written_as_a_whole)
{
	struct vm_page *m, *other;
	vm_paddr_t pa;

	(void)arg;
	boot();
	m = dirty(3);
	other = dirty(20);
	pa = VM_PAGE_TO_PHYS(m);
	vm_pageout_grow_cache(0, pa, pa + PAGE_SIZE);
	assert_int_not_equal(m->dirty, 0);
	vm_pageout_grow_cache(1, pa, pa + PAGE_SIZE);
	assert_int_equal(sim_file_stored(&file, 3 * PAGE_SIZE), 0x5a);
	assert_int_equal(sim_file_stored(&file, 20 * PAGE_SIZE), 0x5a);
	assert_true(vm_page_is_cached(object, 3));
	assert_ptr_equal(vm_page_lookup(object, 20), other);
	assert_int_equal(other->dirty, 0);
	sim_file_check();
}

/* A file that cannot be written keeps its pages, and that has an end. */
RUN_TEST(grow_T5b_ends_when_no_file_can_be_written)
{
	uint64_t errors = mm_params.v_pageout_errors;
	uint32_t i;

	(void)arg;
	boot();
	for (i = 0; i < 8; i++)
		dirty(i);
	sim_file_disk.write_error_every = 1;
	vm_pageout_grow_cache(1, 0, UINT64_MAX);
	assert_true(mm_params.v_pageout_errors > errors);
	for (i = 0; i < 8; i++) {
		assert_non_null(vm_page_lookup(object, i));
		assert_int_not_equal(vm_page_lookup(object, i)->dirty, 0);
	}
	sim_file_disk.write_error_every = 0;
	vm_pageout_grow_cache(2, 0, UINT64_MAX);
	for (i = 0; i < 8; i++)
		assert_int_equal(sim_file_stored(&file, i * PAGE_SIZE), 0x5a);
	sim_file_check();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grow_T1f_clean_page_of_an_unused_file_goes),
		cmocka_unit_test(grow_T2a_file_is_written_as_a_whole),
		cmocka_unit_test(grow_T5b_ends_when_no_file_can_be_written),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
