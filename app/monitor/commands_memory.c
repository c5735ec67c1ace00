/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmstat, swapinfo, check, queues, zones.
 *
 * Owns: nothing. Does not: change anything in mm.
 *
 * Invariants: none.
 * Yields: all commands.
 * See: app/monitor/vmstat.h; mm/vm_meter.h, mm/swap_pager.h, mm/vm_check.h.
 */
#include <stddef.h>
#include <string.h>

#include "app/monitor/commands.h"
#include "app/monitor/monitor.h"
#include "app/monitor/vmstat.h"
#include "kern/console.h"
#include "kern/eventhandler.h"
#include "kern/uma.h"
#include "mm/swap_pager.h"
#include "mm/vm_check.h"
#include "mm/vm_meter.h"

#define SECONDS_MAX 3600
#define BAR_COLUMNS 60u

/* Gauges of now, rates since boot. */
static void
vmstat_once(void)
{
	struct vmstat_sample boot = { 0 }, now;
	char line[VMSTAT_LINE_BYTES];

	vmstat_sample_take(&now);
	vmstat_format(&boot, &now, line);
	kprintf("%s", vmstat_header);
	kprintf("%s", line);
}

void
cmd_vmstat(const struct monitor_call *call)
{
	int64_t seconds;

	if (call->argc < 2)
		vmstat_once();
	else if (monitor_number(call, 1, 1, SECONDS_MAX, &seconds))
		vmstat_loop((uint32_t)seconds, monitor_key_pressed, NULL);
}

static void
print_area(const struct swap_area_info *a)
{
	uint64_t per_write_10 = a->writes != 0 ? a->written_pages * 10 / a->writes : 0;

	kprintf("%-8s %4d %8u %8u %8u %4lu%% %5u %9lu %9lu %6lu.%lu %6lu %7u %8lu\n", a->device,
	    a->priority, a->slots,
	    a->used_slots, a->slots - a->used_slots - a->bad_slots,
	    a->slots != 0 ? (unsigned long)((uint64_t)a->used_slots * 100 / a->slots) : 0,
	    a->bad_slots, (unsigned long)a->read_pages, (unsigned long)a->written_pages,
	    (unsigned long)(per_write_10 / 10), (unsigned long)(per_write_10 % 10),
	    (unsigned long)a->crc_errors, a->unit_slots * (PAGE_SIZE / 1024),
	    (unsigned long)a->discards);
}

void
cmd_swapinfo(const struct monitor_call *call)
{
	struct swap_area_info area;
	uint32_t n;

	(void)call;
	if (!swap_pager_info(0, &area)) {
		kprintf("swapinfo: no swap area; the card needs a partition of type 0x82 made by"
		    " tools/mkswap\n");
		return;
	}
	kprintf("device   prio    pages     used     free  use   bad  pages in pages out  per wr"
	    " badcrc unit KiB discards\n");
	for (n = 0; swap_pager_info(n, &area); n++)
		print_area(&area);
	if (swap_pager_full())
		kprintf("swap is full: programs may be killed\n");
	else if (swap_pager_almost_full())
		kprintf("swap is almost full\n");
}

void
cmd_check(const struct monitor_call *call)
{
	struct vm_check_result r;

	(void)call;
	vm_check(&r);
	kprintf("check: %u pages (%u free, %u cached, %u queued, %u wired), %u objects, %u swap"
	    " slots\n", r.pages, r.free_pages, r.cached_pages, r.queued_pages, r.wired_pages,
	    r.objects, r.swap_slots);
	if (r.broken == 0)
		kprintf("check: every rule holds\n");
	else
		kprintf("check: %u rules broken, the first: %s\n", r.broken, r.first_broken);
}

/* The column of a figure on a bar that is as long as the domain has pages. */
static uint32_t
column(const struct vm_domain *vmd, uint32_t pages)
{
	uint32_t at = vmd->v_page_count == 0 ? 0 :
	    (uint32_t)((uint64_t)pages * BAR_COLUMNS / vmd->v_page_count);

	return (at < BAR_COLUMNS ? at : BAR_COLUMNS - 1);
}

