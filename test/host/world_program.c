/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs of a small world and their oracle.
 *
 * Owns: programs, families, what the files hold.
 * Does not: make trouble, verify invariants (test/model/model_world.c).
 * Invariants:
 *   W2 a page is full of one value; W3 a program sees what was written;
 *   W4 a read fails only by injection; W5 ERR_KILLED is for killed programs;
 *   W6 what is mapped is there; W7 a whole file is unmapped without clipping;
 *   W8 what is wired is mapped and in memory.
 * Yields: world_operation, world_get_life, world_lose_life.
 * See: test/host/world_program.h.
 */
#include "test/host/world_program.h"

#include <string.h>

#include "mm/file_pager.h"
#include "mm/vm_launder.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_pmap.h"

#define RW (VM_PROT_READ | VM_PROT_WRITE)

/* Where they lie, in pages from BASE. */
#define BASE        0x400000ull
#define AT_PRIVATE  0u
#define AT_SHARED   48u
#define AT_FILE(f)  (64u + 16u * (f))
#define PAGES       (AT_FILE(FILES - 1) + FILE_PAGES)

struct program programs[PROGRAMS];
struct sim_file files[FILES];
uint8_t file_holds[FILES][FILE_PAGES];
struct world_seen seen;
uint32_t world_epoch;
bool world_stopping;

static struct family families[2 * PROGRAMS];
static uint32_t next_pid;

void
world_program_init(void)
{
	memset(programs, 0, sizeof(programs));
	memset(families, 0, sizeof(families));
	memset(&seen, 0, sizeof(seen));
	next_pid = world_epoch = 0;
	world_stopping = false;
}

/* ---- one page as the oracle sees it */
static vm_offset_t
va_of(uint32_t page)
{
	return (BASE + (vm_offset_t)page * PAGE_SIZE);
}

/* Where the oracle keeps page (counted from BASE) of p; NULL: it is not mapped. */
static uint8_t *
oracle(struct program *p, uint32_t page, bool write)
{
	uint32_t f, i;

	if (page < AT_PRIVATE + PRIVATE) {
		if (write)
			p->maybe_zero[page] = false;
		return (&p->holds[page]);
	}
	if (page >= AT_SHARED && page < AT_SHARED + SHARED)
		return (&p->family->holds[page - AT_SHARED]);
	for (f = 0; f < FILES; f++) {
		if (page < AT_FILE(f) || page >= AT_FILE(f) + FILE_PAGES || p->file[f] == UNMAPPED)
			continue;
		i = page - AT_FILE(f);
		if (p->file[f] == MAPPED_SHARED)
			return (&file_holds[f][i]);
		p->own[f][i] |= write;
		return (p->own[f][i] ? &p->copy[f][i] : &file_holds[f][i]);
	}
	return (NULL);
}

static void
compare(struct program *p, uint32_t page, const uint8_t *bytes)
{
	uint8_t *holds = oracle(p, page, false);
	uint32_t i;

	for (i = 1; i < PAGE_SIZE; i++)
		KASSERT(bytes[i] == bytes[0], "W2: a page is full of one value");
	if (page < PRIVATE && p->maybe_zero[page] && bytes[0] == 0) {
		*holds = 0;
		p->maybe_zero[page] = false;
	}
	KASSERT(bytes[0] == *holds, "W3: a program sees what was written");
}

static bool
reads_may_fail(uint32_t since)
{
	return (world_reads_fail() || since != world_epoch);
}

/* Is it over with p, whose operation ended with error? */
static bool
died(struct program *p, int error, uint32_t since)
{
	if (error == ERR_IO || error == ERR_CORRUPT) {
		KASSERT(reads_may_fail(since), "W4: a read fails only by injection");
		seen.io_deaths++;
		return (true);
	}
	KASSERT(error != ERR_KILLED || p->vm->killed, "W5: ERR_KILLED is for killed programs");
	return (error == ERR_KILLED || p->killed);
}

