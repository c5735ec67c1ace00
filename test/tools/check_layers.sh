#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# check_layers accepts a small clean tree, and finds each kind of violation.
set -eu
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

header() {
	mkdir -p "$tree/$(dirname "$1")"
	printf '%s\n' "$2" >"$tree/$1"
}
source_and_object() {
	header "$1" "$2"
	object=$tree/build/kernel/${1%.c}.o
	mkdir -p "$(dirname "$object")"
	aarch64-linux-gnu-gcc -I"$tree" -c -o "$object" "$tree/$1"
}
refuses() {
	if tools/check_layers "$tree" >"$tree/out"; then
		echo "accepted: $1"
		exit 1
	fi
	grep -q "$1" "$tree/out" || { cat "$tree/out"; echo "expected: $1"; exit 1; }
}

header lib/err.h 'int err(void);'
header mm/pmap.h 'void pmap_enter(void);'
header mm/vm_page.h 'void vm_page_alloc(void);'
header mm/vm_fault.h 'void vm_fault(void);'
header mm/vm_check.h '/* Public. */'
header drivers/card.h 'void card_read(void);'
source_and_object lib/err.c 'int err(void) { return 0; }'
source_and_object arch/arm64/pmap.c '#include "mm/pmap.h"
void pmap_enter(void) { }'
source_and_object drivers/card.c '#include "drivers/card.h"
void card_read(void) { }'
source_and_object mm/vm_fault.c '#include "mm/pmap.h"
#include "mm/vm_fault.h"
void vm_fault(void) { pmap_enter(); }'
header app/monitor/monitor.c '#include "mm/vm_check.h"'
tools/check_layers "$tree"

header kern/task.c '#include "mm/vm_page.h"'
refuses 'kern may not know mm'
rm "$tree/kern/task.c"

header mm/vm_object.c '#include <machine/pmap_md.h>'
refuses 'includes <machine/pmap_md.h>'
rm "$tree/mm/vm_object.c"

header app/monitor/monitor.c '#include "mm/pmap.h"'
refuses 'not marked Public'
rm "$tree/app/monitor/monitor.c"

header drivers/uart.c '#include "drivers/card.h"'
refuses 'only seams'
rm "$tree/drivers/uart.c"

header lib/err2.c '#include "test/host/sim.h"'
refuses "a test's header"
rm "$tree/lib/err2.c"

# A declaration of one's own does not help: the symbol gives it away.
source_and_object mm/vm_object.c 'void card_read(void);
void vm_object(void) { card_read(); }'
refuses 'uses card_read of drivers/card.c'
rm "$tree/mm/vm_object.c"

source_and_object mm/vm_page.c '#include "mm/vm_fault.h"
void vm_page_alloc(void) { vm_fault(); }'
refuses 'later in the order of mm'
rm "$tree/mm/vm_page.c"

tools/check_layers "$tree"
