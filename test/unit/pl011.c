/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/pl011.c against a simulated PL011 as QEMU has it: a receive FIFO of 16 bytes that a
 * sender with flow control keeps filled, and a receive interrupt raised by the first byte of
 * an empty FIFO, by no other; the transmit interrupt when the FIFO has drained.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/drivers_params.h"
#include "drivers/pl011.h"
#include "kern/console.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mmio.h"

#define UART 0x3f201000u
#define LINE 57
#define FIFO 16u

enum { TX = 1u << 5, RX = 1u << 4 };

static struct {
	struct sim_mmio window;
	uint32_t ibrd, fbrd, lcrh, cr, imsc, level;
	uint32_t rx_fifo[FIFO];
	uint32_t rx_used;
	const char *typed;    /* what the sender still has */
	uint32_t typed_flags; /* errors that come with the next byte */
	char sent[256];
	uint32_t sent_count, tx_used;
} uart;

static void
set_level(uint32_t set)
{
	uart.level |= set;
	if (uart.level & uart.imsc)
		sim_irq_raise(LINE);
}

/* The sender fills the FIFO as far as it goes. */
static void
sender(void)
{
	while (uart.typed != NULL && *uart.typed != '\0' && uart.rx_used < FIFO) {
		uart.rx_fifo[uart.rx_used++] = (uint8_t)*uart.typed++ | uart.typed_flags;
		uart.typed_flags = 0;
		if (uart.rx_used == 1)
			set_level(RX);
	}
}

static uint32_t
take(void)
{
	uint32_t data = uart.rx_fifo[0];

	assert_true(uart.rx_used > 0);
	uart.rx_used--;
	memmove(uart.rx_fifo, uart.rx_fifo + 1, uart.rx_used * sizeof(uart.rx_fifo[0]));
	if (uart.rx_used == 0)
		uart.level &= ~(uint32_t)RX;
	sender();
	return (data);
}

static uint32_t
uart_read(void *device, uint32_t offset)
{
	(void)device;
	switch (offset) {
	case 0x00:
		return (take());
	case 0x18:
		return ((uint32_t)(uart.rx_used == 0) << 4 | (uint32_t)(uart.tx_used == FIFO) << 5);
	case 0x24:
		return (uart.ibrd);
	case 0x40:
		return (uart.level & uart.imsc);
	default:
		return (0);
	}
}

static void
send(uint32_t value)
{
	assert_true(uart.tx_used < FIFO && (uart.cr & 0x101) == 0x101);
	uart.sent[uart.sent_count++ % sizeof(uart.sent)] = (char)value;
	uart.tx_used += uart.imsc != 0; /* polled bytes leave at once */
}

static void
uart_write(void *device, uint32_t offset, uint32_t value)
{
	(void)device;
	switch (offset) {
	case 0x00:
		send(value);
		break;
	case 0x24:
		uart.ibrd = value;
		break;
	case 0x28:
		uart.fbrd = value;
		break;
	case 0x2c:
		uart.lcrh = value;
		break;
	case 0x30:
		uart.cr = value;
		break;
	case 0x38:
		uart.imsc = value;
		set_level(0);
		break;
	case 0x44:
		uart.level &= ~value;
		break;
	default:
		break;
	}
}

static void
tx_drained(void)
{
	uart.tx_used = 0;
	set_level(TX);
}

static void
type(const char *text)
{
	uart.typed = text;
	sender();
}

/* Everything that is typed at once arrives, however it falls on the interrupts' limit. */
static void
check_typed_at_once(void)
{
	static char text[256];

	for (uint32_t count = 1; count < 250; count++) {
		for (uint32_t i = 0; i < count; i++)
			text[i] = (char)('a' + i % 26);
		text[count] = '\0';
		type(text);
		for (uint32_t i = 0; i < count; i++)
			assert_int_equal(console_getc(10000), text[i]);
		assert_int_equal(console_getc(10000), ERR_TIMEDOUT);
	}
	assert_int_equal(uart.rx_used, 0);
}

static void
check_errors(void)
{
	uart.typed_flags = 0x800;
	type("ab");
	assert_int_equal(console_getc(1000), 'a');
	assert_int_equal(console_getc(1000), 'b');
	assert_int_equal(drivers_params.uart_overruns, 1);
	uart.typed_flags = 0x100;
	type("cd");
	assert_int_equal(console_getc(1000), 'd');
	assert_int_equal(drivers_params.uart_rx_errors, 1);
}

static void
check_sending(void)
{
	static const char text[] = "forty characters, more than two FIFOs...";

	uart.sent_count = 0;
	console_raw(text, 40);
	assert_int_equal(uart.sent_count, 16);
	assert_true(uart.imsc & TX);
	tx_drained();
	assert_int_equal(uart.sent_count, 32);
	tx_drained();
	assert_int_equal(uart.sent_count, 40);
	assert_memory_equal(uart.sent, text, 40);
	tx_drained();
	assert_false(uart.imsc & TX); /* U2 */
}

static void
uart_body(void *arg)
{
	(void)arg;
	sim_mmio_reset();
	memset(&uart, 0, sizeof(uart));
	memset(&drivers_params, 0, sizeof(drivers_params));
	uart.window = (struct sim_mmio){
		.base = UART, .bytes = 0x100, .read = uart_read, .write = uart_write
	};
	sim_mmio_add(&uart.window);

	pl011_attach(UART, 48000000);
	assert_int_equal(uart.ibrd, 26); /* 48 MHz / (16 * 115,200) = 26 + 3/64 */
	assert_int_equal(uart.fbrd, 3);
	assert_int_equal(uart.lcrh, 0x70);
	assert_int_equal(uart.imsc, 0);
	kprintf("hi\n");
	assert_memory_equal(uart.sent, "hi\r\n", 4);
	sim_mmio_elsewhere();
	assert_int_equal(pl011_attach_irq(LINE), 0);
	sim_mmio_elsewhere();
	console_start();
	check_sending();
	check_typed_at_once();
	check_errors();
	SIM_EXPECT_ASSERT("U1", pl011_attach(UART, 0));
}

SIM_TEST(uart)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uart),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
