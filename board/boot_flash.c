/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the device tree's flash to disk fl0.
 *
 * Owns: nothing.
 * Does not: touch a flash without flash=: it may hold what others need, such as the
 *   variables of a firmware.
 * Invariants: none.
 * Yields: boot_flash.
 * See: docs/SPEC.md, section 3.
 */
#include "board/boot_flash.h"

#include <stddef.h>

#include "board/boot_ram.h"
#include "drivers/cfi_flash.h"
#include "drivers/flash.h"
#include "drivers/flash_store.h"
#include "kern/bootargs.h"
#include "kern/console.h"
#include "kern/machdep.h"

void
boot_flash(uint32_t n)
{
	const struct boot_flash_range *range = boot_flash_range(n);
	struct flash *flash;
	uint64_t bytes;
	void *memory;

	if (bootargs.flash == BOOTARGS_FLASH_NO)
		return;
	if (range == NULL) {
		kprintf("boot argument flash=: the device tree names no flash number %u with a bus "
			"of 32 bits\n", n);
		return;
	}
	if (cfi_flash_attach(cpu_map_device(range->pa, range->bytes), range->bytes, &flash) != 0)
		return;
	bytes = flash_store_memory_bytes(&flash->geometry);
	memory = bytes == 0 ? NULL : boot_wired_alloc(bytes);
	if (memory == NULL)
		kprintf("flash: no room for %llu KiB of tables; make mem= smaller\n",
		    (unsigned long long)bytes >> 10);
	else if (flash_store_attach(flash, 0, memory, bootargs.flash == BOOTARGS_FLASH_FORMAT) != 0)
		kprintf("flash: there is no disk fl0\n");
}
