/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names for new directory entries: a name of 8 and 3 characters of one case each is stored as
 * such; any other as a long name, with a short one that is made up and says little:
 *
 *   "Results of June.txt" -> "REA1B2~1.TXT"   two letters, hash of the name, attempt
 *
 * Owns: nothing.
 * Does not: look whether a name is taken.
 * Invariants:
 *   none
 * Yields: never.
 * See: Microsoft, FAT: General Overview of On-Disk Format, "Long Directory Entries",
 *   "Name Limits and Character Sets".
 */
#include "fs/fat32_name.h"

#include <string.h>

#include "lib/le.h"

#define BASE_BYTES 8
#define EXTENSION_BYTES 3
#define DATE_1980 0x0021 /* January 1st, until somebody says better: there is no calendar */

/* One code point of name at *at; UINT32_MAX if it is no UTF-8. */
static uint32_t
utf8_get(const char *name, uint32_t bytes, uint32_t *at)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	uint32_t c = (uint8_t)name[(*at)++], more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	uint32_t i;

	if ((c >= 0x80 && c < 0xc2) || c > 0xf4 || more > bytes - *at)
		return (UINT32_MAX);
	if (more != 0)
		c &= 0x3fu >> more;
	for (i = 0; i < more; i++) {
		uint8_t next = (uint8_t)name[(*at)++];

		if ((next & 0xc0) != 0x80)
			return (UINT32_MAX);
		c = c << 6 | (next & 0x3f);
	}
	return (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? UINT32_MAX : c);
}

/* The name as UTF-16. */
static int
units_make(const char *name, uint32_t bytes, struct fat32_new_name *out)
{
	uint32_t at = 0, n = 0;

	while (at < bytes) {
		uint32_t c = utf8_get(name, bytes, &at);

		if (c == UINT32_MAX || fat32_is_forbidden(c))
			return (ERR_INVAL);
		if (n + (c >= 0x10000 ? 2 : 1) > FAT32_NEW_UNITS_MAX)
			return (ERR_NAMETOOLONG);
		if (c >= 0x10000) {
			out->units[n++] = (uint16_t)(0xd800 + ((c - 0x10000) >> 10));
			c = 0xdc00 + ((c - 0x10000) & 0x3ff);
		}
		out->units[n++] = (uint16_t)c;
	}
	out->unit_count = n;
	return (0);
}

static bool
is_short_character(char c)
{
	return ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (c != '\0' && strchr("$%'-_@~`!(){}^#&", c) != NULL));
}

/* Put part, of one case, in upper case; false if it is not what a short name holds. */
static bool
part_put(uint8_t *to, const char *part, uint32_t bytes, bool *lower)
{
	bool upper = false;
	uint32_t i;

	*lower = false;
	for (i = 0; i < bytes; i++) {
		char c = part[i];

		if (!is_short_character(c))
			return (false);
		upper |= c >= 'A' && c <= 'Z';
		if (c >= 'a' && c <= 'z') {
			*lower = true;
			c -= 'a' - 'A';
		}
		to[i] = (uint8_t)c;
	}
	return (!(upper && *lower));
}

/* Can the name be stored as a short one? */
static bool
short_make(const char *name, uint32_t bytes, struct fat32_new_name *out)
{
	const char *dot = memchr(name, '.', bytes);
	uint32_t base = dot == NULL ? bytes : (uint32_t)(dot - name);
	uint32_t extension = dot == NULL ? 0 : bytes - base - 1;
	bool base_lower, extension_lower;

	memset(out->raw, ' ', sizeof(out->raw));
	if (base == 0 || base > BASE_BYTES || extension > EXTENSION_BYTES ||
	    !part_put(out->raw, name, base, &base_lower) ||
	    !part_put(out->raw + BASE_BYTES, name + bytes - extension, extension, &extension_lower))
		return (false);
	out->case_flags = (base_lower ? FAT32_CASE_LOWER_BASE : 0) |
	    (extension_lower ? FAT32_CASE_LOWER_EXTENSION : 0);
	return (true);
}

int
fat32_name_new(const char *name, uint32_t bytes, struct fat32_new_name *out)
{
	int err;

	memset(out, 0, sizeof(*out));
	if (bytes == 0 || name[bytes - 1] == '.' || name[bytes - 1] == ' ' || name[0] == ' ')
		return (ERR_INVAL);
	err = units_make(name, bytes, out);
	if (err != 0)
		return (err);
	if (short_make(name, bytes, out))
		out->unit_count = 0;
	else
		fat32_name_alias(out, 0);
	return (0);
}

/* Up to limit units that a short name can hold, from unit first on, in upper case. */
static uint32_t
units_put(uint8_t *to, const struct fat32_new_name *name, uint32_t first, uint32_t limit)
{
	uint32_t i, n = 0;

	for (i = first; i < name->unit_count && n < limit; i++) {
		uint16_t c = name->units[i];

		if (c == '.')
			break;
		if (c >= 'a' && c <= 'z')
			c -= 'a' - 'A';
		if (c < 0x80 && is_short_character((char)c))
			to[n++] = (uint8_t)c;
	}
	return (n);
}

void
fat32_name_alias(struct fat32_new_name *name, uint32_t attempt)
{
	static const char digits[] = "0123456789ABCDEF";
	uint32_t hash = 2166136261u + attempt / 9, n, i, dot = name->unit_count;

	for (i = 0; i < name->unit_count; i++) {
		hash = (hash ^ name->units[i]) * 16777619u;
		if (name->units[i] == '.')
			dot = i + 1;
	}
	memset(name->raw, ' ', sizeof(name->raw));
	n = units_put(name->raw, name, 0, 2);
	for (i = 0; i < 4; i++)
		name->raw[n++] = (uint8_t)digits[hash >> (4 * i) & 15];
	name->raw[n++] = '~';
	name->raw[n] = (uint8_t)('1' + attempt % 9);
	units_put(name->raw + BASE_BYTES, name, dot, EXTENSION_BYTES);
	name->case_flags = 0;
}

/* Piece number (from 1) of the long name. */
static void
piece_put(const struct fat32_new_name *name, uint32_t number, bool last, uint8_t *at)
{
	uint32_t i, unit = (number - 1) * FAT32_PIECE_UNITS;

	memset(at, 0, FAT32_ENTRY_BYTES);
	at[0] = (uint8_t)(number | (last ? FAT32_PIECE_LAST : 0));
	at[FAT32_AT_ATTRIBUTES] = FAT32_ATTRIBUTE_LONG_NAME;
	at[FAT32_AT_CHECKSUM] = fat32_short_name_checksum(name->raw);
	for (i = 0; i < FAT32_PIECE_UNITS; i++, unit++)
		le16_put(at + fat32_unit_offsets[i],
		    unit < name->unit_count      ? name->units[unit] :
			unit == name->unit_count ? 0 :
						   0xffff);
}

void
fat32_name_put(const struct fat32_new_name *name, uint8_t *at)
{
	uint32_t pieces = fat32_name_entries(name) - 1, i;

	for (i = pieces; i > 0; i--, at += FAT32_ENTRY_BYTES)
		piece_put(name, i, i == pieces, at);
	memset(at, 0, FAT32_ENTRY_BYTES);
	memcpy(at, name->raw, sizeof(name->raw));
	at[FAT32_AT_ATTRIBUTES] = FAT32_ATTRIBUTE_ARCHIVE;
	at[FAT32_AT_CASE] = name->case_flags;
	le16_put(at + FAT32_AT_WRITE_DATE, DATE_1980);
}
