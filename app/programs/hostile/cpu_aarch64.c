/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attacks by instructions, AArch64: what only a kernel may do, stack pointers that are
 * none, system calls with every register full of something.
 *
 * Owns: nothing.
 * Does not: survive what must not be survived.
 * Invariants:
 *   none
 * Yields: a program, preemptive.
 * See: hostile.h; Arm ARM DDI0487 D1.3 (exceptions), C5 (system instructions).
 */
#include <stdio.h>

#include "app/libebb/ebb.h"
#include "app/programs/hostile/hostile.h"

#define DEED(id, text)                                                       \
	static void deed_##id(void)                                          \
	{                                                                    \
		__asm__ volatile(text ::: "x0", "x1", "x2", "cc", "memory"); \
	}

#define KERNEL "ldr x1, =0xffffff8000080000\n\t"

DEED(undefined, "udf #0")
DEED(unallocated, ".inst 0xffffffff")
DEED(hvc, "hvc #0")
DEED(smc, "smc #0")
DEED(brk, "brk #1")
DEED(hlt, "mov x0, #0x18\n\thlt #0xf000")
DEED(eret, "eret")
DEED(drps, "drps")
DEED(tlbi, "tlbi vmalle1")
DEED(ic_all, "ic iallu")
DEED(dc_invalidate, "mov x0, sp\n\tdc ivac, x0")
DEED(dc_set_way, "mov x0, xzr\n\tdc isw, x0")
DEED(at, "at s1e1r, x0")
DEED(vbar, "msr vbar_el1, x0")
DEED(ttbr, "msr ttbr0_el1, x0")
DEED(ttbr_read, "mrs x0, ttbr1_el1")
DEED(sctlr, "msr sctlr_el1, x0")
DEED(tpidr, "mrs x0, tpidr_el1")
DEED(elr, "msr elr_el1, x0")
DEED(sp_el0, "msr sp_el0, x0")
DEED(spsel, "msr spsel, #1")
DEED(daifset, "msr daifset, #15")
DEED(daif, "mrs x0, daif")
DEED(current_el, "mrs x0, currentel")
DEED(tpidrro, "msr tpidrro_el0, x0")
DEED(timer, "msr cntp_ctl_el0, x0")
DEED(vtimer, "msr cntv_cval_el0, x0")
DEED(counter_control, "msr cntkctl_el1, x0")
DEED(performance, "msr pmcr_el0, x0")
DEED(performance_enable, "msr pmuserenr_el0, x0")
DEED(debug, "msr mdscr_el1, x0")
DEED(debug_lock, "msr oslar_el1, x0")
DEED(breakpoint, "msr dbgbvr0_el1, x0")
DEED(cpacr, "msr cpacr_el1, x0")
DEED(far, "mrs x0, far_el1")
DEED(implementation, "mrs x0, s3_1_c15_c2_0")
DEED(jump_odd, "adr x0, .\n\tadd x0, x0, #2\n\tbr x0")
DEED(exclusive, "mov x0, sp\n\tadd x0, x0, #1\n\tldxr x1, [x0]")
DEED(zero_kernel, KERNEL "dc zva, x1")
DEED(clean_kernel, KERNEL "dc civac, x1")
DEED(sync_kernel, KERNEL "ic ivau, x1")
DEED(as_user, KERNEL "ldtr x0, [x1]")
DEED(pair_kernel, "mov x1, #-8\n\tldp x0, x2, [x1]")
DEED(stack_odd, "mov x0, sp\n\tadd x0, x0, #1\n\tmov sp, x0\n\tldr x1, [sp]")
DEED(stack_kernel, KERNEL "mov sp, x1\n\tstr x0, [sp, #-16]!")
DEED(stack_null, "mov x0, #0\n\tmov sp, x0\n\tstr x0, [sp, #-16]!")
DEED(stack_text, "adr x0, .\n\tand x0, x0, #~15\n\tmov sp, x0\n\tstr x0, [sp, #-16]!")

