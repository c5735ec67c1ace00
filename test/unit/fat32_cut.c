/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FAT32 when power goes: files are created, grow, shrink and are removed at random; every
 * sector written and every flush is kept. Then power is cut hundreds of times: between two
 * flushes, with any part of what was written since the last one on the disk. Each time
 *
 *   fsck.fat finds nothing but clusters that nobody uses (or that follow the end of a file
 *     that was being written), copies of the FAT of which one is older, a count of free clusters;
 *   every older file is what it was;
 *   every file that was synced, and not cut or removed since, holds what was synced;
 *   every file was changed when somebody said it was, from then on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>

#include <cmocka.h>

#include "fs/fat32.h"
#include "kern/vnode.h"
#include "lib/rng.h"
#include "mm/file_pager.h"
#include "mm/vm_launder.h"
#include "mm/vm_object.h"
#include "mm/vm_page.h"
#include "test/host/console_tap.h"
#include "test/host/fat_image.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"

#define FILES 40u
#define NAMED 12u /* the others are called after their number */
#define STEPS 300u
#define CUTS 250u /* of each image */
#define LOG_MAX 40000u
#define EVENTS_MAX 2000u
#define FRAMES 6000u

struct record {
	uint64_t sector;
	uint32_t epoch; /* flushes before it */
	uint8_t data[512];
};

/* What may be asked of a file after a cut. */
struct event {
	uint32_t file, epoch; /* from this epoch on */
	uint32_t size_bytes;  /* at least so long */
	bool exists;          /* ... or perhaps gone */
	bool timed;           /* of time_of(file), if it exists */
};

static struct record *records;
static uint32_t record_count, epoch;
static struct event events[EVENTS_MAX];
static uint32_t event_count;

static struct file_disk disk;
static struct rng rng;
static char names[FILES][80] = { "/a.txt", "/B.TXT", "/Mixed Case.text", "/apps/new.elf",
	"/apps/a much longer name than fits into eleven characters.html", "/x", "/q1", "/q2",
	"/Q3.bin", "/apps/\xc3\xa9t\xc3\xa9.txt", "/three.part.name", "/apps/z" };
static bool there[FILES], timed[FILES];
static const bool never;

static void
note_write(uint64_t sector, const uint8_t *data)
{
	struct record *r = &records[record_count++];

	assert_true(record_count < LOG_MAX);
	r->sector = sector;
	r->epoch = epoch;
	memcpy(r->data, data, 512);
}

static void
note_flush(void)
{
	epoch++;
}

static void
note_event(uint32_t file, uint32_t size_bytes, bool exists)
{
	assert_true(event_count < EVENTS_MAX);
	events[event_count++] = (struct event){ file, epoch, size_bytes, exists, timed[file] };
}

/* From now on the file may have only so many bytes of what the last event promised. */
static void
note_less(uint32_t file, uint32_t size_bytes)
{
	struct event last = { .exists = false };
	uint32_t e;

	for (e = 0; e < event_count; e++)
		if (events[e].file == file)
			last = events[e];
	note_event(file, size_bytes < last.size_bytes ? size_bytes : last.size_bytes, last.exists);
}

static uint8_t
byte_of(uint32_t file, uint64_t at)
{
	return ((uint8_t)(at * 13 + at / 253 + file * 31 + 1));
}

/* ---- operations, as proc/file_io.c does them */

static void
append(uint32_t file, struct vnode *vp, uint32_t bytes)
{
	struct vm_object *object = file_pager_alloc(vp);
	uint64_t at = vp->size_bytes, end = at + bytes;
	struct vm_page *m;

	assert_int_equal(file_pager_extend(object, end, &never), 0);
	while (at < end) {
		uint64_t stop = (at | PAGE_MASK) + 1 < end ? (at | PAGE_MASK) + 1 : end;
		uint8_t *to;

		assert_int_equal(
		    file_pager_page(object, (vm_pindex_t)(at >> PAGE_SHIFT), 0, &never, &m), 0);
		to = vm_page_address(m);
		for (; at < stop; at++)
			to[at & PAGE_MASK] = byte_of(file, at);
		file_pager_changed(m);
		vm_page_unhold(m);
	}
	vm_object_deallocate(object);
}

static void
sync_file(uint32_t file, struct vnode *vp)
{
	struct vm_object *object = file_pager_alloc(vp);

	assert_int_equal(file_pager_sync(object, 0, 0, OBJPC_SYNC, false), 0);
	vm_object_deallocate(object);
	note_event(file, (uint32_t)vp->size_bytes, true);
}

static void
remove_file(uint32_t file)
{
	struct vnode *vp;

	timed[file] = false;
	note_event(file, 0, false);
	assert_int_equal(vfs_unlink(names[file], &vp), 0);
	file_pager_forget(vp);
	vnode_unref(vp);
	assert_int_equal(vfs_sync(), 0);
	there[file] = false;
}

