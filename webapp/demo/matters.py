"""The demo's rules of who answers, and the one incident that the source tells of: a burst main that stopped the heating."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from geoalchemy2 import WKBElement
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from gis import journal
from gis.complaints.explaining import explain
from gis.complaints.incident_model import Incident
from gis.complaints.model import Complaint
from gis.complaints.routing_model import RoutingRule
from gis.journal import Who
from gis.people.rules import CITY
from webapp.demo.calls import BURST_AT

_SOURCE = "sources/pingdu-2009: 建设局、公用事业处及各企业按工作职能和责任分工办理(演示数据)"


def write_rules(session: Session, units: dict[str, int]) -> dict[str, int]:
    """Rules beside the one for heating that every database starts with; the rule of each beginning of a category."""
    served = session.scalar(select(RoutingRule.id).where(RoutingRule.utility == "heat")) or 0
    rows: list[dict[str, Any]] = [
        {"priority": 100, "utility": "water", "answers": "unit", "unit_id": units["PY-WATER"], "source": _SOURCE},
        {"priority": 100, "utility": "gas", "answers": "unit", "unit_id": units["PY-GAS"], "source": _SOURCE},
        {"priority": 200, "category": "works", "answers": "served_by", "source": _SOURCE},
        {"priority": 200, "category": "service", "answers": "served_by", "source": _SOURCE},
        {"priority": 2000, "answers": "unit", "unit_id": units["PY-BUREAU"], "source": _SOURCE},
    ]
    made = [session.scalars(insert(RoutingRule).values(row).returning(RoutingRule.id)).one() for row in rows]
    return {"heat": served, "water": made[0], "gas": made[1], "works": made[2], "service": made[3], "": made[4]}


# What happened that evening, minutes after the burst. source: sources/pingdu-2009 (water back within 40 minutes; then the supply
# temperature of the main pipe and the pressure were raised); the minutes between are made up.
_EVENING = (
    (14, "note", "来电集中指向自来水管线，已通知自来水公司抢修、金泉热力配合（合成）"),
    (19, "note", "自来水公司到场，关闭两端阀门开挖抢修（合成）"),
    (40, "note", "恢复供水，历时40分钟；换热站开始补水"),
    (52, "note", "金泉热力提升总水管进水温度和供热压力"),
    (85, "note", "供水温度、压力达到标准，暖气恢复（合成）"),
)
SEEN_MIN = 12  # so many minutes after the burst the calls had told which pipe it was


def write_incident(session: Session, who: Who, compounds: list[int]) -> None:
    """17 November, evening: the water main at 文丰小区. One cause, two companies, every caller answered.

    Which pipe it was is what the explanation of the calls said at that hour.
    """
    asked = select(Complaint.id, Complaint.category, Complaint.closed_at).where(
        Complaint.compound_id.in_(compounds), Complaint.received_at.between(BURST_AT, BURST_AT + timedelta(minutes=95)),
        Complaint.category.in_(("heat.outage", "water.none", "water.burst")), Complaint.closed_at.isnot(None),
    )  # fmt: skip
    rows = session.execute(asked.order_by(Complaint.received_at, Complaint.id)).all()
    if len(rows) < 2:
        return
    lead = next((row for row in rows if row.category == "water.burst"), rows[0])
    ids = [row.id for row in rows]
    middle = session.scalar(
        select(func.ST_AsEWKB(func.ST_Centroid(func.ST_Collect(Complaint.geom)))).where(Complaint.id.in_(ids))
    )
    [first, *_] = explain(session, CITY, BURST_AT + timedelta(minutes=SEEN_MIN), hours=1).causes[0]
    incident = Incident(
        no=f"SJ{BURST_AT:%Y%m%d}-0001", name="文丰小区自来水主管爆管", category=lead.category, radius_m=300,
        cause="自来水主管爆管，供热随之停止；约40分钟恢复供水，随后提高供热温度和压力（合成）", status="closed", lead_id=lead.id,
        asset_kind=first.things[0].kind, asset_id=first.things[0].id, asset_households=first.households,
        notice="文丰小区一带因自来水管道破裂停水、停暖，自来水公司正在抢修，恢复供水后即恢复供热。",
        geom=WKBElement(bytes(middle), extended=True) if middle else None, opened_at=BURST_AT + timedelta(minutes=SEEN_MIN),
        closed_at=max(row.closed_at for row in rows),
    )  # fmt: skip
    session.add(incident)
    session.flush()
    session.execute(update(Complaint).where(Complaint.id.in_(ids)).values(incident_id=incident.id))
    told = [(verb, BURST_AT + timedelta(minutes=minutes), {"note": note}) for minutes, verb, note in _EVENING]
    for verb, at, more in (("open", incident.opened_at, {}), *told, ("close", incident.closed_at, {})):
        entry = journal.write(session, who, verb, "incident", incident.id, version=1, no=incident.no, **more)
        entry.at = at
    session.flush()
