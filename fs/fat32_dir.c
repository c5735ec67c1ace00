/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Directory entries: one pass that gathers long-name pieces until the short
 * entry they belong to, then builds both names.
 *
 *   piece 3 of 3 (0x43) -> piece 2 -> piece 1 -> short entry: complete
 *   anything else in between, or a wrong checksum: the pieces are dropped and
 *   the short name stands alone
 *
 * Names are made safe to print: a long name with a character that FAT forbids
 * is dropped, such a byte in a short name becomes '_'.
 *
 * Owns: struct name_pieces during one call. Does not: follow clusters of the
 * entries it reports, or print.
 *
 * Invariants:
 * D1 names are NUL-terminated UTF-8 without control characters and '/'.
 * D2 at most FAT32_DIR_BYTES_MAX bytes of a directory are looked at.
 *
 * Yields: in blk_read or after each sector.
 * See: Microsoft, FAT: General Overview of On-Disk Format, "FAT Directory
 * Structure" and "Long Directory Entries".
 */
#include "fs/fat32_dir.h"

#include <stdio.h>
#include <string.h>

#include "fs/fat32_cache.h"
#include "fs/fat32_time.h"
#include "kern/sched.h"
#include "lib/assert.h"
#include "lib/le.h"

#define FIRST_KANJI 0x05 /* stands for a name that begins with 0xe5 */
#define ATTRIBUTE_LABEL 0x08
#define ATTRIBUTE_DIRECTORY 0x10

#define PIECES_MAX 20

struct name_pieces {
	uint16_t units[PIECES_MAX * FAT32_PIECE_UNITS];
	uint32_t total;     /* pieces in the name, 0 = none seen */
	uint32_t wanted;    /* number of the next piece; 0 = complete */
	uint8_t checksum;
};

/* Where the 13 UTF-16 units lie in a piece. */
const uint8_t fat32_unit_offsets[FAT32_PIECE_UNITS] = { 1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24,
	28, 30 };

/* Upper half of code page 437, which short names are read in. */
static const uint16_t cp437[128] = {
	0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7,
	0x00ea, 0x00eb, 0x00e8, 0x00ef, 0x00ee, 0x00ec, 0x00c4, 0x00c5,
	0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb, 0x00f9,
	0x00ff, 0x00d6, 0x00dc, 0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192,
	0x00e1, 0x00ed, 0x00f3, 0x00fa, 0x00f1, 0x00d1, 0x00aa, 0x00ba,
	0x00bf, 0x2310, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab, 0x00bb,
	0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562, 0x2556,
	0x2555, 0x2563, 0x2551, 0x2557, 0x255d, 0x255c, 0x255b, 0x2510,
	0x2514, 0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x255e, 0x255f,
	0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256c, 0x2567,
	0x2568, 0x2564, 0x2565, 0x2559, 0x2558, 0x2552, 0x2553, 0x256b,
	0x256a, 0x2518, 0x250c, 0x2588, 0x2584, 0x258c, 0x2590, 0x2580,
	0x03b1, 0x00df, 0x0393, 0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4,
	0x03a6, 0x0398, 0x03a9, 0x03b4, 0x221e, 0x03c6, 0x03b5, 0x2229,
	0x2261, 0x00b1, 0x2265, 0x2264, 0x2320, 0x2321, 0x00f7, 0x2248,
	0x00b0, 0x2219, 0x00b7, 0x221a, 0x207f, 0x00b2, 0x25a0, 0x00a0
};

bool
fat32_is_forbidden(uint32_t c)
{
	return (c < 0x20 || c == 0x7f || (c < 0x80 && strchr("\"*/:<>?\\|", (int)c) != NULL));
}

/* Append code point c to *at as UTF-8. */
static void
utf8_put(char **at, uint32_t c)
{
	char *p = *at;

	if (c < 0x80) {
		*p++ = (char)c;
	} else if (c < 0x800) {
		*p++ = (char)(0xc0 | c >> 6);
		*p++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*p++ = (char)(0xe0 | c >> 12);
		*p++ = (char)(0x80 | (c >> 6 & 0x3f));
		*p++ = (char)(0x80 | (c & 0x3f));
	} else {
		*p++ = (char)(0xf0 | c >> 18);
		*p++ = (char)(0x80 | (c >> 12 & 0x3f));
		*p++ = (char)(0x80 | (c >> 6 & 0x3f));
		*p++ = (char)(0x80 | (c & 0x3f));
	}
	*at = p;
}

/* One code point of the count units from units[*i] on; an unpaired surrogate
 * becomes U+FFFD. */
static uint32_t
utf16_get(const uint16_t *units, uint32_t count, uint32_t *i)
{
	uint32_t c = units[(*i)++];

	if (c < 0xd800 || c > 0xdfff)
		return (c);
	if (c > 0xdbff || *i == count || units[*i] < 0xdc00 || units[*i] > 0xdfff)
		return (0xfffd);
	return (0x10000 + ((c - 0xd800) << 10) + (units[(*i)++] - 0xdc00u));
}

