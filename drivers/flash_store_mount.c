/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flash store at attach: its layout on a flash, format, and recovery.
 *
 * Recovery reads the summaries of all blocks and believes an entry whose sum, format and
 * place are right; of several for a slot the one with the highest sequence. It writes
 * nothing and trusts nothing: any bytes at all give a store, or an error.
 *
 *   headers: the highest format number, its size of disk, erase counts
 *   table:   the blocks that are bad: what is in them counts no more, least of all
 *            what was being written when they failed
 *   entries: the map; in a block whose header is damaged an entry counts only if
 *            its data are right too; behind the mark none counts (an erase had begun)
 *
 * A block in which nothing is live is free: OLD if it looks erased, else DIRTY. A
 * part-filled block stays as it is: what lies behind its last entry is not used.
 *
 * Owns: struct flash_store until store_mount returns.
 * Does not: erase or program, but for the first block of a format.
 * Invariants: R1 the map names only places on the flash, each at most once.
 * Yields: store_mount.
 * Complexity: O(blocks * slots a block) reads of 32 bytes.
 * See: docs/SPEC.md, section 3.
 */
#include <string.h>

#include "drivers/flash_store_internal.h"
#include "kern/console.h"
#include "kern/sched.h"
#include "lib/assert.h"

#define BLOCKS_MIN     8u
#define BLOCKS_MAX     2048u /* walks over them do not yield everywhere */
#define SPARE_SHARE    8u /* one block in so many: room to work in, and to go bad */
#define SPARE_MIN      2u
#define GC_FREE_EXTRA  4u
#define READ_TRIES     3u
#define LOOK_BYTES     512u /* of a block, to see if it is in use */

/* What the headers of a flash say. */
struct survey {
	uint32_t format_last;  /* highest format number there ever was */
	uint32_t format;       /* ... in a header that counts; 0: there is none */
	uint32_t slot_count;
	uint64_t sequence;     /* of the header that says so */
	uint32_t foreign;      /* blocks with something that is not ours */
	uint32_t counted;      /* blocks whose erase count is known, and its sum */
	uint64_t erase_sum;
};

/* ---- layout */

/* Slots that b blocks can hold with room to work; 0: none. */
static uint32_t
slots_of(const struct flash_store *s, uint32_t blocks)
{
	uint32_t kept = s->gc_free + 2;

	return (blocks <= kept ? 0 : (blocks - kept) * s->slots_per_block - 1);
}

static uint32_t
spare_blocks(const struct flash_store *s)
{
	uint32_t share = s->block_count / SPARE_SHARE;

	return (share > SPARE_MIN ? share : SPARE_MIN);
}

static bool
power_of_two(uint32_t n)
{
	return (n != 0 && (n & (n - 1)) == 0);
}

static const char *
geometry_fault(const struct flash_geometry *g)
{
	if (!power_of_two(g->block_bytes) || g->block_bytes < 4 * STORE_SLOT_BYTES ||
	    g->block_bytes > 1u << 24)
		return ("erase blocks are not of 16 KiB to 16 MiB");
	if (g->block_count < BLOCKS_MIN || g->block_count > BLOCKS_MAX)
		return ("there are not 8 to 2,048 erase blocks");
	if (!power_of_two(g->program_bytes) || g->program_bytes > sizeof(struct store_entry))
		return ("more than 32 bytes must be programmed at once");
	if (!power_of_two(g->buffer_bytes) || g->buffer_bytes < g->program_bytes)
		return ("its write buffer makes no sense");
	return (NULL);
}

