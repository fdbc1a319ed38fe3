"""What cameras see in the demo city, which stretches nobody sees, where the signal is weak, who still waits for gas. By the verbs
that the screens call, on made-up cameras, masts and samples."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

import numpy as np
from geoalchemy2.shape import to_shape
from numpy.random import Generator
from shapely.geometry import Point
from sqlalchemy import select
from sqlalchemy.orm import Session

from gis.coverage import actions
from gis.coverage import ground_queries as ground
from gis.coverage.model import SPOTS, BlindSpot, Camera, Mast, SignalSample
from gis.coverage.rules import SpotKind, SpotOrigin, SpotVerb
from gis.journal import Who
from gis.network.rules import Utility
from gis.oversight import promises
from gis.people.model import User
from gis.people.rules import CITY
from webapp.demo.calls import NOW
from webapp.demo.city import COLUMNS, ROWS, TURN_DEG, City

ZONE = ZoneInfo("Asia/Shanghai")
SAMPLES, OPERATORS = 4000, ("移动", "联通", "电信")
ROADSIDE_M, POLE_M = 7.0, 6.0
DIRECT_DBM, PER_DECADE_DB, NOISE_DB = -62.0, 34.0, 5.0


def write_coverage(
    session: Session, city: City, units: dict[str, int], areas: dict[str, Any], users: dict[str, User], rng: Generator, wgs: Any
) -> None:  # fmt: skip
    """Cameras and their coverage, four blind spots in four states, weak signal with a mast to come, an area without gas."""
    _cameras(session, city, units, wgs)
    _signal(session, city, rng, wgs)
    session.flush()
    _compute(session, users["planner"].id)
    _blind_spots(session, units, users)
    _weak(session, city, units, users, wgs)
    _unserved(session, areas, users)
    for model in SPOTS.values():
        for spot in session.scalars(select(model).order_by(model.id)):
            spot.synthetic = True
    session.flush()


def _at(day: int, hour: int) -> datetime:
    return datetime(2009, 11, day, hour, tzinfo=ZONE)


def _cameras(session: Session, city: City, units: dict[str, int], wgs: Any) -> None:
    """At nearly every crossing of main roads four that look along them; every ninth can turn, some are broken, two lack a bearing."""
    crossings = [row * COLUMNS + column for row in range(0, ROWS, 3) for column in range(0, COLUMNS, 3)]
    number = 0
    for i, node in enumerate(crossings):
        if i % 6 == 5:
            continue
        for looks in (0.0, 90.0, 180.0, 270.0):
            number += 1
            bearing = (looks - TURN_DEG) % 360
            session.add(Camera(
                code=f"PYK{number:03}", name=f"路口探头{number:03}", state="broken" if number % 17 == 0 else "working", height_m=POLE_M,
                bearing_deg=None if number in (40, 80) else bearing, focal_mm=(6.0, 12.0, 12.0)[number % 3], sensor_mm=5.12,
                resolution_px=1920, is_ptz=number % 9 == 0, unit_id=units["PY-BUREAU"], synthetic=True,
                geom=wgs(Point(*(city.nodes[node] + (ROADSIDE_M * np.sign(np.sin(np.radians(looks + 45))), 3.0)))),
            ))  # fmt: skip


def _signal(session: Session, city: City, rng: Generator, wgs: Any) -> None:
    """Three masts and readings of phones; the farther from a mast the weaker, and the north-east has none yet."""
    masts = [city.nodes[row * COLUMNS + column] for row, column in ((5, 5), (8, 17), (15, 9))]
    for i, (place, state) in enumerate(
        [*((m, "working") for m in masts), (city.nodes[(ROWS - 4) * COLUMNS + 20], "planned")], 1
    ):
        session.add(
            Mast(
                code=f"PYT{i:02}",
                name=f"基站{i:02}",
                operator="移动",
                state=state,
                height_m=35.0,
                synthetic=True,
                geom=wgs(Point(*place)),
            )
        )
    low, high = city.nodes.min(axis=0), city.nodes.max(axis=0)
    walks = [low + (high - low) * rng.uniform(0.05, 0.95, 2) for _ in range(SAMPLES // 40)]
    far = city.nodes[(ROWS - 4) * COLUMNS + 20]
    walks[:20] = [far + rng.normal(0, 250, 2) for _ in range(20)]
    for i in range(SAMPLES):
        place = walks[i % len(walks)] + rng.normal(0, 45, 2)
        away = max(30.0, min(float(np.hypot(*(place - m))) for m in masts))
        dbm = DIRECT_DBM - PER_DECADE_DB * np.log10(away / 100) + rng.normal(0, NOISE_DB)
        session.add(SignalSample(
            code=f"PYR{i + 1:05}", at=_at(16 + i % 6, 8 + i % 10), operator=OPERATORS[i % 3], rsrp_dbm=round(float(np.clip(dbm, -140, -50)), 1),
            synthetic=True, geom=wgs(Point(*place)),
        ))  # fmt: skip


def _compute(session: Session, planner: int) -> None:
    who = Who(_at(20, 9), planner)
    run = actions.ask_run(session, who, queued=False)
    actions.begin_run(session, run.id)
    near_lon = ground.middle_lon(session)
    if near_lon is not None:
        actions.keep_views(session, run.id, ground.cameras(session), near_lon)
    actions.finish_run(session, who, run.id, near_lon)


def _blind_spots(session: Session, units: dict[str, int], users: dict[str, User]) -> None:
    """The longest: one verified on foot, one promised in time, one promised and overdue, one explained; the others wait."""
    found = session.scalars(select(BlindSpot).where(BlindSpot.from_landmark != "", BlindSpot.to_landmark != "")
                            .order_by(BlindSpot.unseen_m.desc(), BlindSpot.id).limit(4)).all()  # fmt: skip
    kind = SpotKind.BLIND_SPOT
    for i, (spot, cameras) in enumerate(zip(found, (3, 0, 1, 0), strict=False)):
        seen = actions.Seen(
            uuid5(NAMESPACE_URL, f"demo-check-{i}"),
            _at(20, 10 + i),
            cameras,
            None,
            f"现场现有{cameras}路探头（合成数据）",
        )
        actions.verify(session, Who(_at(20, 10 + i), users["inspector"].id), CITY, kind, spot.id, seen)
    for spot, due, words in zip(
        found[1:3],
        (date(2010, 3, 31), date(2009, 11, 21)),
        ("明年一季度前增设探头4路", "11月21日前在路口增设探头1路"),
        strict=False,
    ):
        _promise(session, users, kind, spot.id, f"{spot.road_name}:{words}", due, units["PY-BUREAU"], spot.area_id)
    if len(found) > 3:
        actions.step(session, Who(_at(21, 9), users["supervisor"].id), CITY, kind, found[3].id, SpotVerb.EXPLAIN,
                     "该路段施工围挡至年底，竣工后统一安装，暂由巡逻车覆盖。")  # fmt: skip


def _promise(
    session: Session, users: dict[str, User], kind: SpotKind, spot_id: int, words: str, due: date, unit_id: int, area_id: int | None,
    answer: str = "",
) -> None:  # fmt: skip
    who = Who(_at(20, 15), users["supervisor"].id)
    given = promises.Pledged(
        words,
        "孙科长",
        due,
        post="视频监控科",
        unit_id=unit_id,
        area_id=area_id,
        made_on=date(2009, 11, 20),
        source="合成数据",
    )
    made = promises.promise(session, who, given, zone=ZONE, synthetic=True)
    actions.plan(session, who, CITY, kind, spot_id, made.id, made.due_on, answer)


def _weak(session: Session, city: City, units: dict[str, int], users: dict[str, User], wgs: Any) -> None:
    """The village that the source tells of: houses hide it, a mast is asked for, to stand by 30 December."""
    place = to_shape(wgs(Point(*city.nodes[(ROWS - 4) * COLUMNS + 20])))
    spot = actions.report_weak(
        session, Who(_at(18, 10), users["supervisor"].id), actions.Weak("城东北片区", place.x, place.y, "移动")
    )
    _promise(session, users, SpotKind.WEAK_SIGNAL_SPOT, spot.id, "12月30日前建成城东北基站并开通", date(2009, 12, 30), units["PY-BUREAU"],
             spot.area_id, "建筑物遮挡导致弱覆盖，需新建基站，已提交建设申请并纳入工程建设。")  # fmt: skip


def _unserved(session: Session, areas: dict[str, Any], users: dict[str, User]) -> None:
    """Two compounds whose households ask for gas: one explained, one still looked into."""
    for day, place in ((17, 7), (19, 31)):
        spot = actions.report_unserved(
            session,
            Who(_at(day, 9), users["supervisor"].id),
            areas["compounds"][place],
            Utility.GAS,
            None,
            SpotOrigin.CITIZEN,
        )
        if day == 17:
            actions.step(session, Who(_at(19, 9), users["supervisor"].id), CITY, SpotKind.UNSERVED_AREA, spot.id, SpotVerb.EXPLAIN,
                         "庭院管线已入规划，待外墙保温施工结束后安装。")  # fmt: skip
    promises.tell_overdue(session, Who(NOW, None), ZONE)
