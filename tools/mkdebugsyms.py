# SPDX-License-Identifier: BSD-2-Clause
"""The part of tools/mkdebugsyms that runs in gdb."""
import os
import re

import gdb

UPPER = (1 << 39) - 1
SYMBOLS = {"vm_domains": "vm_domains", "vm_domain_count": "vm_domain_count", "kmap_l1": "kmap_l1",
           "tasks": "'kern/task.c'::all", "trace": "'kern/trace.c'::records",
           "written": "'kern/trace.c'::written", "hz": "'arch/arm64/gtimer.c'::frequency"}
MEMBERS = {
    "task": "all_link name id state wchan wmesg run_cycles proc".split(),
    "proc": ["pid"],
    "vm_domain": "id v_page_count v_free_count v_cache_count v_wire_count pagequeues "
                 "v_free_reserved v_free_severe v_free_min v_free_target v_inactive_target "
                 "pageout_wakeup_thresh vm_pageout_deficit vm_pages_needed waiters pass".split(),
    "vm_pagequeue": ["count"],
    "trace_record": "cycles event task_id a b c".split(),
}


def fields(kind):
    return {field.name: field for field in kind.fields()}


def string(value):
    return value.string() if int(value) else ""


def quoted(words):
    return "{%s}" % " ".join("{%s}" % word for word in words)


def write(out):
    for name, expression in SYMBOLS.items():
        out("set ebb_sym(%s) 0x%x" % (name, int(gdb.parse_and_eval(expression).address) & UPPER))
    for name, members in MEMBERS.items():
        kind = gdb.lookup_type("struct " + name)
        out("set ebb_size(%s) %d" % (name, kind.sizeof))
        for member in members:
            field = fields(kind)[member]
            out("set ebb_off(%s.%s) {%d %d}" % (name, member, field.bitpos // 8, field.type.sizeof))
    out("set ebb_sym(trace_records) %d" % (gdb.parse_and_eval(SYMBOLS["trace"]).type.range()[1] + 1))
    texts = gdb.parse_and_eval("'kern/trace.c'::texts")
    out("set ebb_events {")
    for i in range(texts.type.range()[1] + 1):
        out("\t" + quoted(string(texts[i][field]) for field in ("name", "a", "b", "c")))
    out("}")
    found = gdb.execute("info variables -q -t .*param_row.* ^rows$", to_string=True)
    out("set ebb_stats {")
    for path in sorted(re.findall(r"^File (.*):$", found, re.M)):
        rows = gdb.parse_and_eval("'%s'::rows" % path)
        for i in range(rows.type.range()[1] + 1):
            row = rows[i]
            out("\t{%s %d 0x%x}" % (row["name"].string(), int(row["kind"]), int(row["value"]) & UPPER))
    out("}")


with open(os.environ["EBB_OUT"], "w", encoding="utf-8") as file:
    write(lambda line: file.write(line + "\n"))
