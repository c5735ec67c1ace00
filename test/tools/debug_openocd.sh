# SPDX-License-Identifier: BSD-2-Clause
# Every OpenOCD configuration loads, with the dummy adapter; a wrong one does not. The commands
# of ebb.tcl say of a running kernel what it says itself, through a model of JTAG.
set -eu
loads() {
	timeout 20 openocd -c 'adapter driver dummy' -f "$1" -c 'noinit; puts [target names]; ebb help; shutdown'
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
loads openocd/raspi3.cfg >"$scratch/out" 2>&1 || { cat "$scratch/out"; exit 1; }
grep -q 'bcm2837.ap bcm2837.cpu0 bcm2837.cpu1 bcm2837.cpu2 bcm2837.cpu3' "$scratch/out"
grep -qi 'error\|invalid command' "$scratch/out" && { cat "$scratch/out"; exit 1; }
for adapter in openocd/adapter/*.cfg; do
	timeout 20 openocd -f "$adapter" -f openocd/raspi3.cfg -c 'noinit; shutdown' >"$scratch/out" 2>&1 ||
	    { echo "$adapter:"; cat "$scratch/out"; exit 1; }
	grep -q '^Error' "$scratch/out" && { echo "$adapter:"; cat "$scratch/out"; exit 1; }
done
cp openocd/raspi3.cfg openocd/ebb.tcl "$scratch/"
echo 'no_such_command' >>"$scratch/ebb.tcl"
loads "$scratch/raspi3.cfg" >/dev/null 2>&1 && { echo "a wrong configuration was accepted"; exit 1; }
/usr/bin/python3 -B test/debug/test_openocd.py
/usr/bin/python3 -B test/debug/test_core.py
