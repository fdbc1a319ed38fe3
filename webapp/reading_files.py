"""Files of readings as rows that `gis.network.reading_actions.keep` takes: long (a row per reading) or wide (a column per point).

A long file has the columns 测点编号, 时间, 数值 and if wanted 单位, 修正号. Where there is none for the point, every other
column is a point by its heading, as a control system exports it; an empty cell there is no reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gis.network.reading_checks import Known, SortedOut, sort_out
from gis.network.reading_rules import FaultKind
from webapp.imports.errors import MissingColumn
from webapp.imports.mapping import FileTerms
from webapp.imports.tables import Chunk, open_table
from webapp.imports.text import key, shown

COLUMNS: dict[str, tuple[str, ...]] = {
    "point": ("测点编号", "测点", "point", "code"),
    "at": ("时间", "采集时间", "at", "time", "timestamp"),
    "value": ("数值", "读数", "值", "value"),
    "unit": ("单位", "unit"),
    "revision": ("修正号", "revision"),
}
NEEDED = ("point", "at", "value")
_WANTED = {key(word) for words in COLUMNS.values() for word in words}
_LOOSE = re.compile(r"\s*(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?\s*")


@dataclass
class Batch:
    """Some rows of a file, and those that were not as wide as its heading."""

    rows: list[dict[str, Any]]
    unreadable: list[tuple[str, str]] = field(default_factory=list)


def batches(path: Path, max_mb: int) -> Iterator[Batch]:
    """The readings of a CSV or Excel file, some thousand at a time. Raises MissingColumn and whatever a bad file raises."""
    table = open_table(path, FileTerms(), _WANTED, max_mb)
    with closing(table):
        found = columns(table.header)
        for chunk in table.chunks:
            rows = list(_long(chunk, found) if "point" in found else _wide(chunk, found["at"], table.header))
            yield Batch(rows, [(f"#{number}", f"{cells} cells") for number, cells in chunk.broken])


def columns(header: Sequence[str]) -> dict[str, int]:
    """Which column is what. Without a column of points the file is wide, and needs only the time."""
    places = {key(title): n for n, title in reversed(list(enumerate(header)))}
    found = {
        name: places[key(word)] for name, words in COLUMNS.items() for word in reversed(words) if key(word) in places
    }
    needed = NEEDED if "point" in found or "value" in found or len(header) < 2 else ("at",)
    for name in needed:
        if name not in found:
            raise MissingColumn(column=COLUMNS[name][0], found=", ".join(map(shown, header[:20])))
    return found


def moment(cell: str) -> str:
    """A time as spreadsheets write it (2009/11/6 9:05), as ISO 8601; another stays as it is."""
    match = _LOOSE.fullmatch(cell)
    if not match:
        return cell.strip()
    year, month, day, hour, minute, second = match.groups()
    return f"{year}-{month:0>2}-{day:0>2}T{hour:0>2}:{minute}:{second or '00'}"


def _long(chunk: Chunk, found: dict[str, int]) -> Iterator[dict[str, Any]]:
    places = list(found.items())
    for row in chunk.rows:
        told: dict[str, Any] = {name: row[n].strip() for name, n in places}
        told["at"] = moment(row[found["at"]])
        yield told


def _wide(chunk: Chunk, at: int, header: Sequence[str]) -> Iterator[dict[str, Any]]:
    points = [(n, title.strip()) for n, title in enumerate(header) if n != at]
    for row in chunk.rows:
        when = moment(row[at])
        for n, point in points:
            if row[n].strip():
                yield {"point": point, "at": when, "value": row[n].strip()}


def merge_into(whole: SortedOut, batch: Batch, points: dict[str, Known], **how: Any) -> None:
    """Add what a batch would bring to a preview of the whole file."""
    part = sort_out(batch.rows, points, **how)
    for where, said in batch.unreadable:
        part.received += 1
        part.fault(FaultKind.UNREADABLE, said, where)
    whole.received += part.received
    whole.kept.update(part.kept)
    for (name, kind), fault in part.faults.items():
        there = whole.faults.setdefault((name, kind), fault)
        if there is not fault:
            there.times, there.example = there.times + fault.times, fault.example
