# SPDX-License-Identifier: BSD-2-Clause
# run_tests, ended in the middle of a test, takes the QEMU that it has started with it.
set -eu

# QEMU's process among the children of $1 and theirs, or nothing.
guest_of() {
	for pid in $1 $(pgrep -P "$1"); do
		pgrep -P "$pid" qemu-system && return
	done
	return 0
}

running() {
	case $(ps -o stat= -p "$1") in
	"" | Z*) return 1 ;;
	esac
}

tools/run_tests target/limit_rss.virt >/dev/null 2>&1 &
runner=$!
guest=
for step in $(seq 300); do
	guest=$(guest_of $runner)
	[ -z "$guest" ] || break
	sleep 0.1
done
[ -n "$guest" ] || { echo "run_tests started no QEMU"; exit 1; }
kill -TERM $runner
wait $runner && { echo "run_tests ended with 0"; exit 1; }
for step in $(seq 50); do
	running "$guest" || { echo "run_tests left nothing behind"; exit 0; }
	sleep 0.1
done
echo "run_tests left QEMU behind"
kill "$guest"
exit 1
