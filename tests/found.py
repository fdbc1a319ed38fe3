"""Findings, stopped works, rules and consequences in tests: one function per noun, and one of each for the walk of the routes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from gis.inspections.consequence_model import Consequence, ConsequenceRule
from gis.inspections.finding_model import Finding, StopWork
from gis.inspections.model import CheckAnswer, Inspection
from gis.journal import Who
from tests import factories as make
from tests.conftest import NOW


def make_inspection(session: Session, **fields: Any) -> Inspection:
    """A visit of the bureau, without answers."""
    if "inspector_id" not in fields:
        fields["inspector_id"] = make.make_user(session, role="inspector").id
    given = {
        "id": uuid4(), "checklist_code": "six_pledges", "checklist_revision": 1, "scope": "yard", "stage": "during",
        "started_at": NOW - timedelta(minutes=20), "finished_at": NOW, "received_at": NOW,
    } | fields  # fmt: skip
    inspection = Inspection(**given)
    session.add(inspection)
    session.flush()
    return inspection


def answer(session: Session, inspection: Inspection, **answers: str) -> None:
    """`answer(session, visit, i5_4="no")`: answers by item."""
    for name, value in answers.items():
        item = name.removeprefix("i").replace("_", ".")
        session.merge(CheckAnswer(inspection_id=inspection.id, item_id=item, answer=value, note="见现场"))
    session.flush()


def make_finding(session: Session, inspection: Inspection | None = None, **fields: Any) -> Finding:
    """A finding as it is after it was sent."""
    unit_id = fields.pop("unit_id", None) or make.make_unit(session).id
    inspection = inspection or make_inspection(
        session, unit_id=unit_id, site_id=make.make_site(session, unit_id=unit_id).id
    )
    given = {
        "inspection_id": inspection.id, "item_id": "3.1", "item_zh": "统一着装", "item_en": "Uniform worn", "pledge_no": 3,
        "severity": "general", "status": "sent", "site_id": inspection.site_id, "unit_id": unit_id,
        "inspector_id": inspection.inspector_id, "found_at": NOW, "sent_at": NOW, "rectify_by": NOW + timedelta(days=5),
        "area_id": inspection.area_id,
    }  # fmt: skip
    finding = Finding(**(given | fields))
    session.add(finding)
    session.flush()
    return finding


def make_rule(session: Session, **fields: Any) -> ConsequenceRule:
    given = {
        "name": "三次违诺警示", "subject": "unit", "measure": "breaches", "severity": "minor", "at_least": 3, "window_days": 90,
        "kind": "warning", "period_days": 180, "appeal_days": 5, "source": "测试用规则", "active": True,
    }  # fmt: skip
    rule = ConsequenceRule(**(given | fields))
    session.add(rule)
    session.flush()
    return rule


def one_of_each(session: Session, inspection: Inspection, person_id: int, mark: str, number: int) -> dict[str, Any]:
    """A finding, an order to stop works and a consequence of one district."""
    finding = make_finding(session, inspection, unit_id=inspection.unit_id, note=f"问题{mark}", item_id="5.4")
    site_id = finding.site_id
    assert site_id is not None and finding.unit_id is not None
    stop = StopWork(year=2009, number=number, stop_no=f"停工〔2009〕{number}号", site_id=site_id, finding_id=finding.id,
                    unit_id=finding.unit_id, reason=f"停工{mark}", stopped_at=NOW)  # fmt: skip
    rule = make_rule(session, subject="person")
    told = Consequence(rule_id=rule.id, rule={"name": f"规则{mark}", "source": "s", "measure": "breaches", "severity": "minor",
                                              "at_least": 1, "window_days": 9, "period_days": 9, "appeal_days": 5},
                       kind="warning", subject="person", user_id=person_id, status="in_force", basis=[], proposed_at=NOW,
                       decision_no=f"处理〔2009〕{number}号", decided_at=NOW, appeal_by=NOW)  # fmt: skip
    session.add_all([stop, told])
    session.flush()
    return {
        "finding_id": finding.id,
        "stop_id": stop.id,
        "consequence_id": told.id,
        "severity": "general",
        "ending": "docx",
    }


WHO = Who(NOW)
