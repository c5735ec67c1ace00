/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VideoCore firmware's property mailbox.
 *
 * A request is one buffer with one tag. The firmware reads and writes it behind
 * our caches, so it is cleaned before and invalidated after, and it lies alone in
 * its cache lines. The overall answer says "success" even when nobody knew the tag:
 * only the tag's own response word tells.
 *
 * There are two mailboxes, one for each direction, with a status register each: room to
 * write is told by the one that is written to.
 *
 * A request that timed out may be answered later, into its buffer. The next one therefore
 * takes another buffer, and an answer that names the old one is dropped.
 *
 *   word 0 buffer bytes   1 request 0 / response 0x80000000   2 tag
 *   word 3 value bytes    4 0 / 0x80000000 | response bytes   5.. values   then 0
 *
 * Owns: mailboxes 0 and 1 and the request buffers.
 * Does not: use interrupts or other channels; nothing else of ours does either.
 * Invariants:
 *   X1 one request at a time: calls never overlap, for none yields and interrupt
 *      handlers make none; but mailbox_set_gpio, which a panic uses, has its own buffer.
 * Yields: never; polls for at most MAILBOX_TIMEOUT_US.
 * See: Raspberry Pi firmware wiki, "Mailbox property interface".
 */
#include "drivers/mailbox.h"

#include <stddef.h>
#include <string.h>

#include "kern/machdep.h"
#include "kern/mmio.h"
#include "lib/assert.h"

#define MBOX_READ   0x00
#define MBOX_STATUS 0x18
#define MBOX_WRITE  0x20
#define MBOX_WRITE_STATUS 0x38
#define STATUS_EMPTY (1u << 30)
#define STATUS_FULL  (1u << 31)

#define CHANNEL_PROPERTY 8u
#define CHANNEL_MASK     0xfu

#define RESPONSE_OK  0x80000000u
#define RESPONSE_BIT 0x80000000u

#define TAG_BOARD_REVISION 0x00010002u
#define TAG_ARM_MEMORY     0x00010005u
#define TAG_CLOCK_RATE     0x00030002u
#define TAG_MAX_CLOCK_RATE 0x00030004u
#define TAG_VOLTAGE        0x00030003u
#define TAG_TEMPERATURE    0x00030006u
#define TAG_MAX_TEMPERATURE 0x0003000au
#define TAG_THROTTLED      0x00030046u
#define TAG_SET_POWER      0x00028001u
#define TAG_DMA_CHANNELS   0x00060001
#define TAG_SET_CLOCK_RATE 0x00038002u
#define TAG_SET_GPIO_STATE 0x00038041u
#define TAG_COMMAND_LINE   0x00050001u

#define VOLTAGE_STEPS_MAX 16
#define THROTTLED_FORGET  0xffffu /* what has been, once it is told */

#define VALUE_WORDS_MAX 512u
#define HEADER_WORDS    5u
#define BUFFER_WORDS    (HEADER_WORDS + VALUE_WORDS_MAX + 1)
#define LINE_WORDS      16u /* a cache line */

static uintptr_t mailbox_base;
#define LINES(words) (((words) + LINE_WORDS - 1) / LINE_WORDS * LINE_WORDS)
static uint32_t requests[2][LINES(BUFFER_WORDS)] __attribute__((aligned(64)));
static uint32_t turn; /* which of the two */
static uint32_t gpio_request[LINE_WORDS] __attribute__((aligned(64)));

/* Until flag is clear in a status register. */
static int
wait_status(uint32_t reg, uint32_t flag)
{
	uint64_t limit = cpu_cycles_per_second() / 1000 * (MAILBOX_TIMEOUT_US / 1000);
	uint64_t start = get_cyclecount();

	while (mmio_read32(mailbox_base + reg) & flag)
		if (get_cyclecount() - start > limit)
			return (ERR_TIMEDOUT);
	return (0);
}

/* Empty out answers that nobody waits for (of a request that timed out). */
static void
drain(void)
{
	for (uint32_t n = 0; n < 16; n++) {
		if (mmio_read32(mailbox_base + MBOX_STATUS) & STATUS_EMPTY)
			return;
		(void)mmio_read32(mailbox_base + MBOX_READ);
	}
}

/* Send and wait for the answer to this letter. */
static int
post(uint32_t letter)
{
	int error;

	mmio_barrier();
	drain();
	error = wait_status(MBOX_WRITE_STATUS, STATUS_FULL);
	if (error != 0)
		return (error);
	mmio_barrier();
	mmio_write32(mailbox_base + MBOX_WRITE, letter);
	do {
		error = wait_status(MBOX_STATUS, STATUS_EMPTY);
		if (error != 0)
			return (error);
	} while (mmio_read32(mailbox_base + MBOX_READ) != letter);
	mmio_barrier();
	return (0);
}