/* The gathered long name as UTF-8; false if it is none that FAT allows. */
static bool
long_name_make(const struct name_pieces *pieces, char name[FAT32_NAME_BYTES])
{
	uint32_t limit = pieces->total * FAT32_PIECE_UNITS, count = 0, i = 0;
	char *at = name;

	while (count < limit && pieces->units[count] != 0)
		count++;
	if (count == 0 || count > FAT32_NAME_UNITS_MAX)
		return (false);
	while (i < count) {
		uint32_t c = utf16_get(pieces->units, count, &i);

		if (fat32_is_forbidden(c))
			return (false);
		utf8_put(&at, c);
	}
	*at = '\0';
	KASSERT(at < name + FAT32_NAME_BYTES, "D1: long name fits");
	return (true);
}

/* Append count bytes of a short name without trailing spaces. */
static void
short_part_put(char **at, const uint8_t *bytes, uint32_t count, bool lower)
{
	uint32_t i;

	while (count > 0 && bytes[count - 1] == ' ')
		count--;
	for (i = 0; i < count; i++) {
		uint32_t c = bytes[i];

		if (c >= 0x80)
			c = cp437[c - 0x80];
		else if (fat32_is_forbidden(c))
			c = '_';
		else if (lower && c >= 'A' && c <= 'Z')
			c += 'a' - 'A';
		utf8_put(at, c);
	}
}

static void
short_name_make(const uint8_t *raw, char name[FAT32_SHORT_NAME_BYTES])
{
	uint8_t base[8];
	char *at = name;

	memcpy(base, raw, sizeof(base));
	if (base[0] == FIRST_KANJI)
		base[0] = FAT32_FIRST_DELETED;
	short_part_put(&at, base, sizeof(base), (raw[FAT32_AT_CASE] & FAT32_CASE_LOWER_BASE) != 0);
	if (raw[8] != ' ' || raw[9] != ' ' || raw[10] != ' ') {
		utf8_put(&at, '.');
		short_part_put(&at, raw + 8, 3,
		    (raw[FAT32_AT_CASE] & FAT32_CASE_LOWER_EXTENSION) != 0);
	}
	*at = '\0';
	KASSERT(at < name + FAT32_SHORT_NAME_BYTES, "D1: short name fits");
}

uint8_t
fat32_short_name_checksum(const uint8_t *raw)
{
	uint8_t sum = 0;
	uint32_t i;

	for (i = 0; i < 11; i++)
		sum = (uint8_t)((sum >> 1 | sum << 7) + raw[i]);
	return (sum);
}

/* Take one long-name piece; an unexpected one drops all. */
static void
piece_add(struct name_pieces *pieces, const uint8_t *raw)
{
	uint32_t number = raw[0] & (FAT32_PIECE_LAST - 1), i;

	if (raw[0] & FAT32_PIECE_LAST) {
		pieces->total = pieces->wanted = number <= PIECES_MAX ? number : 0;
		pieces->checksum = raw[FAT32_AT_CHECKSUM];
	}
	if (number == 0 || number != pieces->wanted || raw[FAT32_AT_CHECKSUM] != pieces->checksum ||
	    pieces->total == 0) {
		pieces->total = pieces->wanted = 0;
		return;
	}
	pieces->wanted--;
	for (i = 0; i < FAT32_PIECE_UNITS; i++)
		pieces->units[pieces->wanted * FAT32_PIECE_UNITS + i] =
		    le16(raw + fat32_unit_offsets[i]);
}

static void
dirent_fill(const uint8_t *raw, const struct name_pieces *pieces, struct fat32_dirent *out)
{
	bool has_long = pieces->total != 0 && pieces->wanted == 0 &&
	    pieces->checksum == fat32_short_name_checksum(raw);

	short_name_make(raw, out->short_name);
	if (!has_long || !long_name_make(pieces, out->name))
		strcpy(out->name, out->short_name);
	out->cluster = (uint32_t)le16(raw + FAT32_AT_CLUSTER_HIGH) << 16 |
	    le16(raw + FAT32_AT_CLUSTER_LOW);
	out->size_bytes = le32(raw + FAT32_AT_SIZE);
	out->modified_s = fat32_time_get(
	    le16(raw + FAT32_AT_WRITE_DATE), le16(raw + FAT32_AT_WRITE_TIME));
	out->is_directory = (raw[FAT32_AT_ATTRIBUTES] & ATTRIBUTE_DIRECTORY) != 0;
}

/* What one raw entry means for the pass. */
enum entry_kind { ENTRY_LAST, ENTRY_PASS, ENTRY_PIECE, ENTRY_FILE };

