/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of paging share: mm with a swap disk, pages in any state, contents
 * that a page's owner and index determine. Inside sim_run.
 */
#ifndef TEST_SIM_SWAP_H
#define TEST_SIM_SWAP_H

#include "mm/vm_client.h"
#include "mm/vm_map.h"
#include "mm/vm_meter.h"
#include "test/host/sim_disk.h"

#define SIM_SWAP_BASE 0x400000ull

extern struct sim_disk sim_swap_disk;
/* Of disks that are added from now on; sim_swap_boot does not reset them. 0 = none. */
extern uint32_t sim_swap_align_blocks, sim_swap_erase_blocks;

/* Boot with a pool of frames, and a swap disk of slots (0: none), latency 200 us. No
 * page daemon and no clients yet. */
void sim_swap_boot(uint32_t frames, uint32_t slots);
/* A further swap area on *disk. */
void sim_swap_add(struct sim_disk *disk, const char *name, uint32_t slots);

/* An address space with pages of memory at SIM_SWAP_BASE; its object. */
struct vmspace *sim_swap_space(uint32_t pages);
struct vm_object *sim_swap_object(struct vmspace *vm);

/* A valid, unmapped page of object on queue (PQ_*), filled with its pattern. */
struct vm_page *sim_swap_page(struct vm_object *object, vm_pindex_t pindex, uint8_t queue,
    bool dirty);
/* Pages [first, end), inactive and dirty. */
void sim_swap_dirty_run(struct vm_object *object, vm_pindex_t first, vm_pindex_t end);
bool sim_swap_pattern_holds(const struct vm_page *m, uint32_t object_id, vm_pindex_t pindex);

/* Store the pattern of page by a program's write; verify it by a read. 0 or ERR_*. */
int sim_swap_store(struct vmspace *vm, uint32_t page, uint32_t tag);
int sim_swap_verify(struct vmspace *vm, uint32_t page, uint32_t tag);

/* The running task counts as the page daemon: pages [first, end), which are resident, become
 * inactive, and those that are dirty are on their way to swap. evict: ... and then gone. */
void sim_swap_launder(struct vm_object *object, vm_pindex_t first, vm_pindex_t end);
void sim_swap_evict(struct vm_object *object, vm_pindex_t first, vm_pindex_t end);

/* Sleep until no page of object is in flight. */
void sim_swap_settle(struct vm_object *object);
/* Make free pages exactly count by taking frames away, or giving them back; frames
 * taken are wired and nobody's. */
void sim_swap_leave_free(uint32_t count);
/* The running task counts as the page daemon from now on. */
void sim_swap_be_pagedaemon(void);

/* ---- simulated clients, in the order of pids; none = the table is empty */
#define SIM_CLIENTS_MAX 8
extern struct vm_client sim_clients[SIM_CLIENTS_MAX];
extern uint32_t sim_client_count;
extern uint32_t sim_killed_pids[SIM_CLIENTS_MAX], sim_kill_count;
/* What accounting was told, in order. */
#define SIM_USAGES_MAX 64
struct sim_usage {
	uint32_t pid;
	uint32_t resident_pages;
};
extern struct sim_usage sim_usages[SIM_USAGES_MAX];
extern uint32_t sim_usage_count;
/* Add one with pages of dirty inactive memory, without limits. */
struct vm_client *sim_client_add(uint32_t pid, uint32_t pages, uint32_t flags);

#endif
