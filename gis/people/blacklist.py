"""Who is sent nowhere (黑名单): units and persons, for a time, for a reason, and from where that is known.

The row of the unit or person is locked first, and a trigger on work orders locks the same row: an order is either booked before
the blacklisting and told of, or refused because of it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, TypedDict

from sqlalchemy import RowMapping, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from gis import journal
from gis.db import check_version, naming_violations
from gis.errors import BadInput, Missing
from gis.journal import Who
from gis.people.model import Blacklisting, Unit, User
from gis.people.rules import Blacklisted, NotBlacklisted, Scope

REASON_MAX, SOURCE_MAX = 500, 300


class Said(TypedDict):
    """What is said of somebody who is put on the list."""

    reason: str
    source: str
    until: datetime | None


def blacklist(
    session: Session, who: Who, *, unit: Unit | None = None, user: User | None = None, worker_id: int | None = None,
    reason: str, source: str, until: datetime | None = None,
) -> Blacklisting:  # fmt: skip
    """From now on (until then, or until lifted) no crew of this unit, or with this person, is sent anywhere.

    Orders under way stay as they are. `worker_id` is a person of a contractor (`gis.inspections.site_ban`).
    Raises AlreadyBlacklisted, BadInput (no reason, no source, an end in the past).
    """
    whom = unit or user
    if [unit, user, worker_id].count(None) != 2:
        raise BadInput(reason="whom")
    said, known_from = _said(reason, "reason", REASON_MAX), _said(source, "source", SOURCE_MAX)
    if until is not None and until <= who.now:
        raise BadInput(reason="until")
    if whom is not None:
        session.refresh(whom, with_for_update={"key_share": True})
    elif session.scalar(_WORKER_LOCKED, {"id": worker_id}) is None:
        raise Missing(thing="person", id=worker_id)
    made = Blacklisting(
        unit_id=unit.id if unit else None, user_id=user.id if user else None, worker_id=worker_id,
        during=Range(who.now, until), reason=said, source=known_from, by_id=who.user_id,
    )  # fmt: skip
    with session.begin_nested(), naming_violations(session):
        session.add(made)
    _write(session, who, "blacklist", made, until=until.isoformat() if until else None)
    return made


def lift(session: Session, who: Who, entry: Blacklisting, reason: str, base_version: int | None = None) -> Blacklisting:
    """They may be sent again. Raises NotBlacklisted where that is so already, StaleVersion, BadInput."""
    said = _said(reason, "reason", REASON_MAX)
    session.refresh(entry, with_for_update=True)
    check_version(entry, base_version)
    began, ends = entry.during.lower, entry.during.upper
    if entry.lifted_at is not None or (ends is not None and ends <= who.now):
        raise NotBlacklisted()
    assert began is not None
    entry.during = Range(
        min(began, who.now - timedelta(microseconds=1)), who.now
    )  # also when lifted in the same instant
    entry.lifted_at, entry.lifted_by_id, entry.lift_reason = who.now, who.user_id, said
    session.flush()
    _write(session, who, "lift", entry)
    return entry


def _said(words: str, field: str, longest: int) -> str:
    said = words.strip()
    if not said or len(said) > longest or "\x00" in said:
        raise BadInput(reason=field)
    return said


def _write(session: Session, who: Who, verb: str, entry: Blacklisting, **data: Any) -> None:
    journal.write(session, who, verb, "blacklisting", entry.id, version=entry.version, unit_id=entry.unit_id,
                  user=entry.user_id, worker=entry.worker_id, **data)  # fmt: skip


_WORKER_LOCKED = text("SELECT id FROM site_worker WHERE id = :id FOR NO KEY UPDATE")
_LOCKED = {
    "unit_id": text("SELECT FROM unit WHERE id = :id FOR SHARE"),
    "worker_id": text("SELECT FROM site_worker WHERE id = :id FOR SHARE"),
}
_STANDS = {
    column: text(f"""SELECT id FROM blacklisting WHERE {column} = :id AND lifted_at IS NULL
                      AND coalesce(upper(during), 'infinity') > CAST(:now AS timestamptz)""")
    for column in _LOCKED
}  # fmt: skip


def refuse(session: Session, now: datetime, *, unit_id: int | None = None, worker_id: int | None = None) -> None:
    """Whoever is blacklisted is given no works and comes onto no site; a blacklisting waits for this transaction. Raises Blacklisted."""
    for column, whose in (("unit_id", unit_id), ("worker_id", worker_id)):
        if whose is not None:
            session.execute(_LOCKED[column], {"id": whose})
            if session.scalar(_STANDS[column], {"id": whose, "now": now}) is not None:
                raise Blacklisted()


_LISTING = text(
    """
    SELECT b.id, b.version, b.unit_id, b.user_id, b.worker_id, k.name AS worker, k.trade, ku.name AS worker_unit, u.name AS unit, p.full_name AS person, p.name AS person_name, b.reason,
           b.source, lower(b.during) AS since, upper(b.during) AS until, b.during @> CAST(:now AS timestamptz) AS stands,
           b.lifted_at, b.lift_reason, w.full_name AS by_name, l.full_name AS lifted_by,
           (SELECT count(*) FROM work_order o JOIN crew c ON c.id = o.crew_id
             WHERE o.status IN ('assigned','accepted','arrived')
               AND (c.unit_id = b.unit_id OR c.id = p.crew_id)) AS orders
      FROM blacklisting b LEFT JOIN unit u ON u.id = b.unit_id LEFT JOIN app_user p ON p.id = b.user_id
      LEFT JOIN site_worker k ON k.id = b.worker_id LEFT JOIN unit ku ON ku.id = k.unit_id
      LEFT JOIN app_user w ON w.id = b.by_id LEFT JOIN app_user l ON l.id = b.lifted_by_id
     WHERE (CAST(:area AS bigint) IS NULL OR p.area_id = :area)
       AND (CAST(:unit AS bigint) IS NULL OR p.unit_id = :unit OR b.unit_id = :unit OR k.unit_id = :unit)
       AND (CAST(:id AS bigint) IS NULL OR b.id = :id)
     ORDER BY stands DESC, b.id DESC LIMIT 500
    """
)


def listing(session: Session, scope: Scope, now: datetime, entry_id: int | None = None) -> list[RowMapping]:
    """Who stands on the blacklist and who stood there, whom this person may see; how many orders are still with them?

    Somebody who is bound to an area sees its people only: a unit works in the whole city.
    """
    asked = {"now": now, "area": scope.area_id, "unit": scope.unit_id, "id": entry_id}
    return list(session.execute(_LISTING, asked).mappings())


def entry_in_scope(session: Session, scope: Scope, now: datetime, entry_id: int) -> Blacklisting:
    """This entry, or Missing where there is none or it is not this person's to see."""
    if not listing(session, scope, now, entry_id):
        raise Missing(thing="blacklisting", id=entry_id)
    return session.get_one(Blacklisting, entry_id)
