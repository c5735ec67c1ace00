# SPDX-License-Identifier: BSD-2-Clause
"""All values over time as comma-separated text: a line a sample, a column a row."""
import csv


def write(history, path):
    names = sorted(history.gauges) + sorted(history.series)
    where = dict.fromkeys(names, 0)
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["time_us"] + names)
        for time in history.samples:
            row = [time]
            for name in names:
                times, values = history.gauges.get(name) or history.series[name]
                while where[name] < len(times) and times[where[name]] <= time:
                    where[name] += 1
                row.append(values[where[name] - 1] if where[name] else "")
            out.writerow(row)
