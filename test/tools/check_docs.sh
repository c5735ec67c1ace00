#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# check_docs finds a stale document; gen_params_doc refuses a row it cannot read.
set -eu
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir "$tree/mm" "$tree/docs"
rows=$tree/mm/mm.params

cat >"$rows" <<'END'
/* Rows. */
TUNABLE(a, "vm.a", PAGES, 1, 0, 9, "First.")
COUNTER(b, "vm.b", EVENTS,
    "Second, "
    "on two lines.")
END
tools/gen_params_doc "$tree" >"$tree/docs/PARAMS.md"
grep -qF '| `vm.a` | pages | 1 | 0 | 9 | First. |' "$tree/docs/PARAMS.md"
grep -qF '| `vm.b` | events | Second, on two lines. |' "$tree/docs/PARAMS.md"
tools/check_docs "$tree"

echo 'GAUGE(c, "vm.c", PAGES, "Third.")' >>"$rows"
if tools/check_docs "$tree" >/dev/null 2>&1; then
	echo "accepted a stale document"
	exit 1
fi
echo 'COUNTER(d, "vm.d", PAGES, 1, 0, 9, "A counter with limits.")' >>"$rows"
if tools/gen_params_doc "$tree" >/dev/null 2>&1; then
	echo "accepted a counter with limits"
	exit 1
fi
