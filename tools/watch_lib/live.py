# SPDX-License-Identifier: BSD-2-Clause
"""Plots in the terminal, the console's text below them; keys go to the board.

rich draws; this file only says what.
"""
import os
import re
import select
import sys
import termios
import time
import tty

from rich.console import Group
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from watch_lib.history import LETTERS

END_KEY = b"\x1d"  # Ctrl-]
REDRAW_S = 0.25
WINDOW_US = 60_000_000
BLOCKS = " ▁▂▃▄▅▆▇█"
TEXT_LINES = 200
VM = "vm.stats.vm."
# As the monitor's `pagemap live`.
COLOURS = dict(zip(LETTERS, ("bright_black", "cyan", "green", "yellow", "red", "magenta", "blue", "white")))
QUEUES = (("v_wire_count", "wired", "blue"), ("v_active_count", "active", "green"),
          ("v_inactive_count", "inactive", "yellow"), ("v_cache_count", "cached", "cyan"),
          ("v_free_count", "free", "white"))
RATES = (("faults", [VM + "v_vm_faults"]), ("flag faults", ["vm.pmap.af_faults", "vm.pmap.dirty_faults"]),
         ("pages in", [VM + "v_swappgsin"]), ("pages out", [VM + "v_swappgsout"]),
         ("swap reads", [VM + "v_swapin"]), ("swap writes", [VM + "v_swapout"]))
ESCAPES = re.compile(rb"\x1b\[[0-9;]*[A-Za-z]")


def spark(values, width):
    """The last of the values as a line of blocks, the highest of them full."""
    values = values[-width:]
    top = max(values, default=0) or 1
    return "".join(BLOCKS[min(8, int(value * 8 / top + 0.5))] for value in values)


def window(history, width):
    """At most width times of the last minute."""
    times = [time for time in history.samples if time >= history.samples[-1] - WINDOW_US]
    step = max(1, len(times) // max(1, width))
    return times[::-1][::step][::-1]


class Paper:
    """The console's text as lines: what a terminal of unlimited length would hold."""

    def __init__(self):
        self.lines = [""]
        self.held = b""  # the beginning of an escape sequence

    def add(self, data):
        data = self.held + data
        at = data.rfind(b"\x1b")
        self.held = data[at:] if at >= 0 and not ESCAPES.match(data, at) and len(data) - at < 16 else b""
        data = data[:len(data) - len(self.held)]
        text = ESCAPES.sub(lambda m: b"\f" if m.group() == b"\x1b[K" else b"", data)
        for letter in text.decode("utf-8", "replace"):
            if letter == "\n":
                self.lines.append("")
            elif letter == "\b":
                self.lines[-1] = self.lines[-1][:-1]
            elif letter == "\f":  # what is being typed is painted again
                self.lines[-1] = ""
            elif letter >= " ":
                self.lines[-1] += letter
        del self.lines[:-TEXT_LINES]


class Screen:
    def __init__(self):
        self.paper = Paper()
        self.live = Live(screen=True, auto_refresh=False)
        self.drawn = 0.0
        self.terminal = None

    def __enter__(self):
        self.terminal = termios.tcgetattr(sys.stdin)
        tty.setraw(sys.stdin, termios.TCSANOW)
        mode = termios.tcgetattr(sys.stdin)
        mode[1] = self.terminal[1]  # output as before: rich ends lines with a newline alone
        termios.tcsetattr(sys.stdin, termios.TCSANOW, mode)
        self.live.__enter__()
        return self

    def __exit__(self, *what):
        self.live.__exit__(*what)
        termios.tcsetattr(sys.stdin, termios.TCSANOW, self.terminal)
        return False

    def text(self, data):
        self.paper.add(data)

    def step(self, history):
        """Draws if it is time; the bytes typed, None to end."""
        if time.monotonic() - self.drawn >= REDRAW_S:
            self.live.update(picture(history, self.paper, *self.live.console.size), refresh=True)
            self.drawn = time.monotonic()
        typed = b""
        if select.select([sys.stdin], [], [], 0)[0]:
            typed = os.read(sys.stdin.fileno(), 256)
        return None if END_KEY in typed else typed


def queue_bar(history, width):
    now = history.samples[-1]
    counts = [(history.at(VM + row, now) or 0, label, colour) for row, label, colour in QUEUES]
    total = sum(count for count, _, _ in counts) or 1
    bar = Text()
    for count, _, colour in counts:
        bar.append("█" * round(count * width / total), style=colour)
    key = Text()
    for count, label, colour in counts:
        key.append("%s %d  " % (label, count), style=colour)
    key.append("of %d;  target %d, min %d" % (total, history.total(VM + "v_free_target"),
                                              history.total(VM + "v_free_min")))
    return [bar, key]


def rate_table(history, width):
    table = Table.grid(padding=(0, 1), expand=False)
    columns = max(10, width - 32)
    times = window(history, columns)
    for label, names in RATES:
        rates = history.rates(names, times)
        table.add_row(label, Text("%8.0f /s" % rates[-1]), Text(spark(rates, columns), style="cyan"))
    busy = history.busy(times)
    table.add_row("core busy", Text("%8.0f %% " % busy[-1]), Text(spark(busy, columns), style="green"))
    used = history.values("swap.used", times)
    table.add_row("swap", Text("%8d pg" % used[-1]), Text(spark(used, columns), style="magenta"))
    return table


def map_rows(history, width, rows):
    if not history.maps:
        return Text("no page map yet")
    cells = history.maps[-1][3]
    step = max(1, -(-len(cells) // (width * rows)))
    text = Text()
    for index, state in enumerate(cells[::step]):
        if index and index % width == 0:
            text.append("\n")
        text.append("■", style=COLOURS[LETTERS[state]])
    return text


def program_table(history):
    table = Table.grid(padding=(0, 2))
    table.add_row("PID", "NAME", "STATE", "RES KiB", "SWAP KiB", "TIME s")
    for pid, points in sorted(history.programs.items()):
        when, name, state, resident, swap, run_us, _ = points[-1]
        if when == history.programs_at:
            table.add_row(str(pid), name, state, str(resident * 4), str(swap * 4), "%.2f" % (run_us / 1e6))
    return table


def picture(history, paper, width, height):
    layout = Layout()
    upper = max(12, height * 2 // 3)
    lower = Panel(Text("\n".join(paper.lines[-max(1, height - upper - 2):])), title="console (Ctrl-] ends)")
    if not history.samples:
        above = Panel(Text("waiting for statistics: type stream on 200"), title="ebb")
    else:
        inner = width - 4
        rows = max(2, upper - 18)
        above = Panel(Group(*queue_bar(history, inner), rate_table(history, inner),
                            map_rows(history, inner, rows), program_table(history)),
                      title="ebb, %.1f s; %s" % (history.samples[-1] / 1e6, history.summary()))
    layout.split_column(Layout(above, size=upper), Layout(lower))
    return layout
