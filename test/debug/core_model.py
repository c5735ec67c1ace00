# SPDX-License-Identifier: BSD-2-Clause
"""Core 0 of the model of JTAG: a Cortex-A53's external debug registers and cross trigger, for the
core that a QEMU has stopped or lets run.

Halting copies the general registers out of QEMU's gdb port, instructions that a debugger puts
into EDITR are carried out on that copy and on memory as the core sees it, restarting copies the
registers back. Only the instructions that OpenOCD uses are known; another ends the test.

Arm Architecture Reference Manual, H4 (Embedded Cross-Trigger), H2 to H6 and H9 (External debug).
"""
import re
import struct

DTRRX, ITR, DSCR, DTRTX, PRSR = 0x080, 0x084, 0x088, 0x08c, 0x314
CTI_APPPULSE = 0x01c
HALT_CHANNEL, RESTART_CHANNEL = 1, 2
EXTERNAL_REQUEST, NOT_HALTED = 0x13, 0x02
DSCR_ERR, DSCR_HDE, DSCR_MA, DSCR_ITE, DSCR_TXFULL, DSCR_RXFULL = 1 << 6, 1 << 14, 1 << 20, 1 << 24, 1 << 29, 1 << 30
PRSR_POWER, PRSR_HALTED, PRSR_RESTARTED = 1 << 0, 1 << 4, 1 << 11
DSCR_KEPT = DSCR_HDE | DSCR_MA
MASK = (1 << 64) - 1
GENERAL = 34  # x0 to x30, sp, pc, cpsr in QEMU's order
SP, PC, PSTATE = 31, 32, 33
# op0-op1-CRn-CRm-op2 of MRS and MSR, in bits 20:5: what they reach.
DBGDTR, DBGDTR_TXRX, DSPSR, DLR, CURRENTEL = 0x9820, 0x9828, 0xda28, 0xda29, 0xc212
# Those that QEMU's gdb port names, and what it has none for.
SCTLR = 0xc080
NAMED = {0xe080: "SCTLR_EL2", 0xc102: "TCR_EL1", 0xc100: "TTBR0_EL1", 0xc290: "ESR_EL1",
         0xc201: "ELR_EL1", 0xc200: "SPSR_EL1", 0xe201: "ELR_EL2", 0xe200: "SPSR_EL2", 0xe290: "ESR_EL2"}
FIXED = {0xd801: 0x84448004, 0xc801: 0x0a200023, 0xc005: 0x80000000, 0xc800: 0x700fe01a, 0xe088: 0}
WIDTHS = {0x38: 1, 0x78: 2, 0xb8: 4, 0xf8: 8}