/* pages as '#', then more as 'c'. */
static void
bar_fill(const struct vm_domain *vmd, char bar[BAR_COLUMNS + 1], uint32_t pages, uint32_t more)
{
	memset(bar, ' ', BAR_COLUMNS);
	bar[BAR_COLUMNS] = '\0';
	if (more != 0)
		memset(bar, 'c', column(vmd, pages + more) + 1);
	if (pages != 0)
		memset(bar, '#', column(vmd, pages) + 1);
}

static void
print_bar(const char *name, uint32_t pages, const char *bar)
{
	kprintf("  %-8s %8u |%s|\n", name, pages, bar);
}

static void
print_bars(const struct vm_domain *vmd)
{
	uint32_t active = vmd->pagequeues[PQ_ACTIVE].count;
	uint32_t inactive = vmd->pagequeues[PQ_INACTIVE].count;
	char bar[BAR_COLUMNS + 1];

	bar_fill(vmd, bar, vmd->v_free_count, vmd->v_cache_count);
	bar[column(vmd, vmd->v_free_severe)] = 's';
	bar[column(vmd, vmd->v_free_min)] = 'm';
	bar[column(vmd, vmd->pageout_wakeup_thresh)] = 'w';
	bar[column(vmd, vmd->v_free_target)] = 't';
	print_bar("free", vmd->v_free_count, bar);
	bar_fill(vmd, bar, vmd->v_cache_count, 0);
	print_bar("cache", vmd->v_cache_count, bar);
	bar_fill(vmd, bar, inactive, 0);
	bar[column(vmd, vmd->v_inactive_target)] = 't';
	print_bar("inactive", inactive, bar);
	bar_fill(vmd, bar, active, 0);
	print_bar("active", active, bar);
	bar_fill(vmd, bar, vmd->v_wire_count, 0);
	print_bar("wired", vmd->v_wire_count, bar);
	kprintf("  # pages, c cached (%u), s severe, m minimum, w wake-up, t target\n",
	    vmd->v_cache_count);
}

static void
print_domain(const struct vm_domain *vmd)
{
	kprintf("domain %u: %u pages; free %u, cache %u, active %u, inactive %u, wired %u\n",
	    vmd->id, vmd->v_page_count, vmd->v_free_count, vmd->v_cache_count,
	    vmd->pagequeues[PQ_ACTIVE].count, vmd->pagequeues[PQ_INACTIVE].count,
	    vmd->v_wire_count);
	kprintf("  thresholds: wakeup %u, target %u, min %u, severe %u, reserved %u, inactive"
	    " target %u\n", vmd->pageout_wakeup_thresh, vmd->v_free_target, vmd->v_free_min,
	    vmd->v_free_severe, vmd->v_free_reserved, vmd->v_inactive_target);
	kprintf("  page daemon: %s, pass %u, %u waiting for pages, deficit %u\n",
	    vmd->vm_pages_needed ? "asked for pages" : "at rest", vmd->pass, vmd->waiters,
	    vmd->vm_pageout_deficit);
}

void
cmd_queues(const struct monitor_call *call)
{
	uint32_t i;

	(void)call;
	for (i = 0; i < vm_domain_count; i++) {
		print_domain(&vm_domains[i]);
		print_bars(&vm_domains[i]);
	}
}

void
cmd_zones(const struct monitor_call *call)
{
	const struct eventhandler *h = NULL;
	struct uma_zone *z = NULL;

	(void)call;
	kprintf("zone           bytes    used    free  slabs  empty     allocs  refused"
	    "  reclaimed\n");
	while ((z = uma_zone_next(z)) != NULL)
		kprintf("%-14s %5u %7u %7u %6u %6u %10lu %8lu %10lu\n", z->name, z->item_bytes,
		    z->used_items, z->slab_pages * z->items_per_slab - z->used_items,
		    z->slab_pages, z->empty_slabs, (unsigned long)z->allocs,
		    (unsigned long)z->refusals, (unsigned long)z->reclaimed_pages);
	vm_meter_refresh();
	kprintf("low memory: %lu times\n", (unsigned long)mm_params.v_lowmem);
	while ((h = eventhandler_next(EVENT_VM_LOWMEM, (struct eventhandler *)h)) != NULL)
		kprintf("  asked %lu times: %s\n", (unsigned long)h->runs, h->name);
}
