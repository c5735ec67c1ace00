/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each target of test/fuzz offers, and what it gets.
 *
 * A target is one file: LLVMFuzzerTestOneInput feeds the parsers with any bytes and
 * judges their answers; fuzz_seed makes inputs from which a search starts. Linked with
 * test/host/fuzz_main.c it is a host test; `make fuzz` links it with libFuzzer.
 * Everything starts anew with each input.
 */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "kern/blkdev.h"

#define FUZZ_BYTES_MAX 8192u

/* ---- a target defines */

/* Inputs that the host test makes, besides the seeds. */
extern const uint32_t fuzz_runs;

/* Always 0. Fails as any host test does (test/host/sim_machdep.h), or is caught by the
 * checkers. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Seed number n into data[FUZZ_BYTES_MAX]; its bytes, or 0 past the last one. */
size_t fuzz_seed(uint32_t n, uint8_t *data);

/* ---- what targets share */

/* Fail with the text, which says what is wrong with an answer, unless holds. */
void fuzz_check(bool holds, const char *what);

/* Taking values off an input; zeros behind its end. */
struct fuzz_input {
	const uint8_t *data;
	size_t bytes_left;
};
uint8_t fuzz_u8(struct fuzz_input *in);
uint32_t fuzz_u32(struct fuzz_input *in);
uint64_t fuzz_u64(struct fuzz_input *in);
/* Little-endian, as fuzz_u32 reads it. */
void fuzz_put32(uint8_t *at, uint32_t value);

/*
 * A disk of any claimed size of which the first bytes exist; the others are zeros.
 * Nothing can be written.
 */
struct fuzz_disk {
	struct blkdev dev;
	const uint8_t *bytes;
	size_t byte_count;
	uint64_t blocks_read;
};
/* Register it as name. Geometry: dev.block_bytes, block_count, bio_blocks_max; set before. */
int fuzz_disk_open(struct fuzz_disk *disk, const char *name) ERR_MUST_CHECK;

#endif
