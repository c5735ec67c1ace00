/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream: statistics for machines, on the console, between what people read.
 *
 *   stream on 100 2000   ten samples a second, page map and programs every two seconds
 *   stream off
 *
 * Owns: nothing. Does not: send (stream.c).
 *
 * Invariants: none.
 * Yields: the command.
 * See: app/monitor/stream.h, docs/SPEC.md; tools/watch reads it.
 */
#include <string.h>

#include "app/monitor/commands.h"
#include "app/monitor/stream.h"
#include "kern/console.h"

static void
on(const struct monitor_call *call)
{
	int64_t period_ms = 1000, map_ms = STREAM_MAP_MS_DEFAULT;
	int error;

	if (call->argc > 2 && !monitor_number(call, 2, STREAM_PERIOD_MS_MIN,
	    STREAM_PERIOD_MS_MAX, &period_ms))
		return;
	if (call->argc > 3 && !monitor_number(call, 3, 0, STREAM_PERIOD_MS_MAX, &map_ms))
		return;
	error = stream_start((uint32_t)period_ms, (uint32_t)map_ms);
	if (error != 0)
		kprintf("stream: %s\n", err_string(error));
}

void
cmd_stream(const struct monitor_call *call)
{
	const char *word = call->argc > 1 ? call->argv[1] : "";

	if (strcmp(word, "on") == 0)
		on(call);
	else if (strcmp(word, "off") == 0)
		stream_stop();
	else if (call->argc > 1)
		monitor_expected(call, "expected on or off, got '%.40s'", word);
	else if (stream_period_ms() == 0)
		kprintf("stream is off\n");
	else
		kprintf("stream is on, a sample every %u ms, %llu lines sent\n",
		    stream_period_ms(), (unsigned long long)stream_lines_sent());
}
