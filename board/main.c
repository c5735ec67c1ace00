/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The composition root: the order in which everything begins.
 *
 * kernel_main runs on the boot stack with interrupts masked, until there are tasks;
 * then task "init" does what needs tasks and interrupts, and ends.
 *
 * Owns: the boot task; whether boot went as the arguments asked.
 * Does not: hold logic: each step is one call.
 * Invariants: none.
 * Yields: init does.
 * See: board/board.h, board/boot_ram.h, board/boot_disks.h; ARCHITECTURE.md.
 */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "app/monitor/monitor.h"
#include "app/monitor/monitor_params.h"
#include "arch/arm64/cache.h"
#include "arch/arm64/cpu_id.h"
#include "arch/arm64/gtimer.h"
#include "arch/arm64/kmap.h"
#include "arch/arm64/pmap_boot.h"
#include "board/board.h"
#include "board/boot_disks.h"
#include "board/boot_ram.h"
#include "board/selftest.h"
#include "drivers/drivers_params.h"
#include "kern/bootargs.h"
#include "kern/bootmem.h"
#include "kern/console.h"
#include "kern/kern_params.h"
#include "kern/led.h"
#include "kern/machdep.h"
#include "kern/panic.h"
#include "kern/sched.h"
#include "kern/timer.h"
#include "kern/trace.h"
#include "kern/watchdog.h"
#include "mm/file_pager.h"
#include "mm/mm_params.h"
#include "mm/swap_pager.h"
#include "mm/vm_daemon.h"
#include "mm/vm_map.h"
#include "mm/vm_meter.h"
#include "mm/vm_object.h"
#include "mm/vm_pageout.h"
#include "mm/vm_swapctl.h"
#include "mm/vm_syncer.h"
#include "proc/proc.h"

#define FORMER_LINES 8u

static struct task boot_task;
static bool pool_as_asked;

typedef unsigned long long ull;

static void
attach(const struct board_device *devices, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct board_device *d = &devices[i];
		uintptr_t base = d->bytes == 0 ? 0 : cpu_map_device(d->pa, d->bytes);
		int err = d->attach(d, base);

		if (err != 0)
			kprintf("%s at %#llx: %s\n", d->name, (ull)d->pa, err_string(err));
	}
}

static void
must(int err, const char *what)
{
	if (err != 0)
		panic_as(err == ERR_NOMEM ? LED_PANIC_MEMORY : LED_PANIC_DEVICE, "%s: %s: %s",
		    board.name, what, err_string(err));
}

/* trace=: which events are recorded from now on. */
static void
trace_argument(void)
{
	char *at = bootargs.trace;

	if (strcmp(at, "all") == 0) {
		trace_mask = ~0ull;
		return;
	}
	while (*at != '\0') {
		size_t length = strcspn(at, ",");
		char *next = at + length + (at[length] != '\0');
		int event;

		at[length] = '\0';
		event = trace_event_find(at);
		if (event < 0)
			kprintf("boot argument trace=: no event is called %s\n", at);
		else
			trace_mask |= 1ull << event;
		at = next;
	}
}

static void
banner_begin(void)
{
	char core[32];

	cpu_id_text(core, sizeof(core));
	kprintf("ebb %s on %s, %s\n", BUILD_ID, board.name, core);
}

/* How the former boot ended, where its trace has come through the reset. */
static void
former_boot(void)
{
	static char line[160];
	struct trace_record record;
	uint32_t count = trace_former_count(), damaged = trace_former_damaged();
	uint32_t i = count > FORMER_LINES ? count - FORMER_LINES : 0;

	if (count + damaged == 0)
		return;
	kprintf("former boot: %u records of its trace are whole, %u are not; its last events:\n",
	    (unsigned)count, (unsigned)damaged);
	for (; trace_former_get(i, &record); i++) {
		trace_format(&record, line, sizeof(line));
		kprintf("former boot: %s\n", line);
	}
}

