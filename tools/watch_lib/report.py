# SPDX-License-Identifier: BSD-2-Clause
"""A report in one HTML file: plots as SVG, the page map as a picture; nothing from outside."""
import base64
import html
import io

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402
import numpy  # noqa: E402

from watch_lib import history as history_module  # noqa: E402

POINTS_MAX = 600
MAP_ROWS_MAX = 512
VM = "vm.stats.vm."
# The page map's states, as `pagemap live` and the dashboard colour them.
COLOURS = {".": "#e9ecef", "c": "#66d9e8", "A": "#2b8a3e", "i": "#fab005", "d": "#e03131",
           "*": "#ae3ec9", "W": "#1c4e9b", "?": "#868e96"}
MEANINGS = {".": "free", "c": "cached", "A": "active", "i": "inactive", "d": "to be written",
            "*": "on its way", "W": "wired", "?": "in use"}
QUEUES = (("v_wire_count", "wired", "W"), ("v_active_count", "active", "A"),
          ("v_inactive_count", "inactive", "i"), ("v_cache_count", "cached", "c"),
          ("v_free_count", "free", "."))
THRESHOLDS = (("v_free_target", "free target", "#1864ab"), ("v_free_min", "free min", "#e8590c"),
              ("v_free_severe", "severe", "#c92a2a"))

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #212529; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0.2rem; } h2 { font-size: 1.15rem; margin: 2rem 0 0.3rem; }
p.about { color: #495057; margin: 0 0 0.6rem; } svg, img.map { width: 100%; height: auto; }
img.map { image-rendering: pixelated; border: 1px solid #ced4da; height: 18rem; }
table { border-collapse: collapse; } td, th { padding: 0.15rem 0.9rem 0.15rem 0; text-align: right; }
td:first-child, th:first-child { text-align: left; } th { border-bottom: 1px solid #adb5bd; font-weight: 600; }
.key span { display: inline-block; margin-right: 1rem; } .key i { display: inline-block; width: 0.9em;
height: 0.9em; margin-right: 0.35em; vertical-align: -0.1em; border: 1px solid #adb5bd; }
"""


def thinned(times):
    """At most POINTS_MAX of the samples, evenly, the last among them."""
    step = max(1, len(times) // POINTS_MAX)
    return times[::-1][::step][::-1]


def seconds(times, first):
    return [(time - first) / 1e6 for time in times]


def svg_of(figure, name):
    """The figure as an <svg> element with an id; ids within it are its own."""
    matplotlib.rcParams.update({"svg.hashsalt": name, "svg.fonttype": "none"})
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)
    text = out.getvalue()
    return '<svg id="%s" role="img" %s' % (name, text[text.index("<svg") + 4:].lstrip())


def plain(text):
    """Two dollars would make mathematics of what is between them."""
    return text.replace("$", r"\$")


def axes(ylabel):
    figure, ax = plt.subplots(figsize=(10, 2.9), layout="constrained")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.grid(axis="y", color="#dee2e6", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.set_xlabel("seconds")
    ax.set_ylabel(ylabel)
    return figure, ax


def legend(ax):
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=9)


def plot_queues(h, times, first):
    figure, ax = axes("pages")
    stacks = [h.values(VM + row, times) for row, _, _ in QUEUES]
    ax.stackplot(seconds(times, first), stacks, labels=[label for _, label, _ in QUEUES],
                 colors=[COLOURS[letter] for _, _, letter in QUEUES])
    total = max((sum(column) for column in zip(*stacks)), default=0)
    for row, label, colour in THRESHOLDS:
        value = h.total(VM + row)
        # Free pages are the top of the stack: so many from above.
        ax.axhline(total - value, color=colour, linewidth=1, linestyle="--",
                   label="%s (%d)" % (label, value))
    ax.set_ylim(0, total or 1)
    legend(ax)
    return figure


def plot_rates(h, times, first, lines, ylabel):
    figure, ax = axes(ylabel)
    for label, names, colour in lines:
        ax.plot(seconds(times, first), h.rates(names, times), label=label, color=colour,
                linewidth=1.2)
    ax.set_ylim(bottom=0)
    legend(ax)
    return figure


def plot_cpu(h, times, first):
    figure, ax = axes("percent of the core")
    ax.fill_between(seconds(times, first), h.busy(times), color="#4dabf7", label="busy")
    ax.set_ylim(0, 100)
    legend(ax)
    return figure


def plot_swap(h, times, first):
    figure, ax = axes("pages")
    ax.fill_between(seconds(times, first), h.values("swap.used", times), color="#9775fa",
                    label="swap in use")
    ax.set_ylim(bottom=0)
    legend(ax)
    return figure


def plot_latency(h, first):
    """Of each histogram with events: the median and the worst of 100."""
    figure, ax = axes("microseconds")
    names = [name for name in ("vm.fault_us", "vm.pagein_us", "vm.pageout_us")
             if h.histograms.get(name)]
    names += [name for name in sorted(h.histograms) if name.startswith("disk.")
              and name.split(".")[1][-2:-1] != "s"]
    colours = plt.get_cmap("tab10").colors
    for name, colour in zip(names, colours):
        times, (median, worst) = h.percentiles(name, (50, 99))
        ax.plot(seconds(times, first), median, color=colour, linewidth=1.4,
                label=plain(name.removesuffix("_us")))
        ax.plot(seconds(times, first), worst, color=colour, linewidth=0.9, linestyle=":")
    ax.set_yscale("log")
    legend(ax)
    return figure


def plot_programs(h, first):
    figure, ax = axes("pages resident")
    for pid, points in sorted(h.programs.items())[:12]:
        ax.plot(seconds([point[0] for point in points], first), [point[3] for point in points],
                marker=".", linewidth=1.2, label="%d %s" % (pid, plain(points[-1][1])))
    ax.set_ylim(bottom=0)
    legend(ax)
    return figure


def map_picture(h):
    """A column a map, a row some frames, lowest address at the bottom; PNG as data: URL."""
    columns = []
    for _, _, _, cells in h.maps:
        step = max(1, -(-len(cells) // MAP_ROWS_MAX))
        columns.append(cells[::step])
    height = max(len(column) for column in columns)
    picture = numpy.zeros((height, len(columns), 3))
    palette = [matplotlib.colors.to_rgb(COLOURS[letter]) for letter in history_module.LETTERS]
    for x, column in enumerate(columns):
        for y, state in enumerate(column):
            picture[height - 1 - y, x] = palette[state]
    out = io.BytesIO()
    plt.imsave(out, picture, format="png")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def key():
    return '<p class="key">%s</p>' % "".join(
        '<span><i style="background:%s"></i>%s</span>' % (COLOURS[letter], MEANINGS[letter])
        for letter in history_module.LETTERS)


def latency_table(h):
    rows = []
    for name in sorted(h.histograms):
        buckets = h.histograms[name][-1][1]
        events = sum(buckets.values())
        if events and name.endswith("_us"):
            rows.append("<tr><td>%s</td><td>%d</td>%s</tr>" % (
                html.escape(name.removesuffix("_us")), events,
                "".join("<td>%d</td>" % history_module.percentile(buckets, percent)
                        for percent in (50, 90, 99, 100))))
    return ("<table id='latencies'><tr><th>microseconds, at most</th><th>events</th><th>median</th><th>90 %</th>"
            "<th>99 %</th><th>worst</th></tr>" + "".join(rows) + "</table>")


def totals_table(h):
    rows = (("faults", VM + "v_vm_faults"), ("zero-fill faults", VM + "v_zfod"),
            ("pages in from swap", VM + "v_swappgsin"), ("reads of swap", VM + "v_swapin"),
            ("pages out to swap", VM + "v_swappgsout"), ("writes of swap", VM + "v_swapout"),
            ("pages freed by the page daemon", VM + "v_dfree"),
            ("programs killed for memory", VM + "v_oom_kills"))
    return "<table id='totals'><tr><th>since boot</th><th></th></tr>%s</table>" % "".join(
        "<tr><td>%s</td><td>%d</td></tr>" % (label, h.total(name)) for label, name in rows)


def sections(h):
    times = thinned(h.samples)
    first = h.samples[0]
    disks = [disk for disk in h.disks() if not disk[-2:-1] == "s"]
    yield ("queues", "Page queues", "All frames of the pool by queue; the dashed lines are as far below "
           "the top as the thresholds of free pages are above zero.", plot_queues(h, times, first))
    yield ("faults", "Faults", "By the second. Flag faults only set an emulated referenced or modified "
           "bit.", plot_rates(h, times, first, (
               ("faults", [VM + "v_vm_faults"], "#1c7ed6"), ("with a read", [VM + "v_io_faults"], "#e03131"),
               ("zero-fill", [VM + "v_zfod"], "#2f9e44"),
               ("flag faults", ["vm.pmap.af_faults", "vm.pmap.dirty_faults"], "#adb5bd")), "a second"))
    yield ("paging", "Paging", "Pages by the second between memory and swap, and requests of the disks.",
           plot_rates(h, times, first, (
               ("pages in", [VM + "v_swappgsin"], "#1c7ed6"), ("pages out", [VM + "v_swappgsout"], "#e03131"),
               ("disk reads", ["disk.%s.reads" % disk for disk in disks], "#74c0fc"),
               ("disk writes", ["disk.%s.writes" % disk for disk in disks], "#ffa8a8")), "a second"))
    yield ("latency", "Latency", "Of what ended within a second: the median, and dotted the slowest of a "
           "hundred, as upper bounds.", plot_latency(h, first))
    yield ("cpu", "Core", "", plot_cpu(h, times, first))
    yield ("swap", "Swap", "", plot_swap(h, times, first))
    if h.programs:
        yield ("programs", "Programs", "", plot_programs(h, first))


def write(h, path, title):
    parts = ["<!doctype html><html lang='en'><head><meta charset='utf-8'><title>%s</title><style>%s</style>"
             "</head><body>" % (html.escape(title), STYLE),
             "<h1>%s</h1><p class='about' id='summary'>%s</p>" % (html.escape(title), html.escape(h.summary()))]
    for name, heading, about, figure in sections(h):
        parts.append("<h2>%s</h2><p class='about'>%s</p>%s" % (heading, about, svg_of(figure, name)))
    if h.maps:
        parts.append("<h2>Page map</h2><p class='about'>%d frames, lowest address at the bottom, from %.1f s to "
                     "%.1f s.</p>%s<img id='map' class='map' alt='page map over time' src='%s'>" % (
                         h.maps[-1][1], (h.maps[0][0] - h.samples[0]) / 1e6,
                         (h.maps[-1][0] - h.samples[0]) / 1e6, key(), map_picture(h)))
    parts.append("<h2>Totals</h2>%s<h2>Latencies since boot</h2>%s</body></html>" % (
        totals_table(h), latency_table(h)))
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(parts))
