"""What is done with heating seasons: entered, moved early or late by a decision. Every version has its line of history."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from gis import journal
from gis.db import check_version, naming_violations
from gis.errors import Missing
from gis.journal import Who
from gis.network.season_model import HeatingSeason, SeasonChange
from gis.network.season_rules import NOTE_MAX, BadSeason, SeasonUnchanged, SeasonVerb, check_season
from gis.network.season_seeds import SEASONS, SeasonSeed


def enter(
    session: Session, who: Who, city: str, begins_at: datetime, ends_at: datetime, source: str, note: str = "", *,
    zone: tzinfo,
) -> HeatingSeason:  # fmt: skip
    """A city's season; its year is that of its first day. Raises BadSeason, SeasonsOverlap, SeasonThere."""
    check_season(city, begins_at, ends_at, source)
    row = HeatingSeason(
        city=_plain(city), year=begins_at.astimezone(zone).year, during=Range(begins_at, ends_at),
        source=_plain(source), note=_plain(note)[:NOTE_MAX],
    )  # fmt: skip
    with naming_violations(session):
        session.add(row)
    _line(session, who, row, SeasonVerb.ENTERED, before=None, reason="", source=row.source)
    return row


def move(
    session: Session, who: Who, season_id: int, begins_at: datetime, ends_at: datetime, reason: str, source: str,
    base_version: int | None = None,
) -> HeatingSeason:  # fmt: skip
    """Begin or end it earlier or later, by a decision with its reason and source. Raises BadSeason, SeasonUnchanged, SeasonsOverlap."""
    row = (
        session.get(HeatingSeason, season_id, with_for_update=True, populate_existing=True)
        if season_id < 1 << 62
        else None
    )
    if row is None:
        raise Missing(thing="heating season", id=season_id)
    check_version(row, base_version)
    check_season(row.city, begins_at, ends_at, source)
    if not reason.strip():
        raise BadSeason(reason="reason")
    before = row.during
    if (before.lower, before.upper) == (begins_at, ends_at):
        raise SeasonUnchanged()
    row.during, row.source = Range(begins_at, ends_at), _plain(source)
    with naming_violations(session):
        session.flush()
    _line(session, who, row, SeasonVerb.MOVED, before=before, reason=_plain(reason)[:NOTE_MAX], source=row.source)
    return row


def _line(session: Session, who: Who, row: HeatingSeason, verb: SeasonVerb, **told: Any) -> None:
    session.add(
        SeasonChange(season_id=row.id, version=row.version, at=who.now, user_id=who.user_id, verb=verb, after=row.during, **told)
    )  # fmt: skip
    journal.write(session, who, str(verb), "heating_season", row.id, version=row.version, city=row.city, year=row.year)
    session.flush()


def _plain(given: str) -> str:
    return "".join(c for c in given if c.isprintable()).strip()


def seed_seasons(session: Session) -> None:
    """The seasons that documents name, where none of that city and year is kept. Adds, never overwrites."""
    there = {(row.city, row.year) for row in session.execute(select(HeatingSeason.city, HeatingSeason.year))}
    for seed in SEASONS:
        if (seed.city, seed.year) not in there:
            _seed(session, seed)
    session.flush()


def _seed(session: Session, seed: SeasonSeed) -> None:
    began, ended = seed.moment(seed.begins), seed.moment(seed.ends)
    first = Range(began, ended)
    row = HeatingSeason(city=seed.city, year=seed.year, during=first, source=seed.source, note=seed.note)
    session.add(row)
    session.flush()
    _history(session, row, SeasonVerb.ENTERED, first, seed.source)
    if seed.moved is not None:
        to, reason, source = seed.moved
        row.during, row.source = Range(began, seed.moment(to)), source
        session.flush()
        _history(session, row, SeasonVerb.MOVED, row.during, source, before=first, reason=reason)


def _history(
    session: Session, row: HeatingSeason, verb: SeasonVerb, after: Range[datetime], source: str, **told: Any
) -> None:
    """A line of the house's own beginning: it is dated by the season itself, because the core has no clock."""
    session.add(
        SeasonChange(season_id=row.id, version=row.version, at=row.during.lower, verb=verb, after=after, source=source, **told)
    )  # fmt: skip
