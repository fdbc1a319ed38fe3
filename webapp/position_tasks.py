"""The worker's part in forgetting: every hour, the whereabouts that are older than the bureau keeps them."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from gis.dispatch.track_actions import forget
from gis.journal import Who
from webapp.worker import periodic, settings


@periodic("17 * * * *", "forget_positions")
def forget_positions(session: Session, who: Who, _payload: dict[str, Any]) -> None:
    """Delete old track points; those of an order stay with it. A run that is repeated finds nothing to do."""
    forget(session, who, settings().position_days)
