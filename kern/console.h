/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console: many writers, whole lines.
 *
 * Every line reaches the UART in one piece: a writer collects its line in a
 * struct console_writer and hands it over at the newline; a line longer than the
 * buffer is broken there. Nothing that the kernel prints is ever lost: a full transmit ring makes
 * a task wait and makes interrupt context poll.
 */
#ifndef KERN_CONSOLE_H
#define KERN_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

/* CONTRACT with drivers: a serial port. Called with interrupts masked. */
struct console_dev {
	const char *name;
	void (*tx_start)(void);      /* pull bytes with console_tx_next until full; enable TX irq */
	void (*put_poll)(char c);    /* wait for room, write one byte (boot, panic) */
};

/* Boot: from now on output goes to dev by polling, after console_start by interrupts. */
void console_attach(const struct console_dev *dev);
void console_start(void);

/* Boot, before a console is attached: what a panic calls to get one, so that its text is
 * seen; fn attaches one and does not fail. */
void console_set_fallback(void (*fn)(void));

/* From the driver, interrupt context: the next byte to send, or -1 when none is
 * left; a received byte. */
int console_tx_next(void);
void console_rx(char c);

#define CONSOLE_LINE_BYTES 512

/* One writer's unfinished line. */
struct console_writer {
	char line[CONSOLE_LINE_BYTES];
	uint32_t used_bytes;
};

/* Append bytes to w's line; each completed line goes out whole. '\n' becomes
 * "\r\n"; a line of CONSOLE_LINE_BYTES or more is broken by a newline. May yield
 * when the ring is full (task context). */
void console_write(struct console_writer *w, const char *bytes, size_t count);
/* Send an unfinished line, ended by a newline if it is not empty. May yield. */
void console_flush(struct console_writer *w);

/* One or more whole lines, at most CONSOLE_PIECE_BYTES in all, ending in '\n': nobody's
 * lines come between. May yield when the ring is full (task context). */
#define CONSOLE_PIECE_BYTES 1024
void console_write_piece(const char *bytes, size_t count);

/* Format one message (at most CONSOLE_LINE_BYTES - 1 bytes; should end in '\n';
 * several lines stay together). A task with interrupts masked polls.
 * Any context; in task context may yield when the ring is full. */
void kprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * The line being edited at the prompt. While set, every other line is written
 * above it: the console clears the edited line, writes, and repaints
 * prompt + text, the cursor at text[cursor]. NULL = none. text stays valid while
 * set. Paints nothing itself: the editor does, with console_raw.
 */
void console_set_edit(const char *prompt, const char *text, uint32_t cursor);
/* Bytes as they are, no line handling (echo of the line editor). May yield. */
void console_raw(const char *bytes, size_t count);

/* What the calling task prints goes to fn from now on (console_raw does not), pieces of whole
 * lines; NULL: to the console again. One task at a time; what is printed within fn is not
 * diverted. fn may yield. */
void console_divert(void (*fn)(const char *bytes, size_t count));

/* Wait for a received byte at most timeout_us (0 = for ever); the byte, or
 * ERR_TIMEDOUT, also when wakeup_task ended the wait (kill). May yield. */
int console_getc(uint64_t timeout_us);

/* Wait until everything has left the transmit ring (power-off). Polls. */
void console_drain(void);

/* For panic: push the ring out, then poll from now on; interrupts stay masked. */
void console_panic_mode(void);
/* One byte by polling, '\n' as "\r\n". */
void console_put_poll(char c);

#endif