int
store_layout(struct flash_store *s, const struct flash_geometry *g, const char **why)
{
	uint32_t pages = g->block_bytes / STORE_SLOT_BYTES, summary = 1;

	*why = geometry_fault(g);
	if (*why != NULL)
		return (ERR_NOTSUP);
	while (STORE_ENTRY_OFFSET + (pages - summary) * 2 * sizeof(struct store_entry) >
	    summary * STORE_SLOT_BYTES)
		summary++;
	s->block_count = g->block_count;
	s->summary_bytes = summary * STORE_SLOT_BYTES;
	s->slots_per_block = pages - summary;
	s->gc_free = GC_FREE_EXTRA;
	while (1u << (s->gc_free - GC_FREE_EXTRA) < s->slots_per_block + 1)
		s->gc_free++;
	s->slot_limit = slots_of(s, s->block_count);
	s->slot_count = 0;
	if (s->block_count > spare_blocks(s))
		s->slot_count = slots_of(s, s->block_count - spare_blocks(s));
	if (s->slot_count != 0)
		return (0);
	*why = "there are too few erase blocks";
	return (ERR_NOTSUP);
}

static uint64_t
map_bytes(const struct flash_store *s)
{
	return (((uint64_t)s->slot_limit + 1) * sizeof(uint32_t) + 7) & ~7ull;
}

uint64_t
flash_store_memory_bytes(const struct flash_geometry *g)
{
	static struct flash_store layout; /* too large for a stack */
	const char *why;

	if (store_layout(&layout, g, &why) != 0)
		return (0);
	return (map_bytes(&layout) + (uint64_t)g->block_count * sizeof(struct store_block));
}

/* ---- headers */

static bool
header_valid(const struct flash_store *s, const struct store_header *h)
{
	return (h->crc == store_header_crc(h) && memcmp(h->magic, STORE_MAGIC, 4) == 0 &&
	    h->version == STORE_VERSION && h->format != 0 && h->format != UINT32_MAX &&
	    h->block_shift == __builtin_ctz(s->flash->geometry.block_bytes) &&
	    h->slot_count != 0 && h->slot_count <= s->slot_limit);
}

/* Is the mark set? By most of its bits: neither a flipped bit nor a program that did not
 * end decides. */
static bool
marked(const uint32_t *word)
{
	uint32_t ones = 0;

	for (uint32_t i = 0; i < STORE_MARK_BYTES / 4; i++)
		for (uint32_t w = word[STORE_MARK_OFFSET / 4 + i]; w != 0; w &= w - 1)
			ones++;
	return (ones < STORE_MARK_BYTES * 4);
}

/* The first bytes of b, again if its header does not look good: a bit may be wrong once. */
static int
header_read(struct flash_store *s, uint32_t b, uint32_t *word, uint32_t bytes)
{
	const struct store_header *h = (const struct store_header *)(void *)word;
	int error;

	for (uint32_t i = 0; i < READ_TRIES; i++) {
		error = store_flash_read(s, (uint64_t)b * s->flash->geometry.block_bytes, word,
		    bytes);
		if (error != 0 || header_valid(s, h))
			break;
	}
	return (error);
}

/* Erased, cleared, or begun to be ours: not somebody else's. The first word may be torn. */
static bool
unused(const uint32_t *word)
{
	bool ones = true, zeros = true;

	if (memcmp(word, STORE_MAGIC, 4) == 0)
		return (true);
	for (uint32_t i = 1; i < LOOK_BYTES / 4; i++) {
		ones = ones && word[i] == STORE_BLANK;
		zeros = zeros && word[i] == 0;
	}
	return (ones || (zeros && word[0] == 0));
}

static void
survey_format(struct survey *v, const struct store_header *h, bool counts)
{
	if (h->format > v->format_last)
		v->format_last = h->format;
	if (!counts || h->format < v->format ||
	    (h->format == v->format && h->sequence < v->sequence))
		return;
	v->format = h->format;
	v->sequence = h->sequence;
	v->slot_count = h->slot_count;
}

static int
survey(struct flash_store *s, struct survey *v)
{
	uint32_t *word = (uint32_t *)(void *)s->page;

	*v = (struct survey){ 0 };
	for (uint32_t b = 0; b < s->block_count; b++) {
		const struct store_header *h = (const struct store_header *)(void *)s->page;
		int error = header_read(s, b, word, LOOK_BYTES);

		if (error != 0)
			return (error);
		s->blocks[b] = (struct store_block){ .state = STORE_DIRTY };
		sched_maybe_yield();
		if (!header_valid(s, h)) {
			v->foreign += !unused(word);
			continue;
		}
		s->blocks[b].erase_count = h->erase_count;
		s->blocks[b].counted = true;
		v->counted++;
		v->erase_sum += h->erase_count;
		survey_format(v, h, !marked(word));
	}
	return (0);
}

