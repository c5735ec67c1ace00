/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CRC-32C by the CPU's own instruction, or by tables where it has none.
 *
 * On AArch64 crc32cx takes eight bytes an instruction (Arm ARM DDI0487,
 * C6.2 CRC32C*; optional in v8.0 but present on Cortex-A53 and in every QEMU
 * model that ebb runs on). Elsewhere eight bytes a step go through eight tables
 * ("slicing by eight": the eight bytes of a word are looked up independently
 * and the remainders added).
 *
 * Owns: the tables of the portable version, computed at the first call.
 * Does not: know what it sums.
 * Invariants: C1 both versions give the same sum for any split of a buffer.
 * Yields: never.
 * Complexity: 800 instructions and a short prologue per 4 KiB page on AArch64
 *   (the aim is 840), about 3 per byte in the portable version.
 * See: lib/crc32c.h for the convention.
 */
#include "lib/crc32c.h"

#ifdef __aarch64__

/* One step for each width; w names the suffix letter. */
#define CRC_STEP(w, reg, crc, value) \
	__asm__(".arch_extension crc\n\tcrc32c" w " %w0, %w0, %" reg "1" : "+r"(crc) : "r"(value))

/* 32 bytes behind the advanced pointer %1, the first 16 of them already loaded. */
#define CRC_32_BYTES(here, next)                \
	"	ldp x11, x12, [%1, #" here "]\n" \
	"	crc32cx %w0, %w0, x9\n"          \
	"	crc32cx %w0, %w0, x10\n" next    \
	"	crc32cx %w0, %w0, x11\n"         \
	"	crc32cx %w0, %w0, x12\n"
#define CRC_LOAD(at) "	ldp x9, x10, [%1, #" at "]\n"

/*
 * 256 bytes a turn: sixteen ldp, 32 crc32cx, one compare, one branch. The steps
 * depend on each other, so loads are placed one pair ahead of their use.
 */
static uint32_t
crc_blocks(uint32_t crc, const uint8_t *p, const uint8_t *end)
{
	__asm__ volatile(".arch_extension crc\n"
	    "1:	ldp x9, x10, [%1], #256\n"
	    CRC_32_BYTES("-240", CRC_LOAD("-224"))
	    CRC_32_BYTES("-208", CRC_LOAD("-192"))
	    CRC_32_BYTES("-176", CRC_LOAD("-160"))
	    CRC_32_BYTES("-144", CRC_LOAD("-128"))
	    CRC_32_BYTES("-112", CRC_LOAD("-96"))
	    CRC_32_BYTES("-80", CRC_LOAD("-64"))
	    CRC_32_BYTES("-48", CRC_LOAD("-32"))
	    CRC_32_BYTES("-16", "")
	    "	cmp %1, %2\n"
	    "	b.ne 1b\n"
	    : "+r"(crc), "+r"(p)
	    : "r"(end)
	    : "x9", "x10", "x11", "x12", "cc", "memory");
	return (crc);
}

static uint32_t
crc_bytes(uint32_t crc, const uint8_t *p, size_t bytes)
{
	for (; bytes > 0; bytes--)
		CRC_STEP("b", "w", crc, *p++);
	return (crc);
}

static uint32_t
crc_update(uint32_t crc, const uint8_t *p, size_t bytes)
{
	size_t head = -(uintptr_t)p & 7;

	if (head > bytes)
		head = bytes;
	crc = crc_bytes(crc, p, head);
	p += head;
	bytes -= head;
	if (bytes >= 256) {
		crc = crc_blocks(crc, p, p + (bytes & ~(size_t)255));
		p += bytes & ~(size_t)255;
		bytes &= 255;
	}
	for (; bytes >= 8; bytes -= 8, p += 8)
		CRC_STEP("x", "x", crc, *(const uint64_t *)(const void *)p);
	return (crc_bytes(crc, p, bytes));
}

#else

#define POLYNOMIAL 0x82F63B78u

/* table[k][b]: remainder of byte b followed by k zero bytes. */
static uint32_t table[8][256];

static void
table_fill(void)
{
	for (uint32_t b = 0; b < 256; b++) {
		uint32_t crc = b;

		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
		table[0][b] = crc;
	}
	for (int k = 1; k < 8; k++)
		for (uint32_t b = 0; b < 256; b++)
			table[k][b] = table[k - 1][b] >> 8 ^ table[0][table[k - 1][b] & 255];
}

static uint32_t
crc_word(uint32_t crc, const uint8_t *p)
{
	return (table[7][p[0] ^ (crc & 255)] ^ table[6][p[1] ^ (crc >> 8 & 255)] ^
	    table[5][p[2] ^ (crc >> 16 & 255)] ^ table[4][p[3] ^ crc >> 24] ^ table[3][p[4]] ^
	    table[2][p[5]] ^ table[1][p[6]] ^ table[0][p[7]]);
}

static uint32_t
crc_update(uint32_t crc, const uint8_t *p, size_t bytes)
{
	if (table[0][1] == 0)
		table_fill();
	for (; bytes >= 8; bytes -= 8, p += 8)
		crc = crc_word(crc, p);
	for (; bytes > 0; bytes--)
		crc = crc >> 8 ^ table[0][(crc ^ *p++) & 255];
	return (crc);
}

uint32_t
crc32c_word(uint32_t state, uint64_t value)
{
	return (crc_update(state, (const uint8_t *)&value, sizeof(value)));
}

#endif

uint32_t
crc32c(uint32_t seed, const void *buffer, size_t bytes)
{
	return (~crc_update(~seed, buffer, bytes));
}