/* ---- operations of a program; true = it is dead now */
static bool
op_access(struct program *p, uint32_t page, bool write)
{
	uint8_t bytes[PAGE_SIZE], value = (uint8_t)(1 + sim_random(255));
	uint32_t since = world_epoch;
	int error;

	/* The access is over in the step in which it succeeds: no yield follows. */
	if (write) {
		memset(bytes, value, sizeof(bytes));
		error = sim_store(p->vm, va_of(page), bytes, sizeof(bytes));
	} else {
		error = sim_load(p->vm, va_of(page), bytes, sizeof(bytes));
	}
	if (error == 0 && write)
		*oracle(p, page, true) = value;
	else if (error == 0)
		compare(p, page, bytes);
	*(write ? &seen.writes : &seen.reads) += 1;
	if (died(p, error, since))
		return (true);
	KASSERT((error == 0) == (oracle(p, page, false) != NULL), "W6: what is mapped is there");
	return (false);
}

/* A stretch of private memory goes, and comes back as zeros. */
static bool
op_renew(struct program *p)
{
	uint32_t first = sim_random(PRIVATE), count = 1 + sim_random(PRIVATE - first), i;
	vm_offset_t va = va_of(first);
	int error = vm_map_remove(p->vm, va, va + count * PAGE_SIZE);

	if (error != 0)
		return (p->killed);
	while ((error = vm_map_find(p->vm, &va, (vm_size_t)count * PAGE_SIZE, RW, 0)) != 0)
		tsleep(p, "nomem", 10000);
	for (i = first; i < first + count; i++) {
		p->holds[i] = 0;
		p->maybe_zero[i] = false;
	}
	return (p->killed);
}

static bool
op_map_file(struct program *p)
{
	uint32_t f = sim_random(FILES);
	vm_offset_t va = va_of(AT_FILE(f));
	bool private = sim_random(2) == 0;
	struct vm_map_insert_args args = { .prot = RW, .max_prot = RW,
		.flags = private ? MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY : 0,
		.inheritance = private ? VM_INHERIT_COPY : VM_INHERIT_SHARE };

	seen.maps++;
	if (p->file[f] != UNMAPPED) {
		p->file[f] = UNMAPPED;
		KASSERT(vm_map_remove(p->vm, va, va + FILE_PAGES * PAGE_SIZE) == 0,
		    "W7: what is mapped as a whole is unmapped without clipping");
		return (p->killed);
	}
	args.object = file_pager_alloc(&files[f].vnode);
	if (args.object == NULL)
		return (p->killed);
	if (vm_map_insert(p->vm, va, FILE_PAGES * PAGE_SIZE, &args) != 0) {
		vm_object_deallocate(args.object);
		return (p->killed);
	}
	memset(p->own[f], 0, sizeof(p->own[f]));
	p->file[f] = private ? MAPPED_PRIVATE : MAPPED_SHARED;
	return (p->killed);
}

static bool
op_wire(struct program *p)
{
	uint32_t first = sim_random(2) == 0 ? AT_PRIVATE + sim_random(PRIVATE - 4) : AT_SHARED;
	uint32_t count = 1 + sim_random(4), since = world_epoch, i;
	vm_offset_t start = va_of(first), end = va_of(first + count);
	uint8_t state[4];
	int error = vm_map_wire(p->vm, start, end);

	seen.wires++;
	if (error != 0)
		return (died(p, error, since));
	error = vm_map_mincore(p->vm, start, end, state);
	KASSERT(error == 0, "W8: a wired range is mapped");
	for (i = 0; i < count; i++)
		KASSERT((state[i] & VM_MINCORE_INCORE) != 0, "W8: what is wired is in memory");
	for (i = 0; i < count; i++)
		if (op_access(p, first + i, sim_random(2) == 0))
			return (true);
	error = sim_random(8) == 0 ? 0 : vm_map_unwire(p->vm, start, end);
	return (died(p, error, since));
}

static bool
op_advise(struct program *p)
{
	uint32_t first = sim_random(PRIVATE), count = 1 + sim_random(PRIVATE - first), i;
	enum vm_advice advice = (enum vm_advice)sim_random(VM_ADVICE_FREE + 1);
	int error;

	seen.advices++;
	for (i = first; advice == VM_ADVICE_FREE && i < first + count; i++)
		p->maybe_zero[i] = true;
	error = sim_random(6) == 0 ? vm_map_willneed(p->vm, va_of(first), va_of(first + count))
	    : vm_map_advise(p->vm, va_of(first), va_of(first + count), advice);
	return (error == ERR_KILLED || p->killed);
}

