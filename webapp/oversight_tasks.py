"""What oversight does by itself: tell, once for each, the promises and the notices that became overdue."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from gis.journal import Who
from gis.oversight import notices, promises
from webapp.worker import periodic, settings


@periodic("*/10 * * * *", "oversight_overdue")
def overdue(session: Session, who: Who, _payload: dict[str, Any]) -> None:
    """Write the overdue line of every promise and notice that has none yet; a run that is repeated finds nothing new."""
    promises.tell_overdue(session, who, ZoneInfo(settings().timezone))
    notices.tell_overdue(session, who)
