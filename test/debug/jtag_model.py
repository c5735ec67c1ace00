# SPDX-License-Identifier: BSD-2-Clause
"""A BCM2837 as OpenOCD sees it by JTAG, whose memory is that of a QEMU.

Speaks OpenOCD's remote_bitbang protocol: TAP (IDCODE, IR of 4 bits), ARM JTAG-DP
(ADIv5: DPACC, APACC, ABORT; CTRL/STAT, SELECT, RDBUFF) and one MEM-AP (CSW, TAR, DRW,
BD0-3) of 32-bit words, without packed transfers. Reads and writes go to a gdb port in
physical memory mode, except those of the cores' debug registers: core 0 is that of
core_model.py; the others say as much as it takes for OpenOCD to find four Cortex-A53.
"""
import socket
import struct

from core_model import Core

IDCODE = 0x4ba00477
RESET, IDLE = "reset", "idle"
# state: (next if TMS is 0, next if it is 1)
NEXT = {
    "reset": ("idle", "reset"), "idle": ("idle", "select-dr"),
    "select-dr": ("capture-dr", "select-ir"), "capture-dr": ("shift-dr", "exit1-dr"),
    "shift-dr": ("shift-dr", "exit1-dr"), "exit1-dr": ("pause-dr", "update-dr"),
    "pause-dr": ("pause-dr", "exit2-dr"), "exit2-dr": ("shift-dr", "update-dr"),
    "update-dr": ("idle", "select-dr"),
    "select-ir": ("capture-ir", "reset"), "capture-ir": ("shift-ir", "exit1-ir"),
    "shift-ir": ("shift-ir", "exit1-ir"), "exit1-ir": ("pause-ir", "update-ir"),
    "pause-ir": ("pause-ir", "exit2-ir"), "exit2-ir": ("shift-ir", "update-ir"),
    "update-ir": ("idle", "select-dr"),
}
IR_ABORT, IR_DPACC, IR_APACC, IR_IDCODE = 8, 10, 11, 14
ACK_OK = 2
CORES, CORES_END = 0x80010000, 0x80018000
CORE_0, CTI_0 = 0x80010000, 0x80018000
CORE_REGISTERS = {0x314: 1, 0xd00: 0x410fd034, 0xd28: 0x10305106, 0xd2c: 0, 0xd20: 0x2222, 0xd24: 0}


