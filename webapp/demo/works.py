"""The demo's construction sites of November 2009: contractors, people with certificates, notices, self-inspection, a round.

All of it is synthetic. The kinds of works and what is checked follow sources/qingdao-2011; nobody in it is real.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
from shapely import Point, box
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from gis import journal
from gis.inspections import day_plans, round_queries, rounds
from gis.inspections.day_plans import Terms
from gis.inspections.model import CheckAnswer, Inspection, Site
from gis.inspections.round_model import SiteVisit
from gis.inspections.rules import SIX_PLEDGES, applicable
from gis.inspections.site_model import SelfCheck, SiteDoor, SiteNotice, SitePresence, SiteWorker, WorkCertificate
from gis.inspections.site_queries import When
from gis.inspections.site_rules import REQUIRED, Trade
from gis.journal import Who
from gis.people.model import Unit, User
from gis.people.rules import CITY
from gis.places.model import Building
from webapp.demo.calls import NOW
from webapp.demo.city import City

ZONE = ZoneInfo("Asia/Shanghai")
SITES, WORKERS_MOST = 60, 5
TODAY = NOW.astimezone(ZONE).date()
_CONTRACTORS = ("恒通热力安装公司", "鲁东市政工程公司", "永固建筑安装公司", "顺达管道工程公司")
_WORKS = {
    "yard": ("庭院供热管网改造", "庭院供水管网改造", "庭院燃气管道敷设", "道路管沟施工"),
    "indoor": ("室内采暖改造", "分户计量改造", "室内燃气安装", "楼内立管更换"),
}
_SURNAMES, _GIVEN = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗",
    ("建国", "志强", "海涛", "立新", "永刚", "文斌", "春生", "国栋", "宝军", "庆丰"),
)
_TRADES = (
    Trade.FOREMAN,
    Trade.WELDER,
    Trade.PIPE_FITTER,
    Trade.LABOURER,
    Trade.SAFETY_OFFICER,
    Trade.ELECTRICIAN,
    Trade.DIGGER,
)


def write_works(
    session: Session, city: City, units: dict[str, int], areas: dict[str, Any], users: dict[str, User], wgs: Any
) -> None:
    """Everything of this room, from a seed of its own: nothing else of the demo changes by it."""
    rng = np.random.default_rng(20110902)
    contractors = [units["PY-SG1"], units["PY-SG2"], *_contractors(session)]
    heat = (units["PY-XP"], units["PY-JQ"])
    first = session.scalars(select(Site).order_by(Site.id)).all()
    for n, site in enumerate(first):  # the sites that were there: their unit was their contractor
        session.execute(update(Site).where(Site.id == site.id).values(
            contractor_id=contractors[n % 2], unit_id=heat[n % 2], address=f"{site.name[:4]}院内", planned_from=TODAY - timedelta(days=30),
            planned_to=TODAY + timedelta(days=20)))  # fmt: skip
    _sites(session, city, contractors, heat, areas, wgs, rng, SITES - len(first))
    found = session.scalars(select(Site).order_by(Site.id).execution_options(populate_existing=True)).all()
    _people(session, found, rng)
    _notices(session, found, users, rng)
    _history(session, found, users)
    _self_checks(session, found, users, rng)
    _round(session, users)


def _contractors(session: Session) -> list[int]:
    rows = [{"code": f"PY-SG{i}", "name": name, "kind": "contractor"} for i, name in enumerate(_CONTRACTORS, 3)]
    return list(session.scalars(insert(Unit).returning(Unit.id, sort_by_parameter_order=True), rows))


def _sites(
    session: Session, city: City, contractors: list[int], heat: tuple[int, int], areas: dict[str, Any], wgs: Any,
    rng: np.random.Generator, count: int,
) -> None:  # fmt: skip
    """In other compounds than before: yards with a drawn ground, homes in a building."""
    buildings = dict(session.execute(select(Building.name, Building.id)).all())
    rows, doors = [], {}
    for n, c in enumerate(rng.choice(len(city.compounds), count, replace=False).tolist(), 19):
        block, scope = city.compounds[c], ("yard", "indoor")[n % 2]
        works = _WORKS[scope][int(rng.integers(4))]
        stage = ("during", "during", "before", "after")[int(rng.integers(4))]
        house = int(rng.integers(len(block.buildings)))
        at = block.buildings[house].centroid if scope == "indoor" else Point(block.ground.centroid.x + rng.uniform(-40, 40),
                                                                             block.ground.centroid.y + rng.uniform(-20, 20))  # fmt: skip
        begun = TODAY - timedelta(days=int(rng.integers(5, 45)))
        code = f"PYG{n:02}"
        rows.append({
            "code": code, "name": f"{block.name}{works}", "scope": scope, "stage": stage,
            "is_heating": "采暖" in works or "供热" in works or "计量" in works, "unit_id": heat[block.company],
            "contractor_id": contractors[int(rng.integers(len(contractors)))], "area_id": areas["compounds"][c], "synthetic": True,
            "geom": wgs(at), "building_id": buildings.get(f"{block.name}{house + 1}号楼") if scope == "indoor" else None,
            "footprint": wgs(box(at.x - 45, at.y - 6, at.x + 45, at.y + 6)) if scope == "yard" else None,
            "address": f"{block.name}{house + 1}号楼" + ("" if scope == "indoor" else "前"), "planned_from": begun,
            "planned_to": begun + timedelta(days=40), "begun_on": None if stage == "before" else begun,
            "ended_on": TODAY - timedelta(days=2) if stage == "after" else None,
        })  # fmt: skip
        if scope == "indoor":
            doors[code] = f"{rng.integers(1, 4)}单元{rng.integers(1, 6)}0{rng.integers(1, 3)}"
    made = session.execute(insert(Site).returning(Site.id, Site.code), rows).all()
    session.execute(
        insert(SiteDoor), [{"site_id": row.id, "door_no": doors[row.code]} for row in made if row.code in doors]
    )


def _people(session: Session, found: Any, rng: np.random.Generator) -> None:
    """Two to five on each site; some certificates end within a month, some are over, some were never shown."""
    for site in found:
        for k in range(int(rng.integers(2, WORKERS_MOST + 1))):
            trade = _TRADES[k if k < 2 else int(rng.integers(2, len(_TRADES)))]
            name = str(rng.choice(list(_SURNAMES))) + str(rng.choice(_GIVEN))
            worker = SiteWorker(unit_id=site.contractor_id, name=name, trade=trade, synthetic=True)
            session.add(worker)
            session.flush()
            session.add(
                SitePresence(
                    site_id=site.id, worker_id=worker.id, since_at=NOW - timedelta(days=int(rng.integers(2, 20)))
                )
            )
            fate = rng.random()
            if fate < 0.06:
                continue
            ends = (
                int(rng.integers(1, 29))
                if fate < 0.16
                else -int(rng.integers(1, 60))
                if fate < 0.22
                else int(rng.integers(60, 900))
            )
            session.add(WorkCertificate(worker_id=worker.id, kind=REQUIRED[trade], no=f"PD{worker.id:06}", valid_from=date(2007, 3, 1),
                                        valid_to=TODAY + timedelta(days=ends)))  # fmt: skip


def _notices(session: Session, found: Any, users: dict[str, User], rng: np.random.Generator) -> None:
    for site in found:
        posted = [i for i in ("1.1", "1.2", "1.3", "1.4") if rng.random() < 0.85 and (site.is_heating or i != "1.3")]
        if rng.random() < 0.9:
            session.add(SiteNotice(site_id=site.id, at=NOW - timedelta(days=int(rng.integers(1, 15))), user_id=users["unit_handler"].id,
                                   text="公示栏设于施工现场入口（合成）", posted=posted))  # fmt: skip


def _self_checks(session: Session, found: Any, users: dict[str, User], rng: np.random.Generator) -> None:
    """A call for self-inspection at the beginning of the month; three in four units have done it for their sites."""
    session.add(SelfCheck(from_on=date(2009, 11, 2), due_on=date(2009, 11, 20), note="庭院及室内工程全面自查（合成）",
                          called_at=NOW - timedelta(days=20), called_by=users["supervisor"].id, synthetic=True))  # fmt: skip
    handler = users["unit_handler"]
    visits, answers = [], []
    for site in found:
        if site.unit_id != handler.unit_id or rng.random() > 0.75:
            continue
        number, at = UUID(bytes=rng.bytes(16), version=4), NOW - timedelta(days=float(rng.uniform(2.5, 14)))
        visits.append({
            "id": number, "site_id": site.id, "inspector_id": handler.id, "checklist_code": "six_pledges", "checklist_revision": 1,
            "scope": site.scope, "stage": site.stage, "started_at": at - timedelta(minutes=20), "finished_at": at, "received_at": at,
            "area_id": site.area_id, "unit_id": site.unit_id, "is_self": True,
        })  # fmt: skip
        answers += [{"inspection_id": number, "item_id": item.id, "answer": "yes"}
                    for item in applicable(SIX_PLEDGES, site.scope, site.stage, site.is_heating)]  # fmt: skip
    if visits:
        session.execute(insert(Inspection), visits)
        session.execute(insert(CheckAnswer), answers)


def _round(session: Session, users: dict[str, User]) -> None:
    """A dragnet round that began in the middle of the week: some of it is done, the rest is planned from Monday on."""
    who = Who(NOW - timedelta(days=5), users["supervisor"].id)
    begun = TODAY - timedelta(days=4)
    asked = rounds.Asked(
        name="十一月庭院及室内施工拉网式检查", starts_on=begun, ends_on=TODAY + timedelta(days=9), size=20, seed=20091118, per_day=4,
        strata=("street", "stage"), surprise=True, note="合成数据；轮次方式参照青市政公用办〔2011〕85号",
    )  # fmt: skip
    made = rounds.plan(session, who, CITY, asked, When(begun, ZONE.key))
    made.synthetic = True
    day_plans.assign(session, who, CITY, made.id, [users["inspector"].id], begun, Terms(500.0, 25.0), None)
    rounds.fix(session, who, CITY, made.id, None)
    _walk(session, made.id, users["inspector"].id)
    journal.write(session, who, "load", "inspection_round", made.id, version=made.version, synthetic=True)


def _walk(session: Session, round_id: int, inspector: int) -> None:
    """What was planned up to today is done, but for the last visit of Friday; here and there a promise was not kept."""
    rng = np.random.default_rng(20091120)
    planned = [
        row for row in round_queries.visits(session, round_id) if row["on_day"] is not None and row["on_day"] <= TODAY
    ]
    for row in planned[:-1]:
        site = session.get_one(Site, row["site_id"])
        begun = datetime.combine(row["on_day"], time(9), tzinfo=ZONE) + timedelta(minutes=65 * (row["stop_no"] - 1))
        number, end = UUID(bytes=rng.bytes(16), version=4), begun + timedelta(minutes=40)
        session.execute(insert(Inspection).values(
            id=number, site_id=site.id, inspector_id=inspector, checklist_code="six_pledges", checklist_revision=1, scope=site.scope,
            stage=site.stage, started_at=begun, finished_at=end, received_at=end + timedelta(minutes=2), area_id=site.area_id,
            unit_id=site.unit_id, position=site.geom, position_accuracy_m=8.0, is_self=False))  # fmt: skip
        session.execute(insert(CheckAnswer), [
            {"inspection_id": number, "item_id": item.id, "answer": "no" if (no := rng.random() < 0.05) else "yes",
             "note": "现场不符，已告知施工单位（合成）" if no else ""}
            for item in applicable(SIX_PLEDGES, site.scope, site.stage, site.is_heating)
        ])  # fmt: skip
        visit = session.get_one(SiteVisit, row["id"])
        visit.status, visit.inspection_id = "done", number
        session.flush()
        entry = journal.write(
            session,
            Who(end, inspector),
            "submit",
            "inspection",
            number,
            version=1,
            area_id=site.area_id,
            unit_id=site.unit_id,
        )
        entry.at = end
    session.flush()


def _history(session: Session, found: Any, users: dict[str, User]) -> None:
    """Who entered each site and moved it on."""
    who = users["supervisor"].id
    for site in found:
        begun = site.begun_on or site.planned_from or TODAY
        told = [("add", begun - timedelta(days=6), {})]
        if site.stage != "before":
            told.append(("begin", begun, {"before": "before", "after": "during", "note": ""}))
        if site.stage == "after":
            told.append(
                (
                    "finish",
                    site.ended_on or TODAY - timedelta(days=1),
                    {"before": "during", "after": "after", "note": ""},
                )
            )
        for verb, day, data in told:
            at = datetime.combine(day, time(8, 30), tzinfo=ZONE)
            journal.write(
                session, Who(at, who), verb, "site", site.id, area_id=site.area_id, unit_id=site.unit_id, **data
            )
    session.flush()
