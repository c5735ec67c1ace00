/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a page costs by itself: copying, summing, zeroing 4 KiB.
 *
 * Under QEMU's -icount shift=0 a tick of the 62.5 MHz counter is 16 instructions.
 *
 * Owns: two page frames while it runs.
 * Does not: judge; `make bench` prints the lines.
 * Invariants:
 *   none
 * Yields: never while measuring.
 * See: lib/crc32c.h, kern/machdep.h (cpu_copy), mm/pmap.h (pmap_zero_page).
 */
#include "kern/console.h"
#include "kern/machdep.h"
#include "lib/crc32c.h"
#include "mm/vm_page.h"
#include "test/target/selftest.h"

#define ROUNDS 1024u

static struct vm_page *
frame(void)
{
	return (vm_page_alloc(NULL, 0,
	    VM_ALLOC_NORMAL | VM_ALLOC_NOOBJ | VM_ALLOC_NOBUSY | VM_ALLOC_WIRED));
}

static void
report(const char *what, uint64_t ticks)
{
	uint64_t ns = ticks * 1000000000u / cpu_cycles_per_second();

	kprintf("bench: %s of 4096 bytes: %llu instructions, mean of %u\n", what,
	    (unsigned long long)(ns / ROUNDS), ROUNDS);
}

bool
selftest_page_cost(void)
{
	struct vm_page *a = frame(), *b = frame();
	uint64_t start;
	uint32_t i, crc = 0;

	EXPECT(a != NULL && b != NULL);
	start = get_cyclecount();
	for (i = 0; i < ROUNDS; i++)
		cpu_copy(vm_page_address(a), vm_page_address(b), PAGE_SIZE);
	report("copy", get_cyclecount() - start);
	start = get_cyclecount();
	for (i = 0; i < ROUNDS; i++)
		crc ^= crc32c(i, vm_page_address(b), PAGE_SIZE);
	report("crc32c", get_cyclecount() - start);
	start = get_cyclecount();
	for (i = 0; i < ROUNDS; i++)
		pmap_zero_page(a);
	report("zero", get_cyclecount() - start);
	EXPECT(crc32c(0, vm_page_address(a), PAGE_SIZE) != crc); /* keeps the sums alive */
	vm_page_unwire(a, PQ_NONE);
	vm_page_unwire(b, PQ_NONE);
	vm_page_free(a);
	vm_page_free(b);
	return (true);
}
