/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UART, interrupt controllers, mailbox and pins against simulated registers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/bcm2835_gpio.h"
#include "drivers/bcm2836_intc.h"
#include "drivers/drivers_params.h"
#include "drivers/gicv2.h"
#include "drivers/mailbox.h"
#include "drivers/pl011.h"
#include "kern/console.h"
#include "kern/irq.h"
#include "kern/kern_params.h"
#include "kern/machdep.h"
#include "kern/mmio.h"
#include "lib/err.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mmio.h"

/* ---- registers that remember, with a hook for each device */

struct registers {
	struct sim_mmio window;
	uint32_t word[0x1000 / 4];
};

static uint32_t
plain_read(void *device, uint32_t offset)
{
	return (((struct registers *)device)->word[offset / 4]);
}

static void
plain_write(void *device, uint32_t offset, uint32_t value)
{
	((struct registers *)device)->word[offset / 4] = value;
}

static void
registers_add(struct registers *r, uintptr_t base)
{
	memset(r, 0, sizeof(*r));
	r->window = (struct sim_mmio){ .base = base, .bytes = sizeof(r->word),
		.read = plain_read, .write = plain_write, .device = r };
	sim_mmio_add(&r->window);
}

static void
begin(void)
{
	sim_reset();
	sim_mmio_reset();
	memset(&drivers_params, 0, sizeof(drivers_params));
	memset(&kern_params, 0, sizeof(kern_params));
}

/* ---- BCM2836 */

#define LOCAL 0x40000000u
#define GPU   0x3f00b200u

static struct registers local_regs, gpu_regs, others[2];

#define SERVED 0x3f300000u /* what the handler looks at, and the code it interrupted */
#define INTERRUPTED 0x3f202000u
static uint32_t handled[8], handled_count;

/* Served: the source goes away, as a level-triggered one does. */
static void
gpu_handler(void *arg)
{
	uint32_t line = (uint32_t)(uintptr_t)arg;

	(void)mmio_read32(SERVED); /* a handler needs no barrier */
	handled[handled_count++ % 8] = line;
	if (line >= BCM2836_LINE_LOCAL)
		local_regs.word[0x60 / 4] &= ~(1u << (line - BCM2836_LINE_LOCAL));
	else if (line >= 64)
		gpu_regs.word[0] &= ~(1u << (line - 64));
	else
		gpu_regs.word[1 + line / 32] &= ~(1u << line % 32);
	if ((gpu_regs.word[0] | gpu_regs.word[1] | gpu_regs.word[2]) == 0)
		local_regs.word[0x60 / 4] &= ~(1u << 8);
}

static void
test_bcm2836(void **state)
{
	static const uint32_t lines[] = { BCM2836_LINE_CNTV, BCM2836_LINE_EMMC, BCM2836_LINE_UART0,
		BCM2836_LINE_SYSTIMER1, BCM2836_LINE_BASIC + 2 };

	(void)state;
	begin();
	registers_add(&local_regs, LOCAL);
	registers_add(&gpu_regs, GPU);
	registers_add(&others[0], SERVED);
	registers_add(&others[1], INTERRUPTED);
	/* What firmware may have left on. */
	local_regs.word[0x30 / 4] = 1u << 20;
	local_regs.word[0x34 / 4] = 3u << 28;
	local_regs.word[0x40 / 4] = 0xff;
	bcm2836_intc_attach(LOCAL, GPU);
	assert_int_equal(gpu_regs.word[0x1c / 4], UINT32_MAX);
	assert_int_equal(local_regs.word[0x14 / 4], 0xff);
	assert_int_equal(local_regs.word[0x30 / 4] | local_regs.word[0x34 / 4] |
	    local_regs.word[0x40 / 4], 0);
	for (uint32_t i = 0; i < 5; i++) {
		sim_mmio_elsewhere();
		assert_int_equal(irq_register(lines[i], gpu_handler, (void *)(uintptr_t)lines[i],
		    "test"), 0);
	}
	assert_int_equal(local_regs.word[0x40 / 4], 1u << 3);
	assert_int_equal(gpu_regs.word[0x18 / 4], 1u << 2);
	assert_int_equal(irq_register(BCM2836_LINES, gpu_handler, NULL, "test"), ERR_RANGE);

	/* All at once, and two that nobody asked for. */
	handled_count = 0;
	local_regs.word[0x60 / 4] = 1u << 3 | 1u << 8 | 1u << 1;
	gpu_regs.word[1] = 1u << 1;
	gpu_regs.word[2] = 1u << 30 | 1u << 25 | 1u << 7;
	gpu_regs.word[0] = 1u << 2;
	mmio_barrier();
	(void)mmio_read32(INTERRUPTED);
	irq_dispatch();
	(void)mmio_read32(INTERRUPTED); /* nor does the code that goes on */
	assert_int_equal(handled_count, 5);
	assert_int_equal(handled[0], BCM2836_LINE_CNTV);
	assert_int_equal(handled[1], BCM2836_LINE_UART0);
	assert_int_equal(handled[2], BCM2836_LINE_EMMC);
	assert_int_equal(handled[3], BCM2836_LINE_SYSTIMER1);
	assert_int_equal(handled[4], BCM2836_LINE_BASIC + 2);
	assert_int_equal(kern_params.irq_spurious, 0);
}

