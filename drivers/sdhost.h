/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SEAM between the SD card protocol (sdcard.c) and a host controller.
 *
 * The protocol knows commands and what their answers mean; a controller knows how
 * one command, and the blocks that belong to it, cross the wire. Neither knows how
 * the other does it: PIO or DMA, interrupts or polling are the controller's, so is
 * the order of its registers.
 *
 * One task uses a host at a time; every operation may yield unless it says
 * otherwise, and is bounded in time.
 */
#ifndef DRIVERS_SDHOST_H
#define DRIVERS_SDHOST_H

#include <stdbool.h>
#include <stdint.h>

#include "kern/blkdev.h"
#include "kern/machdep.h"
#include "lib/err.h"

#define SD_BLOCK_BYTES 512u

/* Form of a card's answer (SD Physical Layer 3.01, 4.9). */
enum sd_response {
	SD_RESPONSE_NONE,
	SD_RESPONSE_R1,   /* card status; index and CRC checked (R6, R7 alike) */
	SD_RESPONSE_R1B,  /* the same, then busy on DAT0 */
	SD_RESPONSE_R2,   /* 136 bits: CID or CSD */
	SD_RESPONSE_R3,   /* OCR: no CRC */
};

/*
 * The memory of a data transfer: a small buffer, or a chain of bios. A cursor moves
 * over it as the controller goes.
 */
struct sd_data {
	bool write;              /* to the card */
	uint32_t block_bytes;    /* 512, or the size of a register (8, 64) */
	uint32_t block_count;
	void *buffer;            /* one block; NULL: */
	const struct bio *bio;   /* cursor: in this bio of the chain, */
	uint32_t segment;        /* in this segment, */
	uint32_t offset_bytes;   /* this far */
};

/* Point the cursor at the start of the chain that begins with first. */
static inline void
sd_data_rewind(struct sd_data *data, const struct bio *first)
{
	data->bio = first;
	data->segment = 0;
	data->offset_bytes = 0;
}

/* The contiguous memory at the cursor as a segment; *bytes 0 at the end of the chain. */
static inline uint64_t
sd_data_piece(const struct sd_data *data, uint32_t *bytes)
{
	const struct bio_segment *segment;

	*bytes = 0;
	if (data->bio == NULL)
		return (0);
	segment = &data->bio->segments[data->segment];
	*bytes = segment->bytes - data->offset_bytes;
	return (segment->pa + data->offset_bytes);
}

/* Move the cursor on by bytes, which do not go beyond the present piece. */
static inline void
sd_data_advance(struct sd_data *data, uint32_t bytes)
{
	data->offset_bytes += bytes;
	if (data->offset_bytes < data->bio->segments[data->segment].bytes)
		return;
	data->offset_bytes = 0;
	if (++data->segment < data->bio->segment_count)
		return;
	data->segment = 0;
	data->bio = data->bio->merged_next;
}

/* Address of the block at the cursor, in the direct map; moves on. For PIO: a
 * segment is whole blocks, so a block is always contiguous. */
static inline void *
sd_data_block(struct sd_data *data)
{
	uint32_t bytes;
	void *block;

	if (data->buffer != NULL)
		return (data->buffer);
	block = phys_to_virt(sd_data_piece(data, &bytes));
	sd_data_advance(data, data->block_bytes);
	return (block);
}

struct sd_command {
	uint8_t index;           /* 0..63 */
	uint8_t response;        /* enum sd_response */
	uint32_t argument;
	struct sd_data *data;    /* NULL: none */
	bool near_end;           /* ends a read near the card's last block: a rest may be due */
	/* Filled in: R1, R3 in answer[0]; R2: bits 127..96 in answer[0], ...,
	 * 31..0 in answer[3], the CRC in bits 7..1 being zero or right. */
	uint32_t answer[4];
};

struct sdhost;

struct sdhost_ops {
	/* Bring the controller to its state after power-on: 1-bit bus, at most 400 kHz,
	 * clock running for the card's 74 cycles. ERR_NODEV, ERR_TIMEDOUT. */
	int (*reset)(struct sdhost *host);
	/* Set the card clock to at most hz; above 25 MHz with the timing of high speed. */
	int (*set_clock)(struct sdhost *host, uint32_t hz);
	/* 1 or 4 data lines. Does not yield. */
	void (*set_width)(struct sdhost *host, uint32_t lines);
	/*
	 * Send a command and wait for its answer, with R1B until the card is no longer
	 * busy. With data, the data phase is prepared and not yet carried out.
	 * ERR_TIMEDOUT: no answer (or busy for too long); ERR_IO: answer damaged.
	 * After an error the controller is ready for the next command.
	 */
	int (*command)(struct sdhost *host, struct sd_command *command);
	/*
	 * Move all the data of the command just answered and wait until it is
	 * through. ERR_TIMEDOUT, ERR_IO (checksum); the controller is then ready for
	 * the next command, the card may still be sending or receiving.
	 */
	int (*transfer)(struct sdhost *host, struct sd_command *command);
	/* Drop a data phase that was prepared but must not be carried out. */
	void (*abort)(struct sdhost *host);
};

struct sdhost {
	const char *name;
	const struct sdhost_ops *ops;
	uint32_t clock_max_hz;
	uint32_t blocks_max;     /* in one transfer */
	bool four_lines;         /* 4-bit bus is wired */
	bool counts_writes;      /* SET_BLOCK_COUNT before writes too */
	uint64_t dma_transfers;  /* completed: by the DMA engine, */
	uint64_t pio_transfers;  /* by the processor */
};

#endif
