/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blkstat, fault.
 *
 *   blkstat                      what every disk has done, and how long it took
 *   fault sd0s2 write every=50   make a disk fail, to see what becomes of it
 *
 * Owns: nothing. Does not: reset statistics.
 *
 * Invariants: none.
 * Yields: both (they print).
 * See: kern/blkdev.h, kern/blk_fault.h, mm/swap_pager.h.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "app/monitor/commands.h"
#include "kern/blk_fault.h"
#include "kern/blkdev.h"
#include "kern/console.h"
#include "mm/swap_pager.h"

#define DEVICES_MAX 16
#define LINE_BYTES  200

typedef unsigned long ul;

static void
print_latency(const char *what, const struct histogram *h)
{
	if (h->count == 0)
		return;
	kprintf("         %s us: mean %lu, median at most %lu, 99 of 100 at most %lu, worst %lu\n",
	    what, (ul)(h->sum / h->count), (ul)histogram_percentile(h, 50),
	    (ul)histogram_percentile(h, 99), (ul)h->max);
}

/* How long requests waited for the driver: the price of who goes first. */
static void
print_queue(const struct blkdev *dev)
{
	static const char *const names[BIO_PRIORITY_COUNT] = { "page-ins  wait,", "others    wait,",
		"page-outs wait," };
	uint64_t submitted = 0;

	for (int p = 0; p < BIO_PRIORITY_COUNT; p++)
		submitted += dev->wait_us[p].count;
	if (submitted == 0)
		return;
	kprintf("         queue: %lu.%02lu requests waited when one came, at most %u\n",
	    (ul)(dev->depth_sum / submitted), (ul)(dev->depth_sum * 100 / submitted % 100),
	    dev->depth_max);
	for (int p = 0; p < BIO_PRIORITY_COUNT; p++)
		print_latency(names[p], &dev->wait_us[p]);
}

static void
print_errors(const struct blkdev *dev)
{
	const uint64_t *n = dev->errors_of;

	if (dev->errors + dev->retries + dev->resets == 0)
		return;
	kprintf("         errors: %lu from the medium, %lu timeouts, %lu wrong contents, "
		"%lu device gone, %lu refused; %lu retries, %lu resets\n",
	    (ul)n[BLK_ERROR_IO], (ul)n[BLK_ERROR_TIMEDOUT], (ul)n[BLK_ERROR_CORRUPT],
	    (ul)n[BLK_ERROR_NODEV], (ul)n[BLK_ERROR_REFUSED], (ul)dev->retries, (ul)dev->resets);
}

/* The driver's own figures on one line. */
static void
print_figures(const struct blkdev *dev)
{
	char line[LINE_BYTES] = "";
	const char *name;
	uint64_t value;

	if (dev->parent != NULL || dev->ops->figure == NULL)
		return;
	for (uint32_t n = 0; dev->ops->figure(dev, n, &name, &value); n++) {
		size_t used = strlen(line);

		snprintf(line + used, sizeof(line) - used, " %s=%lu", name, (ul)value);
	}
	kprintf("        %s\n", line);
}

static void
print_swap(const struct blkdev *dev)
{
	struct swap_area_info area;

	for (uint32_t n = 0; swap_pager_info(n, &area); n++)
		if (strcmp(area.device, dev->name) == 0 && area.bad_slots + area.crc_errors != 0)
			kprintf("         swap: %u retired slots, %lu wrong checksums\n",
			    area.bad_slots, (ul)area.crc_errors);
}

static void
print_device(const struct blkdev *dev)
{
	ul sectors_of_block = dev->block_bytes / 512;

	kprintf("%-8s %9lu %9lu %10lu %10lu %7lu %8lu %6lu %6u %6u\n", dev->name, (ul)dev->reads,
	    (ul)dev->writes, (ul)dev->read_blocks * sectors_of_block / 2,
	    (ul)dev->written_blocks * sectors_of_block / 2, (ul)dev->erases, (ul)dev->merges,
	    (ul)dev->errors, dev->queued_count, dev->active_count);
	print_latency("reads, ", &dev->read_us);
	print_latency("writes,", &dev->write_us);
	print_queue(dev);
	print_errors(dev);
	print_figures(dev);
	print_swap(dev);
}

void
cmd_blkstat(const struct monitor_call *call)
{
	struct blkdev *devices[DEVICES_MAX], *dev;
	uint32_t count = 0, i;

	(void)call;
	/* Devices are not taken away while the system runs; the list may grow. */
	for (dev = blk_next_device(NULL); dev != NULL && count < DEVICES_MAX;
	     dev = blk_next_device(dev))
		devices[count++] = dev;
	if (count == 0) {
		kprintf("blkstat: no disks; see the messages at boot\n");
		return;
	}
	kprintf("device       reads    writes   read KiB  write KiB  erases   merges errors queued"
	    " active\n");
	for (i = 0; i < count; i++)
		print_device(devices[i]);
}

static void
print_rules(void)
{
	const struct blk_fault_rule *rule;
	char text[LINE_BYTES];
	uint32_t n;

	for (n = 0; (rule = blk_fault_rule(n)) != NULL; n++) {
		blk_fault_describe(rule, text, sizeof(text));
		kprintf("%s: %lu of %lu requests\n", text, (ul)rule->hits, (ul)rule->seen);
	}
	if (n == 0)
		kprintf("fault: no rules\n");
}

void
cmd_fault(const struct monitor_call *call)
{
	char text[LINE_BYTES] = "", why[LINE_BYTES];
	int i;

	if (call->argc == 1) {
		print_rules();
		return;
	}
	for (i = 1; i < call->argc; i++) {
		size_t used = strlen(text);

		snprintf(text + used, sizeof(text) - used, "%s ", call->argv[i]);
	}
	if (blk_fault_set(text, why, sizeof(why)) != 0)
		monitor_expected(call, "%s", why);
}
