/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blink codes on the board's one light.
 *
 *   led_stage 1 .. 4   boot stack: blinked on the spot, by polling the counter
 *   led_stage 5, 6     task "led" repeats the code until the next stage
 *   led_ready          task "led": heartbeat
 *   led_show_panic     by polling, and no return
 *
 * A light that stops in the middle of its heartbeat says that no task gets the core.
 *
 * Owns: the light after led_attach; which code is shown.
 * Does not: know where the light is wired (drivers/act_led.c), or judge panics.
 * Invariants:
 *   E1 a light is attached once.
 * Yields: task "led" only.
 * See: kern/led.h for the table of codes.
 */
#include "kern/led.h"

#include <stddef.h>

#include "kern/bootargs.h"
#include "kern/kern_params.h"
#include "kern/sched.h"
#include "kern/task.h"
#include "kern/timer.h"
#include "kern/trace.h"
#include "lib/assert.h"

#define DELAY_STEP_US       1000u /* timer_delay's limit */
#define PANIC_ROUNDS_BOUND  3u    /* where the end of the panic is waited for */

static const struct led_dev *led;
static bool waits;
static bool by_task;     /* task "led" runs */
static uint32_t beats;   /* blinks of the heartbeat; 0: boot is not over */
static uint32_t shown;   /* the stage */

bool
led_present(void)
{
	return (led != NULL);
}

void
led_attach(const struct led_dev *dev, bool takes_time)
{
	KASSERT(led == NULL, "E1: there is one light");
	led = dev;
	waits = takes_time;
	led->set(false);
}

static void
set(bool on)
{
	led->set(on);
	kern_params.led_blinks += on;
}

/* ---- by polling */

static void
delay(uint32_t us)
{
	for (uint32_t n = 0; waits && n < us / DELAY_STEP_US; n++)
		timer_delay(DELAY_STEP_US);
}

static void
blink(uint32_t count, uint32_t on_us, uint32_t off_us)
{
	for (uint32_t n = 0; n < count; n++) {
		set(true);
		delay(on_us);
		set(false);
		delay(off_us);
	}
}

void
led_stage(enum led_stage stage)
{
	trace(TRACE_BOOT, stage, 0, 0);
	shown = stage;
	kern_params.led_stage = stage;
	if (led == NULL || by_task)
		return;
	blink(stage, LED_SHORT_ON_US, LED_SHORT_OFF_US);
	delay(LED_STAGE_GAP_US);
}

void
led_show_panic(enum led_panic class)
{
	uint32_t rounds = !waits ? 1 : bootargs.semihosting ? PANIC_ROUNDS_BOUND : UINT32_MAX;

	if (led == NULL)
		return;
	set(false);
	delay(LED_PANIC_GAP_US);
	for (uint32_t n = 0; n < rounds || rounds == UINT32_MAX; n++) {
		blink(class, LED_LONG_ON_US, LED_LONG_OFF_US);
		delay(LED_PANIC_GAP_US);
	}
}

const char *
led_panic_words(enum led_panic class)
{
	static const char *const words[] = {
#define LED_WORDS(symbol, blinks, text) [blinks] = text,
		LED_PANICS(LED_WORDS)
#undef LED_WORDS
	};

	return (words[class]);
}

/* ---- by task */

static void
blink_asleep(uint32_t count)
{
	for (uint32_t n = 0; n < count; n++) {
		set(true);
		tsleep(&led, "led", LED_SHORT_ON_US);
		set(false);
		tsleep(&led, "led", LED_SHORT_OFF_US);
	}
}

static void
led_task(void *arg)
{
	(void)arg;
	for (;;) {
		blink_asleep(beats != 0 ? beats : shown);
		tsleep(&led, "led", LED_HEARTBEAT_US);
	}
}

int
led_start(void)
{
	struct task *t;
	int error;

	if (led == NULL)
		return (0);
	error = task_create(&t, "led", PRI_NORMAL, led_task, NULL);
	by_task = error == 0;
	return (error);
}

void
led_ready(bool complete)
{
	led_stage(LED_STAGE_READY);
	beats = complete ? 1 : 2;
}
