/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Boot arguments: good ones, each kind of bad one, ATAG lists whole and damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kern/bootargs.h"
#include "lib/rng.h"
#include "test/host/console_tap.h"

static void
parse(const char *text)
{
	console_tap_begin();
	bootargs_parse(text, "a test");
}

static void
said(const char *words)
{
	if (strstr(console_tap_text(), words) == NULL)
		fail_msg("expected \"%s\" in \"%s\"", words, console_tap_text());
}

static void
test_all(void **state)
{
	(void)state;
	parse("mem=8M  swap=sd0s2\tramdisk=512K run=sort:/data/words.txt vmstat=1 exit=1 "
	      "semihosting=1 source=/s.ebb selftest=x trace=bio,fault domains=3 sd=sdhost sd_dma=0 "
	      "flash=1 console=mini\n");
	assert_int_equal(bootargs.mem_bytes, 8 << 20);
	assert_int_equal(bootargs.ramdisk_bytes, 512 << 10);
	assert_int_equal(bootargs.vmstat_s, 1);
	assert_int_equal(bootargs.domains, 3);
	assert_int_equal(bootargs.sd_host, BOOTARGS_SD_SDHOST);
	assert_int_equal(bootargs.sd_dma, BOOTARGS_SD_DMA_NO);
	assert_int_equal(bootargs.flash, BOOTARGS_FLASH_YES);
	assert_int_equal(bootargs.console, BOOTARGS_CONSOLE_MINI);
	assert_true(bootargs.exit);
	assert_true(bootargs.semihosting);
	assert_string_equal(bootargs.swap, "sd0s2");
	assert_string_equal(bootargs.run, "sort:/data/words.txt");
	assert_string_equal(bootargs.source, "/s.ebb");
	assert_string_equal(bootargs.selftest, "x");
	assert_string_equal(bootargs.trace, "bio,fault");
	assert_int_equal(bootargs.error_count, 0);
	assert_string_equal(console_tap_text(), "");
	parse("sd=emmc sd_dma=1 flash=format console=pl011");
	assert_int_equal(bootargs.console, BOOTARGS_CONSOLE_PL011);
	assert_int_equal(bootargs.flash, BOOTARGS_FLASH_FORMAT);
	assert_int_equal(bootargs.sd_host, BOOTARGS_SD_EMMC);
	assert_int_equal(bootargs.sd_dma, BOOTARGS_SD_DMA_YES);
}

static void
test_none(void **state)
{
	(void)state;
	parse(NULL);
	said("none from a test; using defaults");
	parse(" \n");
	said("using defaults");
	assert_int_equal(bootargs.mem_bytes, 0);
	assert_int_equal(bootargs.error_count, 0);
}

static void
test_watchdog(void **state)
{
	(void)state;
	parse("watchdog=15 watchdog_test=1");
	assert_int_equal(bootargs.watchdog_s, 15);
	assert_true(bootargs.watchdog_test);
	parse("watchdog=16");
	said("boot argument watchdog=16: expected watchdog=, then seconds from 1 to 15");
	assert_int_equal(bootargs.watchdog_s, 0);
	parse("watchdog=0");
	said("seconds from 1 to 15");
}

/* What firmware is known to put before the words of cmdline.txt. */
static void
test_firmwares(void **state)
{
	(void)state;
	parse("coherent_pool=1M 8250.nr_uarts=1 snd_bcm2835.enable_headphones=0 "
	      "snd_bcm2835.enable_hdmi=1 bcm2708_fb.fbwidth=656 bcm2708_fb.fbswap=1 "
	      "smsc95xx.macaddr=B8:27:EB:00:00:01 vc_mem.mem_base=0x3ec00000 "
	      "vc_mem.mem_size=0x40000000 dma.dmachans=0x7f35 cgroup_disable=memory "
	      "numa_policy=interleave  mem=8M run=sort:/data/words.txt");
	assert_int_equal(bootargs.error_count, 0);
	assert_int_equal(bootargs.foreign_count, 12);
	assert_int_equal(bootargs.mem_bytes, 8 << 20);
	assert_string_equal(bootargs.run, "sort:/data/words.txt");
	assert_string_equal(console_tap_text(),
	    "boot arguments: 12 words for Linux, from the firmware, left aside\n");
	/* Nothing but those is nothing. */
	parse("dma.dmachans=0x7f35");
	said("none from a test; using defaults");
	/* A value may have a dot; the name of a mistake has none. */
	parse("colour=red.green");
	said("colour=red.green: unknown");
	assert_int_equal(bootargs.error_count, 1);
}

