/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ACT LED once the kernel runs on virtual addresses.
 *
 * Owns: the LED's pin.
 * Does not: choose what is shown (kern/led.c); run before the MMU is on (act_led_start.c).
 * Invariants: none.
 * Yields: never. A light behind the firmware costs a mailbox exchange each time, some 100
 *   microseconds by polling; a firmware that does not answer is not asked again.
 * See: drivers/act_led.h for where the LED is.
 */
#include "drivers/act_led.h"

#include "drivers/bcm2835_gpio.h"
#include "drivers/mailbox.h"

static uintptr_t gpio_base;
static struct act_led light;
static bool dead;

/* Also called with the MMU off: a switch, which needs no address of its own. */
int
act_led_find(uint32_t revision, struct act_led *out)
{
	bool new_style = revision >> 23 & 1;

	switch (new_style ? revision >> 4 & 0xff : 0) {
	case 0x08:
		*out = (struct act_led){ ACT_LED_EXPANDER + 2, false };
		return (0);
	case 0x0d:
	case 0x0e:
		*out = (struct act_led){ 29, false };
		return (0);
	case 0x12:
		*out = (struct act_led){ 29, true };
		return (0);
	default:
		return (ERR_NODEV);
	}
}

static void
act_led_set(bool on)
{
	bool high = on != light.active_low;

	if (light.pin < ACT_LED_EXPANDER)
		bcm2835_gpio_write(gpio_base, light.pin, high);
	else if (!dead && mailbox_set_gpio(light.pin, high) == ERR_TIMEDOUT)
		dead = true;
}

static const struct led_dev act_led_dev = { .name = "ACT LED", .set = act_led_set };

int
act_led_attach(uintptr_t gpio, uint32_t revision, bool waits)
{
	struct bcm2835_gpio_setting output = { .function = BCM2835_GPIO_OUTPUT,
		.pull = BCM2835_GPIO_PULL_KEEP };
	int error = act_led_find(revision, &light);

	if (error != 0)
		return (error);
	gpio_base = gpio;
	act_led_set(false);
	output.first = output.last = light.pin;
	if (light.pin < ACT_LED_EXPANDER)
		bcm2835_gpio_apply(gpio, &output, 1);
	led_attach(&act_led_dev, waits);
	return (0);
}
