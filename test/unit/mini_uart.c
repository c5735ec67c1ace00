/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/mini_uart.c against a simulated AUX block: FIFOs of eight bytes, interrupts that
 * are levels, the register bits as hardware has them (not as the manual prints them), and
 * two SPI masters on the same line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/drivers_params.h"
#include "drivers/mini_uart.h"
#include "kern/console.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mmio.h"

#define AUX      0x3f215000u
#define AUX_LINE 29
#define FIFO     8u

static struct {
	struct sim_mmio window;
	uint32_t enables, ier, lcr, cntl, baud;
	uint32_t fifo_used;     /* bytes to send that are in the FIFO */
	char sent[256];
	uint32_t sent_count;
	char input[16];
	uint32_t input_count, input_next;
	bool overrun, spi_interrupts;
	bool drains;            /* a byte leaves each time somebody looks */
	uint32_t baud_set_while_sending;
} aux;

static bool
interrupts(void)
{
	/* Bits 3:2 have to be set for a receive interrupt. */
	bool receive = (aux.ier & 0xd) == 0xd && aux.input_next < aux.input_count;
	bool transmit = (aux.ier & 2) && aux.fifo_used == 0;

	return ((aux.enables & 1) && (receive || transmit));
}

static uint32_t
aux_read(void *device, uint32_t offset)
{
	uint32_t lsr;

	(void)device;
	switch (offset) {
	case 0x00: return (interrupts() | (aux.spi_interrupts ? 2 : 0));
	case 0x04: return (aux.enables);
	case 0x40: return ((uint8_t)aux.input[aux.input_next++]);
	case 0x44: return (aux.ier);
	case 0x54:
		lsr = (aux.input_next < aux.input_count) | (uint32_t)aux.overrun << 1 |
		    (uint32_t)(aux.fifo_used < FIFO) << 5 | (uint32_t)(aux.fifo_used == 0) << 6;
		aux.overrun = false;
		if (aux.fifo_used > 0 && aux.drains)
			aux.fifo_used--;
		return (lsr);
	case 0x68: return (aux.baud);
	default: return (0);
	}
}

static void
aux_write(void *device, uint32_t offset, uint32_t value)
{
	(void)device;
	assert_true(offset == 0x04 || (aux.enables & 1)); /* no access before that */
	switch (offset) {
	case 0x04: aux.enables = value; break;
	case 0x40:
		assert_true(aux.fifo_used < FIFO && (aux.cntl & 3) == 3);
		aux.fifo_used++;
		aux.sent[aux.sent_count++ % sizeof(aux.sent)] = (char)value;
		break;
	case 0x44: aux.ier = value; break;
	case 0x4c: aux.lcr = value; break;
	case 0x60: aux.cntl = value; break;
	case 0x68:
		aux.baud = value;
		aux.baud_set_while_sending += aux.fifo_used > 0;
		break;
	default: break;
	}
}

static void
type(const char *text)
{
	aux.input_next = 0;
	aux.input_count = (uint32_t)strlen(text);
	memcpy(aux.input, text, aux.input_count);
	sim_irq_raise(AUX_LINE);
}

static void
check_divisors(void)
{
	static const struct {
		uint32_t core_hz, baud;
	} cases[] = {
		{ 400000000, 433 }, { 300000000, 325 }, { 250000000, 270 }, { 700000000, 759 },
		{ 1, 0 }, { UINT32_MAX, 4659 },
	};

	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sim_mmio_elsewhere();
		mini_uart_set_clock(cases[i].core_hz);
		assert_int_equal(aux.baud, cases[i].baud);
	}
	/* Unknown: as it was. And never in the middle of a byte. */
	mini_uart_set_clock(0);
	assert_int_equal(aux.baud, 4659);
	mini_uart_set_clock(250000000);
	aux.fifo_used = FIFO;
	mini_uart_set_clock(400000000);
	assert_int_equal(aux.baud, 433);
	assert_int_equal(aux.baud_set_while_sending, 0);
}

static void
check_interrupts(void)
{
	static const char text[] = "twenty-five characters...";

	sim_mmio_elsewhere();
	assert_int_equal(mini_uart_attach_irq(AUX_LINE), 0);
	sim_mmio_elsewhere();
	console_start();
	aux.sent_count = aux.fifo_used = 0;
	aux.drains = false;
	console_raw(text, 25);
	assert_int_equal(aux.sent_count, 8);
	assert_int_equal(aux.ier & 3, 3);
	for (uint32_t sent = 16; sent <= 24; sent += 8) {
		aux.fifo_used = 0;
		sim_irq_raise(AUX_LINE);
		assert_int_equal(aux.sent_count, sent);
	}
	aux.fifo_used = 0;
	sim_irq_raise(AUX_LINE);
	assert_int_equal(aux.sent_count, 25);
	assert_memory_equal(aux.sent, text, 25);
	aux.fifo_used = 0;
	assert_int_equal(aux.ier & 3, 1);
	assert_false(interrupts()); /* the level is gone */
}

static void
check_input(void)
{
	type("ab");
	assert_int_equal(console_getc(1000), 'a');
	assert_int_equal(console_getc(1000), 'b');
	assert_int_equal(console_getc(1000), ERR_TIMEDOUT);
	assert_false(interrupts());
	aux.overrun = true;
	type("c");
	assert_int_equal(console_getc(1000), 'c');
	assert_int_equal(drivers_params.uart_overruns, 1);
	/* One of the SPI masters, which nobody uses: nothing is taken from the UART. */
	aux.ier = 0;
	aux.spi_interrupts = true;
	type("d");
	assert_int_equal(aux.input_next, 0);
}

static void
uart_body(void *arg)
{
	(void)arg;
	sim_mmio_reset();
	memset(&aux, 0, sizeof(aux));
	memset(&drivers_params, 0, sizeof(drivers_params));
	aux.window = (struct sim_mmio){ .base = AUX, .bytes = 0x100, .read = aux_read,
		.write = aux_write };
	sim_mmio_add(&aux.window);
	aux.enables = 6; /* both SPI masters */
	aux.baud = 433;
	aux.drains = true;
	mini_uart_set_clock(250000000);
	assert_int_equal(aux.baud, 433); /* not attached: nothing */

	/* An unknown clock leaves what the firmware set. */
	mini_uart_attach(AUX, 0);
	sim_mmio_elsewhere();
	assert_int_equal(aux.baud, 433);
	assert_int_equal(aux.enables, 7);
	assert_int_equal(aux.lcr, 3);
	assert_int_equal(aux.ier, 0);
	kprintf("hi\n");
	assert_memory_equal(aux.sent, "hi\r\n", 4);
	check_divisors();
	check_interrupts();
	check_input();
	SIM_EXPECT_ASSERT("V1", mini_uart_attach(AUX, 0));
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
