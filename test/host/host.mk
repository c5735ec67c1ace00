# SPDX-License-Identifier: BSD-2-Clause
#
# Sources that host tests do not take from the library: test/host/sim_fail.c
# stands in for the first (test/unit/panic.c includes it on its own).
HOST_EXCLUDE += kern/panic.c
# What is tested again in a build without swapping (make SWAPPING=no).
NOSWAP_NAMES := vm_meter_params vm_daemon vm_daemon_map vm_pageout vm_pageout_vnode