/* Interrupts that nobody asked for: gone again when looked at, or of a source that is on by
 * mistake, which would else come for ever. */
static void
test_bcm2836_spurious(void **state)
{
	(void)state;
	begin();
	registers_add(&local_regs, LOCAL);
	registers_add(&gpu_regs, GPU);
	bcm2836_intc_attach(LOCAL, GPU);
	assert_int_equal(irq_register(BCM2836_LINE_EMMC, gpu_handler, NULL, "test"), 0);
	handled_count = 0;
	irq_dispatch();                          /* nothing at all */
	assert_int_equal(kern_params.irq_spurious, 1);
	assert_int_equal(drivers_params.irq_foreign, 0);
	local_regs.word[0x60 / 4] = 1u << 8;     /* a GPU source that is not ours */
	gpu_regs.word[2] = 1u << 7;
	irq_dispatch();
	assert_int_equal(kern_params.irq_spurious, 2);
	gpu_regs.word[2] = 0;
	local_regs.word[0x40 / 4] = 0x2;         /* a timer of EL1 that is on */
	local_regs.word[0x60 / 4] = 1u << 1;
	irq_dispatch();
	assert_int_equal(local_regs.word[0x40 / 4], 0);
	local_regs.word[0x14 / 4] = 0;           /* performance counters and AXI */
	local_regs.word[0x30 / 4] = 1u << 20;
	local_regs.word[0x60 / 4] = 3u << 9;
	irq_dispatch();
	assert_int_equal(local_regs.word[0x14 / 4], 0xff);
	assert_int_equal(local_regs.word[0x30 / 4], 0);
	local_regs.word[0x34 / 4] = 3u << 28;    /* the local timer */
	local_regs.word[0x60 / 4] = 1u << 11;
	sim_mmio_elsewhere();
	irq_dispatch();
	assert_int_equal(local_regs.word[0x34 / 4], 1u << 28);
	assert_int_equal(drivers_params.irq_foreign, 3);
	assert_int_equal(kern_params.irq_spurious, 5);
	assert_int_equal(handled_count, 0);
}

/* ---- GICv2 */

#define GICD 0x08000000u
#define GICC 0x08010000u

static struct registers gicd, gicc;
static uint32_t pending[4], pending_count, ended[4], ended_count;

static uint32_t
gicc_read(void *device, uint32_t offset)
{
	if (offset != 0x0c)
		return (plain_read(device, offset));
	return (pending_count > 0 ? pending[--pending_count] : 1023);
}

static void
gicc_write(void *device, uint32_t offset, uint32_t value)
{
	plain_write(device, offset, value);
	if (offset == 0x10)
		ended[ended_count++ % 4] = value;
}

static void
gic_handler(void *arg)
{
	handled[handled_count++ % 8] = (uint32_t)(uintptr_t)arg;
}

