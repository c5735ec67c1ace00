/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Self tests of the kernel's own mapping, of user copies and of page copies.
 *
 * Owns: nothing.
 * Does not: need a program: the test task gets an address space itself.
 * Invariants: none.
 * Yields: selftest_usercopy.
 * See: test/target/self_*.test.
 */
#include <stddef.h>
#include <string.h>

#include "arch/arm64/kmap.h"
#include "kern/machdep.h"
#include "kern/sched.h"
#include "kern/usercpu.h"
#include "mm/vm_map.h"
#include "mm/vm_page.h"
#include "proc/proc.h"
#include "test/target/selftest.h"

/* ---- every entry of the kernel's tables */

static bool
leaf_is_good(uint64_t entry)
{
	bool executable = (entry & PTE_PXN) == 0;
	bool writable = (entry & PTE_RO) == 0;

	return (!(executable && writable) && (entry & PTE_UXN) != 0 && (entry & PTE_USER) == 0);
}

static uint64_t executable_bytes;

static bool
table_is_good(const uint64_t *table, uint32_t level)
{
	for (uint32_t i = 0; i < PTE_TABLE_ENTRIES; i++) {
		uint64_t entry = table[i];

		if ((entry & PTE_VALID) == 0)
			continue;
		if (level < 3 && (entry & PTE_TABLE) != 0) {
			if (!table_is_good(phys_to_virt(entry & PTE_ADDRESS), level + 1))
				return (false);
			continue;
		}
		if (!leaf_is_good(entry))
			return (false);
		if ((entry & PTE_PXN) == 0)
			executable_bytes += level == 3 ? PAGE_SIZE : 2u << 20;
	}
	return (true);
}

bool
selftest_w_xor_x(void)
{
	extern const char kernel_text_start[], kernel_text_end[];

	EXPECT(table_is_good(kmap_l1, 1));
	EXPECT(executable_bytes == (uint64_t)(kernel_text_end - kernel_text_start));
	for (uint32_t i = 0; i < PTE_TABLE_ENTRIES; i++)
		EXPECT(kmap_lower_l1[i] == 0);
	return (true);
}

/* ---- copyin and copyout with every kind of pointer */

static bool
refused(uint64_t user, size_t bytes)
{
	static char buffer[64];
	static char string[16];

	EXPECT(bytes > sizeof(buffer) || copyin(user, buffer, bytes) == ERR_FAULT);
	EXPECT(bytes > sizeof(buffer) || copyout(buffer, user, bytes) == ERR_FAULT);
	EXPECT(copyinstr(user, string, sizeof(string)) == ERR_FAULT);
	return (true);
}

static bool
hostile(uint64_t page)
{
	static const uint64_t addresses[] = {
		0, 8, 0xfff, PMAP_USER_MAX - 1, PMAP_USER_MAX, PMAP_USER_MAX + 4096,
		0x0000ffffffffffff, 0x0001000000000000, 0x7fffffffffffffff, 0x8000000000000000,
		0xff00000000001000, 0xffffff8000000000, 0xffffff8000080000, 0xffffffff80000000,
		0xfffffffffffffff8, 0xffffffffffffffff,
	};

	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		EXPECT(refused(addresses[i], 16));
	EXPECT(refused((uintptr_t)&hostile, 16));
	EXPECT(refused((uintptr_t)addresses, 16));
	EXPECT(refused((uintptr_t)curtask(), 16));
	/* Ranges that leave the mapped page, user space, or the address space. */
	EXPECT(copyin(page + 2 * PAGE_SIZE - 8, &(char[16]){ 0 }, 16) == ERR_FAULT);
	EXPECT(copyout(addresses, page + 2 * PAGE_SIZE - 8, 16) == ERR_FAULT);
	EXPECT(copyin(page, NULL, SIZE_MAX) == ERR_FAULT);
	EXPECT(copyin(page, NULL, PMAP_USER_MAX) == ERR_FAULT);
	return (true);
}

