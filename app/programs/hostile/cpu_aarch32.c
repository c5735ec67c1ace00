/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attacks by instructions, AArch32: coprocessors, modes, endianness, both instruction sets,
 * faults inside IT blocks, alignment, stack pointers that are none, dirty registers.
 *
 * Owns: nothing.
 * Does not: survive what must not be survived.
 * Invariants:
 *   none
 * Yields: a program, preemptive.
 * See: hostile.h; Arm ARM DDI0487 G1 (AArch32 exceptions), F1.2 (IT blocks).
 */
#include <stdio.h>

#include "app/libebb/ebb.h"
#include "app/programs/hostile/hostile.h"

#define PAGE 4096u

#define DEED_IN(set, id, text)                                                           \
	static __attribute__((target(set))) void deed_##id(void)                         \
	{                                                                                \
		__asm__ volatile(text ::: "r0", "r1", "r2", "r3", "r7", "cc", "memory"); \
	}
#define DEED(id, text)     DEED_IN("thumb", id, text)
#define DEED_ARM(id, text) DEED_IN("arm", id, text)

#define KERNEL "ldr r1, =0xffff0000\n\t"

DEED(undefined, "udf #0")
DEED_ARM(undefined_arm, "udf #0")
DEED_ARM(unallocated, ".inst 0xffffffff")
DEED_ARM(hvc, ".inst 0xe1400070")
DEED_ARM(smc, ".inst 0xe1600070")
DEED(bkpt, "bkpt #1")
DEED_ARM(bkpt_arm, "bkpt #0xab")
DEED_ARM(hlt, ".inst 0xe10f0070")
DEED_ARM(eret, ".inst 0xe160006e")
DEED_ARM(rfe, "sub r0, sp, #64\n\trfeia r0")
DEED_ARM(srs, "srsdb sp!, #19")
DEED_ARM(ldm_user, "sub r0, sp, #64\n\tldm r0, {r1, pc}^")
DEED(sctlr, "mcr p15, 0, r0, c1, c0, 0")
DEED(ttbr, "mcr p15, 0, r0, c2, c0, 0")
DEED(ttbr_read, "mrc p15, 0, r0, c2, c0, 0")
DEED(ttbr_long, "mrrc p15, 0, r0, r1, c2")
DEED(dacr, "mcr p15, 0, r0, c3, c0, 0")
DEED(vbar, "mcr p15, 0, r0, c12, c0, 0")
DEED(cache, "mcr p15, 0, r0, c7, c14, 2")
DEED(icache, "mcr p15, 0, r0, c7, c5, 0")
DEED(tlb, "mcr p15, 0, r0, c8, c7, 0")
DEED(translate, "mcr p15, 0, r0, c7, c8, 0")
DEED(cpacr, "mcr p15, 0, r0, c1, c0, 2")
DEED(thread_write, "mcr p15, 0, r0, c13, c0, 3")
DEED(thread_kernel, "mrc p15, 0, r0, c13, c0, 4")
DEED(context, "mcr p15, 0, r0, c13, c0, 1")
DEED(timer, "mcr p15, 0, r0, c14, c2, 1")
DEED(timer_long, "mcrr p15, 2, r0, r1, c14")
DEED(counter_control, "mcr p15, 0, r0, c14, c1, 0")
DEED(performance, "mcr p15, 0, r0, c9, c12, 0")
DEED(performance_enable, "mcr p15, 0, r0, c9, c14, 0")
DEED(debug, "mcr p14, 0, r0, c0, c2, 2")
DEED(debug_lock, "mcr p14, 0, r0, c1, c0, 4")
DEED(fpexc, ".inst 0xeee80a10")
DEED(exclusive, "mov r0, sp\n\tadds r0, #1\n\tldrex r1, [r0]")
DEED(ldm_odd, "mov r0, sp\n\tadds r0, #2\n\tldmia r0, {r1, r2}")
DEED(ldrd_odd, "mov r0, sp\n\tadds r0, #2\n\tldrd r2, r3, [r0]")
DEED(strd_odd, "mov r0, sp\n\tsubs r0, #62\n\tstrd r2, r3, [r0]")
DEED(jump_kernel, KERNEL "bx r1")
DEED(jump_kernel_thumb, KERNEL "adds r1, #1\n\tbx r1")
DEED(jump_far, "mvn r1, #0\n\tbx r1")
DEED(jump_wraps, "mvn r1, #3\n\tbx r1")
DEED_ARM(jump_pc, "mvn pc, #3")
DEED_ARM(pair_top, "mvn r0, #3\n\tldrd r2, r3, [r0]")
DEED_ARM(block_top, "mvn r0, #7\n\tldm r0, {r0, r1, r2, r3}")
DEED_ARM(as_user, KERNEL "ldrt r0, [r1], #0")
DEED_ARM(stack_kernel, KERNEL "mov sp, r1\n\tpush {r0}")
DEED_ARM(stack_null, "mov r0, #0\n\tmov sp, r0\n\tpush {r0}")
DEED_ARM(stack_odd, "add sp, sp, #1\n\tpush {r0, r1}")
DEED(it_fault, "mov r0, #0\n\tcmp r0, r0\n\tittt eq\n\tmoveq r1, #1\n\tldreq r2, [r0]\n\t"
	       "moveq r1, #2")
