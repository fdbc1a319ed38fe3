"""What is done with complaints. Verbs flush; doors commit."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gis.complaints.model import Category
from gis.complaints.rules import CATEGORIES


def seed_categories(session: Session) -> None:
    """Add the categories of the house that are not in the dictionary yet."""
    rows = [asdict(seed) for seed in CATEGORIES]
    session.execute(insert(Category).values(rows).on_conflict_do_nothing(index_elements=["code"]))
