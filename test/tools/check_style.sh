#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# check_style accepts a small clean tree, and finds each kind of violation.
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tree=$scratch/tree
out=$scratch/out
mkdir -p "$tree/lib"
cp .clang-format "$tree/"
file=$tree/lib/x.c
licence='/* SPDX-License-Identifier: BSD-2-Clause */'
head='/*
 * What it is.
 *
 *
 *
 * Owns: a. Does not: b.
 * Invariants: none.
 * Yields: never.
 * See: c.
 */'

# write BODY: a source file with licence and header comment.
write() {
	printf '%s\n%s\n%s\n' "$licence" "$head" "$1" >"$file"
}
refuses() {
	if tools/check_style "$tree" >"$out"; then
		echo "accepted: $1"
		exit 1
	fi
	grep -q "$1" "$out" || { cat "$out"; echo "expected: $1"; exit 1; }
}
# repeat COUNT TEXT
repeat() {
	awk -v n="$1" -v text="$2" 'BEGIN { while (n-- > 0) print text }'
}

good='static int
good(int a)
{
	if (a > 0)
		return (1);
	return (0);
}'
write "$good"
tools/check_style "$tree"

printf '%s\n%s\n' "$head" "$good" >"$file"
refuses 'no licence line'
printf '%s\n/* Short. */\n%s\n' "$licence" "$good" >"$file"
refuses 'header comment of 1 lines'
head_saved=$head
head=$(printf '%s\n' "$head" | sed 's/Yields/Sleeps/')
write "$good"
refuses "without 'Yields:'"
head=$head_saved

write "static int
f(void)
{
$(repeat 61 '	good(1);')
}"
refuses 'function of 61 lines'
write "$(repeat 600 'extern int x;')"
refuses 'more than 600 lines'
write "extern int $(printf 'x%099d' 0);"
refuses 'more than 100 columns'
write 'extern int x; '
refuses 'space at the end'
write 'static int
f(int a)
{
	while (a)
		while (a)
			while (a)
				while (a)
					a--;
	return (a);
}'
refuses 'more than 3 levels'
write 'static int
f(int a, int b, int c,
    int d, int e, int f)
{
	return (a);
}'
refuses '6 parameters'
write 'static int
f(int a)
{
	goto one;
one:
	a++;
two:
	return (a);
}'
refuses 'more than one label'
write 'typedef struct { int a; } x;'
refuses 'typedef of a struct'
write "/* TO""DO: more */"
refuses 'unfinished work'
write 'static int f(int a)
{
	return (a);
}'
refuses 'not at column 0'
write 'static int
f(int a)
{
	if(a)
	        return (a);
	return (0);
}'
refuses 'clang-format would change'
write 'static int
f(int a)
{
	if (a) return (a);
	return (0);
}'
refuses 'clang-format would change'
