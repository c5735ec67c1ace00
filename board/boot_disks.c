/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From disks to partitions, the file system and swap.
 *
 * Owns: nothing.
 * Does not: attach disks (the board's device table does).
 * Invariants: none.
 * Yields: all functions but boot_ramdisk.
 * See: docs/SPEC.md for the layout of the card.
 */
#include "board/boot_disks.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "board/boot_ram.h"
#include "drivers/ramdisk.h"
#include "fs/fat32.h"
#include "fs/mbr.h"
#include "kern/blk_fault.h"
#include "kern/blkdev.h"
#include "kern/bootargs.h"
#include "kern/bootmem.h"
#include "kern/console.h"
#include "mm/swap_file.h"
#include "mm/swap_pager.h"
#include "mm/vm_param.h"

#define DISKS_MAX 8
#define MBR_TYPE_FAT32_CHS 0x0b

void
boot_ramdisk(void)
{
	uint64_t pa;
	int err;

	if (bootargs.ramdisk_bytes == 0)
		return;
	err = bootmem_alloc(bootargs.ramdisk_bytes, PAGE_SIZE, &pa);
	if (err == 0)
		err = ramdisk_attach(0, pa, bootargs.ramdisk_bytes, false);
	if (err != 0)
		kprintf("boot argument ramdisk=: %llu bytes: %s; there are %llu KiB\n",
		    (unsigned long long)bootargs.ramdisk_bytes, err_string(err),
		    (unsigned long long)(bootmem_free_bytes() >> 10));
}

/* A RAM disk or flash store: used as a whole, without partitions or swap header. */
static bool
is_bare(const struct blkdev *dev)
{
	return (strncmp(dev->name, "md", 2) == 0 || strncmp(dev->name, "fl", 2) == 0);
}

uint32_t
boot_partitions(void)
{
	struct blkdev *disks[DISKS_MAX];
	struct blkdev *dev;
	uint32_t count = 0, usable = 0;

	/* First all disks, then their tables: scanning adds to the list. */
	for (dev = blk_next_device(NULL); dev != NULL; dev = blk_next_device(dev))
		if (dev->parent == NULL && !is_bare(dev) && count < DISKS_MAX)
			disks[count++] = dev;
	if (count == 0)
		kprintf("disk: none found; without one there are no programs and no swap "
			"(give the board a card made by 'make sdcard')\n");
	for (uint32_t i = 0; i < count; i++)
		if (mbr_scan(disks[i]) > 0)
			usable++;
	return (usable);
}

static struct blkdev *
find_partition(uint8_t type, uint8_t other_type)
{
	struct blkdev *dev = NULL;

	while ((dev = blk_next_device(dev)) != NULL)
		if (dev->parent != NULL && (dev->mbr_type == type || dev->mbr_type == other_type))
			return (dev);
	return (NULL);
}

/* Without one the line about the disk or its table has said what is wrong. */
static bool
have_partition(void)
{
	struct blkdev *dev = NULL;

	while ((dev = blk_next_device(dev)) != NULL)
		if (dev->parent != NULL)
			return (true);
	return (false);
}

void
boot_faults(void)
{
	char why[160];
	char *text = bootargs.fault;

	while (*text != '\0') {
		size_t length = strcspn(text, ";");
		char *next = text + length + (text[length] != '\0');

		text[length] = '\0';
		if (blk_fault_set(text, why, sizeof(why)) != 0)
			kprintf("boot argument fault=%s: %s\n", text, why);
		text = next;
	}
}

bool
boot_file_system(void)
{
	struct blkdev *dev = find_partition(MBR_TYPE_FAT32_LBA, MBR_TYPE_FAT32_CHS);

	if (dev != NULL)
		return (fat32_mount(dev) == 0);
	if (have_partition())
		kprintf("file system: no FAT32 partition (type 0x0c) on any disk; write the card "
			"again with make sdcard\n");
	return (false);
}

static bool
swapon(struct blkdev *dev)
{
	bool needs_header = !is_bare(dev);
	uint64_t slots;
	void *records;
	vm_size_t bytes;

	if (swap_pager_probe(dev, needs_header, &slots) != 0)
		return (false);
	bytes = swap_pager_record_bytes(slots);
	records = boot_wired_alloc(bytes);
	if (records != NULL)
		return (swap_pager_swapon(dev, records, bytes, needs_header) == 0);
	kprintf("swap: %s: no room for %llu KiB of records; make mem= smaller or the swap area\n",
	    dev->name, (unsigned long long)(bytes >> 10));
	return (false);
}

/* One element of swap=: a device or a file, perhaps with :PRIORITY. */
static bool
swapon_named(char *text)
{
	char *colon = strchr(text, ':'), *end = NULL;
	struct blkdev *dev = NULL;
	long priority = 0;

	if (colon != NULL) {
		*colon = '\0';
		priority = strtol(colon + 1, &end, 10);
	}
	if (end != NULL && (*end != '\0' || end == colon + 1 || priority < -1000 ||
	    priority > 1000)) {
		kprintf("boot argument swap=%s:%s: expected a priority from -1000 to 1000\n", text,
		    colon + 1);
		return (false);
	}
	if (text[0] != '/')
		dev = blk_find(text);
	else if (swap_file_attach(text, &dev) != 0)
		dev = NULL;
	if (dev == NULL)
		kprintf("boot argument swap=%s: no such device; expected one such as sd0s2, vd0s2, "
			"md0 or fl0, a file in one piece, or none\n", text);
	return (dev != NULL && swapon(dev) &&
	    swap_pager_set_priority(dev, (int32_t)priority) == 0);
}

bool
boot_swap(void)
{
	struct blkdev *dev;
	char *text = bootargs.swap, *next;
	bool any = false;

	if (strcmp(text, "none") == 0)
		return (false);
	for (; *text != '\0'; text = next) {
		next = text + strcspn(text, ",");
		if (*next != '\0')
			*next++ = '\0';
		any |= swapon_named(text);
	}
	if (text != bootargs.swap)
		return (any);
	dev = find_partition(MBR_TYPE_SWAP, MBR_TYPE_SWAP);
	if (dev == NULL && have_partition())
		kprintf("swap: no swap partition (type 0x82) on any disk; programs are limited to "
			"the page pool; write the card again with make sdcard\n");
	return (dev != NULL && swapon(dev));
}
