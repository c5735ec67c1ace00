/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pin functions and pulls of BCM2835-2837.
 *
 * A pull is set by a small dance: the control word, 150 core cycles, a clock edge
 * to the chosen pins, 150 cycles, both back to zero. The wait is counted in
 * register reads (each takes several core cycles at least), so that it works
 * before there is a timer.
 *
 * A pin goes to its function by way of INPUT: QEMU moves the SD card between its
 * two controllers only on ALT0 and on INPUT of pins 48-53, and hardware is glad of
 * a quiet pin in between.
 *
 * Owns: nothing lasting. Does not: read pins or take pin interrupts.
 * Yields: never.
 * See: BCM2835 ARM Peripherals, chapter 6 (GPFSELn, GPPUD, GPPUDCLKn).
 */
#include "drivers/bcm2835_gpio.h"

#include "kern/mmio.h"
#include "lib/assert.h"

#define GPFSEL(n)    (4 * (n))
#define GPSET(n)     (0x1c + 4 * (n))
#define GPCLR(n)     (0x28 + 4 * (n))
#define GPPUD        0x94
#define GPPUDCLK(n)  (0x98 + 4 * (n))

#define PINS          54
#define PINS_PER_FSEL 10
#define PULL_WAIT_READS 150

static void
set_function(uintptr_t base, uint32_t pin, uint32_t function)
{
	uintptr_t reg = base + GPFSEL(pin / PINS_PER_FSEL);
	uint32_t shift = pin % PINS_PER_FSEL * 3;
	uint32_t others = mmio_read32(reg) & ~(7u << shift);

	mmio_write32(reg, others | function << shift);
}

static void
pull_wait(uintptr_t base)
{
	for (uint32_t n = 0; n < PULL_WAIT_READS; n++)
		(void)mmio_read32(base + GPPUD);
}

static void
set_pulls(uintptr_t base, uint64_t pins, uint32_t pull)
{
	mmio_write32(base + GPPUD, pull);
	pull_wait(base);
	mmio_write32(base + GPPUDCLK(0), (uint32_t)pins);
	mmio_write32(base + GPPUDCLK(1), (uint32_t)(pins >> 32));
	pull_wait(base);
	mmio_write32(base + GPPUD, 0);
	mmio_write32(base + GPPUDCLK(0), 0);
	mmio_write32(base + GPPUDCLK(1), 0);
}

static void
apply(uintptr_t base, const struct bcm2835_gpio_setting *s)
{
	uint64_t pins = 0;

	mmio_barrier();
	KASSERT(s->first <= s->last && s->last < PINS, "pins of a GPIO setting are 0..53");
	for (uint32_t pin = s->first; pin <= s->last; pin++) {
		set_function(base, pin, BCM2835_GPIO_INPUT);
		pins |= 1ull << pin;
	}
	if (s->pull != BCM2835_GPIO_PULL_KEEP)
		set_pulls(base, pins, s->pull);
	for (uint32_t pin = s->first; pin <= s->last; pin++)
		if (s->function != BCM2835_GPIO_INPUT)
			set_function(base, pin, s->function);
}

void
bcm2835_gpio_apply(uintptr_t base, const struct bcm2835_gpio_setting *settings, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		apply(base, &settings[i]);
}

void
bcm2835_gpio_write(uintptr_t base, uint32_t pin, bool high)
{
	KASSERT(pin < PINS, "pins are 0..53");
	mmio_barrier();
	mmio_write32(base + (high ? GPSET(pin / 32) : GPCLR(pin / 32)), 1u << pin % 32);
}
