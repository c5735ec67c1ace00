/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kv: a B+ tree over a mapped file, larger than the pool, that checks itself.
 *
 *   run kv FILE KEYS [ROUNDS]
 *
 * FILE is mapped shared; its pages are read when they are used and written back by msync.
 * Puts KEYS keys in an order that jumps about, looks all of them and as many others up,
 * changes every third, syncs, unmaps, maps again and compares everything with what must be
 * there; ROUNDS (1) times with other values. The second round finds the tree of the first.
 *
 * Owns: the content of FILE.
 * Does not: make FILE, or lengthen it.
 * Invariants:
 *   K1  after a round key k has value_of(k, round), changed if k is a multiple of 3
 * Yields: a program, preemptive.
 * See: btree.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/libebb/ebb.h"
#include "app/programs/kv/btree.h"

#define STEP 0x9e3779b97f4a7c15u /* odd: n -> n * STEP meets every key once */

static int file;
static size_t file_bytes;
static void *tree;

static void
give_up(const char *what)
{
	fprintf(stderr, "kv: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t
value_of(uint64_t key, uint32_t round)
{
	uint64_t value = (key ^ round) * STEP;

	return (key % 3 == 0 ? ~value : value);
}

static void
map_file(void)
{
	tree = mmap(NULL, file_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (tree == MAP_FAILED)
		give_up("mmap");
}

static void
open_file(const char *path)
{
	struct stat st;

	file = open(path, O_RDWR);
	if (file < 0 || fstat(file, &st) != 0)
		give_up(path);
	file_bytes = (size_t)st.st_size & ~(size_t)4095;
	if (file_bytes < 4 * 4096) {
		fprintf(stderr, "kv: %s: shorter than four pages\n", path);
		exit(1);
	}
	map_file();
}

/* The n-th key that is put: all of 0 to keys - 1, in jumps. */
static uint64_t
key_at(uint64_t n, uint64_t keys)
{
	return (n * 7919 % keys);
}

static void
put_all(uint64_t keys, uint32_t round)
{
	uint64_t n;

	for (n = 0; n < keys; n++) {
		uint64_t k = key_at(n, keys);

		if (btree_put(tree, k * STEP, (k ^ round) * STEP) != 0) {
			fprintf(stderr, "kv: the file is full after %llu keys\n",
			    (unsigned long long)n);
			exit(1);
		}
	}
	for (n = 0; n < keys; n += 3)
		if (btree_put(tree, n * STEP, value_of(n, round)) != 0)
			give_up("put of a key that is there");
}

/* Keys that have a wrong value, or are there and should not be. */
static uint64_t
wrong_keys(uint64_t keys, uint32_t round)
{
	uint64_t n, value, wrong = 0;

	for (n = 0; n < keys; n++) {
		wrong += btree_get(tree, n * STEP, &value) != 0 || value != value_of(n, round);
		wrong += btree_get(tree, (n + keys) * STEP, &value) == 0;
	}
	return (wrong);
}

static uint64_t
wrong_sums(uint64_t keys, uint32_t round)
{
	uint64_t n, all_keys = 0, all_values = 0, sum_keys, sum_values;
	int64_t count = btree_sum(tree, &sum_keys, &sum_values);

	for (n = 0; n < keys; n++) {
		all_keys += n * STEP;
		all_values += value_of(n, round);
	}
	return ((uint64_t)(count != (int64_t)keys) + (sum_keys != all_keys) +
	    (sum_values != all_values));
}

static void
sync_and_map_again(void)
{
	if (msync(tree, file_bytes, MS_SYNC) != 0)
		give_up("msync");
	if (munmap(tree, file_bytes) != 0)
		give_up("munmap");
	map_file();
}

int
main(int argc, char **argv)
{
	uint64_t keys = argc > 2 ? strtoull(argv[2], NULL, 0) : 0, wrong = 0;
	uint32_t rounds = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 0) : 1, round;
	struct ebb_usage usage = { 0 };

	if (argc < 3 || argc > 4 || keys < 10 || keys % 7919 == 0 || rounds == 0) {
		fprintf(stderr, "usage: kv FILE KEYS [ROUNDS]\n");
		return (2);
	}
	open_file(argv[1]);
	for (round = 0; round < rounds; round++) {
		const char *why = btree_check(tree, file_bytes);

		printf("kv: round %lu: %s\n", (unsigned long)round,
		    why == NULL ? "the tree is there" : why);
		if (why != NULL || round == 0)
			btree_make(tree, file_bytes);
		put_all(keys, round);
		wrong += wrong_keys(keys, round);
		sync_and_map_again();
		wrong += wrong_keys(keys, round) + wrong_sums(keys, round);
	}
	ebb_usage(&usage);
	printf("kv: %llu keys, %lu rounds, %llu wrong; %llu faults\n", (unsigned long long)keys,
	    (unsigned long)rounds, (unsigned long long)wrong, (unsigned long long)usage.faults);
	return (wrong != 0);
}
