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

#endif
