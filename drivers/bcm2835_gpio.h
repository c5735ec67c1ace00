/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pin functions and pulls of BCM2835-2837 (BCM2835 ARM Peripherals, chapter 6).
 * The board says which pins; see HARDWARE facts in board/raspi3/.
 */
#ifndef DRIVERS_BCM2835_GPIO_H
#define DRIVERS_BCM2835_GPIO_H

#include <stdbool.h>
#include <stdint.h>

enum bcm2835_gpio_function {
	BCM2835_GPIO_INPUT = 0,
	BCM2835_GPIO_OUTPUT = 1,
	BCM2835_GPIO_ALT0 = 4,
	BCM2835_GPIO_ALT1 = 5,
	BCM2835_GPIO_ALT2 = 6,
	BCM2835_GPIO_ALT3 = 7,
	BCM2835_GPIO_ALT4 = 3,
	BCM2835_GPIO_ALT5 = 2,
};

enum bcm2835_gpio_pull {
	BCM2835_GPIO_PULL_NONE = 0,
	BCM2835_GPIO_PULL_DOWN = 1,
	BCM2835_GPIO_PULL_UP = 2,
	BCM2835_GPIO_PULL_KEEP = 3, /* leave as it is */
};

/* Pins first..last (0..53) get one function and one pull. */
struct bcm2835_gpio_setting {
	uint8_t first, last;
	uint8_t function; /* enum bcm2835_gpio_function */
	uint8_t pull;     /* enum bcm2835_gpio_pull */
};

/* Apply count settings in order to the controller at virtual address base. Works
 * before everything else; does not yield. */
void bcm2835_gpio_apply(uintptr_t base, const struct bcm2835_gpio_setting *settings,
    uint32_t count);

/* Drive an output pin; one that becomes an output later will have this level then. */
void bcm2835_gpio_write(uintptr_t base, uint32_t pin, bool high);

#endif
