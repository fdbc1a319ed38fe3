"""What every new database starts with: categories, working days, the six pledges, steps of visits. Adds, never overwrites."""

from __future__ import annotations

from sqlalchemy.orm import Session

from gis.complaints.actions import seed_categories
from gis.complaints.law_actions import seed_rule_sets
from gis.db import make_engine
from gis.inspections.actions import seed_checklists
from gis.inspections.checklist_actions import seed_visits
from gis.network.seasons import seed_seasons
from gis.places.actions import seed_calendar
from gis.portal.actions import seed_limits
from webapp.xlsform.writer import xform


def seed(url: str) -> None:
    """Safe to run again: a row that is there is left as the bureau edited it."""
    engine = make_engine(url)
    with Session(engine) as session:
        seed_categories(session)
        seed_rule_sets(session)
        seed_calendar(session)
        seed_checklists(session, xform)
        seed_visits(session, xform)
        seed_limits(session)
        seed_seasons(session)
        session.commit()
    engine.dispose()
