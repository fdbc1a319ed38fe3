"""One of everything that oversight knows, about one complaint."""

from __future__ import annotations

from datetime import date, time, timedelta
from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from gis.complaints.model import Complaint
from gis.oversight.model import Handover, HandoverItem, NoticeComplaint, SupervisionNotice
from gis.oversight.outreach_model import LeaderDay, Matter, Meeting, Promise, PromiseChange, Visit, VisitCampaign
from tests.conftest import NOW

_numbers = count(1)


def one_of_each(session: Session, complaint: Complaint, mark: str) -> dict[str, Any]:
    """A notice, a handover, a meeting, a leader's day, a matter, a promise, a campaign and a visit in the complaint's area."""
    n = next(_numbers)
    area, unit = complaint.district_id, complaint.unit_id
    assert unit is not None
    notice = SupervisionNotice(
        issuer_id=unit, year=2009, number=900 + n, notice_no=f"督办〔2009〕{900 + n}号", unit_id=unit, reason="overdue",
        demand=f"要求{mark}", limit_days=3, limit_source="t", reply_by=NOW + timedelta(days=3), issued_at=NOW, status="sent",
    )  # fmt: skip
    handover = Handover(unit_id=unit, made_at=NOW, note=f"移交{mark}")
    meeting = Meeting(kind="talk", title=f"恳谈{mark}", at=NOW, area_id=area, unit_id=unit)
    day = LeaderDay(planned_on=date(2009, 1, 7) + timedelta(days=7 * n), on_day=date(2009, 1, 7) + timedelta(days=7 * n),
                    starts_at=time(9), minutes=90)  # fmt: skip
    campaign = VisitCampaign(name="活动", starts_on=date(2009, 11, 1), ends_on=date(2009, 11, 30), visits_target=10,
                             opinions_target=100)  # fmt: skip
    promise = Promise(text=f"承诺{mark}", person="责任人", unit_id=unit, area_id=area, made_on=NOW.date(),
                      due_on=NOW.date() + timedelta(days=9))  # fmt: skip
    session.add_all([notice, handover, meeting, day, campaign, promise])
    session.flush()
    visit = Visit(campaign_id=campaign.id, kind="community", at=NOW, place=f"社区{mark}", area_id=area, unit_id=unit)
    item = HandoverItem(handover_id=handover.id, complaint_id=complaint.id, reason="repeated", end_by=NOW)
    session.add_all([
        NoticeComplaint(notice_id=notice.id, complaint_id=complaint.id, is_open=True), item, visit,
        PromiseChange(promise_id=promise.id, version=1, at=NOW, verb="made", due_after=promise.due_on),
    ])  # fmt: skip
    session.flush()
    matter = Matter(visit_id=visit.id, raised_at=NOW, category="heat.cold", text=f"意见{mark}")
    session.add(matter)
    session.flush()
    return {
        "notice_id": notice.id, "handover_id": handover.id, "item_id": item.id, "meeting_id": meeting.id,
        "leader_day_id": day.id, "campaign_id": campaign.id, "promise_id": promise.id, "visit_id": visit.id,
        "matter_id": matter.id, "rule_code": "notice_days",
    }  # fmt: skip
