/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Simulated device registers behind mmio_read32 and mmio_write32.
 *
 * Owns: the list of windows.
 * Does not: know any device.
 * Invariants: I1 an access is aligned and inside a window. I2 between accesses to two
 *   peripherals of BCM283x there is a barrier (kern/mmio.h).
 * Yields: never (a device may deliver an interrupt).
 * See: kern/mmio.h.
 */
#include "test/host/sim_mmio.h"

#include <stddef.h>

#include "kern/mmio.h"
#include "lib/assert.h"

#define BCM283X_BASE 0x3f000000u
#define BCM283X_END  0x41000000u
#define PAGE_SHIFT   12
#define ELSEWHERE    1u /* no peripheral's page */

static struct sim_mmio *windows;
/* Of BCM283x that the CPU touched since a barrier; 0: none. */
static uintptr_t last_page = ELSEWHERE;

void
sim_mmio_reset(void)
{
	windows = NULL;
	last_page = ELSEWHERE;
}

void
sim_mmio_add(struct sim_mmio *window)
{
	window->next = windows;
	windows = window;
}

static struct sim_mmio *
window_find(uintptr_t address)
{
	struct sim_mmio *w = windows;

	KASSERT(address % 4 == 0, "I1: registers are accessed as aligned words");
	while (w != NULL && address - w->base >= w->bytes)
		w = w->next;
	KASSERT(w != NULL, "I1: the address belongs to a device");
	return (w);
}

void
mmio_barrier(void)
{
	last_page = 0;
}

void
sim_mmio_elsewhere(void)
{
	last_page = ELSEWHERE;
}

static void
order(uintptr_t address)
{
	uintptr_t page = address >> PAGE_SHIFT;

	if (address < BCM283X_BASE || address >= BCM283X_END)
		return;
	KASSERT(last_page == 0 || last_page == page, "I2: a barrier between peripherals");
	last_page = page;
}

uint32_t
mmio_read32(uintptr_t address)
{
	order(address);
	return (sim_mmio_device_read(address));
}

void
mmio_write32(uintptr_t address, uint32_t value)
{
	order(address);
	sim_mmio_device_write(address, value);
}

uint32_t
sim_mmio_device_read(uintptr_t address)
{
	struct sim_mmio *w = window_find(address);

	return (w->read(w->device, (uint32_t)(address - w->base)));
}

void
sim_mmio_device_write(uintptr_t address, uint32_t value)
{
	struct sim_mmio *w = window_find(address);

	w->write(w->device, (uint32_t)(address - w->base), value);
}
