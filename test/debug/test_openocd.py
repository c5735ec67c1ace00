# SPDX-License-Identifier: BSD-2-Clause
"""The commands of openocd/ebb.tcl that use memory, through a model of JTAG whose memory is
QEMU's: what they say of a running kernel is what it says itself; an image goes into RAM,
comes back unchanged; a reset resets."""
import os
import re
import socket
import struct
import subprocess
import tempfile
import threading

from guest import RESTLESS, Checks, Guest, domains, settle, stop
from jtag_model import GdbPort, MemAp, Tap, serve

ENTRY = 0x80000


def words_for(listener, gdb_port):
    """OpenOCD for a model behind listener, up to init."""
    return ["openocd", "-c", "adapter driver remote_bitbang",
            "-c", "remote_bitbang host 127.0.0.1; remote_bitbang port %d" % listener.getsockname()[1],
            "-c", "gdb_port %s; telnet_port disabled; tcl_port disabled" % gdb_port,
            "-f", "openocd/raspi3.cfg", "-c", "reset_config none", "-c", "init"]


def openocd(port, commands):
    """What OpenOCD says, and the MEM-AP it used."""
    listener = socket.create_server(("127.0.0.1", 0))
    ap = MemAp(GdbPort(port) if isinstance(port, str) else port)
    server = threading.Thread(target=serve, args=(listener, Tap(ap)), daemon=True)
    server.start()
    words = words_for(listener, "disabled")
    for command in commands:
        words += ["-c", "echo {=== %s}" % command, "-c", command]
    run = subprocess.run(words + ["-c", "shutdown"], timeout=50, stdin=subprocess.DEVNULL,
                         capture_output=True, text=True, check=False)
    listener.close()
    if isinstance(port, str):
        ap.memory.close()
    text = run.stdout + run.stderr
    parts = re.split(r"^=== (.*)\n", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2])), text, run.returncode, ap


def reading(checks):
    guest = Guest("raspi3", "mem=16M")
    try:
        guest.say("run rest 8 3000 4000 &", r"\[1\]")
        settle()
        queues, ps = guest.say("queues", "c cached"), guest.say("ps", r" monitor\n")
        tunables = guest.say("sysctl vm", r"v_wire_count.*\n")
        trace = guest.say("trace", r"ebb> trace\n(.*\n)+ebb> $") # not the prompt before
        said, whole, code, _ = openocd(guest.port, [
            "ebb symbols build/raspi3/ebb-symbols.tcl", "ebb queues", "ebb tasks", "ebb trace 12",
            "ebb stats vm.", "ebb reset"])
        if code == 0: # and has reset the guest
            guest.process.wait(20)
    finally:
        guest.end()
    if code != 0:
        checks.fail("openocd ended with %d:\n%s" % (code, whole))
        return
    checks.equal("queues", domains(said.get("ebb queues", "")), domains(queues))
    checks.equal("tasks", task_rows(r"^ +\d+ +(\d+|-) (\w+) +(\w*) +\d+\.\d+ (\S+)$", said["ebb tasks"]),
                 task_rows(r"^ +(\d+|-) (\w+) +([a-z]*) [ \d-]+\.\d+ (\S+)$", ps))
    events = re.findall(r"^\d+\.\d{6} task .*", trace, re.M)
    checks.equal("trace", re.findall(r"^\d+\.\d{6} task .*", said["ebb trace 12"], re.M), events[-12:])
    own = dict(re.findall(r"^(vm\S*): (\d+) (?!events, mean)", tunables, re.M))
    seen = dict(re.findall(r"^(vm\S*) = (\d+)$", said["ebb stats vm."], re.M))
    if len(own) < 35:
        checks.fail("sysctl vm shows %d lines" % len(own))
    own.pop("vm.daemon.passes", None)
    for name, value in own.items():
        checks.equal("stats: " + name, value, seen.get(name))


def task_rows(pattern, text):
    """Tasks but those that change while they are looked at."""
    return sorted(row for row in re.findall(pattern, text, re.M) if row[3] not in RESTLESS)


def without_symbols(checks):
    text = subprocess.run(["openocd", "-c", "adapter driver dummy", "-f", "openocd/raspi3.cfg", "-c",
                           "noinit; ebb queues"], timeout=20, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False).stderr
    checks.matches("no symbols", "no symbols: make debug-symbols, then: ebb symbols", text)


PROGRAM = """
	mrs	x1, mpidr_el1
	tst	x1, #3
	b.ne	2f
	movz	x2, #0x3f20, lsl #16
	movk	x2, #0x1000
	adr	x3, text
1:	ldrb	w4, [x3], #1
	cbz	w4, 2f
	str	w4, [x2]
	b	1b
2:	wfi
	b	2b
text:	.asciz "loaded by JTAG\\n"
	.fill	700, 1, 0x5a
	.byte	1, 2, 3
"""


def loading(checks):
    """A program goes through the model into the memory of a QEMU without one."""
    with tempfile.TemporaryDirectory(prefix="ebb-debug-") as scratch:
        path = os.path.join(scratch, "program")
        subprocess.run(["aarch64-linux-gnu-as", "-o", path + ".o"], input=PROGRAM, text=True, check=True)
        subprocess.run(["aarch64-linux-gnu-objcopy", "-O", "binary", path + ".o", path + ".img"], check=True)
        qemu = subprocess.Popen(
            ["timeout", "60", "qemu-system-aarch64", "-M", "raspi3b", "-display", "none", "-monitor",
             "none", "-serial", "stdio", "-S", "-gdb", "unix:%s.gdb,server=on,wait=off" % path],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        try:
            while not os.path.exists(path + ".gdb"):
                settle()
            port = GdbPort(path + ".gdb")
            said, text, code, ap = openocd(port, ["ebb put %s.img 0x%x" % (path, ENTRY)])
            if code != 0:
                checks.fail("openocd ended with %d:\n%s" % (code, text))
            checks.matches("put", r"program.img: \d+ bytes at 0x80000, read back and compared", text)
            with open(path + ".img", "rb") as file:
                data = file.read()
            there = b"".join(struct.pack("<I", port.read(ENTRY + at)) for at in range(0, len(data), 4))
            checks.equal("memory after put", there[:len(data)].hex(), data.hex())
        finally:
            stop(qemu)


def main():
    checks = Checks()
    without_symbols(checks)
    reading(checks)
    loading(checks)
    return checks.wrong


if __name__ == "__main__":
    raise SystemExit(1 if main() else 0)
