/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk in RAM: "md0", "md1", ... over a range of physical memory.
 */
#ifndef DRIVERS_RAMDISK_H
#define DRIVERS_RAMDISK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

#define RAMDISK_UNITS 4

/*
 * Make [pa, pa + bytes) the disk "md<unit>" and register it. pa is 64-byte
 * aligned and inside the direct map; bytes is cut to whole 512-byte blocks. The
 * memory is the disk's from now on; its content is kept. ERR_RANGE (unit),
 * ERR_INVAL (alignment, size 0), ERR_EXIST. Does not yield.
 */
int ramdisk_attach(uint32_t unit, uint64_t pa, uint64_t bytes, bool read_only) ERR_MUST_CHECK;

#endif
