"""A supervision notice as official prose: the same words for the Word file, the PDF and the page. Always Chinese: it is a paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, tzinfo
from typing import Any

from gis.complaints.privacy import masked_text
from gis.oversight.numerals import chinese_date
from gis.oversight.rules import NoticeReason

TITLE = "督办通知单"
LABELS = {
    "no": "编号", "received": "受理时间", "place": "地点", "matter": "反映内容", "due": "办理时限", "slip": "回执",
    "unit": "承办单位", "signer": "签收人", "signed_at": "签收时间", "result": "办理情况", "head": "单位负责人（签字）",
    "seal": "（盖章）", "contact": "督办人", "papers": "督办文件", "colon": "：",
}  # fmt: skip
FACTS: dict[str, str] = {
    NoticeReason.OVERDUE: "经查，下列诉求已超过办理时限，至今未办结答复。",
    NoticeReason.DISSATISFIED: "经回访，下列诉求的来电人对办理结果不满意，或反映问题未解决。",
    NoticeReason.STILL_DISSATISFIED: "下列诉求经重办后，来电人仍不满意。",
    NoticeReason.THREE_REPEATS: "下列诉求就同一问题反映三次以上，列为重点督办事项。",
    NoticeReason.LEADER: "下列事项系领导接听日受理，现转你单位限期办理。",
    NoticeReason.BY_HAND: "现就下列诉求予以督办。",
    NoticeReason.FINDING: "经查，你单位对下列检查问题逾期未完成整改。",
}
SHORTEST_PLACE = 60


@dataclass(frozen=True)
class Case:
    """One complaint as the paper tells it: nothing of its caller."""

    n: int
    no: str
    received: str
    place: str
    matter: str
    due: str


@dataclass(frozen=True)
class Paper:
    """Everything that stands on the paper."""

    title: str
    issuer: str
    no: str
    to: str
    facts: str
    demand: str
    extra: list[str]
    cases: list[Case]
    date: str
    person: str
    labels: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """The names that a template may use."""
        return asdict(self)


def paper(notice: Mapping[str, Any], cases: Sequence[Mapping[str, Any]], zone: tzinfo) -> Paper:
    """The words of a notice. Texts of callers are masked: telephone numbers do not belong on a paper that goes round."""
    by = notice["reply_by"].astimezone(zone)
    until = f"{by.year}年{by.month}月{by.day}日前（{notice['limit_days']}个工作日内）"
    answer = "整改到位" if notice["reason"] == NoticeReason.FINDING else "办结并答复来电人"
    return Paper(
        title=TITLE, issuer=notice["issuer"], no=notice["notice_no"], to=notice["unit"], facts=FACTS[notice["reason"]],
        demand=f"请你单位主要负责人亲自负责，于{until}{answer}，将办理情况书面报我单位。不能按期办结的，须说明原因和办结时间。",
        extra=[line.strip() for line in notice["demand"].splitlines() if line.strip()],
        cases=[_case(n, row, zone) for n, row in enumerate(cases, 1)],
        date=chinese_date(notice["issued_at"].astimezone(zone).date()), person=notice["issued_by_name"] or "", labels=LABELS,
    )  # fmt: skip


def _case(n: int, row: Mapping[str, Any], zone: tzinfo) -> Case:
    matter = masked_text(row["description"]) or row["category_zh"]
    return Case(
        n, row["hotline_no"], _moment(row["received_at"], zone), masked_text(row["place"])[:SHORTEST_PLACE] or "—",
        f"［{row['category_zh']}］{matter}", _moment(row["resolve_by"], zone),
    )  # fmt: skip


def _moment(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