class Core:
    def __init__(self, port):
        self.port = port
        self.halted = False
        self.general = [0] * GENERAL
        self.before = []
        self.kept = 0       # bits of EDSCR that are the debugger's
        self.error = False
        self.sticky = 0     # bits of EDPRSR that go when they are read
        self.tx = self.rx = 0
        self.tx_full = False
        self.selected = 0   # CSSELR
        self.control = 0    # SCTLR_EL1
        self.numbers = {}

    # --- QEMU

    def halt(self):
        self.port.stop()
        data = bytes.fromhex(self.port.ask("g")[:GENERAL * 16])
        self.general = list(struct.unpack("<33QI", data[:33 * 8 + 4]))
        self.before = list(self.general)
        self.control = self.named("SCTLR")
        self.halted = True

    def restart(self):
        if self.control != self.named("SCTLR"):
            raise SystemExit("restarted with another SCTLR, %x" % self.control)
        for number, value in enumerate(self.general):
            if value != self.before[number]:
                text = struct.pack("<I" if number == PSTATE else "<Q", value).hex()
                if self.port.ask("P%x=%s" % (number, text)) != "OK":
                    raise SystemExit("QEMU does not take register %d" % number)
        self.halted = False
        self.sticky = PRSR_RESTARTED
        self.port.go()

    def named(self, name):
        if not self.numbers:
            text = self.port.feature("system-registers.xml")
            self.numbers = {match[0]: int(match[1]) for match in
                            re.findall(r'<reg name="([^"]+)"[^>]*regnum="(\d+)"', text)}
        if name not in self.numbers:
            raise SystemExit("QEMU has no register " + name)
        return int.from_bytes(bytes.fromhex(self.port.ask("p%x" % self.numbers[name])), "little")

    # --- instructions

    def execute(self, code):
        if code >> 20 == 0xd53:
            self.general[code & 31] = self.system_get(code >> 5 & 0xffff)
        elif code >> 20 == 0xd51:
            self.system_put(code >> 5 & 0xffff, self.general[code & 31] if code & 31 != 31 else 0)
        elif code & 0xffffffe0 == 0x910003e0:  # mov xN, sp
            self.general[code & 31] = self.general[SP]
        elif code & 0xfffffc1f == 0x9100001f:  # mov sp, xN
            self.general[SP] = self.general[code >> 5 & 31]
        elif code & 0x3fa00c00 == 0x38000400 and code >> 24 in WIDTHS:
            self.post_indexed(code)
        elif code not in (0xd5033f9f, 0xd5033fdf) and code >> 19 != 0xd508 >> 3:  # dsb, isb, caches
            raise SystemExit("the model knows no instruction %08x" % code)

    def post_indexed(self, code):
        """ldr or str of 1 to 8 bytes, the address register counting up."""
        width, base, register = WIDTHS[code >> 24], code >> 5 & 31, code & 31
        offset = code >> 12 & 0x1ff
        address = self.general[base]
        if code >> 22 & 1:
            data = self.port.load(address, width, not self.control & 1)
            if data is None:
                self.error = True
                return
            self.general[register] = int.from_bytes(data, "little")
        elif not self.port.store(address, self.general[register].to_bytes(8, "little")[:width],
                                 not self.control & 1):
            self.error = True
            return
        self.general[base] = (address + offset) & MASK

    def system_get(self, register):
        if register == DBGDTR:
            return self.tx << 32 | self.rx
        if register == DBGDTR_TXRX:
            return self.rx
        if register == DSPSR:
            return self.general[PSTATE]
        if register == DLR:
            return self.general[PC]
        if register == CURRENTEL:
            return self.general[PSTATE] & 0xc
        if register == 0xd000:  # CSSELR_EL1
            return self.selected
        if register == SCTLR:
            return self.control
        if register in NAMED:
            return self.named(NAMED[register])
        if register in FIXED:
            return FIXED[register]
        raise SystemExit("the model knows no system register %04x" % register)

    def system_put(self, register, value):
        if register == DBGDTR:
            self.tx, self.rx, self.tx_full = value & 0xffffffff, value >> 32, True
        elif register == DBGDTR_TXRX:
            self.tx, self.tx_full = value & 0xffffffff, True
        elif register == DSPSR:
            self.general[PSTATE] = value & 0xffffffff
        elif register == DLR:
            self.general[PC] = value
        elif register == 0xd000:
            self.selected = value
        elif register == SCTLR:  # with the MMU off, to read physical memory
            self.control = value
        else:
            raise SystemExit("the model writes no system register %04x" % register)

    # --- what a debugger sees

    def status(self):
        if not self.halted:
            return self.kept | NOT_HALTED
        level = self.general[PSTATE] >> 2 & 3
        return (self.kept | EXTERNAL_REQUEST | DSCR_ITE | level << 8 | 0xf << 10 |
                (DSCR_ERR if self.error else 0) | (DSCR_TXFULL if self.tx_full else 0))

    def get(self, register):
        if register == DSCR:
            return self.status()
        if register == PRSR:
            value = (PRSR_HALTED if self.halted else 0) | self.sticky | PRSR_POWER
            self.sticky = 0
            return value
        if register == DTRTX:
            value, self.tx_full = self.tx, False
            if self.kept & DSCR_MA and self.halted:  # the next word
                self.execute(0xb8404401)  # ldr w1, [x0], #4
                self.system_put(DBGDTR_TXRX, self.general[1])
            return value
        if register == DTRRX:
            return self.rx
        return None

    def put(self, register, value):
        if register == DSCR:
            self.kept = value & DSCR_KEPT
        elif register == 0x090:  # EDRCR
            if value & 4:
                self.error = False
        elif register == DTRTX:
            self.tx = value
        elif register == DTRRX:
            self.rx = value
            if self.kept & DSCR_MA and self.halted:
                self.general[1] = value
                self.execute(0xb8004401)  # str w1, [x0], #4
        elif register == ITR and self.halted:
            self.execute(value)

    def trigger(self, register, value):
        """A write to the cross trigger interface."""
        if register != CTI_APPPULSE:
            return
        if value & HALT_CHANNEL and not self.halted:
            self.halt()
        elif value & RESTART_CHANNEL and self.halted:
            self.restart()
