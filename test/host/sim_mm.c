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

void
sim_mm_boot_bare(uint32_t frames)
{
	static void *array;
	int error;

	free(array);
	array = aligned_alloc(64, vm_phys_array_bytes(frames));
	sim_ram_init((size_t)frames * PAGE_SIZE);
	sim_pmap_reset();
	mm_params = (struct mm_params){ 0 };
	mm_params_register();
	vm_phys_init(array, frames);
	error = vm_phys_add_segment(SIM_RAM_BASE, SIM_RAM_BASE + (vm_paddr_t)frames * PAGE_SIZE, 0);
	KASSERT(error == 0, "the array was sized for the segment");
	uma_startup();
	vm_page_lock_init();
	vm_object_init();
	vm_map_init();
	vm_lowmem_init();
	vm_request_init();
}

void
sim_mm_boot(uint32_t frames)
{
	sim_mm_boot_bare(frames);
	vm_meter_init_thresholds(&vm_domains[0]);
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
