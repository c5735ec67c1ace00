/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm, booted natively.
 *
 * Owns: the memory of the page array.
 * Does not: start the page daemon or swap.
 * Invariants: none of its own.
 * Yields: never.
 * See: test/host/sim_mm.h.
 */
#include "test/host/sim_mm.h"

#include <stdlib.h>

#include "kern/vnode.h"
#include "mm/file_pager.h"
#include "mm/uma.h"
#include "mm/vm_check.h"
#include "mm/vm_lowmem.h"
#include "mm/vm_map.h"
#include "mm/vm_meter.h"
#include "mm/vm_object.h"
#include "mm/vm_page_lock.h"
#include "mm/vm_phys.h"
#include "mm/vm_request.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_pmap.h"

#define TAKE_MAX 64u

/* Equal shares, one behind the other. */
static void
add_domains(uint32_t frames, uint32_t domains)
{
	uint32_t i, share = frames / domains;
	vm_paddr_t start;
	int error;

	for (i = 0; i < domains; i++) {
		start = SIM_RAM_BASE + (vm_paddr_t)i * share * PAGE_SIZE;
		error = vm_phys_add_segment(start, start + (vm_paddr_t)share * PAGE_SIZE, i);
		KASSERT(error == 0, "the array was sized for the segments");
	}
}

static void
boot_bare(uint32_t frames, uint32_t domains)
{
	static void *array;

	free(array);
	array = aligned_alloc(64, vm_phys_array_bytes(frames));
	sim_ram_init((size_t)frames * PAGE_SIZE);
	sim_pmap_reset();
	mm_params = (struct mm_params){ 0 };
	mm_params_register();
	vm_phys_init(array, frames);
	add_domains(frames, domains);
	uma_startup();
	vm_page_lock_init();
	vm_object_init();
	vm_map_init();
	vfs_write_init();
	file_pager_init();
	vm_lowmem_init();
	vm_request_init();
}

void
sim_mm_boot_bare(uint32_t frames)
{
	boot_bare(frames, 1);
}

void
sim_mm_boot_domains(uint32_t frames, uint32_t domains)
{
	uint32_t i;

	boot_bare(frames, domains);
	for (i = 0; i < domains; i++)
		vm_meter_init_thresholds(&vm_domains[i]);
	vm_meter_init_tunables();
}

void
sim_mm_boot(uint32_t frames)
{
	sim_mm_boot_domains(frames, 1);
}

uint32_t
sim_mm_exhaust(struct vm_page **taken)
{
	uint32_t n = 0;

	while (!vm_page_count_severe(&vm_domains[0])) {
		taken[n] = vm_page_alloc(NULL, 0, VM_ALLOC_NOOBJ | VM_ALLOC_WIRED);
		KASSERT(taken[n] != NULL, "above the severe threshold there is a page");
		n++;
	}
	return (n);
}

void
sim_mm_take_frames(uint32_t wanted)
{
	static struct vm_page *taken[TAKE_MAX];
	static uint32_t taken_count;
	struct vm_page *m;

	KASSERT(wanted <= TAKE_MAX, "so many frames can be taken away");
	while (taken_count > wanted) {
		m = taken[--taken_count];
		vm_page_unwire(m, PQ_NONE);
		vm_page_free(m);
	}
	while (taken_count < wanted) {
		m = vm_page_alloc(NULL, 0, VM_ALLOC_NOOBJ | VM_ALLOC_NOBUSY | VM_ALLOC_WIRED);
		if (m == NULL)
			return;
		taken[taken_count++] = m;
	}
}

void
sim_mm_check(void)
{
	struct vm_check_result result;
	const char *broken;

	vm_check(&result);
	if (result.broken != 0)
		sim_fail(result.first_broken);
	broken = sim_pmap_check();
	if (broken != NULL)
		sim_fail(broken);
}
