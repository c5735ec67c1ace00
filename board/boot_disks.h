/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Steps of boot that make and use disks. What is missing costs one console line each
 * and boot goes on.
 */
#ifndef BOARD_BOOT_DISKS_H
#define BOARD_BOOT_DISKS_H

#include <stdbool.h>
#include <stdint.h>

/* Make the RAM disk that ramdisk= asks for. Before the page pool takes all RAM; does
 * not yield. The others want task context and may yield. */
void boot_ramdisk(void);

/* Read the partition table of every disk; how many have a usable one. */
uint32_t boot_partitions(void);

/* Mount the first FAT partition; true if there is a file system now. */
bool boot_file_system(void);

/* Use the swap devices and files that swap= names, or the first swap partition; true if
 * one is in use now. */
bool boot_swap(void);
/* fault=: rules of kern/blk_fault.h. Does not yield. */
void boot_faults(void);

#endif
