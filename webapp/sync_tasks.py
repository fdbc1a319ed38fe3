"""The worker's part in sync: refuse what has waited too long for something that never came, sweep up what was given up."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.inspections import hold, partials
from gis.journal import Who
from webapp.files import orphans
from webapp.worker import periodic, settings


@periodic("20 * * * *", "expire_held")
def expire_held(session: Session, who: Who, payload: dict[str, Any]) -> None:
    """Changes whose predecessor has not come in a week are refused, for phone and desk to see."""
    hold.expire(session, who)


@periodic("50 3 * * *", "sweep_files")
def sweep_files(session: Session, who: Who, payload: dict[str, Any]) -> None:
    """Partials that nobody goes on with, and photos that a server was killed over before they were written down."""
    files_dir = settings().files_dir
    partials.sweep(files_dir, who.now)
    for path in orphans(session, files_dir):
        session.execute(text("SELECT pg_advisory_xact_lock(8319, hashtext(:sha256))"), {"sha256": path.name})
        if path in orphans(session, files_dir, only=[path]):
            path.unlink(missing_ok=True)