static void
banner_end(void)
{
	struct swap_area_info swap;

	vm_meter_refresh();
	kprintf("RAM %llu MiB, page pool %llu KiB, wired kernel %llu KiB "
		"(image %llu, tables %llu)\n",
	    (ull)(bootmem_total_bytes() >> 20), (ull)ptoa(mm_params.v_page_count) >> 10,
	    (ull)(boot_image_bytes() + boot_table_bytes()) >> 10, (ull)boot_image_bytes() >> 10,
	    (ull)boot_table_bytes() >> 10);
	if (vm_domain_count > 1)
		kprintf("%u memory domains\n", vm_domain_count);
	if (swap_pager_info(0, &swap))
		kprintf("swap %llu KiB on %s\n", (ull)ptoa(swap_pager_total()) >> 10, swap.device);
	else
		kprintf("swap none\n");
}

/* selftest=, then the monitor with the job, or the end. */
static void
begin_work(void)
{
	static struct monitor_boot monitor;
	bool passed;

	monitor.run = pool_as_asked ? bootargs.run : NULL;
	monitor.source = pool_as_asked ? bootargs.source : NULL;
	monitor.dashboard_ms = bootargs.dashboard_ms;
	monitor.stream_ms = bootargs.stream_ms;
	monitor.vmstat_seconds = bootargs.vmstat_s;
	monitor.exit = bootargs.exit;
	if (bootargs.selftest[0] != '\0') {
		passed = selftest_run(bootargs.selftest);
		console_drain();
		if (bootargs.exit)
			cpu_poweroff(passed ? 0 : 1);
		monitor.run = monitor.source = NULL;
	}
	must(monitor_start(&monitor), "monitor");
}

/* Task "init". */
static void
init(void *arg)
{
	bool programs;

	(void)arg;
	must(led_start(), "light");                 /* boot goes on: task "led" shows */
	led_stage(LED_STAGE_TASKS);
	attach(board.devices, board.device_count);  /* disks */
	boot_partitions();                          /* sd0s1, sd0s2, ... */
	boot_faults();                              /* disks that fail, if asked for */
	programs = boot_file_system();              /* programs and data */
	led_stage(LED_STAGE_DISKS);
	boot_swap();                                /* where pages go */
	must(file_pager_start(), "file pager");     /* dirty pages of files go there ... */
	must(vm_syncer_start(), "syncer");          /* ... in time */
	must(vm_pageout_start(), "page daemon");    /* from now on memory is reclaimed */
	must(vm_daemon_start(), "vm daemon");       /* ... and programs held to limits */
	former_boot();                              /* before this one's figures */
	banner_end();
	watchdog_add_check("page daemon", vm_meter_waiting);
	if (bootargs.watchdog_s != 0)               /* from here on a hang resets the board */
		must(watchdog_start(bootargs.watchdog_s, bootargs.watchdog_test), "watchdog");
	led_ready(programs);
	sched_run_longest_reset();                  /* until here nobody had to wait */
	begin_work();
}

void
kernel_main(uint64_t x0)
{
	struct task *t;

	trace_init(cache_clean);                    /* after a look at the former boot's */
	kmap_init();                                /* the start's own mapping goes */
	pmap_bootstrap();                           /* programs' half of translation */
	gtimer_init();                              /* the counter's frequency */
	timer_init();                               /* time since boot */
	kern_params_register();                     /* tunables and statistics */
	mm_params_register();
	drivers_params_register();
	monitor_params_register();
	must(kmap_add_ram(0, board.low_reserved_bytes), "low memory");
	attach(board.early, board.early_count);     /* firmware, interrupt controller */
	led_stage(LED_STAGE_KERNEL);
	banner_begin();
	boot_parameters(x0);                        /* boot arguments */
	attach(board.chosen, board.chosen_count);   /* console; until here text was kept */
	led_stage(LED_STAGE_CONSOLE);
	boot_power();                               /* how to stop */
	boot_ram();                                 /* all of it, mapped */
	boot_ramdisk();                             /* md0, if asked for */
	pool_as_asked = boot_pool();                /* page frames for everything to come */
	led_stage(LED_STAGE_MEMORY);
	trace_argument();
	sched_init(&boot_task);                     /* this is a task now */
	must(gtimer_attach(board.timer_irq), "timer");
	must(board.console_interrupt(), "console");
	console_start();                            /* output by interrupt */
	vm_object_init();
	vm_map_init();
	swap_pager_init();
	vm_swapctl_init();
	file_pager_init();
	proc_init();
	must(task_create(&t, "init", PRI_NORMAL, init, NULL), "init");
	sched_idle_forever();
}
