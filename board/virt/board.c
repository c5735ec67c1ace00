/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU's virt machine: which devices there are, where, on which interrupt.
 *
 * Owns: the tables below.
 * Does not: hold logic; each attach function only passes a row on to a driver.
 * Invariants: none.
 * Yields: attach functions of devices may.
 * See: QEMU hw/arch/arm/virt memory map, as its device tree states it.
 */
#include "board/board.h"

#include <stddef.h>

#include "board/boot_flash.h"
#include "drivers/gicv2.h"
#include "drivers/pl011.h"
#include "drivers/virtio_blk.h"
#include "kern/bootargs.h"
#include "kern/console.h"
#include "kern/machdep.h"

#define GICD_PA        0x08000000
#define GICC_PA        0x08010000
#define UART_PA        0x09000000
#define VIRTIO_PA      0x0a000000
#define VIRTIO_STRIDE  0x200
#define VIRTIO_SLOTS   32

static int
attach_uart(const struct board_device *device, uintptr_t base)
{
	(void)device;
	pl011_attach(base, 0);
	return (0);
}

/* Its rows give the distributor; the core interface lies behind it. */
static int
attach_gic(const struct board_device *device, uintptr_t base)
{
	gicv2_attach(base, base + (GICC_PA - device->pa));
	return (0);
}

static int
attach_virtio(const struct board_device *device, uintptr_t base)
{
	const struct virtio_blk_slots slots = {
		.base = base,
		.stride_bytes = VIRTIO_STRIDE,
		.count = VIRTIO_SLOTS,
		.first_irq = device->irq,
	};

	(void)virtio_blk_probe(&slots);
	return (0);
}

/* Where it is, the device tree says. */
static int
attach_flash(const struct board_device *device, uintptr_t base)
{
	(void)base;
	boot_flash(device->unit);
	return (0);
}

/* This machine has no light. */
void
board_start_light(uint64_t counter_hz)
{
	(void)counter_hz;
}

void
board_start_misplaced(uint64_t counter_hz)
{
	(void)counter_hz;
}

static int
check_console(const struct board_device *device, uintptr_t base)
{
	(void)device;
	(void)base;
	if (bootargs.console == BOOTARGS_CONSOLE_MINI)
		kprintf("boot argument console=mini: this board has a PL011 only\n");
	return (0);
}

static int
console_interrupt(void)
{
	return (pl011_attach_irq(GICV2_LINE_SPI(1)));
}

static const struct board_device early[] = {
	{ "UART", attach_uart, UART_PA, 0x1000, GICV2_LINE_SPI(1), 0 },
	{ "interrupt controller", attach_gic, GICD_PA, 0x20000, 0, 0 },
};

static const struct board_device chosen[] = {
	{ "console", check_console, 0, 0, 0, 0 },
};

static const struct board_device devices[] = {
	{ "virtio disks", attach_virtio, VIRTIO_PA, VIRTIO_STRIDE * VIRTIO_SLOTS,
	    GICV2_LINE_SPI(16), 0 },
	/* The second of two, 0x04000000: the first may hold a firmware. */
	{ "NOR flash", attach_flash, 0, 0, 0, 1 },
};

const struct board board = {
	.name = "QEMU virt",
	.early = early,
	.early_count = sizeof(early) / sizeof(early[0]),
	.chosen = chosen,
	.chosen_count = sizeof(chosen) / sizeof(chosen[0]),
	.devices = devices,
	.device_count = sizeof(devices) / sizeof(devices[0]),
	.timer_irq = GICV2_LINE_CNTV,
	.console_interrupt = console_interrupt,
};
