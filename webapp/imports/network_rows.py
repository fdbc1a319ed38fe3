"""The rows of one part of a network file: values, places in degrees, codes, and what they refer to as ids."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import tzinfo
from typing import Any

import numpy as np
import shapely
from pyproj import CRS
from sqlalchemy import select
from sqlalchemy.orm import Session

from gis.complaints.bulk import area_index, areas_by_word, units_by_word
from gis.complaints.rules import TextMissing
from gis.errors import BadInput, ChengmaiError
from gis.network.model import HeatSource, Pipeline, Station, SupplyPoint, SupplySource, Valve
from gis.network.rules import NetworkLevel, Utility
from gis.places.rules import BadCoordinates
from webapp.imports.errors import CoordinatesMissing, DuplicateInFile, NotANumber, UnknownWord
from webapp.imports.fields import read_fields
from webapp.imports.geometry import checked, crs_of, to_degrees
from webapp.imports.kinds import Field, Kind
from webapp.imports.layers import _each, _points
from webapp.imports.mapping import Mapping
from webapp.imports.network_files import Part, Terms
from webapp.imports.network_kinds import ENDS, NETWORK
from webapp.imports.report import Report
from webapp.imports.text import key, shown

LONGEST = {"sources": 40, "stations": 40}
# A header that says the unit of a diameter, as people write it: factor to millimetres.
_UNITS = {
    "mm": 1.0,
    "毫米": 1.0,
    "m": 1000.0,
    "米": 1000.0,
    "cm": 10.0,
    "in": 25.4,
    "inch": 25.4,
    "inches": 25.4,
    "英寸": 25.4,
}
_SAID_MM = frozenset({"diametermm", "管径mm", "管径", "公称直径", "dn"})
_BARE = frozenset({"diameter", "diam", "直径", "内径", "外径"})


class UnknownDiameterUnit(BadInput):
    """The column %(column)s does not say in which unit its diameters are; choose the unit, or name the column diameter_mm."""

    code = "unknown_diameter_unit"


class ZeroLengthPipe(BadInput):
    """This pipe has no length."""

    code = "zero_length_pipe"


class Rows:
    """A part as it is to be stored: `rows` and `shapes` in the order of the file; `columns` knows which are good."""

    def __init__(self, part: Part, terms: Terms, stem: str, zone: tzinfo, report: Report) -> None:
        self.part, self.kind, self.report = part, NETWORK[part.kind], report
        self.where: dict[int, tuple[float, float]] = {}
        kind = self._with_ends() if part.features.shapes is None and part.kind == "pipelines" else self.kind
        if part.features.shapes is None and part.kind in ("pipelines", "dependencies"):
            part.features.shapes = np.full(
                len(part.features.numbers), None, object
            )  # no columns of longitude and latitude
            self.is_table = True
        else:
            self.is_table = part.features.shapes is None
        self.columns = read_fields(part.features, kind, _mapping(part, kind, terms), zone, report)
        report.read = len(part.features.numbers) + len(part.broken)
        if part.kind != "dependencies":
            self._codes(stem)
        self.shapes = self._places(terms)
        self.rows = self._values()

    def _with_ends(self) -> Kind:
        from dataclasses import replace

        return replace(self.kind, fields=(*self.kind.fields, *ENDS))

    # --- codes and names ---
    def _codes(self, stem: str) -> None:
        """Bare numbers are told apart by the file's name; what has no code is called by layer and row."""
        numbers = self.part.features.numbers
        given = self.columns.texts("code")
        codes = []
        for number, code in zip(numbers, given, strict=True):
            made = code or f"{stem}-{self.part.name}-{number}"
            codes.append(f"{stem}-{made}" if re.fullmatch(r"\d+(\.0)?", made) else made)
        self.columns.values["code"] = codes
        first: dict[str, int] = {}
        for i, code in enumerate(codes):
            if len(code) > LONGEST.get(self.part.kind, 60):
                self.columns.refuse(i, "code", NotANumber(value=shown(code)))
            if first.setdefault(code, i) != i:
                self.columns.refuse(i, "code", DuplicateInFile(first=numbers[first[code]]))
        if self.kind.field("name"):
            names = self.columns.texts("name")
            self.columns.values["name"] = [name or code for name, code in zip(names, codes, strict=True)]

    # --- places ---
    def _places(self, terms: Terms) -> np.ndarray:
        if self.part.kind == "dependencies":
            return np.full(len(self.part.features.numbers), None, object)
        features = self.part.features
        if self.is_table:
            crs = crs_of(terms.crs or "EPSG:4326")
            shapes = self._lines() if self.part.kind == "pipelines" else _points(self.columns)
        else:
            assert features.crs is not None
            crs, shapes = features.crs, np.asarray(features.shapes, object)
        shapes = self._finite(shapes)
        shapes = checked(shapes, self.kind.shape, self._refuse_once, lambda _: None)
        if self.part.kind == "pipelines":
            for i, shape in enumerate(shapes):
                if shape is not None and shape.length == 0:
                    self.columns.refuse(i, "geometry", ZeroLengthPipe())
        there = shapely.is_geometry(shapes) & np.array([self.columns.good(i) for i in range(len(shapes))], bool)
        self.report_places(shapes, crs, terms.datum)
        kept = np.full(len(shapes), None, object)
        kept[there] = shapes[there]
        self._convert(kept, there, crs, terms.datum)
        return kept

    def _convert(self, shapes: np.ndarray, there: np.ndarray, crs: CRS, datum: str) -> None:
        if not there.any():
            return
        try:
            shapes[there] = to_degrees(shapes[there], crs, datum)
        except ChengmaiError as error:
            # One wrong row must not hide behind the others: row by row, and the whole file where all are wrong alike.
            if not self.is_table and not _some_convert(shapes[there], crs, datum):
                raise error
            _each(shapes, np.flatnonzero(there), crs, datum, self.columns)
            for i in np.flatnonzero(there).tolist():
                if not self.columns.good(i):
                    shapes[i] = None

    def report_places(self, shapes: np.ndarray, crs: CRS, datum: str) -> None:
        """Remember where the refused objects lie, as far as they lie anywhere."""
        for i, shape in enumerate(shapes):
            if shape is None or self.columns.good(i) or shape.is_empty:
                continue
            xy = shapely.get_coordinates(shape)
            xy = xy[np.isfinite(xy).all(1)]
            if len(xy):
                try:
                    point = to_degrees(np.array([shapely.Point(xy[0])], object), crs, datum)[0]
                except ChengmaiError:
                    continue
                self.where[i] = (float(point.x), float(point.y))

    def _finite(self, shapes: np.ndarray) -> np.ndarray:
        for i, shape in enumerate(shapes):
            if shape is not None and not np.isfinite(shapely.get_coordinates(shape)).all():
                self._refuse_once(i, BadCoordinates(lon="NaN", lat="NaN"))
        return shapes

    def _refuse_once(self, i: int, error: ChengmaiError) -> None:
        if self.columns.good(i):
            self.columns.refuse(i, "geometry", error)

    def _lines(self) -> np.ndarray:
        """Pipes of a table: from the start over the bends ("119.95 36.78; 119.96 36.79") to the end."""
        made = np.full(len(self.part.features.numbers), None, object)
        values = [self.columns.values.get(f.name) or [None] * len(made) for f in ENDS]
        for i, (x1, y1, x2, y2, bends) in enumerate(zip(*values, strict=True)):
            if None in (x1, y1, x2, y2):
                self._refuse_once(i, CoordinatesMissing())
                continue
            try:
                between = [
                    tuple(map(float, part.replace(",", " ").split()))
                    for part in re.split(r"[;；]", bends or "")
                    if part.strip()
                ]
                made[i] = shapely.LineString([(x1, y1), *between, (x2, y2)])
            except (ValueError, shapely.errors.ShapelyError):
                self.columns.refuse(i, "bends", NotANumber(value=shown(bends)))
        return made

    # --- values ---
    def _values(self) -> list[dict[str, Any]]:
        own = {
            "code",
            "name",
            "utility",
            "level",
            "flow",
            "diameter_mm",
            "material",
            "operator",
            "kind",
            "reach",
            "reach_note",
        }
        counts = {"households", "people", "vulnerable_households", "grace_min"}
        has = [f.name for f in self.kind.fields if f.name in own | counts and f.name in self.columns.values]
        rows = [{name: self.columns.values[name][i] for name in has} for i in range(len(self.shapes))]
        for row in rows:
            for name in counts & row.keys():
                row[name] = row[name] or 0
        if self.part.kind == "valves":
            self._valve_states(rows)
        if self.part.kind == "pipelines":
            for row in rows:
                row["flow"] = row.get("flow") if row.get("level") != NetworkLevel.MAIN else None
        for i, row in enumerate(rows):
            if row.get("vulnerable_households", 0) > row.get("households", 0):
                self.columns.refuse(i, "vulnerable_households", NotANumber(value=row["vulnerable_households"]))
        return rows

    def _valve_states(self, rows: list[dict[str, Any]]) -> None:
        told, normal = self.columns.values.get("is_open"), self.columns.values.get("normally_open")
        for i, row in enumerate(rows):
            row["kind"] = row.get("kind") or "isolation"
            row["reach"] = row.get("reach") or "reachable"
            row["reach_note"] = row.get("reach_note") or ""
            row["is_open"] = (told[i] if told else None) != "closed"
            row["normally_open"] = row["is_open"] if not normal or normal[i] is None else normal[i] != "closed"


