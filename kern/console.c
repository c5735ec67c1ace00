/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many writers, one serial line, whole lines.
 *
 *   kprintf, console_writer --emit--> transmit ring --console_tx_next--> driver
 *   driver --console_rx--> receive ring --console_getc--> reader
 *
 * A line goes into the ring in one piece, under the lock, once the ring has room
 * for all of it; so no other writer can come between, and the ring empties in
 * order. A task waits for room. Interrupt context, a task with interrupts masked,
 * boot and panic cannot wait: they push the ring's oldest bytes out by polling.
 *
 * While a line is being edited at the prompt, a line from elsewhere is wrapped
 * into: erase the edited line, the line, the edited line again (ECMA-48: EL is
 * ESC [ K, cursor back ESC [ n D).
 *
 * Owns: both rings, what is attached, what is being edited.
 * Does not: edit lines (the monitor does), know a UART.
 * Invariants:
 *   N1 what one emit puts into the ring lies there without gaps;
 *   N2 bytes leave in the order of the ring, by interrupt or by polling;
 *   N3 nothing is dropped after console_attach (before it, the oldest bytes are
 *      when the ring is full); received bytes are dropped and counted when full;
 *   N4 one piece fits the ring;
 *   N5 a console is attached before it is started.
 * Yields: console_write, console_flush, console_raw, kprintf (when the ring is full),
 *   console_getc.
 * See: kern/console.h.
 */
#include "kern/console.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kern/irq.h"
#include "kern/kern_params.h"
#include "kern/sched.h"
#include "lib/assert.h"
#include "lib/ring.h"

#define TX_RING_BYTES 4096u
#define RX_RING_BYTES 256u
#define RAW_PIECE_BYTES 256u
#define ERASE_LINE    "\r\033[K"
#define EDIT_BYTES_MAX 1024u /* of prompt and text, repainted behind a line */

static uint8_t tx_bytes[TX_RING_BYTES];
static struct ring tx = RING_INITIALIZER(tx_bytes);
static struct irq_lock tx_lock;
static bool tx_waited; /* a task sleeps on &tx */

static uint8_t rx_bytes[RX_RING_BYTES];
static struct ring rx = RING_INITIALIZER(rx_bytes);
static struct irq_lock rx_lock;

static const struct console_dev *dev;
static void (*fallback)(void); /* attaches a console */
static bool started; /* transmit interrupts work */
static bool panicked;

static void (*divert)(const char *bytes, size_t count); /* NULL: nobody's output */
static struct task *divert_task; /* whose */

static const char *edit_prompt; /* NULL: nothing is being edited */
static const char *edit_text;
static uint32_t edit_cursor;

/* ---- out of the ring */

/* Push bytes out by polling until there is room. */
static void
poll_out(uint32_t room_bytes)
{
	while (ring_room(&tx) < room_bytes) {
		int c = ring_get(&tx);

		if (dev != NULL)
			dev->put_poll((char)c);
	}
}

int
console_tx_next(void)
{
	bool wake;
	int c;

	irq_lock_acquire(&tx_lock);
	c = ring_get(&tx);
	/* Not at every byte: a waiter needs room for a whole line. */
	wake = tx_waited && ring_used(&tx) <= TX_RING_BYTES / 2;
	if (wake)
		tx_waited = false;
	irq_lock_release(&tx_lock);
	if (wake)
		wakeup(&tx);
	return (c);
}

/* New bytes are in the ring: see that they leave. */
static void
kick(void)
{
	uint64_t saved = intr_disable();

	if (!started)
		poll_out(dev != NULL ? TX_RING_BYTES : 0);
	else
		dev->tx_start();
	intr_restore(saved);
}

/* ---- into the ring */

static bool
may_wait(void)
{
	return (started && curtask() != NULL && intr_enabled());
}

/* What erasing and repainting an edited line adds to a piece, at most. */
static uint32_t
edit_bytes(void)
{
	return (edit_prompt == NULL ? 0 : sizeof(ERASE_LINE) + 2 + EDIT_BYTES_MAX + 16);
}

/* Take the lock with room in the ring for a piece of bytes and an edited line. */
static void
lock_with_room(uint32_t bytes)
{
	bool wait = may_wait();

	irq_lock_acquire(&tx_lock);
	KASSERT(bytes + edit_bytes() <= TX_RING_BYTES, "N4: one piece fits the ring");
	while (wait && ring_room(&tx) < bytes + edit_bytes()) {
		kern_params.console_waits++;
		tx_waited = true;
		msleep(&tx, &tx_lock, "ttyout", SLEEP_FOREVER);
	}
	if (ring_room(&tx) < bytes + edit_bytes()) {
		kern_params.console_polls++;
		poll_out(bytes + edit_bytes());
	}
}

static void
put(const char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		ring_put(&tx, (uint8_t)bytes[i]);
}

static void
put_text(const char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (bytes[i] == '\n')
			ring_put(&tx, '\r');
		ring_put(&tx, (uint8_t)bytes[i]);
	}
}

/* The edited line again, below what has just been written. */
static void
put_edit(void)
{
	size_t prompt_bytes = strnlen(edit_prompt, EDIT_BYTES_MAX / 2);
	size_t text_bytes = strnlen(edit_text, EDIT_BYTES_MAX / 2);
	char back[16];

	put(edit_prompt, prompt_bytes);
	put(edit_text, text_bytes);
	if (edit_cursor >= text_bytes)
		return;
	snprintf(back, sizeof(back), "\033[%uD", (unsigned)(text_bytes - edit_cursor));
	put(back, strlen(back));
}

/* Ring bytes that count bytes of text take. */
static uint32_t
piece_bytes(const char *bytes, size_t count)
{
	uint32_t total = (uint32_t)count;

	for (size_t i = 0; i < count; i++)
		total += bytes[i] == '\n';
	return (total);
}

/* After output from a task: host tests yield wherever a full ring could. */
static void
yield_in_tests(void)
{
	if (__builtin_expect(sched_choose != NULL, 0) && may_wait())
		sched_yield();
}

/* Polled output of a panic: the ring is empty and stays so. */
static void
put_panic(const char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		console_put_poll(bytes[i]);
}

/* Has it gone elsewhere (console_divert)? Not what an interrupt handler says meanwhile. */
static bool
emit_diverted(const char *bytes, size_t count)
{
	void (*fn)(const char *bytes, size_t count) = divert;

	if (fn == NULL || !intr_enabled() || curtask() != divert_task)
		return (false);
	divert = NULL;
	fn(bytes, count);
	divert = fn;
	return (true);
}

/* Write a piece of one or more lines without letting anyone between. */
static void
emit(const char *bytes, size_t count)
{
	if (count == 0)
		return;
	if (panicked) {
		put_panic(bytes, count);
		return;
	}
	if (emit_diverted(bytes, count))
		return;
	kern_params.console_lines++;
	lock_with_room(piece_bytes(bytes, count));
	if (edit_prompt == NULL) {
		put_text(bytes, count);
	} else {
		put(ERASE_LINE, sizeof(ERASE_LINE) - 1);
		put_text(bytes, count);
		if (bytes[count - 1] != '\n')
			put("\r\n", 2);
		put_edit();
	}
	irq_lock_release(&tx_lock);
	kick();
	yield_in_tests();
}

/* ---- writers */

static void
writer_send(struct console_writer *w)
{
	uint32_t used_bytes = w->used_bytes;

	w->used_bytes = 0;
	emit(w->line, used_bytes);
}

void
console_write(struct console_writer *w, const char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		/* A line that fills the buffer is broken; one place is left for '\n'. */
		if (w->used_bytes == CONSOLE_LINE_BYTES - 1 && bytes[i] != '\n') {
			w->line[w->used_bytes++] = '\n';
			writer_send(w);
		}
		w->line[w->used_bytes++] = bytes[i];
		if (bytes[i] == '\n')
			writer_send(w);
	}
}