static const struct deed forbidden[] = {
	{ "udf", deed_undefined }, { "unallocated", deed_unallocated }, { "hvc", deed_hvc },
	{ "smc", deed_smc }, { "brk", deed_brk }, { "hlt (semihosting)", deed_hlt },
	{ "eret", deed_eret }, { "drps", deed_drps }, { "tlbi", deed_tlbi },
	{ "ic iallu", deed_ic_all }, { "dc ivac", deed_dc_invalidate },
	{ "dc isw", deed_dc_set_way }, { "at", deed_at }, { "vbar_el1", deed_vbar },
	{ "ttbr0_el1", deed_ttbr }, { "mrs ttbr1_el1", deed_ttbr_read },
	{ "sctlr_el1", deed_sctlr }, { "tpidr_el1", deed_tpidr }, { "elr_el1", deed_elr },
	{ "sp_el0", deed_sp_el0 }, { "spsel", deed_spsel }, { "daifset", deed_daifset },
	{ "daif", deed_daif }, { "currentel", deed_current_el }, { "tpidrro", deed_tpidrro },
	{ "cntp_ctl", deed_timer }, { "cntv_cval", deed_vtimer },
	{ "cntkctl", deed_counter_control }, { "pmcr", deed_performance },
	{ "pmuserenr", deed_performance_enable }, { "mdscr", deed_debug },
	{ "oslar", deed_debug_lock }, { "dbgbvr0", deed_breakpoint }, { "cpacr", deed_cpacr },
	{ "far_el1", deed_far }, { "cpuectlr", deed_implementation },
	{ "jump to an odd address", deed_jump_odd }, { "unaligned ldxr", deed_exclusive },
	{ "dc zva kernel", deed_zero_kernel }, { "ldtr kernel", deed_as_user },
	{ "ldp across the top", deed_pair_kernel }, { "kernel sp", deed_stack_kernel },
	{ "null sp", deed_stack_null }, { "sp in text", deed_stack_text }, { 0 },
};

DEED(wfi, "wfi")
DEED(wfe, "wfe")
DEED(sev, "sev")
DEED(nops, "yield\n\thint #127\n\tclrex\n\tisb\n\tdsb sy")
DEED(prefetch, KERNEL "prfm pldl1keep, [x1]\n\tprfm pstl1strm, [x1]")
DEED(float_control, "mov x0, #-1\n\tmsr fpcr, x0\n\tmsr fpsr, x0\n\tmsr fpcr, xzr")
DEED(thread, "mov x0, #-1\n\tmrs x2, tpidr_el0\n\tmsr tpidr_el0, x0\n\tmsr tpidr_el0, x2")
DEED(monitor_left, "sub x0, sp, #64\n\tldxr x1, [x0]\n\tmov x8, xzr\n\tsvc #0")
DEED(svc_numbers, "mov x8, xzr\n\tsvc #1\n\tmov x8, xzr\n\tsvc #0xffff")
DEED(stack_call,
    "mov x2, sp\n\tmov x0, #1\n\tmov sp, x0\n\tmov x8, xzr\n\tsvc #0\n\tmov sp, x2")
DEED(stack_call_kernel,
    "mov x2, sp\n\t" KERNEL "mov sp, x1\n\tmov x8, #16\n\tsvc #0\n\tmov sp, x2")

static const struct deed harmless[] = {
	{ "wfi", deed_wfi }, { "wfe", deed_wfe }, { "sev", deed_sev }, { "hints", deed_nops },
	{ "prefetch kernel", deed_prefetch }, { "fpcr", deed_float_control },
	{ "tpidr_el0", deed_thread }, { "call with a monitor", deed_monitor_left },
	{ "svc numbers", deed_svc_numbers }, { "call with an odd sp", deed_stack_call },
	{ "call with the kernel's sp", deed_stack_call_kernel }, { 0 },
};

/* Maintenance of what is not this program's: a fault, or nothing. QEMU looks at no stack
 * pointer. */
static const struct deed in_vain[] = { { "dc civac kernel", deed_clean_kernel },
	{ "ic ivau kernel", deed_sync_kernel }, { "odd sp", deed_stack_odd }, { 0 } };

static int
instructions(void)
{
	return (all_end(forbidden, INSN | FAULT) + all_end(harmless, EXITS) +
	    all_end(in_vain, FAULT | EXITS));
}

/* Every register holds pattern, but x8 number; how many did not come back so. */
uint64_t hostile_registers(uint64_t number, uint64_t pattern);

static int
registers(void)
{
	static const uint64_t patterns[] = { 0, UINT64_MAX, UINT64_C(0xffffff8000080000),
		UINT64_C(0x8000000000000000), 4096, 1, UINT64_C(0x00000000ffffffff), INT64_MAX };
	static const uint64_t numbers[] = { EBB_SYS_NULL, EBB_SYS_GETPID, EBB_SYS_CLOSE,
		EBB_SYS_MPROTECT, EBB_SYS_MINCORE, EBB_SYS_LSEEK, EBB_SYS_FSTAT, EBB_SYS_COUNT,
		UINT64_C(1) << 32 | EBB_SYS_EXIT, UINT64_C(0xffffffff00000001), UINT64_MAX,
		UINT64_C(1) << 63 | EBB_SYS_EXIT, INT64_MAX };
	uint64_t wrong = 0;
	uint32_t i, k;

	for (i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		for (k = 0; k < sizeof(numbers) / sizeof(numbers[0]); k++)
			if (numbers[k] != EBB_SYS_CLOSE || patterns[i] > 2)
				wrong += hostile_registers(numbers[k], patterns[i]);
	return (wrong == 0 ? 0 : 1);
}

const struct attack cpu_attacks[] = {
	{ "insns", instructions, EXITS, "instructions that only a kernel may use" },
	{ "registers", registers, EXITS, "system calls with every register full" },
	{ 0 },
};
