"""What is done with themed weeks: entered, changed, and given targets. Everything a week counts is done elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from gis import journal
from gis.db import check_version, naming_violations
from gis.errors import Missing
from gis.journal import Who
from gis.network.rules import Utility
from gis.oversight.week_model import ThemedWeek, WeekTarget
from gis.oversight.week_rules import FIGURES, LONGEST_DAYS, MANY, BadWeek, BadWeekTarget, TargetKey


@dataclass(frozen=True)
class Target:
    """What is to be reached, and where that is written."""

    value: Decimal
    source: str


@dataclass(frozen=True)
class Planned:
    """A themed week: whose, what it is called, when, about which utility, and where it was announced."""

    city: str
    name: str
    first: date
    last: date
    source: str
    name_en: str = ""
    utility: str = Utility.HEAT

    def check(self) -> None:
        """Raises BadWeek naming what is wrong."""
        wrong = {
            "city": not self.city.strip() or len(self.city) > 40, "name": not self.name.strip() or len(self.name) > 120,
            "name_en": len(self.name_en) > 120, "dates": not 0 <= (self.last - self.first).days < LONGEST_DAYS,
            "source": not self.source.strip() or len(self.source) > 300, "utility": self.utility not in set(Utility),
        }  # fmt: skip
        for reason, is_wrong in wrong.items():
            if is_wrong:
                raise BadWeek(reason=reason)


def enter(session: Session, who: Who, planned: Planned, *, synthetic: bool = False) -> ThemedWeek:
    """A new week. Raises BadWeek, WeekThere."""
    planned.check()
    row = ThemedWeek(**_told(planned), synthetic=synthetic)
    with naming_violations(session):
        session.add(row)
    _note(session, who, "plan", row)
    return row


def change(session: Session, who: Who, week_id: int, planned: Planned, base_version: int | None = None) -> ThemedWeek:
    """Other days or words of a week. Raises BadWeek, WeekThere, StaleVersion, Missing."""
    planned.check()
    row = _locked(session, week_id, base_version)
    for key, value in _told(planned).items():
        setattr(row, key, value)
    with naming_violations(session):
        session.flush()
    _note(session, who, "change", row)
    return row


def _told(planned: Planned) -> dict[str, object]:
    plain = {key: _plain(getattr(planned, key)) for key in ("city", "name", "name_en", "source")}
    return plain | {"first": planned.first, "last": planned.last, "utility": str(planned.utility)}


def set_targets(
    session: Session, who: Who, week_id: int, targets: Mapping[TargetKey, Target], base_version: int | None = None
) -> ThemedWeek:
    """All targets of a week; one that is left out is none. Raises BadWeekTarget, StaleVersion, Missing."""
    row = _locked(session, week_id, base_version)
    for key, target in targets.items():
        most = 100 if FIGURES[TargetKey(key)].percent else MANY
        if not (target.value.is_finite() and 0 <= target.value <= most):
            raise BadWeekTarget(most=most)
        if not target.source.strip() or len(target.source) > 300:
            raise BadWeekTarget(most=most)
    session.execute(delete(WeekTarget).where(WeekTarget.week_id == row.id))
    session.add_all(
        WeekTarget(week_id=row.id, key=str(key), value=t.value, source=_plain(t.source)) for key, t in targets.items()
    )
    flag_modified(row, "name")  # a week with other targets is another version of it
    _note(session, who, "set_targets", row, targets={str(key): str(t.value) for key, t in targets.items()})
    return row


def _locked(session: Session, week_id: int, base_version: int | None) -> ThemedWeek:
    row = session.get(ThemedWeek, week_id, with_for_update=True, populate_existing=True) if week_id < 1 << 62 else None
    if row is None:
        raise Missing(thing="themed week", id=week_id)
    check_version(row, base_version)
    return row


def _note(session: Session, who: Who, verb: str, row: ThemedWeek, **data: Any) -> None:
    session.flush()
    journal.write(session, who, verb, "themed_week", row.id, version=row.version, **data)
    session.flush()


def _plain(given: str) -> str:
    return "".join(c for c in given if c.isprintable()).strip()
