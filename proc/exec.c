/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exec: program file in, running address space out.
 *
 * Segments are mapped as anonymous memory, filled page by page straight into the
 * frames (one page held at a time, so a program larger than the pool loads too)
 * and then given their final rights. What the file does not cover is left to
 * zero-fill. The stack gets a guard below it and argv on top.
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
 *   X1  called by the process's own task, before it has run any user code
 * Yields: everywhere (file reads, page faults).
 * See: elf.h, mm/vm_map.h.
 */
#include "proc/exec.h"

#include <stdio.h>
#include <string.h>

#include "lib/assert.h"
#include "mm/vm_fault.h"
#include "mm/vm_page.h"

#define STACK_GUARD_BYTES (16 * PAGE_SIZE)

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

static int
fail(struct proc *p, int error, const char *why)
{
	snprintf(p->exec_error, sizeof(p->exec_error), "%.40s: %.52s", p->path, why);
	return (error);
}

/* Zero the part of m that lies outside the segment's file bytes. */
static void
trim_page(struct vm_page *m, const struct elf_segment *s, uint64_t va)
{
	uint8_t *bytes = vm_page_address(m);
	uint64_t file_end = s->address + s->file_bytes;

	if (va < s->address)
		memset(bytes, 0, s->address - va);
	if (file_end < va + PAGE_SIZE)
		memset(bytes + (file_end - va), 0, va + PAGE_SIZE - file_end);
}

static int
load_page(struct proc *p, struct vnode *vp, const struct elf_segment *s, uint64_t va)
{
	uint64_t index = (trunc_page(s->file_offset) + (va - trunc_page(s->address))) / PAGE_SIZE;
	struct vm_page *m;
	int error = vm_fault_hold(p->vmspace, va, VM_PROT_WRITE, &m);

	if (error != 0)
		return (error);
	error = vnode_read_page(vp, index, VM_PAGE_TO_PHYS(m));
	if (error == 0) {
		trim_page(m, s, va);
		pmap_page_filled(m);
	}
	vm_page_unhold(m);
	return (error);
}

static int
load_segment(struct proc *p, struct vnode *vp, const struct elf_segment *s)
{
	vm_offset_t start = trunc_page(s->address);
	vm_offset_t end = round_page(s->address + s->memory_bytes);
	vm_offset_t va;
	int error;

	error = vm_map_find(p->vmspace, &start, end - start, VM_PROT_READ | VM_PROT_WRITE, 0);
	for (va = start; error == 0 && va < s->address + s->file_bytes; va += PAGE_SIZE)
		error = p->killed ? ERR_KILLED : load_page(p, vp, s, va);
	if (error == 0 && s->prot != (VM_PROT_READ | VM_PROT_WRITE))
		error = vm_map_protect(p->vmspace, start, end, s->prot);
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

static int
read_image(struct proc *p, struct vnode *vp, struct elf_image *image)
{
	struct vm_page *m = vm_page_alloc(NULL, 0,
	    VM_ALLOC_NORMAL | VM_ALLOC_NOOBJ | VM_ALLOC_NOBUSY | VM_ALLOC_WIRED);
	uint64_t head_bytes = vp->size_bytes < PAGE_SIZE ? vp->size_bytes : PAGE_SIZE;
	const char *why = "cannot be read";
	int error;

	if (m == NULL)
		return (fail(p, ERR_NOMEM, "no memory to load it"));
	error = vp->is_directory ? ERR_ISDIR : 0;
	if (error == 0 && head_bytes != 0)
		error = vnode_read_page(vp, 0, VM_PAGE_TO_PHYS(m));
	if (error == 0) {
		why = elf_parse(vm_page_address(m), head_bytes, vp->size_bytes, p->abi, image);
		error = why == NULL ? 0 : ERR_NOEXEC;
	} else {
		why = err_string(error);
	}
	vm_page_unwire(m, PQ_NONE);
	vm_page_free(m);
	return (error == 0 ? 0 : fail(p, error, why));
}

static int
load_all(struct proc *p, struct vnode *vp, const struct elf_image *image,
    struct cpu_user_start *start)
{
	uint32_t i;
	int error = 0;

	for (i = 0; error == 0 && i < image->segment_count; i++)
		error = load_segment(p, vp, &image->segments[i]);
	p->brk_start = p->brk = round_page(image->end);
	if (error == 0)
		error = make_stack(p);
	if (error == 0)
		error = push_arguments(p, start);
	return (error == 0 ? 0 : fail(p, error, err_string(error)));
}

int
exec_load(struct proc *p, struct cpu_user_start *start)
{
	struct vnode *vp;
	struct elf_image image;
	int error;

	KASSERT(curtask()->proc == p, "X1: exec by the process's own task");
	memset(start, 0, sizeof(*start));
	error = vfs_lookup(p->path, &vp);
	if (error != 0)
		return (fail(p, error, err_string(error)));
	error = read_image(p, vp, &image);
	if (error == 0)
		error = load_all(p, vp, &image, start);
	vnode_unref(vp);
	start->pc = image.entry;
	start->aarch32 = p->abi->aarch32;
	return (error);
}
