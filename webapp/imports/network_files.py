"""Files of networks as tables of pipelines, valves, sources, stations, supply points and dependencies, whatever the format.

GeoPackage, GeoJSON and Shapefile: every layer is told by its name or by its geometry; what fits nothing is told and left.
EPANET: junctions with a demand are supply points, reservoirs and tanks are sources. Excel: our template, a sheet per kind.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyproj import CRS

from gis import geo
from gis.errors import BadInput
from gis.network.drawn import in_metres
from gis.network.rules import SNAP_M
from webapp.imports.errors import CrsMissing, EmptyFile, FileUnreadable, HeaderOnly
from webapp.imports.features import VECTOR, Features, _text, _zipped
from webapp.imports.geometry import crs_of, to_degrees
from webapp.imports.inp import Inp, read_inp
from webapp.imports.mapping import FileTerms
from webapp.imports.network_kinds import NETWORK, SHEETS
from webapp.imports.tables import check_file, open_table
from webapp.imports.text import key, shown

EXCEL = frozenset({".xlsx", ".xls", ".xlsm"})
READABLE = VECTOR | EXCEL | {".inp"}
_LAYER_KINDS = {key(name): kind.name for kind in NETWORK.values() for name in (kind.name, *kind.layers)}


class PlaceNeeded(BadInput):
    """The coordinates of this file are in no known system; give its coordinate system, or the place of its middle."""

    code = "place_needed"


class NothingUsable(BadInput):
    """Nothing in this file is part of a network; it holds: %(found)s."""

    code = "nothing_usable"


@dataclass(frozen=True)
class Terms:
    """What the person says about the file: the utility and level of pipes that do not tell theirs, the coordinate system,
    or a place (degrees) for the middle of a drawing without one, the datum, and the unit of pipe diameters."""

    utility: str | None = None
    level: str | None = None
    crs: str | None = None
    anchor: tuple[float, float] | None = None
    datum: str = "wgs84"
    diameter_unit: str | None = None


@dataclass
class Part:
    """One layer or sheet: of what kind, called what, and its table."""

    kind: str
    name: str
    features: Features
    defaults: dict[str, str] = field(default_factory=dict)
    broken: list[tuple[int, int]] = field(default_factory=list)  # (row, its number of cells): not as wide as the header


@dataclass
class Found:
    """Everything in a file; `unused` are the layers that are no part of a network, `said` what was assumed."""

    parts: list[Part]
    unused: list[str] = field(default_factory=list)
    said: list[tuple[str, dict[str, str]]] = field(default_factory=list)


def read_network(path: Path, terms: Terms, max_mb: int) -> Found:
    """Everything in the file. Raises the errors of `webapp.imports.errors` and those of this module."""
    check_file(path, max_mb)
    suffix = path.suffix.lower()
    if suffix not in READABLE:
        raise FileUnreadable(
            kind="GeoPackage, GeoJSON, Shapefile (zip), EPANET (inp), Excel (xlsx)", reason=suffix or "no ending"
        )
    found = (
        _epanet(path, terms)
        if suffix == ".inp"
        else _excel(path, max_mb)
        if suffix in EXCEL
        else _vector(path, terms, max_mb)
    )
    if not found.parts:
        raise NothingUsable(found=", ".join(found.unused) or "—")
    found.parts.sort(key=lambda part: list(NETWORK).index(part.kind))
    return found


# --- GeoPackage, GeoJSON, Shapefile ----------------------------------------------------------------------------------
def _vector(path: Path, terms: Terms, max_mb: int) -> Found:
    import pyogrio

    source = _zipped(path, max_mb) if path.suffix.lower() == ".zip" else str(path)
    found = Found([])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            layers = [str(row[0]) for row in pyogrio.list_layers(source)]
            frames = [(name, pyogrio.read_dataframe(source, layer=name, fid_as_index=True)) for name in layers]
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FieldError, ValueError,
            UnicodeDecodeError, shapely.errors.ShapelyError) as error:  # fmt: skip
        raise FileUnreadable(kind=path.suffix.lower().strip("."), reason=type(error).__name__) from None
    if not any(len(frame) for _, frame in frames):
        raise HeaderOnly()
    for name, frame in frames:
        if not len(frame) or "geometry" not in frame:
            found.unused.append(name)
            continue
        for kind, mine in _kinds_of(name, frame, alone=len(frames) == 1):
            if kind is None:
                found.unused.append(f"{name} ({len(mine)})")
            else:
                found.parts.append(_part(kind, name, mine, terms))
    return found


def _kinds_of(name: str, frame: Any, *, alone: bool) -> Iterator[tuple[str | None, Any]]:
    """A layer that is called like a kind is that kind; otherwise lines are pipes, and points say in a column what they are."""
    called = _LAYER_KINDS.get(key(name))
    if called is not None:
        yield called, frame
        return
    shapes = frame.geometry.geom_type.fillna("").str.upper().str.removeprefix("MULTI")
    lines = frame[shapes == "LINESTRING"]
    if len(lines):
        yield "pipelines", lines
    points = frame[shapes != "LINESTRING"]
    column = next(
        (c for c in points.columns if key(str(c)) in ("object", "feature", "对象", "要素类型", "featuretype")), None
    )
    if column is None or not len(points):
        if len(points):
            yield None, points
        return
    told = points[column].map(lambda v: _LAYER_KINDS.get(key(str(v))))
    for kind in (*NETWORK, None):
        mine = points[told == kind] if kind else points[told.isna()]
        if len(mine):
            yield kind, mine


def _part(kind: str, name: str, frame: Any, terms: Terms) -> Part:
    crs = crs_of(terms.crs) if terms.crs else frame.crs
    if crs is None:
        raise CrsMissing()
    header = [str(c) for c in frame.columns if c != "geometry"]
    columns = [[_text(v) for v in frame[c].tolist()] for c in frame.columns if c != "geometry"]
    shapes = np.asarray(frame.geometry.array, dtype=object)
    numbers = [int(i) + 1 if isinstance(i, (int, np.integer)) else n for n, i in enumerate(frame.index, 1)]
    part = Part(kind, name, Features(numbers, header, columns, shapes, CRS(crs), lambda row, c: f"{name}.{header[c]}"))
    if kind == "pipelines":
        _flow_by_name(part.features)
    return part


def _flow_by_name(features: Features) -> None:
    """Programs that calculate heat call the return pipes `return_…`; a file that does so says the flow of all its pipes."""
    if any(key(h) in ("flow", "供回水", "供回") for h in features.header) or "name" not in features.header:
        return
    names = features.columns[features.header.index("name")]
    if any(re.match(r"return[ _-]", n, re.I) for n in names):
        features.header.append("flow")
        features.columns.append(["return" if re.match(r"return[ _-]", n, re.I) else "supply" for n in names])


# --- EPANET ----------------------------------------------------------------------------------------------------------
def _epanet(path: Path, terms: Terms) -> Found:
    inp = read_inp(path)
    if terms.crs is None and terms.anchor is None:
        raise PlaceNeeded()
    found = Found([], said=[("epanet_units", {"units": inp.units})])
    place, crs = (lambda xy: xy), CRS.from_epsg(4326)
    if terms.crs is not None:
        crs = crs_of(terms.crs)
    elif terms.anchor is not None:
        place, scale = _anchored(inp, terms.anchor)
        found.said.append(("epanet_scale", {"metres": f"{scale:.4g}"}))
    if touching := _touching(inp, crs, place):
        found.said.append(("epanet_touching", {"names": ", ".join(touching[:20])}))
    found.parts = [part for part in _epanet_parts(inp, path.stem, crs, place) if part.features.numbers]
    return found


def _touching(inp: Inp, crs: CRS, place: Any) -> list[str]:
    """Pipes on which, as drawn, nodes lie that the file does not join to them. The topology goes by the drawing."""
    links = [link for link in inp.links.values() if inp.path(link)]
    names = list(inp.places)
    lines = np.array([shapely.LineString([place(xy) for xy in inp.path(link) or ()]) for link in links], object)
    points = shapely.points([place(inp.places[name]) for name in names])
    moved = (
        to_degrees(np.concatenate([lines, points]), crs, "wgs84") if len(lines) and len(points) else np.empty(0, object)
    )
    if not len(moved):
        return []
    metres = in_metres(moved, float(shapely.get_coordinates(moved)[0, 0]))
    lines, points = metres[: len(lines)], metres[len(lines) :]
    at, on = shapely.STRtree(lines).query(points, predicate="dwithin", distance=SNAP_M)
    ends = (
        shapely.distance(points[at], shapely.get_point(lines[on], 0)),
        shapely.distance(points[at], shapely.get_point(lines[on], -1)),
    )
    found = {
        links[j].id
        for i, j, near in zip(at.tolist(), on.tolist(), np.minimum(*ends).tolist(), strict=True)
        if names[i] not in (links[j].start, links[j].end) and near > SNAP_M
    }
    return sorted(found)


def _anchored(inp: Inp, anchor: tuple[float, float]) -> tuple[Any, float]:
    """Drawing units to degrees: the drawing's middle at the anchor, its scale by what its pipes say they are long."""
    ratios = []
    for link in inp.links.values():
        way = inp.path(link)
        drawn = float(np.hypot(*np.diff(np.array(way), axis=0).T).sum()) if way else 0.0
        if link.length_m and drawn > 0:
            ratios.append(link.length_m / drawn)
    scale = float(np.median(ratios)) if ratios else 1.0
    middle = np.mean(np.array(list(inp.places.values()) or [(0.0, 0.0)]), axis=0)
    x, y = geo.to_metres(*anchor, anchor[0])

    def place(xy: tuple[float, float]) -> tuple[float, float]:
        lon, lat = geo.to_degrees(x + (xy[0] - middle[0]) * scale, y + (xy[1] - middle[1]) * scale, anchor[0])
        return float(lon), float(lat)

    return place, scale


