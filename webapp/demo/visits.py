"""Inspections of the demo week: every site visited once or twice, a few promises not kept."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from numpy.random import Generator
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from gis.inspections.model import CheckAnswer, Inspection, Site
from gis.inspections.rules import SIX_PLEDGES, applicable
from gis.journal import JournalEntry
from webapp.demo.calls import NOW

BROKEN = 0.04
_NOTES = ("现场未见公示牌", "工人未佩戴工作牌", "管沟旁未设围挡", "垃圾堆放在楼前", "未铺垫用品，地面有脏污")


def write_visits(session: Session, inspector: int, rng: Generator) -> None:
    """Answers by rule: what the checklist asks of that scope and stage, a note where the answer is no."""
    visits, answers, entries = [], [], []
    for site in session.scalars(select(Site).order_by(Site.id)):
        for _ in range(int(rng.integers(1, 3))):
            number = UUID(bytes=rng.bytes(16), version=4)
            end = NOW - timedelta(hours=float(rng.uniform(3, 120)))
            visits.append({
                "id": number, "site_id": site.id, "inspector_id": inspector, "checklist_code": "six_pledges",
                "checklist_revision": 1, "scope": site.scope, "stage": site.stage, "started_at": end - timedelta(minutes=25),
                "finished_at": end, "received_at": end + timedelta(minutes=4), "position": site.geom,
                "position_accuracy_m": 9.0, "area_id": site.area_id, "unit_id": site.unit_id,
            })  # fmt: skip
            for item in applicable(SIX_PLEDGES, site.scope, site.stage, site.is_heating):
                no = rng.random() < BROKEN
                answers.append({"inspection_id": number, "item_id": item.id, "answer": "no" if no else "yes",
                                "note": str(rng.choice(_NOTES)) if no else ""})  # fmt: skip
            entries.append({"at": end, "user_id": inspector, "verb": "submit", "thing": "inspection", "thing_id": str(number),
                            "version": 1, "area_id": site.area_id, "unit_id": site.unit_id, "data": {}})  # fmt: skip
    session.execute(insert(Inspection.__table__), visits)
    session.execute(insert(CheckAnswer), answers)
    session.execute(insert(JournalEntry), entries)
