/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The mini-UART (UART1) of BCM2835-2837 as the console.
 *
 * A cut-down 16550: FIFOs of 8 bytes, no parity, no framing errors, and a baud rate that is
 * made from the VideoCore's core clock and moves with it:
 *
 *   baud = core clock / (8 * (AUX_MU_BAUD + 1))
 *
 * Its interrupts are levels: receive while there is a byte, transmit while the FIFO is
 * empty. Transmit is therefore unmasked only while the console has bytes.
 *
 * The manual is wrong about some registers. LCR needs both low bits for 8 data bits; in IER
 * bit 0 is receive and bit 1 transmit, and bits 3:2 must be set for receive interrupts to
 * come at all.
 *
 * Owns: the AUX block's mini-UART registers after attach.
 * Does not: keep bytes (kern/console.c); touch the two SPI masters of the same block, apart
 *   from leaving their enable bits as they are.
 * Invariants:
 *   V1 attached once, and before any other call;
 *   V2 the transmit interrupt is unmasked only while console_tx_next may have bytes.
 * Yields: never.
 * See: BCM2835 ARM Peripherals, chapter 2.1 and 2.2, with the corrections of the community's
 *   errata list (elinux.org, "BCM2835 datasheet errata", pages 12 and 14).
 */
#include "drivers/mini_uart.h"

#include "drivers/drivers_params.h"
#include "kern/console.h"
#include "kern/irq.h"
#include "kern/mmio.h"
#include "lib/assert.h"

enum aux_register {
	AUX_IRQ = 0x00,
	AUX_ENABLES = 0x04,
	MU_IO = 0x40,
	MU_IER = 0x44,
	MU_IIR = 0x48,
	MU_LCR = 0x4c,
	MU_MCR = 0x50,
	MU_LSR = 0x54,
	MU_CNTL = 0x60,
	MU_BAUD = 0x68,
};

#define AUX_MINI_UART  (1u << 0) /* in AUX_IRQ and AUX_ENABLES */
#define IER_RX         (1u << 0)
#define IER_TX         (1u << 1)
#define IER_NEEDED     (3u << 2)
#define IIR_CLEAR_FIFOS 0xc6u    /* both, and FIFOs on */
#define LCR_8BIT       3u
#define LSR_RX_READY   (1u << 0)
#define LSR_RX_OVERRUN (1u << 1) /* cleared by reading */
#define LSR_TX_ROOM    (1u << 5)
#define LSR_TX_IDLE    (1u << 6)
#define CNTL_RX_TX     3u

#define BAUD           115200u
#define BAUD_CLOCKS    8u
#define DIVISOR_MAX    0xffffu
#define CORE_HZ_USUAL  250000000u
/* Eight bytes at 9,600 baud last 9 ms; a register read takes some 50 ns at least. */
#define POLL_READS_MAX 200000u
/* Bytes one interrupt takes at most, so that a flood cannot hold the core. */
#define RX_BYTES_MAX   64

static uintptr_t aux_base;

static uint32_t
reg_read(enum aux_register reg)
{
	return (mmio_read32(aux_base + reg));
}

static void
reg_write(enum aux_register reg, uint32_t value)
{
	mmio_write32(aux_base + reg, value);
}

/* Bounded: a dead UART must not stop the machine. */
static void
wait_set(uint32_t flag)
{
	for (uint32_t n = 0; n < POLL_READS_MAX && !(reg_read(MU_LSR) & flag); n++)
		;
}

static void
mini_uart_put_poll(char c)
{
	mmio_barrier();
	wait_set(LSR_TX_ROOM);
	reg_write(MU_IO, (uint8_t)c);
}

/* Fill the FIFO from the console; the interrupt asks for more. */
static void
mini_uart_tx_start(void)
{
	int c = 0;

	mmio_barrier();
	while ((reg_read(MU_LSR) & LSR_TX_ROOM) && (c = console_tx_next()) >= 0)
		reg_write(MU_IO, (uint32_t)c);
	reg_write(MU_IER, IER_NEEDED | IER_RX | (c >= 0 ? IER_TX : 0)); /* V2 */
}

static void
rx_drain(void)
{
	for (uint32_t n = 0; n < RX_BYTES_MAX; n++) {
		uint32_t status = reg_read(MU_LSR);

		if (status & LSR_RX_OVERRUN)
			drivers_params.uart_overruns++;
		if (!(status & LSR_RX_READY))
			return;
		console_rx((char)reg_read(MU_IO));
	}
}

/* The line is shared with the block's two SPI masters. */
static void
mini_uart_interrupt(void *arg)
{
	(void)arg;
	if (!(reg_read(AUX_IRQ) & AUX_MINI_UART))
		return;
	rx_drain();
	if (reg_read(MU_IER) & IER_TX)
		mini_uart_tx_start();
}

/* AUX_MU_BAUD for this clock, rounded. */
static uint32_t
divisor(uint32_t core_hz)
{
	uint32_t clocks = (uint32_t)((core_hz + BAUD_CLOCKS * BAUD / 2ull) / (BAUD_CLOCKS * BAUD));

	if (clocks == 0)
		clocks = 1;
	return (clocks - 1 < DIVISOR_MAX ? clocks - 1 : DIVISOR_MAX);
}

static void
set_divisor(uint32_t core_hz)
{
	if (core_hz == 0 && reg_read(MU_BAUD) != 0)
		return;
	reg_write(MU_BAUD, divisor(core_hz != 0 ? core_hz : CORE_HZ_USUAL));
}

static const struct console_dev mini_uart_console = {
	.name = "mini-UART",
	.tx_start = mini_uart_tx_start,
	.put_poll = mini_uart_put_poll,
};

void
mini_uart_attach(uintptr_t base, uint32_t core_hz)
{
	KASSERT(aux_base == 0, "V1: the UART is attached once");
	aux_base = base;
	mmio_barrier();
	reg_write(AUX_ENABLES, reg_read(AUX_ENABLES) | AUX_MINI_UART);
	reg_write(MU_IER, 0);
	wait_set(LSR_TX_IDLE); /* the firmware's own last words */
	reg_write(MU_CNTL, 0);
	reg_write(MU_LCR, LCR_8BIT);
	reg_write(MU_MCR, 0);
	reg_write(MU_IIR, IIR_CLEAR_FIFOS);
	set_divisor(core_hz);
	reg_write(MU_CNTL, CNTL_RX_TX);
	console_attach(&mini_uart_console);
}

void
mini_uart_set_clock(uint32_t core_hz)
{
	uint64_t saved;

	if (aux_base == 0 || core_hz == 0)
		return;
	mmio_barrier();
	if (reg_read(MU_BAUD) == divisor(core_hz))
		return;
	saved = intr_disable();
	wait_set(LSR_TX_IDLE);
	set_divisor(core_hz);
	intr_restore(saved);
}

int
mini_uart_attach_irq(uint32_t irq)
{
	int error;

	KASSERT(aux_base != 0, "V1: the UART is attached first");
	error = irq_register(irq, mini_uart_interrupt, 0, "mini-UART");
	mmio_barrier();
	if (error == 0)
		reg_write(MU_IER, IER_NEEDED | IER_RX);
	return (error);
}
