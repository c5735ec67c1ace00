# SPDX-License-Identifier: BSD-2-Clause
# What gdb says with openocd/ebb-gdb.py is what ebb says on the serial port, on both boards.
set -eu
for board in virt raspi3; do
	/usr/bin/python3 -B test/debug/test_gdb.py $board || { echo "on $board"; exit 1; }
done
