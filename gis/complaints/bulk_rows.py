"""Many complaints at once, as columns: deadlines, areas, content digests, and the text that COPY reads. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import time, tzinfo
from hashlib import blake2b
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gis.complaints.bulk_limits import Clocks, count, local_days
from gis.complaints.limit_seeds import OFFICE_HOURS
from gis.complaints.limits import HOUSE, City, Law
from gis.complaints.privacy import normal_phone
from gis.complaints.routing import Ground, Router
from gis.complaints.rules import OPEN, BadPhone
from gis.places.area_index import AreaIndex
from gis.workdays import WorkingDays

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Moments = NDArray[np.datetime64]
Bools = NDArray[np.bool_]

LEVELS = ("district", "street", "community", "compound")
NO_LIMIT_SOURCE = "no limit in the source: closed in time"


@dataclass
class Rows:
    """A chunk of checked rows. Coordinates are WGS-84; NaN and NaT mean that there is none."""

    row: Ints
    hotline_no: list[str]
    channel: list[str]
    category: list[str]
    complexity: list[str]
    status: list[str]
    description: list[str]
    place: list[str]
    lon: Floats
    lat: Floats
    located: Bools
    received_at: Moments
    closed_at: Moments
    limit: Moments
    area: list[str]
    unit: list[str]
    caller_name: list[str]
    caller_phone: list[str]
    door_no: list[str]
    source_no: list[str]
    category_said: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.row)

    def only(self, keep: Bools) -> Rows:
        """The rows that are kept."""
        kept = keep.tolist()
        columns: dict[str, Any] = {
            f.name: getattr(self, f.name)[keep] if isinstance(getattr(self, f.name), np.ndarray)
            else list(compress(getattr(self, f.name), kept))
            for f in fields(self)
        }  # fmt: skip
        return Rows(**columns)


@dataclass(frozen=True)
class Terms:
    """What holds for a whole file. `areas_by_word` is for rows without a place: level and id by code or name."""

    calendar: WorkingDays
    zone: tzinfo
    index: AreaIndex
    complexity_of: Mapping[str, str]
    areas_by_word: Mapping[str, Mapping[str, int]]
    limit_source: str = ""
    missing_limit: str = "rule"
    router: Router = field(default_factory=lambda: Router([], Ground()))
    law: Law = HOUSE
    hours: tuple[tuple[time, time], ...] = OFFICE_HOURS


@dataclass
class Prepared:
    """A chunk ready for COPY."""

    payload: str
    count: int
    calendar_missing: int


def prepare(rows: Rows, terms: Terms) -> Prepared:
    """Everything that can be known without the database, as lines of COPY text in the order of `COLUMNS`."""
    promise = [given or terms.complexity_of[c] for given, c in zip(rows.complexity, rows.category, strict=True)]
    clocks = deadlines(rows, promise, terms)
    lon, lat = np.where(rows.located, rows.lon, np.nan), np.where(rows.located, rows.lat, np.nan)
    filed = file_under(rows, lon, lat, terms)
    units, rules = _units(rows, filed, terms)
    columns: list[Sequence[str]] = [
        rows.row.astype(str).tolist(), escaped(rows.hotline_no), [c.partition("#")[0] for c in rows.channel], rows.category, promise, rows.status,
        escaped(rows.description), escaped(rows.place), _numbers(lon), _numbers(lat),
        *(_ids(filed[level]) for level in LEVELS), units, rules,
        _moments(rows.received_at), _moments(clocks.by), escaped(clocks.source),
        ["t" if m else "f" for m in clocks.missing.tolist()], _moments(clocks.warn), _moments(clocks.late),
        [r or NULL for r in clocks.rule],
        _moments(rows.closed_at), digests(rows),
        *([t or NULL for t in escaped(c)] for c in (rows.caller_name, _phones(rows.caller_phone), rows.door_no, rows.source_no)),
        [c.partition("#")[2] or NULL for c in rows.channel], [t or NULL for t in escaped(rows.category_said or [""] * len(rows))],
    ]  # fmt: skip
    lines = map("\t".join, zip(*columns, strict=True))
    return Prepared("".join(f"{line}\n" for line in lines), len(rows), int(clocks.missing.sum()))


COLUMNS = (
    "row", "hotline_no", "channel", "category", "complexity", "status", "description", "place", "lon", "lat",
    "district_id", "street_id", "community_id", "compound_id", "unit_id", "routing_rule_id", "received_at", "resolve_by",
    "deadline_source", "calendar_missing", "warn_at", "late_at", "limit_rule_id", "closed_at", "digest", "caller_name", "caller_phone", "door_no", "source_no", "line_id",
    "category_said",
)  # fmt: skip
NULL = "\\N"


def deadlines(rows: Rows, promises: Sequence[str], terms: Terms) -> Clocks:
    """When each must be closed, by which rule, and whether a year without a calendar was met.

    A limit that the file gives goes before the rules; what is closed needs no yellow card any more.
    """
    city = City(terms.zone, terms.calendar, terms.hours)
    clocks = count(rows.received_at, rows.category, promises, terms.law, city)
    given = ~np.isnat(rows.limit)
    closed = ~given & ~np.isnat(rows.closed_at) if terms.missing_limit == "closed" else np.zeros(len(rows), bool)
    clocks.by = np.where(given, rows.limit, np.where(closed, rows.closed_at, clocks.by))
    for kind, name in ((given, terms.limit_source or "source file"), (closed, NO_LIMIT_SOURCE)):
        for i in np.flatnonzero(kind).tolist():
            clocks.source[i], clocks.rule[i] = name, ""
    over = given | closed | ~np.array([status in OPEN for status in rows.status], bool)
    clocks.warn[over] = clocks.late[over] = np.datetime64("NaT")
    clocks.missing &= ~given & ~closed
    return clocks


def file_under(rows: Rows, lon: Floats, lat: Floats, terms: Terms) -> dict[str, Ints]:
    """The area of each level that holds each row; a row without a place goes by the area that the file names."""
    found = terms.index.find(lon, lat)
    filed = {level: found.get(level, np.zeros(len(rows), np.int64)) for level in LEVELS}
    for i in np.flatnonzero(np.isnan(lon)).tolist():
        for level, area in terms.areas_by_word.get(rows.area[i], {}).items():
            if level in filed:
                filed[level][i] = area
    return filed


def _units(rows: Rows, filed: Mapping[str, Ints], terms: Terms) -> tuple[list[str], list[str]]:
    """Who answers for each row and the rule that said so; a unit that the file names is asked nothing.

    The rules are asked once for every different category, place and stretch of days (`Router`), not for every row.
    """
    router = terms.router
    if not router.rules:
        return [u or NULL for u in rows.unit], [NULL] * len(rows)
    days = (local_days(rows.received_at, terms.zone)).tolist()
    places = zip(*(filed[level].tolist() for level in LEVELS), strict=True)
    units, rules = [], []
    for given, category, day, place in zip(rows.unit, rows.category, days, places, strict=True):
        if given:
            units.append(given)
            rules.append(NULL)
            continue
        unit, rule = router.known(category, place, day)
        units.append(NULL if unit is None else str(unit))
        rules.append(NULL if rule is None else str(rule))
    return units, rules


def digests(rows: Rows) -> list[str]:
    """What the file said about each row, in 16 bytes: the same file again is recognised, other content is too."""
    places = [np.where(np.isnan(v), np.nan, v).view(np.int64) for v in (rows.lon, rows.lat)]
    moments = [v.astype("datetime64[us]").view(np.int64) for v in (rows.received_at, rows.closed_at, rows.limit)]
    values = np.column_stack([*places, *moments])
    exact = values.view(f"V{values.shape[1] * 8}").ravel().tolist()
    said = zip(
        rows.hotline_no, rows.channel, rows.category, rows.complexity, rows.status, rows.description, rows.place,
        rows.area, rows.unit, rows.caller_name, rows.caller_phone, _with_source(rows), strict=True,
    )  # fmt: skip
    words = map("\x1f".join, said)
    return [blake2b(w.encode() + v, digest_size=16).hexdigest() for w, v in zip(words, exact, strict=True)]


def _with_source(rows: Rows) -> list[str]:
    """Door and the channel's number: a file that names none has the digest it always had."""
    return [f"{door}\x1f{no}" if no else door for door, no in zip(rows.door_no, rows.source_no, strict=True)]


def _phones(phones: list[str]) -> list[str]:
    """Numbers in one form, so that a caller is recognised; one that is no number is kept as it was written."""
    return [p if not p or (len(p) == 11 and p.isascii() and p.isdigit()) else _phone(p) for p in phones]


def _phone(text: str) -> str:
    try:
        return normal_phone(text)
    except BadPhone:
        return text


# --- COPY text ---------------------------------------------------------------------------------------------------------
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def escaped(column: Sequence[str]) -> Sequence[str]:
    """Texts as COPY reads them; most chunks have nothing to escape."""
    whole = "".join(column)
    return [c.translate(_ESCAPES) for c in column] if any(c in whole for c in "\\\t\n\r") else column


def _numbers(values: Floats) -> list[str]:
    return [NULL if v != v else repr(v) for v in values.tolist()]


def _ids(values: Ints) -> list[str]:
    return [str(v) if v else NULL for v in values.tolist()]


def _moments(values: Moments) -> list[str]:
    text: list[str] = np.datetime_as_string(values, unit="us").tolist()
    return text if not np.isnat(values).any() else [NULL if t == "NaT" else t for t in text]
