"""`chengmai report`: bulletins on the command line, as tables or as one JSON document; the rollups put together or counted anew."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.table import Table

from gis.hotspots import sheet_actions
from gis.oversight.bulletins import Question, bulletin
from gis.oversight.counting_actions import publish
from gis.oversight.counting_queries import Counting
from gis.oversight.periods import Period, PeriodKind
from gis.oversight.rates import RANKED, RateKey
from gis.oversight.rollup_actions import compact, rebuild
from gis.people.rules import CITY
from webapp.cli import Context, common

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def report() -> None:
    """Bulletins, and the rollups that the console's figures come from."""


@report.command("bulletin")
@click.option("--period", type=click.Choice([str(k) for k in PeriodKind]), default="week", show_default=True)
@click.option("--on", required=True, type=_DAY, help="A day in the period; the first day of a range.")
@click.option("--to", "last", type=_DAY, help="The last day of a range.")
@click.option("--district", type=int, help="The id of an area: only what lies in it.")
@click.option("--unit", type=int, help="The id of a body: only what it answers for.")
@click.option("--rank", type=click.Choice([str(k) for k in RANKED]), default=str(RateKey.ON_TIME), show_default=True)
@click.option(
    "--publish", "publishing", is_flag=True, help="Keep it under the next number; it never changes afterwards."
)
@common
@click.pass_obj
def bulletin_command(
    context: Context, period: str, on: datetime, last: datetime | None, district: int | None, unit: int | None, rank: str,
    publishing: bool,
) -> None:  # fmt: skip
    """Everything counted about a period: every rate with its numerator and its denominator."""
    zone, settings = ZoneInfo(context.settings.timezone), context.settings
    chosen = Period.of(period, on.date(), last.date() if last else None)
    rules = Counting(settings.response_hours, settings.basically_satisfied)
    question = Question(chosen, district, unit, RateKey(rank), rules)
    with context.sessions() as sessions, sessions() as session:
        if publishing:
            issue = publish(session, context.who(), CITY, question, zone)
            session.commit()
            body, number = issue.body, f"{issue.year}-{issue.number}"
        else:
            body, number = bulletin(session, CITY, question, zone, context.now()).as_dict(), None
    context.say({"issue": number, "bulletin": body}, _tables(body, number))


@report.command("rollups")
@click.option("--rebuild", "anew", is_flag=True, help="Count every complaint anew, with days cut by the city's zone.")
@common
@click.pass_obj
def rollups(context: Context, anew: bool) -> None:
    """Put the differences of the rollups together; readers then add up fewer rows."""
    with context.sessions() as sessions, sessions() as session:
        if anew:
            rebuild(session, context.settings.timezone)
            sheet_actions.repack(session, context.settings.timezone)
        done = compact(session) and sheet_actions.compact(session)
        session.commit()
    context.say({"rebuilt": anew, "compacted": done}, "done" if done else "somebody else is at it")


def _tables(body: dict[str, Any], number: str | None) -> str:
    """For people: the rates, the figures and the ranking of the bodies."""
    told = body["period"]
    kept = io.StringIO()
    console = Console(file=kept, width=120, markup=False)
    running = f", as of {told['as_of'][:16]}" if told["running"] else ""
    console.print(f"{told['kind']} {told['first']} - {told['last']}{running}" + (f", issue {number}" if number else ""))
    console.print(_table(("rate", "%", "numerator", "denominator", "before", "points", "last year", "points"), [
        (r["key"], _percent(r["percent"]), str(r["numerator"]), str(r["denominator"]), _percent(r["previous"]["percent"]),
         _signed(r["points_previous"]), _percent(r["last_year"]["percent"]), _signed(r["points_last_year"]))
        for r in body["rates"]
    ]))  # fmt: skip
    console.print(_table(("figure", "count", "before", "last year"), [
        (r["key"], str(r["count"]), _count(r["previous"]), _count(r["last_year"])) for r in body["figures"]
    ]))  # fmt: skip
    for title in ("areas", "units"):
        if body[title]:
            console.print(_table((title, "rank", "accepted", "due", "closed", "on time", "%"), [
                (_shown(r["name"] or "-"), "-" if r["rank"] is None else str(r["rank"]),
                 *(str(r["counts"][m]) for m in ("accepted", "due", "closed", "on_time")),
                 _percent(r["rates"][body["rank_by"]]["percent"]))
                for r in body[title]
            ]))  # fmt: skip
    console.print(
        f"open after the time limit: {body['overdue']['count']}; key supervision: {body['supervised']['count']}"
    )
    return kept.getvalue().rstrip("\n")


def _table(heading: tuple[str, ...], rows: list[tuple[str, ...]]) -> Table:
    table = Table()
    for n, title in enumerate(heading):
        table.add_column(title, justify="right" if n else "left")
    for row in rows:
        table.add_row(*row)
    return table


def _percent(value: float | None) -> str:
    return "no data" if value is None else f"{value:.2f}"


def _signed(value: float | None) -> str:
    return "no data" if value is None else f"{value:+.2f}"


def _count(value: int | None) -> str:
    return "no data" if value is None else str(value)


def _shown(stored: str) -> str:
    """Stored text for a terminal: no control characters."""
    return "".join(c if c.isprintable() else " " for c in stored)


commands = (report,)
