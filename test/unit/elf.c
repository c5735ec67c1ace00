/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of proc/elf.c: a right file gives its segments; every wrong field is
 * refused with a sentence, and no byte outside the header page is read.
 *
 * Owns: a small ELF image built in memory, broken field by field.
 * Does not: load anything.
 * Invariants:
 *   none
 * Yields: never.
 * See: proc/elf.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proc/elf.h"
#include "proc/proc.h"

#define FILE_BYTES 0x5000u
#define HEAD_BYTES 4096u
#define PH(n)      (64 + 56 * (n))

static const struct proc_abi abi = {
	.name = "test", .elf_class = 2, .elf_machine = 183, .pointer_bytes = 8,
	.address_min = 0x10000, .address_max = UINT64_C(1) << 39,
};

static const struct proc_abi abi32 = {
	.name = "test32", .elf_class = 1, .elf_machine = 40, .pointer_bytes = 4, .aarch32 = true,
	.address_min = 0x10000, .address_max = 0xffff0000,
};

static void
put(uint8_t *at, uint64_t value, uint32_t bytes)
{
	while (bytes-- > 0) {
		*at++ = (uint8_t)value;
		value >>= 8;
	}
}

static void
put_segment(uint8_t *h, uint32_t n, uint32_t flags, const struct elf_segment *s)
{
	uint8_t *ph = h + PH(n);

	put(ph, 1, 4);
	put(ph + 4, flags, 4);
	put(ph + 8, s->file_offset, 8);
	put(ph + 16, s->address, 8);
	put(ph + 32, s->file_bytes, 8);
	put(ph + 40, s->memory_bytes, 8);
}

static const struct elf_segment good_segments[] = {
	{ .file_offset = 0, .address = 0x400000, .file_bytes = 0x1800, .memory_bytes = 0x1800 },
	{ .file_offset = 0x2000, .address = 0x402000, .file_bytes = 0x100, .memory_bytes = 0x100 },
	{ .file_offset = 0x3000, .address = 0x403000, .file_bytes = 0x200, .memory_bytes = 0x9000 },
};

/* Text, constants, data with bss. The page is a heap block of exactly its size, so
 * that the sanitizer sees any read outside. */
static uint8_t *
good_file(void)
{
	uint8_t *h = calloc(1, HEAD_BYTES);

	memcpy(h, "\177ELF\2\1\1", 7);
	put(h + 16, 2, 2);
	put(h + 18, 183, 2);
	put(h + 24, 0x400100, 8);
	put(h + 32, 64, 8);
	put(h + 54, 56, 2);
	put(h + 56, 3, 2);
	put_segment(h, 0, 5, &good_segments[0]);
	put_segment(h, 1, 4, &good_segments[1]);
	put_segment(h, 2, 6, &good_segments[2]);
	return (h);
}

static int
parse(uint8_t *h, struct elf_image *image, const char **why)
{
	*why = elf_parse(h, HEAD_BYTES, FILE_BYTES, &abi, image);
	free(h);
	return (*why == NULL ? 0 : ERR_NOEXEC);
}

static void
elf_good_file_gives_segments(void **state)
{
	struct elf_image image;
	const char *why;

	(void)state;
	assert_int_equal(parse(good_file(), &image, &why), 0);
	assert_int_equal(image.segment_count, 3);
	assert_int_equal(image.entry, 0x400100);
	assert_int_equal(image.segments[0].prot, VM_PROT_READ | VM_PROT_EXECUTE);
	assert_int_equal(image.segments[1].prot, VM_PROT_READ);
	assert_int_equal(image.segments[2].prot, VM_PROT_READ | VM_PROT_WRITE);
	assert_int_equal(image.segments[2].file_bytes, 0x200);
	assert_int_equal(image.end, 0x40c000);
}

