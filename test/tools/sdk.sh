# SPDX-License-Identifier: BSD-2-Clause
# The kit builds programs wherever it lies, for both ABIs, by compiler, Makefile and CMake; what ebb
# does not have fails to compile or to link.
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
kit="$scratch/a kit"
cp -R build/sdk "$kit"
cd "$scratch"

fail() { echo "FAIL $*"; exit 1; }
class() { LC_ALL=C readelf -h "$1" | sed -n 's/.*Class: *//p'; }

printf '#include <stdio.h>\nint main(void) { printf("%%d %%g\\n", (int)sizeof(void *), 1.5); return (0); }\n' >hello.c
for cc in ebb-cc:ELF64 ebb32-cc:ELF32; do
	expected=${cc#*:}
	cc="$kit/bin/${cc%:*}"
	"$cc" -O2 -Wall -Wextra -Werror hello.c -o hello.elf
	[ "$(class hello.elf)" = $expected ] || fail "$cc makes $(class hello.elf)"
	"$cc" -c hello.c -o hello.o && "$cc" hello.o -o two.elf -lm
	"$cc" -x c -c /dev/null -Werror -o empty.o
	ln -sf "$cc" by-link && [ -x ./by-link ]
	"$cc" -dM -E -x c /dev/null >macros
	grep -q '__ebb__ 1' macros || fail "$cc does not say __ebb__"
	! grep -q 'linux' macros || fail "$cc says that it is Linux: $(grep linux macros)"
	printf 'int pthread_create(void);\nint main(void) { return (pthread_create()); }\n' >lacks.c
	! "$cc" lacks.c -o lacks.elf 2>said || fail "$cc links what ebb lacks"
	grep -q "undefined reference to .pthread_create'" said || fail "$(cat said)"
	! echo '#include <sys/socket.h>' | "$cc" -x c -c - -o lacks.o 2>said || fail "$cc finds sockets"
	make -s -C "$kit/example" clean outgrow.elf CC="'$cc'"
	[ "$(class "$kit/example/outgrow.elf")" = $expected ] || fail "Makefile: wrong class"
done
for abi in ebb:ELF64 ebb32:ELF32; do
	cmake -S "$kit/example" -B "cmake-$abi" -DCMAKE_TOOLCHAIN_FILE="$kit/cmake/${abi%:*}.cmake" >said 2>&1 ||
	    fail "cmake: $(cat said)"
	cmake --build "cmake-$abi" >said 2>&1 || fail "cmake: $(cat said)"
	[ "$(class "cmake-$abi/outgrow.elf")" = ${abi#*:} ] || fail "cmake: wrong class"
done
! PATH=/nonexistent /bin/sh "$kit/bin/ebb-cc" hello.c 2>/dev/null || fail "no compiler, no error"
! grep -rlF "$OLDPWD" "$kit/bin" "$kit/lib"/*/ebb.specs "$kit/cmake" "$kit/include/ebb" || fail "a path of this machine"
