/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cksum: check sum and length of files, as POSIX cksum prints them.
 *
 *   run cksum [FILE...]     without a file: of standard input
 *
 * The sum is the CRC of the bytes and then of the length, least significant byte first and
 * without leading zeros, most significant bit first, inverted at the end. So a file on the
 * card can be compared with the same file on any other system.
 *
 * Owns: nothing.
 * Does not: stop at a file that cannot be read; it says so and ends with 1.
 * Invariants:
 *   none
 * Yields: a program, preemptive.
 * See: POSIX.1-2017, cksum, "Standard output" and the algorithm in its description.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define POLYNOMIAL   0x04c11db7u /* that of ISO/IEC 8802-3 (Ethernet) */
#define BUFFER_BYTES 16384

struct sum {
	uint32_t crc;
	uint64_t bytes;
};

static uint32_t table[256];
static uint8_t buffer[BUFFER_BYTES];

static void
make_table(void)
{
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t crc = byte << 24;

		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1u << 31 ? crc << 1 ^ POLYNOMIAL : crc << 1;
		table[byte] = crc;
	}
}

static uint32_t
crc_byte(uint32_t crc, uint8_t byte)
{
	return (crc << 8 ^ table[crc >> 24 ^ byte]);
}

static uint32_t
sum_end(const struct sum *s)
{
	uint32_t crc = s->crc;

	for (uint64_t rest = s->bytes; rest != 0; rest >>= 8)
		crc = crc_byte(crc, (uint8_t)rest);
	return (~crc);
}

/* 0, or -1 with errno. */
static int
sum_fd(int fd, struct sum *s)
{
	ssize_t got;

	memset(s, 0, sizeof(*s));
	while ((got = read(fd, buffer, sizeof(buffer))) > 0) {
		for (ssize_t i = 0; i < got; i++)
			s->crc = crc_byte(s->crc, buffer[i]);
		s->bytes += (uint64_t)got;
	}
	return (got < 0 ? -1 : 0);
}

/* 0, or 1 if it cannot be read. */
static int
print_fd(int fd, const char *name)
{
	struct sum s;

	if (sum_fd(fd, &s) != 0) {
		fprintf(stderr, "cksum: %s: %s\n", name, strerror(errno));
		return (1);
	}
	printf("%" PRIu32 " %" PRIu64, sum_end(&s), s.bytes);
	if (fd != STDIN_FILENO)
		printf(" %s", name);
	printf("\n");
	return (0);
}

static int
print_file(const char *name)
{
	int fd = open(name, O_RDONLY);
	int error;

	if (fd < 0) {
		fprintf(stderr, "cksum: %s: %s\n", name, strerror(errno));
		return (1);
	}
	error = print_fd(fd, name);
	close(fd);
	return (error);
}

int
main(int argc, char **argv)
{
	int error = 0;

	make_table();
	if (argc == 1)
		return (print_fd(STDIN_FILENO, "standard input"));
	for (int i = 1; i < argc; i++)
		error |= print_file(argv[i]);
	return (error);
}