/* Each is refused with a line that holds these words, and leaves the default. */
static void
test_bad(void **state)
{
	static const char *const bad[][2] = {
		{ "console=uart", "console=uart: expected console=, then pl011 or mini" },
		{ "domains=5", "domains=5: expected domains=, then a number from 1 to 4" },
		{ "domains=0", "domains=0: expected domains=" },
		{ "colour=red", "colour=red: unknown; known are mem= swap=" },
		{ "mem", "mem: unknown" },
		{ "memory=8M", "memory=8M: unknown" },
		{ "me=8M", "me=8M: unknown" },
		{ "=8M", "=8M: unknown" },
		{ "mem=", "mem=: expected mem=, then a size such as 8M" },
		{ "mem=8X", "mem=8X: expected" },
		{ "mem=8MB", "mem=8MB: expected" },
		{ "mem=-1", "mem=-1: expected" },
		{ "mem=99999999999999999999", "expected" },
		{ "mem=99999999999999G", "expected" },
		{ "sd=em", "sd=em: expected sd=, then emmc or sdhost" },
		{ "sd=emmcx", "sd=emmcx: expected sd=" },
		{ "sd=host", "sd=host: expected sd=" },
		{ "sd_dma=2", "sd_dma=2: expected sd_dma=, then 0 or 1" },
		{ "exit=2", "exit=2: expected exit=, then 0 or 1" },
		{ "exit=yes", "exit=yes: expected" },
		{ "vmstat=3601", "expected vmstat=, then seconds" },
		{ "run=", "expected run=, then PROGRAM" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		parse(bad[i][0]);
		said(bad[i][1]);
		assert_int_equal(bootargs.error_count, 1);
		assert_int_equal(bootargs.mem_bytes, 0);
		assert_int_equal(bootargs.vmstat_s, 0);
		assert_false(bootargs.exit);
		assert_string_equal(bootargs.run, "");
	}
}

/* A bad word does not take the good ones with it. */
static void
test_mixed(void **state)
{
	char long_word[400];

	(void)state;
	parse("mem=4M what exit=1");
	assert_int_equal(bootargs.mem_bytes, 4 << 20);
	assert_true(bootargs.exit);
	assert_int_equal(bootargs.error_count, 1);
	memset(long_word, 'x', sizeof(long_word) - 1);
	long_word[sizeof(long_word) - 1] = '\0';
	memcpy(long_word, "run=", 4);
	parse(long_word);
	assert_int_equal(bootargs.error_count, 1);
	assert_string_equal(bootargs.run, "");
}

#define ATAGS 64

static uint32_t
atags_make(uint32_t *list, const char *text)
{
	uint32_t words = (uint32_t)(strlen(text) + 4) / 4;

	memset(list, 0, ATAGS * 4);
	list[0] = 2;
	list[1] = 0x54410001;
	list[2] = 4;
	list[3] = 0x54410002;
	list[6] = 2 + words;
	list[7] = 0x54410009;
	memcpy(&list[8], text, strlen(text));
	return (8 + words + 2);
}

static void
test_atags(void **state)
{
	uint32_t list[ATAGS];
	char text[32];
	uint32_t words = atags_make(list, "mem=8M exit=1");

	(void)state;
	assert_int_equal(bootargs_from_atags(list, sizeof(list), text, sizeof(text)), 0);
	assert_string_equal(text, "mem=8M exit=1");
	assert_int_equal(bootargs_from_atags(list, words * 4, text, 5), 0);
	assert_string_equal(text, "mem=");
	list[7] = 0x5441000a;
	assert_int_equal(bootargs_from_atags(list, sizeof(list), text, sizeof(text)), ERR_NOENT);
	list[6] = 1;
	assert_int_equal(bootargs_from_atags(list, sizeof(list), text, sizeof(text)), ERR_CORRUPT);
	list[6] = ATAGS;
	assert_int_equal(bootargs_from_atags(list, sizeof(list), text, sizeof(text)), ERR_CORRUPT);
	list[1] = 7;
	assert_int_equal(bootargs_from_atags(list, sizeof(list), text, sizeof(text)), ERR_CORRUPT);
}

/* Noise never reads outside the list or the text (the sanitizers watch). */
static void
test_atags_noise(void **state)
{
	struct rng rng;
	uint32_t list[ATAGS];
	char text[16];

	(void)state;
	rng_seed(&rng, 20);
	for (uint32_t i = 0; i < 20000; i++) {
		atags_make(list, "mem=8M");
		for (uint32_t k = 0; k < 4; k++)
			list[rng_below(&rng, 12)] = rng_below(&rng, k < 2 ? 80 : UINT32_MAX);
		(void)!bootargs_from_atags(list, sizeof(list), text, sizeof(text));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_watchdog),
		cmocka_unit_test(test_firmwares),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_mixed),
		cmocka_unit_test(test_atags),
		cmocka_unit_test(test_atags_noise),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
