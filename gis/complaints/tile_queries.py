"""What the tile index asks of the database: all located complaints, those that changed, and those that say something.

Rows come by COPY in PostgreSQL's binary format. Every column is there in every row, so all rows have one length and
numpy reads them in place: a million takes seconds, not minutes.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from gis.complaints import tile_kernels as kernels
from gis.complaints.model import Category, Complaint
from gis.complaints.queries import Filters
from gis.complaints.tile_index import STATUSES, question
from gis.complaints.tile_kernels import Columns, Question
from gis.people.rules import Scope

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # PostgreSQL counts microseconds from here
_AREAS = ("district_id", "street_id", "community_id", "compound_id")
_ROWS = f"""
    COPY (SELECT id::int8, ST_X(geom), ST_Y(geom), (array_position(%(statuses)s, status::text) - 1)::int2,
                 (array_position(%(categories)s, category::text) - 1)::int2,
                 {", ".join(f"coalesce({name}, 0)::int4" for name in (*_AREAS, "unit_id"))},
                 received_at, CASE WHEN paused_at IS NULL OR closed_at IS NOT NULL THEN resolve_by ELSE 'infinity' END,
                 coalesce(closed_at, 'infinity')
            FROM complaint
           WHERE geom IS NOT NULL AND NOT ST_IsEmpty(geom) AND (%(ids)s::bigint[] IS NULL OR id = ANY(%(ids)s)))
      TO STDOUT (FORMAT binary)
"""
_FIELDS = (
    ("id", "i8"), ("lon", "f8"), ("lat", "f8"), ("status", "i2"), ("category", "i2"),
    *((name, "i4") for name in (*_AREAS, "unit_id")), ("received", "i8"), ("resolve", "i8"), ("closed", "i8"),
)  # fmt: skip
# Each row is a 16-bit count of fields; each field a 32-bit length and its value, all big-endian.
_RECORD = np.dtype(
    [("fields", ">i2"), *(part for name, kind in _FIELDS for part in ((f"{name}#", ">i4"), (name, f">{kind}")))]
)
_HEAD, _TAIL = 19, 2


def categories(session: Session, known: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The codes of all categories; those in `known` keep their places."""
    codes = session.scalars(select(Category.code).order_by(Category.code)).all()
    return (*known, *(code for code in codes if code not in known))


def rows(session: Session, categories: tuple[str, ...], ids: Iterable[int] | None = None) -> Columns:
    """All located complaints, or those of these ids."""
    wanted = {
        "statuses": list(STATUSES), "categories": list(categories), "ids": None if ids is None else list(ids),
    }  # fmt: skip
    data = io.BytesIO()
    raw: Any = session.connection().connection  # SQLAlchemy has no COPY: psycopg2's own cursor, in our transaction
    with raw.cursor() as cursor:
        cursor.copy_expert(cursor.mogrify(_ROWS, wanted).decode(), data)
    return _columns(data.getbuffer())


def any_located(session: Session) -> bool:
    """Is there anything to draw at all?"""
    return bool(session.scalar(select(exists().where(Complaint.geom.isnot(None)))))


def _columns(data: memoryview) -> Columns:
    many, rest = divmod(len(data) - _HEAD - _TAIL, _RECORD.itemsize)
    if rest:
        raise ValueError("a complaint with a missing value")
    read = np.frombuffer(data, _RECORD, many, _HEAD)
    lon, lat = (_native(read[name], np.float64) for name in ("lon", "lat"))
    return Columns(
        kernels.keys(lon, lat), _native(read["id"], np.int64), _native(read["status"], np.uint8),
        _native(read["category"], np.int16),
        np.stack([_native(read[name], np.int32) for name in _AREAS], axis=1), _native(read["unit_id"], np.int32),
        *(_native(read[name], np.int64) for name in ("received", "resolve", "closed")),
    )  # fmt: skip


def _native(column: NDArray[Any], kind: Any) -> Any:
    return np.ascontiguousarray(column, kind)


def saying(session: Session, filters: Filters, now: datetime) -> list[int]:
    """Which complaints say `filters.q` and bear `filters.mark`? The index knows neither, so this one asks the database."""
    only_text = Filters(q=filters.q, callers=filters.callers, mark=filters.mark)
    return list(session.scalars(select(Complaint.id).where(Complaint.geom.isnot(None), *only_text.conditions(now))))


def ask(
    filters: Filters, scope: Scope, now: datetime, categories: tuple[str, ...], only: Iterable[int] | None = None
) -> Question:
    """`Filters` and `Scope` as the index understands them; `only` are the ids that `saying` found."""
    return question(
        micro(now), status=filters.status, category=filters.category, time_state=filters.time_state,
        areas=filters.district, units=filters.unit, scope_area=scope.area_id, scope_unit=scope.unit_id,
        since=micro(filters.since) if filters.since else -kernels.FOREVER,
        until=micro(filters.until) if filters.until else kernels.FOREVER, only=only, categories=categories,
    )  # fmt: skip


def micro(at: datetime) -> int:
    """Microseconds since 2000, as PostgreSQL keeps a moment."""
    return (at - EPOCH) // timedelta(microseconds=1)
