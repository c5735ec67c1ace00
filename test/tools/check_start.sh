#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# check_start accepts the kernel's own code, and misses none of a barrier, a maintenance
# instruction or a register write that is taken away, nor an instruction that Device memory
# does not allow.
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

aarch64-linux-gnu-objdump -d --no-show-raw-insn build/raspi3/kernel8.elf >"$scratch/whole"
tools/check_start --listing "$scratch/whole"

# refuse WORDS SED: the listing changed by SED is refused with these words
refuse() {
	sed "$2" "$scratch/whole" >"$scratch/changed"
	if cmp -s "$scratch/whole" "$scratch/changed"; then
		echo "no change: $2"
		exit 1
	fi
	if tools/check_start --listing "$scratch/changed" >"$scratch/out"; then
		echo "accepted: $2"
		exit 1
	fi
	grep -q "$1" "$scratch/out"
}

# without FUNCTION INSTRUCTION: the function without its last such instruction is refused
without() {
	last=$(awk -v f="<$1>:" -v i="$2" '$2 == f { on = 1; next } /^$/ { on = 0 }
	    on && $0 ~ i { n = NR } END { print n }' "$scratch/whole")
	refuse "^$1: no" "${last}d"
}

without from_el1 'tlbi'
without from_el1 'ic	iallu'
without from_el1 'dsb	nsh'
without from_el1 'isb'
without from_el1 'invalidate'
without from_el1 'mair_el1'
without from_el2 'mdcr_el2'
without from_el2 'cntvoff_el2'
without from_el3 's3_1_c15_c2_1'
without invalidate 'dc	ivac'
without invalidate 'dsb'
without kmap_init 'tlbi'
without kmap_init 'dsb'
refuse '^cpu_sync_icache: no' '/<cpu_sync_icache>:/,/^$/{/	isb$/d}'
refuse '^cpu_sync_icache: no' '/<cpu_sync_icache>:/,/^$/{/	ic	/d}'
without dma_unmap 'dc	ivac'
without dma_map 'dsb'
without park_cores 'cache_clean'
refuse 'start_map runs with the MMU off' '/<start_map>:/,/ret$/s/	str	xzr.*/	ldxr	x0, [x1]/'
refuse 'board_start_light runs with the MMU off: dc zva' \
    '/<board_start_light>:/,/ret$/s/	ret$/	dc	zva, x0/'
refuse 'cleans without invalidating' '/<cache_clean>:/,/ret$/s/dc	civac/dc	cvac/'
