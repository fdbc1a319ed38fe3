"""Charts of readings as SVG made by the server: lines with gaps where nothing came, shaded bands, what a curve wants."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

from markupsafe import Markup

WIDTH, HEIGHT = 600, 220
LEFT, RIGHT, TOP, BOTTOM = 52, 10, 16, 26
NEAR = 1.5  # a spacing so many times the usual one is a gap
_LABELS = 8


@dataclass(frozen=True)
class Spot:
    """A moment (or the mean of a step that begins there), the mean and what was least and most."""

    at: datetime
    value: float
    low: float
    high: float
    count: int = 1
    contradicted: bool = False


@dataclass(frozen=True)
class Line:
    """One point's spots in order. `look` is a class of readings.css; `gap` is how long nothing may come before it breaks."""

    name: str
    look: str
    spots: Sequence[Spot]
    gap: timedelta | None = None


@dataclass(frozen=True)
class Band:
    """What is wanted of a line from a moment to a moment; none is open."""

    look: str
    low: float | None
    high: float | None
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Chart:
    """All that is drawn in one frame."""

    title: str
    unit: str
    since: datetime
    until: datetime
    lines: Sequence[Line]
    bands: Sequence[Band] = ()
    wanted: Sequence[Line] = ()
    marks: Sequence[datetime] = field(default_factory=tuple)


def pieces(line: Line) -> list[list[Spot]]:
    """A line without its gaps: spots that belong together. Without a stated gap, twice the usual spacing is one."""
    if not line.spots:
        return []
    spacing = sorted((b.at - a.at for a, b in zip(line.spots, line.spots[1:], strict=False)), key=lambda d: d)
    usual = spacing[len(spacing) // 2] * NEAR if spacing else timedelta(0)
    most = max(line.gap or timedelta(0), usual)
    found = [[line.spots[0]]]
    for before, here in zip(line.spots, line.spots[1:], strict=False):
        if here.at - before.at > most:
            found.append([])
        found[-1].append(here)
    return found


def ticks(low: float, high: float) -> list[float]:
    """Round numbers for the axis, about five, that reach over all values."""
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    size = 10.0 ** math.floor(math.log10((high - low) / 4))
    step = next(s * size for s in (1, 2, 2.5, 5, 10) if s * size * 4 >= (high - low) * 0.999)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return [round(n * step, 10) for n in range(first, last + 1)]


def drawn(chart: Chart, zone: tzinfo) -> Markup:
    """The picture, and in its label what it shows; nothing where nothing was measured."""
    values = [v for line in (*chart.lines, *chart.wanted) for s in line.spots for v in (s.low, s.high)]
    if not values:
        return Markup("")
    values += [v for band in chart.bands for v in (band.low, band.high) if v is not None]
    axis = ticks(min(values), max(values))
    frame = _Frame(chart.since, chart.until, axis[0], axis[-1])
    parts = [_band(frame, band) for band in chart.bands]
    parts += [_grid(frame, axis), _hours(frame, zone)]
    parts += [_line(frame, line, "wanted") for line in chart.wanted]
    parts += [_line(frame, line, line.look) for line in chart.lines]
    parts += [_pointed(frame, chart, zone)]
    head = Markup('<svg class="readings" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
        WIDTH, HEIGHT, chart.title
    )
    return head + Markup("").join(parts) + Markup("</svg>")


@dataclass(frozen=True)
class _Frame:
    since: datetime
    until: datetime
    low: float
    high: float

    def x(self, at: datetime) -> float:
        part = (at - self.since) / (self.until - self.since)
        return round(LEFT + (WIDTH - LEFT - RIGHT) * min(1.0, max(0.0, part)), 1)

    def y(self, value: float) -> float:
        part = (value - self.low) / (self.high - self.low)
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - min(1.0, max(0.0, part))), 1)


def _band(frame: _Frame, band: Band) -> Markup:
    top = frame.y(frame.high if band.high is None else band.high)
    bottom = frame.y(frame.low if band.low is None else band.low)
    left, right = frame.x(band.since), frame.x(band.until)
    return Markup('<rect class="band {}" x="{}" y="{}" width="{}" height="{}"/>').format(
        band.look, left, top, round(right - left, 1), round(bottom - top, 1)
    )


def _grid(frame: _Frame, axis: Sequence[float]) -> Markup:
    lines = Markup("")
    for value in axis:
        lines += Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
            LEFT, WIDTH - RIGHT, frame.y(value), frame.y(value)
        )
        lines += Markup('<text class="axis" x="{}" y="{}" text-anchor="end">{:g}</text>').format(
            LEFT - 6, frame.y(value) + 4, value
        )
    return lines


def _hours(frame: _Frame, zone: tzinfo) -> Markup:
    """Labels below: hours of a day, days of anything longer."""
    span, labels = frame.until - frame.since, Markup("")
    pattern = "%H:%M" if span <= timedelta(days=1) else "%m-%d"
    for n in range(_LABELS + 1):
        at = frame.since + span * n / _LABELS
        anchor = "start" if n == 0 else "end" if n == _LABELS else "middle"
        look = "axis" if n % 2 == 0 else "axis odd"
        text = at.astimezone(zone).strftime(pattern)
        if n == _LABELS and pattern == "%H:%M":
            text = "24:00"
        labels += Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>').format(
            look, frame.x(at), HEIGHT - 8, anchor, text
        )
    return labels


def _line(frame: _Frame, line: Line, look: str) -> Markup:
    found = Markup("")
    for piece in pieces(line):
        if len(piece) == 1:
            found += Markup('<circle class="{}" cx="{}" cy="{}" r="2.5"/>').format(
                look, frame.x(piece[0].at), frame.y(piece[0].value)
            )
            continue
        found += Markup('<polyline class="{}" points="{}"/>').format(
            look, " ".join(f"{frame.x(s.at)},{frame.y(s.value)}" for s in piece)
        )
    for spot in line.spots:
        if spot.contradicted:
            found += Markup('<circle class="doubted" cx="{}" cy="{}" r="4"/>').format(
                frame.x(spot.at), frame.y(spot.value)
            )
    return found


def _pointed(frame: _Frame, chart: Chart, zone: tzinfo) -> Markup:
    """Each moment tells its numbers when pointed at."""
    told: dict[datetime, list[str]] = {}
    for line in chart.lines:
        for spot in line.spots:
            told.setdefault(spot.at, []).append(f"{line.name} {spot.value:.2f} {chart.unit}")
    moments = sorted(told)
    found = Markup("")
    for n, at in enumerate(moments):
        left = frame.x(at) if n == 0 else (frame.x(moments[n - 1]) + frame.x(at)) / 2
        right = frame.x(at) if n == len(moments) - 1 else (frame.x(at) + frame.x(moments[n + 1])) / 2
        said = "  ".join([at.astimezone(zone).strftime("%m-%d %H:%M"), *told[at]])
        found += Markup('<rect class="spot" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>').format(
            round(left - 1, 1), TOP, round(right - left + 2, 1), HEIGHT - TOP - BOTTOM, said
        )
    return found
