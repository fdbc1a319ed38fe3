"""The demo's heating week: its days and targets as the source prints them, supervisions tied to stations, a patrol of the evening."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from gis.inspections import patrols
from gis.inspections.day_plans import Terms
from gis.journal import Who
from gis.network.model import Station
from gis.oversight import weeks
from gis.oversight.outreach_model import Visit
from gis.oversight.week_rules import TargetKey
from gis.people.model import User
from gis.people.rules import CITY
from webapp.demo.calls import NOW, ZONE

SOURCE = "人民网 2009-12-03（sources/pingdu-2009-heating-week）"
# What the source prints of the week. It names them as results; the demo takes them for targets.
_TARGETS: dict[TargetKey, tuple[str, str]] = {
    TargetKey.CALLS: ("1569", SOURCE + ": 共接听1569件"),
    TargetKey.SAME_DAY: ("100", SOURCE + ": 一般性问题要求在当天办结"),
    TargetKey.CLOSING: ("100", SOURCE + ": 办结率100%"),
    TargetKey.SUPERVISIONS: ("72", SOURCE + ": 现场督查72次"),
    TargetKey.PROBLEMS_SOLVED: ("733", SOURCE + ": 解决具体问题733件"),
    TargetKey.CARRIED_OUT: ("90", SOURCE + ": 落实率90%以上"),
    TargetKey.SATISFIED: ("95", SOURCE + ": 群众满意率95%以上"),
}
_ROUTE = 6  # stations of the evening's patrol


def write_week(session: Session, users: dict[str, User]) -> None:
    """The week, the stations of its supervisions (the nearest one to each place), and a patrol that an inspector walks."""
    supervisor = Who(datetime(2009, 11, 13, 15, 0, tzinfo=ZONE), users["supervisor"].id)
    week = weeks.enter(session, supervisor, weeks.Planned(
        "平度市", "市区集中供热专题接话周", date(2009, 11, 16), date(2009, 11, 22), SOURCE + ": 市长公开电话市区集中供热专题接话周实施方案",
        "Heating week of the mayor's line",
    ), synthetic=True)  # fmt: skip
    weeks.set_targets(session, supervisor, week.id, {k: weeks.Target(Decimal(v), s) for k, (v, s) in _TARGETS.items()})
    nearest = (
        select(Station.id).order_by(Station.geom.op("<->")(Visit.geom), Station.id).limit(1).correlate(Visit).scalar_subquery()
    )  # fmt: skip
    session.execute(update(Visit).where(Visit.kind == "on_site", Visit.geom.isnot(None)).values(station_id=nearest))
    _patrol(session, users)


def _patrol(session: Session, users: dict[str, User]) -> None:
    """The stations with the most households, in the order of the shortest way."""
    stations = list(session.scalars(select(Station.id).order_by(Station.households.desc(), Station.id).limit(_ROUTE)))
    if not stations:
        return
    planned = patrols.Planned(
        "晚高峰换热站巡检", NOW.date(), users["inspector"].id, stations, note="看二次供回水温度和压差，听泵的声音"
    )
    patrols.plan(session, Who(NOW - timedelta(hours=2), users["dispatcher"].id), CITY, planned, NOW.date(), Terms(500.0, 25.0),
                 synthetic=True)  # fmt: skip
