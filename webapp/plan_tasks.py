"""The worker's part in plans: the search runs outside of any transaction, on two cores, and tells how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session, sessionmaker

from gis.db import unit_of_work
from gis.dispatch import plan_actions, plan_making
from gis.dispatch.plan_making import Made, Situation
from gis.dispatch.plan_model import DayPlan
from gis.dispatch.plan_rules import PlanMode, PlanNothing, PlanState
from gis.dispatch.plan_solver import Until
from gis.dispatch.rules import Terms
from gis.errors import ChengmaiError
from gis.journal import Who
from gis.settings import Settings
from webapp.plan_cores import cores
from webapp.worker import settings, task

TELL_EVERY_S = 0.5
TRIES = 3


def terms_of(s: Settings) -> Terms:
    """The settings of dispatch."""
    return Terms(ZoneInfo(s.timezone), s.straight_speed_kmh, s.snap_limit_m, s.position_fresh_min, s.undo_s)


@task(plan_actions.JOB, tries=TRIES, sessions=True)
def make_day_plan(sessions: sessionmaker[Session], who: Who, payload: dict[str, Any]) -> None:
    """Make a proposal that was asked for. One that is finished or unwanted already is left alone."""
    make(sessions, who, int(payload["plan_id"]), terms_of(settings()))


def make(sessions: sessionmaker[Session], who: Who, plan_id: int, terms: Terms) -> None:
    """Read, search, store; what is wrong with the question is told on the proposal itself."""
    try:
        found = _begin(sessions, who, plan_id, terms)
        if found is None:
            return
        stands, mode, seconds, seed = found
        made = _search(stands, mode, seconds, seed, _telling(sessions, plan_id))
    except ChengmaiError as error:
        _failed(sessions, who, plan_id, error.code)
        return
    except Exception:
        _failed(sessions, who, plan_id, "broken")  # whoever waits is told; the queue writes down what it was
        raise
    with unit_of_work(sessions) as session:
        plan = session.get_one(DayPlan, plan_id, with_for_update=True)
        if plan.status == PlanState.SOLVING:
            plan_actions.keep(session, who, plan, stands, made)


def _failed(sessions: sessionmaker[Session], who: Who, plan_id: int, code: str) -> None:
    with unit_of_work(sessions) as session:
        plan_actions.fail(session, who, session.get_one(DayPlan, plan_id), code)


def _begin(
    sessions: sessionmaker[Session], who: Who, plan_id: int, terms: Terms
) -> tuple[Situation, PlanMode, int, int] | None:
    with unit_of_work(sessions) as session:
        plan = session.get(DayPlan, plan_id, with_for_update=True)
        if plan is None or plan.status not in (PlanState.WAITING, PlanState.SOLVING):
            return None
        stands = plan_making.situation(session, plan_actions.asked_of(plan), terms, who.now)
        if not stands.problem.crews:
            raise PlanNothing(day=plan.day)
        plan_actions.begin(session, plan, who.now)
        return stands, PlanMode(plan.mode), plan.seconds, plan.seed


def _search(stands: Situation, mode: PlanMode, seconds: int, seed: int, told: Callable[[float], None]) -> Made:
    stop = Until(time.monotonic, time.monotonic() + seconds)
    with cores() as spread:
        return plan_making.make(stands, mode, seed=seed, stop=stop, spread=spread, told=told)


def _telling(sessions: sessionmaker[Session], plan_id: int) -> Callable[[float], None]:
    """Write how far it is, twice a second at most."""
    last = [time.monotonic()]

    def tell(share: float) -> None:
        if time.monotonic() - last[0] >= TELL_EVERY_S:
            last[0] = time.monotonic()
            with unit_of_work(sessions) as session:
                plan_actions.tell(session, plan_id, share)

    return tell
