"""Small multiples of line plots as one light SVG file, on logarithmic axes, drawn by no library."""

from __future__ import annotations

import math
from pathlib import Path

WIDE, HIGH, LEFT, TOP, FOOT = 152, 190, 40, 26, 42  # of a panel, and around what it draws in
COLORS = ("#2f6db5", "#c4631d", "#3f8f5b")
STYLE = (
    "text{font:10px system-ui,sans-serif;fill:#333}.t{font-weight:600}"
    ".g{stroke:#ddd}.l{fill:none;stroke-width:1.8}"
)


def draw(path, title, panels, unit):
    """Write an SVG file.

    Parameters
    ----------
    path : Path
    title : str
        What the figure shows, for those who hear it.
    panels : mapping of a panel's name to its lines, each {name: [(x, y), ...]}
        All share the vertical axis.
    unit : str
        Of the vertical axis.
    """
    heights = [y for lines in panels.values() for points in lines.values() for _, y in points]
    powers = math.floor(math.log10(min(heights))), math.ceil(math.log10(max(heights)))
    ends = 10.0 ** powers[0], 10.0 ** powers[1]
    names = list(dict.fromkeys(name for lines in panels.values() for name in lines))
    width, height = LEFT + WIDE * len(panels), HIGH + TOP + FOOT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{title}"><title>{title}</title><style>{STYLE}</style>'
        f'<rect width="{width}" height="{height}" rx="6" fill="#fff"/>'
    ]
    for i, (name, lines) in enumerate(panels.items()):
        parts += _panel(LEFT + i * WIDE, name, lines, ends, i == 0)
    for i, name in enumerate(names):
        x = LEFT + i * 170
        parts.append(f'<rect x="{x}" y="{height - 13}" width="12" height="3" fill="{COLORS[i]}"/>')
        parts.append(f'<text x="{x + 17}" y="{height - 8}">{name}</text>')
    parts.append(f'<text x="{width - 8}" y="{height - 8}" text-anchor="end">{unit}</text></svg>')
    Path(path).write_text("".join(parts) + "\n")


def _panel(left, name, lines, ends, labelled):
    """One panel, its bottom left at ``left``."""
    xs = sorted({x for points in lines.values() for x, _ in points})
    inner, tall = WIDE - 22, HIGH - 8

    def at(x, y):
        across = math.log(x / xs[0]) / math.log(xs[-1] / xs[0])
        up = math.log(y / ends[0]) / math.log(ends[1] / ends[0])
        return f"{left + across * inner:.1f},{TOP + tall * (1 - up):.1f}"

    yield f'<text class="t" x="{left}" y="16">{name}</text>'
    for power in range(round(math.log10(ends[1] / ends[0])) + 1):
        value = ends[0] * 10**power
        y = at(xs[0], value).split(",")[1]
        yield f'<line class="g" x1="{left}" x2="{left + inner}" y1="{y}" y2="{y}"/>'
        if labelled:
            yield f'<text x="{left - 5}" y="{y}" dy="3" text-anchor="end">{_short(value)}</text>'
    for x in (xs[0], xs[-1]):
        place = at(x, ends[0]).split(",")[0]
        anchor = "start" if x == xs[0] else "end"
        yield f'<text x="{place}" y="{TOP + tall + 14}" text-anchor="{anchor}">{_short(x)}</text>'
    for color, points in zip(COLORS, lines.values(), strict=False):
        path = " ".join(at(x, y) for x, y in points)
        yield f'<polyline class="l" stroke="{color}" points="{path}"/>'
        for x, y in points:
            cx, cy = at(x, y).split(",")
            yield f'<circle cx="{cx}" cy="{cy}" r="2.4" fill="{color}"/>'


def _short(value):
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"
