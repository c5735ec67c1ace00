# SPDX-License-Identifier: BSD-2-Clause
# tools/watch reads, draws and reports what a recorded log says, and names what is wrong with it.
exec /usr/bin/python3 -W error::ResourceWarning test/watch/test_watch.py
