"""A file of things with places: GeoJSON, GeoPackage, Shapefile (also zipped), or CSV and Excel with coordinates."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyproj import CRS

from webapp.imports.errors import ArchiveTooLarge, CrsMissing, FileUnreadable, HeaderOnly, NoSuchSheet, RaggedRow
from webapp.imports.excel_reader import as_text
from webapp.imports.geometry import crs_of
from webapp.imports.kinds import LAT, LON, Kind
from webapp.imports.mapping import Mapping
from webapp.imports.report import Report
from webapp.imports.tables import check_file, open_table
from webapp.imports.text import key, shown

VECTOR = frozenset({".geojson", ".json", ".gpkg", ".shp", ".zip", ".kml", ".fgb"})
DRIVERS = {".geojson": "GeoJSON", ".json": "GeoJSON", ".gpkg": "GPKG", ".shp": "ESRI Shapefile", ".kml": "KML",
           ".fgb": "FlatGeobuf", ".zip": "ESRI Shapefile"}  # fmt: skip
MOST_FEATURES = 2_000_000


@dataclass
class Features:
    """Columns of text, shapes in the system of the file, and how to name a cell. `shapes` is None for a plain table."""

    numbers: list[int]
    header: list[str]
    columns: list[list[str]]
    shapes: Any | None
    crs: CRS | None
    address: Callable[[int, int], str]


def read_features(path: Path, kind: Kind, mapping: Mapping, max_mb: int, report: Report) -> Features:
    """Everything in the file. Raises the errors of `webapp.imports.errors`."""
    check_file(path, max_mb)
    if path.suffix.lower() in VECTOR:
        return _vector(path, kind, mapping, max_mb)
    return _table(path, kind, mapping, max_mb, report)


def _table(path: Path, kind: Kind, mapping: Mapping, max_mb: int, report: Report) -> Features:
    fields = (*kind.fields, LON, LAT)
    wanted = {key(a) for f in fields for a in (f.name, *f.aliases)} | {
        key(c) for f in mapping.columns for c in mapping.sources(f)
    }
    table = open_table(path, mapping.file, wanted, max_mb)
    numbers: list[int] = []
    rows: list[list[str]] = []
    try:
        for chunk in table.chunks:
            for number, width in chunk.broken:
                report.refuse(number, None, RaggedRow(cells=width, columns=len(table.header)))
            numbers += chunk.numbers
            rows += chunk.rows
    finally:
        table.close()
    if not rows and not report.failed:
        raise HeaderOnly()
    report.read = len(rows) + report.refused
    columns = [list(c) for c in zip(*rows, strict=True)] or [[] for _ in table.header]
    return Features(numbers, table.header, columns, None, None, table.address)


def _vector(path: Path, kind: Kind, mapping: Mapping, max_mb: int) -> Features:
    import pyogrio

    source = _zipped(path, max_mb) if path.suffix.lower() == ".zip" else str(path)
    encoding = {"encoding": mapping.file.encoding} if mapping.file.encoding else {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            layer = _layer(pyogrio.list_layers(source), kind, mapping.file.layer)
            info = pyogrio.read_info(source, layer=layer, **encoding)
            if info["features"] > MOST_FEATURES:
                raise ArchiveTooLarge(limit=f"{MOST_FEATURES:,}")
            frame = pyogrio.read_dataframe(source, layer=layer, fid_as_index=True, **encoding)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FieldError, ValueError,
            UnicodeDecodeError, shapely.errors.ShapelyError) as error:  # fmt: skip
        kind_of_file = DRIVERS[path.suffix.lower()]
        raise FileUnreadable(kind=kind_of_file, reason=type(error).__name__) from None
    if not len(frame):
        raise HeaderOnly()
    if "geometry" not in frame:
        raise FileUnreadable(kind=DRIVERS[path.suffix.lower()], reason="no geometry")
    header = [str(c) for c in frame.columns if c != "geometry"]
    columns = [[_text(v) for v in frame[name].tolist()] for name in header]
    crs = crs_of(mapping.coordinates.crs) if mapping.coordinates.crs else frame.crs
    if crs is None:
        raise CrsMissing()
    shapes = np.asarray(frame.geometry.array, dtype=object)
    return Features(list(range(1, len(frame) + 1)), header, columns, shapes, CRS(crs),
                    lambda row, column: shown(header[column]))  # fmt: skip


def _text(value: Any) -> str:
    if value is None or (isinstance(value, float) and value != value) or value is np.nan:
        return ""
    if isinstance(value, np.generic):
        value = value.item()
    text = as_text(value)
    return "" if text in ("NaT", "<NA>") else text


def _layer(layers: Any, kind: Kind, named: str | None) -> str:
    """The named layer, the only one, the one that is called like the kind, or the only one of its geometry."""
    names = [str(row[0]) for row in layers]
    if named is not None:
        if named not in names:
            raise NoSuchSheet(name=named, found=", ".join(names))
        return named
    if len(names) == 1:
        return names[0]
    called = [n for n in names if key(n) in kind.layers]
    if len(called) == 1:
        return called[0]
    fitting = [
        str(n)
        for n, shape in layers
        if shape and str(shape).upper().removeprefix("MULTI") == kind.shape.removeprefix("MULTI")
    ]
    if len(fitting) == 1:
        return fitting[0]
    raise NoSuchSheet(name=kind.name, found=", ".join(names))


def _zipped(path: Path, max_mb: int) -> str:
    """The one Shapefile inside an archive. Nothing is unpacked to disk, so no name in it can lead anywhere."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError):
        raise FileUnreadable(kind="zip", reason="damaged archive") from None
    if sum(m.file_size for m in members) > max_mb * 1_048_576 or any(
        m.file_size > 1_048_576 and m.file_size > 500 * max(m.compress_size, 1) for m in members
    ):
        raise ArchiveTooLarge(limit=f"{max_mb} MB")
    inside = [m.filename for m in members if m.filename.lower().endswith(".shp")]
    if len(inside) != 1 or ".." in Path(inside[0]).parts:
        raise FileUnreadable(kind="zip", reason=f"{len(inside)} shapefiles inside")
    return f"/vsizip/{{{path.resolve()}}}/{inside[0]}"
