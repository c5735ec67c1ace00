/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exec: program file in, running address space out.
 *
 * Nothing is read but the headers: segments are private mappings of the program's file,
 * whose pages come when they are used, and are shared by all who run it. What a program
 * never writes is never copied, and never goes to swap: it can be read again.
 *
 *   segment   | file pages ............ | page where the  | anonymous pages |
 *             |                         | file part ends  |                 |
 *             | copied at the 1st write | copied now, its | zero-fill (bss) |
 *             |                         | rest zeroed     |                 |
 *
 * The last two only if the segment is longer in memory than in the file. The stack gets a
 * guard below it and argv on top.
 *
 *   stack_top  +--------------------+
 *              | argument strings   |
 *              | argv[0..argc], NULL|  <- sp, 16-byte aligned
 *              | ... grows down ... |
 *              | guard (no access)  |
 *
 * Owns: nothing; works on the calling process.
 * Does not: parse ELF (elf.c).
 * Invariants:
 *   X1  called by the process's own task, with nothing mapped in its address space yet
 *   X2  a file from which a program runs is not open for writing: vnode.is_text, until
 *       nobody maps it (mm/file_pager.c), and vnode.writer_count exclude each other
 * Yields: everywhere (file reads, page faults).
 * See: elf.h, mm/vm_map.h, mm/file_pager.h.
 */
#include "proc/exec.h"

#include <stdio.h>
#include <string.h>

#include "lib/assert.h"
#include "mm/file_pager.h"
#include "mm/vm_fault.h"
#include "mm/vm_page.h"

#define STACK_GUARD_BYTES (16 * PAGE_SIZE)
#define HEAD_AHEAD_PAGES  15 /* read along with the headers: the program's beginning */

const struct proc_abi proc_abi_aarch64 = {
	.name = "aarch64",
	.elf_class = 2,
	.elf_machine = 183,
	.pointer_bytes = 8,
	.aarch32 = false,
	.address_min = 0x10000,
	.address_max = UINT64_C(1) << 39,
	.stack_bytes = 1024 * 1024,
};

/* A heap below an eighth of the addresses, mappings above it (sys_mem.c). */
const struct proc_abi proc_abi_aarch32 = {
	.name = "aarch32",
	.elf_class = 1,
	.elf_machine = 40,
	.pointer_bytes = 4,
	.aarch32 = true,
	.address_min = 0x8000,
	.address_max = 0xffff0000,
	.stack_bytes = 1024 * 1024,
};

static const struct proc_abi *const abis[] = { &proc_abi_aarch64, &proc_abi_aarch32 };

static int
fail(struct proc *p, int error, const char *why)
{
	snprintf(p->exec_error, sizeof(p->exec_error), "%.40s: %.52s", p->path, why);
	return (error);
}

/* Copy the page in which the file part of s ends, and zero its rest. */
static int
zero_tail(struct proc *p, const struct elf_segment *s)
{
	uint64_t file_end = s->address + s->file_bytes;
	struct vm_page *m;
	int error = vm_fault_hold(p->vmspace, trunc_page(file_end), VM_PROT_WRITE, &m);

	if (error != 0)
		return (error);
	memset((uint8_t *)vm_page_address(m) + (file_end & PAGE_MASK), 0,
	    PAGE_SIZE - (file_end & PAGE_MASK));
	pmap_page_filled(m);
	vm_page_unhold(m);
	return (0);
}

/* The part of s that the file has: [start, end), private pages of object. */
static int
map_file_part(struct proc *p, struct vm_object *object, const struct elf_segment *s,
    vm_offset_t end)
{
	bool has_tail = s->memory_bytes > s->file_bytes &&
	    ((s->address + s->file_bytes) & PAGE_MASK) != 0;
	vm_offset_t start = trunc_page(s->address);
	struct vm_map_insert_args args = {
		.object = object,
		.offset = (vm_pindex_t)atop(s->file_offset),
		.prot = has_tail ? VM_PROT_READ | VM_PROT_WRITE : s->prot,
		.max_prot = VM_PROT_ALL,
		.flags = MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY,
		.inheritance = VM_INHERIT_COPY,
	};
	int error;

	vm_object_reference(object);
	error = vm_map_insert(p->vmspace, start, end - start, &args);
	if (error != 0) {
		vm_object_deallocate(object);
		return (error);
	}
	if (has_tail)
		error = zero_tail(p, s);
	if (error == 0 && args.prot != s->prot)
		error = vm_map_protect(p->vmspace, start, end, s->prot);
	return (error);
}

static int
load_segment(struct proc *p, struct vm_object *object, const struct elf_segment *s)
{
	vm_offset_t start = trunc_page(s->address);
	vm_offset_t end = round_page(s->address + s->memory_bytes);
	vm_offset_t file_end = s->file_bytes == 0 ? start : round_page(s->address + s->file_bytes);
	int error = 0;

	if (file_end != start)
		error = map_file_part(p, object, s, file_end);
	if (error == 0 && end != file_end)
		error = vm_map_find(p->vmspace, &file_end, end - file_end, s->prot, 0);
	return (error);
}

