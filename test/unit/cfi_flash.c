/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CFI flash driver against simulated chips: what it makes of a query, programs,
 * erases, suspends, unlocks, and every way in which the chips may fail.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/cfi_flash.h"
#include "drivers/cfi_flash_internal.h"
#include "drivers/drivers_params.h"
#include "drivers/flash_store_internal.h"
#include "kern/sched.h"
#include "test/host/console_tap.h"
#include "test/host/sim_cfi.h"
#include "test/host/sim_machdep.h"

#define WINDOW_BYTES (2u << 20)

static struct sim_cfi sim;
static struct flash *flash;
static uint32_t words[1024], got[1024];

static void
begin(void)
{
	sim_cfi_init(&sim);
	memset(&drivers_params, 0, sizeof(drivers_params));
	console_tap_begin();
	for (uint32_t i = 0; i < 1024; i++)
		words[i] = i * 2654435761u + 1;
}

/* There is one such flash: a test begins with none. */
static int
attach(void)
{
	if (flash != NULL)
		flash->ops = NULL;
	return (cfi_flash_attach(SIM_CFI_BASE, WINDOW_BYTES, &flash));
}

static void
begin_attached(void)
{
	begin();
	assert_int_equal(attach(), 0);
	sim.word_us = 100;
	sim.buffer_us = 200;
	sim.erase_us = 700000;
}

static void
assert_said(const char *text)
{
	if (strstr(console_tap_text(), text) == NULL)
		fail_msg("expected \"%s\" in \"%s\"", text, console_tap_text());
}

/* Until the erase has ended: its result. */
static int
erase_end(void)
{
	int error;

	while ((error = flash->ops->erase_poll(flash)) == ERR_AGAIN)
		tsleep(&flash, "erase", 1000);
	return (error);
}

static int
erase(uint32_t block)
{
	int error = flash->ops->erase_start(flash, block);

	return (error != 0 ? error : erase_end());
}

/* ---- the query */

static void
query_good_body(void *arg)
{
	static const uint32_t lane_bits[] = { 16, 8, 32 };
	char text[100];

	(void)arg;
	for (uint32_t i = 0; i < 3; i++) {
		begin();
		sim.lane_bits = lane_bits[i];
		sim_cfi_query_make(&sim);
		assert_int_equal(attach(), 0);
		assert_int_equal(flash->geometry.block_bytes, 131072);
		assert_int_equal(flash->geometry.block_count, 16);
		assert_int_equal(flash->geometry.buffer_bytes, 64);
		assert_int_equal(flash->geometry.erase_us, 1024000);
		assert_false(flash->geometry.can_suspend);
		assert_string_equal(flash->name, "NOR flash of 2 MiB");
		snprintf(text, sizeof(text), "flash: %u chips of %u bits, 16 erase blocks of 128 "
		    "KiB, write buffer\n", 32 / lane_bits[i], lane_bits[i]);
		assert_string_equal(console_tap_text(), text);
		assert_int_equal(flash->ops->program(flash, 0x20040, words, 64), 0);
		assert_int_equal(flash->ops->read(flash, 0x20040, got, 64), 0);
		assert_memory_equal(got, words, 64);
		assert_int_equal(cfi_flash_attach(SIM_CFI_BASE, WINDOW_BYTES, &flash), ERR_EXIST);
		sim_cfi_close(&sim);
	}
}
SIM_TEST(query_good)

struct bad_query {
	uint8_t at, value;
	int error;
	const char *text;
};

static void
query_bad_body(void *arg)
{
	static const struct bad_query cases[] = {
		{ 0x10, 'q', ERR_NODEV, "no chip answers the CFI query" },
		{ 0x13, 2, ERR_NOTSUP, "command set 2, expected Intel's 1 or 3" },
		{ 0x27, 15, ERR_NOTSUP, "its size makes no sense" },
		{ 0x27, 31, ERR_NOTSUP, "its size makes no sense" },
		{ 0x27, 21, ERR_NOTSUP, "it is larger than the address window" },
		{ 0x2c, 2, ERR_NOTSUP, "its erase blocks are not all of one size" },
		{ 0x2c, 0, ERR_NOTSUP, "its erase blocks are not all of one size" },
		{ 0x2d, 14, ERR_NOTSUP, "its erase blocks do not make up its size" },
		{ 0x30, 0, ERR_NOTSUP, "its erase blocks do not make up its size" },
		{ 0x2a, 17, ERR_NOTSUP, "its write buffer makes no sense" },
	};

	char text[100];

	(void)arg;
	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin();
		sim.query[cases[i].at] = cases[i].value;
		assert_int_equal(attach(), cases[i].error);
		snprintf(text, sizeof(text), "flash: %s; not used\n", cases[i].text);
		assert_string_equal(console_tap_text(), text);
		sim_cfi_close(&sim);
	}
	begin();
	sim.lane_bits = 0;
	assert_int_equal(attach(), ERR_NODEV);
	sim_cfi_close(&sim);
	begin();
	sim.odd_at = 0x2d;
	assert_int_equal(attach(), ERR_NOTSUP);
	assert_said("flash: the chips side by side are not alike; not used");
	sim_cfi_close(&sim);
	begin();
	sim.query[0x13] = 3;
	assert_int_equal(attach(), 0);
	sim_cfi_close(&sim);
}
SIM_TEST(query_bad)

