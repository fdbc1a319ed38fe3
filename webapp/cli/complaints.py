"""`chengmai complaints count` and `chengmai complaints duplicates`."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import click
from sqlalchemy.orm import Session

from gis.complaints import duplicates, queries
from gis.complaints.queries import Filters
from gis.complaints.repeat_queries import cards
from gis.complaints.repeat_rules import DUPLICATE_DAYS, DUPLICATE_M
from gis.complaints.rules import OPEN, Status
from gis.errors import BadInput, Missing
from gis.people.rules import CITY
from gis.places.queries import areas_called
from webapp.cli import Context, common

DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.group()
def complaints() -> None:
    """What people told the bureau."""


@complaints.command("count")
@click.option("--from", "since", type=DAY, help="First local day, YYYY-MM-DD.")
@click.option("--to", "until", type=DAY, help="Last local day, included.")
@click.option("--category", multiple=True, help='Code, or the beginning of one: "heat" is every heat category.')
@click.option("--district", multiple=True, help="Code, name or id of an area of any level.")
@click.option("--status", multiple=True, type=click.Choice([*map(str, Status), "open"]))
@common
@click.pass_obj
def count(
    context: Context, since: datetime | None, until: datetime | None, category: tuple[str, ...],
    district: tuple[str, ...], status: tuple[str, ...],
) -> None:  # fmt: skip
    """How many complaints there are, in all and by status."""
    zone = ZoneInfo(context.settings.timezone)
    if since and until and since > until:
        raise BadInput(reason="--from > --to")
    with context.sessions() as sessions, sessions() as session:
        filters = Filters(
            status=tuple({s for word in status for s in (OPEN if word == "open" else [word])}),
            category=category,
            district=tuple(n for text in district for n in _areas(session, text)),
            since=_midnight(since.date(), zone) if since else None,
            until=_midnight(until.date() + timedelta(days=1), zone) if until else None,
        )
        by_status = queries.by_status(session, CITY, filters, context.who().now)
    result: dict[str, Any] = {"count": sum(by_status.values()), "by_status": by_status}
    lines = "".join(f"\n  {name:<12}{n:>9}" for name, n in by_status.items())
    context.say(result, f"{result['count']}{lines}")


@complaints.command("duplicates")
@click.option("--from", "since", type=DAY, help="First local day, YYYY-MM-DD.")
@click.option("--to", "until", type=DAY, help="Last local day, included.")
@click.option("--metres", type=click.FloatRange(1, 5000), default=DUPLICATE_M, show_default=True)
@click.option("--days", type=click.FloatRange(0, 365), default=DUPLICATE_DAYS, show_default=True)
@click.option("--open", "only_open", is_flag=True, help="Only complaints that are still open.")
@click.option("--show", type=click.IntRange(0, 100_000), default=20, show_default=True, help="So many groups.")
@common
@click.pass_obj
def duplicates_found(
    context: Context, since: datetime | None, until: datetime | None, metres: float, days: float, only_open: bool,
    show: int,
) -> None:  # fmt: skip
    """Groups of complaints of one category, near each other in place and time, that may be one matter."""
    zone = ZoneInfo(context.settings.timezone)
    if since and until and since > until:
        raise BadInput(reason="--from > --to")
    with context.sessions() as sessions, sessions() as session:
        found = duplicates.find(
            session, since=_midnight(since.date(), zone) if since else None, radius_m=metres, days=days,
            until=_midnight(until.date() + timedelta(days=1), zone) if until else None, only_open=only_open,
        )  # fmt: skip
        shown = found.groups[:show]
        seen = cards(session, CITY, duplicates.all_ids(shown))
    groups = [
        {"complaints": [seen[one]["hotline_no"] for one in group.ids], "category": seen[group.ids[0]]["category"],
         "metres": round(group.metres, 1), "from": group.first_at.isoformat(), "to": group.last_at.isoformat()}
        for group in shown
    ]  # fmt: skip
    result = {"read": found.read, "groups": len(found.groups), "in_groups": found.double, "shown": groups}
    lines = "".join(f"\n  {g['category']:<16} {len(g['complaints']):>4}  {g['complaints'][0]} …" for g in groups)
    context.say(result, f"{len(found.groups)} groups, {found.double} of {found.read} complaints{lines}")


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)


def _areas(session: Session, text: str) -> list[int]:
    found = areas_called(session, text)
    if not found:
        raise Missing(thing="district", id=text)
    return found


commands = (complaints,)
