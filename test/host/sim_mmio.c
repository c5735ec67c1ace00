/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Simulated device registers behind mmio_read32 and mmio_write32.
 *
 * Owns: the list of windows.
 * Does not: know any device.
 * Invariants: I1 an access is aligned and inside a window.
 * Yields: never (a device may deliver an interrupt).
 * See: kern/mmio.h.
 */
#include "test/host/sim_mmio.h"

#include <stddef.h>

#include "kern/mmio.h"
#include "lib/assert.h"

static struct sim_mmio *windows;

void
sim_mmio_reset(void)
{
	windows = NULL;
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

uint32_t
mmio_read32(uintptr_t address)
{
	struct sim_mmio *w = window_find(address);

	return (w->read(w->device, (uint32_t)(address - w->base)));
}

void
mmio_write32(uintptr_t address, uint32_t value)
{
	struct sim_mmio *w = window_find(address);

	w->write(w->device, (uint32_t)(address - w->base), value);
}
