"""People of contractors who are taken off the sites (清退), for good while they are on the blacklist. Verbs flush."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import journal
from gis.journal import Who
from gis.people import blacklist
from gis.people.model import Blacklisting

_TAKEN_OFF = text("""
    WITH gone AS (UPDATE site_presence SET until_at = greatest(:now, since_at) WHERE worker_id = :worker AND until_at IS NULL
                  RETURNING site_id)
    SELECT s.id, s.version, s.area_id, s.unit_id FROM site s JOIN gone ON gone.site_id = s.id ORDER BY s.id
""")


def ban(
    session: Session, who: Who, worker_id: int, *, reason: str, source: str, until: datetime | None = None
) -> Blacklisting:
    """Off every site now, and onto none until then, or until lifted. Raises Missing, AlreadyBlacklisted, BadInput."""
    entry = blacklist.blacklist(session, who, worker_id=worker_id, reason=reason, source=source, until=until)
    take_off(session, who, worker_id)
    return entry


def take_off(session: Session, who: Who, worker_id: int) -> int:
    """Off every site now; how many. That they were there is kept."""
    left = session.execute(_TAKEN_OFF, {"now": who.now, "worker": worker_id}).all()
    for site in left:
        journal.write(session, who, "dismiss_person", "site", site.id, version=site.version, area_id=site.area_id,
                      unit_id=site.unit_id, person_id=worker_id)  # fmt: skip
    session.flush()
    return len(left)
