/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VideoCore firmware's property mailbox (channel 8): what the board is, and
 * its clocks. Every call polls the firmware for at most MAILBOX_TIMEOUT_US with
 * the core; meant for boot and for rare questions. None yields.
 *
 * All return 0 or: ERR_NODEV before mailbox_attach, ERR_TIMEDOUT, ERR_IO (the
 * firmware refused the request), ERR_NOTSUP (this firmware does not know the tag).
 */
#ifndef DRIVERS_MAILBOX_H
#define DRIVERS_MAILBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

#define MAILBOX_TIMEOUT_US 100000

/* Clock ids of the firmware. */
enum mailbox_clock {
	MAILBOX_CLOCK_EMMC = 1,
	MAILBOX_CLOCK_UART = 2,
	MAILBOX_CLOCK_ARM = 3,
	MAILBOX_CLOCK_CORE = 4,
	MAILBOX_CLOCK_EMMC2 = 12,
};

/* base: virtual address of mailbox 0 (physical 0x3F00B880 on raspi3). */
void mailbox_attach(uintptr_t base);

/*
 * One property tag: values[0..request_words) go out, values[0..words) come back;
 * words is the size of the tag's buffer. *response_bytes: how many bytes the
 * firmware says the answer has, which may exceed the buffer.
 */
int mailbox_property(uint32_t tag, uint32_t *values, uint32_t request_words, uint32_t words,
    uint32_t *response_bytes) ERR_MUST_CHECK;

/*
 * Several tags in one message, which the firmware takes together: words of tags one after
 * another (number, bytes of values, 0, values; at most MAILBOX_MESSAGE_WORDS), without the
 * end tag. They come back as the firmware leaves them: whether each was answered is in
 * bit 31 of its third word.
 */
#define MAILBOX_MESSAGE_WORDS 256u
int mailbox_message(uint32_t *tags, uint32_t words) ERR_MUST_CHECK;

int mailbox_board_revision(uint32_t *revision) ERR_MUST_CHECK;
/* RAM that belongs to the ARM: physical start and size. */
int mailbox_arm_memory(uint32_t *start_pa, uint32_t *size_bytes) ERR_MUST_CHECK;
int mailbox_clock_hz(enum mailbox_clock clock, uint32_t *hz) ERR_MUST_CHECK;
/* Devices that the firmware can turn on and off. */
#define MAILBOX_POWER_SD 0u
/* Turn a device's power on and wait until it is stable. ERR_NODEV: the firmware says that
 * there is no such device. */
int mailbox_power_on(uint32_t device) ERR_MUST_CHECK;

/* The rate of a clock that must be at least min_hz: one that is slower, 0 or not told is
 * asked to run at wanted_hz first, and *hz is what came of it. ERR_RANGE: still too slow. */
int mailbox_clock_at_least(enum mailbox_clock clock, uint32_t min_hz, uint32_t wanted_hz,
    uint32_t *hz) ERR_MUST_CHECK;
/* The highest rate that the firmware permits. */
int mailbox_clock_max_hz(enum mailbox_clock clock, uint32_t *hz) ERR_MUST_CHECK;
/* Ask for *hz; *hz becomes what was set. */
int mailbox_set_clock_hz(enum mailbox_clock clock, uint32_t *hz) ERR_MUST_CHECK;
/* DMA channels that the ARM may use: bit n for channel n. */
int mailbox_dma_channels(uint32_t *channels) ERR_MUST_CHECK;
/* Core temperature in thousandths of a degree Celsius, and the highest that is safe. */
int mailbox_temperature_mc(uint32_t *temperature_mc) ERR_MUST_CHECK;
int mailbox_temperature_max_mc(uint32_t *temperature_mc) ERR_MUST_CHECK;
/* Voltage number id (1 core, 2-4 SDRAM). */
int mailbox_voltage_uv(uint32_t id, uint32_t *voltage_uv) ERR_MUST_CHECK;
/* Conditions that hold now (bits 3:0: supply too low, ARM clock capped, throttled, soft
 * temperature limit) and that have held since the last call (19:16). */
int mailbox_throttled(uint32_t *flags) ERR_MUST_CHECK;
/* Drive a GPIO of the firmware's expander (128 and up). Uses a buffer of its own: also in a
 * panic that came in the middle of another request. */
int mailbox_set_gpio(uint32_t pin, bool high) ERR_MUST_CHECK;
/* The kernel command line of cmdline.txt, NUL-terminated, cut to bytes. */
int mailbox_command_line(char *text, uint32_t bytes) ERR_MUST_CHECK;

#endif