/* Hand the buffer over and wait for it to come back: request[0] bytes of it. */
static int
exchange(const uint32_t *request)
{
	uint32_t bytes = LINES(request[0] / 4) * 4;
	uint64_t pa = virt_to_phys(request);
	uint32_t bus;
	int error;

	(void)dma_map(pa, bytes, DMA_TO_DEVICE);
	bus = (uint32_t)dma_map(pa, bytes, DMA_FROM_DEVICE);
	error = post(bus | CHANNEL_PROPERTY);
	dma_unmap(pa, bytes, DMA_FROM_DEVICE);
	dma_unmap(pa, bytes, DMA_TO_DEVICE);
	return (error);
}

/* value_words of values go out in a buffer of words. */
static void
request_fill(uint32_t *request, uint32_t tag, const uint32_t *values, uint32_t value_words,
    uint32_t words)
{
	memset(request, 0, LINES(HEADER_WORDS + words + 1) * 4);
	request[0] = (HEADER_WORDS + words + 1) * 4;
	request[2] = tag;
	request[3] = words * 4;
	memcpy(&request[HEADER_WORDS], values, value_words * 4);
}

/* What the firmware made of the tag. */
static int
answer(const uint32_t *request, uint32_t *response_bytes)
{
	if (request[1] != RESPONSE_OK)
		return (ERR_IO);
	if (!(request[4] & RESPONSE_BIT) || request[4] == RESPONSE_BIT)
		return (ERR_NOTSUP);
	*response_bytes = request[4] & ~RESPONSE_BIT;
	return (0);
}

int
mailbox_property(uint32_t tag, uint32_t *values, uint32_t request_words, uint32_t words,
    uint32_t *response_bytes)
{
	uint32_t *request = requests[turn];
	int error;

	KASSERT(words <= VALUE_WORDS_MAX && request_words <= words, "X1: request fits the buffer");
	if (mailbox_base == 0)
		return (ERR_NODEV);
	request_fill(request, tag, values, request_words, words);
	error = exchange(request);
	if (error == ERR_TIMEDOUT)
		turn ^= 1;
	if (error == 0)
		error = answer(request, response_bytes);
	if (error == 0)
		memcpy(values, &request[HEADER_WORDS], words * 4);
	return (error);
}

int
mailbox_message(uint32_t *tags, uint32_t words)
{
	uint32_t *request = requests[turn];
	int error;

	KASSERT(words <= MAILBOX_MESSAGE_WORDS, "X1: request fits the buffer");
	if (mailbox_base == 0)
		return (ERR_NODEV);
	memset(request, 0, LINES(words + 3) * 4);
	request[0] = (words + 3) * 4;
	memcpy(&request[2], tags, words * 4);
	error = exchange(request);
	if (error == ERR_TIMEDOUT)
		turn ^= 1;
	if (error == 0 && request[1] != RESPONSE_OK)
		error = ERR_IO;
	if (error == 0)
		memcpy(tags, &request[2], words * 4);
	return (error);
}

/* A tag whose answer has exactly words words. */
static int
property(uint32_t tag, uint32_t *values, uint32_t request_words, uint32_t words)
{
	uint32_t response_bytes;
	int error = mailbox_property(tag, values, request_words, words, &response_bytes);

	if (error == 0 && response_bytes < words * 4)
		return (ERR_IO);
	return (error);
}

void
mailbox_attach(uintptr_t base)
{
	mailbox_base = base;
}

int
mailbox_board_revision(uint32_t *revision)
{
	return (property(TAG_BOARD_REVISION, revision, 0, 1));
}

int
mailbox_arm_memory(uint32_t *start_pa, uint32_t *size_bytes)
{
	uint32_t values[2] = { 0, 0 };
	int error = property(TAG_ARM_MEMORY, values, 0, 2);

	if (error != 0)
		return (error);
	*start_pa = values[0];
	*size_bytes = values[1];
	return (0);
}

/* Tags that send (id, ...) and get (id, value) back. */
static int
by_id(uint32_t tag, uint32_t id, uint32_t *value)
{
	uint32_t values[2] = { id, 0 };
	int error = property(tag, values, 1, 2);

	if (error != 0)
		return (error);
	if (values[0] != id)
		return (ERR_IO);
	*value = values[1];
	return (0);
}

