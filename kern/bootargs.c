/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Boot arguments, parsed into one struct.
 *
 * A word is NAME=VALUE; words are separated by blanks, so a value has none (the job's
 * own arguments are separated by colons). Words that the firmware adds for Linux are left
 * aside.
 *
 * Owns: struct bootargs.
 * Does not: act on any of them.
 * Invariants: A1 every field has its default until a word with a good value sets it.
 *   A2 every refused word is named on the console and counted.
 * Yields: never (boot).
 * See: kern/bootargs.h; README.md lists the arguments for users.
 */
#include "kern/bootargs.h"

#include <stddef.h>
#include <string.h>

#include "kern/console.h"

#define ATAG_CORE    0x54410001u
#define ATAG_CMDLINE 0x54410009u
#define ATAG_NONE    0u
#define ATAG_WORDS_MAX 1024u

struct bootargs bootargs;

/* KIND_CHOICE: one of two words, "A or B" in accepts; the field becomes 1 or 2. */
enum kind { KIND_SIZE, KIND_SECONDS, KIND_PERIOD, KIND_DOMAINS, KIND_WATCHDOG, KIND_FLAG,
	KIND_WORD, KIND_CHOICE };

struct row {
	const char *name;
	enum kind kind;
	void *field;
	const char *accepts;
};

static const struct row rows[] = {
	{ "mem", KIND_SIZE, &bootargs.mem_bytes, "a size such as 8M" },
	{ "domains", KIND_DOMAINS, &bootargs.domains, "a number from 1 to 4" },
	{ "swap", KIND_WORD, bootargs.swap,
	    "devices or files with commas between (sd0s2,md0:5,/swap.bin), or none" },
	{ "ramdisk", KIND_SIZE, &bootargs.ramdisk_bytes, "a size such as 32M" },
	{ "run", KIND_WORD, bootargs.run, "PROGRAM[:ARGUMENT]..." },
	{ "source", KIND_WORD, bootargs.source, "a file with commands, such as /start.ebb" },
	{ "vmstat", KIND_SECONDS, &bootargs.vmstat_s, "seconds from 0 to 3600" },
	{ "watchdog", KIND_WATCHDOG, &bootargs.watchdog_s, "seconds from 1 to 15" },
	{ "watchdog_test", KIND_FLAG, &bootargs.watchdog_test, "0 or 1" },
	{ "stream", KIND_PERIOD, &bootargs.stream_ms, "milliseconds from 20 to 60000" },
	{ "dashboard", KIND_PERIOD, &bootargs.dashboard_ms, "milliseconds from 20 to 60000" },
	{ "sd", KIND_CHOICE, &bootargs.sd_host, "emmc or sdhost" },
	{ "sd_dma", KIND_CHOICE, &bootargs.sd_dma, "0 or 1" },
	{ "flash", KIND_CHOICE, &bootargs.flash, "1 or format" },
	{ "console", KIND_CHOICE, &bootargs.console, "pl011 or mini" },
	{ "exit", KIND_FLAG, &bootargs.exit, "0 or 1" },
	{ "semihosting", KIND_FLAG, &bootargs.semihosting, "0 or 1" },
	{ "selftest", KIND_WORD, bootargs.selftest, "the name of a self test" },
	{ "fault", KIND_WORD, bootargs.fault, "DEVICE,WHAT[,NAME=NUMBER]...[;...]" },
	{ "trace", KIND_WORD, bootargs.trace, "event names with commas between, or all" },
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static int
number(const char *text, uint64_t *value, const char **end)
{
	uint64_t n = 0;

	if (*text < '0' || *text > '9')
		return (ERR_INVAL);
	for (; *text >= '0' && *text <= '9'; text++) {
		if (n > (UINT64_MAX - 9) / 10)
			return (ERR_INVAL);
		n = n * 10 + (uint64_t)(*text - '0');
	}
	*value = n;
	*end = text;
	return (0);
}

int
bootargs_size(const char *text, uint64_t *bytes)
{
	static const char suffixes[] = "KMG";
	const char *end, *suffix;
	uint64_t n;
	uint32_t shift = 0;

	if (number(text, &n, &end) != 0)
		return (ERR_INVAL);
	if (*end != '\0') {
		suffix = strchr(suffixes, *end >= 'a' ? *end - 'a' + 'A' : *end);
		if (suffix == NULL || end[1] != '\0')
			return (ERR_INVAL);
		shift = 10 * (uint32_t)(suffix - suffixes + 1);
	}
	if (n > UINT64_MAX >> shift)
		return (ERR_INVAL);
	*bytes = n << shift;
	return (0);
}

static int
choose(const struct row *row, const char *value)
{
	size_t first = strcspn(row->accepts, " ");
	const char *second = row->accepts + first + strlen(" or ");

	if (strlen(value) == first && strncmp(value, row->accepts, first) == 0)
		*(uint32_t *)row->field = 1;
	else if (strcmp(value, second) == 0)
		*(uint32_t *)row->field = 2;
	else
		return (ERR_INVAL);
	return (0);
}

static int
set(const struct row *row, const char *value)
{
	static const uint32_t most[] = { [KIND_SECONDS] = 3600, [KIND_PERIOD] = 60000,
		[KIND_DOMAINS] = 4, [KIND_WATCHDOG] = 15, [KIND_FLAG] = 1 };
	static const uint32_t least[] = { [KIND_PERIOD] = 20, [KIND_DOMAINS] = 1,
		[KIND_WATCHDOG] = 1, [KIND_FLAG] = 0 };
	const char *end;
	uint64_t n = 0;

	if (row->kind == KIND_SIZE)
		return (bootargs_size(value, row->field));
	if (row->kind == KIND_CHOICE)
		return (choose(row, value));
	if (row->kind == KIND_WORD) {
		if (*value == '\0' || strlen(value) >= BOOTARGS_WORD_BYTES)
			return (ERR_INVAL);
		strcpy(row->field, value);
		return (0);
	}
	if (number(value, &n, &end) != 0 || *end != '\0' || n > most[row->kind] ||
	    n < least[row->kind])
		return (ERR_INVAL);
	if (row->kind == KIND_FLAG)
		*(bool *)row->field = n != 0;
	else
		*(uint32_t *)row->field = (uint32_t)n;
	return (0);
}

static void
refuse_unknown(const char *word)
{
	kprintf("boot argument %s: unknown; known are mem= swap= ramdisk= run= vmstat= exit= "
		"semihosting= selftest= trace= domains= fault= sd= sd_dma= flash= console= "
		"stream= dashboard= watchdog= watchdog_test=\n", word);
	bootargs.error_count++;
}

/* Firmware of a Raspberry Pi puts words for Linux before those of cmdline.txt: settings of
 * modules, MODULE.NAME=VALUE, and a few of these names. They are none of ours, and no
 * mistake of the user's. */
static bool
is_firmwares(const char *word)
{
	static const char *const names[] = { "cgroup_disable", "coherent_pool", "numa",
		"numa_policy", "swiotlb" };
	size_t length = strcspn(word, "=");

	if (memchr(word, '.', length) != NULL)
		return (true);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == length && strncmp(names[i], word, length) == 0)
			return (true);
	return (false);
}

