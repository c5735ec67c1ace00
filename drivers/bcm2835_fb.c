/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The framebuffer of the VideoCore's display.
 *
 * One message sets everything and asks for the memory: the firmware makes the screen as
 * the message as a whole says. What it answers is checked part by part, for it may give
 * other than was asked. The memory is the GPU's, outside the ARM's RAM; its address comes
 * as the bus sees it, with the alias in the two upper bits.
 *
 * It is mapped Normal non-cacheable: nobody but the display controller reads it, and that
 * one not through the caches; Device memory would send each pixel alone, while writes to
 * Normal memory may gather into bursts (Arm ARM DDI0487 B2.7).
 *
 * Owns: nothing that lasts.
 * Does not: draw.
 * Invariants: none.
 * Yields: never; a message polls the firmware (drivers/mailbox.h).
 * See: Raspberry Pi firmware wiki, "Mailbox property interface", frame buffer.
 */
#include "drivers/bcm2835_fb.h"

#include <stddef.h>

#include "drivers/mailbox.h"
#include "kern/console.h"
#include "kern/machdep.h"

#define TAG_GET_PHYSICAL_SIZE 0x00040003u
#define TAG_SET_PHYSICAL_SIZE 0x00048003u
#define TAG_SET_VIRTUAL_SIZE  0x00048004u
#define TAG_SET_OFFSET        0x00048009u
#define TAG_SET_DEPTH         0x00048005u
#define TAG_SET_PIXEL_ORDER   0x00048006u
#define TAG_ALLOCATE          0x00040001u
#define TAG_GET_PITCH         0x00040008u

#define ORDER_RGB    1u /* red in the byte at the lowest address */
#define BUS_ADDRESS  0x3fffffffu
#define ALIGN_BYTES  4096u
#define TAG_DONE     0x80000000u

/* The message: each tag is its number, bytes of its values, 0, the values. */
enum {
	PHYSICAL = 0, VIRTUAL = 5, OFFSET = 10, DEPTH = 15, ORDER = 19, MEMORY = 23, PITCH = 28,
	WORDS = 32,
};

struct answer {
	uint32_t width, height, depth, order, pa, bytes, pitch_bytes;
};

static void
tag_fill(uint32_t *tag, uint32_t number, uint32_t words, uint32_t first, uint32_t second)
{
	tag[0] = number;
	tag[1] = words * 4;
	tag[2] = 0;
	tag[3] = first;
	if (words > 1)
		tag[4] = second;
}

/* What the display is; 0 if it does not say. */
static void
screen_size(uint32_t *width, uint32_t *height)
{
	uint32_t tag[5];

	tag_fill(tag, TAG_GET_PHYSICAL_SIZE, 2, 0, 0);
	*width = *height = 0;
	if (mailbox_message(tag, 5) == 0 && (tag[2] & TAG_DONE) != 0) {
		*width = tag[3];
		*height = tag[4];
	}
	if (*width < 320 || *height < 200) {
		*width = 640;
		*height = 480;
	}
	if (*width > BCM2835_FB_WIDTH_MAX || *height > BCM2835_FB_HEIGHT_MAX) {
		*width = 1280;
		*height = 720;
	}
}

static int
ask(uint32_t width, uint32_t height, struct answer *out)
{
	static const uint8_t tags[] = { PHYSICAL, VIRTUAL, DEPTH, MEMORY, PITCH };
	uint32_t message[WORDS], i;
	int error;

	tag_fill(&message[PHYSICAL], TAG_SET_PHYSICAL_SIZE, 2, width, height);
	tag_fill(&message[VIRTUAL], TAG_SET_VIRTUAL_SIZE, 2, width, height);
	tag_fill(&message[OFFSET], TAG_SET_OFFSET, 2, 0, 0);
	tag_fill(&message[DEPTH], TAG_SET_DEPTH, 1, 32, 0);
	tag_fill(&message[ORDER], TAG_SET_PIXEL_ORDER, 1, ORDER_RGB, 0);
	tag_fill(&message[MEMORY], TAG_ALLOCATE, 2, ALIGN_BYTES, 0);
	tag_fill(&message[PITCH], TAG_GET_PITCH, 1, 0, 0);
	error = mailbox_message(message, WORDS);
	for (i = 0; error == 0 && i < sizeof(tags); i++)
		if ((message[tags[i] + 2] & TAG_DONE) == 0)
			error = ERR_NOTSUP;
	*out = (struct answer){ .width = message[VIRTUAL + 3], .height = message[VIRTUAL + 4],
		.depth = message[DEPTH + 3], .order = message[ORDER + 3],
		.pa = message[MEMORY + 3] & BUS_ADDRESS, .bytes = message[MEMORY + 4],
		.pitch_bytes = message[PITCH + 3] };
	return (error);
}

/* NULL if the answer is one that can be drawn on. */
static const char *
wrong_with(const struct answer *a)
{
	if (a->depth != 32)
		return ("pixels not of 32 bits");
	if (a->width < 320 || a->height < 200)
		return ("smaller than 320 by 200 pixels");
	if (a->pa == 0 || a->pa % 16 != 0)
		return ("no memory for it (gpu_mem in config.txt)");
	if (a->pitch_bytes % 4 != 0 || a->pitch_bytes / 4 < a->width)
		return ("rows shorter than the screen is wide");
	if ((uint64_t)a->pitch_bytes * a->height > a->bytes)
		return ("less memory than the screen has pixels");
	return (NULL);
}

static int
fb_open(struct display *out)
{
	uint32_t width, height;
	const char *why;
	struct answer a;
	int error;

	screen_size(&width, &height);
	error = ask(width, height, &a);
	if (error != 0) {
		kprintf("screen: the firmware gives none: %s\n", err_string(error));
		return (error);
	}
	why = wrong_with(&a);
	if (why != NULL) {
		kprintf("screen: %ux%u, depth %u, %u bytes at 0x%x, pitch %u: %s\n", a.width,
		    a.height, a.depth, a.bytes, a.pa, a.pitch_bytes, why);
		return (ERR_NOTSUP);
	}
	out->pixels = cpu_map_uncached(a.pa, a.bytes);
	if (out->pixels == NULL)
		return (ERR_NOMEM);
	out->width = a.width;
	out->height = a.height;
	out->pitch = a.pitch_bytes / 4;
	out->red_shift = a.order == ORDER_RGB ? 0 : 16;
	out->blue_shift = a.order == ORDER_RGB ? 16 : 0;
	return (0);
}

void
bcm2835_fb_attach(void)
{
	display_register(fb_open);
}