int
mailbox_clock_hz(enum mailbox_clock clock, uint32_t *hz)
{
	int error = by_id(TAG_CLOCK_RATE, clock, hz);

	return (error == 0 && *hz == 0 ? ERR_NOTSUP : error);
}

int
mailbox_set_clock_hz(enum mailbox_clock clock, uint32_t *hz)
{
	uint32_t values[3] = { clock, *hz, 0 };
	uint32_t response_bytes;
	int error = mailbox_property(TAG_SET_CLOCK_RATE, values, 3, 3, &response_bytes);

	if (error != 0)
		return (error);
	if (response_bytes < 8 || values[0] != clock)
		return (ERR_IO);
	*hz = values[1];
	return (0);
}

/* State: on, and wait for it; the answer has bit 0 on, bit 1 no such device. */
int
mailbox_power_on(uint32_t device)
{
	uint32_t values[2] = { device, 3 };
	int error = property(TAG_SET_POWER, values, 2, 2);

	if (error != 0)
		return (error);
	return ((values[1] & 3) == 1 ? 0 : ERR_NODEV);
}

/* The answer to a setting is what the firmware meant to do; the rate is asked anew. */
int
mailbox_clock_at_least(enum mailbox_clock clock, uint32_t min_hz, uint32_t wanted_hz, uint32_t *hz)
{
	uint32_t set_hz = wanted_hz;
	int error = mailbox_clock_hz(clock, hz);

	if (error == 0 && *hz >= min_hz)
		return (0);
	error = mailbox_set_clock_hz(clock, &set_hz);
	if (error != 0)
		return (error);
	if (mailbox_clock_hz(clock, hz) != 0)
		*hz = set_hz;
	return (*hz >= min_hz ? 0 : ERR_RANGE);
}

int
mailbox_clock_max_hz(enum mailbox_clock clock, uint32_t *hz)
{
	int error = by_id(TAG_MAX_CLOCK_RATE, clock, hz);

	return (error == 0 && *hz == 0 ? ERR_NOTSUP : error);
}

int
mailbox_dma_channels(uint32_t *channels)
{
	*channels = 0;
	return (property(TAG_DMA_CHANNELS, channels, 0, 1));
}

int
mailbox_temperature_mc(uint32_t *temperature_mc)
{
	return (by_id(TAG_TEMPERATURE, 0, temperature_mc));
}

int
mailbox_temperature_max_mc(uint32_t *temperature_mc)
{
	int error = by_id(TAG_MAX_TEMPERATURE, 0, temperature_mc);

	return (error == 0 && *temperature_mc == 0 ? ERR_NOTSUP : error);
}

/* Firmware of long ago answered steps of 25 mV up or down from 1.2 V, as its wiki says;
 * today's answers microvolts. */
int
mailbox_voltage_uv(uint32_t id, uint32_t *voltage_uv)
{
	int32_t steps;
	int error;

	*voltage_uv = 0;
	error = by_id(TAG_VOLTAGE, id, voltage_uv);
	steps = (int32_t)*voltage_uv;

	if (error == 0 && steps >= -VOLTAGE_STEPS_MAX && steps <= VOLTAGE_STEPS_MAX)
		*voltage_uv = (uint32_t)(1200000 + 25000 * steps);
	return (error);
}

int
mailbox_throttled(uint32_t *flags)
{
	*flags = THROTTLED_FORGET;
	return (property(TAG_THROTTLED, flags, 1, 1));
}

/* In the answer the pin's number has become 0 where all went well. */
int
mailbox_set_gpio(uint32_t pin, bool high)
{
	const uint32_t values[2] = { pin, high };
	uint32_t bytes;
	int error;

	if (mailbox_base == 0)
		return (ERR_NODEV);
	request_fill(gpio_request, TAG_SET_GPIO_STATE, values, 2, 2);
	error = exchange(gpio_request);
	if (error == 0)
		error = answer(gpio_request, &bytes);
	return (error == 0 && gpio_request[HEADER_WORDS] != 0 ? ERR_IO : error);
}

int
mailbox_command_line(char *text, uint32_t bytes)
{
	static uint32_t values[VALUE_WORDS_MAX];
	uint32_t length;
	int error = mailbox_property(TAG_COMMAND_LINE, values, 0, VALUE_WORDS_MAX, &length);

	if (error != 0)
		return (error);
	if (length > sizeof(values))
		length = sizeof(values);
	if (length > bytes - 1)
		length = bytes - 1;
	memcpy(text, values, length);
	text[length] = '\0';
	return (0);
}
