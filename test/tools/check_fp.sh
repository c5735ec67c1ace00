#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# check_fp accepts general registers and the two context functions, and finds
# every kind of FP or SIMD register elsewhere.
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# assemble FUNCTION INSTRUCTION
assemble() {
	printf '\t.global %s\n%s:\n\t%s\n\tret\n' "$1" "$1" "$2" >"$scratch/x.S"
	aarch64-linux-gnu-gcc -nostdlib -static -Wl,-e,"$1",-Ttext=0xffffff8000080000 -o "$scratch/x.elf" "$scratch/x.S"
}

assemble v0 'add x1, x2, #0xd0'
tools/check_fp "$scratch/x.elf"
assemble cpu_fp_save 'stp q0, q1, [x0]'
tools/check_fp "$scratch/x.elf"
assemble cpu_fp_restore 'msr fpcr, x1'
tools/check_fp "$scratch/x.elf"

for instruction in 'fadd d0, d1, d2' 'ldr q31, [x0]' 'movi v7.16b, #0' 'fmov s3, w1' \
    'str h9, [x0]' 'ldr b1, [x0]' 'mrs x0, fpsr' 'ld1 {v0.16b, v1.16b}, [x0]'; do
	assemble memcpy "$instruction"
	if tools/check_fp "$scratch/x.elf" >"$scratch/out"; then
		echo "accepted: $instruction"
		exit 1
	fi
	grep -q memcpy "$scratch/out"
done