static void
test_gicv2(void **state)
{
	(void)state;
	begin();
	registers_add(&gicd, GICD);
	registers_add(&gicc, GICC);
	gicc.window.read = gicc_read;
	gicc.window.write = gicc_write;
	gicd.word[4 / 4] = 8;           /* 288 lines */
	gicd.word[0x800 / 4] = 0x01010101;
	gicv2_attach(GICD, GICC);
	assert_int_equal(gicd.word[0], 1);
	assert_int_equal(gicd.word[(0x800 + 79) / 4], 0x01010101);
	assert_int_equal(gicc.word[1], 0xf0);
	assert_int_equal(irq_register(79, gic_handler, (void *)79, "test"), 0);
	assert_int_equal(gicd.word[(0x100 + 8) / 4], 1u << 15);
	assert_int_equal(irq_register(IRQ_LINES_MAX, gic_handler, NULL, "test"), ERR_RANGE);

	handled_count = ended_count = 0;
	pending[0] = 250; /* beyond the handler table */
	pending[1] = 79;
	pending_count = 2;
	irq_dispatch();
	assert_int_equal(handled_count, 1);
	assert_int_equal(handled[0], 79);
	assert_int_equal(ended_count, 2);
	assert_int_equal(ended[0], 79);
	assert_int_equal(ended[1], 250);
	assert_int_equal(drivers_params.irq_foreign, 1);

	/* The special numbers are neither handled nor ended (IHI 0048B, 3.2.5). */
	for (uint32_t id = 1020; id <= 1023; id++) {
		handled_count = ended_count = 0;
		kern_params.irq_spurious = 0;
		pending[0] = id;
		pending_count = 1;
		irq_dispatch();
		assert_int_equal(handled_count + ended_count, 0);
		assert_int_equal(kern_params.irq_spurious, 1);
	}
	assert_int_equal(drivers_params.irq_foreign, 1);
}

/* ---- PL011 */

#define UART 0x3f201000u
#define UART_LINE 33

static struct registers uart;
static char sent[64];
static uint32_t sent_count, fifo_room;
static uint32_t received[8], received_count, received_next;

static uint32_t
uart_read(void *device, uint32_t offset)
{
	if (offset == 0x00)
		return (received[received_next++]);
	if (offset == 0x18)
		return ((fifo_room == 0 ? 1u << 5 : 0) |
		    (received_next == received_count ? 1u << 4 : 0));
	return (plain_read(device, offset));
}

static void
uart_write(void *device, uint32_t offset, uint32_t value)
{
	plain_write(device, offset, value);
	if (offset != 0)
		return;
	assert_true(fifo_room > 0);
	fifo_room--;
	sent[sent_count++ % sizeof(sent)] = (char)value;
}

/* IBRD and FBRD for the clocks that firmware is known to set, and around the lowest. */
static void
check_divisors(void)
{
	static const struct {
		uint32_t hz, whole, part;
	} cases[] = {
		{ 3000000, 1, 40 }, { PL011_CLOCK_HZ_MIN, 1, 0 }, { 48000000, 26, 3 },
		{ 250000000, 135, 41 },
		{ 0, 135, 41 }, /* unknown: as it was */
	};

	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pl011_set_clock(cases[i].hz);
		assert_int_equal(uart.word[0x24 / 4], cases[i].whole);
		assert_int_equal(uart.word[0x28 / 4], cases[i].part);
	}
	uart.word[0x24 / 4] = 0; /* unknown, and nobody has set it */
	pl011_set_clock(0);
	assert_int_equal(uart.word[0x24 / 4], 26);
}

static void
uart_body(void *arg)
{
	static const char text[] = "twenty-five characters...";

	(void)arg;
	sim_mmio_reset();
	registers_add(&uart, UART);
	uart.window.read = uart_read;
	uart.window.write = uart_write;
	fifo_room = 1000;
	pl011_attach(UART, 48000000);
	sim_mmio_elsewhere();
	assert_int_equal(uart.word[0x24 / 4], 26);
	assert_int_equal(uart.word[0x28 / 4], 3);
	check_divisors();
	sim_mmio_elsewhere();
	kprintf("hi\n");
	assert_memory_equal(sent, "hi\r\n", 4);

	/* By interrupt: as much as the FIFO takes, the rest when it asks. */
	sim_mmio_elsewhere();
	assert_int_equal(pl011_attach_irq(UART_LINE), 0);
	sim_mmio_elsewhere();
	console_start();
	sent_count = 0;
	fifo_room = 16;
	console_raw(text, 25);
	assert_int_equal(sent_count, 16);
	assert_int_equal(uart.word[0x38 / 4] & 1u << 5, 1u << 5);
	fifo_room = 16;
	uart.word[0x40 / 4] = 1u << 5;
	sim_irq_raise(UART_LINE);
	assert_int_equal(sent_count, 25);
	assert_memory_equal(sent, text, 25);
	assert_int_equal(uart.word[0x38 / 4] & 1u << 5, 0);

	/* Three good bytes, one broken, one that says others were lost. */
	received[0] = 'a', received[1] = 'b', received[2] = 0x100 | 'x';
	received[3] = 0x800 | 'c';
	received_next = 0, received_count = 4;
	uart.word[0x40 / 4] = 1u << 4;
	sim_irq_raise(UART_LINE);
	assert_int_equal(console_getc(1000), 'a');
	assert_int_equal(console_getc(1000), 'b');
	assert_int_equal(console_getc(1000), 'c');
	assert_int_equal(console_getc(1000), ERR_TIMEDOUT);
	assert_int_equal(drivers_params.uart_rx_errors, 1);
	assert_int_equal(drivers_params.uart_overruns, 1);
}

