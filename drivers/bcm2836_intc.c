/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt controllers of BCM2836/2837 as one irq_controller.
 *
 * Each core has a register of 12 sources in the core-local block; source 8 stands
 * for the older BCM2835 controller, which has 64 GPU sources in two registers and
 * 8 of the ARM's own in a third. All are level-triggered: an interrupt ends when
 * its device is served, so done has nothing to do.
 *
 * Pending registers are reduced by our own record of enabled lines: a source that
 * the firmware left enabled, or one that shows while disabled, is then no
 * interrupt of ours. A core-local one would come again and again all the same: it is
 * turned off where it can be, and counted.
 *
 * The two blocks are two peripherals, and the interrupted code may have been using a
 * third: barriers as kern/mmio.h wants them stand here, so that handlers need none.
 *
 * Owns: both controllers' registers for core 0.
 * Does not: serve other cores, use FIQ, or know what a line means.
 * Invariants:
 *   N1 a line handed out was enabled and pending when looked at.
 * Yields: never.
 * Complexity: next reads one register for a local source, up to four for a GPU one.
 * See: BCM2835 ARM Peripherals chapter 7; BCM2836 ARM-local peripherals (QA7 rev 3.4).
 */
#include "drivers/bcm2836_intc.h"

#include "drivers/drivers_params.h"
#include "kern/irq.h"
#include "kern/mmio.h"
#include "lib/assert.h"

/* GPU block. */
#define PENDING_BASIC  0x00
#define PENDING(word)  (0x04 + 4 * (word))
#define FIQ_CONTROL    0x0c
#define ENABLE(word)   (0x10 + 4 * (word))  /* word 2 = basic */
#define DISABLE(word)  (0x1c + 4 * (word))
#define BASIC_MASK     0xffu

/* Core-local block, core 0. */
#define GPU_ROUTING    0x0c
#define PMU_ROUTING_CLEAR 0x14
#define AXI_INTERRUPT  0x30
#define LOCAL_TIMER    0x34
#define TIMER_CONTROL  0x40
#define MAILBOX_CONTROL 0x50
#define SOURCE         0x60
#define SOURCE_GPU     (1u << 8)
#define SOURCE_PMU     (1u << 9)
#define SOURCE_AXI     (1u << 10)
#define PMU_ALL        0xffu  /* IRQ and FIQ of four cores */
#define LOCAL_TIMER_IRQ_ENABLE (1u << 29)

static uintptr_t local_base, gpu_base;
/* Enabled lines: GPU 0-31, 32-63, basic, core-local. */
static uint32_t enabled[4];

/* Core-local sources 0-3 are the timers, 4-7 the mailboxes, 11 the local timer;
 * the others cannot be masked there. */
static void
local_mask(uint32_t source, bool on)
{
	uint32_t reg, bit;

	if (source == BCM2836_LINE_LOCAL_TIMER - BCM2836_LINE_LOCAL) {
		reg = LOCAL_TIMER;
		bit = LOCAL_TIMER_IRQ_ENABLE;
	} else if (source < 8) {
		reg = source < 4 ? TIMER_CONTROL : MAILBOX_CONTROL;
		bit = 1u << source % 4;
	} else {
		return;
	}
	if (on)
		mmio_write32(local_base + reg, mmio_read32(local_base + reg) | bit);
	else
		mmio_write32(local_base + reg, mmio_read32(local_base + reg) & ~bit);
}

static void
bcm2836_enable(uint32_t line)
{
	uint32_t word = line / 32, bit = 1u << line % 32;

	enabled[word] |= bit;
	mmio_barrier();
	if (line >= BCM2836_LINE_LOCAL)
		local_mask(line - BCM2836_LINE_LOCAL, true);
	else
		mmio_write32(gpu_base + ENABLE(word), bit);
}

static void
bcm2836_disable(uint32_t line)
{
	uint32_t word = line / 32, bit = 1u << line % 32;

	enabled[word] &= ~bit;
	mmio_barrier();
	if (line >= BCM2836_LINE_LOCAL)
		local_mask(line - BCM2836_LINE_LOCAL, false);
	else
		mmio_write32(gpu_base + DISABLE(word), bit);
}

/* Word 1 first: the disk and the console are there. */
static int
gpu_next(void)
{
	static const struct {
		uint16_t reg;
		uint8_t word;
	} order[] = { { PENDING(1), 1 }, { PENDING(0), 0 }, { PENDING_BASIC, 2 } };

	mmio_barrier();
	for (uint32_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		uint32_t pending = mmio_read32(gpu_base + order[i].reg) & enabled[order[i].word];

		if (pending != 0)
			return ((int)(order[i].word * 32 + (uint32_t)__builtin_ctz(pending)));
	}
	return (-1);
}

/* Core-local sources that show and that nobody has asked for. */
static __attribute__((noinline, cold)) void
silence(uint32_t sources)
{
	drivers_params.irq_foreign++;
	if (sources & SOURCE_PMU)
		mmio_write32(local_base + PMU_ROUTING_CLEAR, PMU_ALL);
	if (sources & SOURCE_AXI)
		mmio_write32(local_base + AXI_INTERRUPT, 0);
	for (uint32_t source = 0; source < BCM2836_LINES - BCM2836_LINE_LOCAL; source++)
		if (sources & 1u << source)
			local_mask(source, false);
}

static int
bcm2836_next(void)
{
	uint32_t source, local;
	int line = -1;

	mmio_barrier();
	source = mmio_read32(local_base + SOURCE);
	local = source & enabled[3];
	if (local != 0)
		line = BCM2836_LINE_LOCAL + __builtin_ctz(local);
	else if (source & SOURCE_GPU)
		line = gpu_next();
	else if (source != 0)
		silence(source);
	mmio_barrier();
	return (line);
}

/* The device's register writes must have arrived before the source is looked at
 * again, or a served interrupt shows once more. */
static void
bcm2836_done(uint32_t line)
{
	(void)line;
	mmio_barrier();
}

static const struct irq_controller bcm2836_controller = {
	.name = "bcm2836",
	.line_count = BCM2836_LINES,
	.enable = bcm2836_enable,
	.disable = bcm2836_disable,
	.next = bcm2836_next,
	.done = bcm2836_done,
};

void
bcm2836_intc_attach(uintptr_t local, uintptr_t gpu)
{
	local_base = local;
	gpu_base = gpu;
	mmio_barrier();
	mmio_write32(gpu_base + FIQ_CONTROL, 0);
	mmio_write32(gpu_base + DISABLE(0), UINT32_MAX);
	mmio_write32(gpu_base + DISABLE(1), UINT32_MAX);
	mmio_write32(gpu_base + DISABLE(2), BASIC_MASK);
	mmio_barrier();
	mmio_write32(local_base + GPU_ROUTING, 0);
	mmio_write32(local_base + PMU_ROUTING_CLEAR, PMU_ALL);
	mmio_write32(local_base + AXI_INTERRUPT, 0);
	mmio_write32(local_base + LOCAL_TIMER, 0);
	mmio_write32(local_base + TIMER_CONTROL, 0);
	mmio_write32(local_base + MAILBOX_CONTROL, 0);
	irq_set_controller(&bcm2836_controller);
}
