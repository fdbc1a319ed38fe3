"""What is looked at when cameras, signal samples and masts come in: what cameras lack, and whether the datum can be true."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import shapely
from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from gis.coverage.rules import Optics
from gis.geo import to_wgs84, wgs84_to_gcj02
from gis.places.rules import DATUM_NAMES, Datum, WrongDatum

COVERAGE = ("cameras", "samples", "masts")
LEAST = 20  # fewer points tell nothing
MISSES, FITS = 0.5, 0.85  # as declared under half fit; read otherwise nearly all do
ROADSIDE_DEG, KERB_DEG = (
    0.0003,
    0.00006,
)  # about 30 m; about 6 m, for streets so regular that a shift ends on other streets

_INSIDE = text(
    """
    SELECT count(*) FILTER (WHERE EXISTS (SELECT 1 FROM area AS a WHERE a.level IN ('city', 'district')
                                             AND ST_Covers(a.geom, ST_SetSRID(ST_MakePoint(lon, lat), 4326))))
      FROM unnest(CAST(:lon AS float8[]), CAST(:lat AS float8[])) AS p (lon, lat)
    """
)
_NEAR_ROAD = text(
    """
    SELECT count(*) FILTER (WHERE EXISTS (SELECT 1 FROM road_edge AS e
                                           WHERE ST_DWithin(e.geom, ST_SetSRID(ST_MakePoint(lon, lat), 4326), :near)))
      FROM unnest(CAST(:lon AS float8[]), CAST(:lat AS float8[])) AS p (lon, lat)
    """
)
_READ = {
    Datum.GCJ02: lambda lon, lat: to_wgs84(lon, lat, "gcj02"),
    Datum.BD09: lambda lon, lat: to_wgs84(lon, lat, "bd09"),
    Datum.WGS84: wgs84_to_gcj02,  # declared GCJ-02 and converted, though it was WGS-84
}
SAMPLED = 500


def check_points(session: Session, shapes: np.ndarray, declared: str) -> None:
    """WrongDatum where the points fit the known districts, or lie beside the known roads, only when they are read in
    another system: GCJ-02 lies 400 to 600 m off in China."""
    points = shapes[shapely.is_geometry(shapes)]
    if len(points) < LEAST:
        return
    points = points[:: max(1, len(points) // SAMPLED)]
    lon, lat = shapely.get_x(points), shapely.get_y(points)
    for known, question, near in (
        ("area", _INSIDE, 0.0),
        ("road_edge", _NEAR_ROAD, ROADSIDE_DEG),
        ("road_edge", _NEAR_ROAD, KERB_DEG),
    ):
        if not session.scalar(text(f"SELECT EXISTS (SELECT 1 FROM {known})")):
            continue
        if _share(session, question, near, lon, lat) >= MISSES:
            continue
        fit = {datum: _share(session, question, near, *read(lon, lat)) for datum, read in _READ.items()}
        best = max(fit, key=lambda datum: fit[datum])
        if fit[best] >= FITS:
            raise WrongDatum(declared=DATUM_NAMES[Datum(declared)], looks_like=DATUM_NAMES[best], datum=str(best))


def _share(session: Session, question: TextClause, near: float, lon: Any, lat: Any) -> float:
    given = {"lon": np.asarray(lon).tolist(), "lat": np.asarray(lat).tolist()}
    if question is _NEAR_ROAD:
        given["near"] = near
    return float(session.scalar(question, given) or 0) / len(given["lon"])


def lacking(kind: str, rows: Sequence[dict[str, Any]]) -> Counter[str]:
    """How many cameras lack what a view field needs, by what they lack: told with the file, guessed never."""
    found: Counter[str] = Counter()
    if kind == "cameras":
        for row in rows:
            optics = Optics(**{f.name: row[f.name] for f in fields(Optics) if row.get(f.name) is not None})
            found.update(f"camera_{lack}" for lack in optics.lacks())
    return found