/* In seconds since 1980; another one for each file. */
static uint32_t
time_of(uint32_t file)
{
	return ((file + 1) * 90000002);
}

static void
set_time(uint32_t file, struct vnode *vp)
{
	assert_int_equal(vnode_set_time(vp, time_of(file)), 0);
	timed[file] = true;
	note_less(file, UINT32_MAX);
}

static void
step(void)
{
	uint32_t file = (uint32_t)rng_below(&rng, FILES), what = (uint32_t)rng_below(&rng, 10);
	struct vnode *vp;

	if (!there[file]) {
		assert_int_equal(vfs_create(names[file], &vp), 0);
		there[file] = true;
	} else if (what == 0) {
		remove_file(file);
		return;
	} else {
		assert_int_equal(vfs_lookup(names[file], &vp), 0);
	}
	if (what == 1 && vp->size_bytes != 0) {
		uint32_t to = rng_below(&rng, 3) == 0 ? 0 :
							rng_below(&rng, (uint32_t)vp->size_bytes);

		note_less(file, to);
		assert_int_equal(file_pager_truncate(vp, to), 0);
	} else {
		append(file, vp, 1 + (uint32_t)rng_below(&rng, what < 8 ? 9000 : 120000));
	}
	if (what % 2 == 0)
		sync_file(file, vp);
	if (what % 3 == 0)
		set_time(file, vp);
	vnode_unref(vp);
}

/* ---- a cut */

/* Is a line of fsck.fat about what a cut may leave? */
static bool
is_harmless(const char *line)
{
	static const char *fine[] = { "fsck.fat 4", "Reclaimed ", "FATs differ but appear",
		"  Using first FAT", "Free cluster summary wrong", "  Auto-correcting",
		"Auto-correcting", "Leaving filesystem unchanged", "  File size is",
		"  Truncating file to", "Dirty bit", " Automatically removing dirty", NULL };
	int i;

	for (i = 0; fine[i] != NULL; i++)
		if (strncmp(line, fine[i], strlen(fine[i])) == 0)
			return (true);
	/* A path, before what is said of it; the last line, with its sum. */
	return (line[0] == '\n' || line[0] == '/' || strstr(line, " files, ") != NULL);
}

static void
check_fsck(const char *image, uint32_t cut)
{
	char command[300], line[400];
	bool longer = false;
	FILE *pipe;

	snprintf(command, sizeof(command),
	    "PATH=$PATH:/usr/sbin:/sbin LC_ALL=C fsck.fat -n %s 2>&1", image);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	while (fgets(line, sizeof(line), pipe) != NULL) {
		if (!is_harmless(line))
			fail_msg("cut %u: fsck.fat says: %s", cut, line);
		if (strncmp(line, "  File size is", 14) == 0)
			longer = strstr(line, "cluster chain length is >") != NULL;
		if (strncmp(line, "  Truncating file to", 20) == 0 && !longer)
			fail_msg("cut %u: a file is longer than its chain", cut);
	}
	pclose(pipe);
}

static uint8_t content[1 << 20];
static uint32_t content_modified_s;

/* The file as ebb reads it; its size or -1. */
static int64_t
read_back(const char *path)
{
	struct vnode *vp;
	int64_t n;
	int err = vfs_lookup(path, &vp);

	if (err == ERR_NOENT)
		return (-1);
	if (err != 0)
		fail_msg("%s: %s\n%s", path, err_string(err), console_tap_text());
	assert_true(vp->size_bytes <= sizeof(content));
	n = vnode_read(vp, 0, content, vp->size_bytes);
	assert_int_equal(n, vp->size_bytes);
	content_modified_s = vp->modified_s;
	vnode_unref(vp);
	return (n);
}

static void
check_file_at(uint32_t file, uint32_t cut_epoch, uint32_t cut)
{
	int64_t least = -1, size, i;
	bool exists = false, has_time = false;
	uint32_t e;

	/* What was promised and durable; what may have been given up since. */
	for (e = 0; e < event_count && events[e].epoch <= cut_epoch; e++) {
		if (events[e].file != file)
			continue;
		exists = events[e].exists;
		has_time = exists && events[e].timed;
		least = exists ? (int64_t)events[e].size_bytes : -1;
	}
	size = read_back(names[file]);
	if (exists && size < least)
		fail_msg("cut %u: %s has %ld bytes, %ld were synced", cut, names[file], (long)size,
		    (long)least);
	if (size >= 0 && content_modified_s != time_of(file) &&
	    (has_time || content_modified_s != 0))
		fail_msg("cut %u: %s was changed at %u", cut, names[file], content_modified_s);
	for (i = 0; i < size; i++)
		if (content[i] != byte_of(file, (uint64_t)i))
			fail_msg("cut %u: %s: byte %ld of %ld is %02x", cut, names[file], (long)i,
			    (long)size, content[i]);
}

