/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The image-file disk: requests are served at once, from a private mapping.
 *
 * Owns: struct file_disk while open.
 * Does not: delay, reorder, or write back to the file.
 *
 * Invariants:
 * I1 requests that reach the driver lie inside the device (blk.c checks).
 *
 * Yields: never.
 * See: kern/blkdev.h; test/host/sim_disk.c for a disk that fails in time.
 */
#include "test/host/file_disk.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kern/machdep.h"
#include "lib/assert.h"

#define SECTOR_BYTES 512

static void
tell(struct file_disk *disk, uint64_t at, uint32_t bytes)
{
	uint64_t end = at + bytes;

	for (; at < end; at += SECTOR_BYTES)
		disk->wrote(at / SECTOR_BYTES, disk->bytes + at);
}

static int
bio_serve(struct file_disk *disk, const struct bio *bio)
{
	uint64_t at = bio->block * SECTOR_BYTES;
	uint32_t i;

	if (bio->op == BIO_FLUSH && disk->flushed != NULL)
		disk->flushed();
	if (bio->op != BIO_READ && bio->op != BIO_WRITE)
		return (bio->op == BIO_FLUSH ? 0 : ERR_NOTSUP);
	KASSERT(bio->block + bio->block_count <= disk->dev.block_count, "I1: inside the disk");
	if (bio->block < disk->bad_first + disk->bad_count &&
	    disk->bad_first < bio->block + bio->block_count)
		return (ERR_IO);
	for (i = 0; i < bio->segment_count; i++) {
		void *memory = phys_to_virt(bio->segments[i].pa);
		uint32_t bytes = bio->segments[i].bytes;

		if (bio->op == BIO_READ)
			memcpy(memory, disk->bytes + at, bytes);
		else
			memcpy(disk->bytes + at, memory, bytes);
		if (bio->op == BIO_WRITE && disk->wrote != NULL)
			tell(disk, at, bytes);
		at += bytes;
	}
	disk->sectors_read += bio->op == BIO_READ ? bio->block_count : 0;
	return (0);
}

static void
serve(struct file_disk *disk, struct bio *head)
{
	struct bio *bio;
	int err = 0;

	for (bio = head; bio != NULL && err == 0; bio = bio->merged_next)
		err = bio_serve(disk, bio);
	bio_done(head, err);
}

static void file_disk_start(struct blkdev *dev);

static void
request_due(void *arg)
{
	struct file_disk *disk = arg;
	struct bio *head = disk->under_way;

	disk->under_way = NULL;
	serve(disk, head);
	file_disk_start(&disk->dev);
}

static void
file_disk_start(struct blkdev *dev)
{
	struct file_disk *disk = dev->softc;
	struct bio *head;

	while (disk->under_way == NULL && (head = blk_next(dev)) != NULL) {
		if (disk->latency_us == 0) {
			serve(disk, head);
			continue;
		}
		disk->under_way = head;
		sim_event_schedule(&disk->due, 1 + sim_random(disk->latency_us), request_due, disk);
	}
}

static const struct blkdev_ops file_disk_ops = { .start = file_disk_start };

int
file_disk_open(struct file_disk *disk, const char *name, const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY);

	memset(disk, 0, sizeof(*disk));
	if (fd < 0)
		return (ERR_IO);
	if (fstat(fd, &st) == 0 && st.st_size >= SECTOR_BYTES)
		disk->bytes = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_NORESERVE, fd, 0);
	close(fd);
	if (disk->bytes == NULL || disk->bytes == MAP_FAILED)
		return (ERR_IO);
	disk->byte_count = (uint64_t)st.st_size;
	snprintf(disk->dev.name, sizeof(disk->dev.name), "%s", name);
	disk->dev.ops = &file_disk_ops;
	disk->dev.softc = disk;
	disk->dev.block_bytes = SECTOR_BYTES;
	disk->dev.block_count = disk->byte_count / SECTOR_BYTES;
	disk->dev.bio_blocks_max = 256;
	return (blk_register(&disk->dev));
}

void
file_disk_close(struct file_disk *disk)
{
	blk_unregister(&disk->dev);
	munmap(disk->bytes, disk->byte_count);
	disk->bytes = NULL;
}
