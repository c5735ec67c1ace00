/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of a small world as one number, for a search that knows where it was.
 */
#ifndef TEST_STATE_HASH_H
#define TEST_STATE_HASH_H

#include <stdint.h>

#include "test/host/sim_disk.h"

struct vmspace;

/* Maps, mappings, objects with their chains, pages, and what their slots on disk hold;
 * seed: whatever else belongs to the state. Never yields. */
uint64_t state_hash(struct vmspace *const *spaces, uint32_t count, const struct sim_disk *disk,
    uint64_t seed);

#endif
