/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's part of a panic: registers, cause in words, backtrace.
 *
 * Owns: nothing.
 * Does not: trust any pointer: each frame is asked of the MMU first.
 * Invariants: D1 the backtrace ends after BACKTRACE_MAX frames, and addresses of
 *   frames only grow.
 * Yields: never.
 * See: kern/panic.h; AAPCS64 6.4.6 (frame records).
 */
#include <machine/trapframe.h>

#include "arch/arm64/cpu.h"
#include "arch/arm64/esr.h"
#include "arch/arm64/kmap.h"
#include "arch/arm64/kva.h"
#include "kern/machdep.h"
#include "kern/panic.h"

#define BACKTRACE_MAX 24

typedef unsigned long long ull;

extern const char kernel_text_start[], kernel_text_end[];

static void
print_address(const char *what, uint64_t address)
{
	uint64_t offset = 0;
	const char *name = "not kernel code";

	if (address >= (uintptr_t)kernel_text_start && address < (uintptr_t)kernel_text_end)
		name = ksym_lookup(address, &offset);
	panic_printf("  %s %016llx %s+%#llx\n", what, (ull)address, name, (ull)offset);
}

static void
print_cause(const struct trapframe *tf)
{
	uint32_t class = esr_class(tf->esr);

	panic_printf("ESR %08llx: %s", (ull)tf->esr, esr_class_name(class));
	if (esr_is_abort(class))
		panic_printf(", %s, %s", esr_status_name(esr_status(tf->esr)),
		    class == EC_IABT_EL1 || class == EC_IABT_EL0 ? "fetch" :
		    (tf->esr & ESR_WNR) != 0 ? "write" : "read");
	panic_printf("\nFAR %016llx  PC %016llx  SP %016llx  PSTATE %08llx\n", (ull)tf->far,
	    (ull)tf->elr, (ull)tf->sp, (ull)tf->spsr);
}

static void
print_registers(const struct trapframe *tf)
{
	for (uint32_t i = 0; i < 30; i += 3)
		panic_printf("x%-2u %016llx  x%-2u %016llx  x%-2u %016llx\n", i, (ull)tf->x[i],
		    i + 1, (ull)tf->x[i + 1], i + 2, (ull)tf->x[i + 2]);
	panic_printf("x30 %016llx\n", (ull)tf->x[30]);
}

static void
backtrace(uint64_t fp)
{
	uint64_t last = 0;

	for (uint32_t i = 0; i < BACKTRACE_MAX; i++) {
		const uint64_t *record = (const uint64_t *)(uintptr_t)fp;

		if (fp <= last || fp % 16 != 0 || !kmap_readable(fp) || !kmap_readable(fp + 8) ||
		    record[1] == 0)
			return;
		print_address("from", record[1] - 4);
		last = fp;
		fp = record[0];
	}
}

void
cpu_panic_dump(const void *trap_frame)
{
	const struct trapframe *tf = trap_frame;

	if (tf == NULL) {
		backtrace((uintptr_t)__builtin_frame_address(0));
		return;
	}
	print_cause(tf);
	print_registers(tf);
	print_address("at  ", tf->elr);
	if ((tf->spsr & 0xf) != 0) {
		print_address("lr  ", tf->x[30]);
		backtrace(tf->x[29]);
	}
}