/* Any bytes: an error or a geometry that fits the window. */
static void
query_noise_body(void *arg)
{
	uint32_t good = 0;

	(void)arg;
	sim_random_scheduler(7);
	sim_random_scheduler(0);
	for (uint32_t run = 0; run < 2000; run++) {
		begin();
		for (uint32_t i = 0; i < 3; i++)
			sim.query[0x13 + sim_random(0x30)] =
			    (uint8_t)sim_random(run % 2 ? 256 : 26);
		if (attach() == 0) {
			good++;
			assert_true((uint64_t)flash->geometry.block_bytes *
			    flash->geometry.block_count <= WINDOW_BYTES);
			assert_true(flash->geometry.buffer_bytes <= flash->geometry.block_bytes);
		}
		sim_cfi_close(&sim);
	}
	assert_in_range(good, 100, 1900);
}
SIM_TEST(query_noise)

/* ---- programs and erases */

static void
program_body(void *arg)
{
	(void)arg;
	begin_attached();
	for (uint32_t at = 0; at < 4096; at += 64)
		assert_int_equal(flash->ops->program(flash, 0x40000 + at, words + at / 4, 64), 0);
	assert_int_equal(sim.buffers, 2 * 64);
	sim.buffer_wait_us = 150;
	assert_int_equal(flash->ops->program(flash, 0x41004, words, 4), 0);
	assert_int_equal(flash->ops->program(flash, 0x41010, words, 48), 0);
	assert_int_equal(flash->ops->read(flash, 0x40000, got, 4096), 0);
	assert_memory_equal(got, words, 4096);
	assert_int_equal(flash->ops->program(flash, 0x41020, words, 64), ERR_RANGE);
	assert_int_equal(flash->ops->program(flash, WINDOW_BYTES, words, 4), ERR_RANGE);
	assert_int_equal(flash->ops->program(flash, 2, words, 4), ERR_RANGE);
	assert_int_equal(flash->ops->read(flash, WINDOW_BYTES - 4, got, 8), ERR_RANGE);
	assert_int_equal(flash->ops->erase_start(flash, 16), ERR_RANGE);
	assert_int_equal(erase(2), 0);
	assert_int_equal(flash->ops->read(flash, 0x40000, got, 4096), 0);
	for (uint32_t i = 0; i < 1024; i++)
		assert_int_equal(got[i], UINT32_MAX);
	assert_string_equal(strchr(console_tap_text(), '\n') + 1, "");
	sim_cfi_close(&sim);
}
SIM_TEST(program)

/* Chips without a write buffer: word by word. */
static void
words_body(void *arg)
{
	(void)arg;
	begin();
	sim.query[0x2a] = 0;
	assert_int_equal(attach(), 0);
	assert_int_equal(flash->geometry.buffer_bytes, 4);
	sim.word_us = 300;
	assert_int_equal(flash->ops->program(flash, 0x40, words, 4), 0);
	assert_int_equal(flash->ops->program(flash, 0x44, words, 8), ERR_RANGE);
	assert_int_equal(flash->ops->read(flash, 0x40, got, 4), 0);
	assert_int_equal(got[0], words[0]);
	assert_int_equal(sim.words, 2);
	assert_int_equal(sim.buffers, 0);
	sim_cfi_close(&sim);
}
SIM_TEST(words)

struct bad_status {
	uint8_t status;
	int error;
	const char *text;
};

