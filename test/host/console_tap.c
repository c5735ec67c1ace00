/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A console device that remembers: tests look at the messages in it.
 *
 * Owns: the last 64 KiB of output.
 * Does not: interrupts (output comes by polling, as at boot).
 *
 * Invariants: none.
 * Yields: never.
 * See: kern/console.h.
 */
#include "test/host/console_tap.h"

#include <stddef.h>

#include "kern/console.h"

#define TAP_BYTES 65536

static char tap[TAP_BYTES];
static size_t used;

static void
tap_put(char c)
{
	if (c == '\r' || used + 1 >= sizeof(tap))
		return;
	tap[used++] = c;
	tap[used] = '\0';
}

static void
tap_start(void)
{
	int c;

	while ((c = console_tx_next()) >= 0)
		tap_put((char)c);
}

static const struct console_dev tap_dev = { .name = "tap", .tx_start = tap_start,
	.put_poll = tap_put };

void
console_tap_begin(void)
{
	used = 0;
	tap[0] = '\0';
	console_attach(&tap_dev);
}

const char *
console_tap_text(void)
{
	return (tap);
}