void
console_flush(struct console_writer *w)
{
	if (w->used_bytes != 0)
		console_write(w, "\n", 1);
}

void
console_write_piece(const char *bytes, size_t count)
{
	KASSERT(count <= CONSOLE_PIECE_BYTES, "N4: one piece fits the ring");
	emit(bytes, count);
}

void
console_raw(const char *bytes, size_t count)
{
	while (count > 0) {
		size_t piece = count < RAW_PIECE_BYTES ? count : RAW_PIECE_BYTES;

		if (panicked) {
			put_panic(bytes, piece);
		} else {
			lock_with_room((uint32_t)piece);
			put(bytes, piece);
			irq_lock_release(&tx_lock);
			kick();
		}
		bytes += piece;
		count -= piece;
	}
	yield_in_tests();
}

void
kprintf(const char *fmt, ...)
{
	char text[CONSOLE_LINE_BYTES];
	va_list args;
	int length;

	va_start(args, fmt);
	length = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (length < 0)
		return;
	if ((size_t)length >= sizeof(text)) {
		length = sizeof(text) - 1;
		text[length - 1] = '\n';
	}
	emit(text, (size_t)length);
}

void
console_set_edit(const char *prompt, const char *text, uint32_t cursor)
{
	irq_lock_acquire(&tx_lock);
	edit_prompt = prompt;
	edit_text = text != NULL ? text : "";
	edit_cursor = cursor;
	irq_lock_release(&tx_lock);
}

