/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What boot wants from a flattened device tree (Devicetree Specification 0.4).
 * Nothing here yields.
 */
#ifndef KERN_DEVTREE_H
#define KERN_DEVTREE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

#define DEVTREE_MAGIC_LE 0xedfe0dd0u /* the first word of a tree, read little-endian */
#define DEVTREE_BYTES_MAX (2u << 20)

/* Bytes of the tree whose first 8 bytes are at blob; 0: not a tree, or too large. */
uint32_t devtree_bytes(const void *blob);

/* Check header and structure of the whole tree. ERR_CORRUPT with a phrase in why. */
int devtree_check(const void *blob, const char **why) ERR_MUST_CHECK;

/* /chosen/bootargs, or NULL. Valid as long as blob. */
const char *devtree_bootargs(const void *blob);

/* RAM range number n over all memory nodes (reg with the root's cell sizes); reserved:
 * range number n of the memory reservation block. ERR_NOENT past the last. */
int devtree_memory(const void *blob, uint32_t n, uint64_t *pa, uint64_t *bytes) ERR_MUST_CHECK;
/* The NUMA node of memory range number n (numa-node-id of its node); 0 if it has none. */
uint32_t devtree_memory_node(const void *blob, uint32_t n);
int devtree_reserved(const void *blob, uint32_t n, uint64_t *pa, uint64_t *bytes) ERR_MUST_CHECK;

/* Range number n of CFI flash (compatible "cfi-flash", child of the root), and its
 * bank-width, the bytes of its bus (0 if it does not say). ERR_NOENT past the last. */
int devtree_flash(const void *blob, uint32_t n, uint64_t *pa, uint64_t *bytes,
    uint32_t *width) ERR_MUST_CHECK;

/* /psci method: "hvc", "smc", or NULL. */
const char *devtree_psci_method(const void *blob);

#endif
