"""`chengmai plan`: the day's plan without a browser, made in this process, and accepted if asked."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import click

from gis.db import unit_of_work
from gis.dispatch import plan_accepting, plan_actions, plan_queries
from gis.dispatch.plan_making import Asked
from gis.dispatch.plan_model import DayPlan
from gis.dispatch.plan_rules import SECONDS, SECONDS_MOST, PlanMode, PlanState
from gis.dispatch.queries import crew_called
from gis.errors import BadInput, Conflict
from gis.people.rules import CITY
from webapp.cli import Context, common
from webapp.plan_tasks import make, terms_of
from webapp.plan_words import failed, unserved


class PlanFailed(Conflict):
    """%(what)s."""

    code = "plan_failed"


@click.command()
@click.option("--date", "day", metavar="DATE", help="The day, as 2009-11-23; without it today.")
@click.option(
    "--seconds", default=SECONDS, show_default=True, type=click.IntRange(1, SECONDS_MOST), help="How long to search."
)
@click.option(
    "--crews", default="", metavar="A,B", help="Only these crews, by code or name; without it all that are on duty."
)
@click.option("--category", "categories", multiple=True, metavar="CODE",
              help="Only this category, or all that begin with it (heat); may be given several times.")  # fmt: skip
@click.option("--least", is_flag=True, help="Change only what must change: what is given stays where it is.")
@click.option("--accept", "accepted", is_flag=True, help="Book it at once, crew by crew.")
@common
@click.pass_obj
def plan(
    context: Context,
    day: str | None,
    seconds: int,
    crews: str,
    categories: tuple[str, ...],
    least: bool,
    accepted: bool,
) -> None:
    """Make a plan for a day and show it beside today."""
    who, terms = context.who(), terms_of(context.settings)
    today = who.now.astimezone(ZoneInfo(context.settings.timezone)).date()
    mode = PlanMode.LEAST if least else PlanMode.WHOLE
    with context.sessions() as sessions:
        with unit_of_work(sessions) as session:
            chosen = tuple(crew_called(session, name.strip()).id for name in crews.split(",") if name.strip())
            asked = Asked(_day(day, today), chosen, categories)
            made = plan_actions.propose(session, who, asked, today=today, seconds=seconds, mode=mode, later=False)
            plan_id = made.id
        make(sessions, who, plan_id, terms)
        outcomes = []
        with unit_of_work(sessions) as session:
            stored = session.get_one(DayPlan, plan_id)
            if stored.status != PlanState.READY:
                raise PlanFailed(what=failed(stored.problem or ""))
            if accepted:
                outcomes = plan_accepting.accept(session, context.who(), stored, None, terms)
        with unit_of_work(sessions) as session:
            told = _told(session, session.get_one(DayPlan, plan_id), outcomes)
    context.say(told, _lines(told))


def _day(said: str | None, today: date) -> date:
    try:
        return date.fromisoformat(said) if said else today
    except ValueError:
        raise BadInput(reason=f"--date {said}") from None


def _told(session: Any, stored: DayPlan, outcomes: list[plan_accepting.Outcome]) -> dict[str, Any]:
    """The stable shape: README says it."""
    stops = plan_queries.stops(session, stored.id, CITY)
    refused = {crew: outcome.error for outcome in outcomes if outcome.error is not None for crew in outcome.crews}
    return {
        "plan_id": stored.id, "date": str(stored.day), "mode": stored.mode, "by": stored.by,
        **{name: stored.totals[name] for name in ("today", "greedy", "plan")}, "moved": stored.totals["moved"],
        "crews": [
            {
                "crew_id": part["crew_id"], "crew": part["name"], "status": part["status"], "before": part["before"],
                "after": part["after"],
                "refused": refused[part["crew_id"]].sentence if part["crew_id"] in refused else None,
                "orders": [
                    {"complaint_id": s["complaint_id"], "hotline_no": s["hotline_no"], "kind": s["kind"],
                     "leave_at": _moment(s["leave_at"]), "begin_at": _moment(s["begin_at"]), "end_at": _moment(s["end_at"]),
                     "way_s": s["way_s"], "way_m": s["way_m"], "late_s": s["late_s"]}
                    for s in stops if s["crew_id"] == part["crew_id"]
                ],
            }
            for part in plan_queries.parts(session, stored.id)
        ],
        "unserved": [
            {"complaint_id": s["complaint_id"], "hotline_no": s["hotline_no"], "reason": s["reason"],
             "why": unserved(s["reason"], s["params"])} for s in stops if s["crew_id"] is None
        ],
    }  # fmt: skip


def _moment(at: Any) -> str | None:
    return at.isoformat() if at else None


def _lines(told: dict[str, Any]) -> str:
    def one(name: str, words: str) -> str:
        t = told[name]
        return (f"{words}: {t['orders']} orders, {t['way_s'] / 60:.0f} min, {t['way_m'] / 1000:.1f} km, {t['late']} late, "
                f"{t['unserved']} not placed")  # fmt: skip

    lines = [one("today", "today"), one("greedy", "nearest first"), one("plan", f"plan {told['plan_id']}")]
    for crew in told["crews"]:
        if crew["orders"]:
            numbers = ", ".join(f"{o['hotline_no']} ({o['kind']})" for o in crew["orders"])
            end = f"; refused: {crew['refused']}" if crew["refused"] else f"; {crew['status']}"
            lines.append(f"{crew['crew']}: {numbers}{end}")
    return "\n".join([*lines, *(f"! {u['hotline_no']}: {u['why']}" for u in told["unserved"])])


commands = (plan,)
