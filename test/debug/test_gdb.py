# SPDX-License-Identifier: BSD-2-Clause
"""The gdb commands of openocd/ebb-gdb.py against QEMU: what they say is what the monitor
says on the serial port, and what the structures hold.    test_gdb.py BOARD"""
import re
import subprocess
import sys

from guest import Checks, Guest, domains, settle, without_times


def debugger(port, board, commands):
    words = ["gdb-multiarch", "-nx", "-q", "-batch", "-ex", "set architecture aarch64",
             "-ex", "target remote " + port, "-x", "openocd/ebb-gdb.py"]
    for command in commands:
        words += ["-ex", "echo === %s\\n" % command, "-ex", command]
    run = subprocess.run(words + ["-ex", "detach", "build/%s/kernel8.elf" % board], timeout=50,
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    parts = re.split(r"^=== (.*)\n", run.stdout + run.stderr, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2])), run.stdout + run.stderr


def main():
    board = sys.argv[1]
    checks = Checks()
    guest = Guest(board, "mem=16M")
    try:
        guest.say("run memhog 4 1 &", r"\[1\]")
        guest.wait(r"exited with 0")
        guest.say("run rest 8 3000 4000 &", r"\[2\]")
        settle()
        queues, ps = guest.say("queues", "c cached"), guest.say("ps", r" monitor\n")
        pool = "vm_page_array[1000]"
        said, whole = debugger(guest.port, board, [
            "ebb ps", "ebb queues", "ebb bt pagedaemon", "ebb bt 2", "ebb bt nobody",
            "ebb page &" + pool, "ebb walk 0x400000 2", "ebb walk &_start", "ebb walk 0x7000000000 2",
            "print " + pool, "print *'mm/vm_object.c'::objects.lh_first",
            "print ((struct vmspace *)'mm/vm_map.c'::vmspaces.lh_first)->map",
            "print $pte(0x0068000040054fc3)", "print $pte(0x0068000040054b43)", "ebb page 1"])
    finally:
        guest.end()
    checks.equal("ps", without_times(said["ebb ps"]), without_times(ps))
    checks.equal("queues", domains(said["ebb queues"]), domains(queues))
    checks.matches("bt", r"^#0 .* in tsleep at kern/sleep.c:\d+$", said["ebb bt pagedaemon"])
    checks.matches("bt", r"in worker_main at mm/vm_pageout", said["ebb bt pagedaemon"])
    checks.matches("bt", r"in sys_sleep at proc/syscall", said["ebb bt 2"])
    checks.matches("nobody", "no task nobody: ebb ps lists them", whole)
    page = r"page frame 0x[0-9a-f]+, object 0x[0-9a-f]+ index \d+, queue (none|active|inactive), wired \d+, "
    checks.matches("page", r"^page 1000 at 0x[0-9a-f]+, physical 0x[0-9a-f]+000$", said["ebb page &" + pool])
    checks.matches("page", "^" + page, said["ebb page &" + pool])
    checks.matches("page", "0x1 is no frame of the pool", whole)
    checks.matches("vm_page", "= " + page, said["print " + pool])
    checks.matches("vm_object", r"= object \d+ \(default\), 2048 pages, 2048 resident, 0 cached, 0 in swap",
                   said["print *'mm/vm_object.c'::objects.lh_first"])
    checks.matches("vm_map", r"= map 0x8000 to 0x8000000000, \d+ entries, \d+ KiB, 0 wired pages, lock free$",
                   said["print ((struct vmspace *)'mm/vm_map.c'::vmspaces.lh_first)->map"])
    checks.matches("pte", r"user, writable, clean \(DBM, AP\[2\]\), referenced \(AF\), ASID, write-back",
                   said["print $pte(0x0068000040054fc3)"])
    checks.matches("pte", r"user, writable, modified \(DBM\), not referenced",
                   said["print $pte(0x0068000040054b43)"])
    checks.matches("walk", r"^level 3 .* kernel, read-only, referenced \(AF\), executable, global",
                   said["ebb walk &_start"])
    checks.matches("walk", r"^level 1 at 0x[0-9a-f]+: 0x0000000000000000 invalid$",
                   said["ebb walk 0x7000000000 2"])
    checks.matches("walk", r"^level 2 .* table at 0x[0-9a-f]+, \d+ valid entries$", said["ebb walk 0x400000 2"])
    checks.matches("walk", r"^level 3 .*: 0x[0-9a-f]+ page at 0x[0-9a-f]+000, user, .*ASID, write-back$",
                   said["ebb walk 0x400000 2"])
    return checks.wrong


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
