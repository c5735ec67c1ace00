/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VideoCore firmware's property mailbox.
 *
 * A request is one buffer with one tag. The firmware reads and writes it behind
 * our caches, so it is cleaned before and invalidated after, and it lies alone in
 * its cache lines. The overall answer says "success" even when nobody knew the tag:
 * only the tag's own response word tells.
 *
 *   word 0 buffer bytes   1 request 0 / response 0x80000000   2 tag
 *   word 3 value bytes    4 0 / 0x80000000 | response bytes   5.. values   then 0
 *
 * Owns: mailbox 0 and the request buffer.
 * Does not: use interrupts or other channels; nothing else of ours does either.
 * Invariants:
 *   X1 one request at a time: calls never overlap, for none yields and interrupt
 *      handlers make none.
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
#define TAG_TEMPERATURE    0x00030006u
#define TAG_DMA_CHANNELS   0x00060001
#define TAG_SET_CLOCK_RATE 0x00038002u
#define TAG_COMMAND_LINE   0x00050001u

#define VALUE_WORDS_MAX 512u
#define HEADER_WORDS    5u
#define BUFFER_WORDS    (HEADER_WORDS + VALUE_WORDS_MAX + 1)
#define LINE_WORDS      16u /* a cache line */

static uintptr_t mailbox_base;
static uint32_t request[(BUFFER_WORDS + LINE_WORDS - 1) / LINE_WORDS * LINE_WORDS]
    __attribute__((aligned(64)));

static int
wait_status(uint32_t flag)
{
	uint64_t limit = cpu_cycles_per_second() / 1000 * (MAILBOX_TIMEOUT_US / 1000);
	uint64_t start = get_cyclecount();

	while (mmio_read32(mailbox_base + MBOX_STATUS) & flag)
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

/* Hand the buffer over and wait for it to come back. */
static int
exchange(uint64_t pa, uint32_t bytes)
{
	uint32_t bus = (uint32_t)dma_map(pa, bytes, DMA_TO_DEVICE);
	int error;

	drain();
	error = wait_status(STATUS_FULL);
	if (error != 0)
		return (error);
	mmio_barrier();
	mmio_write32(mailbox_base + MBOX_WRITE, bus | CHANNEL_PROPERTY);
	do {
		error = wait_status(STATUS_EMPTY);
		if (error != 0)
			return (error);
	} while (mmio_read32(mailbox_base + MBOX_READ) != (bus | CHANNEL_PROPERTY));
	mmio_barrier();
	dma_unmap(pa, bytes, DMA_FROM_DEVICE);
	return (0);
}

static void
request_fill(uint32_t tag, const uint32_t *values, uint32_t request_words, uint32_t words)
{
	memset(request, 0, sizeof(request));
	request[0] = (HEADER_WORDS + words + 1) * 4;
	request[2] = tag;
	request[3] = words * 4;
	memcpy(&request[HEADER_WORDS], values, request_words * 4);
}

int
mailbox_property(uint32_t tag, uint32_t *values, uint32_t request_words, uint32_t words,
    uint32_t *response_bytes)
{
	int error;

	KASSERT(words <= VALUE_WORDS_MAX && request_words <= words, "X1: request fits the buffer");
	if (mailbox_base == 0)
		return (ERR_NODEV);
	request_fill(tag, values, request_words, words);
	error = exchange(virt_to_phys(request), sizeof(request));
	if (error != 0)
		return (error);
	if (request[1] != RESPONSE_OK)
		return (ERR_IO);
	if (!(request[4] & RESPONSE_BIT) || request[4] == RESPONSE_BIT)
		return (ERR_NOTSUP);
	*response_bytes = request[4] & ~RESPONSE_BIT;
	memcpy(values, &request[HEADER_WORDS], words * 4);
	return (0);
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