static void
test_pl011(void **state)
{
	memset(&drivers_params, 0, sizeof(drivers_params));
	sim_run(uart_body, *state);
}

/* ---- pins */

#define GPIO 0x3f200000u

static void
test_gpio(void **state)
{
	static const struct bcm2835_gpio_setting settings[] = {
		{ 14, 15, BCM2835_GPIO_ALT0, BCM2835_GPIO_PULL_NONE },
		{ 48, 53, BCM2835_GPIO_ALT3, BCM2835_GPIO_PULL_KEEP },
	};
	static struct registers gpio;

	(void)state;
	begin();
	registers_add(&gpio, GPIO);
	for (uint32_t i = 0; i < 6; i++)
		gpio.word[i] = 0x09249249; /* all outputs */
	bcm2835_gpio_apply(GPIO, settings, 2);
	sim_mmio_elsewhere();
	bcm2835_gpio_write(GPIO, 40, true);
	assert_int_equal(gpio.word[0x20 / 4], 1u << 8);
	gpio.word[0x20 / 4] = 0;
	bcm2835_gpio_write(GPIO, 40, false);
	assert_int_equal(gpio.word[0x2c / 4], 1u << 8);
	assert_int_equal(gpio.word[1], (0x09249249u & ~0x3f000u) | 4u << 12 | 4u << 15);
	assert_int_equal(gpio.word[4] >> 24, 077);
	assert_int_equal(gpio.word[5] & 07777, 07777);
	assert_int_equal(gpio.word[0], 0x09249249);
	assert_int_equal(gpio.word[0x98 / 4], 0);
}

/* ---- mailbox */

#define MAILBOX 0x3f00b880u

static struct registers mailbox;
static uint32_t letter; /* waiting to be read; 0 = none */
static bool dead;
/* The UART's clock; what the firmware makes of a request; what it says it made of it. */
static uint32_t clock_hz, clock_settable_hz, clock_said_hz;

/* The firmware: knows the board revision, the
 * temperature and a clock; has no other tags. */
static void
firmware(uint32_t *m)
{
	if (m[2] == 0x00010002) {
		m[5] = 0xa02082;
		m[4] = 0x80000004;
	} else if (m[2] == 0x00030006 && m[5] == 0) {
		m[6] = 25000;
		m[4] = 0x80000008;
	} else if (m[2] == 0x00030002 && m[5] == MAILBOX_CLOCK_UART && clock_hz != UINT32_MAX) {
		m[6] = clock_hz;
		m[4] = 0x80000008;
	} else if (m[2] == 0x00038002 && m[5] == MAILBOX_CLOCK_UART && clock_settable_hz != 0) {
		clock_hz = m[6] < clock_settable_hz ? m[6] : clock_settable_hz;
		m[6] = clock_said_hz;
		m[4] = 0x80000008;
	} else if (m[2] == 0x00030004 && m[5] == MAILBOX_CLOCK_ARM) {
		m[6] = 1200000000;
		m[4] = 0x80000008;
	} else if (m[2] == 0x00010005) {
		m[4] = 0x80000004; /* too short an answer */
	} else {
		m[4] = 0x80000000;
	}
	m[1] = 0x80000000;
}

static uint32_t
mailbox_read(void *device, uint32_t offset)
{
	uint32_t value = letter;

	(void)device;
	if (offset == 0x18)
		return (letter == 0 ? 1u << 30 : 0);
	letter = 0;
	return (value);
}

