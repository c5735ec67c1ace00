/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which slot holds page (object, pindex): RAM only, sized at swapon.
 *
 * One record per slot: owner, page index, hash chain, the object's own chain, and
 * the CRC32C of the contents. Nothing is allocated after swapon, so a page-out
 * allocates nothing. How the records are kept is this file's secret.
 */
#ifndef MM_SWAP_MAP_H
#define MM_SWAP_MAP_H

#include "lib/err.h"
#include "mm/vm_object.h"

/* A slot: area in the top 8 bits, index in the low 24; 0 = none (slot 0 of area 0
 * is reserved and never handed out). */
#define SWAP_SLOT_NONE       0u
#define SWAP_SLOT_AREA(s)    ((s) >> 24)
#define SWAP_SLOT_INDEX(s)   ((s) & 0xffffffu)
#define SWAP_SLOT(area, idx) ((uint32_t)(area) << 24 | (uint32_t)(idx))

/* Forget all areas (boot). */
void swap_map_init(void);
vm_size_t swap_map_record_bytes(uint32_t slot_count);
/* Storage for area's records, 8-byte aligned. No number is left out, but a number whose
 * area has been removed may be used again. */
void swap_map_add_area(uint32_t area, uint32_t slot_count, void *records);
/* None of area's slots is in use (asserted); its storage is the caller's again. */
void swap_map_remove_area(uint32_t area);

/* Slot that holds (object, pindex) or SWAP_SLOT_NONE. O(1) expected. */
uint32_t swap_map_lookup(const struct vm_object *object, vm_pindex_t pindex);
/* Does slot (any number; possibly outside its area) hold (object, pindex)? O(1). */
bool swap_map_holds(uint32_t slot, const struct vm_object *object, vm_pindex_t pindex);
/* Record that slot (allocated by the caller) holds it from now on, with this CRC;
 * returns the slot it replaces, or SWAP_SLOT_NONE: the caller frees that one. */
uint32_t swap_map_assign(struct vm_object *object, vm_pindex_t pindex, uint32_t slot,
    uint32_t crc);
/* Forget (object, pindex); returns the slot, which the caller frees. */
uint32_t swap_map_clear(struct vm_object *object, vm_pindex_t pindex);
/* As swap_map_pop, but it stays in the map: its pindex in *pindex. */
uint32_t swap_map_first(struct vm_object *object, vm_pindex_t start, vm_pindex_t end,
    vm_pindex_t *pindex);
uint32_t swap_map_crc(uint32_t slot);
/* Owner of a slot in use, for messages and vm_check; false if unused. */
bool swap_map_owner(uint32_t slot, struct vm_object **object, vm_pindex_t *pindex);
/* Take one of object's slots with pindex in [start, end) out of the map (teardown
 * walk); SWAP_SLOT_NONE when none is left. O(1) for a range that holds all of them;
 * a walk to the end costs one step a slot in all. */
uint32_t swap_map_pop(struct vm_object *object, vm_pindex_t start, vm_pindex_t end);

#endif
