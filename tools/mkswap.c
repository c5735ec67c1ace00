/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mkswap: makes a swap area of a file, a partition of a card image or a device.
 *
 *   mkswap FILE [FIRST-BYTE BYTES]
 *
 * Writes one header page (lib/swap_header.h, docs/SPEC.md) at FIRST-BYTE; without
 * numbers the whole of FILE is the area. BYTES is rounded down to whole pages.
 * Exit code 0, or 1 with one line saying what is wrong.
 *
 * Owns: the header as it is written.
 * Does not: touch any other byte; partition anything (tools/mkcard does).
 *
 * See: mm/swap_pager.c reads it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/swap_header.h"

#define SLOTS_MIN 64u
#define SLOTS_MAX (1u << 24) /* a slot number has 24 bits */

static int
fail(const char *file, const char *what)
{
	fprintf(stderr, "mkswap: %s: %s\n", file, what);
	return (EXIT_FAILURE);
}

static int
write_header(const char *file, int fd, uint64_t first_byte, uint64_t area_bytes)
{
	struct swap_header header;
	uint64_t page_count = area_bytes / SWAP_HEADER_BYTES;

	if (page_count < SLOTS_MIN)
		return (fail(file, "smaller than 64 pages of 4096 bytes"));
	if (page_count > SLOTS_MAX)
		page_count = SLOTS_MAX;
	memset(&header, 0, sizeof(header));
	memcpy(header.magic, SWAP_HEADER_MAGIC, SWAP_HEADER_MAGIC_BYTES);
	header.version = SWAP_HEADER_VERSION;
	header.page_bytes = SWAP_HEADER_BYTES;
	header.page_count = page_count;
	header.crc = swap_header_crc(&header);
	if (pwrite(fd, &header, sizeof(header), (off_t)first_byte) != (ssize_t)sizeof(header))
		return (fail(file, "cannot write the header"));
	return (EXIT_SUCCESS);
}

int
main(int argc, char **argv)
{
	uint64_t first_byte = 0, area_bytes;
	off_t end;
	int fd;

	if (argc != 2 && argc != 4) {
		fprintf(stderr, "mkswap: expected FILE [FIRST-BYTE BYTES]\n");
		return (EXIT_FAILURE);
	}
	fd = open(argv[1], O_RDWR);
	end = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	if (end < 0)
		return (fail(argv[1], "cannot open"));
	area_bytes = (uint64_t)end;
	if (argc == 4) {
		first_byte = strtoull(argv[2], NULL, 0);
		area_bytes = strtoull(argv[3], NULL, 0);
	}
	if (first_byte > (uint64_t)end || area_bytes > (uint64_t)end - first_byte)
		return (fail(argv[1], "the area ends beyond the file"));
	return (write_header(argv[1], fd, first_byte, area_bytes));
}
