/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ACT LED of Raspberry Pi boards with a BCM2837, as the kernel's light (kern/led.h).
 *
 * Where it is wired, by the type field (bits 11:4) of a new-style revision code (bit 23;
 * mailbox tag 0x00010002):
 *
 *   type  board      light                              device tree of Linux
 *   0x08  3B         firmware's GPIO expander, line 2   bcm2837-rpi-3-b.dts: <&expgpio 2
 *                    = GPIO 130, lit when high            GPIO_ACTIVE_HIGH>, "STATUS_LED"
 *   0x0d  3B+        GPIO 29, lit when high             bcm2837-rpi-3-b-plus.dts, "STATUS_LED_G"
 *   0x0e  3A+        GPIO 29, lit when high             bcm2837-rpi-3-a-plus.dts, "STATUS_LED_G"
 *   0x12  Zero 2 W   GPIO 29, lit when low              bcm2837-rpi-zero-2-w.dts, "STATUS_LED_N"
 *
 * The expander hangs on the VideoCore: its lines are GPIO 128 + n of mailbox tag 0x00038041
 * (Linux gpio-raspberrypi-exp.c). On a 3B GPIO 29 is LAN_RUN_BOOT and left alone. Type
 * numbers: raspberrypi.com documentation, "Raspberry Pi revision codes". Compute modules and
 * unknown boards have no light here.
 */
#ifndef DRIVERS_ACT_LED_H
#define DRIVERS_ACT_LED_H

#include <stdbool.h>
#include <stdint.h>

#include "kern/led.h"
#include "lib/err.h"

struct act_led {
	uint8_t pin;     /* 128 and up: the firmware's */
	bool active_low;
};

#define ACT_LED_EXPANDER 128u

/* The light of the board with this revision code. ERR_NODEV: none that is known. */
int act_led_find(uint32_t revision, struct act_led *out) ERR_MUST_CHECK;

/* Make it the kernel's light (led_attach): gpio is the virtual address of the pin controller,
 * the mailbox is attached. waits as for led_attach. ERR_NODEV. Does not yield. */
int act_led_attach(uintptr_t gpio, uint32_t revision, bool waits) ERR_MUST_CHECK;

/* The same light with MMU and caches off, on nothing but a stack: by physical addresses of
 * mailbox and pins, asking the firmware which board it is. counter_hz as CNTFRQ_EL0. */
struct act_led_start {
	uintptr_t mailbox, gpio;
	uint64_t counter_hz;
	uint32_t bus_offset; /* what the firmware calls physical address 0 */
};
/* Blink the code of a stage once. */
void act_led_start_stage(const struct act_led_start *s, enum led_stage stage);
/* Blink the code of a panic for ever; in an emulator once. */
void act_led_start_panic(const struct act_led_start *s, enum led_panic class);

#endif
