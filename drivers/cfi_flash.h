/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parallel NOR flash that answers the Common Flash Interface query, Intel command set.
 */
#ifndef DRIVERS_CFI_FLASH_H
#define DRIVERS_CFI_FLASH_H

#include <stdint.h>

#include "lib/err.h"

struct flash;

/*
 * Ask what is behind [base, base + window_bytes), a bus of 32 bits, and give it as
 * *flash; blocks are unlocked. There is one such flash. ERR_NODEV: nothing answers;
 * ERR_NOTSUP: not a flash that this driver can use; ERR_EXIST; each with a console line. Task
 * context; may yield.
 */
int cfi_flash_attach(uintptr_t base, uint64_t window_bytes, struct flash **flash) ERR_MUST_CHECK;

#endif
