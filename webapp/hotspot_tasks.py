"""The worker's part in hotspots: the packed places kept small, and cut as the city's zone and districts say."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from gis.hotspots.sheet_actions import adopt, compact
from gis.journal import Who
from webapp.worker import periodic, settings


@periodic("2-57/5 * * * *", "compact_sheets")
def compact_sheets(session: Session, who: Who, payload: dict[str, Any]) -> None:
    """Put the differences of the sheets together, or pack them anew where zone or districts have moved."""
    if not adopt(session, settings().timezone):
        compact(session)