def _some_convert(shapes: np.ndarray, crs: CRS, datum: str) -> bool:
    for i in range(len(shapes)):
        try:
            to_degrees(shapes[i : i + 1], crs, datum)
        except ChengmaiError:
            continue
        return True
    return False


def _mapping(part: Part, kind: Kind, terms: Terms) -> Mapping:
    """The columns that are called as usual; what the person said, or the format implies, for those that are missing."""
    header: dict[str, str] = {}
    for name in part.features.header:
        header.setdefault(key(name), name)
    columns: dict[str, str | list[str]] = {}
    default: dict[str, str | int | float | bool] = {}
    scale: dict[str, float] = {}
    for field in kind.fields:
        found = next((header[key(a)] for a in (field.name, *field.aliases) if key(a) in header), None)
        if field.name == "diameter_mm":
            named, factor = _diameter(header, terms)
            if named:
                columns["diameter_mm"], scale["diameter_mm"] = named, factor
            continue
        if field.name == "kind" and found is not None and not _is_word_column(part, found, field):
            found = None
        if found is not None:
            columns[field.name] = found
        if (said := _said(part, kind, field, terms)) is not None:
            default[field.name] = said
    return Mapping(columns=columns, default=default, scale=scale)


def _is_word_column(part: Part, column: str, field: Field) -> bool:
    """Does a column called "type" really say what we mean by it?"""
    words = {key(w) for w in field.words or {}}
    return any(key(cell) in words for cell in part.features.columns[part.features.header.index(column)])