static void
status_body(void *arg)
{
	static const struct bad_status cases[] = {
		{ CFI_SR_PROGRAM, ERR_IO, "a word does not program (status 0090" },
		{ CFI_SR_ERASE, ERR_IO, "the block does not erase (status 00a0" },
		{ CFI_SR_VOLTAGE | CFI_SR_PROGRAM, ERR_IO, "the programming voltage is too low" },
		{ CFI_SR_LOCKED | CFI_SR_PROGRAM, ERR_ROFS, "the block is locked" },
		{ CFI_SR_ERASE | CFI_SR_PROGRAM, ERR_IO, "the chip did not understand" },
	};

	(void)arg;
	begin_attached();
	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		console_tap_begin();
		sim.fail_status = cases[i].status;
		assert_int_equal(flash->ops->program(flash, 0x20000 + i * 64, words, 64),
		    cases[i].error);
		assert_said(cases[i].text);
		sim.fail_status = cases[i].status;
		assert_int_equal(erase(1), cases[i].error);
		/* The next one is not blamed for it. */
		assert_int_equal(erase(1), 0);
		assert_int_equal(flash->ops->program(flash, 0x20000 + i * 64, words, 64), 0);
		assert_int_equal(erase(1), 0);
	}
	assert_int_equal(drivers_params.flash_status_errors, 10);
	sim_cfi_close(&sim);
}
SIM_TEST(status)

/* What does not end in time is an error; once it has ended the chips are used again. */
static void
timeout_body(void *arg)
{
	(void)arg;
	begin_attached();
	sim.stuck = true;
	assert_int_equal(flash->ops->program(flash, 0x20000, words, 64), ERR_TIMEDOUT);
	assert_said("a program at 0x20000 has not ended in time");
	assert_int_equal(flash->ops->read(flash, 0, got, 4), ERR_TIMEDOUT);
	assert_int_equal(flash->ops->program(flash, 0x20040, words, 64), ERR_TIMEDOUT);
	sim.stuck = false;
	sim.chips[0].busy_until_us = sim.chips[1].busy_until_us = 0;
	assert_int_equal(flash->ops->read(flash, 0x20000, got, 64), 0);
	assert_memory_equal(got, words, 64);
	sim.stuck = true;
	assert_int_equal(flash->ops->erase_start(flash, 1), 0);
	assert_int_equal(erase_end(), ERR_TIMEDOUT);
	assert_said("an erase at 0x20000 has not ended in time");
	sim.chips[0].busy_until_us = sim.chips[1].busy_until_us = 0;
	sim.stuck = false;
	assert_int_equal(flash->ops->read(flash, 0, got, 4), 0);
	assert_int_equal(drivers_params.flash_timeouts, 2);
	sim_cfi_close(&sim);
}
SIM_TEST(timeout)

/* ---- suspend */

static void
begin_suspending(void)
{
	begin();
	sim.query[0x36] = 2;
	assert_int_equal(attach(), 0);
	assert_said("write buffer, erase suspend\n");
	assert_true(flash->geometry.can_suspend);
	sim.erase_us = 700000;
	memset(sim.bytes, 0x5a, 256 * 1024);
}

static void
suspend_body(void *arg)
{
	(void)arg;
	begin_suspending();
	assert_int_equal(flash->ops->erase_start(flash, 0), 0);
	assert_int_equal(flash->ops->read(flash, 0x20000, got, 64), ERR_BUSY);
	assert_int_equal(flash->ops->program(flash, 0x30000, words, 64), ERR_BUSY);
	assert_int_equal(flash->ops->erase_start(flash, 1), ERR_BUSY);
	for (uint32_t i = 0; i < 5; i++) {
		tsleep(&flash, "some", 100000);
		assert_int_equal(flash->ops->erase_poll(flash), ERR_AGAIN);
		assert_int_equal(flash->ops->erase_suspend(flash), 0);
		assert_int_equal(flash->ops->read(flash, 0x20000, got, 64), 0);
		assert_int_equal(got[0], 0x5a5a5a5a);
		tsleep(&flash, "long", 10000000); /* does not count */
		assert_int_equal(flash->ops->erase_resume(flash), 0);
	}
	assert_int_equal(erase_end(), 0);
	assert_int_equal(sim.suspends, 10);
	assert_int_equal(sim.resumes, 10);
	assert_int_equal(flash->ops->read(flash, 0, got, 64), 0);
	assert_int_equal(got[0], UINT32_MAX);
	sim_cfi_close(&sim);
}
SIM_TEST(suspend)