/* The buffer is static memory of this process, as this is: not far away. */
static char anchor;

static void
mailbox_write(void *device, uint32_t offset, uint32_t value)
{
	(void)device;
	assert_int_equal(offset, 0x20);
	assert_int_equal(value & 15, 8);
	if (dead)
		return;
	value &= ~15u;
	firmware((uint32_t *)(void *)(&anchor + (int32_t)(value - (uint32_t)(uintptr_t)&anchor)));
	value |= 8;
	letter = value;
}

static void
test_mailbox(void **state)
{
	uint32_t value = 0, bytes = 0;
	char text[32];

	(void)state;
	begin();
	assert_int_equal(mailbox_board_revision(&value), ERR_NODEV);
	registers_add(&mailbox, MAILBOX);
	mailbox.window.read = mailbox_read;
	mailbox.window.write = mailbox_write;
	mailbox_attach(MAILBOX);
	letter = 0x1238; /* an old answer that nobody waits for */
	assert_int_equal(mailbox_board_revision(&value), 0);
	sim_mmio_elsewhere();
	assert_int_equal(value, 0xa02082);
	assert_int_equal(mailbox_temperature_mc(&value), 0);
	assert_int_equal(value, 25000);
	assert_int_equal(mailbox_command_line(text, sizeof(text)), ERR_NOTSUP);
	assert_int_equal(mailbox_clock_hz(MAILBOX_CLOCK_UART, &value), ERR_NOTSUP);
	assert_int_equal(mailbox_arm_memory(&value, &bytes), ERR_IO);
	dead = true;
	assert_int_equal(mailbox_board_revision(&value), ERR_TIMEDOUT);
	dead = false;
	assert_int_equal(mailbox_board_revision(&value), 0);
}

/* The firmware's clock, what it allows and what it says; asked for 48 MHz. */
static int
uart_clock(uint32_t now_hz, uint32_t settable_hz, uint32_t said_hz, uint32_t *hz)
{
	clock_hz = now_hz;
	clock_settable_hz = settable_hz;
	clock_said_hz = said_hz;
	return (mailbox_clock_at_least(MAILBOX_CLOCK_UART, PL011_CLOCK_HZ_MIN, 48000000, hz));
}

static void
test_mailbox_clock(void **state)
{
	uint32_t hz = 7;

	(void)state;
	begin();
	registers_add(&mailbox, MAILBOX);
	mailbox.window.read = mailbox_read;
	mailbox.window.write = mailbox_write;
	mailbox_attach(MAILBOX);
	dead = false;
	/* Fast enough: left alone. */
	assert_int_equal(uart_clock(3000000, 48000000, 1, &hz), 0);
	assert_int_equal(hz, 3000000);
	/* Too slow, or off: set, and what came of it counts, not what was said. */
	assert_int_equal(uart_clock(1000000, 47999625, 48000000, &hz), 0);
	assert_int_equal(hz, 47999625);
	assert_int_equal(uart_clock(0, 48000000, 48000000, &hz), 0);
	assert_int_equal(hz, 48000000);
	/* A firmware that will not, or that knows no clocks. */
	assert_int_equal(uart_clock(1000000, 1000000, 48000000, &hz), ERR_RANGE);
	assert_int_equal(uart_clock(1000000, 0, 0, &hz), ERR_NOTSUP);
	assert_int_equal(uart_clock(UINT32_MAX, 0, 0, &hz), ERR_NOTSUP);
	assert_int_equal(mailbox_clock_max_hz(MAILBOX_CLOCK_ARM, &hz), 0);
	assert_int_equal(hz, 1200000000);
	assert_int_equal(mailbox_clock_max_hz(MAILBOX_CLOCK_CORE, &hz), ERR_NOTSUP);
	dead = true;
	assert_int_equal(uart_clock(0, 48000000, 48000000, &hz), ERR_TIMEDOUT);
	dead = false;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bcm2836),
		cmocka_unit_test(test_bcm2836_spurious),
		cmocka_unit_test(test_gicv2),
		cmocka_unit_test(test_pl011),
		cmocka_unit_test(test_gpio),
		cmocka_unit_test(test_mailbox),
		cmocka_unit_test(test_mailbox_clock),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
