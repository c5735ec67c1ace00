/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Raspberry Pi 3 (BCM2837): which devices there are, where, on which interrupt.
 *
 * Owns: the tables below; the pins that the UART and the SD card use.
 * Does not: hold logic; each attach function only passes a row on to a driver.
 * Invariants: none.
 * Yields: attach functions of devices may.
 * See: BCM2835 ARM Peripherals (addresses with 0x20 instead of 0x3F at the top);
 *   BCM2836 ARM-local peripherals.
 */
#include "board/board.h"

#include <stddef.h>

#include "arch/arm64/cache.h"
#include "arch/arm64/kmap.h"
#include "drivers/act_led.h"
#include "drivers/bcm2835_dma.h"
#include "drivers/bcm2835_emmc.h"
#include "drivers/bcm2835_fb.h"
#include "drivers/bcm2835_gpio.h"
#include "drivers/bcm2835_pm.h"
#include "drivers/bcm2835_sdhost.h"
#include "drivers/bcm2836_intc.h"
#include "drivers/hwmon.h"
#include "drivers/mailbox.h"
#include "drivers/mini_uart.h"
#include "drivers/pl011.h"
#include "drivers/sdcard.h"
#include "kern/bootargs.h"
#include "kern/console.h"
#include "kern/led.h"
#include "kern/machdep.h"

#define INTC_PA    0x3f00b200
#define DMA_PA     0x3f007000
#define MAILBOX_PA 0x3f00b880
#define PM_PA      0x3f100000
#define GPIO_PA    0x3f200000
#define UART_PA    0x3f201000
#define SDHOST_PA  0x3f202000
#define AUX_PA     0x3f215000
#define EMMC_PA    0x3f300000
#define LOCAL_PA   0x40000000

/* RAM as the bus masters see it: uncached alias, first GiB. */
#define BUS_OFFSET 0xc0000000
#define BUS_REACH  0x3f000000
/* ... and the data registers of the SD controllers. */
#define EMMC_DATA_BUS   0x7e300020
#define SDHOST_DATA_BUS 0x7e202040

/* The card's controller, and whether it uses DMA, where no boot argument says it
 * (docs/decisions/0018). */
#define SD_HOST_DEFAULT BOOTARGS_SD_EMMC
#define SD_DMA_DEFAULT  BOOTARGS_SD_DMA_YES

/* Where cores 1-3 wait for an address, in the firmware's stub and in QEMU's. */
#define SPIN_TABLE_PA 0xd8
#define SPIN_CORES    4

/* Receive is pulled up: with nothing connected it would else float and look like input. */
static const struct bcm2835_gpio_setting pl011_pins[] = {
	{ 14, 14, BCM2835_GPIO_ALT0, BCM2835_GPIO_PULL_NONE }, /* PL011 to the header */
	{ 15, 15, BCM2835_GPIO_ALT0, BCM2835_GPIO_PULL_UP },
	{ 32, 33, BCM2835_GPIO_INPUT, BCM2835_GPIO_PULL_NONE }, /* ... not to Bluetooth */
};

/* The mini-UART to the header; Bluetooth keeps the PL011. */
static const struct bcm2835_gpio_setting mini_uart_pins[] = {
	{ 14, 14, BCM2835_GPIO_ALT5, BCM2835_GPIO_PULL_NONE },
	{ 15, 15, BCM2835_GPIO_ALT5, BCM2835_GPIO_PULL_UP },
};

/* The card to the EMMC controller, by way of plain inputs: QEMU moves the card back
 * to that controller only then; and away from WiFi, which has it otherwise. */
static const struct bcm2835_gpio_setting emmc_pins[] = {
	{ 34, 39, BCM2835_GPIO_INPUT, BCM2835_GPIO_PULL_NONE },
	{ 48, 53, BCM2835_GPIO_INPUT, BCM2835_GPIO_PULL_KEEP },
	{ 48, 48, BCM2835_GPIO_ALT3, BCM2835_GPIO_PULL_NONE },
	{ 49, 53, BCM2835_GPIO_ALT3, BCM2835_GPIO_PULL_UP },
};

/* ... to SDHOST. */
static const struct bcm2835_gpio_setting sdhost_pins[] = {
	{ 48, 48, BCM2835_GPIO_ALT0, BCM2835_GPIO_PULL_NONE },
	{ 49, 53, BCM2835_GPIO_ALT0, BCM2835_GPIO_PULL_UP },
};

static uintptr_t gpio_base;

/* Also a panic's, before boot has come to the console. */
static void
pl011_console(void)
{
	uint32_t hz;

	bcm2835_gpio_apply(gpio_base, pl011_pins, sizeof(pl011_pins) / sizeof(pl011_pins[0]));
	if (mailbox_clock_at_least(MAILBOX_CLOCK_UART, PL011_CLOCK_HZ_MIN, PL011_CLOCK_HZ_USUAL,
		&hz) != 0)
		hz = 0;
	pl011_attach(cpu_map_device(UART_PA, 0x1000), hz);
}

