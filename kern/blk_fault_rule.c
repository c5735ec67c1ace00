/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults on purpose: rules from words, and back.
 *
 *   "sd0s2 write every=50"  --blk_fault_set-->  a row of blk_fault_rules
 *
 * Owns: which rows are in use.
 * Does not: act on them (blk_fault.c).
 * Invariants:
 *   K1 the blocks of a rule are those of the whole device, inside the device named.
 * Yields: never.
 * See: kern/blk_fault.h for the words.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kern/blk_fault.h"

#define WORD_BYTES 32u

static const char *const kind_names[BLK_FAULT_KINDS] = {
	[BLK_FAULT_READ] = "read", [BLK_FAULT_WRITE] = "write", [BLK_FAULT_CORRUPT] = "corrupt",
	[BLK_FAULT_TORN] = "torn", [BLK_FAULT_DELAY] = "delay", [BLK_FAULT_GONE] = "gone",
	[BLK_FAULT_CUT] = "cut",
};

static int
refuse(int error, char *why, uint32_t why_bytes, const char *format, const char *word)
{
	snprintf(why, why_bytes, format, word);
	return (error);
}

/* The next word of *text; its length, 0 at the end. */
static uint32_t
next_word(const char **text, char word[WORD_BYTES])
{
	size_t length, kept;

	*text += strspn(*text, " ,");
	length = strcspn(*text, " ,");
	kept = length < WORD_BYTES - 1 ? length : WORD_BYTES - 1;
	memcpy(word, *text, kept);
	word[kept] = '\0';
	*text += length;
	return ((uint32_t)length);
}

/* word is NAME=NUMBER: the number. */
static bool
value_of(const char *word, const char *name, uint64_t least, uint64_t *value)
{
	size_t length = strlen(name);
	char *end;
	unsigned long long n;

	if (strncmp(word, name, length) != 0 || word[length] != '=' || word[length + 1] < '0' ||
	    word[length + 1] > '9')
		return (false);
	n = strtoull(word + length + 1, &end, 0);
	*value = n;
	return (*end == '\0' && n >= least && n <= UINT32_MAX);
}

static bool
kind_of(const char *word, struct blk_fault_rule *rule)
{
	uint8_t k;

	if (value_of(word, "delay_us", 1, &rule->delay_us) ||
	    value_of(word, "delay_ms", 1, &rule->delay_us)) {
		rule->kind = BLK_FAULT_DELAY;
		rule->delay_us *= strncmp(word, "delay_ms", 8) == 0 ? 1000 : 1;
		return (true);
	}
	for (k = 0; k < BLK_FAULT_KINDS; k++) {
		rule->kind = k;
		if (k != BLK_FAULT_DELAY && strcmp(word, kind_names[k]) == 0)
			return (true);
	}
	return (false);
}

static int
parse_limits(const char *text, struct blk_fault_rule *rule, char *why, uint32_t why_bytes)
{
	uint64_t block = 0, count = 1, offset = 0;
	const struct blkdev *dev;
	char word[WORD_BYTES];

	while (next_word(&text, word) != 0) {
		if (value_of(word, "block", 0, &block))
			rule->bounded = true;
		else if (!value_of(word, "count", 1, &count) &&
		    !value_of(word, "every", 1, &rule->every) &&
		    !value_of(word, "after", 0, &rule->after) &&
		    !value_of(word, "times", 1, &rule->times))
			return (refuse(ERR_INVAL, why, why_bytes, "%s: expected block=, count=, "
				"every=, after= or times= with a number", word));
	}
	if (rule->bounded && (block >= rule->dev->block_count ||
	    count > rule->dev->block_count - block))
		return (refuse(ERR_RANGE, why, why_bytes, "the blocks are not all on %s",
		    rule->dev->name));
	for (dev = rule->dev; dev->parent != NULL; dev = dev->parent) {
		offset += dev->parent_block;
		count = rule->bounded ? count : rule->dev->block_count;
	}
	/* A rule about a partition is about its blocks. */
	rule->bounded |= rule->dev->parent != NULL;
	rule->block = block + offset;
	rule->end = rule->block + count;
	return (0);
}

/* Its rules and those of its partitions go; what is held still ends in its time. */
static void
forget(struct blkdev *dev)
{
	struct blk_fault_rule *rule;

	for (rule = blk_fault_rules; rule < blk_fault_rules + BLK_FAULT_RULES_MAX; rule++)
		if (rule->dev == dev || (rule->dev != NULL && blk_fault_is_on(rule, dev)))
			*rule = (struct blk_fault_rule){ 0 };
}

static int
add(const struct blk_fault_rule *new, struct blkdev *device, char *why, uint32_t why_bytes)
{
	struct blk_fault_rule *rule = blk_fault_rules;

	while (rule < blk_fault_rules + BLK_FAULT_RULES_MAX && rule->dev != NULL)
		rule++;
	if (blk_fault_enable(device) != 0 || rule == blk_fault_rules + BLK_FAULT_RULES_MAX)
		return (refuse(ERR_NOSPC, why, why_bytes, "%s: no more than 8 rules on 4 devices",
		    device->name));
	*rule = *new;
	return (0);
}

int
blk_fault_set(const char *text, char *why, uint32_t why_bytes)
{
	struct blk_fault_rule rule = { .every = 1, .times = UINT64_MAX };
	struct blkdev *dev, *device;
	char word[WORD_BYTES];
	int error;

	next_word(&text, word);
	dev = blk_find(word);
	if (dev == NULL)
		return (refuse(ERR_NODEV, why, why_bytes, "'%s': no such device", word));
	for (device = dev; device->parent != NULL; device = device->parent)
		continue;
	rule.dev = dev;
	next_word(&text, word);
	if (strcmp(word, "off") == 0) {
		forget(dev);
		return (0);
	}
	if (!kind_of(word, &rule))
		return (refuse(ERR_INVAL, why, why_bytes, "'%s': expected read, write, corrupt, "
			"torn, delay_us=, delay_ms=, gone, cut or off", word));
	error = parse_limits(text, &rule, why, why_bytes);
	return (error != 0 ? error : add(&rule, device, why, why_bytes));
}

const struct blk_fault_rule *
blk_fault_rule(uint32_t n)
{
	const struct blk_fault_rule *rule;

	for (rule = blk_fault_rules; rule < blk_fault_rules + BLK_FAULT_RULES_MAX; rule++)
		if (rule->dev != NULL && n-- == 0)
			return (rule);
	return (NULL);
}

void
blk_fault_describe(const struct blk_fault_rule *rule, char *text, uint32_t bytes)
{
	uint64_t offset = 0;
	const struct blkdev *dev;
	char delay_text[32] = "", limit[64] = "", block[64] = "";

	for (dev = rule->dev; dev->parent != NULL; dev = dev->parent)
		offset += dev->parent_block;
	if (rule->kind == BLK_FAULT_DELAY)
		snprintf(delay_text, sizeof(delay_text), "_us=%lu", (unsigned long)rule->delay_us);
	if (rule->bounded)
		snprintf(block, sizeof(block), " block=%lu count=%lu",
		    (unsigned long)(rule->block - offset),
		    (unsigned long)(rule->end - rule->block));
	if (rule->times != UINT64_MAX)
		snprintf(limit, sizeof(limit), " times=%lu", (unsigned long)rule->times);
	snprintf(text, bytes, "%s %s%s%s every=%lu after=%lu%s", rule->dev->name,
	    kind_names[rule->kind], delay_text, block, (unsigned long)rule->every,
	    (unsigned long)rule->after, limit);
}
