"""Things with a code of their own, many at once: what is new is added, the same is left, what differs is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import shapely
from geoalchemy2 import WKBElement
from geoalchemy2.shape import to_shape
from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

from gis.db import SRID

PAGE = 2_000
TOLERANCE_DEG = 1e-8  # a millimetre
IMPORT_LOCK = "SELECT pg_advisory_xact_lock(hashtext('chengmai import'))"


@dataclass(frozen=True)
class Sorted:
    """Row numbers (places in the list that was given) by what is to become of them."""

    new: list[int]
    same: list[int]
    differing: list[int]


def one_at_a_time(session: Session) -> None:
    """Wait for an import that is under way; the lock ends with the transaction."""
    session.execute(text("SET LOCAL lock_timeout = 0"))
    session.execute(text(IMPORT_LOCK))


def sort_out(
    session: Session, model: Any, rows: Sequence[Mapping[str, Any]], shapes: Sequence[Any] | None, geometry: str
) -> Sorted:
    """Which rows have a code that is not kept yet, which say what is kept, which say something else?

    Only the columns that a row gives are compared; `shapes` None leaves the geometry out of it.
    """
    kept = _kept(session, model, rows, geometry, with_shape=shapes is not None)
    found = Sorted([], [], [])
    for i, row in enumerate(rows):
        there = kept.get(row["code"])
        if there is None:
            found.new.append(i)
            continue
        same = all(_equal(there[name], value) for name, value in row.items())
        if same and shapes is not None:
            same = shapely.equals_exact(there["_shape"], shapes[i], tolerance=TOLERANCE_DEG)
        (found.same if same else found.differing).append(i)
    return found


def _equal(kept: Any, given: Any) -> bool:
    if isinstance(kept, WKBElement) and isinstance(given, WKBElement):
        return bool(shapely.equals_exact(to_shape(kept), to_shape(given), tolerance=TOLERANCE_DEG))
    return abs(kept - given) < 1e-9 if isinstance(kept, float) and isinstance(given, float) else bool(kept == given)


def _kept(
    session: Session, model: Any, rows: Sequence[Mapping[str, Any]], geometry: str, *, with_shape: bool
) -> dict[str, dict[str, Any]]:
    names = list(rows[0]) if rows else ["code"]
    columns = [getattr(model, name) for name in names]
    if with_shape:
        columns.append(func.ST_AsBinary(getattr(model, geometry)).label("_shape"))
    kept: dict[str, dict[str, Any]] = {}
    codes = [row["code"] for row in rows]
    for at in range(0, len(codes), PAGE):
        for found in session.execute(select(*columns).where(model.code.in_(codes[at : at + PAGE]))).mappings():
            there = dict(found)
            if with_shape:
                there["_shape"] = shapely.from_wkb(bytes(there["_shape"]))
            kept[there["code"]] = there
    return kept


def add(
    session: Session, model: Any, rows: Sequence[Mapping[str, Any]], shapes: Sequence[Any], geometry: str
) -> list[int]:
    """Insert; the ids in the order given."""
    ids: list[int] = []
    table = model.__table__  # the ORM would send rows apart where one leaves a field empty and the next does not
    for at in range(0, len(rows), PAGE):
        values = [
            {**row, geometry: WKBElement(shapely.to_wkb(shape), srid=SRID)}
            for row, shape in zip(rows[at : at + PAGE], shapes[at : at + PAGE], strict=True)
        ]
        statement = insert(table).returning(table.c.id, sort_by_parameter_order=True)
        ids += [int(i) for i in session.scalars(statement, values)]
    return ids
