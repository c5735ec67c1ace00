/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Low memory: ask everybody for what can be given back (contract 1.8 step 1, 1.17).
 */
#ifndef MM_VM_LOWMEM_H
#define MM_VM_LOWMEM_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Run the handlers of EVENT_VM_LOWMEM with flags (VM_LOW_*, kern/eventhandler.h; the
 * scan passes 0), then give the zones' empty slabs back to the pool. Never yields.
 */
void vm_lowmem(uint32_t flags);

/*
 * Has vm.lowmem_period passed since this was last true, or was it never? Then the
 * moment is noted. With vm.lowmem_raw_ticks = 1 as the reference has it (quirk Q11):
 * never within the first period after boot, nor while a 32-bit count of milliseconds
 * has passed its sign. Never yields.
 */
bool vm_lowmem_due(void);

/* Forget when it was last due (host tests boot repeatedly). */
void vm_lowmem_init(void);

#endif
