/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ARM PrimeCell UART PL011 as the console.
 *
 * Sending has two ways: by polling, which works always, and by interrupt, where
 * the console's ring is emptied into the FIFO as it drains. The transmit interrupt
 * is unmasked only while the console has bytes, because it would otherwise fire
 * once for nothing after each burst.
 *
 * Owns: the UART's registers after attach.
 * Does not: keep bytes; rings, lines and waiting are kern/console.c's.
 * Invariants:
 *   U1 attached once, and before any other call;
 *   U2 the transmit interrupt is unmasked only while console_tx_next may have
 *      bytes;
 *   U3 bytes that an interrupt leaves in the receive FIFO are taken by a callout:
 *      no interrupt need come for them, as it may be raised by the first byte of
 *      an empty FIFO alone (QEMU), and by the time-out only on hardware.
 * Yields: never.
 * See: ARM DDI 0183G (PL011 technical reference manual), chapter 3.
 */
#include "drivers/pl011.h"

#include "drivers/drivers_params.h"
#include "kern/console.h"
#include "kern/irq.h"
#include "kern/mmio.h"
#include "kern/timer.h"
#include "lib/assert.h"

enum pl011_register {
	DR = 0x00,
	FR = 0x18,
	IBRD = 0x24,
	FBRD = 0x28,
	LCRH = 0x2c,
	CR = 0x30,
	IFLS = 0x34,
	IMSC = 0x38,
	MIS = 0x40,
	ICR = 0x44,
};

#define DR_ERROR_MASK 0x700u /* framing, parity, break: the byte is worthless */
#define DR_OVERRUN    0x800u /* bytes before this one were lost */
#define FR_BUSY       (1u << 3)
#define FR_RXFE       (1u << 4)
#define FR_TXFF       (1u << 5)
#define LCRH_8N1_FIFO 0x70u  /* 8 bits, FIFOs on */
#define CR_ENABLE     0x301u /* UART, transmitter, receiver */
#define IFLS_EARLY_RX 0x00u  /* transmit at 1/8 full, receive at 1/8 full */
#define INT_RX        (1u << 4)
#define INT_TX        (1u << 5)
#define INT_RX_TIMEOUT (1u << 6)
#define INT_ALL       0x7ffu

#define BAUD 115200u
/* The FIFO holds 16 bytes: 16 * 10 bits at 9,600 baud last 17 ms; a register read
 * takes some 100 ns at least. */
#define POLL_READS_MAX 1000000u
/* Bytes one interrupt takes at most, so that a flood cannot hold the core. */
#define RX_BYTES_MAX 64
/* When to take the rest: the FIFO's 16 bytes last 1.4 ms at 115,200 baud. */
#define RX_REST_US   500

static uintptr_t uart_base;
static struct callout rx_rest; /* U3 */

static uint32_t
reg_read(enum pl011_register reg)
{
	return (mmio_read32(uart_base + reg));
}

static void
reg_write(enum pl011_register reg, uint32_t value)
{
	mmio_write32(uart_base + reg, value);
}

/* Bounded: a dead UART must not stop the machine, so the byte is then dropped. */
static void
wait_clear(uint32_t flag)
{
	for (uint32_t n = 0; n < POLL_READS_MAX && reg_read(FR) & flag; n++)
		;
}

static void
pl011_put_poll(char c)
{
	mmio_barrier();
	wait_clear(FR_TXFF);
	reg_write(DR, (uint8_t)c);
}

/* Fill the FIFO from the console; the interrupt asks for more. */
static void
pl011_tx_start(void)
{
	int c = 0;

	mmio_barrier();
	while (!(reg_read(FR) & FR_TXFF) && (c = console_tx_next()) >= 0)
		reg_write(DR, (uint32_t)c);
	reg_write(IMSC, INT_RX | INT_RX_TIMEOUT | (c >= 0 ? INT_TX : 0));
}

static void
rx_byte(void)
{
	uint32_t data = reg_read(DR);

	if (data & DR_OVERRUN)
		drivers_params.uart_overruns++;
	if (data & DR_ERROR_MASK)
		drivers_params.uart_rx_errors++;
	else
		console_rx((char)data);
}

static void
rx_drain(void *arg)
{
	uint32_t n = 0;

	(void)arg;
	mmio_barrier();
	while (n < RX_BYTES_MAX && !(reg_read(FR) & FR_RXFE)) {
		rx_byte();
		n++;
	}
	if (n == RX_BYTES_MAX)
		callout_reset(&rx_rest, RX_REST_US, rx_drain, NULL); /* U3 */
}

static void
pl011_interrupt(void *arg)
{
	uint32_t status = reg_read(MIS);

	(void)arg;
	reg_write(ICR, status);
	if (status & (INT_RX | INT_RX_TIMEOUT))
		rx_drain(NULL);
	if (status & INT_TX)
		pl011_tx_start();
}

/* Divisor in 1/64: clock / (16 * baud), rounded. */
static void
set_divisor(uint32_t clock_hz)
{
	uint32_t divisor;

	if (clock_hz == 0 && reg_read(IBRD) != 0)
		return;
	if (clock_hz == 0)
		clock_hz = PL011_CLOCK_HZ_USUAL;
	divisor = (uint32_t)((clock_hz * 4ull + BAUD / 2) / BAUD);
	reg_write(IBRD, divisor >> 6);
	reg_write(FBRD, divisor & 0x3f);
}

/* The divisor takes effect with the write of LCRH, the UART being off. */
static void
program_line(uint32_t clock_hz)
{
	wait_clear(FR_BUSY);
	reg_write(CR, 0);
	reg_write(LCRH, 0); /* empties the FIFOs */
	set_divisor(clock_hz);
	reg_write(LCRH, LCRH_8N1_FIFO);
	reg_write(CR, CR_ENABLE);
}

static const struct console_dev pl011_console = {
	.name = "pl011",
	.tx_start = pl011_tx_start,
	.put_poll = pl011_put_poll,
};

void
pl011_attach(uintptr_t base, uint32_t clock_hz)
{
	KASSERT(uart_base == 0, "U1: the UART is attached once");
	uart_base = base;
	mmio_barrier();
	reg_write(IMSC, 0);
	program_line(clock_hz);
	reg_write(ICR, INT_ALL);
	console_attach(&pl011_console);
}

void
pl011_set_clock(uint32_t clock_hz)
{
	KASSERT(uart_base != 0, "U1: the UART is attached first");
	mmio_barrier();
	program_line(clock_hz);
}

int
pl011_attach_irq(uint32_t irq)
{
	int error;

	KASSERT(uart_base != 0, "U1: the UART is attached first");
	error = irq_register(irq, pl011_interrupt, 0, "pl011");
	if (error != 0)
		return (error);
	mmio_barrier();
	reg_write(IFLS, IFLS_EARLY_RX);
	reg_write(IMSC, INT_RX | INT_RX_TIMEOUT);
	return (0);
}
