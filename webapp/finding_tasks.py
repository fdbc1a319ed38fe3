"""What rectification and consequences do by themselves: warn, tell breaches, escalate; propose by the rules; end what is over."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from gis.inspections import consequences
from gis.inspections.findings import Days
from gis.journal import Who
from gis.oversight.finding_notices import watch_findings
from gis.places.queries import working_days
from webapp.worker import periodic, settings


@periodic("*/10 * * * *", "watch_findings")
def watch(session: Session, who: Who, _payload: dict[str, Any]) -> None:
    """Each warning, breach and notice once; a run that is repeated finds nothing new."""
    watch_findings(session, who, Days(working_days(session), ZoneInfo(settings().timezone)))


@periodic("20 * * * *", "propose_consequences")
def propose(session: Session, who: Who, _payload: dict[str, Any]) -> None:
    """End what is over first, so that a rule may speak again; then propose. People decide."""
    consequences.expire(session, who)
    consequences.propose(session, who)
