# SPDX-License-Identifier: BSD-2-Clause
"""ebb in gdb: pretty-printers for vm_page, vm_object, vm_map and pte; commands
ebb ps, queues, bt TASK, page ADDRESS, walk VA.

    gdb-multiarch -x openocd/ebb-gdb.py build/BOARD/kernel8.elf

Structures come from the debug information of the ELF file alone. Memory is read
at physical addresses, found by walking the kernel's own page tables, so that the
core may have stopped anywhere, in a program too:

    QEMU            physical memory mode of its gdb port
    OpenOCD         a halted core's own accesses first, which see its caches; where the
                    core may not read (it stopped at EL0), and for the target
                    bcm2837.ap, physical accesses: these miss what is dirty in a cache
"""
import os
import re
import struct

import gdb

PAGE_SHIFT = 12
KVA_DIRECT = 0xffffff8000000000
KVA_DIRECT_END = 0xffffffc000000000
ADDRESS = 0x0000fffffffff000
VALID, TABLE, USER, RO, AF, NG, DBM, PXN, UXN = (
    1 << bit for bit in (0, 1, 6, 7, 10, 11, 51, 53, 54))
FRAMES_MAX = 64
LIST_MAX = 100000


# --- memory ------------------------------------------------------------------

class Memory:
    """How the target is read; found out once a connection."""

    def __init__(self):
        self.kind = None

    def backend(self):
        if self.kind is None:
            self.kind = self.find()
        return self.kind

    def find(self):
        said = gdb.execute("maintenance packet qqemu.PhyMemMode", to_string=True)
        if re.search(r'received: "[01]"', said):
            return "qemu"
        said = gdb.execute("monitor target current", to_string=True)
        return "mem_ap" if re.search(r"\.ap\s*$", said.strip()) else "openocd"

    def physical(self, pa, count):
        if self.backend() == "qemu":
            gdb.execute("maintenance packet Qqemu.PhyMemMode:1", to_string=True)
            try:
                gdb.execute("maintenance flush dcache", to_string=True)
                return bytes(gdb.selected_inferior().read_memory(pa, count))
            finally:
                gdb.execute("maintenance packet Qqemu.PhyMemMode:0", to_string=True)
                gdb.execute("maintenance flush dcache", to_string=True)
        # Words: a MEM-AP is fastest at them.
        start, end = pa & ~3, (pa + count + 3) & ~3
        option = "" if self.backend() == "mem_ap" else " phys"
        said = gdb.execute("monitor [target current] read_memory 0x%x 32 %d%s" %
                           (start, (end - start) // 4, option), to_string=True)
        # OpenOCD's log comes in between.
        words = [int(word, 0) for word in said.split() if re.fullmatch("0x[0-9a-f]+", word)]
        if len(words) != (end - start) // 4:
            raise gdb.GdbError("OpenOCD cannot read 0x%x: %s" % (pa, said.strip()))
        return struct.pack("<%dI" % len(words), *words)[pa - start:pa - start + count]

    def read(self, va, count):
        """Kernel memory at va, page by page."""
        if self.backend() == "openocd":
            try:
                return bytes(gdb.selected_inferior().read_memory(va, count))
            except gdb.MemoryError:
                pass
        data = b""
        while len(data) < count:
            here = va + len(data)
            part = min(count - len(data), 4096 - here % 4096)
            data += self.physical(kernel_physical(here), part)
        return data


memory = Memory()


def connection_changed(_event):
    memory.kind = None


if hasattr(gdb.events, "connection_removed"):
    gdb.events.connection_removed.connect(connection_changed)


def word(pa):
    return struct.unpack("<Q", memory.physical(pa, 8))[0]


def kernel_physical(va):
    """Physical address of a kernel address."""
    if KVA_DIRECT <= va < KVA_DIRECT_END:
        return va - KVA_DIRECT
    for _, _, entry, shift in steps(symbol("kmap_l1").address_of - KVA_DIRECT, va):
        if not entry & VALID:
            break
        if shift == PAGE_SHIFT or not entry & TABLE:
            return (entry & ADDRESS & -(1 << shift)) | (va & ((1 << shift) - 1))
    raise gdb.GdbError("0x%x is not mapped in the kernel" % va)


def steps(root, va):
    """(level, address of the entry, entry, shift) on the way to va."""
    table = root
    for level, shift in ((1, 30), (2, 21), (3, 12)):
        at = table + (va >> shift & 511) * 8
        entry = word(at)
        yield level, at, entry, shift
        if not entry & VALID or not entry & TABLE:
            return
        table = entry & ADDRESS


class Symbol:
    """A variable of the kernel: its address and type, read when asked."""

    def __init__(self, expression):
        value = gdb.parse_and_eval(expression)
        self.address_of = int(value.address)
        self.type = value.type

    def value(self):
        return load(self.address_of, self.type)


symbols = {}


def symbol(expression):
    if expression not in symbols:
        symbols[expression] = Symbol(expression)
    return symbols[expression]


def load(address, kind):
    return gdb.Value(memory.read(address, kind.sizeof), kind)


def struct_at(address, name):
    return load(int(address), gdb.lookup_type("struct " + name))


def text(address, count=64):
    """The string at address, of which count bytes at most are looked at."""
    data = b""
    while len(data) < count and b"\0" not in data:
        here = int(address) + len(data)
        data += memory.read(here, min(16 - here % 16, count - len(data)))
    return data.split(b"\0")[0].decode("ascii", "replace")


def characters(array):
    return bytes(int(array[i]) & 255 for i in range(array.type.range()[1] + 1)) \
        .split(b"\0")[0].decode("ascii", "replace")


def chain(first, name, following):
    """Addresses and values of a list of struct name."""
    address, seen = int(first), 0
    while address and seen < LIST_MAX:
        value = struct_at(address, name)
        yield address, value
        address, seen = int(following(value)), seen + 1


def tasks():
    return chain(symbol("'kern/task.c'::all").value()["lh_first"], "task",
                 lambda t: t["all_link"]["le_next"])


def procs():
    return chain(symbol("'proc/proc.c'::procs").value()["tqh_first"], "proc",
                 lambda p: p["all_link"]["tqe_next"])


def constant(name):
    """A number of lib/ebb_abi.h, which debug information leaves out."""
    path = os.path.join(os.path.dirname(os.path.abspath(constant.__code__.co_filename)), "..", "lib", "ebb_abi.h")
    with open(path, encoding="utf-8") as file:
        return int(re.search(r"^#define %s\s+(\d+)" % name, file.read(), re.M)[1])


# --- words for values --------------------------------------------------------

def names_of(bits, table):
    return " ".join(name for bit, name in table if bits & bit) or "none"


PAGE_FLAGS = ((1, "marker"), (2, "winatcfls"), (4, "free"), (8, "cached"),
              (16, "unholdfree"), (32, "waited"))
QUEUES = {0: "inactive", 1: "active", 2: "cache", 255: "none"}


def page_text(m):
    busy = int(m["busy"])
    return "page frame 0x%x, object 0x%x index %d, queue %s, wired %d, held %d, busy %s, act %d, " \
        "valid 0x%02x, dirty 0x%02x, flags %s%s" % (
            int(m["frame"]), int(m["object"]), int(m["pindex"]),
            QUEUES.get(int(m["queue"]), "?"), int(m["wire_count"]), int(m["hold_count"]),
            "exclusive" if busy == 0x8000 else busy and "%d shared" % busy or "no",
            int(m["act_count"]), int(m["valid"]), int(m["dirty"]),
            names_of(int(m["flags"]), PAGE_FLAGS),
            ", referenced" if int(m["aflags"]) & 1 else "")


OBJECT_TYPES = ("default", "swap", "vnode")
OBJECT_FLAGS = ((1, "dead"), (2, "fictitious"), (4, "unmanaged"), (8, "mightbedirty"),
                (16, "onemapping"))


def object_text(o):
    kind = int(o["type"])
    return "object %d (%s), %d pages, %d resident, %d cached, %d in swap, %d references, " \
        "%d shadows, behind it 0x%x, flags %s" % (
            int(o["id"]), OBJECT_TYPES[kind] if kind < 3 else "?", int(o["size_pages"]),
            int(o["resident_count"]), int(o["cached_count"]), int(o["swap_count"]),
            int(o["ref_count"]), int(o["shadow_count"]), int(o["backing_object"]),
            names_of(int(o["flags"]), OBJECT_FLAGS))


def map_text(m):
    return "map 0x%x to 0x%x, %d entries, %d KiB, %d wired pages, lock %s" % (
        int(m["min"]), int(m["max"]), int(m["entry_count"]), int(m["size_bytes"]) // 1024,
        int(m["wired_pages"]), "free" if int(m["lock"]["owner"]) == 0 else
        "of task 0x%x" % int(m["lock"]["owner"]))


def pte_text(entry, level=3):
    """What the bits of a page-table entry mean (arch/arm64/pte.h)."""
    if not entry & VALID:
        return "invalid" + (" (not zero)" if entry else "")
    if level < 3 and entry & TABLE:
        return "table at 0x%x, %d valid entries" % (entry & ADDRESS, entry >> 2 & 0x3ff) \
            if entry >> 2 & 0x3ff else "table at 0x%x" % (entry & ADDRESS)
    words = ["block" if level < 3 else "page", "at 0x%x," % (entry & ADDRESS & -(1 << (39 - 9 * level)))]
    user = bool(entry & USER)
    words.append("user," if user else "kernel,")
    if not user:
        words.append("read-only" if entry & RO else "writable")
    elif entry & DBM:
        words.append("writable, clean (DBM, AP[2])" if entry & RO else "writable, modified (DBM)")
    else:
        words.append("read-only" if entry & RO else "writable without DBM: does not occur")
    words.append(", referenced (AF)" if entry & AF else ", not referenced (no AF)")
    words.append("" if entry & (UXN if user else PXN) else ", executable")
    words.append(", ASID" if entry & NG else ", global")
    words.append((", write-back", ", device", ", non-cacheable")[min(entry >> 2 & 7, 2)])
    return re.sub(r" +,", ",", " ".join(words)).replace("  ", " ").strip()


class Printer:
    def __init__(self, value, say):
        self.value, self.say = value, say

    def to_string(self):
        return self.say(self.value)


PRINTERS = {"vm_page": page_text, "vm_object": object_text, "vm_map": map_text}


def find_printer(value):
    kind = value.type.strip_typedefs()
    if kind.code == gdb.TYPE_CODE_STRUCT and kind.tag in PRINTERS:
        return Printer(value, PRINTERS[kind.tag])
    return None


gdb.pretty_printers.append(find_printer)


class PteFunction(gdb.Function):
    """$pte(VALUE): what a page-table entry of level 3 means: print $pte(x)"""

    def __init__(self):
        super().__init__("pte")

    def invoke(self, *arguments):
        level = int(arguments[1]) if len(arguments) > 1 else 3
        return pte_text(int(arguments[0]) & (1 << 64) - 1, level)


# --- commands ----------------------------------------------------------------

class Ebb(gdb.Command):
    """Commands for ebb: ebb ps, queues, bt TASK, page ADDRESS, walk VA."""

    def __init__(self):
        super().__init__("ebb", gdb.COMMAND_DATA, prefix=True)


class Command(gdb.Command):
    def __init__(self):
        super().__init__("ebb " + type(self).__name__.lower(), gdb.COMMAND_DATA)

    def argument(self, words, what):
        given = gdb.string_to_argv(words)
        if len(given) != 1:
            raise gdb.GdbError("expected %s" % what)
        return given[0]

    def number(self, words, what):
        return int(gdb.parse_and_eval(self.argument(words, what))) & (1 << 64) - 1


TASK_STATES = ("ready", "run", "sleep", "end")


def microseconds(cycles):
    return cycles * 1000000 // (int(symbol("'arch/arm64/gtimer.c'::frequency").value()) or 1)


def task_words(t):
    state = int(t["state"])
    asleep = state == 2 and int(t["wmesg"])
    return TASK_STATES[state] if state < 4 else "?", text(t["wmesg"], 8) if asleep else "", \
        microseconds(int(t["run_cycles"]))


def entries(map_):
    """Every entry of a map, in address order."""
    waiting, address = [], int(map_["entries"]["rbh_root"])
    while address or waiting:
        while address:
            entry = struct_at(address, "vm_map_entry")
            waiting.append((address, entry))
            address = int(entry["link"]["rbe_left"])
        address, entry = waiting.pop()
        yield address, entry
        address = int(entry["link"]["rbe_right"])


def swap_pages(vmspace):
    total = 0
    for _, entry in entries(vmspace["map"]):
        if int(entry["object"]):
            o = struct_at(entry["object"], "vm_object")
            pages = (int(entry["end"]) - int(entry["start"])) >> PAGE_SHIFT
            total += int(o["swap_count"]) * pages // (int(o["size_pages"]) or 1)
    return total


def limit_text(p):
    which = [constant("EBB_RLIMIT_" + name) for name in ("RSS", "BUDGET")]
    least = min(int(p["limits"][i][field]) for i in which for field in ("soft", "hard"))
    return "-" if least == (1 << 64) - 1 else str(least // 1024 % 1000000000)


class Ps(Command):
    """ebb ps: programs and kernel tasks, as the monitor's ps shows them."""

    def row(self, who, words, memory_words, name):
        state, wait, us = words
        print("%5s %-7s %-8s %40s %5d.%03d %s" % (
            who, state, wait, memory_words, us // 1000000, us // 1000 % 1000, name))

    def program(self, p):
        words = ("ended", "", microseconds(int(p["run_cycles"])))
        if int(p["task"]):
            words = task_words(struct_at(p["task"], "task"))
        if p["swapped"]:
            words = ("swapped",) + words[1:]
        resident = swap = 0
        faults = int(p["usage"]["faults"])
        if int(p["vmspace"]):
            vm = struct_at(p["vmspace"], "vmspace")
            resident, faults = int(vm["pmap"]["resident_count"]), int(vm["usage"]["faults"])
            swap = swap_pages(vm)
        self.row(int(p["pid"]), words, "%9d %9s %9d %10d" % (
            resident * 4, limit_text(p), swap * 4, faults), characters(p["name"]))

    def invoke(self, _words, _from_tty):
        print("  PID STATE   WAIT       RES KiB LIMIT KiB  SWAP KiB     FAULTS    TIME s NAME")
        for _, p in procs():
            self.program(p)
        for _, t in tasks():
            if int(t["proc"]) == 0:
                self.row("-", task_words(t), "        -         -         -          -",
                         characters(t["name"]))


class Queues(Command):
    """ebb queues: pages and thresholds of each memory domain, as the monitor's queues."""

    def invoke(self, _words, _from_tty):
        domains = symbol("vm_domains").value()
        for i in range(int(symbol("vm_domain_count").value())):
            d = domains[i]
            queues = d["pagequeues"]
            print("domain %d: %d pages; free %d, cache %d, active %d, inactive %d, wired %d" % tuple(
                int(x) for x in (d["id"], d["v_page_count"], d["v_free_count"], d["v_cache_count"],
                                 queues[1]["count"], queues[0]["count"], d["v_wire_count"])))
            print("  thresholds: wakeup %d, target %d, min %d, severe %d, reserved %d, inactive"
                  " target %d" % tuple(int(d[x]) for x in (
                      "pageout_wakeup_thresh", "v_free_target", "v_free_min", "v_free_severe",
                      "v_free_reserved", "v_inactive_target")))


class Bt(Command):
    """ebb bt TASK: where a task that does not run sleeps; TASK is its name, or a program's pid."""

    def find(self, wanted):
        pids = {int(p["task"]): int(p["pid"]) for _, p in procs() if wanted.isdigit()}
        for address, t in tasks():
            if characters(t["name"]) == wanted or str(pids.get(address)) == wanted:
                return address, t
        raise gdb.GdbError("no task %s: ebb ps lists them" % wanted)

    def invoke(self, words, _from_tty):
        address, t = self.find(self.argument(words, "a task's name or a program's pid"))
        if int(t["state"]) == 1:
            raise gdb.GdbError("%s runs: bt shows it" % characters(t["name"]))
        registers = t["md"]["regs"]
        print("task %d %s at 0x%x, %s %s" % (int(t["id"]), characters(t["name"]), address,
                                             *task_words(t)[:2]))
        low, high = int(t["md"]["stack_base"]), int(t["md"]["stack_top"])
        frame, pc = int(registers[10]), int(registers[11])
        for number in range(FRAMES_MAX):
            if pc == 0:
                break
            self.show(number, pc)
            if not low <= frame <= high - 16 or frame % 8:
                break
            former = frame
            frame, pc = struct.unpack("<QQ", memory.read(frame, 16))
            if frame <= former:
                if frame == 0 and pc:
                    self.show(number + 1, pc)
                break

    def show(self, number, pc):
        line = gdb.find_pc_line(pc - 4)
        function = gdb.execute("info symbol 0x%x" % (pc - 4), to_string=True).split(" ")[0]
        where = " at %s:%d" % (line.symtab.filename, line.line) if line.symtab else ""
        print("#%-2d 0x%016x in %s%s" % (number, pc, function, where))


def pool_page(pa):
    """Address of the struct vm_page of a physical address, or None."""
    frame = pa >> PAGE_SHIFT
    segments = symbol("'mm/vm_phys.c'::segments").value()
    for i in range(int(symbol("'mm/vm_phys.c'::segment_count").value())):
        s = segments[i]
        if int(s["first_frame"]) <= frame < int(s["end_frame"]):
            number = int(s["first_page"]) + frame - int(s["first_frame"])
            return int(symbol("vm_page_array").value()) + 64 * number
    return None


class Page(Command):
    """ebb page ADDRESS: the frame of a physical address, a kernel address, or a struct vm_page."""

    def invoke(self, words, _from_tty):
        address = self.number(words, "an address")
        array = int(symbol("vm_page_array").value())
        count = int(symbol("vm_page_array_count").value())
        if array <= address < array + 64 * count:
            at = address - (address - array) % 64
        else:
            pa = kernel_physical(address) if address >= KVA_DIRECT else address
            at = pool_page(pa)
            if at is None:
                raise gdb.GdbError("0x%x is no frame of the pool" % pa)
        m = struct_at(at, "vm_page")
        print("page %d at 0x%x, physical 0x%x" % ((at - array) // 64, at,
                                                  int(m["frame"]) << PAGE_SHIFT))
        print(page_text(m))
        if int(m["object"]):
            print(object_text(struct_at(m["object"], "vm_object")))
        if int(m["md"]["pmap"]) and not int(m["flags"]) & 4:
            root = struct_at(array + 64 * int(m["md"]["pmap"]), "vm_page")["md"]
            pmap = int(root["pv_tail"]) << 32 | int(root["va_page"])
            more = " and elsewhere" if int(m["md"]["pv_tail"]) else ""
            print("mapped at 0x%x by pmap 0x%x%s" % (int(m["md"]["va_page"]) << PAGE_SHIFT, pmap, more))


class Walk(Command):
    """ebb walk VA [PID]: the page-table entries on the way to VA; of the program PID, or of
the only one there is, if VA is a program's."""

    def root(self, va, pid):
        if va >> 39:
            return symbol("kmap_l1").address_of - KVA_DIRECT
        found = [p for _, p in procs() if int(p["vmspace"]) and pid in (None, int(p["pid"]))]
        if not found or (len(found) > 1 and pid is None):
            raise gdb.GdbError("expected ebb walk VA PID: ebb ps lists the programs")
        return int(struct_at(found[0]["vmspace"], "vmspace")["pmap"]["root_pa"])

    def invoke(self, words, _from_tty):
        given = gdb.string_to_argv(words)
        if len(given) not in (1, 2):
            raise gdb.GdbError("expected an address, and the number of a program")
        va = int(gdb.parse_and_eval(given[0])) & (1 << 64) - 1
        root = self.root(va, int(given[1]) if len(given) == 2 else None)
        print("0x%x, tables from 0x%x" % (va, root))
        for level, at, entry, _ in steps(root, va):
            print("level %d at 0x%x: 0x%016x %s" % (level, at, entry, pte_text(entry, level)))


Ebb()
for command in (Ps, Queues, Bt, Page, Walk, PteFunction):
    command()
