/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The TAB key: commands, programs, tunables, files; quoting as the line has it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "app/monitor/complete.h"
#include "fs/fat32.h"
#include "kern/kern_params.h"
#include "kern/vnode.h"
#include "mm/mm_params.h"
#include "test/host/console_tap.h"
#include "test/host/fat_image.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"

static struct file_disk disk;

static void
boot(void *image)
{
	static const char *more[] = { "/dota one.txt", "/dota two.txt", "/apps/only one.elf",
		NULL };
	struct vnode *vp;
	int i;

	console_tap_begin();
	kern_params_register();
	mm_params_register();
	sim_mm_boot(1000);
	assert_int_equal(file_disk_open(&disk, "fd0", image), 0);
	assert_int_equal(fat32_mount(&disk.dev), 0);
	for (i = 0; more[i] != NULL; i++) {
		assert_int_equal(vfs_create(more[i], &vp), 0);
		vnode_unref(vp);
	}
	console_tap_begin();
}

/* TAB at the end of text adds that. */
static void
expect(const char *text, const char *added, uint32_t count)
{
	char insert[LINE_BYTES];
	uint32_t n = complete_word(text, (uint32_t)strlen(text), insert);

	if (strcmp(insert, added) != 0 || n != count)
		fail_msg("'%s': '%s' of %u, expected '%s' of %u", text, insert, n, added, count);
}

static void
words(void *image)
{
	boot(image);
	/* commands; programs among them, without their ending */
	expect("reb", "oot ", 1);
	expect("vmst", "at ", 1);
	expect("nothing", "", 0);
	expect("  reb", "oot ", 1);
	expect("sor", "t ", 1);
	expect("on", "ly\\ one ", 1);
	expect("help reb", "oot ", 1);
	expect("run sor", "t ", 1);
	expect("run reb", "", 0);
	/* tunables: some in common, then one */
	expect("sysctl vm.pageout_rest", "_full ", 1);
	expect("sysctl -d 1 vm.pageout_rest", "_full ", 1);
	expect("sysctl vm.pageout_res", "t_full ", 1);
	expect("sysctl nosuch", "", 0);
	/* files */
	expect("cat /ap", "ps/", 1);
	expect("cat /apps/sor", "t.elf ", 1);
	expect("cat /do", "ta\\ ", 2);
	expect("cat /dota\\ o", "ne.txt ", 1);
	expect("cat \"/dota o", "ne.txt\" ", 1);
	expect("cat '/dota ", "", 2);
	expect("cat '/dota t", "wo.txt' ", 1);
	expect("cat /none/x", "", 0);
	expect("cat /big.dat/x", "", 0);
	expect("/apps/sor", "t.elf ", 1);
	expect("ls > /ap", "ps/", 1);
	expect("ls >/ap", "ps/", 1);
	expect("ls > do", "ta\\ ", 2);
	file_disk_close(&disk);
}

static void
test_words(void **state)
{
	(void)state;
	sim_run(words, (void *)(uintptr_t)fat_image_make("complete", 1, true));
}

/* Only what is before the cursor counts; a full line takes nothing. */
static void
corners(void *image)
{
	char line[LINE_BYTES], insert[LINE_BYTES];

	boot(image);
	assert_int_equal(complete_word("rebxyz", 3, insert), 1);
	assert_string_equal(insert, "oot ");
	assert_true(complete_word("", 0, insert) > 30);
	assert_string_equal(insert, "");
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	assert_int_equal(complete_word(line, sizeof(line) - 1, insert), 0);
	memset(line, '\\', sizeof(line) - 1);
	(void)complete_word(line, sizeof(line) - 1, insert);
	complete_list("cat /do", 7);
	assert_string_equal(console_tap_text(), "dota one.txt  dota two.txt\n");
	console_tap_begin();
	complete_list("sysctl ", 7);
	assert_non_null(strstr(console_tap_text(), "vm.pageout_rest_full"));
	for (const char *row = console_tap_text(); *row != '\0'; row = strchr(row, '\n') + 1)
		assert_true(strcspn(row, "\n") <= 76);
	file_disk_close(&disk);
}

static void
test_corners(void **state)
{
	(void)state;
	sim_run(corners, (void *)(uintptr_t)fat_image_make("complete", 1, true));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_corners),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