static int
attach_gpio(const struct board_device *device, uintptr_t base)
{
	(void)device;
	gpio_base = base;
	console_set_fallback(pl011_console);
	return (0);
}

static int
attach_mailbox(const struct board_device *device, uintptr_t base)
{
	(void)device;
	cache_set_dma(BUS_OFFSET, BUS_REACH);
	mailbox_attach(base);
	return (0);
}

/* A board without a light that is known does without. */
static int
attach_led(const struct board_device *device, uintptr_t base)
{
	uint32_t revision;

	(void)device;
	(void)base;
	if (mailbox_board_revision(&revision) == 0)
		(void)!act_led_attach(gpio_base, revision,
		    cpu_cycles_per_second() != LED_EMULATOR_HZ);
	return (0);
}

static struct act_led_start
start_light(uint64_t counter_hz)
{
	return ((struct act_led_start){ MAILBOX_PA, GPIO_PA, counter_hz, BUS_OFFSET });
}

void
board_start_light(uint64_t counter_hz)
{
	struct act_led_start light = start_light(counter_hz);

	act_led_start_stage(&light, LED_STAGE_START);
}

void
board_start_misplaced(uint64_t counter_hz)
{
	struct act_led_start light = start_light(counter_hz);

	act_led_start_panic(&light, LED_PANIC_PLACE);
}

static int
attach_uart(const struct board_device *device, uintptr_t base)
{
	(void)device;
	(void)base;
	if (bootargs.console != BOOTARGS_CONSOLE_MINI)
		pl011_console();
	return (0);
}

static int
attach_mini_uart(const struct board_device *device, uintptr_t base)
{
	uint32_t hz;

	(void)device;
	if (bootargs.console != BOOTARGS_CONSOLE_MINI)
		return (0);
	bcm2835_gpio_apply(gpio_base, mini_uart_pins,
	    sizeof(mini_uart_pins) / sizeof(mini_uart_pins[0]));
	if (mailbox_clock_hz(MAILBOX_CLOCK_CORE, &hz) != 0)
		hz = 0;
	mini_uart_attach(base, hz);
	return (0);
}

/* The controller's two halves: the core-local one has a row, the other is found
 * through it. */
static int
attach_intc(const struct board_device *device, uintptr_t base)
{
	(void)device;
	bcm2836_intc_attach(base, cpu_map_device(INTC_PA, 0x40));
	return (0);
}

static int
attach_pm(const struct board_device *device, uintptr_t base)
{
	(void)device;
	bcm2835_pm_attach(base);
	return (0);
}

/* Send the other cores from the spin table to cpu_park. Their caches are off. */
static int
park_cores(const struct board_device *device, uintptr_t base)
{
	volatile uint64_t *table = phys_to_virt(SPIN_TABLE_PA);

	(void)device;
	(void)base;
	for (uint32_t core = 1; core < SPIN_CORES; core++)
		table[core] = cpu_park_address();
	cache_clean(phys_to_virt(SPIN_TABLE_PA), SPIN_CORES * sizeof(uint64_t));
	__asm__ volatile("sev");
	return (0);
}

/* Both are clocked from the VideoCore's core clock. */
static void
core_clock_changed(uint32_t core_hz)
{
	mini_uart_set_clock(core_hz);
	bcm2835_sdhost_set_core_clock(core_hz);
}

static int
attach_clocks(const struct board_device *device, uintptr_t base)
{
	(void)device;
	(void)base;
	hwmon_attach(core_clock_changed);
	return (0);
}

static int
start_hwmon(const struct board_device *device, uintptr_t base)
{
	(void)device;
	(void)base;
	return (hwmon_start());
}

static struct bcm2835_dma *dma;

/* Without the engine the card is served by the processor. */
static int
attach_dma(const struct board_device *device, uintptr_t base)
{
	uint32_t channels;

	if ((bootargs.sd_dma != 0 ? bootargs.sd_dma : SD_DMA_DEFAULT) == BOOTARGS_SD_DMA_NO)
		return (0);
	if (mailbox_dma_channels(&channels) != 0)
		channels = BCM2835_DMA_CHANNELS_SAFE;
	return (bcm2835_dma_attach(base, device->irq, channels, &dma));
}

static bool
card_is_on(uint32_t sd_host)
{
	return ((bootargs.sd_host != 0 ? bootargs.sd_host : SD_HOST_DEFAULT) == sd_host);
}

/* The firmware has turned it on to load the kernel; after a start by a debugger it may be
 * off. One that says nothing of power is believed to have it on. */