def _epanet_parts(inp: Inp, stem: str, crs: CRS, place: Any) -> Iterator[Part]:
    """Codes are told apart by the file's name: every such file calls something `10`."""

    def table(kind: str, name: str, header: Sequence[str], rows: list[tuple[int, Any, list[str]]]) -> Part:
        shapes = np.empty(len(rows), object)
        shapes[:] = [shape for _, shape, _ in rows]
        columns = [list(c) for c in zip(*(cells for *_, cells in rows), strict=True)] or [[] for _ in header]
        return Part(kind, name, Features([n for n, *_ in rows], list(header), columns, shapes, crs, lambda row, c: f"{name} {header[c]}"),
                    {"utility": "water", "level": "main"})  # fmt: skip

    def point(node: str) -> Any:
        return shapely.Point(place(inp.places[node])) if node in inp.places else None

    pipes, valves = [], []
    for link in inp.links.values():
        way = inp.path(link)
        line = shapely.LineString([place(xy) for xy in way]) if way else None
        pipes.append(
            (link.line, line, [f"{stem}-{link.id}", "" if link.diameter_mm is None else f"{link.diameter_mm:.6g}"])
        )
        if link.kind == "VALVES" or link.status in ("CLOSED", "CV"):
            middle = None if line is None else line.interpolate(0.5, normalized=True)
            kind = "control" if link.kind == "VALVES" else "check" if link.status == "CV" else "isolation"
            state = "closed" if link.status == "CLOSED" else "open"
            valves.append((link.line, middle, [f"{stem}-{link.id}", kind, state, f"{stem}-{link.id}"]))
    yield table("pipelines", "PIPES", ["code", "diameter_mm"], pipes)
    yield table("valves", "VALVES", ["code", "kind", "is_open", "pipeline"], valves)
    nodes = [
        (line, point(node), [f"{stem}-{node}", f"{stem} {node}"], node, section)
        for node, (section, line) in inp.nodes.items()
    ]
    yield table("sources", "RESERVOIRS", ["code", "name"], [row[:3] for row in nodes if row[4] != "JUNCTIONS"])
    customers = [row[:3] for row in nodes if row[4] == "JUNCTIONS" and inp.demand.get(row[3], 0.0) > 0]
    yield table("supply_points", "JUNCTIONS", ["code", "name"], customers)