void
console_divert(void (*fn)(const char *bytes, size_t count))
{
	divert_task = curtask();
	divert = fn;
}

/* ---- receiving */

void
console_rx(char c)
{
	bool stored;

	irq_lock_acquire(&rx_lock);
	stored = ring_put(&rx, (uint8_t)c);
	irq_lock_release(&rx_lock);
	if (!stored)
		kern_params.console_rx_dropped++;
	wakeup_one(&rx);
}

int
console_getc(uint64_t timeout_us)
{
	uint64_t end_us = timer_now_us() + timeout_us;
	int c;

	irq_lock_acquire(&rx_lock);
	while ((c = ring_get(&rx)) < 0) {
		uint64_t now_us = timer_now_us();
		uint64_t left_us = timeout_us == 0 ? SLEEP_FOREVER : end_us - now_us;

		c = ERR_TIMEDOUT;
		if (timeout_us != 0 && now_us >= end_us)
			break;
		/* Also for a sleep without limit: the reader may have been killed. */
		if (msleep(&rx, &rx_lock, "ttyin", left_us) != 0 && ring_used(&rx) == 0)
			break;
	}
	irq_lock_release(&rx_lock);
	return (c);
}

/* ---- boot, panic, power-off */

void
console_attach(const struct console_dev *d)
{
	dev = d;
	started = false;
	panicked = false;
	tx_waited = false;
	edit_prompt = NULL;
	divert = NULL;
	kick(); /* what was printed before */
}

void
console_set_fallback(void (*fn)(void))
{
	fallback = fn;
}

void
console_start(void)
{
	KASSERT(dev != NULL, "N5: a console is attached before it is started");
	started = true;
	kick();
}

void
console_drain(void)
{
	irq_lock_acquire(&tx_lock);
	poll_out(TX_RING_BYTES);
	irq_lock_release(&tx_lock);
}

void
console_panic_mode(void)
{
	(void)intr_disable();
	if (dev == NULL && fallback != NULL)
		fallback();
	panicked = true;
	started = false;
	edit_prompt = NULL;
	poll_out(TX_RING_BYTES);
}

void
console_put_poll(char c)
{
	if (dev == NULL)
		return;
	if (c == '\n')
		dev->put_poll('\r');
	dev->put_poll(c);
}
