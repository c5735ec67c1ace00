/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files on a simulated disk.
 *
 * Owns: the disk for files; which of its sectors belong to a file.
 * Does not: keep more files than FILES_MAX.
 * Invariants: none of its own.
 * Yields: bmap, when told to.
 * See: test/host/sim_file.h.
 */
#include "test/host/sim_file.h"

#include <string.h>

#include "kern/sched.h"
#include "mm/file_pager.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_swap.h"

#define DISK_SECTORS 32768u

struct sim_disk sim_file_disk;
static uint64_t next_sector;
static bool owned[DISK_SECTORS];

static uint64_t
sector_of(const struct sim_file *file, uint64_t at)
{
	return (file->cluster[at / file->cluster_sectors] + at % file->cluster_sectors);
}

static int
file_bmap(struct vnode *vp, uint64_t page_index, struct vnode_run runs[VNODE_RUNS_MAX],
    uint32_t *contiguous_pages)
{
	struct sim_file *file = vp->fs_data;
	uint64_t end = (vp->size_bytes + 511) / 512, at = page_index * 8;
	uint64_t page_end = at + 8 < end ? at + 8 : end;
	uint32_t count = 0, behind = 0;

	if (file->bmap_sleep_us != 0)
		tsleep(file, "simbmap", file->bmap_sleep_us);
	if (file->bmap_error != 0 && page_index == file->bmap_bad)
		return (file->bmap_error);
	if (at >= end)
		return (ERR_RANGE);
	for (; at < end; at++) {
		uint64_t sector = sector_of(file, at);
		bool follows = count > 0 && sector == runs[count - 1].sector +
		    runs[count - 1].sector_count + behind;

		if (at >= page_end) {
			if (!follows)
				break;
			behind++;
		} else if (follows) {
			runs[count - 1].sector_count++;
		} else {
			runs[count].sector = sector;
			runs[count++].sector_count = 1;
		}
	}
	runs[count - 1].sector_count -= file->bmap_short;
	*contiguous_pages = behind / 8 + (behind % 8 != 0 && at == end);
	return ((int)count);
}

static void
file_release(struct vnode *vp)
{
	struct sim_file *file = vp->fs_data;

	file->releases++;
}

/* As one that writes its tables. */
static void
work(struct sim_file *file)
{
	if (file->bmap_sleep_us != 0)
		tsleep(file, "simwork", file->bmap_sleep_us);
}

static int64_t
file_reserve(struct vnode *vp, uint64_t bytes)
{
	struct sim_file *file = vp->fs_data;

	work(file);
	if (file->change_error != 0)
		return (file->change_error);
	return ((int64_t)(bytes < file->room_bytes ? bytes : file->room_bytes));
}

static int
file_shrink(struct vnode *vp)
{
	struct sim_file *file = vp->fs_data;

	work(file);
	return (file->change_error);
}

static int
file_sync_size(struct vnode *vp, uint64_t size_bytes)
{
	struct sim_file *file = vp->fs_data;

	work(file);
	if (file->change_error == 0 && size_bytes == vp->size_bytes)
		vp->size_changed = false;
	return (file->change_error);
}

static const struct vnode_ops file_ops = { .bmap = file_bmap, .release = file_release,
	.reserve = file_reserve, .shrink = file_shrink, .sync_size = file_sync_size };

void
sim_file_boot(uint32_t frames, uint32_t slots)
{
	int error;

	sim_swap_boot(frames, slots);
	error = file_pager_start();
	KASSERT(error == 0, "task fileio starts");
	sim_disk_open(&sim_file_disk, "file0", DISK_SECTORS);
	sim_file_disk.latency_us = 200;
	memset(sim_file_disk.bytes, SIM_FILE_GUARD, (size_t)DISK_SECTORS * 512);
	memset(owned, 0, sizeof(owned));
	next_sector = 7;
}

void
sim_file_make(struct sim_file *file, const char *name, uint64_t bytes, uint32_t cluster_sectors,
    uint32_t every_gap)
{
	uint64_t sectors = (bytes + 511) / 512, at, i;

	memset(file, 0, sizeof(*file));
	file->vnode = (struct vnode){ .ops = &file_ops, .dev = &sim_file_disk.dev,
		.size_bytes = bytes, .ref_count = 1, .fs_data = file, .name = name,
		.id = next_sector };
	file->disk = &sim_file_disk;
	file->room_bytes = bytes;
	file->cluster_sectors = cluster_sectors;
	for (i = 0; i * cluster_sectors < sectors; i++) {
		if (every_gap != 0 && i % every_gap == 0)
			next_sector += cluster_sectors;
		file->cluster[i] = next_sector;
		next_sector += cluster_sectors;
	}
	next_sector += 3;
	KASSERT(next_sector <= DISK_SECTORS && sectors <= SIM_FILE_SECTORS_MAX,
	    "the file fits");
	for (at = 0; at < sectors; at++)
		owned[sector_of(file, at)] = true;
	for (at = 0; at < sectors * 512; at++)
		sim_file_disk.bytes[sector_of(file, at / 512) * 512 + at % 512] =
		    at < bytes ? sim_file_byte(file, at) : 0;
}

uint8_t
sim_file_byte(const struct sim_file *file, uint64_t at)
{
	return ((uint8_t)((at * 2654435761u + file->vnode.id * 40503u) >> 13));
}

uint8_t
sim_file_stored(const struct sim_file *file, uint64_t at)
{
	return (sim_file_disk.bytes[sector_of(file, at / 512) * 512 + at % 512]);
}

void
sim_file_check_guard(void)
{
	for (uint64_t sector = 0; sector < DISK_SECTORS; sector++) {
		if (owned[sector])
			continue;
		for (uint32_t i = 0; i < 512; i++)
			if (sim_file_disk.bytes[sector * 512 + i] != SIM_FILE_GUARD)
				sim_fail("a sector that belongs to no file was written");
	}
}

void
sim_file_map(struct vmspace *vm, struct sim_file *file, vm_offset_t va, vm_prot_t prot,
    uint8_t flags)
{
	vm_size_t bytes = round_page(file->vnode.size_bytes);
	struct vm_map_insert_args args = { .object = file_pager_alloc(&file->vnode),
		.prot = prot, .max_prot = prot, .flags = flags,
		.inheritance = (flags & MAP_ENTRY_COW) != 0 ? VM_INHERIT_COPY : VM_INHERIT_SHARE };
	int error;

	KASSERT(args.object != NULL, "there is memory for an object");
	error = vm_map_insert(vm, va, bytes, &args);
	KASSERT(error == 0, "the file can be mapped");
}

void
sim_file_check(void)
{
	sim_mm_check();
	sim_file_check_guard();
}
