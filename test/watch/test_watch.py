# SPDX-License-Identifier: BSD-2-Clause
"""tools/watch: a recorded log, whole and damaged, and what becomes of it."""
import csv
import io
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LOG = os.path.join(ROOT, "test/watch/recorded.log")
sys.path.insert(0, os.path.join(ROOT, "tools"))
from watch_lib import history, live, report, stream  # noqa: E402


def recorded():
    with open(LOG, "rb") as file:
        return file.read()


def read(data, chunk=4096):
    """(text, history) of data that comes in chunks."""
    splitter, h, text = stream.Splitter(), history.History(), b""
    for at in range(0, len(data), chunk):
        for kind, value in splitter.feed(data[at:at + chunk]):
            if kind == "text":
                text += value
            elif kind == "line":
                h.add(value)
            else:
                h.corrupt += 1
    return text + splitter.rest(), h


def line_of(body):
    return body + b',"crc":"%08x"}\n' % stream.crc32c(body)


class Stream(unittest.TestCase):
    def test_checksum_is_crc32c(self):
        self.assertEqual(stream.crc32c(b"123456789"), 0xe3069283)

    def test_every_line_is_good_and_none_is_lost(self):
        _, h = read(recorded())
        self.assertEqual((h.corrupt, h.lost, h.unnamed), (0, 0, 0))
        self.assertEqual(h.lines, recorded().count(b'{"ebb":1,'))
        self.assertGreater(len(h.samples), 5)

    def test_text_is_what_is_left(self):
        text, _ = read(recorded())
        self.assertNotIn(b'"ebb"', text)
        self.assertEqual(text, b"".join(line for line in recorded().splitlines(keepends=True)
                                        if not line.startswith(b'{"ebb"')))

    def test_any_chunks_give_the_same(self):
        whole = read(recorded())
        for chunk in (1, 7, 1000):
            text, h = read(recorded(), chunk)
            self.assertEqual(text, whole[0])
            self.assertEqual(h.series, whole[1].series)

    def test_damage_is_seen(self):
        data = recorded()
        lines = data.count(b'{"ebb":1,')
        at = data.index(b'"y":"new"')
        _, h = read(data[:at] + b"#" + data[at + 1:])
        self.assertEqual((h.corrupt, h.lost, h.lines), (1, 1, lines - 1))
        cut = data.index(b'{"ebb":1,"s":12,')
        _, h = read(data[:cut] + data[data.index(b"\n", cut) + 1:])
        self.assertEqual((h.corrupt, h.lost, h.lines), (0, 1, lines - 1))

    def test_every_changed_byte_of_a_line_is_refused(self):
        line = line_of(b'{"ebb":1,"s":1,"y":"new","t":5,"idle":0,"ready":0,"swap":[0,0],"d":[]').rstrip()
        stream.parse(line)
        for at in range(len(line)):
            with self.assertRaises(ValueError):
                stream.parse(line[:at] + bytes([line[at] ^ 1]) + line[at + 1:])

    def test_other_version_is_refused(self):
        with self.assertRaisesRegex(ValueError, "version 2, this program reads 1"):
            stream.parse(line_of(b'{"ebb":2,"s":1').rstrip())

    def test_a_mark_that_never_ends_is_bounded(self):
        splitter = stream.Splitter()
        found = list(splitter.feed(b'{"ebb":' + b"x" * 5000 + b"\nafter"))
        self.assertIn("bad", [kind for kind, _ in found])
        self.assertLess(len(splitter.held), 2000)

    def test_what_is_not_as_the_format_says_is_refused(self):
        head = b'{"ebb":1,"s":1,'
        values = b'"idle":0,"ready":0,"swap":[0,0],'
        for body in (b'"y":"new","t":1', b'"y":"new","t":"x",%s"d":[]' % values, b'"y":"new","t":-1,%s"d":[]' % values,
                     b'"y":"new","t":1,%s"d":[1]' % values, b'"y":"new","t":1,%s"d":[1,"x"]' % values,
                     b'"y":"new","t":1,%s"d":[1,1e400]' % values, b'"y":"new","t":1,%s"d":{}' % values,
                     b'"y":"map","t":1,"frames":9,"each":1,"cells":"999999999999A"',
                     b'"y":"map","t":1,"frames":9,"each":1,"cells":"' + b"999999A" * 99 + b'"',
                     b'"y":"map","t":1,"frames":9,"each":1,"cells":"3x"', b'"y":"names","rows":[[0,"a","b"]]',
                     b'"y":"names","rows":[[[],"a","b","c"]]', b'"y":"names","rows":[[0,"\\u001b[2J","b","c"]]',
                     b'"y":"hist","t":1,"h":[[1,2,3]]', b'"y":"hist","t":1,"h":[[1,2,3,4,99999999,1]]',
                     b'"y":"ps","t":1,"p":[[1,"a","run",1,1,1]]', b'"y":"ps","t":1,"p":[[1,2,"run",1,1,1,1]]',
                     b'"y":[]', b'"t":1', b'"y":"x","z":' + b"[" * 900, b'"y":"x","z":"' + b"x" * 1024 + b'"'):
            with self.assertRaises(ValueError, msg=body):
                stream.parse(line_of(head + body).rstrip())
        with self.assertRaises(ValueError):
            stream.parse(line_of(b'{"ebb":1,"s":"1","y":"x"').rstrip())
        stream.parse(line_of(head + b'"y":"of a later version","z":[{}]').rstrip())

    def test_garbage_never_ends_the_reader(self):
        random.seed(5)
        data = recorded()
        for _ in range(300):
            part = bytearray(data[(at := random.randrange(len(data))):at + 3000])
            for _ in range(random.randrange(9)):
                part[random.randrange(len(part))] = random.randrange(256)
            read(bytes(part), random.choice((64, 997, 4096)))

    def test_line_behind_one_that_was_cut(self):
        line = line_of(b'{"ebb":1,"s":7,"y":"names","rows":[]')
        text, h = read(line[:20] + line + b"after")
        self.assertEqual((text, h.corrupt, h.lines), (b"after", 1, 1))

    def test_prompt_painted_around_lines_stays_text(self):
        text, h = read(b"ebb> he\r\x1b[K" + line_of(b'{"ebb":1,"s":0,"y":"names","rows":[]') +
                       b"ebb> he")
        self.assertEqual(text, b"ebb> he\r\x1b[Kebb> he")
        self.assertEqual(h.lines, 1)