/* Lengths and alignments across a page boundary, both ways. */
static bool
friendly(uint64_t page)
{
	static char out[200], in[200];

	for (uint32_t i = 0; i < sizeof(out); i++)
		out[i] = (char)(i * 7 + 1);
	for (uint32_t offset = 0; offset < 16; offset++)
		for (uint32_t bytes = 0; bytes <= 120; bytes++) {
			uint64_t user = page + PAGE_SIZE - 40 + offset;

			memset(in, 0, sizeof(in));
			EXPECT(copyout(out + offset, user, bytes) == 0);
			EXPECT(copyin(user, in + 3, bytes) == 0);
			EXPECT(memcmp(in + 3, out + offset, bytes) == 0);
			EXPECT(in[2] == 0 && in[3 + bytes] == 0);
		}
	return (true);
}

static bool
strings(uint64_t page)
{
	char text[16];

	EXPECT(copyout("hello", page + PAGE_SIZE - 3, 6) == 0);
	EXPECT(copyinstr(page + PAGE_SIZE - 3, text, sizeof(text)) == 0);
	EXPECT(strcmp(text, "hello") == 0);
	EXPECT(copyinstr(page + PAGE_SIZE - 3, text, 6) == 0);
	EXPECT(copyinstr(page + PAGE_SIZE - 3, text, 5) == ERR_NAMETOOLONG);
	EXPECT(copyinstr(page + PAGE_SIZE - 3, text, 0) == ERR_NAMETOOLONG);
	/* No NUL before the mapping ends. */
	EXPECT(copyout("xxxx", page + 2 * PAGE_SIZE - 4, 4) == 0);
	EXPECT(copyinstr(page + 2 * PAGE_SIZE - 4, text, sizeof(text)) == ERR_FAULT);
	return (true);
}

static bool
read_only(struct vmspace *vm, uint64_t page)
{
	char byte = 1;

	EXPECT(vm_map_protect(vm, page, page + PAGE_SIZE, VM_PROT_READ) == 0);
	EXPECT(copyin(page, &byte, 1) == 0);
	EXPECT(copyout(&byte, page, 1) == ERR_FAULT);
	EXPECT(copyout(&byte, page + PAGE_SIZE, 1) == 0);
	EXPECT(vm_map_protect(vm, page, page + PAGE_SIZE, VM_PROT_NONE) == 0);
	EXPECT(copyin(page, &byte, 1) == ERR_FAULT);
	return (true);
}

bool
selftest_usercopy(void)
{
	static struct proc proc;
	struct vmspace *vm = vmspace_alloc(PMAP_USER_MIN, PMAP_USER_MAX);
	vm_offset_t page = 0x400000;
	char byte;
	bool good;

	EXPECT(copyin(page, &byte, 1) == ERR_FAULT);
	EXPECT(vm != NULL);
	EXPECT(vm_map_find(vm, &page, 2 * PAGE_SIZE, VM_PROT_READ | VM_PROT_WRITE, 0) == 0);
	proc.vmspace = vm;
	curtask()->proc = &proc;
	cpu_user_attach(curtask(), &vm->pmap, proc.fp_state);
	good = friendly(page) && hostile(page) && strings(page) && read_only(vm, page);
	cpu_user_attach(curtask(), NULL, NULL);
	curtask()->proc = NULL;
	vmspace_free(vm);
	return (good);
}

/* ---- cpu_copy */

bool
selftest_copy(void)
{
	static uint8_t from[2 * PAGE_SIZE] __attribute__((aligned(64)));
	static uint8_t to[2 * PAGE_SIZE] __attribute__((aligned(64)));

	for (uint32_t i = 0; i < sizeof(from); i++)
		from[i] = (uint8_t)(i * 31 + (i >> 8));
	for (uint32_t bytes = 0; bytes <= PAGE_SIZE; bytes += 64) {
		memset(to, 0xee, sizeof(to));
		cpu_copy(to + 64, from + 128, bytes);
		EXPECT(memcmp(to + 64, from + 128, bytes) == 0);
		EXPECT(to[63] == 0xee && to[64 + bytes] == 0xee);
	}
	return (true);
}
