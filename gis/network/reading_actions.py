"""What is done with readings: a batch is kept, months are made ahead. Whatever cannot be kept is kept as a fault."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import journal
from gis.journal import Who
from gis.network import reading_queries as asking
from gis.network.reading_checks import Fault, SortedOut, sort_out
from gis.network.reading_rules import FaultKind, FromWhere
from gis.people.rules import Scope

MONTHS_AHEAD = 2

# One statement per batch. In order of their key, so that two batches wait for each other and never in a circle. `there` are
# those that were kept before it (a partitioned table does not tell an insert from an update by its system columns).
_KEEP = text(
    """
    WITH given AS MATERIALIZED (
        SELECT point_id, at, value, revision, contradicted
          FROM unnest(CAST(:points AS integer[]), CAST(:ats AS timestamptz[]), CAST(:values AS double precision[]),
                      CAST(:revisions AS smallint[]), CAST(:contradicted AS boolean[]))
               AS g (point_id, at, value, revision, contradicted)
         ORDER BY point_id, at),
    put AS (
        INSERT INTO reading AS r (point_id, at, value, received_at, revision, contradicted)
        SELECT point_id, at, value, :now, revision, contradicted FROM given
            ON CONFLICT (point_id, at) DO UPDATE SET
               value = CASE WHEN excluded.revision > r.revision THEN excluded.value ELSE greatest(r.value, excluded.value) END,
               contradicted = CASE WHEN excluded.revision > r.revision THEN excluded.contradicted ELSE true END,
               revision = excluded.revision, received_at = excluded.received_at
         WHERE excluded.revision > r.revision
            OR excluded.revision = r.revision AND (excluded.value <> r.value OR excluded.contradicted)
               AND (excluded.value > r.value OR NOT r.contradicted)
        RETURNING r.point_id, r.contradicted),
    there AS (
        SELECT count(*) AS rows
          FROM given g, LATERAL (SELECT FROM reading r WHERE r.point_id = g.point_id AND r.at = g.at OFFSET 0) r)
    SELECT count(*) AS written, (SELECT rows FROM there) AS there,
           coalesce(array_agg(DISTINCT point_id) FILTER (WHERE contradicted), '{}') AS contradicting
      FROM put
    """
)
_FAULTS = text(
    """
    INSERT INTO reading_fault AS f (day, object, kind, came_by, point_id, times, example, first_at, last_at)
    SELECT :day, object, kind, :came_by, point_id, times, example, :now, :now
      FROM unnest(CAST(:objects AS text[]), CAST(:kinds AS text[]), CAST(:points AS integer[]), CAST(:times AS bigint[]),
                  CAST(:examples AS text[])) AS g (object, kind, point_id, times, example)
     ORDER BY object, kind
        ON CONFLICT (day, object, kind, came_by) DO UPDATE
       SET times = f.times + excluded.times, example = excluded.example, last_at = excluded.last_at
    """
)


@dataclass(frozen=True)
class Kept:
    """What became of a batch; `unchanged` was there already, or an older revision of what is."""

    received: int
    new: int
    corrected: int
    unchanged: int
    faults: list[dict[str, Any]]

    def as_dict(self) -> dict[str, Any]:
        """For an answer in JSON."""
        return dict(vars(self))


def keep(
    session: Session, who: Who, scope: Scope, rows: Sequence[Any], came_by: FromWhere, *, ahead: timedelta, zone: tzinfo | None = None,
    unreadable: Iterable[tuple[str, str]] = (),
) -> Kept:  # fmt: skip
    """Keep a batch, whatever its order and however often it comes. Points outside the scope are unknown ones.

    `unreadable`: what a line brought that is no reading at all, as (where it came from, what it was).
    """
    points = asking.known(session, scope, {str(r.get("point")) for r in rows if isinstance(r, dict)})
    sorted_out = sort_out(rows, points, who.now, ahead, zone)
    for where, said in unreadable:
        sorted_out.received += 1
        sorted_out.fault(FaultKind.UNREADABLE, said, where)
    new, corrected, contradicting = _put(session, who, sorted_out)
    names = {point.id: code for code, point in points.items()}
    for point_id in contradicting:
        sorted_out.fault(FaultKind.CONTRADICTS, names[point_id], names[point_id], point_id)
    _keep_faults(session, who, came_by, sorted_out)
    wrong = sum(f.times for (_, kind), f in sorted_out.faults.items() if kind != FaultKind.CONTRADICTS)
    kept = Kept(
        sorted_out.received, new, corrected, sorted_out.received - wrong - new - corrected, told(sorted_out.faults)
    )
    if new or corrected or kept.faults:
        journal.write(session, who, "ingest", "reading", came_by, new=new, corrected=corrected, faults=wrong)
    session.flush()
    return kept


def told(faults: dict[tuple[str, FaultKind], Fault]) -> list[dict[str, Any]]:
    """Faults as rows, the most frequent first."""
    rows = [{"object": o, "kind": str(kind), "times": f.times, "example": f.example} for (o, kind), f in faults.items()]
    return sorted(rows, key=lambda row: (-row["times"], row["object"], row["kind"]))


def _put(session: Session, who: Who, found: SortedOut) -> tuple[int, int, list[int]]:
    if not found.kept:
        return 0, 0, []
    make_months(session, {at.date().replace(day=1) for _, at in found.kept})
    values = found.kept.values()
    row = session.execute(_KEEP, {
        "points": _array(p for p, _ in found.kept), "ats": _array(at.isoformat() for _, at in found.kept),
        "values": _array(v[0] for v in values), "revisions": _array(v[1] for v in values),
        "contradicted": _array("t" if v[2] else "f" for v in values), "now": who.now,
    }).one()  # fmt: skip
    new = len(found.kept) - row.there
    return new, row.written - new, sorted(row.contradicting)


def _array(values: Iterable[object]) -> str:
    """An array as PostgreSQL reads it: one text is ten times faster to send than a list of parameters."""
    return "{" + ",".join(map(str, values)) + "}"


def make_months(session: Session, months: Iterable[date]) -> int:
    """Make the partitions of these months that are not there; how many were made."""
    asked = {"months": sorted(set(months))}
    return int(session.scalar(text("SELECT make_reading_months(CAST(:months AS date[]))"), asked) or 0)


def make_months_ahead(session: Session, now: datetime) -> int:
    """This month's partition and the next ones, before anything comes for them."""
    first, months = now.date().replace(day=1), []
    for _ in range(MONTHS_AHEAD + 1):
        months.append(first)
        first = (first + timedelta(days=32)).replace(day=1)
    return make_months(session, months)


def _keep_faults(session: Session, who: Who, came_by: FromWhere, found: SortedOut) -> None:
    if not found.faults:
        return
    faults = list(found.faults.items())
    session.execute(_FAULTS, {
        "day": who.now.date(), "now": who.now, "came_by": str(came_by), "objects": [o for (o, _), _ in faults],
        "kinds": [str(kind) for (_, kind), _ in faults], "points": [f.point_id for _, f in faults],
        "times": [f.times for _, f in faults], "examples": [f.example for _, f in faults],
    })  # fmt: skip