class History(unittest.TestCase):
    def setUp(self):
        self.h = history.History()
        self.h.add({"s": 0, "y": "names", "rows": [[0, "a", "counter", "events"],
                                                    [1, "h_us", "histogram", "us"]]})

    def values(self, number, time, pairs, idle=0):
        self.h.add({"s": number, "y": "new", "t": time, "idle": idle, "ready": 1, "swap": [3, 9], "d": pairs})

    def test_rates_and_busy(self):
        self.values(1, 1_000_000, [0, 10], idle=0)
        self.values(2, 1_500_000, [], idle=250_000)
        self.values(3, 2_000_000, [0, 40], idle=250_000)
        self.assertEqual(self.h.rates(["a"], self.h.samples), [0, 0, 60])
        self.assertEqual(self.h.busy(self.h.samples), [0, 50, 100])
        self.assertEqual(self.h.at("a", 1_700_000), 10)
        self.assertIsNone(self.h.at("a", 999_999))

    def test_percentiles_of_what_is_new(self):
        self.h.add({"s": 1, "y": "hist", "t": 0, "h": [[1, 99, 0, 0, 4, 99]]})
        self.h.add({"s": 2, "y": "hist", "t": 2, "h": [[1, 199, 0, 0, 4, 189, 9, 10]]})
        self.assertEqual(self.h.percentiles("h_us", (50, 92)), ([1], [[15], [511]]))

    def test_map_over_several_lines(self):
        for number, cells in ((1, "3A."), (2, "2W")):
            self.h.add({"s": number, "y": "map", "t": 7, "frames": 6, "each": 1, "cells": cells})
        self.assertEqual(self.h.maps, [(7, 6, 1, [2, 2, 2, 0, 6, 6])])
        with self.assertRaises(ValueError):
            history.cells_of("3x")

    def test_reset_of_the_board_begins_again(self):
        self.values(1, 5_000_000, [0, 10])
        self.values(2, 100_000, [0, 1])
        self.assertEqual(self.h.samples, [100_000])
        self.assertEqual(self.h.total("a"), 1)

    def test_values_without_names_are_counted(self):
        self.values(1, 1, [17, 4])
        self.assertEqual(self.h.unnamed, 1)


