/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ARM Generic Interrupt Controller, version 2.
 *
 * One group, one priority, everything to this core. Taking an interrupt (IAR)
 * makes it active and writing EOIR ends it; in between the controller does not
 * hand it out again.
 *
 * Owns: distributor and CPU interface of this core.
 * Does not: send SGIs, use groups or preemption, or touch a line's trigger mode,
 *   which the reset or the firmware has set.
 * Invariants:
 *   G1 every INTID read from IAR that is not special is written to EOIR once.
 * Yields: never.
 * See: ARM IHI 0048B, chapters 4.3 (distributor) and 4.4 (CPU interface).
 */
#include "drivers/gicv2.h"

#include "drivers/drivers_params.h"
#include "kern/irq.h"
#include "kern/mmio.h"

#define GICD_CTLR          0x000
#define GICD_TYPER         0x004
#define GICD_ISENABLER(n)  (0x100 + 4 * (n))
#define GICD_ICENABLER(n)  (0x180 + 4 * (n))
#define GICD_ICPENDR(n)    (0x280 + 4 * (n))
#define GICD_ICACTIVER(n)  (0x380 + 4 * (n))
#define GICD_IPRIORITYR(n) (0x400 + 4 * (n)) /* four lines a word */
#define GICD_ITARGETSR(n)  (0x800 + 4 * (n))

#define GICC_CTLR 0x00
#define GICC_PMR  0x04
#define GICC_BPR  0x08
#define GICC_IAR  0x0c
#define GICC_EOIR 0x10

#define INTID_MASK    0x3ffu
#define INTID_SPECIAL 1020u       /* 1020-1023: spurious, or not for us */
#define PRIORITY_ALL  0xa0a0a0a0u /* below PMR, so every enabled line gets through */
#define PMR_ALL       0xf0u
#define FIRST_SPI     32u

static uintptr_t dist_base, cpu_base;
static struct irq_controller gicv2_controller;

static void
gicv2_enable(uint32_t line)
{
	mmio_write32(dist_base + GICD_ISENABLER(line / 32), 1u << line % 32);
}

static void
gicv2_disable(uint32_t line)
{
	mmio_write32(dist_base + GICD_ICENABLER(line / 32), 1u << line % 32);
}

/* The device's register writes must have arrived before the end is declared, or a
 * level-triggered line shows once more. */
static void
gicv2_done(uint32_t line)
{
	mmio_barrier();
	mmio_write32(cpu_base + GICC_EOIR, line);
}

static int
gicv2_next(void)
{
	uint32_t id = mmio_read32(cpu_base + GICC_IAR) & INTID_MASK;

	if (id >= INTID_SPECIAL)
		return (-1);
	if (id < gicv2_controller.line_count)
		return ((int)id);
	/* Beyond the handler table: cannot have been enabled by us. End it, silence it. */
	gicv2_disable(id);
	gicv2_done(id);
	drivers_params.irq_foreign++;
	return (-1);
}

static struct irq_controller gicv2_controller = {
	.name = "gicv2",
	.enable = gicv2_enable,
	.disable = gicv2_disable,
	.next = gicv2_next,
	.done = gicv2_done,
};

/* The CPU targets of the private lines name the core that reads them. */
static uint32_t
own_targets(void)
{
	uint32_t own = mmio_read32(dist_base + GICD_ITARGETSR(0)) & 0xff;

	return ((own != 0 ? own : 1) * 0x01010101u);
}

static void
distributor_reset(uint32_t lines)
{
	uint32_t targets = own_targets();

	mmio_write32(dist_base + GICD_CTLR, 0);
	for (uint32_t n = 0; n < lines / 32; n++) {
		mmio_write32(dist_base + GICD_ICENABLER(n), UINT32_MAX);
		mmio_write32(dist_base + GICD_ICPENDR(n), UINT32_MAX);
		mmio_write32(dist_base + GICD_ICACTIVER(n), UINT32_MAX);
	}
	for (uint32_t n = 0; n < lines / 4; n++)
		mmio_write32(dist_base + GICD_IPRIORITYR(n), PRIORITY_ALL);
	for (uint32_t n = FIRST_SPI / 4; n < lines / 4; n++)
		mmio_write32(dist_base + GICD_ITARGETSR(n), targets);
	mmio_write32(dist_base + GICD_CTLR, 1);
}

void
gicv2_attach(uintptr_t distributor, uintptr_t cpu)
{
	uint32_t lines;

	dist_base = distributor;
	cpu_base = cpu;
	lines = ((mmio_read32(dist_base + GICD_TYPER) & 0x1f) + 1) * 32;
	distributor_reset(lines);
	mmio_write32(cpu_base + GICC_PMR, PMR_ALL);
	mmio_write32(cpu_base + GICC_BPR, 0);
	mmio_write32(cpu_base + GICC_CTLR, 1);
	gicv2_controller.line_count = lines < IRQ_LINES_MAX ? lines : IRQ_LINES_MAX;
	irq_set_controller(&gicv2_controller);
}