# --- our Excel template -------------------------------------------------------------------------------------------------
def _excel(path: Path, max_mb: int) -> Found:
    from python_calamine import CalamineError, load_workbook

    from webapp.imports import excel_reader

    with path.open("rb") as file:
        head = file.read(4)
    if head == b"PK\x03\x04":
        excel_reader.measure(path)
    try:
        with path.open("rb") as file:
            sheets = list(load_workbook(file).sheet_names)
    except (CalamineError, OSError, ValueError) as error:
        raise FileUnreadable(kind="Excel", reason=type(error).__name__) from None
    kinds = {key(title): kind for kind, title in SHEETS.items()} | _LAYER_KINDS
    found = Found([])
    for sheet in sheets:
        kind = kinds.get(key(sheet))
        if kind is None:
            found.unused.append(sheet)
            continue
        try:
            table = open_table(path, FileTerms(sheet=sheet), set(), max_mb)
        except EmptyFile:
            continue
        numbers: list[int] = []
        rows: list[list[str]] = []
        broken: list[tuple[int, int]] = []
        for chunk in table.chunks:
            broken += chunk.broken
            numbers += chunk.numbers
            rows += chunk.rows
        table.close()
        if rows or broken:
            columns = [list(c) for c in zip(*rows, strict=True)] or [[] for _ in table.header]
            features = Features(numbers, table.header, columns, None, None, _addresses(sheet, table.address))
            found.parts.append(Part(kind, sheet, features, broken=broken))
    return found


def _addresses(sheet: str, address: Callable[[int, int], str]) -> Callable[[int, int], str]:
    return lambda row, column: f"{shown(sheet)}!{address(row, column)}"