/* One field changed: where, to what, and a word of the complaint. */
static const struct {
	uint32_t at;
	uint64_t value;
	uint32_t bytes;
	const char *word;
} faults[] = {
	{ 0, 0, 1, "not an ELF" },
	{ 4, 1, 1, "class" },
	{ 5, 2, 1, "byte order" },
	{ 16, 3, 2, "static" },
	{ 18, 62, 2, "machine" },
	{ 56, 0, 2, "no program headers" },
	{ 54, 8, 2, "no program headers" },
	{ 32, 4090, 8, "first 4 KiB" },
	{ 32, UINT64_MAX, 8, "first 4 KiB" },
	{ 56, 0xffff, 2, "first 4 KiB" },
	{ 24, 0x402010, 8, "entry point" },
	{ 24, 0x401800, 8, "entry point" },
	{ 24, 0x400102, 8, "not a multiple of 4" },
	{ PH(0) + 32, 0x1801, 8, "larger in the file" },
	{ PH(0) + 40, UINT64_MAX, 8, "address range" },
	{ PH(1) + 8, UINT64_MAX & ~0xfffull, 8, "past the end" },
	{ PH(2) + 8, 0x4f00, 8, "past the end" },
	{ PH(1) + 8, 0x2010, 8, "modulo" },
	{ PH(1) + 16, 0x401000, 8, "overlap" },
	{ PH(1) + 16, 0x3ff000, 8, "overlap" },
	{ PH(1) + 16, UINT64_C(0xffffff8000080000), 8, "address range" },
	{ PH(0) + 16, 0, 8, "address range" },
	{ PH(2) + 4, 7, 4, "writable and executable" },
};

static void
elf_every_wrong_field_is_refused(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct elf_image image;
		const char *why;
		uint8_t *h = good_file();

		put(h + faults[i].at, faults[i].value, faults[i].bytes);
		assert_int_equal(parse(h, &image, &why), ERR_NOEXEC);
		assert_non_null(strstr(why, faults[i].word));
	}
}

static void
elf_short_file_is_refused(void **state)
{
	uint32_t bytes;

	(void)state;
	for (bytes = 0; bytes < PH(3); bytes++) {
		struct elf_image image;
		uint8_t *whole = good_file();
		uint8_t *h = malloc(bytes == 0 ? 1 : bytes);

		memcpy(h, whole, bytes);
		free(whole);
		assert_non_null(elf_parse(h, bytes, bytes, &abi, &image));
		free(h);
	}
}

/* Random damage: refused, or every accepted segment keeps E1 and E2. */
static void
elf_random_damage_keeps_invariants(void **state)
{
	uint32_t round;

	(void)state;
	srand(1);
	for (round = 0; round < 20000; round++) {
		struct elf_image image;
		const char *why;
		uint8_t *h = good_file();
		uint32_t i, flips = 1 + (uint32_t)rand() % 4;
		uint64_t lowest = 0;

		for (i = 0; i < flips; i++)
			h[(uint32_t)rand() % PH(3)] ^= (uint8_t)(1u << (rand() % 8));
		if (parse(h, &image, &why) != 0)
			continue;
		for (i = 0; i < image.segment_count; i++) {
			const struct elf_segment *s = &image.segments[i];

			assert_true(s->address >= lowest && s->address >= abi.address_min);
			assert_true(s->address + s->memory_bytes <= abi.address_max);
			assert_true(s->file_bytes <= s->memory_bytes);
			assert_true(s->file_offset + s->file_bytes <= FILE_BYTES);
			lowest = round_page(s->address + s->memory_bytes);
		}
	}
}

/* ---- ELF32 (System V ABI, chapter 4: the same fields, narrower and in another order) */

#define PH32(n) (52 + 32 * (n))

