"""Oversight in the demo week: call-backs, notices, cases handed over, leaders' days, meetings, promises, a campaign of visits.

source: sources/pingdu-2009: 72 on-site supervisions, 733 problems solved, more than 90 % of them carried out, more than 95 %
satisfied; the numbers of each day and all words are invented. The campaign's targets are those of sources/qingdao-2011.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from geoalchemy2.shape import from_shape
from numpy.random import Generator
from shapely.geometry import Point
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from gis import geo
from gis.complaints.model import Complaint
from gis.journal import Who
from gis.oversight import follow_ups, notices, outreach, promises
from gis.oversight.model import FollowUpCall
from gis.oversight.outreach_model import Matter, Meeting, Visit
from gis.oversight.schedule import leader_days
from gis.people.model import User
from gis.people.rules import CITY, Scope
from gis.places.queries import working_days
from webapp.demo.calls import NOW, ZONE
from webapp.demo.city import City

SUPERVISED, SOLVED, FOUND = 72, 733, 801
VISITS, LON = 152, 119.958
_SAID = (("heat.cold", "希望提高末端住户室温"), ("heat.none", "个别楼栋整单元不热，希望尽快调试"), ("heat.fee", "希望公示收费标准和停热办法"),
         ("heat.start", "希望开栓时提前通知"), ("works.restore", "施工后路面要及时恢复"), ("service.manner", "希望物业公司接电话更及时"),
         ("water.none", "停水要提前通知"), ("road.snow", "雪后请及时清理小区出入口"), ("heat.noise", "换热站夜间噪声较大"))  # fmt: skip


def write_oversight(
    session: Session, city: City, units: dict[str, int], areas: dict[str, Any], users: dict[str, User], rng: Generator
) -> None:
    """Some of everything. What people would do on the screen is done by the verbs that the screen calls."""
    supervisor, caller = users["supervisor"].id, users["follow_up_caller"].id
    _calls(session, caller, rng)
    _answers(session)
    _visits(session, city, units, areas, caller, rng)
    _notices(session, supervisor, users["unit_handler"].id)
    _handed_over(session, supervisor, users["unit_handler"].id)
    _leaders(session, supervisor)
    _meetings(session, units, areas, supervisor)
    _promises(session, units, supervisor)


def _at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2009, 11, day, hour, minute, tzinfo=ZONE)


def _calls(session: Session, caller: int, rng: Generator) -> None:
    """One call for every confirmed complaint; a few were not reached in three attempts."""
    rows = []
    asked = select(Complaint.id, Complaint.confirmed_at, Complaint.unit_id, Complaint.district_id)
    for case in session.execute(asked.where(Complaint.confirmed_at.isnot(None)).order_by(Complaint.id)):
        common = {"complaint_id": case.id, "user_id": caller, "unit_id": case.unit_id, "district_id": case.district_id}
        nothing = {"solved": None, "process": None, "result": None, "note": ""}
        if rng.random() < 0.03:
            rows += [common | nothing | {"attempt": n, "outcome": "unreachable", "at": case.confirmed_at + timedelta(minutes=n - 3)}
                     for n in (1, 2, 3)]  # fmt: skip
            continue
        scale = ("satisfied", "basically", "dissatisfied")
        process, result = (str(rng.choice(scale, p=p)) for p in ((0.80, 0.17, 0.03), (0.78, 0.185, 0.035)))
        rows.append(common | {"attempt": 1, "outcome": "reached", "at": case.confirmed_at, "process": process, "note": "",
                              "result": result, "solved": bool(result != "dissatisfied" and rng.random() < 0.95)})  # fmt: skip
    session.execute(insert(FollowUpCall), rows)


def _answers(session: Session) -> None:
    """What was told to those who are still to be called back."""
    told = update(Complaint).where(Complaint.status == "answered", Complaint.answer == "")
    session.execute(
        told.values(answer="已上门放气调试，室温恢复到18℃以上，已向来电人说明。"),
        execution_options={"synchronize_session": False},
    )


def _visits(
    session: Session, city: City, units: dict[str, int], areas: dict[str, Any], user: int, rng: Generator
) -> None:
    """The campaign of November with its opinions, and the on-site supervisions of the week."""
    campaign = outreach.begin_campaign(
        session, Who(_at(1, 9), user), "亲情服务进社区", date(2009, 11, 1), date(2009, 11, 30), 200, 10_000,
        "sources/qingdao-2011: 进社区200个以上, 征求意见1万人次以上 (合成数据)", synthetic=True,
    )  # fmt: skip
    bodies = [units["PY-XP"], units["PY-JQ"], units["PY-BUREAU"]]
    rows = []
    for n in range(VISITS):
        block = int(rng.integers(0, len(city.compounds)))
        day, hour = 2 + n * 21 // VISITS, int(rng.integers(9, 17))
        rows.append(_visit(city, areas, block, "community", min(_at(day, hour), NOW), campaign.id)
                    | {"people": int(rng.integers(25, 70)), "visitors": "服务督查科、供热企业、社区居委会", "unit_id": bodies[n % 3]})  # fmt: skip
    solved = rng.multinomial(SOLVED, [1 / SUPERVISED] * SUPERVISED)
    more = rng.multinomial(FOUND - SOLVED, [1 / SUPERVISED] * SUPERVISED)
    for n in range(SUPERVISED):
        block = int(rng.integers(0, len(city.compounds)))
        at = min(_at(16 + n * 7 // SUPERVISED, 8 + n % 10, 20), NOW)
        rows.append(_visit(city, areas, block, "on_site", at, None)
                    | {"found": int(solved[n] + more[n]), "solved": int(solved[n]), "unit_id": bodies[n % 3],
                       "visitors": "市长公开电话办公室、公用事业处", "note": "查看换热站运行、测温点参数"})  # fmt: skip
    made = list(
        session.scalars(insert(Visit.__table__).returning(Visit.__table__.c.id, sort_by_parameter_order=True), rows)
    )
    matters = [
        {"visit_id": number, "raised_at": row["at"], "raised_by": user, "category": code, "text": text,
         "people": int(rng.integers(6, 28)), "answer": "现场解释并登记" if k == 0 else "", "answered_at": row["at"] if k == 0 else None}
        for number, row in zip(made[:VISITS], rows[:VISITS], strict=True)
        for k, (code, text) in enumerate(_SAID[int(c)] for c in rng.choice(len(_SAID), 3, replace=False))
    ]  # fmt: skip
    session.execute(insert(Matter), matters)


def _visit(
    city: City, areas: dict[str, Any], block: int, kind: str, at: datetime, campaign: int | None
) -> dict[str, Any]:
    middle = city.compounds[block].ground.centroid
    lon, lat = geo.to_degrees(middle.x, middle.y, LON)
    return {"campaign_id": campaign, "kind": kind, "at": at, "place": city.compounds[block].name, "synthetic": True,
            "area_id": areas["compounds"][block], "geom": from_shape(Point(float(lon), float(lat)), srid=4326),
            "people": 0, "found": 0, "solved": 0, "visitors": "", "note": ""}  # fmt: skip


def _closed_cases(session: Session, count: int, skip: int) -> list[Complaint]:
    """Some confirmed complaints of one unit."""
    asked = select(Complaint).where(Complaint.status == "confirmed", Complaint.unit_id.isnot(None))
    first = session.scalars(asked.order_by(Complaint.id).offset(skip).limit(1)).one()
    same = asked.where(Complaint.unit_id == first.unit_id, Complaint.id >= first.id).order_by(Complaint.id)
    return list(session.scalars(same.limit(count)))


def _notices(session: Session, supervisor: int, handler: int) -> None:
    """Notices of the week at every stage; what calls for one now is left to whoever looks."""
    calendar = working_days(session)
    plans = ((16, "by_hand", 3, ("send", "acknowledge", "reply", "close")), (17, "three_repeats", 2, ("send", "acknowledge", "reply")),
             (18, "dissatisfied", 2, ("send", "acknowledge")), (19, "by_hand", 4, ("send",)), (21, "by_hand", 2, ()))  # fmt: skip
    for n, (day, reason, count, steps) in enumerate(plans):
        cases = _closed_cases(session, count, 40 + n * 110)
        demand = notices.Demand(
            reason=reason, complaint_ids=[c.id for c in cases], text="同一换热站供热的其他楼栋一并排查。"
        )
        made = notices.issue(
            session, Who(_at(day, 15), supervisor), CITY, demand, calendar=calendar, zone=ZONE, synthetic=True
        )
        for k, verb in enumerate(steps):
            user = handler if verb in ("acknowledge", "reply") else supervisor
            at = min(_at(day, 15, 10) + timedelta(hours=[0, 2, 26, 45][k]), NOW)
            words = "已更换循环泵并逐户测温，室温达到18℃以上，来电人均已答复。" if verb == "reply" else ""
            notices.step(session, Who(at, user), CITY, made.id, verb, base_version=None, words=words)


def _handed_over(session: Session, supervisor: int, handler: int) -> None:
    cases = _closed_cases(session, 5, 700)
    made = follow_ups.hand_over(
        session, Who(_at(18, 17), supervisor), CITY, {c.id: 3 for c in cases}, {c.id: "repeated" for c in cases},
        note="热线反复反映，请主要负责人亲自办理，逐条销号。", calendar=working_days(session), zone=ZONE, synthetic=True,
    )  # fmt: skip
    from gis.oversight.follow_up_queries import items

    for item in items(session, made.id)[:3]:
        follow_ups.end_item(session, Who(_at(20, 16), handler), made.id, item["id"], "已上门调试并回访，来电人满意。")


def _leaders(session: Session, supervisor: int) -> None:
    """Wednesdays of November and December; the third one had calls, which are complaints of that morning."""
    who = Who(_at(1, 10), supervisor)
    for name, post in (("孙建国", "局长"), ("周德海", "副局长"), ("吴秀英", "副局长"), ("郑志强", "总工程师")):
        outreach.put_on_rota(session, who, name, post, None)
    days = leader_days(date(2009, 11, 1), date(2009, 12, 9), 3, 4, 0, working_days(session))
    made = outreach.schedule(session, who, days, time(9), 90, synthetic=True)
    for day in made[:3]:
        outreach.end_day(session, Who(datetime.combine(day.on_day, time(10, 40), ZONE), supervisor), day.id, True)
    cases = session.scalars(
        select(Complaint)
        .where(Complaint.received_at.between(_at(18, 9), _at(18, 10, 30)))
        .order_by(Complaint.id)
        .limit(9)
    )
    for n, case in enumerate(cases):
        matter = outreach.raise_matter(
            session, Who(case.received_at, supervisor), case.description, case.category, leader_day_id=made[2].id,
            answer="已请值班抢修班组立即上门。" if n % 3 == 0 else "",
        )  # fmt: skip
        matter.complaint_id = case.id
    session.flush()


def _meetings(session: Session, units: dict[str, int], areas: dict[str, Any], supervisor: int) -> None:
    plans = (
        outreach.Plan("bureau", "供热热点难点问题专题会", _at(17, 20), "接话间会议室", "分管副市长；公用事业处、物价局、物业办、兴平热电、金泉热力负责人",
                      "逐项研究尚未落实的热线事项：为什么没有落实，什么时候落实。"),
        outreach.Plan("talk", "文丰小区供热恳谈会", _at(19, 19), "文丰小区物业办公室", "公用事业处、金泉热力、自来水公司、物业公司，居民代表23人",
                      "通报17日停水停暖情况及抢修过程；居民提出意见7条，当场答复5条。", unit_id=units["PY-JQ"]),
        outreach.Plan("caller_and_unit", "室温纠纷当事人面谈", _at(25, 15), "公用事业处201室", "来电人代表，兴平热电、物业公司"),
    )  # fmt: skip
    made: list[Meeting] = []
    for n, plan in enumerate(plans):
        meeting = outreach.plan_meeting(
            session, Who(plan.at - timedelta(days=2 if n < 2 else 4), supervisor), plan, synthetic=True
        )
        if n < 2:
            outreach.end_meeting(session, Who(plan.at + timedelta(hours=2), supervisor), Scope(), meeting.id, True)
        made.append(meeting)
    who = Who(_at(19, 21), supervisor)
    for text, answer in (
        ("停热停水应当提前通知到户", "今后计划停供提前24小时在楼道张贴通知"),
        ("换热站泵房漏水", "当晚已处理"),
        ("顶层住户室温长期偏低", ""),
    ):
        outreach.raise_matter(session, who, text, "heat.cold", meeting_id=made[1].id, people=4, answer=answer)


def _promises(session: Session, units: dict[str, int], supervisor: int) -> None:
    """Promises kept, broken, moved, overdue and open."""
    plans = (
        ("11月20日前完成文丰小区换热站循环泵更换", "Replace the circulation pump of the Wenfeng station by 20 November", "刘经理", "生产部", "PY-JQ", 16, 20, "keep"),
        ("接到停热报修后2小时内到场", "Arrive within two hours after a report of no heat", "王经理", "抢修中心", "PY-XP", 16, 30, ""),
        ("11月18日前公示各小区测温点参数", "Post the readings of the test points of every compound by 18 November", "李主任", "供热科", "PY-BUREAU", 10, 18, "break"),
        ("11月21日前完成安居物业所管换热站除垢", "Descale the stations run by Anju Property by 21 November", "张经理", "工程部", "PY-WY01", 12, 21, ""),
        ("11月底前恢复供热施工破损路面12处", "Restore 12 road surfaces broken by heating works by the end of November", "赵经理", "道路施工队", "PY-SG1", 12, 25, "move"),
        ("年底前为末端不热住户加装平衡阀", "Fit balancing valves for the households at the far ends by the end of the year", "刘经理", "生产部", "PY-JQ", 19, 61, ""),
    )  # fmt: skip
    for text, english, person, post, unit, made_on, due, end in plans:
        given = promises.Pledged(
            text, person, date(2009, 10, 31) + timedelta(days=due), text_en=english, post=post, unit_id=units[unit], made_on=date(2009, 11, made_on),
            source="平度市供热专题接话周公开承诺（合成数据）",
        )  # fmt: skip
        row = promises.promise(session, Who(_at(made_on, 11), supervisor), given, zone=ZONE, synthetic=True)
        if end == "move":
            why = "连续降雪，沥青混凝土无法摊铺，顺延至气温回升后。"
            promises.move(session, Who(_at(18, 11), supervisor), CITY, row.id, date(2009, 12, 5), why)
        elif end:
            words = (
                "19日夜间更换完毕，出口温度恢复正常。" if end == "keep" else "仍有31个小区没有公示，已责成本周内补齐。"
            )
            promises.end(session, Who(_at(19, 9), supervisor), CITY, row.id, end == "keep", words)
    promises.tell_overdue(session, Who(NOW, None), ZONE)
