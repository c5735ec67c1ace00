/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dashboard: what the screen shows.
 *
 *   dashboard on 250     page map, graphs and programs, four times a second
 *   dashboard off
 *
 * Owns: nothing. Does not: draw (dashboard.c).
 *
 * Invariants: none.
 * Yields: the command.
 * See: app/monitor/dashboard.h.
 */
#include <string.h>

#include "app/monitor/commands.h"
#include "app/monitor/dashboard.h"
#include "app/monitor/monitor_params.h"
#include "kern/console.h"

#define PERIOD_MS_MIN 50
#define PERIOD_MS_MAX 60000

static void
on(const struct monitor_call *call)
{
	int64_t period_ms = DASHBOARD_PERIOD_MS;
	int error;

	if (call->argc > 2 && !monitor_number(call, 2, PERIOD_MS_MIN, PERIOD_MS_MAX, &period_ms))
		return;
	error = dashboard_start((uint32_t)period_ms);
	if (error == ERR_NODEV)
		kprintf("dashboard: this board has no screen\n");
	else if (error == ERR_RANGE)
		kprintf("dashboard: the screen is too small; %d by %d pixels at least\n",
		    DASHBOARD_WIDTH_MIN, DASHBOARD_HEIGHT_MIN);
	else if (error != 0)
		kprintf("dashboard: %s\n", err_string(error));
}

void
cmd_dashboard(const struct monitor_call *call)
{
	const char *word = call->argc > 1 ? call->argv[1] : "";
	unsigned long us = (unsigned long)monitor_params.dashboard_us;

	if (strcmp(word, "on") == 0)
		on(call);
	else if (strcmp(word, "off") == 0)
		dashboard_stop();
	else if (call->argc > 1)
		monitor_expected(call, "expected on or off, got '%.40s'", word);
	else if (dashboard_period_ms() == 0)
		kprintf("dashboard is off\n");
	else
		kprintf("dashboard is on, a picture every %u ms; drawing takes %lu.%02lu %% of the"
			" core\n", dashboard_period_ms(), us / 10000, us / 100 % 100);
}
