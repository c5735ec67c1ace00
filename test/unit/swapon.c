/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Swap areas: the header, what is refused, the alarms about space (contract 1.15).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/swap_header.h"
#include "mm/swap_pager.h"
#include "mm/vm_launder.h"
#include "test/host/console_tap.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_swap.h"

#define FRAMES 2048u
#define SLOTS  1024u

#define RUN_TEST(name)                       \
	static void name##_body(void *arg);  \
	static void name(void **state)       \
	{                                    \
		sim_run(name##_body, state); \
	}                                    \
	static void name##_body(void *arg)

/* Alarms: almost full below 128, full cleared at 128, almost full above 512. */
RUN_TEST(swap_alarms_at_their_marks)
{
	struct vm_object *other;
	uint32_t i;

	(void)arg;
	sim_swap_boot(FRAMES, 0);
	assert_true(swap_pager_full() && swap_pager_almost_full()); /* no area at all */
	sim_swap_add(&sim_swap_disk, "swap0", SLOTS + 2);
	assert_false(swap_pager_full() || swap_pager_almost_full());
	other = vm_object_allocate(2000);
	other->type = OBJT_SWAP;
	sim_swap_be_pagedaemon();
	for (i = 0; i < SLOTS; i++) {
		struct vm_page *m = sim_swap_page(other, i, PQ_INACTIVE, true);

		assert_false(swap_pager_full());
		assert_int_equal(swap_pager_almost_full(), swap_pager_avail() < 128);
		assert_int_equal(vm_pageout_clean(m), 1);
		sim_swap_settle(other);
	}
	assert_int_equal(vm_pageout_clean(sim_swap_page(other, i, PQ_INACTIVE, true)), 0);
	assert_true(swap_pager_full());
	while (swap_pager_avail() < SLOTS) {
		assert_int_equal(swap_pager_full(), swap_pager_avail() < 128);
		assert_int_equal(swap_pager_almost_full(), swap_pager_avail() <= 512);
		swap_pager_ops.page_unswapped(vm_page_lookup(other, --i));
	}
	vm_object_deallocate(other);
}

static int
swapon_with(const struct swap_header *header)
{
	static uint64_t records[65536];
	int error;

	sim_swap_boot(FRAMES, 0);
	sim_disk_open(&sim_swap_disk, "part0", 256 * 8);
	memcpy(sim_swap_disk.bytes, header, sizeof(*header));
	console_tap_begin();
	error = swap_pager_swapon(&sim_swap_disk.dev, records, sizeof(records), true);
	assert_int_equal(error == 0, console_tap_text()[0] == '\0'); /* a line for each error */
	assert_int_equal(swap_pager_total(), error == 0 ? header->page_count - 2 : 0);
	return (error);
}

static struct swap_header
header_of(uint64_t page_count)
{
	struct swap_header h = { .version = SWAP_HEADER_VERSION, .page_bytes = PAGE_SIZE,
		.page_count = page_count };

	memcpy(h.magic, SWAP_HEADER_MAGIC, SWAP_HEADER_MAGIC_BYTES);
	h.crc = swap_header_crc(&h);
	return (h);
}

RUN_TEST(swapon_checks_every_field)
{
	struct swap_header h = header_of(256);

	(void)arg;
	assert_int_equal(swapon_with(&h), 0);
	h.magic[0] ^= 1;
	assert_int_equal(swapon_with(&h), ERR_CORRUPT);
	h = header_of(256);
	h.crc ^= 1;
	assert_int_equal(swapon_with(&h), ERR_CORRUPT);
	h = header_of(256);
	h.version = 2;
	h.crc = swap_header_crc(&h);
	assert_int_equal(swapon_with(&h), ERR_CORRUPT);
	assert_non_null(strstr(console_tap_text(), "version"));
	h = header_of(256);
	h.page_bytes = 8192;
	h.crc = swap_header_crc(&h);
	assert_int_equal(swapon_with(&h), ERR_CORRUPT);
	h = header_of(257); /* the disk has 256 */
	assert_int_equal(swapon_with(&h), ERR_CORRUPT);
	h = header_of(63);
	assert_int_equal(swapon_with(&h), ERR_RANGE);
	h = header_of(64);
	assert_int_equal(swapon_with(&h), 0);
}

RUN_TEST(swapon_refuses_what_cannot_work)
{
	static uint64_t records[8];

	(void)arg;
	sim_swap_boot(FRAMES, 0);
	sim_disk_open(&sim_swap_disk, "part0", 256 * 8);
	assert_int_equal(swap_pager_swapon(&sim_swap_disk.dev, records, sizeof(records), false),
	    ERR_NOMEM);
	sim_swap_disk.dead = true;
	assert_int_equal(swap_pager_swapon(&sim_swap_disk.dev, records, sizeof(records), true),
	    ERR_NODEV);
	sim_swap_disk.dev.read_only = true;
	assert_int_equal(swap_pager_swapon(&sim_swap_disk.dev, records, sizeof(records), false),
	    ERR_ROFS);
	sim_swap_disk.dev.read_only = false;
	sim_swap_disk.dev.bio_blocks_max = 4;
	assert_int_equal(swap_pager_swapon(&sim_swap_disk.dev, records, sizeof(records), false),
	    ERR_INVAL);
	assert_false(swap_pager_info(0, &(struct swap_area_info){ 0 }));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(swap_alarms_at_their_marks),
		cmocka_unit_test(swapon_checks_every_field),
		cmocka_unit_test(swapon_refuses_what_cannot_work),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
