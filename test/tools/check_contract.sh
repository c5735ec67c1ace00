#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# check_contract and count_properties find what is not true of a small contract.
set -eu
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/docs" "$tree/mm" "$tree/test/unit"

cat >"$tree/mm/a.c" <<'END'
int
work(int a)
{
	return (a);
}
END
echo 'x = { cmocka_unit_test(marker_T1_it_works), };' >"$tree/test/unit/a.c"

contract() { # heading, function, test
	cat >"$tree/docs/CONTRACT.md" <<END
### 1.1 $1

- T1 it works. T2 always.

## Reference, ebb, tests

| reference | ebb | tests |
|---|---|---|
| vm_work | \`$2\` (\`mm/a.c\`) | \`$3\` |
END
}

refuses() {
	if tools/check_contract "$tree" >/dev/null 2>&1; then
		echo "accepted: $1"
		exit 1
	fi
}

contract vm_work work 'marker_T1_*'
tools/check_contract "$tree"
contract vm_work works 'marker_T1_*'
refuses "a function that does not exist"
contract vm_work work marker_T1_it
refuses "a test that does not exist"
contract 'vm_work, vm_play' work 'marker_T1_*'
refuses "a function of the reference without a row"

tools/count_properties --missing "$tree" | grep -qx marker_T2
tools/count_properties "$tree" | grep -qx 'properties: 1 of 2 tested'
echo 'cmocka_unit_test(marker_T3_no_such)' >>"$tree/test/unit/a.c"
tools/count_properties --check "$tree" 2>&1 | grep -q 'marker_T3_no_such is named after'