class GdbPort:
    """QEMU's gdb port: physical memory, and what a test needs to start a guest."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(path)
        self.buffer = b""
        self.physical = None
        self.running = False
        self.ask("?")
        self.mode(True)

    def mode(self, physical):
        if physical != self.physical:
            if self.ask("Qqemu.PhyMemMode:%d" % physical) != "OK":
                raise SystemExit("QEMU knows no physical memory mode")
            self.physical = physical

    def stop(self):
        if self.running:
            self.running = False
            self.socket.sendall(b"\x03")
            self.answer(True)

    def go(self):
        self.send("c")
        self.running = True

    def close(self):
        """QEMU goes on then, whatever a debugger has stopped."""
        self.socket.close()

    def send(self, text):
        data = text.encode()
        self.socket.sendall(b"+$%s#%02x" % (data, sum(data) & 255))

    def ask(self, text):
        """The answer to a packet; a core that runs is stopped for it and goes on."""
        running = self.running
        self.stop()
        self.send(text)
        answer = self.answer(text == "?")
        if running:
            self.go()
        return answer

    def answer(self, stopped):
        while True:
            start = self.buffer.find(b"$")
            end = self.buffer.find(b"#", start)
            if 0 <= start < end and len(self.buffer) >= end + 3:
                answer, self.buffer = self.buffer[start + 1:end], self.buffer[end + 3:]
                if answer[:1] != b"T" or stopped:  # else it says that it has stopped
                    return answer.decode("latin-1")
                continue
            data = self.socket.recv(65536)
            if not data:
                raise SystemExit("QEMU ended")
            self.buffer += data

    def feature(self, name):
        """A part of the description of the target."""
        text = ""
        while True:
            piece = self.ask("qXfer:features:read:%s:%x,800" % (name, len(text)))
            text += piece[1:]
            if piece[:1] != "m":
                return text

    def load(self, address, count, physical):
        """Bytes at an address as the core sees it, or None."""
        self.mode(physical)
        answer = self.ask("m%x,%x" % (address, count))
        self.mode(True)
        return bytes.fromhex(answer) if len(answer) == 2 * count else None

    def store(self, address, data, physical):
        self.mode(physical)
        answer = self.ask("M%x,%x:%s" % (address, len(data), data.hex()))
        self.mode(True)
        return answer == "OK"

    def read(self, address):
        answer = self.ask("m%x,4" % address)
        return struct.unpack("<I", bytes.fromhex(answer))[0] if len(answer) == 8 else 0

    def write(self, address, value):
        self.ask("M%x,4:%s" % (address, struct.pack("<I", value).hex()))


class MemAp:
    def __init__(self, memory):
        self.memory = memory
        self.core = Core(memory)
        self.csw, self.tar = 0x40, 0
        self.writes = []

    def load(self, address):
        if CORE_0 <= address < CORE_0 + 0x1000:
            value = self.core.get(address & 0xfff)
            if value is not None:
                return value
        if CORES <= address < CORES_END:
            return CORE_REGISTERS.get(address & 0xfff, 0)
        if 0x80000000 <= address:
            return 0
        return self.memory.read(address)

    def store(self, address, value):
        if address < 0x80000000:
            self.writes.append((address, value))
            self.memory.write(address, value)
        elif CORE_0 <= address < CORE_0 + 0x1000:
            self.core.put(address & 0xfff, value)
        elif CTI_0 <= address < CTI_0 + 0x1000:
            self.core.trigger(address & 0xfff, value)

    def merge(self, value):
        """The word with the bytes that an access of 1, 2 or 4 bytes writes, in their lanes."""
        bits = 8 << (self.csw & 3)
        if bits == 32:
            return value
        mask = ((1 << bits) - 1) << (self.tar & 3) * 8
        return self.load(self.tar & ~3) & ~mask | value & mask

    def step(self):
        if self.csw >> 4 & 3 == 1:
            self.tar = (self.tar & ~0x3ff) | (self.tar + (1 << (self.csw & 3)) & 0x3ff)

    def get(self, register):
        if register == 0x0c:
            value = self.load(self.tar & ~3)
            self.step()
            return value
        if 0x10 <= register <= 0x1c:
            return self.load((self.tar & ~15) + register - 0x10)
        return {0x00: self.csw, 0x04: self.tar, 0xf8: 0x80000000, 0xfc: 0x04770002}.get(register, 0)

    def put(self, register, value):
        if register == 0x00:
            # Packed increments (2) are refused.
            self.csw = 0x40 | (value & 0x13)
        elif register == 0x04:
            self.tar = value
        elif register == 0x0c:
            self.store(self.tar & ~3, self.merge(value))
            self.step()
        elif 0x10 <= register <= 0x1c:
            self.store((self.tar & ~15) + register - 0x10, value)


class Tap:
    """TAP and debug port."""

    def __init__(self, ap):
        self.ap = ap
        self.state, self.ir = RESET, IR_IDCODE
        self.shift, self.length = 0, 32
        self.select, self.control, self.result = 0, 0, 0

    def capture(self):
        if self.ir == IR_IDCODE:
            self.shift, self.length = IDCODE, 32
        elif self.ir in (IR_DPACC, IR_APACC, IR_ABORT):
            self.shift, self.length = self.result << 3 | ACK_OK, 35
        else:
            self.shift, self.length = 0, 1

    def debug_port(self, read, address, value):
        if address == 4:
            if read:
                self.result = self.control | (self.control & 0x50000000) << 1
            else:
                self.control = value & 0x50000f00
        elif address == 8:
            if read:
                self.result = self.select
            else:
                self.select = value
        elif not read or address != 12:
            self.result = 0

    def access_port(self, read, address, value):
        register = self.select & 0xf0 | address
        if self.select >> 24:
            self.result = 0
        elif read:
            self.result = self.ap.get(register)
        else:
            self.ap.put(register, value)

    def update(self):
        if self.ir not in (IR_DPACC, IR_APACC):
            return
        read, address, value = self.shift & 1, (self.shift >> 1 & 3) << 2, self.shift >> 3
        if self.ir == IR_DPACC:
            self.debug_port(read, address, value)
        else:
            self.access_port(read, address, value)

    def clock(self, tms, tdi):
        """A rising edge of TCK."""
        state = self.state
        if state in ("shift-dr", "shift-ir"):
            self.shift = self.shift >> 1 | tdi << self.length - 1
        elif state == "capture-dr":
            self.capture()
        elif state == "capture-ir":
            self.shift, self.length = 1, 4
        self.state = NEXT[state][tms]
        if self.state == "capture-dr":
            self.capture()
        elif self.state == "update-dr":
            self.update()
        elif self.state == "update-ir":
            self.ir = self.shift
        elif self.state == RESET:
            self.ir = IR_IDCODE


def serve(listener, tap):
    """One OpenOCD, to its end; what the model cannot do ends it, with a line."""
    connection, _ = listener.accept()
    try:
        answer_all(connection, tap)
    except SystemExit as reason:
        print("FAIL model:", reason)
        connection.close()


def answer_all(connection, tap):
    tck = 0
    with connection:
        while data := connection.recv(65536):
            answer = bytearray()
            for c in data:
                if 48 <= c <= 55:
                    if c & 4 and not tck:
                        tap.clock(c >> 1 & 1, c & 1)
                    tck = c & 4
                elif c == 82:  # R
                    answer.append(48 + (tap.shift & 1))
                elif c == 81:  # Q
                    return
            if answer:
                connection.sendall(answer)
