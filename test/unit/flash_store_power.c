/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flash store against a model, over thousands of seeded runs: writes, reads,
 * erases, power cuts at any program or erase, mounts, blocks that fail and wear out.
 *
 * After each mount every slot holds the last completed write, or the one that was under
 * way; after an erase of it and a mount, zeros or any former contents. EBB_SEED=seed
 * replays one run, EBB_RUNS=n makes more of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/drivers_params.h"
#include "drivers/flash_store_internal.h"
#include "lib/rng.h"
#include "test/host/sim_flash.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_replay.h"

#define RUNS       3000u
#define OPERATIONS 300u
#define SLOTS_MAX  1024u

static struct sim_flash sim;
static struct flash_store store;
static void *memory;
static uint64_t runs_max;

/* ---- the model */

static struct {
	uint32_t version;  /* acknowledged contents; 0: zeros */
	uint32_t failed;   /* first of the writes since then that did not complete; 0: none */
	uint32_t pending;  /* the same, and a mount since: they may be there */
	uint32_t last;     /* highest version so far */
	bool loose;        /* erased, then mounted: any version up to last */
} model[SLOTS_MAX];

static struct {
	uint64_t writes, reads, erases, cuts, mounts, bad_blocks, read_only, moved;
} seen;

static uint8_t page[STORE_SLOT_BYTES] __attribute__((aligned(64)));

static void
page_fill(uint8_t *to, uint32_t slot, uint32_t version)
{
	struct rng rng;
	uint64_t *word = (uint64_t *)(void *)to;

	memset(to, 0, STORE_SLOT_BYTES);
	if (version == 0)
		return;
	rng_seed(&rng, (uint64_t)slot << 32 | version);
	for (uint32_t i = 1; i < STORE_SLOT_BYTES / 8; i++)
		word[i] = rng_next(&rng);
	word[0] = (uint64_t)slot << 32 | version;
}

static void
wrong(const char *what, uint32_t slot, uint32_t version)
{
	char text[200];

	snprintf(text, sizeof(text), "slot %u: %s (acknowledged %u, pending %u, last %u, got %u)",
	    slot, what, model[slot].version, model[slot].pending, model[slot].last, version);
	sim_fail(text);
}

static void
slot_check(uint32_t slot)
{
	static uint8_t expected[STORE_SLOT_BYTES] __attribute__((aligned(64)));
	int error = store_read(&store, slot, page);
	uint64_t word;
	uint32_t version;

	if (error == ERR_NODEV)
		return;
	if (error != 0)
		wrong(err_string(error), slot, 0);
	memcpy(&word, page, sizeof(word));
	version = (uint32_t)word;
	if (word != 0 && word >> 32 != slot)
		wrong("contents of another slot", slot, version);
	if (version != model[slot].version && version > model[slot].last)
		wrong("never written", slot, version);
	if (version != model[slot].version && !model[slot].loose &&
	    (model[slot].pending == 0 || version < model[slot].pending))
		wrong("wrong version", slot, version);
	page_fill(expected, slot, version);
	if (memcmp(page, expected, sizeof(page)) != 0)
		wrong("wrong bytes", slot, version);
	model[slot].version = version;
	model[slot].pending = 0;
	model[slot].loose = false;
	seen.reads++;
}

/* ---- operations */

static void
write_slot(uint32_t slot)
{
	uint32_t version = ++model[slot].last;
	int error;

	page_fill(page, slot, version);
	error = store_write(&store, slot, page);
	seen.writes++;
	if (error == 0) {
		model[slot].version = version;
		model[slot].failed = model[slot].pending = 0;
		model[slot].loose = false;
	} else if (model[slot].failed == 0) {
		model[slot].failed = version;
	}
	if (error != 0 && !sim.dead &&
	    (!store.read_only || store.good_count == store.block_count))
		wrong(err_string(error), slot, version);
}

static void
erase_slot(uint32_t slot)
{
	store_forget(&store, slot);
	seen.erases++;
	if (sim.dead)
		return;
	model[slot].version = model[slot].failed = model[slot].pending = 0;
	model[slot].loose = false;
}

static void
mount(void)
{
	int error;

	sim_flash_power_on(&sim);
	memset(&store, 0, sizeof(store));
	strcpy(store.dev.name, "fl0");
	error = store_mount(&store, &sim.flash, memory, false);
	seen.mounts++;
	if (error != 0 && !sim.dead)
		sim_fail("no mount");
}

/* Power has gone, or not: what is there afterwards. */
static void
remount(void)
{
	uint32_t i;

	do {
		mount();
		/* Erases of slots are forgotten, writes under way may be there. */
		for (i = 0; i < store.slot_count; i++) {
			model[i].loose |= model[i].version == 0 && model[i].last != 0;
			if (model[i].failed != 0)
				model[i].pending = model[i].failed;
			model[i].failed = 0;
		}
		for (i = 0; i < store.slot_count; i++)
			slot_check(i);
	} while (sim.dead);
}