static bool
op_sync(struct program *p)
{
	uint32_t f = sim_random(FILES);
	struct vm_object *object = file_pager_alloc(&files[f].vnode);

	seen.syncs++;
	if (object == NULL)
		return (p->killed);
	if (file_pager_sync(object, 0, 0, sim_random(2) == 0 ? OBJPC_SYNC : 0, false) != 0)
		seen.refused++;
	vm_object_deallocate(object);
	return (p->killed);
}

/* A task that waits for a life gets a copy of this one. */
static bool
op_fork(struct program *p)
{
	struct program *c;
	struct vmspace *vm;

	for (c = programs; c < programs + PROGRAMS && !c->waiting; c++)
		continue;
	if (c == programs + PROGRAMS)
		return (p->killed);
	c->waiting = false;
	if (vmspace_fork(p->vm, &vm) != 0) {
		c->waiting = true;
		return (p->killed);
	}
	memcpy(c->holds, p->holds, sizeof(c->holds));
	memcpy(c->maybe_zero, p->maybe_zero, sizeof(c->maybe_zero));
	memcpy(c->file, p->file, sizeof(c->file));
	memcpy(c->own, p->own, sizeof(c->own));
	memcpy(c->copy, p->copy, sizeof(c->copy));
	c->family = p->family;
	c->family->members++;
	c->pid = ++next_pid;
	c->killed = false;
	c->vm = vm;
	wakeup(&c->waiting);
	seen.forks++;
	return (p->killed);
}

static uint32_t
random_page(void)
{
	uint32_t r = sim_random(10);

	if (r < 5)
		return (AT_PRIVATE + sim_random(PRIVATE));
	if (r < 7)
		return (AT_SHARED + sim_random(SHARED));
	return (AT_FILE(sim_random(FILES)) + sim_random(FILE_PAGES));
}

bool
world_operation(struct program *p)
{
	uint32_t choice = sim_random(100);

	if (choice < 4)
		return (op_renew(p));
	if (choice < 8)
		return (op_map_file(p));
	if (choice < 12)
		return (op_wire(p));
	if (choice < 17)
		return (op_advise(p));
	if (choice < 19)
		return (op_sync(p));
	if (choice < 23)
		return (op_fork(p));
	return (op_access(p, random_page(), sim_random(2) == 0));
}

/* ---- lives */
static struct family *
family_new(void)
{
	struct family *f = families;

	while (f->members != 0)
		f++;
	*f = (struct family){ .members = 1 };
	return (f);
}

/* A first program, without parents; false without memory for it. */
static bool
create(struct program *p)
{
	struct vmspace *vm = vmspace_alloc(PAGE_SIZE, va_of(PAGES));
	vm_offset_t private = va_of(AT_PRIVATE), shared = va_of(AT_SHARED);

	if (vm == NULL)
		return (false);
	if (vm_map_find(vm, &private, PRIVATE * PAGE_SIZE, RW, 0) != 0 ||
	    vm_map_find(vm, &shared, SHARED * PAGE_SIZE, RW, 0) != 0 ||
	    vm_map_inherit(vm, shared, shared + SHARED * PAGE_SIZE, VM_INHERIT_SHARE) != 0) {
		vmspace_free(vm);
		return (false);
	}
	memset(p->holds, 0, sizeof(p->holds));
	memset(p->maybe_zero, 0, sizeof(p->maybe_zero));
	memset(p->file, 0, sizeof(p->file));
	p->family = family_new();
	p->pid = ++next_pid;
	p->killed = false;
	p->vm = vm;
	return (true);
}

/* From a fork, or as a first program. Whoever forks for p takes p->waiting away first. */
void
world_get_life(struct program *p)
{
	p->waiting = true;
	while (p->vm == NULL && (!world_stopping || !p->waiting)) {
		tsleep(&p->waiting, "life", 1 + sim_random(50000));
		if (p->vm != NULL || !p->waiting || sim_random(3) != 0)
			continue;
		p->waiting = false;
		if (!create(p))
			p->waiting = true;
	}
	p->waiting = false;
}

void
world_lose_life(struct program *p)
{
	struct vmspace *vm = p->vm;

	vm->killed = true;
	p->vm = NULL;
	p->family->members--;
	vmspace_free(vm);
	seen.exits++;
}