/* Blocks whose count is lost (power went while they were erased) get the mean. */
static void
erase_counts_complete(struct flash_store *s, const struct survey *v)
{
	uint32_t mean = v->counted == 0 ? 0 :
	    (uint32_t)((v->erase_sum + v->counted - 1) / v->counted);

	for (uint32_t b = 0; b < s->block_count; b++)
		if (!s->blocks[b].counted)
			s->blocks[b].erase_count = mean;
}

/* ---- entries */

/* Has the place that the map has for e's slot a higher sequence? */
static int
former_is_newer(struct flash_store *s, const struct store_entry *e, bool *newer)
{
	struct store_entry former;
	int error;

	*newer = false;
	if (s->map[e->slot] == STORE_NONE)
		return (0);
	error = store_entry_read(s, s->map[e->slot], &former);
	if (error == ERR_CORRUPT || error == ERR_NOENT)
		return (0);
	*newer = error == 0 && former.sequence >= e->sequence;
	return (error);
}

/* In a block without a good header: does e tell the truth? */
static int
data_agrees(struct flash_store *s, const struct store_entry *e, bool *agrees)
{
	int error = 0;

	*agrees = false;
	for (uint32_t i = 0; i < READ_TRIES && error == 0 && !*agrees; i++) {
		error = store_flash_read(s, store_data_offset(s, e->place), s->page,
		    STORE_SLOT_BYTES);
		*agrees = error == 0 && crc32c(0, s->page, STORE_SLOT_BYTES) == e->data_crc;
	}
	return (error);
}

/* A walk over the entries: of the table of bad blocks first, then all others. */
struct walk {
	bool table;
	bool doubtful; /* this block has no good header */
	bool blank;    /* no entry so far */
};

static int
place_recover(struct flash_store *s, uint32_t place, struct walk *w)
{
	struct store_entry e;
	struct store_block *block = &s->blocks[store_block_of(s, place)];
	bool newer = false, agrees = true;
	int error = store_entry_read(s, place, &e);

	if (error == ERR_NOENT)
		return (0);
	w->blank = false;
	if (error == ERR_CORRUPT || (error == 0 && (e.slot == s->slot_count) != w->table))
		return (0);
	if (error == 0 && w->doubtful)
		error = data_agrees(s, &e, &agrees);
	if (error == 0 && agrees)
		error = former_is_newer(s, &e, &newer);
	if (error != 0 || !agrees)
		return (error);
	if (e.sequence > s->sequence)
		s->sequence = e.sequence;
	if (e.sequence > block->sequence)
		block->sequence = e.sequence;
	if (!newer)
		s->map[e.slot] = place;
	return (0);
}

/* Entries of b, if they count. Only what looks erased all over may be OLD. */
static int
block_recover(struct flash_store *s, uint32_t b, bool table)
{
	struct walk w = { .table = table, .blank = true };
	uint32_t word[STORE_ENTRY_OFFSET / 4] = { 0 };
	const struct store_header *h = (const struct store_header *)(void *)word;
	bool good;
	int error = header_read(s, b, word, sizeof(word));

	good = error == 0 && header_valid(s, h) && h->format == s->format;
	if (error != 0 || (good && marked(word)))
		return (error);
	w.doubtful = !good;
	for (uint32_t i = 0; i < s->slots_per_block && error == 0; i++) {
		if (i % 16 == 0)
			sched_maybe_yield();
		error = place_recover(s, b * s->slots_per_block + i, &w);
	}
	if (good && w.blank)
		s->blocks[b].state = STORE_OLD;
	return (error);
}

/* ---- the table, and what follows from the map */

