/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Limits of processes: setting, inheriting, the system calls.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kern/machdep.h"
#include "proc/proc_internal.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_pmap.h"

#define BASE 0x400000ull
#define RW   (VM_PROT_READ | VM_PROT_WRITE)

static struct proc self, child;

/* The test's task runs a process with four pages of memory at BASE. */
static void
boot(void)
{
	vm_offset_t va = BASE;

	sim_mm_boot(1024);
	memset(&self, 0, sizeof(self));
	memset(&child, 0, sizeof(child));
	self.vmspace = vmspace_alloc(PAGE_SIZE, 1ull << 32);
	assert_non_null(self.vmspace);
	assert_int_equal(vm_map_find(self.vmspace, &va, 4 * PAGE_SIZE, RW, 0), 0);
	proc_limits_inherit(&self, NULL);
	curtask()->proc = &self;
}

static int64_t
set(uint64_t resource, uint64_t soft, uint64_t hard)
{
	struct ebb_rlimit limit = { soft, hard };
	uint64_t arguments[6] = { resource, BASE };

	assert_int_equal(sim_store(self.vmspace, BASE, &limit, sizeof(limit)), 0);
	return (sys_setrlimit(&self, arguments));
}

static void
expect_limit(uint64_t resource, uint64_t soft, uint64_t hard)
{
	struct ebb_rlimit limit;
	uint64_t arguments[6] = { resource, BASE + 64 };

	assert_int_equal(sys_getrlimit(&self, arguments), 0);
	assert_int_equal(sim_load(self.vmspace, BASE + 64, &limit, sizeof(limit)), 0);
	assert_true(limit.soft == soft && limit.hard == hard);
}

static void
limit_calls_body(void *arg)
{
	uint64_t bad[6] = { EBB_RLIMIT_COUNT, BASE };
	uint64_t nowhere[6] = { EBB_RLIMIT_RSS, 0x7000000 };

	(void)arg;
	boot();
	expect_limit(EBB_RLIMIT_RSS, EBB_RLIM_INFINITY, EBB_RLIM_INFINITY);
	assert_int_equal(set(EBB_RLIMIT_RSS, 2 << 20, 4 << 20), 0);
	expect_limit(EBB_RLIMIT_RSS, 2 << 20, 4 << 20);
	assert_int_equal(set(EBB_RLIMIT_RSS, 4 << 20, 4 << 20), 0);
	assert_int_equal(set(EBB_RLIMIT_RSS, 1, 5 << 20), ERR_PERM); /* only lower */
	assert_int_equal(set(EBB_RLIMIT_RSS, 3 << 20, 2 << 20), ERR_INVAL);
	assert_int_equal(set(EBB_RLIMIT_COUNT, 0, 0), ERR_INVAL);
	assert_int_equal(set(UINT64_MAX, 0, 0), ERR_INVAL);
	assert_int_equal(sys_getrlimit(&self, bad), ERR_INVAL);
	assert_int_equal(sys_getrlimit(&self, nowhere), ERR_FAULT);
	assert_int_equal(sys_setrlimit(&self, nowhere), ERR_FAULT);
	expect_limit(EBB_RLIMIT_RSS, 4 << 20, 4 << 20);
	expect_limit(EBB_RLIMIT_BUDGET, EBB_RLIM_INFINITY, EBB_RLIM_INFINITY);
	curtask()->proc = NULL;
}

static void
limit_inherit_body(void *arg)
{
	const struct ebb_rlimit more = { 8 << 20, 16 << 20 };

	(void)arg;
	boot();
	assert_int_equal(set(EBB_RLIMIT_RSS, 2 << 20, 4 << 20), 0);
	proc_limits_inherit(&child, &self);
	assert_int_equal(proc_limit_bytes(&child, EBB_RLIMIT_RSS), 2 << 20);
	assert_int_equal(proc_limit_set(&child, EBB_RLIMIT_RSS, &more, false), ERR_PERM);
	assert_int_equal(proc_limit_set(&child, EBB_RLIMIT_RSS, &more, true), 0);
	assert_int_equal(proc_limit_bytes(&child, EBB_RLIMIT_RSS), 8 << 20);
	curtask()->proc = NULL;
}

/* The limit of mapped memory: now, for what is there already, and for a new space. */
static void
limit_address_space_body(void *arg)
{
	vm_offset_t va = 0;

	(void)arg;
	boot();
	assert_int_equal(set(EBB_RLIMIT_AS, 6 * PAGE_SIZE, 8 * PAGE_SIZE), 0);
	assert_int_equal(vm_map_find(self.vmspace, &va, 3 * PAGE_SIZE, RW, 0), ERR_NOMEM);
	assert_int_equal(vm_map_find(self.vmspace, &va, 2 * PAGE_SIZE, RW, 0), 0);
	va = 0;
	assert_int_equal(set(EBB_RLIMIT_AS, PAGE_SIZE, PAGE_SIZE), 0); /* less than there is */
	assert_int_equal(vm_map_find(self.vmspace, &va, PAGE_SIZE, RW, 0), ERR_NOMEM);
	assert_int_equal(set(EBB_RLIMIT_AS, 0, 0), 0);
	assert_int_equal(vm_map_find(self.vmspace, &va, PAGE_SIZE, RW, 0), ERR_NOMEM);
	child.vmspace = vmspace_alloc(PAGE_SIZE, 1ull << 32);
	proc_limits_inherit(&child, &self);
	assert_int_equal(vm_map_find(child.vmspace, &va, PAGE_SIZE, RW, 0), ERR_NOMEM);
	curtask()->proc = NULL;
}

SIM_TEST(limit_calls)
SIM_TEST(limit_inherit)
SIM_TEST(limit_address_space)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limit_calls),
		cmocka_unit_test(test_limit_inherit),
		cmocka_unit_test(test_limit_address_space),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
