/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files on a simulated disk, laid out as a test wants them: a stand-in for a file
 * system, for tests of the file pager.
 *
 * Sectors that belong to no file are filled with SIM_FILE_GUARD, so that a write beside a
 * file shows. Inside sim_run.
 */
#ifndef TEST_SIM_FILE_H
#define TEST_SIM_FILE_H

#include "kern/vnode.h"
#include "mm/vm_map.h"
#include "test/host/sim_disk.h"

#define SIM_FILE_SECTORS_MAX 4096u
#define SIM_FILE_GUARD       0xee

struct sim_file {
	struct vnode vnode;
	struct sim_disk *disk;
	uint32_t cluster_sectors;
	uint64_t cluster[SIM_FILE_SECTORS_MAX]; /* where each lies: first sector */
	uint32_t releases;                      /* last references gone */
	/* ---- configuration */
	uint32_t bmap_short;   /* so many sectors too few in what bmap answers */
	int bmap_error;        /* != 0: what bmap answers for ... */
	uint64_t bmap_bad;     /* ... this page */
	uint32_t bmap_sleep_us; /* as one that reads its tables */
	uint64_t room_bytes;    /* how long it can become: what it was made with */
	int change_error;       /* != 0: what reserve, shrink and sync_size answer */
};

extern struct sim_disk sim_file_disk;

/* Boot mm with a pool of frames, swap of slots and the file pager; a disk for files. */
void sim_file_boot(uint32_t frames, uint32_t slots);
/*
 * A file of bytes with one reference, in clusters of cluster_sectors: every_gap clusters
 * follow each other, then there is a gap of one (0: no gaps). Its bytes are
 * sim_file_byte's.
 */
void sim_file_make(struct sim_file *file, const char *name, uint64_t bytes,
    uint32_t cluster_sectors, uint32_t every_gap);
uint8_t sim_file_byte(const struct sim_file *file, uint64_t at);
/* The byte of the file that is on the disk. */
uint8_t sim_file_stored(const struct sim_file *file, uint64_t at);
/* Fails the test if a sector outside all files has changed, or the last sector's end. */
void sim_file_check_guard(void);

/* Map the whole file at va; prot and max_prot alike. flags as vm_map_insert. */
void sim_file_map(struct vmspace *vm, struct sim_file *file, vm_offset_t va, vm_prot_t prot,
    uint8_t flags);
/* sim_mm_check and sim_file_check_guard. */
void sim_file_check(void);

#endif
