"""What is done with inspections."""

from __future__ import annotations

from sqlalchemy.orm import Session


def seed_checklists(session: Session) -> None:
    """Add the checklist of the six pledges."""
