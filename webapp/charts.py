"""Small charts as SVG, drawn by the server: they print, need no script, and say in words what they show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup, escape

WIDTH, HEIGHT = 1000, 220
LEFT, RIGHT, TOP, BOTTOM = 44, 8, 12, 26
_STEPS = (1, 2, 5)
# Drawn by attributes, which a page's style may override: a PDF is made without one that reaches into the drawing.
_LINES = {
    "received": '<polyline class="line received" fill="none" stroke="#1a5fd0" stroke-width="2" points="{}"/>',
    "closed": '<polyline class="line closed" fill="none" stroke="#146c40" stroke-width="2" stroke-dasharray="6 4" points="{}"/>',
}
_LABELS = 9


def nice_top(most: int) -> int:
    """The smallest 4 × 1, 2 or 5 × 10^n that is not below `most`, so that the four lines of the grid are whole numbers."""
    size = 1
    while True:
        for step in _STEPS:
            if 4 * step * size >= most:
                return 4 * step * size
        size *= 10


def trend(rows: Sequence[dict[str, Any]], received: str, closed: str, title: str) -> Markup:
    """Two lines over days: what came (solid) and what was closed (dashed). Each day tells its numbers when pointed at."""
    if not rows:
        return Markup("")
    top = nice_top(max(max(row["received"], row["closed"]) for row in rows))
    step = (WIDTH - LEFT - RIGHT) / max(1, len(rows) - 1)

    def x(n: int) -> float:
        return round(LEFT + n * step, 1)

    def y(value: int) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top), 1)

    parts = [_grid(top, y)]
    every = max(1, -(-len(rows) // _LABELS))
    for n in range(len(rows) - 1, -1, -every):
        anchor = "end" if n == len(rows) - 1 else "start" if n == 0 else "middle"
        parts.append(Markup('<text class="axis" font-size="12" fill="#444444" x="{}" y="{}" text-anchor="{}">{}</text>').format(
            x(n), HEIGHT - 8, anchor, rows[n]["day"][5:]))  # fmt: skip
    for key in ("received", "closed"):
        line = " ".join(f"{x(n)},{y(row[key])}" for n, row in enumerate(rows))
        parts.append(Markup(_LINES[key]).format(line))
    for n, row in enumerate(rows):
        told = f"{row['day']}  {received} {row['received']}  {closed} {row['closed']}"
        parts.append(Markup('<rect class="day" fill="none" pointer-events="all" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>').format(
            round(x(n) - step / 2, 1), TOP, round(step, 1), HEIGHT - TOP - BOTTOM, told))  # fmt: skip
    head = Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(WIDTH, HEIGHT, title)
    return head + Markup("").join(parts) + Markup("</svg>")


def _grid(top: int, y: Any) -> Markup:
    lines = []
    for n in range(5):
        value = top * n // 4
        at = y(value)
        lines.append(
            Markup('<line class="grid" stroke="#cccccc" stroke-width="1" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
                LEFT, WIDTH - RIGHT, at, at
            )
            + Markup(
                '<text class="axis" font-size="12" fill="#444444" x="{}" y="{}" text-anchor="end">{}</text>'
            ).format(LEFT - 6, at + 4, f"{value:,}")
        )
    return Markup("").join(lines)


def bar(percent: float | None, baseline: float | None = None) -> Markup:
    """A bar of 100 with a mark at the baseline; empty for no data. The number stands beside it: the bar is for the eye only."""
    if percent is None:
        return Markup("")
    width = max(0.0, min(100.0, percent))
    met = "" if baseline is None else " above" if percent >= baseline else " below"
    mark = "" if baseline is None else Markup('<line class="limit" x1="{0}" x2="{0}" y1="0" y2="10"/>').format(baseline)
    return Markup(
        '<svg class="bar{}" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="10"/><rect class="fill" width="{}" height="10"/>{}</svg>'
    ).format(met, escape(round(width, 2)), mark)
