"""`chengmai crew add` and `chengmai crews nearest`."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import click

from gis.complaints.queries import find
from gis.db import unit_of_work
from gis.dispatch import actions, plan_actions
from gis.dispatch.queries import crew_called
from gis.dispatch.ranking import Ranking, Search
from gis.dispatch.rules import CrewKind, Terms
from gis.errors import BadInput, Missing
from gis.people.rules import CITY
from webapp.cli import Context, common
from webapp.crew_words import sentence

ROSTER_DAYS = 365


def _terms(context: Context) -> Terms:
    s = context.settings
    return Terms(ZoneInfo(s.timezone), s.straight_speed_kmh, s.snap_limit_m, s.position_fresh_min, s.undo_s)


@click.group()
def crew() -> None:
    """Crews that are sent out."""


@crew.command("add")
@click.argument("name")
@click.option("--kind", required=True, type=click.Choice([str(k) for k in CrewKind]))
@click.option(
    "--skill", "skills", multiple=True, required=True, help="What the crew can do; may be given several times."
)
@click.option("--at", "at", required=True, metavar="LON,LAT", help="Where the crew stands (WGS-84).")
@click.option("--shift", "shifts", multiple=True, metavar="HH:MM/HH:MM",
              help="Daily hours on the city's clock, for the next 365 days; may be given several times. Without it the crew"
                   " is on duty round the clock until somebody ends it.")  # fmt: skip
@common
@click.pass_obj
def add(context: Context, name: str, kind: str, skills: tuple[str, ...], at: str, shifts: tuple[str, ...]) -> None:
    """Add a crew NAME."""
    who = context.who()
    lon, lat = _position(at)
    with context.sessions() as sessions, unit_of_work(sessions) as session:
        known = actions.known_skills(session)
        for skill in skills:
            if skill not in known:
                raise BadInput(reason=f"skill {skill}: {', '.join(known)}")
        on_duty = _roster(shifts, who.now, ZoneInfo(context.settings.timezone))
        made = actions.add_crew(session, who, name, kind, skills, lon, lat, shifts=on_duty)
        result = {"id": made.id, "code": made.code, "name": made.name, "kind": made.kind, "skills": sorted(set(skills)),
                  "lon": lon, "lat": lat, "shifts": list(shifts) or ["00:00/24:00"]}  # fmt: skip
    context.say(result, f"{made.name} ({made.kind}, {', '.join(result['skills'])})")


@crew.command("base")
@click.argument("name")
@click.option(
    "--at", "at", metavar="LON,LAT", help="Where its shift begins and ends (WGS-84); without it wherever it stands."
)
@click.option("--ends-anywhere", is_flag=True, help="It only begins there.")
@click.option("--capacity", type=click.IntRange(1, 500), help="So many orders at most in a day.")
@common
@click.pass_obj
def base(context: Context, name: str, at: str | None, ends_anywhere: bool, capacity: int | None) -> None:
    """Say where the crew NAME begins and ends its day, and how much it can carry: the day's plan goes by it."""
    who = context.who()
    with context.sessions() as sessions, unit_of_work(sessions) as session:
        found = crew_called(session, name)
        kept = plan_actions.set_base(
            session, who, found, _position(at) if at else None, ends_here=not ends_anywhere, capacity=capacity
        )
        result = {"crew_id": found.id, "crew": found.name, "lon": kept.lon, "lat": kept.lat, "ends_here": kept.ends_here,
                  "capacity": kept.capacity}  # fmt: skip
    context.say(result, f"{result['crew']}: {at or '-'}, {capacity or '-'}")


def _position(at: str) -> tuple[float, float]:
    parts = re.split(r"[,，\s]+", at.strip())
    try:
        lon, lat = (float(part) for part in parts)
    except ValueError:
        raise BadInput(reason=f"--at LON,LAT: {at}") from None
    if not (math.isfinite(lon) and math.isfinite(lat)):
        raise BadInput(reason=f"--at LON,LAT: {at}")
    return lon, lat


def _roster(shifts: tuple[str, ...], now: datetime, zone: ZoneInfo) -> list[tuple[datetime, datetime | None]]:
    """Spans of duty: round the clock from the start of today, or these hours on each of the next days."""
    today = now.astimezone(zone).date()
    if not shifts:
        return [(datetime.combine(today, time(), zone).astimezone(UTC), None)]
    spans: list[tuple[datetime, datetime | None]] = []
    for said in shifts:
        start, end = _hours(said)
        for day in (today + timedelta(days=n) for n in range(ROSTER_DAYS)):
            first = datetime.combine(day, time(), zone) + start
            last = datetime.combine(day + timedelta(days=end <= start), time(), zone) + end
            spans.append((first.astimezone(UTC), last.astimezone(UTC)))
    return spans


def _hours(said: str) -> tuple[timedelta, timedelta]:
    match = re.fullmatch(r"(\d{1,2}):(\d{2})[/-](\d{1,2}):(\d{2})", said.strip())
    numbers = [int(n) for n in match.groups()] if match else []
    if not numbers or numbers[0] > 24 or numbers[2] > 24 or numbers[1] > 59 or numbers[3] > 59:
        raise BadInput(reason=f"--shift HH:MM/HH:MM: {said}")
    return timedelta(hours=numbers[0], minutes=numbers[1]), timedelta(hours=numbers[2], minutes=numbers[3])


@click.group()
def crews() -> None:
    """Who goes where."""


@crews.command("nearest")
@click.option("--complaint", required=True, metavar="ID", type=click.IntRange(1, 2**62))
@click.option("--limit", default=10, type=click.IntRange(1, 100))
@common
@click.pass_obj
def nearest(context: Context, complaint: int, limit: int) -> None:
    """The best crews for a complaint, with what speaks for each and against it."""
    who, terms = context.who(), _terms(context)
    with context.sessions() as sessions, unit_of_work(sessions) as session:
        found = find(session, CITY, complaint)
        if found is None:
            raise Missing(thing="complaint", id=complaint)
        ranking = Search(session, found, CITY, terms, who.now).best(limit)
    rows = [_row(ranking, i, terms, who.now) for i in range(len(ranking.crews))]
    context.say(rows, "\n".join(_line(row) for row in rows) or "no crews")


def _row(ranking: Ranking, place: int, terms: Terms, now: datetime) -> dict[str, Any]:
    ranked = ranking.crews[place]
    return {
        "crew": ranking.facts[ranked.id].name, "crew_id": ranked.id,
        "minutes": None if ranked.minutes is None else round(ranked.minutes, 2),
        "metres": None if ranked.metres is None else round(ranked.metres, 1), "by": ranked.by,
        "reasons": [sentence(f, terms.zone, now) for f in ranked.reasons],
        "violations": [sentence(f, terms.zone, now) for f in ranked.violations],
    }  # fmt: skip


def _line(row: dict[str, Any]) -> str:
    told = "; ".join([*(f"! {v}" for v in row["violations"]), *row["reasons"]])
    return f"{row['crew']}\t{told}"


commands = (crew, crews)
