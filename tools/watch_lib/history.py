# SPDX-License-Identifier: BSD-2-Clause
"""What the stream has told, over time."""
import bisect

from watch_lib.stream import LETTERS, counted


def percentile(buckets, percent):
    """Upper bound of the bucket that holds it; buckets: {number: events}."""
    total = sum(buckets.values())
    seen = 0
    for number in sorted(buckets):
        seen += buckets[number]
        if seen * 100 >= total * percent:
            return 0 if number == 0 else (1 << number) - 1
    return 0


def cells_of(runs):
    """'3A.2W' as a list of numbers of states; ValueError if it is something else."""
    pairs = counted(runs)
    if pairs is None:
        raise ValueError("no page map: %.40r" % runs)
    return [LETTERS.index(letter) for count, letter in pairs for _ in range(count)]


class History:
    def __init__(self):
        self.names = {}       # index: (name, kind, unit)
        self.samples = []     # times in microseconds, one a sample
        self.series = {}      # name: ([times], [values]), a point where it changed
        self.gauges = {"idle": ([], []), "ready": ([], []), "swap.used": ([], []),
                       "swap.total": ([], [])}
        self.histograms = {}  # name: [(time, {bucket: events})], growing sums
        self.maps = []        # (time, frames, frames a cell, [states])
        self.programs = {}    # pid: [(time, name, state, resident, swap, run_us, faults)]
        self.lines = self.corrupt = self.lost = self.unnamed = 0
        self.number = None
        self.programs_at = None  # time of the last list

    # --- lines in

    def add(self, line):
        self.lines += 1
        number = line.get("s", 0)
        if self.number is not None and number > self.number + 1:
            self.lost += number - self.number - 1
        self.number = number
        kind = line.get("y")
        if kind == "names":
            for index, name, what, unit in line["rows"]:
                self.names[index] = (name, what, unit)
        elif kind in ("all", "new"):
            self.add_values(line)
        elif kind == "hist":
            self.add_histograms(line)
        elif kind == "map":
            self.add_map(line)
        elif kind == "ps":
            self.programs_at = line["t"]
            for pid, *rest in line["p"]:
                self.programs.setdefault(pid, []).append((line["t"], *rest))

    def add_values(self, line):
        time = line["t"]
        if self.samples and time < self.samples[-1]:
            self.begin_again()
        if not self.samples or self.samples[-1] != time:
            self.samples.append(time)
            for name, value in (("idle", line["idle"]), ("ready", line["ready"]),
                                ("swap.used", line["swap"][0]), ("swap.total", line["swap"][1])):
                self.gauges[name][0].append(time)
                self.gauges[name][1].append(value)
        pairs = line["d"]
        for index, value in zip(pairs[::2], pairs[1::2]):
            if index not in self.names:
                self.unnamed += 1
                continue
            times, values = self.series.setdefault(self.names[index][0], ([], []))
            times.append(time)
            values.append(value)

    def begin_again(self):
        """The board was reset: the clock has gone back. What is before is of another boot."""
        kept = (self.names, self.lines, self.corrupt, self.lost, self.number)
        self.__init__()
        self.names, self.lines, self.corrupt, self.lost, self.number = kept

    def add_histograms(self, line):
        for index, _, _, _, *pairs in line["h"]:
            if index not in self.names:
                self.unnamed += 1
                continue
            list_ = self.histograms.setdefault(self.names[index][0], [])
            buckets = dict(list_[-1][1]) if list_ else {}
            buckets.update(zip(pairs[::2], pairs[1::2]))
            list_.append((line["t"], buckets))

    def add_map(self, line):
        """A map may come in several lines of the same time."""
        if self.maps and self.maps[-1][0] == line["t"]:
            self.maps[-1][3].extend(cells_of(line["cells"]))
        else:
            self.maps.append((line["t"], line["frames"], line["each"], cells_of(line["cells"])))

    # --- questions

    def at(self, name, time):
        """The value of a row at a time; None before its first."""
        times, values = self.gauges.get(name) or self.series.get(name, ((), ()))
        index = bisect.bisect_right(times, time) - 1
        return values[index] if index >= 0 else None

    def values(self, name, times):
        """Its values at times, 0 where it is not known."""
        return [self.at(name, time) or 0 for time in times]

    def rates(self, names, times):
        """Growth of the sum of rows by the second, between each time and the one before."""
        sums = [sum(self.at(name, time) or 0 for name in names) for time in times]
        return [0.0] + [max(0, b - a) * 1e6 / max(1, t - s)
                        for a, b, s, t in zip(sums, sums[1:], times, times[1:])]

    def busy(self, times):
        """Percent of the time in which the core was not idle."""
        idle = self.values("idle", times)
        return [0.0] + [max(0.0, 100 - 100 * (b - a) / max(1, t - s))
                        for a, b, s, t in zip(idle, idle[1:], times, times[1:])]

    def percentiles(self, name, percents):
        """(times in the middle of the intervals, a list for each percent)."""
        points = self.histograms.get(name, [])
        times, lists = [], [[] for _ in percents]
        for (before, old), (time, new) in zip(points, points[1:]):
            grown = {number: new[number] - old.get(number, 0) for number in new
                     if new[number] > old.get(number, 0)}
            if not grown:
                continue
            times.append((before + time) // 2)
            for list_, percent in zip(lists, percents):
                list_.append(percentile(grown, percent))
        return times, lists

    def total(self, name):
        times, values = self.series.get(name, ((), ()))
        return values[-1] if values else 0

    def disks(self):
        return sorted({name.split(".")[1] for name in self.series if name.startswith("disk.")})

    def why_empty(self):
        if self.corrupt:
            return ", but %d lines with a wrong checksum" % self.corrupt
        return ""

    def summary(self):
        seconds = (self.samples[-1] - self.samples[0]) / 1e6
        return ("%d samples over %.1f s, %d lines, %d corrupt, %d lost%s" %
                (len(self.samples), seconds, self.lines, self.corrupt, self.lost,
                 ", %d values whose names never came" % self.unnamed if self.unnamed else ""))
