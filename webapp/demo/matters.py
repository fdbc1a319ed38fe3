"""The demo's rules of who answers, and the one incident that the source tells of: a burst main that stopped the heating."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from geoalchemy2 import WKBElement
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from gis import journal
from gis.complaints.incident_model import Incident
from gis.complaints.model import Complaint
from gis.complaints.routing_model import RoutingRule
from gis.journal import Who
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


def write_incident(session: Session, who: Who, compound: int) -> None:
    """17 November, evening: the water main at 文丰小区. One cause, two companies, every caller answered."""
    asked = select(Complaint.id, Complaint.category, Complaint.closed_at).where(
        Complaint.compound_id == compound, Complaint.received_at.between(BURST_AT, BURST_AT + timedelta(minutes=95)),
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
    incident = Incident(
        no=f"SJ{BURST_AT:%Y%m%d}-0001", name="文丰小区自来水主管爆管", category=lead.category, radius_m=300,
        cause="自来水主管爆管,供热随之停止;约40分钟恢复供水,随后提高供热温度和压力(合成)", status="closed", lead_id=lead.id,
        geom=WKBElement(bytes(middle), extended=True) if middle else None, opened_at=BURST_AT + timedelta(minutes=20),
        closed_at=max(row.closed_at for row in rows),
    )  # fmt: skip
    session.add(incident)
    session.flush()
    session.execute(update(Complaint).where(Complaint.id.in_(ids)).values(incident_id=incident.id))
    for verb, at in (("open", incident.opened_at), ("close", incident.closed_at)):
        entry = journal.write(session, who, verb, "incident", incident.id, version=1, no=incident.no)
        entry.at = at
    session.flush()
