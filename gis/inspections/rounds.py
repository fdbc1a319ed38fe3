"""What is done with dragnet rounds: drawn, adjusted by hand with a reason, fixed, ended. Every draw can be done again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import RowMapping, delete, insert
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from gis import journal
from gis.complaints.rules import clean
from gis.db import check_version, naming_violations
from gis.errors import Missing
from gis.inspections import round_queries
from gis.inspections.round_model import Round, RoundSite, SamplingWeight, SiteVisit
from gis.inspections.round_rules import (
    PER_DAY_MOST,
    SIZE_MOST,
    SOURCE,
    WEIGHTS,
    Allocation,
    BadRound,
    BadWeight,
    Facts,
    Measure,
    NothingToDraw,
    Origin,
    ReasonMissing,
    RoundStatus,
    Stratum,
    VisitStatus,
    WrongRoundState,
    breach_class,
    measure,
)
from gis.inspections.sampling import Item, draw
from gis.inspections.site_queries import When
from gis.journal import Who
from gis.people.rules import Scope
from gis.places.model import Area

SEED_MOST = 2**31 - 1


@dataclass(frozen=True)
class Asked:
    """What a round is to be."""

    name: str
    starts_on: date
    ends_on: date
    size: int
    seed: int
    allocation: str = Allocation.PROPORTIONAL
    strata: tuple[str, ...] = (Stratum.DISTRICT, Stratum.STAGE)
    per_day: int = 4
    surprise: bool = True
    area_id: int | None = None
    note: str = ""

    def check(self) -> None:
        """Raises BadRound naming what is wrong."""
        wrong = {
            "name": not self.name.strip() or len(self.name) > 120, "period": self.ends_on < self.starts_on,
            "too long": (self.ends_on - self.starts_on).days > 366, "size": not 1 <= self.size <= SIZE_MOST,
            "seed": not 0 <= self.seed <= SEED_MOST, "allocation": self.allocation not in set(Allocation),
            "strata": bool(set(self.strata) - set(Stratum)), "visits a day": not 1 <= self.per_day <= PER_DAY_MOST,
        }  # fmt: skip
        for reason, is_wrong in wrong.items():
            if is_wrong:
                raise BadRound(reason=reason)


def plan(session: Session, who: Who, scope: Scope, asked: Asked, when: When) -> Round:
    """Draw a round as a draft. Raises BadRound, NothingToDraw, and Missing for an area outside the scope."""
    asked.check()
    area_id = asked.area_id if asked.area_id is not None else scope.area_id
    if area_id is not None and session.get(Area, area_id) is None:
        raise Missing(thing="area", id=area_id)
    made = Round(status=RoundStatus.DRAFT, made_at=who.now, made_by=who.user_id, area_id=area_id)
    _say(session, made, asked)
    session.add(made)
    session.flush()
    round_queries.round_locked(session, scope, made.id)  # Missing where this person could not see it
    _draw(session, scope, made, when)
    _note(session, who, "plan", made, size=asked.size, seed=asked.seed)
    return made


def draw_again(
    session: Session, who: Who, scope: Scope, round_id: int, asked: Asked, when: When, base_version: int | None
) -> Round:
    """Draw a draft anew, with other numbers; what was adjusted by hand is gone."""
    asked.check()
    made = _draft(session, scope, round_id, base_version)
    session.execute(delete(SiteVisit).where(SiteVisit.round_id == made.id))
    session.execute(delete(RoundSite).where(RoundSite.round_id == made.id))
    _say(session, made, asked)
    session.flush()
    _draw(session, scope, made, when)
    _note(session, who, "draw_again", made, size=asked.size, seed=asked.seed)
    return made


def _say(session: Session, made: Round, asked: Asked) -> None:
    for key in ("starts_on", "ends_on", "size", "seed", "allocation", "per_day", "surprise"):
        setattr(made, key, getattr(asked, key))
    made.name, made.note, made.strata = clean("place", asked.name), clean("note", asked.note), list(asked.strata)
    made.weights = round_queries.weights(session)


def _draw(session: Session, scope: Scope, made: Round, when: When) -> None:
    """Frame, probabilities, drawing: everything is kept, so that it can be shown and done again."""
    looked = When(when.today, when.zone, int(made.weights["lookback_days"]))
    rows = round_queries.frame(session, scope, made.area_id, looked)
    if not rows:
        raise NothingToDraw()
    measured = {row["id"]: _measure(row, made, looked.today) for row in rows}
    items = [_item(row, made.strata, measured[row["id"]]) for row in rows]
    found = draw(items, made.size, made.allocation, made.seed)
    session.execute(insert(RoundSite), [
        {"round_id": made.id, "site_id": i.id, "stratum": i.stratum, "size": i.size, "probability": min(found.probability[i.id], 1.0),
         "certain": found.probability[i.id] >= 1, "drawn": i.id in found.drawn, "why": list(measured[i.id].why)}
        for i in items
    ])  # fmt: skip
    session.execute(insert(SiteVisit), [
        {"round_id": made.id, "site_id": site, "surprise": made.surprise, "status": VisitStatus.PLANNED,
         "origin": Origin.CERTAIN if found.probability[site] >= 1 else Origin.DRAWN} for site in sorted(found.drawn)
    ])  # fmt: skip


def _measure(row: RowMapping, made: Round, today: date) -> Measure:
    days = None if row["last_at"] is None else max((today - row["last_at"].date()).days, 0)
    return measure(Facts(row["stage"], row["breaches"], days, row["unfit"]), made.weights)


def _item(row: RowMapping, strata: Sequence[str], told: Measure) -> Item:
    """What is chosen divides; the rest orders inside a stratum, so that it is spread too."""
    classes = {
        Stratum.DISTRICT: row["district"] or "—", Stratum.STREET: row["street"] or "—",
        Stratum.CONTRACTOR: row["contractor"] or "—", Stratum.STAGE: row["stage"], Stratum.BREACHES: breach_class(row["breaches"]),
    }  # fmt: skip
    name = " · ".join(str(classes[key]) for key in Stratum if key in strata) or "*"
    rest = tuple(str(classes[key]) for key in Stratum if key not in strata)
    return Item(row["id"], name[:300], told.size, told.certain, rest)


# --- adjusted by hand ------------------------------------------------------------------------------------------------
def swap(
    session: Session,
    who: Who,
    scope: Scope,
    round_id: int,
    visit_id: int,
    by_site: int,
    reason: str,
    base_version: int | None,
) -> SiteVisit:
    """Another site of the frame instead of a drawn one, for a reason that is kept. Raises ReasonMissing, SiteInRound, Missing."""
    made = _adjustable(session, scope, round_id, base_version)
    said = _reason(reason)
    old = _visit(session, made, visit_id)
    if session.get(RoundSite, (made.id, by_site)) is None:
        raise Missing(thing="site", id=by_site)
    old.status, old.reason = VisitStatus.DROPPED, said
    session.flush()
    new = SiteVisit(round_id=made.id, site_id=by_site, origin=Origin.SWAPPED, surprise=made.surprise, status=VisitStatus.PLANNED,
                    inspector_id=old.inspector_id, on_day=old.on_day, reason=said, replaces_id=old.id)  # fmt: skip
    with naming_violations(session):
        session.add(new)
    _touch(session, who, made, "swap", out=old.site_id, into=by_site, reason=said)
    return new


def drop(
    session: Session, who: Who, scope: Scope, round_id: int, visit_id: int, reason: str, base_version: int | None
) -> SiteVisit:
    """A drawn site is not visited, for a reason that is kept."""
    made = _adjustable(session, scope, round_id, base_version)
    said = _reason(reason)
    old = _visit(session, made, visit_id)
    old.status, old.reason = VisitStatus.DROPPED, said
    _touch(session, who, made, "drop", out=old.site_id, reason=said)
    return old


def add(
    session: Session, who: Who, scope: Scope, round_id: int, site_id: int, reason: str, base_version: int | None
) -> SiteVisit:
    """One more site of the frame, for a reason that is kept."""
    made = _adjustable(session, scope, round_id, base_version)
    said = _reason(reason)
    if session.get(RoundSite, (made.id, site_id)) is None:
        raise Missing(thing="site", id=site_id)
    new = SiteVisit(round_id=made.id, site_id=site_id, origin=Origin.ADDED, surprise=made.surprise, status=VisitStatus.PLANNED,
                    reason=said)  # fmt: skip
    with naming_violations(session):
        session.add(new)
    _touch(session, who, made, "add", into=site_id, reason=said)
    return new


def fix(session: Session, who: Who, scope: Scope, round_id: int, base_version: int | None) -> Round:
    """The sample stands as it is now; from here on it is walked."""
    made = _draft(session, scope, round_id, base_version)
    made.status, made.fixed_at = RoundStatus.FIXED, who.now
    _note(session, who, "fix", made)
    return made


def discard(session: Session, who: Who, scope: Scope, round_id: int, base_version: int | None) -> Round:
    """A draft that is not wanted."""
    made = _draft(session, scope, round_id, base_version)
    made.status = RoundStatus.DISCARDED
    _note(session, who, "discard", made)
    return made


def end(session: Session, who: Who, scope: Scope, round_id: int, base_version: int | None) -> Round:
    """The round is over; what was not visited stays missed."""
    made = round_queries.round_locked(session, scope, round_id)
    check_version(made, base_version)
    if made.status != RoundStatus.FIXED:
        raise WrongRoundState()
    made.status = RoundStatus.ENDED
    _note(session, who, "end", made)
    return made


def _draft(session: Session, scope: Scope, round_id: int, base_version: int | None) -> Round:
    made = round_queries.round_locked(session, scope, round_id)
    check_version(made, base_version)
    if made.status != RoundStatus.DRAFT:
        raise WrongRoundState()
    return made


def _adjustable(session: Session, scope: Scope, round_id: int, base_version: int | None) -> Round:
    """A draft, or a fixed round that is being walked: a site may close under way."""
    made = round_queries.round_locked(session, scope, round_id)
    check_version(made, base_version)
    if made.status not in (RoundStatus.DRAFT, RoundStatus.FIXED):
        raise WrongRoundState()
    return made


def _reason(reason: str) -> str:
    said = clean("note", reason)[:300]
    if not said:
        raise ReasonMissing()
    return said


def _visit(session: Session, made: Round, visit_id: int) -> SiteVisit:
    visit = session.get(SiteVisit, visit_id, with_for_update=True) if visit_id < 1 << 62 else None
    if visit is None or visit.round_id != made.id:
        raise Missing(thing="visit", id=visit_id)
    if visit.status != VisitStatus.PLANNED:
        raise WrongRoundState()
    return visit


def _touch(session: Session, who: Who, made: Round, verb: str, **data: Any) -> None:
    """A round whose sample changed is another version of it."""
    flag_modified(made, "status")
    _note(session, who, verb, made, **data)


def _note(session: Session, who: Who, verb: str, made: Round, **data: Any) -> None:
    session.flush()
    journal.write(session, who, verb, "inspection_round", made.id, version=made.version, area_id=made.area_id, **data)
    session.flush()


def set_weight(
    session: Session, who: Who, code: str, value: float, source: str, base_version: int | None
) -> SamplingWeight:
    """Another number for the drawings to come. Raises BadWeight, StaleVersion."""
    seed = WEIGHTS.get(code)
    if seed is None:
        raise Missing(thing="weight", id=code[:40])
    if not seed.low <= value <= seed.high:
        raise BadWeight(low=seed.low, high=seed.high)
    said = clean("note", source)[:300] or SOURCE
    first = postgresql.insert(SamplingWeight).values(code=code, value=seed.value, source=SOURCE)
    session.execute(first.on_conflict_do_nothing(index_elements=["code"]))
    row = session.get_one(SamplingWeight, code, with_for_update=True, populate_existing=True)
    check_version(row, base_version)
    before, row.value, row.source = row.value, value, said
    session.flush()
    journal.write(session, who, "set_number", "sampling_weight", code, version=row.version, before=before, after=value)
    session.flush()
    return row