DEED(it_undefined, "cmp r0, r0\n\titt eq\n\tmoveq r1, #1\n\t.inst.n 0xde00")

static const struct deed forbidden[] = {
	{ "udf", deed_undefined }, { "udf (A32)", deed_undefined_arm },
	{ "unallocated", deed_unallocated }, { "hvc", deed_hvc }, { "smc", deed_smc },
	{ "bkpt", deed_bkpt }, { "bkpt (A32)", deed_bkpt_arm }, { "hlt (semihosting)", deed_hlt },
	{ "eret", deed_eret }, { "rfe", deed_rfe }, { "srs", deed_srs },
	{ "ldm ^", deed_ldm_user }, { "sctlr", deed_sctlr }, { "ttbr0", deed_ttbr },
	{ "mrc ttbr0", deed_ttbr_read }, { "mrrc ttbr0", deed_ttbr_long }, { "dacr", deed_dacr },
	{ "vbar", deed_vbar }, { "dccisw", deed_cache }, { "iciallu", deed_icache },
	{ "tlbiall", deed_tlb }, { "ats1cpr", deed_translate }, { "cpacr", deed_cpacr },
	{ "tpidruro", deed_thread_write }, { "tpidrprw", deed_thread_kernel },
	{ "contextidr", deed_context }, { "cntp_ctl", deed_timer },
	{ "cntp_cval", deed_timer_long },
	{ "cntkctl", deed_counter_control }, { "pmcr", deed_performance },
	{ "pmuserenr", deed_performance_enable }, { "dbgdscr", deed_debug },
	{ "dbgoslar", deed_debug_lock }, { "fpexc", deed_fpexc },
	{ "unaligned ldrex", deed_exclusive }, { "unaligned ldm", deed_ldm_odd },
	{ "unaligned ldrd", deed_ldrd_odd }, { "unaligned strd", deed_strd_odd },
	{ "jump to 0xffff0000", deed_jump_kernel },
	{ "jump to 0xffff0000 (T32)", deed_jump_kernel_thumb },
	{ "jump to 0xffffffff", deed_jump_far }, { "jump to 0xfffffffc", deed_jump_wraps },
	{ "mvn pc", deed_jump_pc }, { "ldrd across 4 GiB", deed_pair_top },
	{ "ldm across 4 GiB", deed_block_top }, { "ldrt kernel", deed_as_user },
	{ "kernel sp", deed_stack_kernel }, { "null sp", deed_stack_null },
	{ "odd sp", deed_stack_odd }, { "fault in an IT block", deed_it_fault },
	{ "udf in an IT block", deed_it_undefined }, { 0 },
};

DEED(wfi, "wfi")
DEED(wfe, "wfe")
DEED(hints, "sev\n\tyield\n\tclrex\n\tisb\n\tdsb sy")
DEED(mode, "cpsid i")
DEED_ARM(mode_arm, "mrs r0, cpsr\n\tbic r0, r0, #31\n\torr r0, r0, #0x13\n\tmsr cpsr_c, r0")
DEED_ARM(all_bits, "mvn r0, #0\n\tmsr cpsr_f, r0\n\tmov r7, #0\n\tsvc #0")
DEED_ARM(prefetch, KERNEL "pld [r1]\n\tpli [r1]")
DEED(thread, "mrc p15, 0, r2, c13, c0, 2\n\tmvn r0, #0\n\tmcr p15, 0, r0, c13, c0, 2\n\t"
	     "mcr p15, 0, r2, c13, c0, 2")
