# SPDX-License-Identifier: BSD-2-Clause
"""Where the bytes come from: a serial port, a socket, a file.

A source has a name, read(seconds) (bytes, perhaps none; None at the end) and
write(bytes).
"""
import select
import socket

CHUNK_BYTES = 65536


class SourceError(Exception):
    """Says what cannot be read, and why."""


class Serial:
    def __init__(self, device, baud):
        try:
            import serial
        except ImportError:
            raise SourceError("a serial port needs the package python3-serial") from None
        self.name = device
        self.error = serial.SerialException
        try:
            self.port = serial.Serial(device, baud, timeout=0.1)
        except (self.error, ValueError) as error:
            raise SourceError("%s: %s" % (device, error)) from None

    def read(self, seconds):
        self.port.timeout = seconds
        try:
            return self.port.read(max(1, min(self.port.in_waiting, CHUNK_BYTES)))
        except self.error as error:
            raise SourceError("%s: %s" % (self.name, error)) from None

    def write(self, data):
        self.port.write(data)


class Socket:
    def __init__(self, address):
        self.name = address
        kind, _, rest = address.partition(":")
        try:
            if kind == "unix" and rest:
                self.socket = socket.socket(socket.AF_UNIX)
                self.socket.connect(rest)
            elif kind == "tcp" and rest.rpartition(":")[2].isdigit():
                host, _, port = rest.rpartition(":")
                self.socket = socket.create_connection((host or "localhost", int(port)), 10)
            else:
                raise SourceError("%s: expected unix:PATH or tcp:HOST:PORT" % address)
        except OSError as error:
            raise SourceError("%s: %s" % (address, error.strerror or error)) from None

    def read(self, seconds):
        if not select.select([self.socket], [], [], seconds)[0]:
            return b""
        return self.socket.recv(CHUNK_BYTES) or None

    def write(self, data):
        self.socket.sendall(data)


class File:
    def __init__(self, path):
        self.name = path
        try:
            self.file = open(path, "rb")
        except OSError as error:
            raise SourceError("%s: %s" % (path, error.strerror)) from None

    def read(self, _):
        return self.file.read(CHUNK_BYTES) or None

    def write(self, data):
        raise SourceError("%s: a recorded log cannot be written to" % self.name)


def open_source(options):
    if options.serial:
        return Serial(options.serial, options.baud)
    return Socket(options.connect) if options.connect else File(options.log)
