# SPDX-License-Identifier: BSD-2-Clause
"""check_screen PICTURE.ppm OUTPUT: the dashboard at 640 by 480, as QEMU shows it, against what
`queues` said in the guest's output (app/monitor/dashboard.c has the layout)."""
import re
import sys

MAP = (8, 48, 338, 270)      # x, y, width, height
GRAPHS = [(354, 48), (354, 154), (354, 260)]
GRAPH_SIZE = (278, 82)
HEAD = (0, 0, 640, 24)
PROGRAMS = (8, 376, 624, 16)
COLOURS = {"free": 0x39414f, "cache": 0x22b8cf, "active": 0x37b24d, "inactive": 0xfab005,
           "dirty": 0xf03e3e, "busy": 0xcc5de8, "wired": 0x4c6ef5, "in use": 0xe9ecef}
SLACK = 0.12  # of the pool: the program went on between the picture and `queues`


def read(path):
    with open(path, "rb") as file:
        data = file.read()
    found = re.match(rb"P6\s(\d+)\s(\d+)\s255\s", data)
    width, height = int(found[1]), int(found[2])
    assert (width, height) == (640, 480), "%dx%d" % (width, height)
    pixels = data[found.end():]
    return [[int.from_bytes(pixels[(y * width + x) * 3:(y * width + x) * 3 + 3], "big")
             for x in range(width)] for y in range(height)]


def count(screen, area):
    x, y, width, height = area
    counts = {}
    for row in screen[y:y + height]:
        for pixel in row[x:x + width]:
            counts[pixel] = counts.get(pixel, 0) + 1
    return counts


def fail(words):
    print(words)
    sys.exit(1)


def main():
    screen = read(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8") as file:
        said = re.search(r"domain 0: (\d+) pages; free (\d+), cache (\d+), active (\d+), inactive (\d+), wired (\d+)",
                         file.read())
    total, free, cache, active, inactive, wired = map(int, said.groups())
    near = lambda a, b: abs(a - b) <= SLACK * total

    seen = count(screen, MAP)
    block = min(range(2, 25), key=lambda n: abs(sum(seen.get(c, 0) for c in COLOURS.values()) / (n * n) - total))
    frames = {name: seen.get(colour, 0) / (block * block) for name, colour in COLOURS.items()}
    print("map: blocks of %d, %s" % (block, frames))
    if abs(sum(frames.values()) - total) > 0.5:
        fail("%d frames on the map, %d in the pool" % (sum(frames.values()), total))
    if not (near(frames["active"], active) and near(frames["cache"], cache) and near(frames["free"], free) and
            near(frames["inactive"] + frames["dirty"], inactive) and near(frames["wired"], wired)):
        fail("the map is not what queues said: %s" % said[0])
    if frames["active"] < total / 3 or frames["wired"] < 5:
        fail("a pool in use has active and wired frames")

    # The newest column of the queues: a stack of wired, active, inactive, cached, free.
    x, y = GRAPHS[0]
    width, height = GRAPH_SIZE
    column = count(screen, (x + width - 1, y, 1, height))
    if not near(column.get(COLOURS["active"], 0) / height * total, active):
        fail("the graph's last column is not what queues said: %s" % column)
    dashes = [row for row in range(y, y + height) if count(screen, (x, row, width, 1)).get(0xffffff, 0) > width / 3]
    target_row = y + height - 1 - int((total - 88) * (height - 1) / total)
    if not any(abs(row - target_row) <= 1 for row in dashes):
        fail("no line of the free target at row %d but at %s" % (target_row, dashes))
    for graph in GRAPHS[1:]:
        drawn = count(screen, (*graph, *GRAPH_SIZE))
        lines = sum(n for colour, n in drawn.items() if colour not in (0x11151c, 0x262c36))
        if lines < 300 or len(drawn) < 4:
            fail("the graph at %s is empty: %s" % (graph, drawn))

    head = count(screen, HEAD)
    if head.get(0x1c7ed6, 0) < 10000 or head.get(0xffffff, 0) < 500:
        fail("no head: %s" % head)
    if count(screen, (PROGRAMS[0], PROGRAMS[1], PROGRAMS[2], 16)).get(0xe9ecef, 0) < 150:
        fail("no program in the list")


main()
