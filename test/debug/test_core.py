# SPDX-License-Identifier: BSD-2-Clause
"""What needs a core that halts, through the model of JTAG: ebb halt, load and through core, and gdb
at OpenOCD's port, which says what it says at QEMU's own."""
import os
import socket
import subprocess
import tempfile
import threading

from guest import Checks, Guest, domains, settle, stop, without_times
from jtag_model import GdbPort, MemAp, Tap, serve
from test_gdb import debugger
from test_openocd import PROGRAM, openocd, words_for

# docs/DEBUGGING.md: wfe; branch to it. Behind 256 nop, so that it does not wait at the entry.
WAITS = b"\037\040\003\325" * 256 + b"\137\040\003\325\377\377\377\027"
COMMANDS = ["ebb ps", "ebb queues", "ebb bt pagedaemon", "ebb bt 1", "ebb page &vm_page_array[1000]",
            "ebb walk 0x400000 1", "ebb walk &_start", "print/x $pc", "info symbol $pc"]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def halted(checks, guest):
    queues = guest.say("queues", r"c cached")
    settle()
    said, text, code, _ = openocd(guest.port, [
        "ebb symbols build/raspi3/ebb-symbols.tcl", "ebb halt", "ebb through core", "ebb queues",
        "mdw 0xffffff8000080000 2", "mdb 0xffffff8000080001 1", "resume", "sleep 200", "ebb halt", "resume"])
    if code != 0:
        checks.fail("openocd ended with %d:\n%s" % (code, text))
        return
    checks.matches("halt", r"halted in AArch64 state due to debug-request, current mode: EL1H", said["ebb halt"])
    checks.matches("halt", r"MMU: enabled", said["ebb halt"])
    checks.equal("queues through the core", domains(said["ebb queues"]), domains(queues))
    with open("build/raspi3/kernel8.img", "rb") as file:
        start = file.read(8)
    checks.matches("mdw", "^0xffffff8000080000: %08x %08x" % (
        int.from_bytes(start[:4], "little"), int.from_bytes(start[4:], "little")), said["mdw 0xffffff8000080000 2"])
    checks.matches("mdb", "^0xffffff8000080001: %02x" % start[1], said["mdb 0xffffff8000080001 1"])
    checks.matches("goes on after resume", r"c cached", guest.say("queues", r"c cached"))
    said, text, code, _ = openocd(guest.port, ["ebb load build/raspi3/kernel8.img"])
    checks.matches("load over a kernel", r"core 0 is past its start \(EL1, MMU and caches on\): ebb reset first", text)


def gdb(checks, guest):
    own, _ = debugger(guest.port, "raspi3", COMMANDS)
    port = free_port()
    listener = socket.create_server(("127.0.0.1", 0))
    ap = MemAp(GdbPort(guest.port))
    threading.Thread(target=serve, args=(listener, Tap(ap)), daemon=True).start()
    server = subprocess.Popen(
        ["timeout", "60"] + words_for(listener, str(port)) + ["-c", "ebb halt"], text=True, bufsize=1,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        log = ""
        while "MMU: " not in log:
            line = server.stdout.readline()
            if not line:
                checks.fail("openocd ended:\n" + log)
                return
            log += line
        checks.matches("port of core 0", r"gdb server for bcm2837.cpu0 on %d$" % port, log)
        said, whole = debugger("127.0.0.1:%d" % port, "raspi3", COMMANDS)
    finally:
        stop(server)
        listener.close()
        ap.memory.close()
    for command in COMMANDS:
        one, other = own.get(command, ""), said.get(command, "")
        if command == "ebb ps":
            one, other = without_times(one), without_times(other)
        else:
            one, other = ["\n".join(line for line in text.splitlines() if "detached" not in line)
                          for text in (one, other)]
        checks.equal(command + " by QEMU and by OpenOCD", one, other)
    if "Python Exception" in whole:
        checks.fail(whole)


def load(checks):
    """A core that waits at EL2, as the card's image does, gets a program and runs it."""
    with tempfile.TemporaryDirectory(prefix="ebb-debug-") as scratch:
        path = os.path.join(scratch, "program")
        subprocess.run(["aarch64-linux-gnu-as", "-o", path + ".o"], input=PROGRAM, text=True, check=True)
        subprocess.run(["aarch64-linux-gnu-objcopy", "-O", "binary", path + ".o", path + ".img"], check=True)
        with open(path + ".waits", "wb") as file:
            file.write(WAITS)
        guest = Guest("raspi3", "", path + ".waits")
        try:
            while not os.path.exists(guest.port):
                settle()
            _, text, code, _ = openocd(guest.port, ["ebb load %s.img" % path])
            if code != 0:
                checks.fail("openocd ended with %d:\n%s" % (code, text))
                return
            checks.matches("load", r"program.img: \d+ bytes at 0x80000, read back and compared", text)
            checks.matches("load", r"^started at 0x80000", text)
            guest.wait("loaded by JTAG\n")
        finally:
            guest.end()


def main():
    checks = Checks()
    guest = Guest("raspi3", "mem=16M")
    try:
        guest.say("run rest 8 3000 4000 &", r"\[1\]")
        settle()
        halted(checks, guest)
        gdb(checks, guest)
    finally:
        guest.end()
    load(checks)
    return checks.wrong


if __name__ == "__main__":
    raise SystemExit(1 if main() else 0)