static uint8_t *
good_file32(void)
{
	uint8_t *h = calloc(1, HEAD_BYTES);
	uint32_t n;

	memcpy(h, "\177ELF\1\1\1", 7);
	put(h + 16, 2, 2);
	put(h + 18, 40, 2);
	put(h + 24, 0x400101, 4); /* T32 */
	put(h + 28, 52, 4);
	put(h + 42, 32, 2);
	put(h + 44, 3, 2);
	for (n = 0; n < 3; n++) {
		const struct elf_segment *s = &good_segments[n];

		put(h + PH32(n), 1, 4);
		put(h + PH32(n) + 4, s->file_offset, 4);
		put(h + PH32(n) + 8, s->address, 4);
		put(h + PH32(n) + 16, s->file_bytes, 4);
		put(h + PH32(n) + 20, s->memory_bytes, 4);
		put(h + PH32(n) + 24, n == 0 ? 5 : n == 1 ? 4 : 6, 4);
	}
	return (h);
}

static void
elf32_good_file_gives_segments(void **state)
{
	uint8_t *h = good_file32();
	struct elf_image image;
	uint32_t n;

	(void)state;
	assert_null(elf_parse(h, HEAD_BYTES, FILE_BYTES, &abi32, &image));
	assert_int_equal(image.entry, 0x400101);
	assert_int_equal(image.segment_count, 3);
	assert_int_equal(image.segments[0].prot, VM_PROT_READ | VM_PROT_EXECUTE);
	assert_int_equal(image.segments[1].prot, VM_PROT_READ);
	assert_int_equal(image.segments[2].prot, VM_PROT_READ | VM_PROT_WRITE);
	for (n = 0; n < 3; n++) {
		assert_int_equal(image.segments[n].address, good_segments[n].address);
		assert_int_equal(image.segments[n].file_offset, good_segments[n].file_offset);
		assert_int_equal(image.segments[n].file_bytes, good_segments[n].file_bytes);
		assert_int_equal(image.segments[n].memory_bytes, good_segments[n].memory_bytes);
	}
	free(h);
}

/* Entry of A32 code: a multiple of 4; of T32: odd. Segments end where 32 bits do. */
static void
elf32_wrong_fields_are_refused(void **state)
{
	static const struct {
		uint32_t at, value;
		const char *word;
	} wrong[] = {
		{ 24, 0x400102, "not a multiple of 4" },
		{ PH32(2) + 8, 0xfffff000, "address range" },
		{ PH32(2) + 20, 0xffffffff, "address range" },
		{ 44, 0xffff, "first 4 KiB" },
	};
	uint32_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		uint8_t *h = good_file32();
		struct elf_image image;
		const char *why;

		put(h + wrong[i].at, wrong[i].value, wrong[i].at == 44 ? 2 : 4);
		why = elf_parse(h, HEAD_BYTES, FILE_BYTES, &abi32, &image);
		assert_non_null(why);
		assert_non_null(strstr(why, wrong[i].word));
		free(h);
	}
}

static void
elf_file_says_its_abi(void **state)
{
	uint8_t *h = good_file(), *h32 = good_file32();
	uint32_t bytes;

	(void)state;
	assert_true(elf_is_for(h, HEAD_BYTES, &abi));
	assert_false(elf_is_for(h, HEAD_BYTES, &abi32));
	assert_true(elf_is_for(h32, HEAD_BYTES, &abi32));
	assert_false(elf_is_for(h32, HEAD_BYTES, &abi));
	for (bytes = 0; bytes < 20; bytes++)
		assert_false(elf_is_for(h, bytes, &abi));
	h[5] = 2;
	assert_false(elf_is_for(h, HEAD_BYTES, &abi));
	h32[0] = 0;
	assert_false(elf_is_for(h32, HEAD_BYTES, &abi32));
	free(h);
	free(h32);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elf_good_file_gives_segments),
		cmocka_unit_test(elf_every_wrong_field_is_refused),
		cmocka_unit_test(elf_short_file_is_refused),
		cmocka_unit_test(elf_random_damage_keeps_invariants),
		cmocka_unit_test(elf32_good_file_gives_segments),
		cmocka_unit_test(elf32_wrong_fields_are_refused),
		cmocka_unit_test(elf_file_says_its_abi),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
