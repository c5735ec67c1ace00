/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main of a fuzz target that is built without libFuzzer: a host test, and more.
 *
 *   NAME                the seeds and test/fuzz/corpus/NAME/, then inputs made of them
 *   NAME FILE ...       these inputs (what `make fuzz` found)
 *   NAME --seeds DIR    write the seeds into DIR
 *   NAME --seconds N    inputs for N seconds, with a new seed
 *
 * An input is made from one of the known ones by a few random changes; nobody measures
 * what it reaches (libFuzzer does). EBB_SEED=seed replays a run, EBB_RUNS=n sets its
 * length. An input that fails is kept in build/NAME.input; so is one that takes more
 * than HANG_S.
 *
 * Owns: the known inputs, the one that runs.
 * Does not: know a format.
 * Invariants: none.
 * Yields: never.
 * See: test/host/fuzz.h, tools/fuzz.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <dirent.h>

#include <cmocka.h>

#include "lib/rng.h"
#include "test/host/fuzz.h"
#include "test/host/sim_machdep.h"

#define KNOWN_MAX    512u
#define CHANGES_MAX  8u
#define HANG_S       60u
#define TEXT_BYTES   512

struct known {
	uint8_t *data;
	size_t bytes;
};

static struct known known[KNOWN_MAX];
static uint32_t known_count;
static const char *name;

static uint8_t current[FUZZ_BYTES_MAX];
static size_t current_bytes;
static uint8_t *copy; /* what the target gets */
static bool running;
static uint64_t runs_done;
static uint32_t seconds;

/* Of the sanitizers; the build for coverage has none. */
void __sanitizer_set_death_callback(void (*fn)(void)) __attribute__((weak));
const char *__ubsan_default_options(void);

/* ---- one input */

static void
keep_input(void)
{
	char path[TEXT_BYTES];
	FILE *file;

	if (!running)
		return;
	running = false;
	snprintf(path, sizeof(path), "build/%s.input", name);
	file = fopen(path, "wb");
	if (file == NULL || fwrite(current, 1, current_bytes, file) != current_bytes ||
	    fclose(file) != 0)
		perror(path);
	fprintf(stderr, "%s: input number %llu fails; kept in %s\n", name,
	    (unsigned long long)runs_done + 1, path);
}

/* The checker of undefined behaviour knows no callback. */
const char *
__ubsan_default_options(void)
{
	return ("abort_on_error=1");
}

static void
stopped(int signal_number)
{
	if (signal_number == SIGALRM)
		fprintf(stderr, "%s: no end after %u s\n", name, HANG_S);
	keep_input();
	_exit(1);
}

/* The target gets a copy of exactly the size, so that a read behind it is seen. */
static void
run_current(void)
{
	free(copy);
	copy = malloc(current_bytes != 0 ? current_bytes : 1);
	if (copy == NULL)
		abort();
	memcpy(copy, current, current_bytes);
	running = true;
	alarm(HANG_S);
	(void)LLVMFuzzerTestOneInput(copy, current_bytes);
	alarm(0);
	running = false;
	runs_done++;
}

static void
use(const struct known *input)
{
	memcpy(current, input->data, input->bytes);
	current_bytes = input->bytes;
}

/* ---- known inputs */

static void
remember(const uint8_t *data, size_t bytes)
{
	struct known *input = &known[known_count];

	if (known_count == KNOWN_MAX || bytes == 0)
		return;
	input->data = malloc(bytes);
	if (input->data == NULL)
		abort();
	memcpy(input->data, data, bytes);
	input->bytes = bytes;
	known_count++;
}

static void
remember_file(const char *path)
{
	static uint8_t data[FUZZ_BYTES_MAX];
	FILE *file = fopen(path, "rb");

	if (file == NULL) {
		perror(path);
		exit(1);
	}
	remember(data, fread(data, 1, sizeof(data), file));
	fclose(file);
}

static void
remember_seeds(void)
{
	static uint8_t data[FUZZ_BYTES_MAX];
	size_t bytes;

	for (uint32_t n = 0; (bytes = fuzz_seed(n, data)) != 0; n++)
		remember(data, bytes);
}

