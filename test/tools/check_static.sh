#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# check_static finds a read beyond an array.
set -eu
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir "$tree/lib"
printf 'int f(void);\nint f(void) { int a[2] = { 1, 2 }; return a[1]; }\n' >"$tree/lib/x.c"
tools/check_static "$tree"
sed -i 's/a\[1\]/a[2]/' "$tree/lib/x.c"
if tools/check_static "$tree" 2>/dev/null; then
	echo "accepted a read beyond an array"
	exit 1
fi
