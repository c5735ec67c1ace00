/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace, sync, reboot, poweroff.
 *
 * Owns: nothing. Does not: reset statistics.
 *
 * Invariants: none.
 * Yields: trace, sync; reboot and poweroff before they happen.
 * See: kern/trace.h, kern/machdep.h.
 */
#include <stddef.h>
#include <string.h>

#include "app/monitor/commands.h"
#include "app/monitor/monitor.h"
#include "kern/console.h"
#include "kern/machdep.h"
#include "kern/trace.h"
#include "kern/vnode.h"
#include "mm/vm_syncer.h"

#define TRACE_DEFAULT 20
#define TRACE_LINE_BYTES 160
#define STREAM_POLL_US 50000

static void
print_record(const struct trace_record *r)
{
	char line[TRACE_LINE_BYTES];

	trace_format(r, line, sizeof(line));
	kprintf("%s\n", line);
}

static void
trace_last(uint64_t count)
{
	struct trace_record r;
	uint64_t end = trace_count(), n = end > count ? end - count : 0;

	for (; n < end; n++) {
		if (trace_get(n, &r))
			print_record(&r);
	}
}

/* "trace former [COUNT]": how the boot before this one ended. */
static void
trace_former(uint64_t count)
{
	uint32_t end = trace_former_count();
	uint32_t i = count < end ? end - (uint32_t)count : 0;
	struct trace_record r;

	if (end + trace_former_damaged() == 0)
		kprintf("trace: nothing of a former boot is there\n");
	for (; trace_former_get(i, &r); i++)
		print_record(&r);
	if (trace_former_damaged() != 0)
		kprintf("trace: %u of the former boot's last records are not whole\n",
		    (unsigned)trace_former_damaged());
}

/* Print events as they come, until a key. */
static void
trace_follow(void)
{
	struct trace_record r;
	uint64_t n = trace_count(), lost = 0;

	do {
		uint64_t end = trace_count();

		/* Only what was there at the start of the turn: printing makes events too. */
		for (; n < end; n++) {
			if (trace_get(n, &r))
				print_record(&r);
			else
				lost++;
		}
	} while (!monitor_key_pressed(NULL, STREAM_POLL_US));
	if (lost != 0)
		kprintf("trace: %lu events came too fast to be shown\n", (unsigned long)lost);
}

static void
trace_unknown(const struct monitor_call *call, const char *name)
{
	char names[256] = "";
	int event;

	for (event = 0; event < TRACE_EVENT_COUNT; event++) {
		strncat(names, " ", sizeof(names) - strlen(names) - 1);
		strncat(names, trace_event_name(event), sizeof(names) - strlen(names) - 1);
	}
	monitor_expected(call, "no event '%.40s', expected one of%s", name, names);
}

/* "trace EVENT on|off" */
static void
trace_switch(const struct monitor_call *call)
{
	int event = trace_event_find(call->argv[1]);
	bool on = strcmp(call->argv[2], "on") == 0;

	if (event < 0)
		trace_unknown(call, call->argv[1]);
	else if (!on && strcmp(call->argv[2], "off") != 0)
		monitor_expected(call, "expected on or off, got '%.40s'", call->argv[2]);
	else if (on)
		trace_mask |= UINT64_C(1) << event;
	else
		trace_mask &= ~(UINT64_C(1) << event);
}

/* "trace stream [EVENT...]": meanwhile these are kept and no others. */
static void
trace_stream(const struct monitor_call *call, int first)
{
	uint64_t kept = trace_mask, chosen = 0;
	int i;

	for (i = first; i < call->argc; i++) {
		int event = trace_event_find(call->argv[i]);

		if (event < 0) {
			trace_unknown(call, call->argv[i]);
			return;
		}
		chosen |= UINT64_C(1) << event;
	}
	if (chosen != 0)
		trace_mask = chosen;
	trace_follow();
	trace_mask = kept;
}

void
cmd_trace(const struct monitor_call *call)
{
	int64_t count = TRACE_DEFAULT;

	if (call->argc > 1 && strcmp(call->argv[1], "stream") == 0)
		trace_stream(call, 2);
	else if (call->argc == 2 && strcmp(call->argv[1], "former") == 0)
		trace_former(TRACE_DEFAULT);
	else if (call->argc == 3 && strcmp(call->argv[1], "former") == 0) {
		if (monitor_number(call, 2, 1, TRACE_FORMER, &count))
			trace_former((uint64_t)count);
	} else if (call->argc == 3 && trace_event_find(call->argv[2]) < 0)
		trace_switch(call);
	else if (call->argc > 1 && trace_event_find(call->argv[1]) >= 0)
		trace_stream(call, 1);
	else if (call->argc > 2)
		monitor_expected(call, "expected nothing after %s", call->argv[1]);
	else if (call->argc == 1 || monitor_number(call, 1, 1, TRACE_RECORDS, &count))
		trace_last((uint64_t)count);
}

static void
sync_files(void)
{
	int error = vm_syncer_sync();

	if (error != 0)
		kprintf("sync: not everything could be written: %s\n", err_string(error));
}

void
cmd_sync(const struct monitor_call *call)
{
	(void)call;
	sync_files();
}

void
monitor_rest_disks(void)
{
	sync_files();
	vfs_write_suspend();
	console_drain();
}

void
cmd_reboot(const struct monitor_call *call)
{
	(void)call;
	kprintf("rebooting\n");
	monitor_rest_disks();
	cpu_reboot();
}

void
cmd_poweroff(const struct monitor_call *call)
{
	int64_t code = 0;

	if (call->argc > 1 && !monitor_number(call, 1, 0, 255, &code))
		return;
	kprintf("power off\n");
	monitor_rest_disks();
	cpu_poweroff((int)code);
}
