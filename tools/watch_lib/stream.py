# SPDX-License-Identifier: BSD-2-Clause
"""Takes the statistics stream out of the console's text (docs/SPEC.md, section 4)."""
import json
import re

MARK = b'{"ebb":'
CHECK = b',"crc":"'
LINE_BYTES_MAX = 1024
VERSION = 1
NUMBER_MAX = 1 << 64
LETTERS = ".cAid*W?"  # states of the page map
FRAMES_MAX = 1 << 32
CELLS_MAX = 1 << 16
BUCKETS_MAX = 64


def crc32c_table():
    table = []
    for n in range(256):
        for _ in range(8):
            n = n >> 1 ^ 0x82f63b78 if n & 1 else n >> 1
        table.append(n)
    return table


TABLE = crc32c_table()


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xff]
    return crc ^ 0xffffffff


def numbers(values, least=0):
    return isinstance(values, list) and all(type(n) is int and least <= n < NUMBER_MAX for n in values)


def texts(values):
    return all(isinstance(text, str) and text.isprintable() for text in values)


def counted(runs):
    """'3A.2W' as [(3, 'A'), (1, '.'), (2, 'W')]; None if it is something else or too long."""
    if not isinstance(runs, str) or not re.fullmatch(r"([0-9]{0,6}[%s])*" % re.escape(LETTERS), runs):
        return None
    pairs = [(int(count or 1), letter) for count, letter in re.findall(r"([0-9]*)([^0-9])", runs)]
    return pairs if sum(count for count, _ in pairs) <= CELLS_MAX else None


def histogram_fits(row):
    return numbers(row) and len(row) >= 4 and len(row) % 2 == 0 and all(b < BUCKETS_MAX for b in row[4::2])


def program_fits(row):
    return isinstance(row, list) and len(row) == 7 and numbers(row[:1] + row[3:]) and texts(row[1:3])


def list_of(rows, fits):
    return isinstance(rows, list) and all(map(fits, rows))


# Members of each kind of line, apart from ebb, s, y, t: what of it has to hold.
FORMS = {
    "names": lambda f: list_of(f["rows"], lambda row: isinstance(row, list) and len(row) == 4 and
                               numbers(row[:1]) and texts(row[1:])),
    "new": lambda f: numbers([f["idle"], f["ready"]]) and numbers(f["swap"]) and len(f["swap"]) == 2 and
    numbers(f["d"], -NUMBER_MAX) and len(f["d"]) % 2 == 0,
    "hist": lambda f: list_of(f["h"], histogram_fits),
    "map": lambda f: numbers([f["frames"], f["each"]]) and f["frames"] <= FRAMES_MAX and
    counted(f["cells"]) is not None,
    "ps": lambda f: list_of(f["p"], program_fits),
}
FORMS["all"] = FORMS["new"]


def check(fields):
    """ValueError if a line of a kind that is known is not as docs/SPEC.md says."""
    kind = fields.get("y")
    if not isinstance(kind, str) or not numbers([fields.get("s")]):
        raise ValueError("no number or kind")
    try:
        good = kind not in FORMS or ((kind == "names" or numbers([fields["t"]])) and FORMS[kind](fields))
    except KeyError as error:
        raise ValueError("%s without %s" % (kind, error)) from None
    if not good:
        raise ValueError("%s not as it should be" % kind)


def parse(line):
    """The object of one line, without its newline; ValueError says what is wrong."""
    if len(line) >= LINE_BYTES_MAX:
        raise ValueError("longer than a line may be")
    body, check_, tail = line.rpartition(CHECK)
    if not check_ or len(tail) != 10 or tail[8:] != b'"}':
        raise ValueError("no checksum at its end")
    if int(tail[:8], 16) != crc32c(body):
        raise ValueError("checksum wrong")
    try:
        fields = json.loads(line)
    except RecursionError:
        raise ValueError("lists in lists in lists") from None
    if fields.get("ebb") != VERSION:
        raise ValueError("version %r, this program reads %d" % (fields.get("ebb"), VERSION))
    check(fields)
    return fields


class Splitter:
    """Bytes as they come; feed() gives ("text", bytes), ("line", object), ("bad", reason)."""

    def __init__(self):
        self.held = b""

    def feed(self, data):
        self.held += data
        while True:
            at = self.held.find(MARK)
            if at < 0:
                keep = self.mark_begun()
                yield from self.text(len(self.held) - keep)
                return
            yield from self.text(at)
            end = self.held.find(b"\n")
            if end < 0:
                if len(self.held) <= LINE_BYTES_MAX:
                    return
                end = len(self.held) - 1
            # A line that was cut (a reset) may have the next one behind it; no line has the mark within.
            after = self.held.find(MARK, 1, end)
            line = self.held[:end if after < 0 else after].rstrip(b"\r")
            self.held = self.held[end + 1 if after < 0 else after:]
            try:
                yield "line", parse(line)
            except ValueError as error:
                yield "bad", str(error)

    def mark_begun(self):
        """Bytes at the end that may be the beginning of the mark."""
        for count in range(min(len(MARK) - 1, len(self.held)), 0, -1):
            if MARK.startswith(self.held[-count:]):
                return count
        return 0

    def text(self, count):
        if count > 0:
            yield "text", self.held[:count]
            self.held = self.held[count:]

    def rest(self):
        """What is left at the end, text or not."""
        held, self.held = self.held, b""
        return b"" if held.startswith(MARK) else held
