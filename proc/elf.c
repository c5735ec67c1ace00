/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ELF headers, checked field by field.
 *
 * The file comes from a card that anyone can write: every number is checked before
 * it is used, sums are checked for overflow, and nothing is trusted to be aligned.
 * Accepted are static executables (ET_EXEC) of the process's class and machine,
 * whose loadable segments are in ascending order, do not share a page, and lie
 * inside the user's addresses.
 *
 * Owns: nothing; works on the caller's bytes.
 * Does not: read the file, map memory (exec.c).
 * Invariants:
 *   E1  segments are ascending and no two touch the same page
 *   E2  file_offset + file_bytes <= size of the file; file_bytes <= memory_bytes
 * Yields: never.
 * See: System V ABI chapters 4 and 5; ELF for the Arm 64-bit Architecture.
 */
#include "proc/elf.h"

#include <string.h>

#include "proc/proc.h"

#define ELF_MAGIC "\177ELF"
#define ET_EXEC   2
#define PT_LOAD   1
#define PF_X      1
#define PF_W      2
#define PF_R      4
#define ELFCLASS64 2

/* Both classes read into one form. */
struct header {
	uint64_t entry, phoff;
	uint32_t phentsize, phnum, type, machine;
};

static uint64_t
get(const uint8_t *p, uint32_t bytes)
{
	uint64_t value = 0;

	while (bytes-- > 0)
		value = value << 8 | p[bytes];
	return (value);
}

static void
read_header(const uint8_t *h, bool is64, struct header *out)
{
	out->type = (uint32_t)get(h + 16, 2);
	out->machine = (uint32_t)get(h + 18, 2);
	out->entry = is64 ? get(h + 24, 8) : get(h + 24, 4);
	out->phoff = is64 ? get(h + 32, 8) : get(h + 28, 4);
	out->phentsize = (uint32_t)get(h + (is64 ? 54 : 42), 2);
	out->phnum = (uint32_t)get(h + (is64 ? 56 : 44), 2);
}

/* One program header; returns its type. */
static uint32_t
read_segment(const uint8_t *ph, bool is64, struct elf_segment *out)
{
	uint32_t flags = (uint32_t)get(ph + (is64 ? 4 : 24), 4);

	out->file_offset = is64 ? get(ph + 8, 8) : get(ph + 4, 4);
	out->address = is64 ? get(ph + 16, 8) : get(ph + 8, 4);
	out->file_bytes = is64 ? get(ph + 32, 8) : get(ph + 16, 4);
	out->memory_bytes = is64 ? get(ph + 40, 8) : get(ph + 20, 4);
	out->prot = (vm_prot_t)((flags & (PF_R | PF_W) ? VM_PROT_READ : 0) |
	    (flags & PF_W ? VM_PROT_WRITE : 0) | (flags & PF_X ? VM_PROT_EXECUTE : 0));
	return ((uint32_t)get(ph, 4));
}

static const char *
check_header(const struct header *h, uint64_t head_bytes, uint32_t min_entry,
    const struct proc_abi *abi)
{
	if (h->type != ET_EXEC)
		return ("not a static executable (link with -static, without -pie)");
	if (h->machine != abi->elf_machine)
		return ("built for another machine");
	if (h->phnum == 0 || h->phentsize < min_entry)
		return ("no program headers");
	if (h->phoff > head_bytes || (uint64_t)h->phnum * h->phentsize > head_bytes - h->phoff)
		return ("program headers not inside the first 4 KiB of the file");
	return (NULL);
}

static const char *
check_segment(const struct elf_segment *s, uint64_t file_bytes, const struct proc_abi *abi,
    uint64_t lowest)
{
	if (s->file_bytes > s->memory_bytes)
		return ("segment larger in the file than in memory");
	if (s->file_offset > file_bytes || s->file_bytes > file_bytes - s->file_offset)
		return ("a segment lies past the end of the file");
	if ((s->file_offset & PAGE_MASK) != (s->address & PAGE_MASK))
		return ("segment's file offset and address differ modulo the page size");
	if (s->address < abi->address_min || s->address >= abi->address_max ||
	    s->memory_bytes > abi->address_max - s->address)
		return ("segment outside the program's address range");
	if (s->address < lowest)
		return ("segments overlap, share a page or are not in ascending order");
	if ((s->prot & VM_PROT_WRITE) && (s->prot & VM_PROT_EXECUTE))
		return ("segment both writable and executable");
	return (NULL);
}

/* The entry point must be code, and an instruction's address; bit 0 says T32. */
static const char *
check_entry(const struct elf_image *image, const struct proc_abi *abi)
{
	uint32_t i;

	if ((image->entry & 3) != 0 && !(abi->aarch32 && (image->entry & 1) != 0))
		return ("entry point not a multiple of 4");
	for (i = 0; i < image->segment_count; i++) {
		const struct elf_segment *s = &image->segments[i];

		if ((s->prot & VM_PROT_EXECUTE) && image->entry >= s->address &&
		    image->entry - s->address < s->memory_bytes)
			return (NULL);
	}
	return ("entry point outside the executable segments");
}

static const char *
parse_segments(const uint8_t *head, const struct header *h, uint64_t file_bytes,
    const struct proc_abi *abi, struct elf_image *out)
{
	bool is64 = abi->elf_class == ELFCLASS64;
	const char *why;
	uint32_t i;

	for (i = 0; i < h->phnum; i++) {
		struct elf_segment s;

		if (read_segment(head + h->phoff + (uint64_t)i * h->phentsize, is64, &s) !=
		    PT_LOAD || s.memory_bytes == 0)
			continue;
		if (out->segment_count == ELF_SEGMENTS_MAX)
			return ("more than 8 loadable segments");
		why = check_segment(&s, file_bytes, abi, round_page(out->end));
		if (why != NULL)
			return (why);
		out->segments[out->segment_count++] = s;
		out->end = s.address + s.memory_bytes;
	}
	return (check_entry(out, abi));
}

bool
elf_is_for(const void *head, uint64_t head_bytes, const struct proc_abi *abi)
{
	const uint8_t *bytes = head;

	return (head_bytes >= 20 && memcmp(bytes, ELF_MAGIC, 4) == 0 &&
	    bytes[4] == abi->elf_class && bytes[5] == 1 && get(bytes + 18, 2) == abi->elf_machine);
}

const char *
elf_parse(const void *head, uint64_t head_bytes, uint64_t file_bytes,
    const struct proc_abi *abi, struct elf_image *out)
{
	const uint8_t *bytes = head;
	bool is64 = abi->elf_class == ELFCLASS64;
	const char *why;
	struct header h;

	memset(out, 0, sizeof(*out));
	if (head_bytes < (is64 ? 64u : 52u) || memcmp(bytes, ELF_MAGIC, 4) != 0)
		return ("not an ELF file");
	if (bytes[4] != abi->elf_class || bytes[5] != 1)
		return ("wrong ELF class or byte order");
	read_header(bytes, is64, &h);
	out->entry = h.entry;
	why = check_header(&h, head_bytes, is64 ? 56 : 32, abi);
	return (why != NULL ? why : parse_segments(bytes, &h, file_bytes, abi, out));
}
