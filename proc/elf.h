/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Read the headers of a static ELF program. Pure: bytes in, segments out.
 * Source: System V ABI, chapters 4 and 5 (ELF header, program header).
 */
#ifndef PROC_ELF_H
#define PROC_ELF_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "mm/vm_param.h"

struct proc_abi;

#define ELF_SEGMENTS_MAX 8

struct elf_segment {
	uint64_t address;      /* as linked */
	uint64_t memory_bytes;
	uint64_t file_offset;
	uint64_t file_bytes;
	vm_prot_t prot;
};

struct elf_image {
	uint64_t entry;
	uint32_t segment_count;
	struct elf_segment segments[ELF_SEGMENTS_MAX]; /* ascending, disjoint pages */
	uint64_t end;          /* first byte behind the last segment */
};

/* Do the first head_bytes of a file say that it is for abi (class, byte order, machine)?
 * Reads nothing outside head. Does not yield. */
bool elf_is_for(const void *head, uint64_t head_bytes, const struct proc_abi *abi);

/*
 * Parse the first head_bytes (at least the ELF and program headers) of a file of
 * file_bytes for abi. NULL when it is good, otherwise a sentence naming the field
 * and value it objects to. Reads nothing outside head. Does not yield.
 */
const char *elf_parse(const void *head, uint64_t head_bytes, uint64_t file_bytes,
    const struct proc_abi *abi, struct elf_image *out) ERR_MUST_CHECK;

#endif
