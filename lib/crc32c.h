/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CRC-32C (Castagnoli), the checksum of every page in swap.
 *
 * Convention: reflected polynomial 0x82F63B78, register preset to all ones and
 * inverted at the end, both inside the function. A seed of 0 starts a new sum;
 * a former result as the seed continues it:
 *
 *   crc32c(crc32c(0, a, n), a + n, m) == crc32c(0, a, n + m)
 *   crc32c(0, "123456789", 9) == 0xE3069283
 */
#ifndef LIB_CRC32C_H
#define LIB_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32C of bytes at buffer (any alignment) after those summed up in seed.
 * Any context; never yields. */
uint32_t crc32c(uint32_t seed, const void *buffer, size_t bytes);

/* One step over value, least significant byte first, without the inversions at either end:
 * for sums of a few words, one instruction each on AArch64. Any context; never yields. */
#ifdef __aarch64__
static inline uint32_t
crc32c_word(uint32_t state, uint64_t value)
{
	__asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %1" : "+r"(state) : "r"(value));
	return (state);
}
#else
uint32_t crc32c_word(uint32_t state, uint64_t value);
#endif

#endif