static void
check_old_files(uint32_t cut)
{
	int i;
	int64_t size, at;

	for (i = 0; fat_files[i].path != NULL; i++) {
		size = read_back(fat_files[i].path);
		if (size < 0 && i > 3)
			break; /* the image has only the first ones */
		assert_int_equal(size, fat_files[i].size_bytes);
		for (at = 0; at < size; at++)
			if (content[at] != fat_file_byte(fat_files[i].path, (uint32_t)at))
				fail_msg("cut %u: %s has changed at %ld", cut, fat_files[i].path,
				    (long)at);
	}
}

struct cut {
	uint32_t number, epoch;
	const char *image;
	void (*check)(void *cut); /* mounts the image and looks */
};

static void
check_mounted(void *arg)
{
	const struct cut *c = arg;
	static struct file_disk copy;
	uint32_t file;

	check_fsck(c->image, c->number);
	console_tap_begin();
	assert_int_equal(file_disk_open(&copy, "cut", c->image), 0);
	sim_mm_boot_bare(FRAMES);
	if (fat32_mount(&copy.dev) != 0)
		fail_msg("cut %u: %s", c->number, console_tap_text());
	check_old_files(c->number);
	for (file = 0; file < FILES; file++)
		check_file_at(file, c->epoch, c->number);
	file_disk_close(&copy);
}

/* Epochs in which several sectors were written: only there the order of writes matters. */
static uint32_t
rich_epochs(uint32_t *rich)
{
	uint32_t count = 0, i;

	for (i = 1; i < record_count; i++)
		if (records[i].epoch == records[i - 1].epoch &&
		    records[i].sector != records[i - 1].sector &&
		    (count == 0 || rich[count - 1] != records[i].epoch))
			rich[count++] = records[i].epoch;
	return (count);
}

/* Cut number n of an image: everything before epoch, and some of what is in it. */
static void
cut_power(int fd, struct cut *c)
{
	static uint8_t before[LOG_MAX / 8][512];
	static uint32_t changed[LOG_MAX / 8];
	static uint32_t done; /* records that are in the image for good */
	uint32_t i, count = 0;

	if (c->number == 0)
		done = 0;
	for (; done < record_count && records[done].epoch < c->epoch; done++)
		assert_int_equal(
		    pwrite(fd, records[done].data, 512, (off_t)records[done].sector * 512), 512);
	for (i = done; i < record_count && records[i].epoch == c->epoch; i++) {
		if (rng_below(&rng, 2) == 0)
			continue;
		assert_true(count < LOG_MAX / 8);
		assert_int_equal(
		    pread(fd, before[count], 512, (off_t)records[i].sector * 512), 512);
		changed[count++] = i;
		assert_int_equal(
		    pwrite(fd, records[i].data, 512, (off_t)records[i].sector * 512), 512);
	}
	sim_run(c->check, c);
	while (count-- > 0)
		assert_int_equal(
		    pwrite(fd, before[count], 512, (off_t)records[changed[count]].sector * 512),
		    512);
}

/* Mount it; from now on what is written and flushed is noted. */
static void
record_image(const char *image)
{
	console_tap_begin();
	assert_int_equal(file_disk_open(&disk, "fd0", image), 0);
	sim_mm_boot_bare(FRAMES);
	file_pager_init();
	assert_int_equal(fat32_mount(&disk.dev), 0);
	disk.dev.can_flush = true;
	disk.wrote = note_write;
	disk.flushed = note_flush;
}

static void
work(void *arg)
{
	uint32_t i;

	record_image(arg);
	for (i = 0; i < STEPS; i++)
		step();
	assert_string_equal(console_tap_text(), "");
	file_disk_close(&disk);
}

static void
run(const char *name, uint32_t cluster_sectors, uint64_t seed)
{
	const char *image = fat_image_make(name, cluster_sectors, false);
	char copy[] = "build/test-fat/cut-XXXXXX";
	static uint32_t rich[LOG_MAX];
	struct cut c = { .image = copy, .check = check_mounted };
	uint32_t k, r, rich_count;
	int fd;

	rng_seed(&rng, seed);
	for (k = NAMED; k < FILES; k++)
		snprintf(names[k], sizeof(names[k]), "/apps/file number %u %s.dat", k,
		    k % 3 == 0 ? "" : "of a name that takes four pieces");
	record_count = epoch = event_count = 0;
	memset(there, 0, sizeof(there));
	memset(timed, 0, sizeof(timed));
	records = calloc(LOG_MAX, sizeof(*records));
	assert_non_null(records);
	sim_run(work, (void *)(uintptr_t)image);
	rich_count = rich_epochs(rich);
	assert_true(epoch > CUTS);
	fd = mkstemp(copy);
	assert_true(fd >= 0);
	fat_image_shell("cp --sparse=always %s %s", image, copy);
	close(fd);
	fd = open(copy, O_RDWR);
	assert_true(fd >= 0);
	for (k = 0; k < CUTS; k++) {
		c.number = k;
		c.epoch = (uint32_t)((uint64_t)(epoch + 1) * k / CUTS);
		for (r = 0; k % 4 != 0 && r + 1 < rich_count && rich[r] < c.epoch; r++)
			;
		if (k % 4 != 0)
			c.epoch = rich[r];
		cut_power(fd, &c);
	}
	close(fd);
	unlink(copy);
	free(records);
}

