/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ACT LED before the MMU is on: the first sign of life.
 *
 * Runs on the boot stack at physical addresses, all memory being Device memory: nothing of
 * ours is in a cache, so the mailbox buffer is an array on the stack, and the firmware sees
 * each store. The code and its constants are PC-relative, so it also works where the image
 * was loaded at a wrong address, which is what it then says.
 *
 * Owns: the light, until the kernel attaches it again.
 * Does not: use static variables (they are cleared later), pointers made at link time, or
 *   instructions that Device memory forbids (-mstrict-align is on everywhere).
 * Invariants: A1 every wait is bounded: a firmware that does not answer costs 100 ms, once.
 * Yields: never.
 * See: arch/arm64/start.S, which calls it through kern/machdep.h; drivers/act_led.h.
 */
#include "drivers/act_led.h"
#include "kern/machdep.h"
#include "kern/mmio.h"

#define MBOX_READ         0x00
#define MBOX_STATUS       0x18
#define MBOX_WRITE        0x20
#define MBOX_WRITE_STATUS 0x38
#define STATUS_EMPTY      (1u << 30)
#define STATUS_FULL       (1u << 31)
#define CHANNEL_PROPERTY  8u

#define TAG_BOARD_REVISION 0x00010002u
#define TAG_SET_GPIO_STATE 0x00038041u
#define RESPONSE_OK        0x80000000u

#define GPFSEL(pin)    (4 * ((pin) / 10))
#define GPSET(pin)     (0x1c + 4 * ((pin) / 32))
#define GPCLR(pin)     (0x28 + 4 * ((pin) / 32))
#define FSEL_OUTPUT    1u

#define LETTER_WORDS   8u
#define ANSWERS_MAX    16u
#define ANSWER_WAIT_US 100000u
#define US_PER_SECOND  1000000u

/* Counted from the frequency, not by kern/timer.c, which has static variables. */
static bool
wait_clear(const struct act_led_start *s, uintptr_t reg, uint32_t flag)
{
	uint64_t limit = s->counter_hz * ANSWER_WAIT_US / US_PER_SECOND;
	uint64_t start = get_cyclecount();

	while (mmio_read32(s->mailbox + reg) & flag)
		if (get_cyclecount() - start > limit)
			return (false);
	return (true);
}

static void
delay(const struct act_led_start *s, uint64_t us)
{
	uint64_t cycles = s->counter_hz * us / US_PER_SECOND;
	uint64_t start = get_cyclecount();

	while (s->counter_hz != LED_EMULATOR_HZ && get_cyclecount() - start < cycles)
		continue;
}

/* One tag with two words of values; the first of the answer, or -1. */
static int64_t
ask(const struct act_led_start *s, uint32_t tag, uint32_t first, uint32_t second)
{
	volatile uint32_t m[LETTER_WORDS] __attribute__((aligned(64)));
	/* With the MMU off an address is a physical one. */
	uint32_t letter = ((uint32_t)(uintptr_t)m + s->bus_offset) | CHANNEL_PROPERTY;

	m[0] = sizeof(m);
	m[1] = 0;
	m[2] = tag;
	m[3] = 8;
	m[4] = 0;
	m[5] = first;
	m[6] = second;
	m[7] = 0;
	mmio_barrier();
	if (!wait_clear(s, MBOX_WRITE_STATUS, STATUS_FULL))
		return (-1);
	mmio_write32(s->mailbox + MBOX_WRITE, letter);
	for (uint32_t n = 0; n < ANSWERS_MAX; n++) {
		if (!wait_clear(s, MBOX_STATUS, STATUS_EMPTY))
			return (-1);
		if (mmio_read32(s->mailbox + MBOX_READ) == letter)
			break;
	}
	mmio_barrier();
	return (m[1] == RESPONSE_OK && (m[4] & RESPONSE_OK) ? (int64_t)m[5] : -1);
}

/* Which light there is, and its pin made an output. */
static bool
find(const struct act_led_start *s, struct act_led *light)
{
	int64_t revision = ask(s, TAG_BOARD_REVISION, 0, 0);
	uint32_t shift, functions;

	if (revision < 0 || act_led_find((uint32_t)revision, light) != 0)
		return (false);
	if (light->pin >= ACT_LED_EXPANDER)
		return (true);
	mmio_barrier();
	shift = light->pin % 10 * 3;
	functions = mmio_read32(s->gpio + GPFSEL(light->pin)) & ~(7u << shift);
	mmio_write32(s->gpio + GPFSEL(light->pin), functions | FSEL_OUTPUT << shift);
	return (true);
}

static void
set(const struct act_led_start *s, const struct act_led *light, bool on)
{
	bool high = on != light->active_low;

	if (light->pin >= ACT_LED_EXPANDER)
		(void)ask(s, TAG_SET_GPIO_STATE, light->pin, high);
	else
		mmio_write32(s->gpio + (high ? GPSET(light->pin) : GPCLR(light->pin)),
		    1u << light->pin % 32);
	mmio_barrier();
}

static void
blink(const struct act_led_start *s, const struct act_led *light, uint32_t on_us, uint32_t off_us)
{
	set(s, light, true);
	delay(s, on_us);
	set(s, light, false);
	delay(s, off_us);
}

void
act_led_start_stage(const struct act_led_start *s, enum led_stage stage)
{
	struct act_led light;

	if (!find(s, &light))
		return;
	for (uint32_t n = 0; n < stage; n++)
		blink(s, &light, LED_SHORT_ON_US, LED_SHORT_OFF_US);
	delay(s, LED_STAGE_GAP_US);
}

void
act_led_start_panic(const struct act_led_start *s, enum led_panic class)
{
	struct act_led light;

	if (!find(s, &light))
		return;
	do {
		for (uint32_t n = 0; n < class; n++)
			blink(s, &light, LED_LONG_ON_US, LED_LONG_OFF_US);
		delay(s, LED_PANIC_GAP_US);
	} while (s->counter_hz != LED_EMULATOR_HZ);
}
