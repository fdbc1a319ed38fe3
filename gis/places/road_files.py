"""Reading streets from files: OpenStreetMap extracts (.osm.pbf, .osm) and anything GDAL reads (.gpkg, .geojson, .shp)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from gis.errors import BadInput, ChengmaiError
from gis.geo import Floats
from gis.places.road_tags import CLASSES, Road, read_road
from gis.places.rules import DRIVE_KMH, WALK_ONLY, BadCoordinates, BadGeometry, SwappedCoordinates

OSM_SUFFIXES = (".pbf", ".osm", ".osm.bz2", ".osm.gz")
GDAL_SUFFIXES = (".gpkg", ".geojson", ".json", ".shp", ".fgb")
ROAD_LAYERS = ("roads", "road", "highways", "streets", "道路", "路网", "lines")
CLASS_COLUMNS = ("highway", "fclass", "kind_detail", "kind", "class", "type", "道路等级", "等级")
NAME_COLUMNS = ("name", "NAME", "名称", "道路名称", "路名")
# What other products put into the same layer as streets.
NOT_STREETS = frozenset({
    "rail", "subway", "funicular", "tram", "ferry", "pier", "aeroway", "runway", "construction", "proposed", "abandoned",
    "platform", "corridor", "raceway", "rest_area", "services",
})  # fmt: skip
MOST_ERRORS = 1000


class UnknownFile(BadInput):
    """This file cannot be read as streets: %(reason)s"""

    code = "unknown_file"


class WhichLayer(BadInput):
    """The file has several layers of lines; say which one holds the streets: %(layers)s"""

    code = "which_layer"


@dataclass(frozen=True)
class Way:
    """One street as the file has it: its nodes by name, and where they are."""

    ref: str
    nodes: list[str]
    coordinates: Floats
    road: Road
    part: str = ""  # of a street in several parts, which


@dataclass
class FileReport:
    """What happened to the rows of a file. `skipped` are no streets, or closed to us: nothing is wrong with them."""

    read: int = 0
    skipped: int = 0
    not_located: int = 0
    refused: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)

    def refuse(self, row: str, column: str, error: ChengmaiError) -> None:
        self.refused += 1
        if len(self.errors) < MOST_ERRORS:
            self.errors.append({"row": row, "column": column, **error.as_dict()})


def read_ways(path: Path, report: FileReport, *, layer: str | None = None, highway: str = "road") -> Iterator[Way]:
    """The streets of a file, counted in `report`. Raises UnknownFile, WhichLayer."""
    name = path.name.lower()
    if not path.is_file():
        raise UnknownFile(reason=f"no file {path.name}")
    if name.endswith(OSM_SUFFIXES):
        return _from_osm(path, report)
    if name.endswith(GDAL_SUFFIXES):
        return _from_gdal(path, report, layer, highway)
    raise UnknownFile(reason=", ".join((*OSM_SUFFIXES, *GDAL_SUFFIXES)))


# --- OpenStreetMap ---------------------------------------------------------------------------------------------------
def _from_osm(path: Path, report: FileReport) -> Iterator[Way]:
    import osmium

    kinds = osmium.osm.NODE | osmium.osm.WAY
    try:
        found = osmium.FileProcessor(str(path), kinds).with_locations()
        found = found.with_filter(osmium.filter.EntityFilter(osmium.osm.WAY))
        for way in found.with_filter(osmium.filter.KeyFilter("highway")):
            made = _osm_way(way, report)
            if made is not None:
                yield made
    except (RuntimeError, OSError) as error:
        raise UnknownFile(reason=f"{path.name}: {error}") from None


def _osm_way(way: Any, report: FileReport) -> Way | None:
    report.read += 1
    road = read_road({tag.k: tag.v for tag in way.tags})
    if road is None:
        report.skipped += 1
        return None
    nodes = [(str(node.ref), node.lon, node.lat) for node in way.nodes if node.location.valid()]
    if len(nodes) < 2:  # the extract was cut here
        report.not_located += 1
        return None
    return Way(str(way.id), [n[0] for n in nodes], np.array([n[1:] for n in nodes]), road)


# --- everything GDAL reads -------------------------------------------------------------------------------------------
def _from_gdal(path: Path, report: FileReport, layer: str | None, highway: str) -> Iterator[Way]:
    import pyogrio  # type: ignore[import-untyped]
    from pyogrio.errors import DataLayerError, DataSourceError  # type: ignore[import-untyped]

    try:
        layer = layer or _choose_layer(pyogrio.list_layers(path))
        table = pyogrio.read_dataframe(path, layer=layer)
    except (DataSourceError, DataLayerError, UnicodeDecodeError) as error:
        raise UnknownFile(reason=f"{path.name}: {error}") from None
    if "geometry" not in table or table.geometry.isna().all():
        raise UnknownFile(reason=f"{path.name}: no lines")
    if table.crs is not None and table.crs.to_epsg() not in (4326, 4490):
        table = table.to_crs(4326)
    columns = [str(c) for c in table.columns if c != "geometry"]
    names = _unique_refs(table)
    attributes = table[columns].astype(object).where(table[columns].notna(), None).to_dict("records")
    for index, (shape, values) in enumerate(zip(table.geometry, attributes, strict=True)):
        yield from _gdal_ways(names[index], str(index + 1), shape, values, report, highway)


def _choose_layer(layers: Iterable[Any]) -> str:
    """The layer of lines; of several the one that is named like streets."""
    lines = [str(name) for name, kind in layers if kind is None or "line" in str(kind).lower() or kind == "Unknown"]
    named = [name for name in lines if name.lower() in ROAD_LAYERS]
    if len(named) == 1 or len(lines) == 1:
        return (named or lines)[0]
    if not lines:
        raise UnknownFile(reason="no layer of lines")
    raise WhichLayer(layers=lines)


def _unique_refs(table: Any) -> list[str]:
    """A name per row that stays the same when the file is read again: its own id, or one made of its shape."""
    for column in ("osm_id", "id", "OBJECTID", "fid"):
        if column in table and table[column].notna().all() and table[column].is_unique:
            return [str(value) for value in table[column]]
    import hashlib

    seen: dict[str, int] = {}
    refs = []
    for shape in shapely.to_wkb(table.geometry.to_numpy()):
        digest = hashlib.sha256(shape or b"").hexdigest()[:16]
        seen[digest] = seen.get(digest, 0) + 1
        refs.append(digest if seen[digest] == 1 else f"{digest}-{seen[digest]}")
    return refs


def _gdal_ways(
    ref: str, row: str, shape: Any, values: Mapping[str, Any], report: FileReport, highway: str
) -> Iterator[Way]:
    report.read += 1
    if shape is None or shape.is_empty:
        report.not_located += 1
        return
    if shape.geom_type not in ("LineString", "MultiLineString"):
        report.refuse(row, "geometry", BadGeometry(reason=shape.geom_type))
        return
    road = read_road(_tags(values, highway))
    if road is None:
        report.skipped += 1
        return
    parts = [shape] if shape.geom_type == "LineString" else list(shape.geoms)
    for number, part in enumerate(parts):
        xy = shapely.get_coordinates(part)
        wrong = _wrong(xy)
        if wrong is not None:
            report.refuse(row, "geometry", wrong)
            return
        nodes = [f"{lon:.7f},{lat:.7f}" for lon, lat in xy]
        yield Way(ref, nodes, xy, road, "" if len(parts) == 1 else f"{number}.")


def _wrong(xy: Floats) -> ChengmaiError | None:
    """What is impossible about these coordinates, if anything."""
    bad = ~(np.isfinite(xy).all(axis=1) & (np.abs(xy[:, 0]) <= 180) & (np.abs(xy[:, 1]) <= 90))
    if not bad.any():
        return None
    lon, lat = (float(value) for value in xy[bad][0])
    swapped = abs(lat) <= 180 and abs(lon) <= 90
    return (SwappedCoordinates if swapped else BadCoordinates)(lon=lon, lat=lat)


def _tags(values: Mapping[str, Any], highway: str) -> dict[str, str]:
    """The attributes of a row under the names that tags have. A class that nobody knows is `highway`, so is none."""
    tags = {key: str(value) for key, value in values.items() if value is not None}
    said = [tags[column] for column in CLASS_COLUMNS if tags.get(column)]
    known = [value for value in said if value in DRIVE_KMH or value in WALK_ONLY or value in CLASSES]
    if not known and NOT_STREETS.intersection(said):
        return {}
    tags["highway"] = known[0] if known else highway
    tags["name"] = next((tags[column] for column in NAME_COLUMNS if tags.get(column)), "")
    return tags
