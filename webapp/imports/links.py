"""What a row of a layer refers to (its unit, its area, its parent, its station), and the rows as their tables hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import shapely
from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from gis import bulk
from gis.complaints.bulk import area_index, areas_by_word, units_by_word
from gis.dispatch.model import CrewSkill, Shift
from gis.inspections.rules import Stage
from gis.journal import Who
from gis.network.model import Station
from gis.people.model import Unit
from gis.people.rules import UnitKind
from gis.places.area_tree import set_parents
from webapp.imports.errors import BadDatetime, UnknownWord
from webapp.imports.fields import Columns
from webapp.imports.kinds import Kind, level_of
from webapp.imports.text import shown

# A field that is not a column of the table but leads to one, or to a table of its own.
APART = frozenset(
    {
        "contractor",
        "planned_from",
        "planned_to",
        "unit",
        "area",
        "parent",
        "station",
        "skills",
        "on_duty_from",
        "on_duty_until",
        "lon",
        "lat",
    }
)


def link(session: Session, kind: Kind, columns: Columns, shapes: np.ndarray) -> list[dict[str, Any]]:
    """The rows of a file with everything they refer to as ids; a word that leads nowhere is refused."""
    own = [f for f in kind.fields if f.name in columns.values and f.name not in APART]
    rows = [{f.name: columns.values[f.name][i] for f in own} for i in range(len(columns.features.numbers))]
    for field in own:
        if field.type == "text" and field.name in ("name", "source", "operator") and kind.name != "buildings":
            for row in rows:
                row[field.name] = row[field.name] or ""
        if field.name in ("households", "people"):
            for row in rows:
                row[field.name] = row[field.name] or 0
    if kind.field("unit") and "unit" in columns.values:
        _refer(rows, columns, "unit", "unit_id", {w: int(i) for w, i in units_by_word(session).items()})
    if kind.name == "areas":
        _areas(rows, columns)
    elif kind.name in ("stations", "crews"):
        _within(session, kind, rows, columns, shapes)
    elif kind.name == "pipelines" and "station" in columns.values:
        _refer(rows, columns, "station", "station_id", dict(session.execute(select(Station.code, Station.id)).all()))
    elif kind.name in ("cameras", "masts"):
        _working(rows)
    elif kind.name == "sites":
        fill_sites(session, kind, rows, columns, shapes)
    return rows


def _refer(rows: list[dict[str, Any]], columns: Columns, field: str, column: str, ids: Mapping[str, int]) -> None:
    for i, word in enumerate(columns.values[field]):
        rows[i][column] = ids.get(word) if word else None
        if word and word not in ids:
            columns.refuse(i, field, UnknownWord(value=shown(word), field=field))


def _areas(rows: list[dict[str, Any]], columns: Columns) -> None:
    """A level that is not given is told by the administrative code."""
    for i, row in enumerate(rows):
        row["level"] = row.get("level") or level_of(row["code"] or "")
        if row["level"] is None and columns.good(i):
            columns.refuse(
                i,
                "level" if "level" in columns.places else "code",
                UnknownWord(value=shown(row["code"]), field="level"),
            )


def _within(session: Session, kind: Kind, rows: list[dict[str, Any]], columns: Columns, shapes: np.ndarray) -> None:
    """The area that is named; a station otherwise belongs to the smallest area that holds it."""
    if "area" in columns.values:
        named = {word: next(iter(chain.values())) for word, chain in areas_by_word(session).items()}
        _refer(rows, columns, "area", "area_id", named)
    if kind.name == "crews":
        for i, (start, end) in enumerate(
            zip(columns.texts("on_duty_from"), columns.texts("on_duty_until"), strict=True)
        ):
            if end and start and not start < end:
                columns.refuse(i, "on_duty_until", BadDatetime(value=end.isoformat()))
        return
    there = shapely.is_geometry(shapes)
    lon, lat = np.full(len(shapes), np.nan), np.full(len(shapes), np.nan)
    lon[there], lat[there] = shapely.get_x(shapes[there]), shapely.get_y(shapes[there])
    found = area_index(session).find(lon, lat)
    for i, row in enumerate(rows):
        holding = (int(found[level][i]) for level in ("compound", "community", "street", "district") if level in found)
        row["area_id"] = row.get("area_id") or next((a for a in holding if a), None)


def fill_sites(session: Session, kind: Kind, rows: list[dict[str, Any]], columns: Columns, shapes: np.ndarray) -> None:
    """Contractor, area, days and ground; a site whose stage is not told has not begun."""
    if "contractor" in columns.values:
        contractors = session.execute(select(Unit.code, Unit.name, Unit.id).where(Unit.kind == UnitKind.CONTRACTOR))
        known = {word: row.id for row in contractors for word in (row.name, row.code)}
        _refer(rows, columns, "contractor", "contractor_id", known)
    _within(session, kind, rows, columns, shapes)
    for name in ("planned_from", "planned_to"):
        for i, text in enumerate(columns.texts(name)):
            if name in columns.values:
                rows[i][name] = _day_of(columns, i, name, text)
    for i, row in enumerate(rows):
        row["stage"] = row.get("stage") or Stage.BEFORE
        for name in ("address", "note"):
            if name in row:
                row[name] = row[name] or ""
        if "footprint" in columns.values:
            row["footprint"] = columns.values["footprint"][i]
        if row.get("planned_from") and row.get("planned_to") and row["planned_to"] < row["planned_from"]:
            columns.refuse(i, "planned_to", BadDatetime(value=str(row["planned_to"])))


def _day_of(columns: Columns, i: int, name: str, text: str | None) -> date | None:
    """A day as people and spreadsheets write it: 2009-11-17, 2009/11/17, with or without a time."""
    if not text:
        return None
    parts = (
        text.replace("/", "-")
        .replace("年", "-")
        .replace("月", "-")
        .replace("日", "")
        .split(" ")[0]
        .split("T")[0]
        .split("-")
    )
    try:
        year, month, day = (int(part) for part in parts)
        return date(year, month, day)
    except ValueError:
        columns.refuse(i, name, BadDatetime(value=shown(text)))
        return None


def _working(rows: list[dict[str, Any]]) -> None:
    """What is not said to be broken or planned works; a bearing goes once round."""
    for row in rows:
        row["state"] = row.get("state") or "working"
        if row.get("bearing_deg") is not None:
            row["bearing_deg"] %= 360


def store(
    session: Session, who: Who, kind: Kind, rows: Sequence[dict[str, Any]], shapes: np.ndarray, columns: Columns,
    places: Sequence[int],
) -> list[int]:  # fmt: skip
    """Add new rows; what hangs on them comes after."""
    if kind.name == "crews":
        rows = [{**row, "position_at": who.now} for row in rows]
    ids = bulk.add(session, kind.model, rows, shapes, kind.geometry)
    if kind.name == "crews" and ids:
        _crew_details(session, who, ids, columns, places)
    if kind.name == "areas" and ids:
        _parents(session, ids, [columns.texts("parent")[i] for i in places], columns, places)
    return ids


def _parents(
    session: Session, ids: Sequence[int], codes: Sequence[str | None], columns: Columns, places: Sequence[int]
) -> None:
    named = {i: code for i, code in zip(ids, codes, strict=True) if code}
    unknown = set_parents(session, named)
    for area, i in zip(ids, places, strict=True):
        if area in unknown:
            columns.refuse(i, "parent", UnknownWord(value=shown(named[area]), field="parent"))


def _crew_details(session: Session, who: Who, ids: Sequence[int], columns: Columns, places: Sequence[int]) -> None:
    """Skills, and the time on duty: from now on and without an end where the file says nothing."""
    skills = columns.values.get("skills")
    given = [
        {"crew_id": c, "skill": s} for c, i in zip(ids, places, strict=True) for s in (skills[i] if skills else ())
    ]
    if given:
        session.execute(insert(CrewSkill), given)
    start, end = columns.values.get("on_duty_from"), columns.values.get("on_duty_until")
    session.execute(insert(Shift), [
        {"crew_id": c, "during": Range((start[i] if start else None) or who.now, end[i] if end else None)}
        for c, i in zip(ids, places, strict=True)
    ])  # fmt: skip
