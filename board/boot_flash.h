/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The step of boot that makes a disk of NOR flash.
 */
#ifndef BOARD_BOOT_FLASH_H
#define BOARD_BOOT_FLASH_H

#include <stdint.h>

/* With boot argument flash=: the flash store "fl0" on range number n of the device
 * tree's CFI flash. What is missing costs one console line. May yield. */
void boot_flash(uint32_t n);

#endif