DEED(float_control, "mvn r0, #0\n\tmovs r1, #0\n\tvmsr fpscr, r0\n\tvmsr fpscr, r1")
DEED(svc_numbers, "movs r7, #0\n\tsvc #1\n\tmovs r7, #0\n\tsvc #255")
DEED(svc_in_it, "movs r7, #0\n\tmovs r2, #0\n\tcmp r7, r7\n\tittt eq\n\taddeq r2, #1\n\t"
		"svceq #0\n\taddeq r2, #1\n\tcmp r2, #2\n\tit ne\n\tudfne #0")
DEED_ARM(stack_call, "mov r3, sp\n\tmov sp, #1\n\tmov r7, #16\n\tsvc #0\n\tmov sp, r3")
DEED_ARM(stack_call_kernel,
    KERNEL "mov r3, sp\n\tmov sp, r1\n\tmov r7, #16\n\tsvc #0\n\tmov sp, r3")

static const struct deed harmless[] = {
	{ "wfi", deed_wfi }, { "wfe", deed_wfe }, { "hints", deed_hints }, { "cpsid", deed_mode },
	{ "msr cpsr_c", deed_mode_arm }, { "msr cpsr_f", deed_all_bits },
	{ "pld kernel", deed_prefetch }, { "tpidrurw", deed_thread },
	{ "fpscr", deed_float_control }, { "svc numbers", deed_svc_numbers },
	{ "svc in an IT block", deed_svc_in_it }, { "call with an odd sp", deed_stack_call },
	{ "call with the kernel's sp", deed_stack_call_kernel }, { 0 },
};

/* Big-endian data: a call, a fault on a fresh page and the way back, or none of it. */
static __attribute__((target("arm"))) void
deed_setend(void)
{
	uint32_t *fresh = ebb_mmap(PAGE, EBB_PROT_READ | EBB_PROT_WRITE), read;

	__asm__ volatile(".inst 0xf1010200\n\t" /* setend be */
			 "mov r0, #1\n\tstr r0, [%1]\n\tmov r7, #0\n\tsvc #0\n\t"
			 "mov r7, #16\n\tsvc #0\n\tldr %0, [%1]\n\t.inst 0xf1010000"
			 : "=&r"(read) : "r"(fresh) : "r0", "r1", "r7", "memory");
	if (read != 1 || *fresh != 0x01000000)
		__asm__ volatile("udf #0");
}

/* A page that comes in between the instructions of an IT block. */
static void
deed_it_page(void)
{
	uint32_t *fresh = ebb_mmap(PAGE, EBB_PROT_READ | EBB_PROT_WRITE), count;

	__asm__ volatile("movs %0, #0\n\tcmp %0, %0\n\titttt eq\n\taddeq %0, #1\n\t"
			 "streq %0, [%1]\n\taddeq %0, #1\n\taddeq %0, #1\n\t"
			 "itet ne\n\taddne %0, #8\n\tstreq %0, [%1, #4]\n\taddne %0, #16"
			 : "=&l"(count) : "l"(fresh) : "cc", "memory");
	if (count != 3 || fresh[0] != 1 || fresh[1] != 3)
		__asm__ volatile("udf #0");
}

static const struct deed either[] = { { "setend", deed_setend }, { 0 } };
static const struct deed it_blocks[] = { { "page fault in an IT block", deed_it_page }, { 0 } };

static int
instructions(void)
{
	return (all_end(forbidden, INSN | FAULT) + all_end(harmless, EXITS) +
	    all_end(it_blocks, EXITS) + all_end(either, EXITS | INSN));
}

/* Every register holds pattern, but r7 number; how many did not come back so. */
uint32_t hostile_registers(uint32_t number, uint32_t pattern);

static int
registers(void)
{
	static const uint32_t patterns[] = { 0, UINT32_MAX, 0x80000000, 0xffff0000, 4096, 1,
		INT32_MAX };
	static const uint32_t numbers[] = { EBB_SYS_NULL, EBB_SYS_GETPID, EBB_SYS_CLOSE,
		EBB_SYS_MPROTECT, EBB_SYS_MINCORE, EBB_SYS_LSEEK, EBB_SYS_FSTAT, EBB_SYS_COUNT,
		UINT32_MAX, INT32_MAX, 0x80000001, 0x10001 };
	uint32_t wrong = 0, i, k;

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
