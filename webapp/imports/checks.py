"""The checks of complaint rows: a chunk of cells in, columns of values out, every refused cell named.

What only the whole file can tell (a number twice, a point shared by many addresses) is remembered in four numbers a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gis.complaints.bulk_rows import Floats, Ints, Rows, Terms
from gis.complaints.categories import UNKNOWN
from gis.complaints.rules import (
    OPEN,
    WITH_CREW,
    Channel,
    Complexity,
    Status,
    TextMissing,
    UnknownCategory,
    UnknownChannel,
    UnknownComplexity,
    clean,
)
from gis.errors import ChengmaiError
from gis.geo import in_china, to_wgs84
from gis.places.rules import BadCoordinates, SwappedCoordinates
from gis.settings import Settings
from webapp.imports import cells
from webapp.imports.errors import (
    BadMapping,
    DoubledColumn,
    DuplicateInFile,
    HalfCoordinates,
    MissingColumn,
    OutsideExtent,
    RaggedRow,
    UnknownColumn,
)
from webapp.imports.mapping import Mapping as FileMapping
from webapp.imports.report import Report
from webapp.imports.tables import Chunk, Table
from webapp.imports.text import HEADINGS, key, shown

FIELDS = frozenset({
    "hotline_no", "received_at", "channel", "category", "complexity", "status", "description", "place", "lon", "lat",
    "area", "unit", "closed_at", "resolve_by", "caller_name", "caller_phone", "door_no", "source_no",
})  # fmt: skip
NEEDED = ("hotline_no", "received_at")
NOT_IMPORTED = WITH_CREW | {Status.RETURNED, Status.MERGED}
FALLBACK_DECIMALS = 7
OWN_HEADINGS = frozenset(key(heading) for heading in HEADINGS.values())


class Checks:
    """The checks of one file. `check` is called for every chunk, then `duplicates` and `fallback_points` once."""

    def __init__(
        self, mapping: FileMapping, table: Table, report: Report, terms: Terms, categories: Mapping[str, str],
        units: Mapping[str, str], settings: Settings, channels: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.mapping, self.table, self.report, self.terms = mapping, table, report, terms
        mapping.check_fields(FIELDS)
        for field in mapping.scale:
            raise BadMapping(where=f"scale.{field}", reason="not for complaints")
        for field in NEEDED:
            if not mapping.sources(field):
                raise BadMapping(where="columns", reason=f"{field} is needed")
        self.columns = find_columns(mapping, table.header)
        rows = mapping.coordinates.fallback_rows
        self.fallback_rows = settings.fallback_point_rows if rows is None else rows
        self.words = self._dictionaries(categories, units, channels or {str(c): str(c) for c in Channel})
        self._seen: list[tuple[Ints, Ints, Ints, Floats, Floats]] = []

    def _dictionaries(
        self, categories: Mapping[str, str], units: Mapping[str, str], channels: Mapping[str, str]
    ) -> dict[str, cells.Words]:
        m = self.mapping
        statuses = {str(s): str(s) for s in Status if s not in NOT_IMPORTED}

        def words(field: str, known: Mapping[str, str], unknown: type[ChengmaiError] | None = None) -> cells.Words:
            translate = m.translate.get(field, {})
            codes = set(known.values())
            told = [*translate.values(), *filter(None, (cells.any_of(m.default.get(field)), m.otherwise.get(field)))]
            wrong = [code for code in told if code not in codes]
            if wrong:
                raise BadMapping(where=field, reason=f"there is no {shown(wrong[0])}")
            make = None if unknown is None else lambda word: unknown(**{field: word})
            return cells.Words(
                field, known, translate, cells.any_of(m.default.get(field)), m.otherwise.get(field), make
            )

        return {
            "category": words("category", categories, UnknownCategory),
            "channel": words("channel", channels, UnknownChannel),
            "complexity": words("complexity", {str(c): str(c) for c in Complexity}, UnknownComplexity),
            "status": words("status", statuses),
            "unit": cells.Words("unit", units, m.translate.get("unit", {}), cells.any_of(m.default.get("unit")),
                                m.otherwise.get("unit")),
        }  # fmt: skip

    # --- one chunk ---------------------------------------------------------------------------------------------------
    def check(self, chunk: Chunk) -> Rows:
        """The rows of a chunk that have nothing wrong with them, as values."""
        refused = np.zeros(len(chunk.rows), bool)
        numbers = np.array(chunk.numbers, np.int64)

        def refuse_at(i: int, column: int | None, error: ChengmaiError) -> None:
            refused[i] = True
            place = None if column is None else self.table.address(chunk.numbers[i], column)
            self.report.refuse(chunk.numbers[i], place, error)

        def refuse(i: int, field: str, error: ChengmaiError) -> None:
            found = self.columns.get(field)
            refuse_at(i, found[0] if found else None, error)

        for number, width in chunk.broken:
            self.report.refuse(number, None, RaggedRow(cells=width, columns=len(self.table.header)))
        if self.table.has_nul:
            cells.refuse_nul(chunk.rows, refuse_at)
        by_column = list(zip(*chunk.rows, strict=True)) or [()] * len(self.table.header)
        rows = self._values(numbers, by_column, len(chunk.rows), refuse)
        rows = rows if not refused.any() else rows.only(~refused)
        self._remember(rows)
        self.report.not_located += int((~rows.located).sum())
        return rows

    def _values(self, numbers: Ints, by_column: list[Sequence[str]], count: int, refuse: cells.Refuse) -> Rows:
        def column(field: str) -> Sequence[str]:
            found = self.columns.get(field)
            if not found:
                return [""] * count
            if len(found) == 1:
                return by_column[found[0]]
            return [joined(parts) for parts in zip(*(by_column[c] for c in found), strict=True)]

        def text(field: str, needed: bool = False) -> list[str]:
            given = column(field)
            default, prefix = str(self.mapping.default.get(field, "")), self.mapping.prefix.get(field, "")
            if prefix:
                given = [f"{prefix}{c.strip()}" if c.strip() else c for c in given]
            return cells.texts([c or default for c in given] if default else given, field, refuse, needed=needed)

        def moment(field: str) -> cells.Moments:
            return cells.moments(column(field), field, self.mapping.datetime.formats, self.terms.zone, refuse)

        def word(field: str) -> list[str]:
            return self.words[field].read(column(field), refuse)

        received, category = moment("received_at"), word("category")
        given_moment, is_given = column("received_at"), [bool(c) for c in category]
        for i in np.flatnonzero(np.isnat(received)).tolist():
            if not given_moment[i].strip():
                refuse(i, "received_at", TextMissing(field="received_at"))
        for i, given in enumerate(is_given):
            if not given and not column("category")[i].strip():
                refuse(i, "category", TextMissing(field="category"))
        lon, lat, located = self._points(column("lon"), column("lat"), refuse)
        rows = Rows(
            row=numbers, hotline_no=text("hotline_no", needed=True), channel=[c or "imported" for c in word("channel")],
            category=category, complexity=word("complexity"), status=word("status"), description=text("description"),
            place=text("place"), lon=lon, lat=lat, located=located, received_at=received, closed_at=moment("closed_at"),
            limit=moment("resolve_by"), area=[c.strip()[:200] for c in column("area")], unit=word("unit"),
            caller_name=text("caller_name"), caller_phone=text("caller_phone"), door_no=text("door_no"), source_no=text("source_no"),
            category_said=_said(category, column("category")),
        )  # fmt: skip
        self._settle(rows)
        return rows

    def _settle(self, rows: Rows) -> None:
        """An unstated status follows from the closing time; an open complaint has none. Oddities are counted, not refused."""
        closed = ~np.isnat(rows.closed_at)
        rows.status = [
            s or (Status.CONFIRMED if c else Status.RECEIVED) for s, c in zip(rows.status, closed, strict=True)
        ]
        is_open = np.array([s in OPEN for s in rows.status], bool)
        rows.closed_at[is_open] = cells.NO_MOMENT
        warnings = self.report.warnings
        warnings["open_with_closing_time"] += int((closed & is_open).sum())
        warnings["closed_without_time"] += int((~closed & ~is_open).sum())
        warnings["closed_before_received"] += int((rows.closed_at < rows.received_at).sum())

    def _points(
        self, lon_cells: Sequence[str], lat_cells: Sequence[str], refuse: cells.Refuse
    ) -> tuple[Floats, Floats, np.ndarray]:
        terms = self.mapping.coordinates
        lon, lat = cells.numbers(lon_cells, "lon", refuse), cells.numbers(lat_cells, "lat", refuse)
        has_lon, has_lat = ~np.isnan(lon), ~np.isnan(lat)
        for i in np.flatnonzero(has_lon != has_lat).tolist():
            if not (lon_cells[i].strip() and lat_cells[i].strip()):
                refuse(i, "lat" if has_lon[i] else "lon", HalfCoordinates())
        # 0, 0 is what a form without a place sends; nobody complains from the Gulf of Guinea.
        located = has_lon & has_lat & ~((lon == 0) & (lat == 0))
        self._in_range(lon, lat, located, refuse)
        lon, lat = to_wgs84(lon, lat, terms.datum)
        lon, lat = np.round(lon, 8), np.round(lat, 8)
        self._in_place(lon, lat, located, refuse)
        for x, y in terms.fallback_points:
            located &= ~(np.isclose(lon, x, rtol=0, atol=1e-7) & np.isclose(lat, y, rtol=0, atol=1e-7))
        return lon, lat, located

    def _in_range(self, lon: Floats, lat: Floats, located: np.ndarray, refuse: cells.Refuse) -> None:
        """The rules of `places.rules.check_coordinates`, for a column."""
        possible = (np.abs(lon) <= 180) & (np.abs(lat) <= 90)
        swapped = in_china(lat, lon) & (~possible | (np.abs(lat) > 66))
        bad = located & (~possible | swapped)
        for i in np.flatnonzero(bad).tolist():
            error = SwappedCoordinates if swapped[i] else BadCoordinates
            refuse(i, "lon", error(lon=float(lon[i]), lat=float(lat[i])))
            located[i] = False
        lon[bad] = lat[bad] = np.nan

    def _in_place(self, lon: Floats, lat: Floats, located: np.ndarray, refuse: cells.Refuse) -> None:
        """Inside the declared extent; and not the other way round, where the city's own areas tell."""
        if self.mapping.coordinates.extent is None:
            turned = located & self.terms.index.swapped(lon, lat)
            for i in np.flatnonzero(turned).tolist():
                refuse(i, "lon", SwappedCoordinates(lon=float(lon[i]), lat=float(lat[i])))
            return
        west, south, east, north = self.mapping.coordinates.extent
        inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
        for i in np.flatnonzero(located & ~inside).tolist():
            x, y = float(lon[i]), float(lat[i])
            swapped = west <= y <= east and south <= x <= north
            refuse(i, "lon", (SwappedCoordinates if swapped else OutsideExtent)(lon=x, lat=y))

    # --- the whole file ----------------------------------------------------------------------------------------------
    def _remember(self, rows: Rows) -> None:
        number = np.fromiter(map(hash, rows.hotline_no), np.int64, len(rows))
        place = np.fromiter((hash(key(p)) for p in rows.place), np.int64, len(rows))
        lon = np.where(rows.located, rows.lon, np.nan)
        self._seen.append((rows.row, number, place, lon, rows.lat))

    def duplicates(self) -> None:
        """Refuse every row whose number already stands in an earlier row of the file."""
        if not self._seen:
            return
        row, number = (np.concatenate([s[k] for s in self._seen]) for k in (0, 1))
        order = np.argsort(number, kind="stable")
        same = np.flatnonzero(number[order][1:] == number[order][:-1]) + 1
        first: dict[int, int] = {}
        for at in same.tolist():
            before, here = int(order[at - 1]), int(order[at])
            origin = first.setdefault(before, before)
            first[here] = origin
            self.report.refuse(
                int(row[here]), self.address_of(int(row[here]), "hotline_no"), DuplicateInFile(first=int(row[origin]))
            )

    def fallback_points(self) -> tuple[list[tuple[float, float]], int]:
        """Points that so many rows with different addresses share that they only mean "somewhere", and their rows."""
        if not self._seen or not self.fallback_rows:
            return [], 0
        place, lon, lat = (np.concatenate([s[k] for s in self._seen]) for k in (2, 3, 4))
        known = np.flatnonzero(~np.isnan(lon))
        known = known[np.lexsort((place[known], lat[known], lon[known]))]
        x, y, p = lon[known], lat[known], place[known]
        new_point = np.r_[True, (x[1:] != x[:-1]) | (y[1:] != y[:-1])] if len(x) else np.zeros(0, bool)
        new_place = new_point | (np.r_[True, p[1:] != p[:-1]] if len(x) else np.zeros(0, bool))
        starts = np.flatnonzero(new_point)
        if not len(starts):
            return [], 0
        addresses = np.add.reduceat(new_place.astype(np.int64), starts)
        rows = np.diff(np.r_[starts, len(x)])
        hit = addresses >= self.fallback_rows
        return [(float(x[s]), float(y[s])) for s in starts[hit]], int(rows[hit].sum())

    def address_of(self, row: int, field: str) -> str | None:
        """Where a field of a row stands: a column's name, or an address like B7."""
        found = self.columns.get(field)
        return self.table.address(row, found[0]) if found else None