static void
power_card(void)
{
	if (mailbox_power_on(MAILBOX_POWER_SD) == ERR_NODEV)
		kprintf("SD card: the firmware does not turn its power on\n");
}

/* sdcard_attach has said what is wrong with the card. */
static int
attach_card(const struct board_device *device, struct sdhost *host)
{
	(void)!sdcard_attach(host, device->unit);
	return (0);
}

static int
attach_emmc(const struct board_device *device, uintptr_t base)
{
	const struct bcm2835_dma_port port = { dma, EMMC_DATA_BUS, BCM2835_DREQ_EMMC };
	struct sdhost *host;
	uint32_t hz;
	int err;

	if (!card_is_on(BOOTARGS_SD_EMMC))
		return (0);
	power_card();
	bcm2835_gpio_apply(gpio_base, emmc_pins, sizeof(emmc_pins) / sizeof(emmc_pins[0]));
	err = mailbox_clock_hz(MAILBOX_CLOCK_EMMC, &hz);
	if (err == 0)
		err = bcm2835_emmc_attach(base, device->irq, hz, &port, &host);
	return (err == 0 ? attach_card(device, host) : err);
}

static int
attach_sdhost(const struct board_device *device, uintptr_t base)
{
	const struct bcm2835_dma_port port = { dma, SDHOST_DATA_BUS, BCM2835_DREQ_SDHOST };
	struct sdhost *host;
	uint32_t hz;
	int err;

	if (!card_is_on(BOOTARGS_SD_SDHOST))
		return (0);
	power_card();
	bcm2835_gpio_apply(gpio_base, sdhost_pins, sizeof(sdhost_pins) / sizeof(sdhost_pins[0]));
	err = mailbox_clock_hz(MAILBOX_CLOCK_CORE, &hz);
	if (err == 0)
		err = bcm2835_sdhost_attach(base, device->irq, hz, &port, &host);
	return (err == 0 ? attach_card(device, host) : err);
}

static int
memory(uint64_t *pa, uint64_t *bytes)
{
	uint32_t start, size;
	int err = mailbox_arm_memory(&start, &size);

	if (err == 0) {
		*pa = start;
		*bytes = size;
	}
	return (err);
}

static int
console_interrupt(void)
{
	if (bootargs.console == BOOTARGS_CONSOLE_MINI)
		return (mini_uart_attach_irq(BCM2836_LINE_AUX));
	return (pl011_attach_irq(BCM2836_LINE_UART0));
}

static const struct board_device early[] = {
	{ "spin table", park_cores, 0, 0, 0, 0 },
	{ "GPIO", attach_gpio, GPIO_PA, 0x1000, 0, 0 },
	{ "mailbox", attach_mailbox, MAILBOX_PA, 0x40, 0, 0 },
	{ "ACT LED", attach_led, 0, 0, 0, 0 },
	{ "interrupt controller", attach_intc, LOCAL_PA, 0x1000, 0, 0 },
	{ "power management", attach_pm, PM_PA, 0x1000, 0, 0 },
};

static const struct board_device chosen[] = {
	{ "UART", attach_uart, UART_PA, 0, BCM2836_LINE_UART0, 0 },
	{ "mini-UART", attach_mini_uart, AUX_PA, 0x1000, BCM2836_LINE_AUX, 0 },
	{ "clocks", attach_clocks, 0, 0, 0, 0 },
};

/* Opened only when somebody draws. */
static int
attach_screen(const struct board_device *device, uintptr_t base)
{
	(void)device;
	(void)base;
	bcm2835_fb_attach();
	return (0);
}

static const struct board_device devices[] = {
	{ "screen", attach_screen, 0, 0, 0, 0 },
	{ "DMA", attach_dma, DMA_PA, 0x1000, BCM2836_LINE_DMA(0), 0 },
	{ "SD card", attach_emmc, EMMC_PA, 0x1000, BCM2836_LINE_EMMC, 0 },
	{ "SD card", attach_sdhost, SDHOST_PA, 0x1000, BCM2836_LINE_SDHOST, 0 },
	{ "sensors", start_hwmon, 0, 0, 0, 0 },
};

const struct board board = {
	.name = "Raspberry Pi 3",
	.early = early,
	.early_count = sizeof(early) / sizeof(early[0]),
	.chosen = chosen,
	.chosen_count = sizeof(chosen) / sizeof(chosen[0]),
	.devices = devices,
	.device_count = sizeof(devices) / sizeof(devices[0]),
	.timer_irq = BCM2836_LINE_CNTV,
	.low_reserved_bytes = 0x1000,
	.memory = memory,
	.command_line = mailbox_command_line,
	.power_off = bcm2835_pm_halt,
	.reset = bcm2835_pm_reset,
	.console_interrupt = console_interrupt,
};