/* Slots nearly all, half, or few of which are written again and again. */
static uint32_t
slot_draw(uint32_t kind)
{
	uint32_t all = store.slot_count;

	if (kind == 0 || sim_random(8) == 0)
		return (sim_random(all));
	return (sim_random(all / (kind * 4) + 1));
}

static void
operate(uint32_t kind)
{
	uint32_t what = sim_random(100), slot = slot_draw(kind);

	if (what < 70)
		write_slot(slot);
	else if (what < 84)
		slot_check(slot);
	else if (what < 92)
		erase_slot(slot);
	else if (what < 96)
		(void)store_idle_work(&store);
	else if (what < 98 && kind != 3)
		remount();
	else if (sim.cut_after == 0)
		sim.cut_after = sim_random(200) + 1;
	if (!sim.dead)
		return;
	seen.cuts++;
	remount();
}

/* F1, F2, F3, R1. */
static void
check_invariants(void)
{
	static uint32_t live[256];
	uint32_t free_count = 0, open = 0;

	memset(live, 0, sizeof(live));
	for (uint32_t i = 0; i <= store.slot_count; i++)
		if (store.map[i] != STORE_NONE)
			live[store_block_of(&store, store.map[i])]++;
	for (uint32_t b = 0; b < store.block_count; b++) {
		if (live[b] != store.blocks[b].live)
			sim_fail("live count is wrong");
		free_count += store_block_is_free(&store.blocks[b]);
		open += store.blocks[b].state == STORE_OPEN;
	}
	if (free_count != store.free_count || open > 1)
		sim_fail("free count or head is wrong");
}

/* ---- a run */

static void
run_begin(uint32_t troubles)
{
	static const uint32_t shapes[][2] = { { 16384, 24 }, { 32768, 20 }, { 65536, 18 } };
	const uint32_t *shape = shapes[sim_random(3)];

	sim_flash_open(&sim, shape[0], shape[1]);
	memory = malloc(flash_store_memory_bytes(&sim.flash.geometry));
	memset(model, 0, sizeof(model));
	if (sim_random(3) == 0)
		sim.erase_polls = sim_random(4);
	mount();
	if (troubles == 1)
		sim.program_fail_one_in = 300 + sim_random(3000);
	if (troubles == 2)
		sim.erase_fail_one_in = 10 + sim_random(60);
	if (troubles == 3)
		sim.endurance = 1 + sim_random(3);
	if (troubles == 4)
		sim.flip_read_one_in = 100000;
	if (store.slot_count > SLOTS_MAX)
		sim_fail("the model is too small");
}

static void
run_end(void)
{
	check_invariants();
	remount();
	check_invariants();
	for (uint32_t b = 0; b < store.block_count; b++)
		seen.bad_blocks += store.blocks[b].state == STORE_BAD;
	seen.read_only += store.read_only;
	seen.moved += store.gc_copies;
	free(memory);
	sim_flash_close(&sim);
}

static void
run(uint64_t seed)
{
	uint32_t kind, troubles, count = OPERATIONS;

	sim_random_scheduler(seed); /* seeds sim_random ... */
	sim_random_scheduler(0);    /* ... there is one task only */
	kind = sim_random(4);
	troubles = sim_random(10);
	run_begin(troubles);
	if (troubles == 3)
		count *= 4; /* until it is worn out */
	for (uint32_t i = 0; kind < 2 && i < store.slot_count && !sim.dead; i++)
		write_slot(i);
	for (uint32_t i = 0; i < count; i++)
		operate(kind);
	run_end();
}

static void
power_body(void *arg)
{
	(void)arg;
	const char *start = getenv("EBB_START");
	uint64_t first = start != NULL ? strtoull(start, NULL, 0) : 0;

	for (uint64_t i = 1; i <= runs_max; i++)
		run(getenv("EBB_SEED") != NULL ? sim_seed(0) : first + i);
}

static void
test_power_cuts_lose_nothing(void **state)
{
	const char *text = getenv("EBB_RUNS");

	runs_max = text != NULL ? strtoull(text, NULL, 0) : RUNS;
	if (getenv("EBB_SEED") != NULL)
		runs_max = 1;
	drivers_params_register();
	drivers_params.flash_wear_gap = 3;
	sim_run(power_body, state);
	print_message("%llu runs: %llu writes, %llu reads, %llu erases, %llu cuts, %llu mounts; "
	    "%llu bad blocks, %llu stores read-only, %llu wear moves\n",
	    (unsigned long long)runs_max, (unsigned long long)seen.writes,
	    (unsigned long long)seen.reads, (unsigned long long)seen.erases,
	    (unsigned long long)seen.cuts, (unsigned long long)seen.mounts,
	    (unsigned long long)seen.bad_blocks, (unsigned long long)seen.read_only,
	    (unsigned long long)drivers_params.flash_wear_moves);
	if (runs_max < RUNS)
		return;
	/* It has met what it is for. */
	assert_true(seen.cuts > runs_max && seen.bad_blocks > 100 && seen.read_only > 10);
	assert_true(drivers_params.flash_wear_moves > 100);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_power_cuts_lose_nothing) };

	(void)argc;
	sim_fix_addresses(argv);
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
