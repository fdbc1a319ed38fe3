"""Layers as rows for any program: a room says which rows a collection has, this module asks a page of them.

Pages go on after the last id that was told, so nothing is skipped or told twice while rows are added. The geometry leaves
the database as text that is put into the answer as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

MATCHED_MAX = 10_000  # more rows than this are not counted for an answer that shows a few of them


class Kind(StrEnum):
    """What a property of a feature holds."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    MOMENT = "date-time"
    DAY = "date"


_CAST = {Kind.STRING: "text", Kind.INTEGER: "bigint", Kind.NUMBER: "double precision", Kind.BOOLEAN: "boolean",
         Kind.MOMENT: "timestamptz", Kind.DAY: "date"}  # fmt: skip


@dataclass(frozen=True)
class Property:
    """One property. `asked`: rows can be asked by it. `said`: words that people wrote, in which numbers are masked."""

    name: str
    kind: Kind = Kind.STRING
    asked: bool = False
    said: bool = False


@dataclass(frozen=True)
class Collection:
    """A layer. `rows` is SQL that gives `id`, `geom` and every property; it narrows itself by `:area_id` and `:unit_id`.

    `right` None is public. `begins` and `ends` are the properties between which a feature is in time.
    """

    id: str
    title: str
    about: str
    geometry: str
    rows: str
    properties: tuple[Property, ...]
    right: str | None = None
    begins: str | None = None
    ends: str | None = None

    @property
    def queryables(self) -> dict[str, Property]:
        """The properties that rows can be asked by."""
        return {p.name: p for p in self.properties if p.asked}


@dataclass(frozen=True)
class Asked:
    """Which features. `box` is west, south, east, north; where west is beyond east it crosses the date line."""

    after: int = 0
    limit: int = 100
    id: int | None = None
    box: tuple[float, float, float, float] | None = None
    begin: datetime | None = None
    end: datetime | None = None
    equal: Mapping[str, Any] = field(default_factory=dict)
    srid: int = 4326
    flipped: bool = False


@dataclass(frozen=True)
class Around:
    """What the rows depend on beside the question: who asks, and when."""

    area_id: int | None
    unit_id: int | None
    now: datetime
    zone: str

    def params(self, asked: Asked) -> dict[str, Any]:
        return {
            "area_id": self.area_id, "unit_id": self.unit_id, "now": self.now, "zone": self.zone,
            "begin": asked.begin, "end": asked.end, "id": asked.id,
        }  # fmt: skip


@dataclass(frozen=True)
class Page:
    """Features in the order of their ids; `more` when there are others after the last."""

    rows: Sequence[Any]
    more: bool


def page(session: Session, collection: Collection, asked: Asked, around: Around) -> Page:
    """Which features, the next `limit` after `asked.after`? Each row: id, geometry (GeoJSON text or None), properties."""
    shape = "f.geom" if asked.srid == 4326 else f"ST_Transform(f.geom, {int(asked.srid)})"
    if asked.flipped:
        shape = f"ST_FlipCoordinates({shape})"
    digits = 2 if asked.srid == 3857 else 7
    columns = ", ".join(f'f."{p.name}"' for p in collection.properties)
    where, params = _where(collection, asked, around)
    statement = f"""
        SELECT f.id, ST_AsGeoJSON({shape}, {digits}, 0) AS geometry, {columns}
          FROM ({collection.rows}) AS f WHERE {where} ORDER BY f.id LIMIT :limit
    """
    found = session.execute(text(statement), params | {"limit": asked.limit + 1}).mappings().all()
    return Page(found[: asked.limit], len(found) > asked.limit)


def matched(session: Session, collection: Collection, asked: Asked, around: Around) -> int | None:
    """How many features in all, or None where they are too many to count for one page."""
    where, params = _where(collection, asked, around, paged=False)
    statement = (
        f"SELECT count(*) FROM (SELECT 1 FROM ({collection.rows}) AS f WHERE {where} LIMIT {MATCHED_MAX + 1}) AS c"
    )
    count = int(session.scalar(text(statement), params) or 0)
    return count if count <= MATCHED_MAX else None


def _where(collection: Collection, asked: Asked, around: Around, *, paged: bool = True) -> tuple[str, dict[str, Any]]:
    found, params = ["true"], around.params(asked)
    if paged and asked.id is None:
        found.append("f.id > :after")
        params["after"] = asked.after
    if asked.id is not None:
        found.append("f.id = :id")
    if asked.box is not None:
        found.append(_inside(asked.box, params))
    if collection.begins and (asked.begin is not None or asked.end is not None):
        begins, ends = f'f."{collection.begins}"', f'f."{collection.ends or collection.begins}"'
        found.append(f"(CAST(:end AS timestamptz) IS NULL OR {begins} <= :end)")
        found.append(f"(CAST(:begin AS timestamptz) IS NULL OR {ends} >= :begin)")
    for n, (name, value) in enumerate(asked.equal.items()):
        kind = collection.queryables[name].kind
        found.append(f'f."{name}" = CAST(:equal_{n} AS {_CAST[kind]})')
        params[f"equal_{n}"] = value
    return " AND ".join(found), params


def _inside(box: tuple[float, float, float, float], params: dict[str, Any]) -> str:
    west, south, east, north = box
    spans = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
    told = []
    for n, (left, right) in enumerate(spans):
        params |= {f"west_{n}": left, f"east_{n}": right}
        envelope = f"ST_MakeEnvelope(:west_{n}, :south, :east_{n}, :north, 4326)"
        told.append(f"(f.geom && {envelope} AND ST_Intersects(f.geom, {envelope}))")
    params |= {"south": south, "north": north}
    return f"({' OR '.join(told)})"


def extent(session: Session, collection: Collection, around: Around) -> tuple[float, float, float, float] | None:
    """West, south, east and north of a collection, or None where it is empty."""
    box = f"SELECT ST_Extent(f.geom)::geometry AS box FROM ({collection.rows}) AS f"
    edges = "SELECT ST_XMin(box), ST_YMin(box), ST_XMax(box), ST_YMax(box)"
    row = session.execute(text(f"{edges} FROM ({box}) AS e"), around.params(Asked())).one()
    return None if row[0] is None else (row[0], row[1], row[2], row[3])
