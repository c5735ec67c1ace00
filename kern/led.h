/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One light that says how far boot has come and, after a panic, of which kind it was: for
 * boards on which the serial line may be silent for reasons of its own.
 *
 * THE CODES. Short blinks (50 ms on, 100 ms off), once each, tell a stage that boot has come
 * to. Long ones (400 ms on, 300 ms off), a second and a half of darkness after each group,
 * for ever, tell a panic. After boot the light blinks once every two seconds as long as tasks
 * get the core; twice if there is no disk with programs.
 */
#ifndef KERN_LED_H
#define KERN_LED_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

/* X(symbol, short blinks, what boot has come to) */
#define LED_STAGES(X)                                                                      \
	X(LED_STAGE_START, 1, "the firmware has started the kernel; MMU and caches are off") \
	X(LED_STAGE_KERNEL, 2, "MMU and caches are on, the firmware answers")               \
	X(LED_STAGE_CONSOLE, 3, "the console is set up: text goes to the UART from here on") \
	X(LED_STAGE_MEMORY, 4, "RAM is found and the page pool made")                       \
	X(LED_STAGE_TASKS, 5, "tasks and interrupts run; the card is being looked for")     \
	X(LED_STAGE_DISKS, 6, "disks and file system have been looked at; swap is next")    \
	X(LED_STAGE_READY, 7, "up; never shown, the heartbeat begins")

/* X(symbol, long blinks, which kind of panic) */
#define LED_PANICS(X)                                                                      \
	X(LED_PANIC_OTHER, 1, "something else: the text says what")                         \
	X(LED_PANIC_ASSERTION, 2, "a rule of the kernel does not hold (assertion)")         \
	X(LED_PANIC_EXCEPTION, 3, "an exception in the kernel: bad access, bus error, stack") \
	X(LED_PANIC_MEMORY, 4, "no RAM, or not enough, at boot")                            \
	X(LED_PANIC_DEVICE, 5, "a device or task that boot cannot do without failed")       \
	X(LED_PANIC_PLACE, 6, "the image was loaded at a wrong address (kernel_address=)")

#define LED_ENUM(symbol, blinks, words) symbol = (blinks),
enum led_stage { LED_STAGES(LED_ENUM) };
enum led_panic { LED_PANICS(LED_ENUM) };
#undef LED_ENUM

#define LED_SHORT_ON_US    50000u
#define LED_SHORT_OFF_US   100000u
#define LED_LONG_ON_US     400000u
#define LED_LONG_OFF_US    300000u
#define LED_STAGE_GAP_US   300000u
#define LED_PANIC_GAP_US   1500000u
#define LED_HEARTBEAT_US   2000000u

/* QEMU's counter frequency, which no board here has (19.2 and 54 MHz): nobody sees the light
 * there, so no time is spent on it, and a panic's code is given once. */
#define LED_EMULATOR_HZ 62500000u

/* CONTRACT with drivers: a light. set: any context; may poll the firmware, never yields. */
struct led_dev {
	const char *name;
	void (*set)(bool on);
};

/* From now on dev is the light; waits: blinking takes its time. Boot, after timer_init. */
void led_attach(const struct led_dev *dev, bool waits);

/* Boot has come to stage: blinks before there are tasks; later task "led" shows it until the
 * next one. Does not yield. */
void led_stage(enum led_stage stage);

/* Start task "led", if there is a light. Errors of task_create. */
int led_start(void) ERR_MUST_CHECK;

/* Boot is over: the heartbeat is one blink, or two where something is missing. */
void led_ready(bool complete);

/* In a panic: show the code of class; for ever, or, where that would keep an exit code from
 * getting out (no waiting, semihosting), a few times. Polls; any context. */
void led_show_panic(enum led_panic class);
/* What a panic of this class is, in words. */
const char *led_panic_words(enum led_panic class);
/* Is there a light? */
bool led_present(void);

#endif
