# SPDX-License-Identifier: Apache-2.0
"""The benchmark's chart as SVG: a line for each question, a dot for each system, time to the
right on a logarithmic scale. Its colours follow the reader's light or dark."""
import html
import math

import common

LEFT, RIGHT, TOP, ROW, WIDTH = 250, 30, 96, 26, 960
# Light and dark ground; told apart by shape, too, for those who see colours alike.
SERIES = {
    "engine": ("Careen, engine", "#0b7a3e", "#4ade80", "circle"),
    "http": ("Careen, HTTP", "#0b7a3e", "#4ade80", "ring"),
    "sqlite": ("SQLite", "#b45309", "#fbbf24", "square"),
    "postgresql": ("PostgreSQL", "#1d4ed8", "#7aa7ff", "diamond"),
    "postgresql_image_space": ("PostgreSQL, image space", "#7e22ce", "#d8a2ff", "diamond"),
    "duckdb": ("DuckDB", "#be123c", "#ff8fa3", "triangle"),
}
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-size: 16px; font-weight: 600 } .small { font-size: 12px; fill: #57606a }
.grid { stroke: #d0d7de; stroke-width: 1 } .span { stroke: #afb8c1; stroke-width: 2 }
"""
DARK = """
text { fill: #e6edf3 } .small { fill: #9198a1 } .grid { stroke: #30363d } .span { stroke: #484f58 }
"""


def styles():
    light = "".join(
        f".{name} {{ fill: {colour}; stroke: {colour} }}\n"
        for name, (_, colour, _, _) in SERIES.items())
    dark = "".join(
        f".{name} {{ fill: {colour}; stroke: {colour} }}\n"
        for name, (_, _, colour, _) in SERIES.items())
    ring = ".http { fill: none; stroke-width: 2 }\n"
    return f"{STYLE}{light}{ring}@media (prefers-color-scheme: dark) {{ {DARK}{dark}{ring} }}"


def mark(name, x, y):
    shape = SERIES[name][3]
    if shape in ("circle", "ring"):
        return f'<circle class="{name}" cx="{x:.1f}" cy="{y}" r="5"/>'
    points = {
        "square": ((-4.5, -4.5), (4.5, -4.5), (4.5, 4.5), (-4.5, 4.5)),
        "diamond": ((0, -6), (6, 0), (0, 6), (-6, 0)),
        "triangle": ((0, -5.5), (5.5, 4.5), (-5.5, 4.5)),
    }[shape]
    path = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in points)
    return f'<polygon class="{name}" points="{path}"/>'


def values(query):
    found = {"engine": query["engine_median_us"], "http": query.get("http_median_us"),
             **query["peers"]}
    return {name: found[name] for name in SERIES if found.get(name)}


def legend(names):
    x, out = 130, []
    for name in names:
        out.append(mark(name, x + 6, 56) + f'<text x="{x + 17}" y="60">{SERIES[name][0]}</text>')
        x += 32 + 7.4 * len(SERIES[name][0])
    return out


def chart(result, title, note):
    """The SVG of what bench.json holds."""
    rows = [values(query) for query in result["queries"]]
    everything = [value for row in rows for value in row.values()]
    low, high = math.floor(math.log10(min(everything))), math.ceil(math.log10(max(everything)))
    bottom = TOP + ROW * len(rows)
    place = lambda us: LEFT + (math.log10(us) - low) / (high - low) * (WIDTH - LEFT - RIGHT)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 44}" role="img">',
        f"<title>{html.escape(title)}</title><style>{styles()}</style>",
        f'<text class="title" x="14" y="26">{html.escape(title)}</text>',
        *legend([name for name in SERIES if any(name in row for row in rows)]),
    ]
    for power in range(low, high + 1):
        x = place(10**power)
        out.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 12}" y2="{bottom}"/>')
        out.append(f'<text class="small" x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">'
                   f"{tick(10**power)}</text>")
    for number, (query, row) in enumerate(zip(result["queries"], rows)):
        y = TOP + ROW * number + ROW // 2 - 6
        ends = [place(min(row.values())), place(max(row.values()))]
        out.append(f'<text x="{LEFT - 16}" y="{y + 4}" text-anchor="end">'
                   f'{query["name"].replace("_", " ")}</text>')
        out.append(f'<line class="span" x1="{ends[0]:.1f}" x2="{ends[1]:.1f}" y1="{y}" y2="{y}"/>')
        out += [mark(name, place(us), y) for name, us in row.items()]
    out.append(f'<text class="small" x="14" y="{bottom + 38}">{html.escape(note)}</text></svg>')
    return "\n".join(out) + "\n"


def tick(us):
    value, unit = common.duration(us).split()
    return f"{float(value):g} {unit}"
