"""Rows that belong to sites: people with certificates, notices, rounds and visits. One function per noun, as in `factories`."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from gis.inspections import actions
from gis.inspections.actions import Visit
from gis.inspections.model import Site
from gis.inspections.round_model import Round, RoundSite, SiteVisit
from gis.inspections.rules import Given
from gis.inspections.site_model import SiteDoor, SiteNotice, SitePresence, SiteWorker, WorkCertificate
from gis.inspections.site_queries import When
from gis.journal import Who
from gis.people.rules import Scope
from tests import factories as make
from tests.conftest import NOW

TODAY = date(2009, 11, 17)
WHEN = When(TODAY, "Asia/Shanghai")
_numbers = count(1)


def _add(session: Session, row: Any) -> Any:
    session.add(row)
    session.flush()
    return row


def make_contractor(session: Session, **fields: Any) -> Any:
    return make.make_unit(session, **({"kind": "contractor", "name": f"施工公司{next(_numbers)}"} | fields))


def make_worker(
    session: Session, site: Site, *, kind: str | None = "welding", valid_to: date | None = None, **fields: Any
) -> SiteWorker:
    """Somebody on a site, with one certificate unless `kind` is None."""
    n = next(_numbers)
    unit_id = site.contractor_id or make_contractor(session).id
    worker = _add(session, SiteWorker(**({"unit_id": unit_id, "name": f"张三{n}", "trade": "welder"} | fields)))
    _add(session, SitePresence(site_id=site.id, worker_id=worker.id, since_at=NOW - timedelta(days=3)))
    if kind is not None:
        until = valid_to or TODAY + timedelta(days=200)
        _add(session, WorkCertificate(worker_id=worker.id, kind=kind, no=f"Z{n:05}", valid_to=until))
    return worker


def make_round(session: Session, **fields: Any) -> Round:
    given = {
        "name": "十一月拉网式检查", "starts_on": TODAY, "ends_on": TODAY + timedelta(days=10), "size": 3, "seed": 1,
        "allocation": "proportional", "strata": ["stage"], "weights": {}, "per_day": 4, "surprise": True, "status": "fixed",
        "made_at": NOW, "fixed_at": NOW,
    }  # fmt: skip
    return _add(session, Round(**(given | fields)))


def make_visit(session: Session, site: Site, **fields: Any) -> SiteVisit:
    given = {"site_id": site.id, "origin": "single", "surprise": True, "status": "planned"}
    return _add(session, SiteVisit(**(given | fields)))


def one_of_each(session: Session, site: Site, area_id: int, mark: str) -> dict[str, Any]:
    """A round with one surprise visit, a person, a door and a notice, all named after `mark`."""
    worker = make_worker(session, site, name=f"{mark}人")
    _add(session, SiteDoor(site_id=site.id, door_no=f"{mark}门"))
    _add(session, SiteNotice(site_id=site.id, at=NOW, text=f"{mark}公示", posted=["1.1"]))
    made = make_round(session, name=f"轮{mark}", area_id=area_id, note=mark)
    _add(
        session,
        RoundSite(
            round_id=made.id, site_id=site.id, stratum=mark, size=1, probability=0.5, certain=False, drawn=True, why=[]
        ),
    )
    make_visit(session, site, round_id=made.id, origin="drawn")
    return {"round_id": made.id, "worker_id": worker.id}


def make_self_inspection(session: Session, site: Site, unit_id: int) -> None:
    """A unit's own inspection of its site, filed now."""
    handler = make.make_user(session, role="unit_handler", unit_id=unit_id)
    visit = Visit(
        uuid4(), "six_pledges", 1, site.scope, site.stage, NOW, NOW, site_id=site.id, answers=[Given("1.1", "yes")]
    )
    actions.submit(session, Who(NOW, handler.id), Scope(unit_id=unit_id), visit)
