/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first page of a swap partition, written by tools/mkswap and read at
 * swapon. docs/SPEC.md describes it byte by byte.
 *
 * It says that the partition may be overwritten and how much of it is used.
 * Swap contents do not outlive a boot, so nothing else is ever kept on it.
 */
#ifndef LIB_SWAP_HEADER_H
#define LIB_SWAP_HEADER_H

#include <stddef.h>
#include <stdint.h>

#include "lib/crc32c.h"

#define SWAP_HEADER_MAGIC       "EBBSWAP1" /* 8 bytes, no NUL */
#define SWAP_HEADER_MAGIC_BYTES 8
#define SWAP_HEADER_VERSION     1
#define SWAP_HEADER_BYTES       4096
/* Slots at the start that never hold a page: the header, and one spare. */
#define SWAP_RESERVED_SLOTS     2

/* All numbers little-endian; the header fills one page, unused bytes are zero. */
struct swap_header {
	char magic[SWAP_HEADER_MAGIC_BYTES];
	uint32_t version;     /* SWAP_HEADER_VERSION */
	uint32_t page_bytes;  /* size of a slot: 4096 */
	uint64_t page_count;  /* slots in all, the reserved ones included */
	uint8_t zero[SWAP_HEADER_BYTES - 28];
	uint32_t crc;         /* crc32c(0, header, offsetof(struct swap_header, crc)) */
};
_Static_assert(sizeof(struct swap_header) == SWAP_HEADER_BYTES, "a header is one page");
_Static_assert(offsetof(struct swap_header, crc) == SWAP_HEADER_BYTES - 4, "no padding");

static inline uint32_t
swap_header_crc(const struct swap_header *header)
{
	return (crc32c(0, header, offsetof(struct swap_header, crc)));
}

#endif
