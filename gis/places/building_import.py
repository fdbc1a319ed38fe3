"""Buildings of an OpenStreetMap extract: outlines with name and height, assembled from ways and multipolygons."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shapely
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import journal
from gis.db import SRID
from gis.journal import Who
from gis.places.road_files import FileReport, UnknownFile
from gis.places.road_import import copy_rows
from gis.places.rules import STOREY_M, BadGeometry

FOOT_M = 0.3048


@dataclass(frozen=True)
class Outline:
    """One building as the file has it. `code` stays the same when the file is read again."""

    code: str
    name: str | None
    height_m: float | None
    shape: shapely.MultiPolygon


def read_buildings(path: Path, report: FileReport) -> Iterator[Outline]:
    """The buildings of an .osm.pbf file, counted in `report`. Raises UnknownFile."""
    import osmium

    if not path.is_file():
        raise UnknownFile(reason=f"no file {path.name}")
    maker = osmium.geom.WKBFactory()
    try:
        found = osmium.FileProcessor(str(path)).with_areas(osmium.filter.KeyFilter("building"))
        for thing in found.with_filter(osmium.filter.KeyFilter("building")):
            if isinstance(thing, osmium.osm.Area) and thing.tags["building"] != "no":
                made = _outline(thing, maker, report)
                if made is not None:
                    yield made
    except (RuntimeError, OSError) as error:
        raise UnknownFile(reason=f"{path.name}: {error}") from None


def _outline(area: Any, maker: Any, report: FileReport) -> Outline | None:
    report.read += 1
    code = f"osm-{'w' if area.from_way() else 'r'}{area.orig_id()}"
    shape = shapely.make_valid(shapely.from_wkb(maker.create_multipolygon(area)))
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon" and part.area > 0]
    if not parts:
        report.refuse(code, "geometry", BadGeometry(reason=shape.geom_type))
        return None
    tags = {tag.k: tag.v for tag in area.tags}
    return Outline(code, (tags.get("name") or "")[:160] or None, height_m(tags), shapely.MultiPolygon(parts))


def height_m(tags: dict[str, str]) -> float | None:
    """`"12"`, `"12.5 m"`, `"40'"`, or storeys × 3 m; None where nothing sensible is said."""
    said = re.fullmatch(r"(\d{1,4}(?:\.\d+)?)\s*(m|ft|')?", tags.get("height", "").strip())
    if said:
        return round(float(said[1]) * (FOOT_M if said[2] in ("ft", "'") else 1.0), 2) or None
    storeys = re.fullmatch(r"(\d{1,3})(?:\.\d+)?", tags.get("building:levels", "").strip())
    return float(storeys[1]) * STOREY_M or None if storeys else None


_DIFFERENT = """
    (b.name, b.height_m) IS DISTINCT FROM (n.name, n.height_m) OR ST_AsBinary(b.geom) IS DISTINCT FROM ST_AsBinary(n.geom)
"""
_WRITE = text(
    f"""
    WITH written AS (
        INSERT INTO building (code, name, height_m, geom)
        SELECT n.code, n.name, n.height_m, n.geom FROM new_building n LEFT JOIN building b USING (code)
         WHERE b.id IS NULL OR {_DIFFERENT}
        ON CONFLICT (code) DO UPDATE SET name = excluded.name, height_m = excluded.height_m, geom = excluded.geom
        RETURNING 1)
    SELECT (SELECT count(*) FROM written) AS added, (SELECT count(*) FROM new_building) AS read
    """
)


def import_buildings(session: Session, who: Who, path: Path) -> dict[str, Any]:
    """Add the buildings of a file; the same file twice adds nothing. A building whose outline cannot be used refuses the
    file: the report then says which, and nothing is stored. The door commits."""
    report = FileReport()
    outlines = {outline.code: outline for outline in read_buildings(path, report)}
    result: dict[str, Any] = {
        "read": report.read, "added": 0, "unchanged": 0, "refused": report.refused, "not_located": 0, "errors": report.errors,
    }  # fmt: skip
    if report.refused or not outlines:
        return result
    session.execute(text("DROP TABLE IF EXISTS new_building"))
    session.execute(
        text("CREATE TEMP TABLE new_building (code text PRIMARY KEY, name text, height_m float8,"
             " geom geometry(MultiPolygon, 4326)) ON COMMIT DROP")
    )  # fmt: skip
    _copy(session, list(outlines.values()))
    counts = session.execute(_WRITE).one()
    session.execute(text("DROP TABLE new_building"))
    if counts.added:
        journal.write(session, who, "import", "building", path.name[:64], added=counts.added)
    return result | {"added": counts.added, "unchanged": report.read - counts.added}


def _copy(session: Session, outlines: list[Outline]) -> None:
    shapes = shapely.set_srid([outline.shape for outline in outlines], SRID)
    hexes = shapely.to_wkb(shapes, hex=True, include_srid=True)
    rows = ((o.code, o.name, o.height_m, shape) for o, shape in zip(outlines, hexes, strict=True))
    copy_rows(session, "new_building (code, name, height_m, geom)", rows)
