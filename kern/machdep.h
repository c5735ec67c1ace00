/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CONTRACT between the portable kernel and the machine.
 *
 * arch/arm64 implements it on the board, test/host/sim_machdep.c natively.
 * Nothing above this header knows which of the two it runs on.
 */
#ifndef KERN_MACHDEP_H
#define KERN_MACHDEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <machine/machdep_md.h> /* inline: intr_disable, intr_restore, get_cyclecount */

struct task;

/*
 * From <machine/machdep_md.h>:
 *   uint64_t intr_disable(void)      mask interrupts on this core; returns the old state
 *   void intr_restore(uint64_t old)  back to that state; calls nest; state 0 = enabled
 *   bool intr_enabled(void)
 *   uint64_t get_cyclecount(void)    free-running counter (CNTVCT_EL0), never goes back
 *   struct task *curtask(void)       the running task (TPIDR_EL1); NULL before sched_init
 *   void curtask_set(struct task *)
 */

/* Ticks of get_cyclecount() per second (CNTFRQ_EL0). */
uint64_t cpu_cycles_per_second(void);

/*
 * Make a wired kernel stack with a guard page below it and a zeroed struct task
 * at its high end (*out), and arrange that the first cpu_switch to it calls
 * entry(*out) with interrupts masked. Memory comes from the page pool
 * (allocation class SYSTEM). ERR_NOMEM if the pool has none. Does not yield.
 */
int cpu_task_prepare(struct task **out, void (*entry)(struct task *t));

/* Free the stack of a task that will never run again, and the struct task on
 * it; t is not the caller. Does not yield. */
void cpu_task_release(struct task *t);

/*
 * Save the caller's registers in from, load to's. Interrupts are masked by the
 * caller and their state belongs to the task. Also switches the address space
 * (hook below) and FP/SIMD state of programs. Returns when from runs again.
 */
void cpu_switch(struct task *from, struct task *to);

/* Wait for an interrupt (WFI). Called with interrupts masked; returns masked
 * with at least one interrupt pending or after a spurious wake-up. */
void cpu_idle(void);

/* Ask for a timer interrupt once get_cyclecount() >= deadline (UINT64_MAX = none). */
void cpu_timer_arm(uint64_t deadline_cycles);

/*
 * DMA: make [pa, pa+bytes) safe for a device that does not snoop the caches.
 * dma_map cleans (to_device) or invalidates (from_device) and returns the bus
 * address to program into the device; dma_unmap invalidates again after a
 * device write. Buffers are cache-line aligned (64 bytes) and padded.
 * Arm ARM DDI0487 B2.10 and D7.4 (cache maintenance to the point of coherency).
 */
enum dma_dir { DMA_TO_DEVICE, DMA_FROM_DEVICE };
uint64_t dma_map(uint64_t pa, size_t bytes, enum dma_dir dir);
void dma_unmap(uint64_t pa, size_t bytes, enum dma_dir dir);

/* Kernel virtual address of physical address pa (the direct map), and back.
 * Valid for RAM only. */
void *phys_to_virt(uint64_t pa);
uint64_t virt_to_phys(const void *va);

/* Map a device's registers (Device-nGnRE) and return their virtual address.
 * Boot time only; panics if the window area is used up. */
uintptr_t cpu_map_device(uint64_t pa, size_t bytes);

/* Map memory that another master shows or fills (a framebuffer), not RAM of the pool, as
 * Normal non-cacheable; NULL without room. For ever; does not yield. */
void *cpu_map_uncached(uint64_t pa, size_t bytes);

/* Copy whole pages fast, both 64-byte aligned; bytes a multiple of 64. */
void cpu_copy(void *to, const void *from, size_t bytes);

/* Stop for good: power off, or reset. exit_code reaches QEMU by semihosting
 * when the boot argument semihosting=1 was given. Without it a code other than 0
 * halts the core instead, so that a panic's text stays readable. Never return. */
_Noreturn void cpu_poweroff(int exit_code);
_Noreturn void cpu_reboot(void);

/* Where the machine's start-up code hands over: on the boot stack, interrupts
 * masked, MMU on. x0 is what the loader left there (device tree, ATAGS or 0). The
 * board supplies it. */
_Noreturn void kernel_main(uint64_t x0);

/*
 * Signs of life that the board supplies, called by the start-up code with the MMU off, at
 * physical addresses, on the boot stack: the kernel has been entered; its image lies
 * elsewhere than it was linked for, after which the core stops. counter_hz: CNTFRQ_EL0.
 */
void board_start_light(uint64_t counter_hz);
void board_start_misplaced(uint64_t counter_hz);

/* Called by panic(): print registers and a backtrace of the caller through
 * panic_printf. frame may be NULL. */
void cpu_panic_dump(const void *trap_frame);

#endif
