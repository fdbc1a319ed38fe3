"""The life of some complaints of the week under the law: sent, signed, returned, extended, paused, urged, reopened, struck off.

Every step is taken by the verbs themselves, in the order of time, so that the demo holds nothing that could not have happened.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from gis.complaints import law_queries, life, repeats
from gis.complaints.actions import take_step
from gis.complaints.law_actions import change_limit
from gis.complaints.law_model import LimitRule, RuleSet
from gis.complaints.limits import City
from gis.complaints.model import Complaint
from gis.journal import Who
from gis.people.model import User
from gis.places.queries import working_days
from webapp.demo.calls import NOW, WEEK, ZONE

SOURCE = "演示假设（非原文）：复杂事项经批准可延期不超过2个工作日"


def allow_extensions(session: Session, users: dict[str, User]) -> None:
    """The bureau's own change before the week: a complex matter may be given two working days more."""
    asked = select(LimitRule).join(RuleSet).where(RuleSet.code == "pingdu_2009", LimitRule.complexity == "complex")
    rule = session.scalars(asked).one()
    change_limit(
        session, Who(NOW - timedelta(days=12), users["supervisor"].id), rule, WEEK[0] - timedelta(days=7),
        clock=rule.clock, amount=rule.amount, count_from=rule.count_from, extension_days=2, further_days=0, source=SOURCE,
    )  # fmt: skip


def write_lives(session: Session, users: dict[str, User]) -> None:
    """Some of the week's complaints in every state that the law knows."""
    city = law_queries.city(session, working_days(session), ZONE)
    _Lives(session, users, city).write()


class _Lives:
    def __init__(self, session: Session, users: dict[str, User], city: City) -> None:
        self.session, self.users, self.city = session, users, city
        self.own = users["unit_handler"].unit_id

    def _who(self, role: str, one: Complaint, part: float) -> Who:
        """Somebody at a part of the way from receipt (or the last closing) to now."""
        begins = one.closed_at or one.received_at
        return Who(begins + (NOW - begins) * part, self.users[role].id)

    def _handler(self, one: Complaint) -> str:
        """Who acts for the body that answers: its own person where it has one here, else the desk for it."""
        return "unit_handler" if one.unit_id == self.own else "dispatcher"

    def _some(self, status: str, many: int, *, own: bool = False, complexity: str | None = None) -> list[Complaint]:
        asked = select(Complaint).where(
            Complaint.status == status, Complaint.incident_id.is_(None), Complaint.repeat_count == 0,
            Complaint.resolve_by > NOW if status == "received" else Complaint.received_at < NOW,
        )  # fmt: skip
        if own:
            asked = asked.where(Complaint.unit_id == self.own)
        if complexity:
            asked = asked.where(Complaint.complexity == complexity)
        mine = (Complaint.unit_id == self.own).desc()
        return list(self.session.scalars(asked.order_by(mine, Complaint.received_at.desc(), Complaint.id).limit(many)))

    def _send(self, one: Complaint, part: float, *, signed: bool) -> None:
        data = {"note": "请按时限办结并答复"}
        life.send(self.session, self._who("dispatcher", one, part), one, city=self.city, data=data)
        if signed:
            take_step(self.session, self._who(self._handler(one), one, part + 0.05), one, "sign")

    def write(self) -> None:
        """Complex matters go through what may move a clock; others come back, are sent back, answered or struck off."""
        moved = (self.extended, self.asks_for_time, self.stands_still)
        for act, one in zip(moved, self._some("received", 3, complexity="complex"), strict=False):
            act(one)
        for act, one in zip(
            (self.returned, self.refused, self.sent), self._some("received", 3, own=True), strict=False
        ):
            act(one)
        again = (self.reopened, self.reopened_and_watched)
        for act, one in zip(again, self._some("confirmed", 2), strict=False):
            act(one)
        for one in self._some("resolved", 2):
            words = {"answer": "已上门排气，室温恢复到 19 度，已电话告知来电人。"}
            take_step(self.session, self._who(self._handler(one), one, 0.999), one, "answer", data=words)
        for one in self._some("received", 1, complexity="ordinary"):
            given = {"reason": "withdrawn", "note": "来电人来电说明阀门自己关了，已恢复"}
            take_step(self.session, self._who("supervisor", one, 0.9), one, "cancel", data=given)

        self.merged()

    def merged(self) -> None:
        """Two callers of one street about one matter: the later joins the earlier."""
        asked = select(Complaint).where(Complaint.status == "received", Complaint.incident_id.is_(None))
        first: dict[tuple[int | None, str], Complaint] = {}
        for one in self.session.scalars(asked.order_by(Complaint.received_at, Complaint.id)):
            main = first.setdefault((one.street_id, one.category), one)
            if main is not one:
                repeats.merge(self.session, Who(NOW, self.users["dispatcher"].id), one, main)
                return

    def extended(self, one: Complaint) -> None:
        self._send(one, 0.1, signed=True)
        who = self._who(self._handler(one), one, 0.5)
        life.ask_extension(self.session, who, one, city=self.city, data={"days": 2, "note": "需与街道核对收费底册"})
        granted = {"days": 1, "note": "同意一个工作日"}
        who = self._who("supervisor", one, 0.8)
        life.judge_extension(self.session, who, one, "grant_extension", city=self.city, data=granted)

    def asks_for_time(self, one: Complaint) -> None:
        self._send(one, 0.1, signed=True)
        who = self._who(self._handler(one), one, 0.7)
        life.ask_extension(self.session, who, one, city=self.city, data={"days": 2, "note": "配件需从济南调货"})
        life.urge(self.session, self._who("dispatcher", one, 0.9), one, data={"note": "来电人再次询问进度"})

    def stands_still(self, one: Complaint) -> None:
        self._send(one, 0.1, signed=True)
        given = {"cause": "caller_away", "until": NOW + timedelta(days=6), "note": "来电人出差，约定回来后上门"}
        life.pause(self.session, self._who("dispatcher", one, 0.6), one, data=given)

    def returned(self, one: Complaint) -> None:
        self._send(one, 0.1, signed=True)
        given = {"ground": "other_operator", "evidence": "该站由物业公司运行，附运行管理协议第 3 条"}
        life.give_back(self.session, self._who("unit_handler", one, 0.8), one, city=self.city, data=given)

    def refused(self, one: Complaint) -> None:
        self._send(one, 0.1, signed=True)
        given = {"ground": "not_our_duty", "evidence": "认为属施工单位责任"}
        life.give_back(self.session, self._who("unit_handler", one, 0.4), one, city=self.city, data=given)
        note = {"note": "供热设施由贵单位负责，不属退单范围"}
        life.judge_return(self.session, self._who("supervisor", one, 0.7), one, "refuse_return", data=note)

    def sent(self, one: Complaint) -> None:
        self._send(one, 0.6, signed=False)

    def reopened(self, one: Complaint) -> None:
        said = {"note": "回访：来电人说夜里又不热了"}
        take_step(self.session, self._who("follow_up_caller", one, 0.9), one, "reopen", data=said)

    def reopened_and_watched(self, one: Complaint) -> None:
        self.reopened(one)
        given = {"reason": "dissatisfied", "note": "重办后仍不满意"}
        take_step(self.session, Who(NOW, self.users["supervisor"].id), one, "supervise", data=given)
