# SPDX-License-Identifier: BSD-2-Clause
"""A QEMU with ebb in it, its serial port and its gdb port, for the tests of this folder."""
import os
import re
import subprocess
import tempfile
import threading
import time

PROMPT = "ebb> "
# Tasks that wake by themselves: what they do differs from one look to the next.
RESTLESS = ("monitor", "boot", "led", "hwmon", "sd0", "watchdog", "syncer", "pagedaemon", "vmdaemon")


class Guest:
    """Boots ebb; say(text) types at its prompt and returns what it answers."""

    def __init__(self, board, cmdline, kernel=None):
        self.scratch = tempfile.TemporaryDirectory(prefix="ebb-debug-")
        self.port = os.path.join(self.scratch.name, "gdb")
        card = "build/%s/card.img" % board
        self.process = subprocess.Popen(
            ["tools/run_qemu", board, kernel or "build/%s/kernel8.img" % board, card, cmdline, "--",
             "-gdb", "unix:%s,server=on,wait=off" % self.port],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.timer = threading.Timer(60, self.process.terminate)
        self.timer.start()
        self.output = ""
        if kernel is None:
            self.wait(PROMPT)

    def wait(self, pattern, start=0):
        while not (found := re.search(pattern, self.output[start:])):
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                raise SystemExit("the guest ended before '%s':\n%s" % (pattern, self.output))
            self.output += data.decode("utf-8", "replace").replace("\r", "")
        return found

    def say(self, text, until):
        start = len(self.output)
        self.process.stdin.write((text + "\r").encode())
        self.process.stdin.flush()
        self.wait(until, start)
        return self.output[start:]

    def end(self):
        self.timer.cancel()
        stop(self.process)
        self.scratch.cleanup()


class Checks:
    """Collects what is wrong."""

    def __init__(self):
        self.wrong = 0

    def matches(self, what, pattern, text):
        if not re.search(pattern, text, re.M):
            self.fail("%s: no line matches '%s' in:\n%s" % (what, pattern, text))

    def equal(self, what, one, other):
        if one != other or not one:
            self.fail("%s:\n%s\nand\n%s" % (what, one, other))

    def fail(self, text):
        print("FAIL", text)
        self.wrong += 1


def without_times(text):
    """The rows of ps without the seconds, which go on, and without who runs."""
    rows = []
    for line in text.splitlines():
        found = re.match(r" {1,5}(\d+|-) (ready|run|sleep|ended|swapped) +(.*?) +\d+\.\d+ (\S+)$", line)
        if found and found[4] not in ("monitor", "boot"):
            # Of the kernel's own tasks only that they are there: each may wake at any time.
            rows.append(found[4] if found[1] == "-" else " ".join(found.groups()))
    return rows


def domains(text):
    return [line for line in text.splitlines() if re.match(r"domain \d|  thresholds:", line)]


def stop(process):
    """Ends a QEMU under timeout(1), which passes on SIGTERM and could not pass on SIGKILL."""
    process.terminate()
    process.wait(20)


def settle():
    time.sleep(0.5)