static void
parse_word(char *word)
{
	char *value = strchr(word, '=');

	for (size_t i = 0; value != NULL && i < ROW_COUNT; i++) {
		const struct row *row = &rows[i];

		if (strlen(row->name) != (size_t)(value - word) ||
		    strncmp(row->name, word, (size_t)(value - word)) != 0)
			continue;
		if (set(row, value + 1) != 0) {
			kprintf("boot argument %s: expected %s=, then %s\n", word, row->name,
			    row->accepts);
			bootargs.error_count++;
		}
		return;
	}
	if (is_firmwares(word))
		bootargs.foreign_count++;
	else
		refuse_unknown(word);
}

void
bootargs_parse(const char *text, const char *source)
{
	char word[BOOTARGS_WORD_BYTES + 16];
	uint32_t count = 0;

	memset(&bootargs, 0, sizeof(bootargs));
	while (text != NULL && *(text += strspn(text, " \t\r\n")) != '\0') {
		size_t length = strcspn(text, " \t\r\n");
		size_t kept = length < sizeof(word) - 1 ? length : sizeof(word) - 1;

		memcpy(word, text, kept);
		word[kept] = '\0';
		parse_word(word);
		text += length;
		count++;
	}
	if (bootargs.foreign_count > 0)
		kprintf("boot arguments: %u words for Linux, from the firmware, left aside\n",
		    (unsigned)bootargs.foreign_count);
	if (count == bootargs.foreign_count)
		kprintf("boot arguments: none from %s; using defaults\n", source);
}

int
bootargs_from_atags(const uint32_t *list, uint32_t bytes, char *text, uint32_t text_bytes)
{
	uint32_t words = bytes / 4 < ATAG_WORDS_MAX ? bytes / 4 : ATAG_WORDS_MAX;
	uint32_t at = 0;

	if (words < 2 || list[1] != ATAG_CORE)
		return (ERR_CORRUPT);
	while (at + 2 <= words && list[at + 1] != ATAG_NONE) {
		uint32_t size = list[at];

		if (size < 2 || size > words - at)
			return (ERR_CORRUPT);
		if (list[at + 1] == ATAG_CMDLINE) {
			uint32_t length = (size - 2) * 4;

			if (length > text_bytes - 1)
				length = text_bytes - 1;
			memcpy(text, &list[at + 2], length);
			text[length] = '\0';
			return (0);
		}
		at += size;
	}
	return (ERR_NOENT);
}
