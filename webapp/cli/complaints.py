"""`chengmai complaints count`."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import click
from sqlalchemy.orm import Session

from gis.complaints import queries
from gis.complaints.queries import Filters
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


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)


def _areas(session: Session, text: str) -> list[int]:
    found = areas_called(session, text)
    if not found:
        raise Missing(thing="district", id=text)
    return found


commands = (complaints,)
