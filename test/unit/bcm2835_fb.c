/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The framebuffer driver against a firmware that answers as asked, otherwise, or not at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/bcm2835_fb.h"
#include "drivers/mailbox.h"
#include "test/host/console_tap.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mmio.h"

#define MAILBOX 0x3f00b880u

extern void *sim_uncached;
extern size_t sim_uncached_bytes;

/* What the firmware makes of a message. */
static struct {
	uint32_t screen_width, screen_height; /* connected; 0 = does not say */
	uint32_t width, height, depth, order, pitch, base, bytes;
	bool other_size;  /* width and height instead of those asked for */
	uint32_t silent;  /* a tag that is not answered */
	bool dead;
} firmware;

static uint32_t letter;
static char anchor;

static void
answer_tag(uint32_t *tag)
{
	uint32_t *v = &tag[3];

	if (tag[0] == firmware.silent)
		return;
	if (tag[0] == 0x40003) {
		if (firmware.screen_width == 0)
			return;
		v[0] = firmware.screen_width;
		v[1] = firmware.screen_height;
	} else if (tag[0] == 0x48003 || tag[0] == 0x48004) {
		if (firmware.other_size) {
			v[0] = firmware.width;
			v[1] = firmware.height;
		}
		firmware.width = v[0];
		firmware.height = v[1];
	} else if (tag[0] == 0x48005) {
		assert_int_equal(v[0], 32);
		v[0] = firmware.depth;
	} else if (tag[0] == 0x48006) {
		v[0] = firmware.order;
	} else if (tag[0] == 0x40001) {
		assert_int_equal(v[0] % 16, 0);
		v[0] = firmware.base;
		v[1] = firmware.bytes != 0 ? firmware.bytes : firmware.width * firmware.height * 4;
	} else if (tag[0] == 0x40008) {
		v[0] = firmware.pitch != 0 ? firmware.pitch : firmware.width * 4;
	}
	tag[2] = 0x80000000 | tag[1];
}

static uint32_t
mailbox_read(void *device, uint32_t offset)
{
	uint32_t value = letter;

	(void)device;
	if (offset == 0x18)
		return (letter == 0 ? 1u << 30 : 0);
	if (offset == 0x38)
		return (0);
	letter = 0;
	return (value);
}

static void
answer(uint32_t *m)
{
	uint32_t at;

	for (at = 2; m[at] != 0; at += 3 + m[at + 1] / 4) {
		assert_true(at * 4 < m[0]);
		answer_tag(&m[at]);
	}
	m[1] = 0x80000000;
}

/* The buffer is static memory of this process, as this is: not far away. */
static void
mailbox_write(void *device, uint32_t offset, uint32_t value)
{
	(void)device;
	(void)offset;
	if (firmware.dead)
		return;
	answer((uint32_t *)(void *)(&anchor +
	    (int32_t)((value & ~15u) - (uint32_t)(uintptr_t)&anchor)));
	letter = value;
}

static const struct display *opened;

static int
open_screen(void)
{
	static struct sim_mmio window;

	sim_reset();
	sim_mmio_reset();
	sim_mmio_elsewhere();
	window = (struct sim_mmio){ .base = MAILBOX, .bytes = 0x40, .read = mailbox_read,
		.write = mailbox_write };
	sim_mmio_add(&window);
	letter = 0;
	mailbox_attach(MAILBOX);
	console_tap_begin();
	bcm2835_fb_attach();
	return (display_open(&opened));
}

static void
good(void)
{
	static uint32_t memory[1920 * 1200];

	memset(&firmware, 0, sizeof(firmware));
	firmware.depth = 32;
	firmware.order = 1;
	firmware.base = 0xfc100000;
	sim_uncached = memory;
	sim_uncached_bytes = sizeof(memory);
}

static void
opens_as(uint32_t width, uint32_t height)
{
	assert_int_equal(open_screen(), 0);
	assert_int_equal(opened->width, width);
	assert_int_equal(opened->height, height);
	assert_int_equal(opened->pitch, width);
	assert_ptr_equal(opened->pixels, sim_uncached);
}

static void
test_size_of_what_is_connected(void **state)
{
	(void)state;
	good();
	opens_as(640, 480);
	firmware.screen_width = 1920;
	firmware.screen_height = 1080;
	opens_as(1920, 1080);
	firmware.screen_width = 3840;
	firmware.screen_height = 2160;
	opens_as(1280, 720);
	firmware.screen_width = 2;
	opens_as(640, 480);
	assert_string_equal(console_tap_text(), "");
}

static void
test_order_and_pitch(void **state)
{
	(void)state;
	good();
	opens_as(640, 480);
	assert_int_equal(display_colour(opened, 0x112233), 0xff332211);
	firmware.order = 0;
	firmware.pitch = 640 * 4 + 64;
	firmware.bytes = (640 * 4 + 64) * 480;
	assert_int_equal(open_screen(), 0);
	assert_int_equal(opened->pitch, 656);
	assert_int_equal(display_colour(opened, 0x112233), 0xff112233);
}

static void
refused(const char *words)
{
	assert_int_not_equal(open_screen(), 0);
	if (strstr(console_tap_text(), words) == NULL)
		fail_msg("expected ...%s... got %s", words, console_tap_text());
	good();
}

static void
test_answers_that_cannot_be_drawn_on(void **state)
{
	(void)state;
	good();
	firmware.depth = 16;
	refused("640x480, depth 16");
	firmware.other_size = true;
	firmware.width = 100;
	firmware.height = 100;
	refused("smaller than 320 by 200");
	firmware.base = 0;
	refused("no memory for it (gpu_mem in config.txt)");
	firmware.base = 0xfc100004;
	refused("no memory for it");
	firmware.pitch = 639 * 4;
	refused("rows shorter than the screen is wide");
	firmware.pitch = 640 * 4 + 2;
	refused("rows shorter");
	firmware.bytes = 640 * 480 * 4 - 1;
	refused("less memory than the screen has pixels");
}

static void
test_firmware_without_a_screen(void **state)
{
	static const uint32_t needed[] = { 0x48003, 0x48004, 0x48005, 0x40001, 0x40008 };
	uint32_t i;

	(void)state;
	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		good();
		firmware.silent = needed[i];
		refused("screen: the firmware gives none: ");
	}
	firmware.dead = true;
	refused("screen: the firmware gives none: ");
	/* Pixel order and offset may be left as they are. */
	firmware.silent = 0x48009;
	assert_int_equal(open_screen(), 0);
}

static void
test_no_room_to_map(void **state)
{
	(void)state;
	good();
	sim_uncached_bytes = 100;
	assert_int_equal(open_screen(), ERR_NOMEM);
}

static void
test_opened_once(void **state)
{
	const struct display *again;

	(void)state;
	good();
	assert_int_equal(open_screen(), 0);
	firmware.dead = true;
	assert_int_equal(display_open(&again), 0);
	assert_ptr_equal(again, opened);
	display_register(NULL);
	assert_int_equal(display_open(&again), ERR_NODEV);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_size_of_what_is_connected),
		cmocka_unit_test(test_order_and_pitch),
		cmocka_unit_test(test_answers_that_cannot_be_drawn_on),
		cmocka_unit_test(test_firmware_without_a_screen),
		cmocka_unit_test(test_no_room_to_map),
		cmocka_unit_test(test_opened_once),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