def _said(part: Part, kind: Kind, field: Field, terms: Terms) -> str | None:
    if field.name == "utility":
        return part.defaults.get("utility") or terms.utility
    if field.name == "level":
        heat = (part.defaults.get("utility") or terms.utility) == Utility.HEAT
        return (
            part.defaults.get("level") or terms.level or (str(NetworkLevel.PRIMARY) if heat else str(NetworkLevel.MAIN))
        )
    return None


def _diameter(header: dict[str, str], terms: Terms) -> tuple[str | None, float]:
    """The column of diameters and its factor to millimetres. Raises UnknownDiameterUnit."""
    for name, column in header.items():
        if name in _SAID_MM:
            return column, 1.0
        found = re.fullmatch(r"(?:diameter|diam|管径|直径|内径|外径)[\(（\[]?(.+?)[\)）\]]?", name)
        if found and found[1] in _UNITS:
            return column, _UNITS[found[1]]
    for name in _BARE & header.keys():
        if terms.diameter_unit is None:
            raise UnknownDiameterUnit(column=header[name])
        return header[name], _UNITS[terms.diameter_unit]
    return None, 1.0


# --- what rows refer to -------------------------------------------------------------------------------------------------
def link(session: Session, rows: Rows, stem: str) -> None:
    """Units, stations, pipelines, supply points and areas as ids; a word that leads nowhere is refused."""
    refer = _Referring(session, rows, stem)
    refer("unit", "unit_id", lambda: {w: int(i) for w, i in units_by_word(session).items()})
    if rows.part.kind in ("pipelines", "supply_points", "dependencies"):
        refer("station", "station_id", lambda: dict(session.execute(select(Station.code, Station.id)).all()))
    if rows.part.kind == "valves":
        refer("pipeline", "pipeline_id", lambda: dict(session.execute(select(Pipeline.code, Pipeline.id)).all()))
    if rows.part.kind == "dependencies":
        refer(
            "supply_point",
            "supply_point_id",
            lambda: dict(session.execute(select(SupplyPoint.code, SupplyPoint.id)).all()),
        )
    if rows.part.kind in ("stations", "supply_points"):
        refer("area", "area_id", lambda: {w: next(iter(c.values())) for w, c in areas_by_word(session).items()})
        _within(session, rows)


class _Referring:
    """Looks words up, once per table, and refuses those that are not there."""

    def __init__(self, session: Session, rows: Rows, stem: str) -> None:
        self.session, self.rows, self.stem = session, rows, stem

    def __call__(self, field: str, column: str, known: Callable[[], dict[str, int]]) -> None:
        given = self.rows.columns.values.get(field)
        if given is None:
            return
        ids = known()
        for i, word in enumerate(given):
            found = ids.get(word) or ids.get(f"{self.stem}-{word}") if word else None
            self.rows.rows[i][column] = found
            if word and found is None:
                self.rows.columns.refuse(i, field, UnknownWord(value=shown(word), field=field))
            elif not word and self.rows.part.kind == "dependencies":
                self.rows.columns.refuse(i, field, TextMissing(field=field))


def _within(session: Session, rows: Rows) -> None:
    """Stations and supply points belong to the smallest area that holds them, where none is named."""
    there = shapely.is_geometry(rows.shapes)
    lon, lat = np.full(len(there), np.nan), np.full(len(there), np.nan)
    lon[there], lat[there] = shapely.get_x(rows.shapes[there]), shapely.get_y(rows.shapes[there])
    found = area_index(session).find(lon, lat)
    for i, row in enumerate(rows.rows):
        holding = (int(found[level][i]) for level in ("compound", "community", "street", "district") if level in found)
        row["area_id"] = row.get("area_id") or next((a for a in holding if a), None)


def model_of(kind: str, utility: str | None) -> Any:
    """The table of a row; sources of heat have one of their own."""
    if kind == "sources":
        return HeatSource if utility == Utility.HEAT else SupplySource
    return {"stations": Station, "pipelines": Pipeline, "valves": Valve, "supply_points": SupplyPoint}[kind]
