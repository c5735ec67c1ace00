/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Little-endian numbers at any address, as on-disk structures hold them.
 */
#ifndef LIB_LE_H
#define LIB_LE_H

#include <stdint.h>

static inline uint16_t
le16(const uint8_t *at)
{
	return ((uint16_t)(at[0] | at[1] << 8));
}

static inline uint32_t
le32(const uint8_t *at)
{
	return (le16(at) | (uint32_t)le16(at + 2) << 16);
}

static inline void
le16_put(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}

static inline void
le32_put(uint8_t *at, uint32_t value)
{
	le16_put(at, value);
	le16_put(at + 2, value >> 16);
}

#endif
