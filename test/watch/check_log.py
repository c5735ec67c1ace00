# SPDX-License-Identifier: BSD-2-Clause
"""check_log LOG SAMPLES: a guest's output has at least so many samples, none damaged or lost,
and the lines that talk printed are whole."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools"))
from watch_lib import history, stream  # noqa: E402

with open(sys.argv[1], "rb") as file:
    data = file.read()
splitter, known, text = stream.Splitter(), history.History(), b""
for kind, value in splitter.feed(data):
    if kind == "text":
        text += value
    elif kind == "line":
        known.add(value)
    else:
        known.corrupt += 1
        print(value)
print(known.summary())
wrong = [line for line in text.splitlines() if b"first-" in line and b"run talk" not in line
         and not re.fullmatch(rb"(ebb> .*)?(\x1b\[K)?(first-){10}\d+", line)]
print("%d lines of talk split: %r" % (len(wrong), wrong[:2]))
kinds = {"names": b'"y":"names"', "all": b'"y":"all"', "hist": b'"y":"hist"', "map": b'"y":"map"', "ps": b'"y":"ps"'}
missing = [kind for kind, mark in kinds.items() if mark not in data]
print("no line of kind: %s" % missing)
names = {row[1] for rows in known.programs.values() for row in rows}
sys.exit(known.corrupt or known.lost or known.unnamed or len(known.samples) < int(sys.argv[2]) or bool(wrong)
         or bool(missing) or "memhog" not in names)