static int
make_stack(struct proc *p)
{
	vm_offset_t start, guard;
	int error;

	p->stack_top = p->abi->address_max - 16 * PAGE_SIZE;
	start = p->stack_top - p->abi->stack_bytes;
	guard = start - STACK_GUARD_BYTES;
	error = vm_map_find(p->vmspace, &start, p->abi->stack_bytes,
	    VM_PROT_READ | VM_PROT_WRITE, MAP_ENTRY_STACK);
	if (error == 0)
		error = vm_map_find(p->vmspace, &guard, STACK_GUARD_BYTES, VM_PROT_NONE,
		    MAP_ENTRY_GUARD);
	return (error);
}

/* Copy the argument strings and the argv array to the top of the stack. */
static int
push_arguments(struct proc *p, struct cpu_user_start *start)
{
	uint64_t strings = p->stack_top - ((p->arg_bytes + 15) & ~15u);
	uint32_t width = p->abi->pointer_bytes;
	uint64_t argv = (strings - (uint64_t)(p->arg_count + 1) * width) & ~UINT64_C(15);
	uint32_t i, offset = 0;
	int error = copyout(p->args, strings, p->arg_bytes);

	for (i = 0; error == 0 && i <= p->arg_count; i++) {
		uint64_t pointer = i == p->arg_count ? 0 : strings + offset;

		error = copyout(&pointer, argv + (uint64_t)i * width, width);
		if (i < p->arg_count)
			offset += (uint32_t)strlen(p->args + offset) + 1;
	}
	start->sp = argv;
	start->args[0] = p->arg_count;
	start->args[1] = argv;
	return (error);
}

/* The process runs what the file is for: its addresses end where that ABI's do. A file
 * for neither is left to elf_parse, which says what is wrong with it. */
static void
choose_abi(struct proc *p, const void *head, uint64_t head_bytes)
{
	uint32_t i;

	for (i = 0; i < sizeof(abis) / sizeof(abis[0]); i++)
		if (elf_is_for(head, head_bytes, abis[i]))
			p->abi = abis[i];
	vmspace_set_max(p->vmspace, p->abi->address_max);
}

static int
read_image(struct proc *p, struct vm_object *object, struct elf_image *image)
{
	uint64_t size_bytes = object->vnode->size_bytes;
	uint64_t head_bytes = size_bytes < PAGE_SIZE ? size_bytes : PAGE_SIZE;
	const char *why = "not an ELF file";
	struct vm_page *m;
	int error;

	if (size_bytes == 0)
		return (fail(p, ERR_NOEXEC, why));
	error = file_pager_page(object, 0, HEAD_AHEAD_PAGES, &p->killed, &m);
	if (error != 0)
		return (fail(p, error, err_string(error)));
	choose_abi(p, vm_page_address(m), head_bytes);
	why = elf_parse(vm_page_address(m), head_bytes, size_bytes, p->abi, image);
	vm_page_unhold(m);
	return (why == NULL ? 0 : fail(p, ERR_NOEXEC, why));
}

static int
load_all(struct proc *p, struct vm_object *object, const struct elf_image *image,
    struct cpu_user_start *start)
{
	uint32_t i;
	int error = 0;

	for (i = 0; error == 0 && i < image->segment_count; i++)
		error = load_segment(p, object, &image->segments[i]);
	p->brk_start = p->brk = round_page(image->end);
	if (error == 0)
		error = make_stack(p);
	if (error == 0)
		error = push_arguments(p, start);
	start->pc = image->entry;
	return (error == 0 ? 0 : fail(p, error, err_string(error)));
}

static int
load_file(struct proc *p, struct vnode *vp, struct cpu_user_start *start)
{
	struct vm_object *object;
	struct elf_image image;
	int error;

	if (vp->is_directory)
		return (fail(p, ERR_ISDIR, err_string(ERR_ISDIR)));
	object = file_pager_alloc(vp);
	if (object == NULL)
		return (fail(p, ERR_NOMEM, "no memory to load it"));
	/* Not before: that may have slept, and the file become something else meanwhile. */
	if (vp->is_swap || vp->writer_count != 0) {
		vm_object_deallocate(object);
		return (fail(p, ERR_BUSY, vp->is_swap ? "is a swap area" : "is open for writing"));
	}
	vp->is_text = true; /* X2 */
	error = read_image(p, object, &image);
	if (error == 0)
		error = load_all(p, object, &image, start);
	vm_object_deallocate(object);
	return (error);
}

int
exec_load(struct proc *p, struct cpu_user_start *start)
{
	struct vnode *vp;
	int error;

	KASSERT(curtask()->proc == p, "X1: exec by the process's own task");
	memset(start, 0, sizeof(*start));
	error = vfs_lookup(p->path, &vp);
	if (error != 0)
		return (fail(p, error, err_string(error)));
	error = load_file(p, vp, start);
	start->aarch32 = p->abi->aarch32;
	vnode_unref(vp);
	return (error);
}