/* In the order of their names, so that a seed replays a run. */
static void
remember_corpus(void)
{
	char folder[TEXT_BYTES], path[2 * TEXT_BYTES];
	struct dirent **entries;
	int count;

	snprintf(folder, sizeof(folder), "test/fuzz/corpus/%s", name);
	count = scandir(folder, &entries, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.')
			remember_file(path);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

static void
forget_all(void)
{
	free(copy);
	while (known_count > 0)
		free(known[--known_count].data);
}

/* ---- changes */

static const uint32_t telling[] = { 0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff,
	0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff };

static void
change_value(struct rng *rng, uint32_t at)
{
	uint32_t value = telling[rng_below(rng, sizeof(telling) / sizeof(telling[0]))];
	uint32_t bytes = 1u << rng_below(rng, 3), big = rng_below(rng, 2);

	for (uint32_t i = 0; i < bytes && at + i < current_bytes; i++)
		current[at + i] = (uint8_t)(value >> 8 * (big ? bytes - 1 - i : i));
}

static void
change_size(struct rng *rng, uint32_t at)
{
	uint32_t count = 1 + rng_below(rng, 16), left = (uint32_t)current_bytes - at;

	if (rng_below(rng, 2) == 0) {
		if (count > left)
			count = left;
		memmove(current + at, current + at + count, left - count);
		current_bytes -= count;
	} else if (current_bytes + count <= FUZZ_BYTES_MAX) {
		memmove(current + at + count, current + at, left);
		for (uint32_t i = 0; i < count; i++)
			current[at + i] = (uint8_t)rng_next(rng);
		current_bytes += count;
	}
}

/* Over it comes a piece of another known input. */
static void
change_splice(struct rng *rng, uint32_t at)
{
	const struct known *other = &known[rng_below(rng, known_count)];
	uint32_t from = rng_below(rng, (uint32_t)other->bytes);
	uint32_t count = 1 + rng_below(rng, 64);

	for (uint32_t i = 0; i < count && from + i < other->bytes; i++) {
		if (at + i >= FUZZ_BYTES_MAX)
			return;
		current[at + i] = other->data[from + i];
		if (at + i >= current_bytes)
			current_bytes = at + i + 1;
	}
}

static void
change(struct rng *rng)
{
	uint32_t at;

	if (current_bytes == 0)
		current[current_bytes++] = (uint8_t)rng_next(rng);
	at = rng_below(rng, (uint32_t)current_bytes);
	switch (rng_below(rng, 8)) {
	case 0: case 1:
		current[at] ^= (uint8_t)(1u << rng_below(rng, 8));
		break;
	case 2: case 3:
		current[at] = (uint8_t)rng_next(rng);
		break;
	case 4: case 5:
		change_value(rng, at);
		break;
	case 6:
		change_splice(rng, at);
		break;
	default:
		change_size(rng, at);
	}
}

/* ---- the test */

static void
test_known_inputs(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < known_count; i++) {
		use(&known[i]);
		run_current();
	}
}

static void
test_changed_inputs(void **state)
{
	const char *text = getenv("EBB_RUNS");
	uint64_t runs = text != NULL ? strtoull(text, NULL, 0) : fuzz_runs, seed;
	time_t end = time(NULL) + (time_t)seconds;
	struct rng rng;

	(void)state;
	if (running)
		fail_msg("a known input fails already");
	seed = sim_seed(seconds == 0 ? 1 : 0);
	rng_seed(&rng, seed);
	print_message("%s: seed %llu\n", name, (unsigned long long)seed);
	runs_done = 0;
	while (seconds != 0 ? time(NULL) < end : runs_done < runs) {
		use(&known[rng_below(&rng, known_count)]);
		for (uint32_t n = 1 + rng_below(&rng, CHANGES_MAX); n > 0; n--)
			change(&rng);
		run_current();
	}
	print_message("%s: %llu inputs\n", name, (unsigned long long)runs_done);
}

static int
write_seeds(const char *folder)
{
	char path[TEXT_BYTES];

	remember_seeds();
	for (uint32_t i = 0; i < known_count; i++) {
		FILE *file;

		snprintf(path, sizeof(path), "%s/seed-%03u", folder, i);
		file = fopen(path, "wb");
		if (file == NULL || fwrite(known[i].data, 1, known[i].bytes, file) !=
		    known[i].bytes || fclose(file) != 0) {
			perror(path);
			return (1);
		}
	}
	forget_all();
	return (0);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_inputs),
		cmocka_unit_test(test_changed_inputs),
	};
	const struct CMUnitTest replay[] = { cmocka_unit_test(test_known_inputs) };
	bool files = argc > 1 && argv[1][0] != '-';
	int failed;

	name = strrchr(argv[0], '/') != NULL ? strrchr(argv[0], '/') + 1 : argv[0];
	if (argc == 3 && strcmp(argv[1], "--seeds") == 0)
		return (write_seeds(argv[2]));
	if (argc == 3 && strcmp(argv[1], "--seconds") == 0)
		seconds = (uint32_t)strtoul(argv[2], NULL, 0);
	signal(SIGALRM, stopped);
	signal(SIGABRT, stopped);
	if (__sanitizer_set_death_callback != NULL)
		__sanitizer_set_death_callback(keep_input);
	if (!files) {
		remember_seeds();
		remember_corpus();
	}
	for (int i = 1; files && i < argc; i++)
		remember_file(argv[i]);
	failed = files ? cmocka_run_group_tests_name(name, replay, NULL, NULL) :
	    cmocka_run_group_tests_name(name, tests, NULL, NULL);
	keep_input();
	forget_all();
	return (failed);
}
