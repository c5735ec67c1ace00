# SPDX-License-Identifier: BSD-2-Clause
"""Takes the statistics stream out of the console's text (docs/SPEC.md, section 4)."""
import json

MARK = b'{"ebb":'
CHECK = b',"crc":"'
LINE_BYTES_MAX = 1024
VERSION = 1


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


def parse(line):
    """The object of one line, without its newline; ValueError says what is wrong."""
    body, check, tail = line.rpartition(CHECK)
    if not check or len(tail) != 10 or tail[8:] != b'"}':
        raise ValueError("no checksum at its end")
    if int(tail[:8], 16) != crc32c(body):
        raise ValueError("checksum wrong")
    fields = json.loads(line)
    if fields.get("ebb") != VERSION:
        raise ValueError("version %r, this program reads %d" % (fields.get("ebb"), VERSION))
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
            line = self.held[:end].rstrip(b"\r")
            self.held = self.held[end + 1:]
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