class Live(unittest.TestCase):
    def test_sparks(self):
        self.assertEqual(live.spark([0, 4, 8], 10), " ▄█")
        self.assertEqual(live.spark([1, 2, 3, 3], 2), "██")

    def test_paper_repaints_what_is_typed(self):
        paper = live.Paper()
        for piece in (b"one\r\nebb> he", b"\r\x1b", b"[Ktwo\r\nebb> he\b", b"\x1b[32mlp\x1b[0m"):
            paper.add(piece)
        self.assertEqual(paper.lines, ["one", "two", "ebb> hlp"])

    def test_picture_of_a_recording(self):
        from rich.console import Console
        _, h = read(recorded())
        out = io.StringIO()
        console = Console(file=out, width=100, height=40, force_terminal=False)
        console.print(live.picture(h, live.Paper(), 100, 40))
        for word in ("pages in", "active ", "of 2048", "memhog", "core busy", "target 88"):
            self.assertIn(word, out.getvalue())


class Tool(unittest.TestCase):
    def watch(self, *arguments):
        return subprocess.run([os.path.join(ROOT, "tools/watch"), *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60)

    def test_mistakes_are_told(self):
        with tempfile.TemporaryDirectory() as folder:
            plain = os.path.join(folder, "plain")
            with open(plain, "w", encoding="utf-8") as file:
                file.write("nothing but text\n")
            for arguments, code, words in (
                    ((), 2, "expected one of LOG"),
                    ((plain, "--serial", "x"), 2, "expected one of LOG"),
                    (("/no/such/log",), 1, "/no/such/log: No such file"),
                    ((plain,), 1, "no statistics in it; 'stream on' at the prompt"),
                    (("--connect", "unix:/no/socket"), 1, "unix:/no/socket: No such file"),
                    (("--connect", "carrier:pigeon"), 1, "expected unix:PATH or tcp:HOST:PORT"),
                    (("--serial", "/no/such/port"), 1, "/no/such/port: ")):
                result = self.watch(*arguments)
                self.assertEqual(result.returncode, code, result.stderr)
                self.assertIn(words, result.stderr)

    def test_a_log_is_not_overwritten(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "log")
            shutil.copyfile(LOG, path)
            for option in ("--record", "--html", "--csv"):
                result = self.watch(path, option, path)
                self.assertEqual(result.returncode, 2, result.stderr)
                with open(path, "rb") as file:
                    self.assertEqual(file.read(), recorded())

    def test_csv_has_every_value(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "o.csv")
            self.assertEqual(self.watch(LOG, "--csv", path).returncode, 0)
            with open(path, newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
        _, h = read(recorded())
        self.assertEqual([int(row["time_us"]) for row in rows], h.samples)
        self.assertEqual(int(rows[-1]["vm.stats.vm.v_vm_faults"]), h.total("vm.stats.vm.v_vm_faults"))
        self.assertEqual([int(row["swap.used"]) for row in rows], h.values("swap.used", h.samples))

    def test_socket_is_recorded_and_started(self):
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as server:
            path, record = os.path.join(folder, "s"), os.path.join(folder, "r")
            server.bind(path)
            server.listen(1)
            typed = []

            def board():
                port, _ = server.accept()
                with port:
                    typed.append(port.recv(100))
                    port.sendall(recorded())

            thread = threading.Thread(target=board)
            thread.start()
            result = self.watch("--connect", "unix:" + path, "--start", "250", "--record", record)
            thread.join()
            self.assertEqual((result.returncode, typed), (0, [b"stream on 250\r"]))
            with open(record, "rb") as file:
                self.assertEqual(file.read(), recorded())
            self.assertIn("memhog: ", result.stdout)
            self.assertNotIn('"ebb"', result.stdout)


class Report(unittest.TestCase):
    """The report as Chromium shows it."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = os.path.join(cls.folder.name, "report.html")
        _, cls.h = read(recorded())
        report.write(cls.h, cls.path, "a <title> & more")
        with open(cls.path, encoding="utf-8") as file:
            cls.source = file.read()
        # The page looks at itself and writes what it found into its body.
        probe = """<script>
        const seen = [...document.querySelectorAll('svg')].map(s => s.id + ':' +
            Math.round(s.getBoundingClientRect().width) + 'x' + Math.round(s.getBoundingClientRect().height) +
            ':' + s.querySelectorAll('path').length);
        const map = document.getElementById('map');
        document.body.dataset.seen = seen.join(' ');
        document.body.dataset.map = map.complete + ':' + map.naturalWidth + 'x' + map.naturalHeight;
        document.body.dataset.loads = performance.getEntriesByType('resource').length;
        </script></body>"""
        probed = os.path.join(cls.folder.name, "probed.html")
        with open(probed, "w", encoding="utf-8") as file:
            file.write(cls.source.replace("</body>", probe))
        cls.dom = subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--user-data-dir=" + os.path.join(cls.folder.name, "profile"), "--virtual-time-budget=2000",
             "--window-size=1100,3000", "--enable-logging=stderr", "--dump-dom", "file://" + probed],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=90)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def data(self, name):
        return re.search(r'<body[^>]* data-%s="([^"]*)"' % name, self.dom.stdout)[1]

    def test_hostile_names_are_only_text(self):
        """Names of programs and disks are whatever a card says."""
        evil = "<script>alert(1)</script>"
        _, h = read(recorded())
        t = h.samples[-1]
        for pid, name in ((900, evil), (901, r"$\frac{$"), (902, '"><svg onload=x>')):
            for when in (t - 1000, t):
                h.programs.setdefault(pid, []).append((when, name, "run", 1, 1, 1, 1))
        for name in ("disk.%s.read_us" % evil, "disk.a$\\q$.read_us", "vm.%s_us" % evil):
            h.histograms[name] = [(t - 10, {}), (t, {3: 5})]
            h.series[name] = ([t], [1])
        h.series["disk.%s.reads" % evil] = ([t], [1])
        path = os.path.join(self.folder.name, "evil.html")
        for pid in sorted(h.programs)[:-3]:
            del h.programs[pid]
        report.write(h, path, evil)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.assertNotIn("<script", text)
        self.assertNotIn("<svg onload", text)
        self.assertIn("&lt;script&gt;", text)

    def test_nothing_comes_from_outside(self):
        self.assertNotRegex(self.source, r'(src|href)="(?!data:|#)')
        self.assertNotRegex(self.source, r"<link|@import|url\((?!#)")
        # The picture of the page map is the only thing loaded, and is inside.
        self.assertLessEqual(int(self.data("loads")), 1)

    def test_every_plot_is_drawn(self):
        seen = dict(entry.split(":", 1) for entry in self.data("seen").split())
        self.assertEqual(list(seen), ["queues", "faults", "paging", "latency", "cpu", "swap", "programs"])
        for name, text in seen.items():
            size, paths = text.split(":")
            width, height = map(int, size.split("x"))
            self.assertGreater(width, 600, name)
            self.assertGreater(height, 100, name)
            self.assertGreater(int(paths), 5, name)

    def test_the_page_map_is_a_picture(self):
        self.assertEqual(self.data("map"), "true:%dx%d" % (len(self.h.maps), 512))

    def test_no_error_in_the_console(self):
        self.assertNotRegex(self.dom.stderr, r"CONSOLE.*(rror|efused)")
        self.assertEqual(self.dom.returncode, 0)

    def test_words_and_numbers_are_right(self):
        self.assertIn("a &lt;title&gt; &amp; more", self.dom.stdout)
        self.assertIn(self.h.summary(), self.dom.stdout)
        total = self.h.total("vm.stats.vm.v_swappgsin")
        self.assertGreater(total, 1000)
        self.assertIn("<td>pages in from swap</td><td>%d</td>" % total, self.dom.stdout)
        for word in ("free target (88)", "active", "vm.fault", "memhog"):
            self.assertIn(word, self.dom.stdout)


if __name__ == "__main__":
    unittest.main()
