"""What followed from the demo's inspections: findings in every state, one stopped site, a proposal, a person on the blacklist.

Everything is synthetic, the rules too: no source names a number, so they say of themselves that they are a demonstration.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from gis import journal
from gis.inspections import consequences, findings, stop_work
from gis.inspections.consequence_model import Consequence, ConsequenceRule
from gis.inspections.finding_model import Finding, Rectification
from gis.inspections.finding_rules import FindingStatus, Severity
from gis.inspections.model import Inspection
from gis.journal import Who
from gis.oversight.finding_notices import watch_findings
from gis.people.model import User
from gis.people.rules import CITY, Role
from gis.places.queries import working_days
from webapp.demo.calls import NOW, ZONE

RULE_SOURCE = "演示规则（合成，来源文件未规定次数）"
_DONE = ("已当场整改并拍照", "已补挂公示牌", "已发放工装和工作牌", "垃圾已清运，沟边已设围挡")


def write_findings(session: Session, users: Mapping[str, User]) -> None:
    """Findings by the real verb, then each moved as far as its place in the list says."""
    days = findings.Days(working_days(session), ZONE)
    for visit in session.scalars(select(Inspection).order_by(Inspection.received_at, Inspection.id)).all():
        findings.follow(session, Who(visit.received_at, visit.inspector_id), visit.id)
    found = list(session.scalars(select(Finding).order_by(Finding.id)))
    boss = Who(NOW - timedelta(hours=2), users[Role.SUPERVISOR].id)
    stopped = _to_be_stopped(found)
    for n, finding in enumerate(found):
        _move(session, finding, 1 if finding is stopped else n, days, users)
    session.flush()
    words = "管沟旁未按规定设置围挡和警示标志，存在安全隐患（演示）"
    stop_work.stop(session, boss, CITY, stopped.id, words, ZONE)
    watch_findings(session, Who(NOW - timedelta(hours=1)), days)
    _consequences(session, boss, found, days)


def _move(session: Session, finding: Finding, n: int, days: findings.Days, users: Mapping[str, User]) -> None:
    """0 stays sent, 1 signed, 2 put right, 3 failed, 4 closed, 5 withdrawn, 6 late; then again from 0."""
    kind, start = n % 7, finding.found_at
    if kind == 6:
        finding.found_at, finding.sent_at = start - timedelta(days=14), start - timedelta(days=14)
        finding.rectify_by = NOW - timedelta(days=5, hours=n % 3)
        return
    if kind == 5:
        _step(session, finding, "withdraw", days, users[Role.SUPERVISOR], start + timedelta(minutes=30), "重复登记")
        return
    if kind >= 1:
        _step(session, finding, "sign", days, None, start + timedelta(minutes=20))
    if kind >= 2:
        _answer(session, finding, start + timedelta(minutes=60), _DONE[n % len(_DONE)])
    if kind == 3:
        _step(session, finding, "fail", days, users[Role.INSPECTOR], start + timedelta(minutes=90), "现场仍有遗漏")
    if kind == 4:
        _step(session, finding, "pass", days, users[Role.INSPECTOR], start + timedelta(minutes=90))


def _step(
    session: Session, finding: Finding, verb: str, days: findings.Days, by: User | None, at: datetime, words: str = ""
) -> None:
    who = Who(min(at, NOW), by.id if by else None)
    findings.step(session, who, CITY, finding.id, verb, findings.Said(words), days, base_version=None)


def _answer(session: Session, finding: Finding, at: datetime, note: str) -> None:
    """A unit's answer as a row: the demo has no photos, which the verb would ask for."""
    session.add(Rectification(finding_id=finding.id, attempt=1, at=min(at, NOW), note=note, late=False))
    finding.status = FindingStatus.RECTIFIED
    session.flush()
    journal.write(session, Who(min(at, NOW)), "rectify", "finding", finding.id, version=finding.version, area_id=finding.area_id,
                  unit_id=finding.unit_id, attempt=1, late=False, photos=0)  # fmt: skip


def _to_be_stopped(found: list[Finding]) -> Finding:
    """The finding that the works at one site are stopped for: a serious one, or one that the demo makes so."""
    at_sites = [finding for finding in found if finding.site_id is not None]
    chosen = next((finding for finding in at_sites if finding.severity == Severity.SERIOUS), at_sites[0])
    chosen.severity = Severity.SERIOUS
    return chosen


def _consequences(session: Session, boss: Who, found: list[Finding], days: findings.Days) -> None:
    common = {"window_days": 90, "appeal_days": 5, "source": RULE_SOURCE, "active": True, "synthetic": True}
    warning = ConsequenceRule(name="施工单位违诺警示", subject="contractor", measure="breaches", severity="minor", at_least=5,
                              kind="warning", period_days=180, **common)  # fmt: skip
    person = ConsequenceRule(name="人员违诺列入黑名单", subject="person", measure="breaches", severity="minor", at_least=2,
                             kind="blacklist", period_days=90, **common)  # fmt: skip
    star = ConsequenceRule(name="无问题检查授予星级", subject="contractor", measure="clean_inspections", severity="minor", at_least=20,
                           kind="star", period_days=365, **common)  # fmt: skip
    session.add_all([warning, person, star])
    standing = [f for f in found if f.status != FindingStatus.WITHDRAWN]
    firm = standing[0].contractor_id or standing[0].unit_id
    worker = User(
        name="demo-blacklisted",
        full_name="工长 老钱（合成）",
        role=Role.CREW,
        password_hash="-",
        unit_id=firm,
        is_demo=False,
    )
    session.add(worker)
    session.flush()
    for finding in [f for f in standing if firm in (f.contractor_id, f.unit_id)][:2]:
        finding.user_id = worker.id
    session.flush()
    consequences.propose(session, boss)
    row = session.scalars(select(Consequence).where(Consequence.user_id == worker.id)).one()
    consequences.step(session, boss, CITY, row.id, "decide", "事实清楚，按规则处理（演示）", days, base_version=None)