static void
test_cuts_512(void **state)
{
	(void)state;
	run("cut512", 1, 11);
}

static void
test_cuts_4k(void **state)
{
	(void)state;
	run("cut4k", 8, 12);
}

static void
test_cuts_2k(void **state)
{
	(void)state;
	run("cut2k", 4, 13);
}

/* ---- what lies behind the end of a directory */

#define JUNK "JUNK    TXT"

/* Entries of another system behind the first free one of the root, which is the end for all. */
static void
junk_behind_root(const char *image)
{
	uint8_t boot[512], cluster[4096];
	uint32_t reserved, fat_sectors, i = 0;
	int fd = open(image, O_RDWR);
	off_t at;

	assert_int_equal(pread(fd, boot, 512, 0), 512);
	reserved = boot[14] | (uint32_t)boot[15] << 8;
	memcpy(&fat_sectors, boot + 36, 4);
	assert_true(boot[13] == 8 && boot[44] == 2); /* 4 KiB, the first cluster */
	at = (off_t)(reserved + boot[16] * fat_sectors) * 512;
	assert_int_equal(pread(fd, cluster, sizeof(cluster), at), sizeof(cluster));
	while (cluster[i * 32] != 0)
		i++;
	assert_true(i < 64);
	while (++i < 128) {
		memset(cluster + i * 32, 0, 32);
		memcpy(cluster + i * 32, JUNK, 11);
		cluster[i * 32 + 26] = 3; /* somebody's cluster */
		cluster[i * 32 + 28] = 5; /* bytes */
	}
	assert_int_equal(pwrite(fd, cluster, sizeof(cluster), at), sizeof(cluster));
	close(fd);
}

static void
make_names(void *arg)
{
	struct vnode *vp;
	char name[96];
	uint32_t i;

	record_image(arg);
	for (i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "/a name that takes %s entries %u.txt",
		    i % 9 == 0 ? "five, not the usual three or four," : "four", i);
		assert_int_equal(vfs_create(name, &vp), 0);
		assert_int_equal(vnode_set_time(vp, time_of(1)), 0); /* it is durable then */
		vnode_unref(vp);
	}
	assert_int_equal(vfs_sync(), 0);
	file_disk_close(&disk);
}

static void
check_no_junk(void *arg)
{
	const struct cut *c = arg;
	static struct file_disk copy;
	struct vnode_dirent entry;
	struct vnode *root;
	uint32_t i;

	console_tap_begin();
	assert_int_equal(file_disk_open(&copy, "cut", c->image), 0);
	sim_mm_boot_bare(FRAMES);
	assert_int_equal(fat32_mount(&copy.dev), 0);
	assert_int_equal(vfs_lookup("/", &root), 0);
	for (i = 0; vfs_readdir(root, i, &entry) == 0; i++)
		if (strncmp(entry.name, "JUNK", 4) == 0)
			fail_msg("cut %u: entry %u is what lay behind the end", c->number, i);
	assert_true(i > 3);
	vnode_unref(root);
	file_disk_close(&copy);
}

static void
test_junk_behind_the_end(void **state)
{
	const char *image = fat_image_make("junk", 8, false);
	char copy[] = "build/test-fat/cut-XXXXXX";
	struct cut c = { .image = copy, .check = check_no_junk };
	int fd = mkstemp(copy);

	(void)state;
	rng_seed(&rng, 14);
	junk_behind_root(image);
	record_count = epoch = event_count = 0;
	records = calloc(LOG_MAX, sizeof(*records));
	assert_non_null(records);
	assert_true(fd >= 0);
	fat_image_shell("cp --sparse=always %s %s", image, copy);
	sim_run(make_names, (void *)(uintptr_t)image);
	assert_true(epoch > 40);
	for (c.epoch = 0; c.epoch <= epoch; c.epoch += ++c.number % 8 == 0)
		cut_power(fd, &c);
	close(fd);
	unlink(copy);
	free(records);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cuts_512),
		cmocka_unit_test(test_cuts_4k),
		cmocka_unit_test(test_cuts_2k),
		cmocka_unit_test(test_junk_behind_the_end),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
