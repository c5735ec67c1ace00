/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Times in directory entries: a date and a time of 16 bits each, from 1980 to 2107, two
 * seconds apart. ebb counts them in seconds since 1980 and takes them for UTC. Nothing yields.
 */
#ifndef FS_FAT32_TIME_H
#define FS_FAT32_TIME_H

#include <stdint.h>

#include "lib/err.h"

#define FAT32_TIME_LAST_S 4039286399u /* the last second of 2107 */

/* The time of a date and a time as they are stored; 0 (the first of 1980) of what is none. */
uint32_t fat32_time_get(uint16_t date, uint16_t time);
/* The other way, rounded down to two seconds. ERR_INVAL past FAT32_TIME_LAST_S. */
int fat32_time_put(uint32_t seconds, uint16_t *date, uint16_t *time) ERR_MUST_CHECK;

#endif
