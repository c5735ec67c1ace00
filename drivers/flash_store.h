/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk of 4096-byte blocks on NOR flash: "fl0".
 *
 * A log over the erase blocks, its map in RAM. What it promises: a write that has
 * completed is on the flash, and a read gives the bytes of the last completed write or
 * an error, also after power has gone at any moment. A block never written or erased
 * (BIO_ERASE) reads as zeros; after the next attach an erased one may have former
 * contents again. docs/SPEC.md, section 3, has the bits.
 */
#ifndef DRIVERS_FLASH_STORE_H
#define DRIVERS_FLASH_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

struct flash;
struct flash_geometry;

#define FLASH_STORE_UNITS       1
#define FLASH_STORE_SLOT_BYTES  4096u

/* Bytes of wired memory, 8-byte aligned, for the map of a store on flash of this
 * geometry; 0: a store cannot be made on it. */
uint64_t flash_store_memory_bytes(const struct flash_geometry *g);

/*
 * Recover the store on flash, register it as "fl<unit>" and start its task. A flash that
 * holds nothing (all ones or all zeros) is formatted, with a line; one that holds something
 * else only if format is set, which also forgets an existing store but for its erase counts.
 * memory is of flash_store_memory_bytes and the store's from then on. One line tells
 * what is there or what is wrong. ERR_NOTSUP (geometry), ERR_CORRUPT (foreign contents),
 * ERR_EXIST, ERR_NOMEM (task), or the flash's error. Task context; may yield.
 */
int flash_store_attach(struct flash *flash, uint32_t unit, void *memory,
    bool format) ERR_MUST_CHECK;

#endif
