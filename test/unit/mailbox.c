/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/mailbox.c as hardware is, not as QEMU is: a firmware that sees memory apart from
 * the CPU's caches (test/host/sim_cache.c), takes its time, has a status register for each
 * direction, and may answer when nobody waits any more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/mailbox.h"
#include "kern/timer.h"
#include "lib/err.h"
#include "test/host/sim_cache.h"
#include "test/host/sim_dma.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mmio.h"

#define MAILBOX 0x3f00b880u
#define RAM_BYTES (1u << 20)
#define EMPTY   (1u << 30)
#define FULL    (1u << 31)

static struct {
	struct sim_mmio window;
	uint32_t inbox[4], inbox_count;   /* to the ARM */
	uint32_t late;                    /* taken, and not answered yet; 0: none */
	bool slow;                        /* answers late */
	bool late_comes;                  /* with the next answer */
	bool full;                        /* no room: the firmware is busy */
	uint32_t full_reads;              /* ... until it has been looked at so often */
	uint32_t temperature_mc;
} fw;

/* Answer the request at a bus address, word by word, from memory. */
static void
answer(uint32_t letter)
{
	uint32_t bus = letter & ~15u, tag = sim_cache_device_read(bus + 8);

	assert_int_equal(letter & 15, 8);
	if (tag == 0x00030006) {
		sim_cache_device_write(bus + 24, fw.temperature_mc++);
		sim_cache_device_write(bus + 16, 0x80000008);
	} else if (tag == 0x00038041) {
		sim_cache_device_write(bus + 20, 0);
		sim_cache_device_write(bus + 16, 0x80000008);
	}
	sim_cache_device_write(bus + 4, 0x80000000);
	fw.inbox[fw.inbox_count++] = letter;
}

static uint32_t
mailbox_read(void *device, uint32_t offset)
{
	(void)device;
	switch (offset) {
	case 0x00:
		assert_true(fw.inbox_count > 0);
		return (fw.inbox[--fw.inbox_count]);
	case 0x18:
		return (fw.inbox_count == 0 ? EMPTY : 0);
	case 0x38:
		if (fw.full && fw.full_reads > 0 && --fw.full_reads == 0)
			fw.full = false;
		return (fw.full ? FULL : 0);
	default:
		fail_msg("read of mailbox register 0x%x", offset);
		return (0);
	}
}

static void
mailbox_write(void *device, uint32_t offset, uint32_t value)
{
	(void)device;
	assert_int_equal(offset, 0x20);
	assert_false(fw.full); /* it would be lost */
	if (fw.slow) {
		fw.late = value;
		return;
	}
	answer(value);
	if (fw.late_comes) /* before the one just given */
		fw.inbox[fw.inbox_count++] = fw.late;
	fw.late_comes = false;
}

static void
begin(enum sim_cache_case lose)
{
	sim_reset();
	sim_ram_init(RAM_BYTES);
	sim_mmio_reset();
	memset(&fw, 0, sizeof(fw));
	fw.window = (struct sim_mmio){ .base = MAILBOX, .bytes = 0x40, .read = mailbox_read,
		.write = mailbox_write };
	fw.temperature_mc = 40000;
	sim_mmio_add(&fw.window);
	mailbox_attach(MAILBOX);
	sim_cache_begin(RAM_BYTES, lose);
}

static void
test_caches(void **state)
{
	uint32_t value;

	(void)state;
	begin(0);
	for (uint32_t n = 0; n < 3; n++) {
		sim_mmio_elsewhere();
		assert_int_equal(mailbox_temperature_mc(&value), 0);
		assert_int_equal(value, 40000 + n);
	}
	assert_int_equal(mailbox_set_gpio(130, true), 0);
	sim_cache_end();
}

/* The model sees it when a kind of maintenance is left out: the answer is lost. */
static void
test_lost_maintenance(void **state)
{
	static const enum sim_cache_case cases[] = { SIM_CACHE_INVALIDATE_BEFORE,
		SIM_CACHE_INVALIDATE_AFTER };
	uint32_t value = 0;

	(void)state;
	for (uint32_t n = 0; n < 2; n++) {
		begin(cases[n]);
		assert_true(mailbox_temperature_mc(&value) != 0 || value != 40000);
		sim_cache_end();
	}
}

/* Room to write is told by the mailbox that is written to. */
static void
test_full(void **state)
{
	uint32_t value;

	(void)state;
	begin(0);
	fw.full = true;
	fw.full_reads = 10;
	assert_int_equal(mailbox_temperature_mc(&value), 0);
	fw.full = true;
	assert_int_equal(mailbox_temperature_mc(&value), ERR_TIMEDOUT);
	sim_cache_end();
}

/* A request is given up; its answer comes before, or after, the next one's. */
static void
test_late_answer(void **state)
{
	uint32_t value, former;

	(void)state;
	for (uint32_t n = 0; n < 2; n++) {
		begin(0);
		fw.slow = true;
		former = fw.late;
		assert_int_equal(mailbox_temperature_mc(&value), ERR_TIMEDOUT);
		assert_true(fw.late != former);
		fw.slow = false;
		if (n == 0)
			fw.inbox[fw.inbox_count++] = fw.late;
		else
			fw.late_comes = true;
		assert_int_equal(mailbox_temperature_mc(&value), 0);
		assert_int_equal(value, 40000);
		/* The next request does not lie where the late one writes. */
		former = fw.late;
		fw.slow = true;
		assert_int_equal(mailbox_temperature_mc(&value), ERR_TIMEDOUT);
		assert_true(fw.late != former);
		sim_cache_end();
	}
}

/* It takes up to a tenth of a second, no longer. */
static void
test_timeout(void **state)
{
	uint64_t start_us;
	uint32_t value;

	(void)state;
	begin(0);
	fw.slow = true;
	start_us = timer_now_us();
	assert_int_equal(mailbox_temperature_mc(&value), ERR_TIMEDOUT);
	assert_in_range(timer_now_us() - start_us, MAILBOX_TIMEOUT_US, MAILBOX_TIMEOUT_US + 1000);
	sim_cache_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_caches),
		cmocka_unit_test(test_lost_maintenance),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_late_answer),
		cmocka_unit_test(test_timeout),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
