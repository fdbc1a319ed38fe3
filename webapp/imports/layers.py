"""`import areas|crews|stations|pipelines|cameras|samples|masts|buildings`: all of a file or nothing, each code once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyproj import CRS
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from gis import bulk, journal
from gis.complaints.bulk import refile
from gis.complaints.model import ImportBatch
from gis.errors import ChengmaiError
from gis.journal import Who
from gis.places.area_tree import shapes_of_level
from gis.settings import Settings
from webapp.imports import mapping as mappings
from webapp.imports.complaints import refused_by_database, sha256_of
from webapp.imports.coverage import COVERAGE, check_points, lacking
from webapp.imports.errors import BadMapping, Differs, DuplicateInFile
from webapp.imports.features import Features, read_features
from webapp.imports.fields import Columns, read_fields
from webapp.imports.geometry import check_datum, checked, crs_of, to_degrees
from webapp.imports.kinds import KINDS, LAT, LON, Kind
from webapp.imports.links import link, store
from webapp.imports.report import Report
from webapp.imports.site_grounds import kept_grounds, taken_apart
from webapp.imports.text import safe_name


def import_layer(
    sessions: sessionmaker[Session], who: Who, settings: Settings, kind_name: str, path: Path, mapping: str | None,
    datum: str | None = None,
) -> Report:  # fmt: skip
    """Bring a file of one kind in; the report says what became of it."""
    report = Report(settings.language)
    kind = KINDS[kind_name]
    try:
        chosen = mappings.load(mapping) if mapping else mappings.Mapping()
        chosen.check_fields(frozenset({f.name for f in (*kind.fields, LON, LAT)}))
        features = read_features(path, kind, chosen, settings.max_import_mb, report)
        report.read = max(report.read, len(features.numbers))
        columns = read_fields(features, kind, chosen, chosen.zone(settings.timezone), report)
        shapes = _shapes(features, kind, columns, chosen, datum or str(chosen.coordinates.datum), report)
        told, zone = datum or str(chosen.coordinates.datum), chosen.zone(settings.timezone)
        with sessions() as session:
            _store(session, who, kind, path, columns, shapes, told, report, zone)
    except ChengmaiError as error:
        report.refuse(None, None, error)
    except DBAPIError as error:
        report.refuse(None, None, refused_by_database(error))
    if report.failed:
        report.added = 0
    return report


def _shapes(
    features: Features, kind: Kind, columns: Columns, chosen: mappings.Mapping, datum: str, report: Report
) -> np.ndarray:
    crs = features.crs
    shapes = features.shapes
    if shapes is None:
        if kind.shape != "POINT":
            raise BadMapping(where=kind.name, reason="a table of rows cannot hold lines or polygons")
        crs = crs_of(chosen.coordinates.crs or "EPSG:4326")
        shapes = _points(columns)
    assert crs is not None
    grounds = taken_apart(shapes, columns) if kind.ground else None
    shapes = checked(shapes, kind.shape, columns.refuse_place, lambda name: report.warnings.update([name]))
    there = shapely.is_geometry(shapes)
    if features.shapes is None:
        _each(shapes, np.flatnonzero(there), crs, datum, columns)
    elif there.any():
        shapes[there] = to_degrees(shapes[there], crs, datum)
    if grounds is not None:
        columns.values[kind.ground] = kept_grounds(grounds, crs, datum, columns)
    return shapes


def _points(columns: Columns) -> np.ndarray:
    lon, lat = columns.numbers("lon"), columns.numbers("lat")
    shapes = np.full(len(lon), None, dtype=object)
    there = np.isfinite(lon) & np.isfinite(lat)
    shapes[there] = shapely.points(lon[there], lat[there])
    return shapes


def _each(shapes: np.ndarray, where: np.ndarray, crs: CRS, datum: str, columns: Columns) -> None:
    """Convert the points of a table; where the whole does not work, row by row, so that the wrong one is named."""
    try:
        shapes[where] = to_degrees(shapes[where], crs, datum)
    except ChengmaiError:
        for i in where.tolist():
            try:
                shapes[i] = to_degrees(shapes[i : i + 1], crs, datum)[0]
            except ChengmaiError as error:
                columns.refuse_place(i, error)


def _store(
    session: Session, who: Who, kind: Kind, path: Path, columns: Columns, shapes: np.ndarray, datum: str, report: Report,
    zone: tzinfo,
) -> None:  # fmt: skip
    bulk.one_at_a_time(session)
    _refuse_doubles(columns, report)
    rows = link(session, kind, columns, shapes)
    if kind.name == "areas":
        _compare_datum(session, rows, shapes, datum)
    elif kind.name in COVERAGE:
        check_points(session, shapes, datum)
        report.warnings.update(lacking(kind.name, rows))
    good = [i for i in range(len(rows)) if columns.good(i) and shapes[i] is not None]
    # A crew moves: where it stood when the file was written says nothing about whether it is the same crew.
    compared = None if kind.name == "crews" else shapes[good]
    found = bulk.sort_out(session, kind.model, [rows[i] for i in good], compared, kind.geometry)
    report.unchanged = len(found.same)
    for i in found.differing:
        columns.refuse(good[i], "code", Differs())
    if report.failed:
        session.rollback()
        return
    new = [good[i] for i in found.new]
    ids = store(session, who, kind, [rows[i] for i in new], shapes[new], columns, new)
    if report.failed:
        session.rollback()
        return
    report.added = len(ids)
    if ids:
        if kind.name == "areas":
            report.warnings["refiled"] += refile(session, ids, zone)
        _write_down(session, who, kind, path, report)
    session.commit()


def _refuse_doubles(columns: Columns, report: Report) -> None:
    first: dict[str, int] = {}
    for i, code in enumerate(columns.texts("code")):
        if code and first.setdefault(code, i) != i:
            columns.refuse(i, "code", DuplicateInFile(first=columns.features.numbers[first[code]]))


def _compare_datum(session: Session, rows: Sequence[dict[str, Any]], shapes: np.ndarray, datum: str) -> None:
    for level in {row["level"] for row in rows if row["level"]}:
        new = [shape for row, shape in zip(rows, shapes, strict=True) if row["level"] == level and shape is not None]
        check_datum(np.array(new, dtype=object), np.array(shapes_of_level(session, level), dtype=object), datum)


def _write_down(session: Session, who: Who, kind: Kind, path: Path, report: Report) -> None:
    batch = ImportBatch(
        kind=kind.name, file_name=safe_name(path), sha256=sha256_of(path), at=who.now, user_id=who.user_id,
        counts=report.counts(),
    )  # fmt: skip
    session.add(batch)
    session.flush()
    journal.write(session, who, "import", "import", batch.id, kind=kind.name, **report.counts())
    session.flush()
