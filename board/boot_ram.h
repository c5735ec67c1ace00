/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Steps of boot that find memory and what the loader left in it.
 */
#ifndef BOARD_BOOT_RAM_H
#define BOARD_BOOT_RAM_H

#include <stdbool.h>
#include <stdint.h>

/* What lies at x0 of the kernel's entry: a device tree, an ATAG list, or nothing.
 * Sets up the text of the boot arguments and prints what is wrong with it. */
void boot_parameters(uint64_t x0);

/* Find all RAM, map it, and take away what is in use: kern/bootmem knows the rest. The
 * last to look at the device tree, whose memory is free then. */
void boot_ram(void);

/* A range of RAM and the id of its NUMA node (0 without nodes). */
struct boot_node {
	uint64_t pa, end;
	uint32_t id;
};
const struct boot_node *boot_nodes(uint32_t *count);

/* Make the page pool of mem= bytes, or of all RAM. false, after one console line, if
 * mem= is too small or more than there is: the smallest or largest pool was made. It has
 * domains= memory domains, else one for each NUMA node. (board/boot_pool.c) */
bool boot_pool(void);

/* CFI flash number n of the device tree; NULL: none with a bus of 32 bits. */
struct boot_flash_range {
	uint64_t pa, bytes;
};
const struct boot_flash_range *boot_flash_range(uint32_t n);

/* PSCI or the board's own way to power off. */
void boot_power(void);

/* Bytes of kernel image; bytes of wired tables cut from RAM so far. */
uint64_t boot_image_bytes(void);
uint64_t boot_table_bytes(void);
/* Wired memory outside the pool, in the direct map; NULL when there is none left. */
void *boot_wired_alloc(uint64_t bytes);

#endif