/* It has ended when it is to be suspended: in both chips, or in the faster one. */
static void
suspend_late_body(void *arg)
{
	(void)arg;
	begin_suspending();
	assert_int_equal(flash->ops->erase_start(flash, 0), 0);
	tsleep(&flash, "all", 900000);
	assert_int_equal(flash->ops->erase_suspend(flash), 0);
	assert_int_equal(flash->ops->read(flash, 0x20000, got, 64), 0);
	assert_int_equal(flash->ops->erase_resume(flash), 0);
	assert_int_equal(flash->ops->erase_poll(flash), 0);
	assert_int_equal(flash->ops->erase_start(flash, 1), 0);
	tsleep(&flash, "one", 740000);
	assert_int_equal(flash->ops->erase_suspend(flash), 0);
	assert_int_equal(sim.suspends, 1);
	assert_int_equal(flash->ops->read(flash, 0, got, 64), 0);
	assert_int_equal(flash->ops->erase_resume(flash), 0);
	assert_int_equal(sim.resumes, 1);
	assert_int_equal(erase_end(), 0);
	assert_int_equal(flash->ops->read(flash, 0x20000, got, 64), 0);
	assert_int_equal(got[0], UINT32_MAX);
	/* ... with an error, which is kept. */
	sim.fail_status = CFI_SR_ERASE;
	assert_int_equal(flash->ops->erase_start(flash, 0), 0);
	tsleep(&flash, "all", 900000);
	assert_int_equal(flash->ops->erase_suspend(flash), 0);
	assert_int_equal(flash->ops->erase_resume(flash), 0);
	assert_int_equal(flash->ops->erase_poll(flash), ERR_IO);
	sim_cfi_close(&sim);
}
SIM_TEST(suspend_late)

/* A chip that suspends after the driver has given that up is ready, but has not erased. */
static void
suspend_slow_body(void *arg)
{
	(void)arg;
	begin_suspending();
	sim.suspend_us = 300000;
	assert_int_equal(flash->ops->erase_start(flash, 0), 0);
	tsleep(&flash, "some", 1000);
	assert_int_equal(flash->ops->erase_suspend(flash), ERR_TIMEDOUT);
	tsleep(&flash, "ready", 400000);
	assert_int_equal(flash->ops->erase_poll(flash), ERR_AGAIN);
	assert_int_equal(sim.resumes, 2);
	assert_int_equal(erase_end(), 0);
	assert_int_equal(flash->ops->read(flash, 0, got, 64), 0);
	assert_int_equal(got[0], UINT32_MAX);
	sim_cfi_close(&sim);
}
SIM_TEST(suspend_slow)

/* ---- locks */

static void
unlock_body(void *arg)
{
	(void)arg;
	begin();
	memset(sim.locked, true, sizeof(sim.locked));
	assert_int_equal(attach(), 0);
	assert_int_equal(erase(3), ERR_ROFS);
	assert_said("the block is locked");
	sim.query[0x36] = 1 << 5;
	assert_int_equal(attach(), 0);
	assert_int_equal(sim.unlocks, 2 * 16);
	for (uint32_t b = 0; b < 16; b++)
		assert_int_equal(erase(b), 0);
	sim.query[0x36] = 1 << 3;
	sim.unlocks = 0;
	assert_int_equal(attach(), 0);
	assert_int_equal(sim.unlocks, 2);
	sim_cfi_close(&sim);
}
SIM_TEST(unlock)

/* ---- the store on it, registers and all */

static void
store_body(void *arg)
{
	static struct flash_store store;
	void *memory;

	(void)arg;
	begin();
	sim.query[0x36] = 2;
	assert_int_equal(attach(), 0);
	drivers_params_register();
	memory = malloc(flash_store_memory_bytes(&flash->geometry));
	strcpy(store.dev.name, "fl0");
	for (uint32_t boot = 0; boot < 3; boot++) {
		memset(&store, 0, sizeof(store));
		strcpy(store.dev.name, "fl0");
		assert_int_equal(store_mount(&store, flash, memory, false), 0);
		for (uint32_t i = 0; boot > 0 && i < store.slot_count; i++) {
			assert_int_equal(store_read(&store, i, got), 0);
			assert_int_equal(got[17], (boot - 1) * 1000 + i);
		}
		for (uint32_t i = 0; i < store.slot_count; i++) {
			words[17] = boot * 1000 + i;
			assert_int_equal(store_write(&store, i, words), 0);
		}
	}
	free(memory);
	sim_cfi_close(&sim);
}
SIM_TEST(store)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_query_good),
		cmocka_unit_test(test_query_bad),
		cmocka_unit_test(test_query_noise),
		cmocka_unit_test(test_program),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_suspend),
		cmocka_unit_test(test_suspend_late),
		cmocka_unit_test(test_suspend_slow),
		cmocka_unit_test(test_unlock),
		cmocka_unit_test(test_store),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