def _said(codes: Sequence[str], words: Sequence[str]) -> list[str]:
    """The source's own word where its category is not known: somebody chooses from the worklist."""
    if UNKNOWN not in codes:
        return []
    return [clean("place", word[:300]) if code == UNKNOWN else "" for code, word in zip(codes, words, strict=True)]


def joined(parts: Sequence[str]) -> str:
    """Several cells as one text, each said once."""
    return "; ".join(dict.fromkeys(p.strip() for p in parts if p.strip()))


def find_columns(mapping: FileMapping, header: Sequence[str]) -> dict[str, list[int]]:
    """Field -> its columns. Raises MissingColumn, DoubledColumn, and UnknownColumn where the mapping wants that."""
    places: dict[str, list[int]] = {}
    for i, cell in enumerate(header):
        places.setdefault(key(cell), []).append(i)
    found: dict[str, list[int]] = {}
    used: set[str] = set()
    for field in mapping.columns:
        wanted = mapping.sources(field)
        used |= {key(c) for c in wanted}
        missing = [c for c in wanted if key(c) not in places]
        if missing and field in mapping.optional.fields:
            continue
        if missing:
            raise MissingColumn(column=missing[0], found=", ".join(shown(c) for c in header[:30]))
        for name in wanted:
            if len(places[key(name)]) > 1:
                raise DoubledColumn(column=name)
        found[field] = [places[key(c)][0] for c in wanted]
    if mapping.extra_columns == "refuse":
        for cell in header:
            if key(cell) and key(cell) not in used and key(cell) not in OWN_HEADINGS:
                raise UnknownColumn(column=shown(cell))
    return found