static enum entry_kind
entry_classify(const uint8_t *raw)
{
	if (raw[0] == FAT32_FIRST_END)
		return (ENTRY_LAST);
	if (raw[0] == FAT32_FIRST_DELETED)
		return (ENTRY_PASS);
	if ((raw[FAT32_AT_ATTRIBUTES] & FAT32_ATTRIBUTE_MASK) == FAT32_ATTRIBUTE_LONG_NAME)
		return (ENTRY_PIECE);
	if (raw[FAT32_AT_ATTRIBUTES] & ATTRIBUTE_LABEL)
		return (ENTRY_PASS);
	if (memcmp(raw, ".          ", 11) == 0 || memcmp(raw, "..         ", 11) == 0)
		return (ENTRY_PASS);
	return (ENTRY_FILE);
}

int
fat32_dir_sector(const struct fat32_geometry *geo, struct fat32_chain *dir, uint32_t index,
    uint64_t *sector, char why[FAT32_WHY_BYTES])
{
	uint32_t cluster_index = index / geo->cluster_sectors;
	struct fat32_extent e;
	int err;

	err = fat32_chain_find(geo, dir, cluster_index, &e, why);
	if (err != 0)
		return (err);
	*sector = fat32_cluster_sector(geo, e.cluster + (cluster_index - e.index)) +
	    index % geo->cluster_sectors;
	return (0);
}

int
fat32_dir_next(const struct fat32_geometry *geo, struct fat32_chain *dir, uint32_t *slot,
    struct fat32_dirent *out, char why[FAT32_WHY_BYTES])
{
	uint32_t slot_count = dir->count * geo->cluster_sectors * FAT32_ENTRIES_PER_SECTOR;
	struct name_pieces pieces = { .total = 0 };
	uint64_t sector = 0;
	const uint8_t *raw;
	bool located = false;
	int err = 0;

	for (; *slot < slot_count; (*slot)++) {
		if (!located || *slot % FAT32_ENTRIES_PER_SECTOR == 0)
			err = fat32_dir_sector(geo, dir, *slot / FAT32_ENTRIES_PER_SECTOR,
			    &sector, why);
		if (err == 0)
			err = fat32_cache_get(sector, &raw);
		if (err != 0)
			return (err);
		located = true;
		raw += *slot % FAT32_ENTRIES_PER_SECTOR * FAT32_ENTRY_BYTES;
		switch (entry_classify(raw)) {
		case ENTRY_LAST:
			return (ERR_NOENT);
		case ENTRY_PIECE:
			piece_add(&pieces, raw);
			break;
		case ENTRY_PASS:
			pieces.total = 0;
			break;
		case ENTRY_FILE:
			out->position = sector * FAT32_ENTRIES_PER_SECTOR +
			    *slot % FAT32_ENTRIES_PER_SECTOR;
			dirent_fill(raw, &pieces, out);
			(*slot)++;
			return (0);
		}
		if (*slot % FAT32_ENTRIES_PER_SECTOR == FAT32_ENTRIES_PER_SECTOR - 1)
			sched_maybe_yield();
	}
	return (ERR_NOENT);
}

int
fat32_dir_check(const struct fat32_geometry *geo, const struct fat32_chain *dir,
    uint32_t parent_cluster, char why[FAT32_WHY_BYTES])
{
	static const char names[2][12] = { ".          ", "..         " };
	uint32_t wanted[2] = { dir->first, parent_cluster }, i;
	const uint8_t *raw;
	int err;

	err = fat32_cache_get(fat32_cluster_sector(geo, dir->first), &raw);
	if (err != 0)
		return (err);
	for (i = 0; i < 2; i++, raw += FAT32_ENTRY_BYTES) {
		uint32_t cluster = (uint32_t)le16(raw + FAT32_AT_CLUSTER_HIGH) << 16 |
		    le16(raw + FAT32_AT_CLUSTER_LOW);

		/* The root is named by 0, by some writers by its number. */
		if (i == 1 && cluster == 0)
			cluster = geo->root_cluster;
		if (memcmp(raw, names[i], 11) == 0 && cluster == wanted[i] &&
		    (raw[FAT32_AT_ATTRIBUTES] & ATTRIBUTE_DIRECTORY) != 0)
			continue;
		snprintf(why, FAT32_WHY_BYTES, "its \"%s\" entry leads to cluster %u, expected %u",
		    i == 0 ? "." : "..", cluster, wanted[i]);
		return (ERR_CORRUPT);
	}
	return (0);
}

bool
fat32_name_equal(const char *a, const char *b, uint32_t b_bytes)
{
	uint32_t i;

	for (i = 0; i < b_bytes; i++) {
		char x = a[i], y = b[i];

		if (x >= 'A' && x <= 'Z')
			x += 'a' - 'A';
		if (y >= 'A' && y <= 'Z')
			y += 'a' - 'A';
		if (x != y || x == '\0')
			return (false);
	}
	return (a[b_bytes] == '\0');
}