static void
table_read(struct flash_store *s)
{
	uint32_t slot = s->slot_count;

	if (s->map[slot] == STORE_NONE)
		return;
	if (store_place_read(s, slot, s->map[slot], s->page) != 0) {
		kprintf("%s: the table of bad blocks is lost; they will be found again\n",
		    s->dev.name);
		return;
	}
	for (uint32_t b = 0; b < s->block_count; b++)
		if ((s->page[b / 8] >> b % 8 & 1) != 0)
			s->blocks[b].state = STORE_BAD;
}

static void
blocks_count(struct flash_store *s)
{
	for (uint32_t slot = 0; slot <= s->slot_count; slot++) {
		struct store_block *block;

		if (slot % SCHED_LOOP_MAX == 0)
			sched_maybe_yield();
		if (s->map[slot] == STORE_NONE)
			continue;
		block = &s->blocks[store_block_of(s, s->map[slot])];
		if (block->state == STORE_BAD) {
			s->map[slot] = STORE_NONE;
			continue;
		}
		block->state = STORE_CLOSED;
		block->live++;
	}
	for (uint32_t b = 0; b < s->block_count; b++) {
		s->good_count += s->blocks[b].state != STORE_BAD;
		s->free_count += store_block_is_free(&s->blocks[b]);
	}
}

static int
recover(struct flash_store *s, const struct survey *v)
{
	int error = 0;

	s->format = v->format;
	s->slot_count = v->slot_count;
	for (uint32_t b = 0; b < s->block_count && error == 0; b++)
		error = block_recover(s, b, true);
	if (error != 0)
		return (error);
	table_read(s);
	for (uint32_t b = 0; b < s->block_count && error == 0; b++)
		if (s->blocks[b].state != STORE_BAD)
			error = block_recover(s, b, false);
	if (error != 0)
		return (error);
	erase_counts_complete(s, v);
	blocks_count(s);
	if (v->sequence > s->sequence)
		s->sequence = v->sequence;
	return (0);
}

/* Former headers are marked; one block says that there is a store; the others are erased
 * when they are needed. */
static int
format_flash(struct flash_store *s, const struct survey *v)
{
	int error = 0;

	for (uint32_t b = 0; b < s->block_count && error == 0; b++)
		if (s->blocks[b].counted)
			error = store_block_mark(s, b);
	if (error != 0)
		return (error);
	s->format = v->format_last + 1;
	erase_counts_complete(s, v);
	s->good_count = s->free_count = s->block_count;
	error = ERR_IO;
	for (uint32_t b = 0; b < s->block_count && error != 0; b++) {
		error = store_block_erase(s, b);
		if (s->gone || s->read_only)
			return (error != 0 ? error : ERR_IO);
		if (error == 0)
			break;
		s->free_count--;
		store_block_failed(s, b, error);
	}
	if (error == 0)
		kprintf("%s: formatted %s\n", s->dev.name, s->flash->name);
	return (error);
}

int
store_mount(struct flash_store *s, struct flash *flash, void *memory, bool format)
{
	struct survey v;
	const char *why;
	int error;

	s->flash = flash;
	error = store_layout(s, &flash->geometry, &why);
	if (error != 0) {
		kprintf("%s: %s cannot be used: %s\n", s->dev.name, flash->name, why);
		return (error);
	}
	s->map = memory;
	s->blocks = (struct store_block *)(void *)((uint8_t *)memory + map_bytes(s));
	memset(s->map, 0xff, map_bytes(s));
	s->head = STORE_NONE;
	s->good_min = 0;
	error = survey(s, &v);
	if (error == 0 && v.format == 0 && v.foreign != 0 && !format) {
		kprintf("%s: %s holds something that is not ebb's; boot argument flash=format "
			"gives it up\n", s->dev.name, flash->name);
		return (ERR_CORRUPT);
	}
	if (error == 0)
		error = v.format == 0 || format ? format_flash(s, &v) : recover(s, &v);
	if (error != 0)
		return (error);
	s->good_min = (s->slot_count + 1 + s->slots_per_block - 1) / s->slots_per_block +
	    s->gc_free + 2;
	if (s->good_count < s->good_min)
		store_read_only(s, "too many bad blocks");
	store_settle(s);
	return (0);
}
