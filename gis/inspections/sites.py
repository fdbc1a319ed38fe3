"""What is done with sites: kept and changed, moved from stage to stage, people and notices, calls for self-inspection."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from geoalchemy2 import WKBElement
from geoalchemy2.shape import to_shape
from shapely import Point
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import journal
from gis.complaints.actions import PURPOSE_MIN
from gis.complaints.rules import PURPOSES, PurposeNeeded, clean
from gis.db import SRID, check_version, naming_violations
from gis.errors import BadInput, Missing, NotAllowed
from gis.inspections import site_queries
from gis.inspections.ground import ground_of
from gis.inspections.model import Site
from gis.inspections.rules import Scope as Works
from gis.inspections.rules import Stage
from gis.inspections.site_model import SelfCheck, SiteDoor, SiteNotice, SitePresence, SiteWorker, WorkCertificate
from gis.inspections.site_rules import (
    POSTED,
    TEXT_LIMITS,
    BadSite,
    CertificateKind,
    NotAContractor,
    SiteNoteMissing,
    Trade,
    step_of,
)
from gis.journal import Who
from gis.people import blacklist
from gis.people.model import Unit
from gis.people.rules import Role, Scope, UnitKind
from gis.places.model import Building
from gis.places.queries import areas_at
from gis.places.rules import check_coordinates


@dataclass(frozen=True)
class SiteGiven:
    """A site as somebody describes it: a point, and its ground as GeoJSON or a building, or neither."""

    name: str
    scope: str
    is_heating: bool = True
    code: str = ""
    unit_id: int | None = None
    contractor_id: int | None = None
    address: str = ""
    door_no: str | None = None  # None: leave it as it is
    note: str = ""
    planned_from: date | None = None
    planned_to: date | None = None
    lon: float | None = None
    lat: float | None = None
    ground: str = ""
    building_id: int | None = None


def create(session: Session, who: Who, scope: Scope, given: SiteGiven) -> Site:
    """Add a site, in the stage before the works. Raises BadSite, BadGround, SiteCodeTaken, Blacklisted, and Missing outside the scope."""
    number = int(session.scalar(text("SELECT nextval(pg_get_serial_sequence('site', 'id'))")) or 0)
    site = Site(id=number, code=given.code.strip() or f"GD{number:06}", stage=Stage.BEFORE)
    _fill(session, who, site, given)
    with naming_violations(session):
        session.add(site)
    _keep_door(session, site, given)
    _inside(session, scope, site)
    _note(session, who, "add", site)
    return site


def edit(session: Session, who: Who, scope: Scope, site_id: int, given: SiteGiven, base_version: int | None) -> Site:
    """Change what is known of a site. Raises StaleVersion, and everything of `create`."""
    site = _locked(session, scope, site_id, base_version)
    before = _plain(site)
    _fill(session, who, site, given)
    if given.code.strip():
        site.code = given.code.strip()
    with naming_violations(session):
        pass
    door = _keep_door(session, site, given)
    _inside(session, scope, site)
    changed = sorted(
        {key for key, value in _plain(site).items() if before[key] != value} | ({"door_no"} if door else set())
    )
    if changed:
        _note(session, who, "edit", site, changed=changed)
    return site


def take_step(
    session: Session, who: Who, scope: Scope, role: str, site_id: int, verb: str, note: str, day: date,
    base_version: int | None,
) -> Site:  # fmt: skip
    """Move a site on, by the table of steps. `day` is the city's today. The journal keeps who, from where to where, and why."""
    site = _locked(session, scope, site_id, base_version)
    step = step_of(site.stage, site.closed_at is not None, verb)
    if Role(role) not in step.roles:
        raise NotAllowed()
    said = clean("note", note)[: TEXT_LIMITS["reason"]]
    if step.needs_note and not said:
        raise SiteNoteMissing()
    before = site.stage
    if step.to is not None:
        site.stage = step.to
    if verb == "begin":
        site.begun_on = site.begun_on or day
    site.ended_on = day if verb == "finish" else None if verb == "resume" else site.ended_on
    site.closed_at = who.now if step.closes else None if step.when_closed else site.closed_at
    session.flush()
    _note(session, who, verb, site, before=before, after=str(site.stage), note=said)
    return site


def _fill(session: Session, who: Who, site: Site, given: SiteGiven) -> None:
    name = clean("place", given.name)
    if not name:
        raise BadSite(reason="name")
    for key in ("name", "address", "note", "code"):
        if len(getattr(given, key)) > TEXT_LIMITS[key]:
            raise BadSite(reason=key)
    if given.scope not in set(Works):
        raise BadSite(reason="scope")
    if given.planned_from and given.planned_to and given.planned_to < given.planned_from:
        raise BadSite(reason="planned dates")
    contractor = session.get(Unit, given.contractor_id) if given.contractor_id else None
    if given.contractor_id and (contractor is None or contractor.kind != UnitKind.CONTRACTOR):
        raise NotAContractor()
    if contractor is not None and contractor.id != site.contractor_id:
        blacklist.refuse(session, who.now, unit_id=contractor.id)
    if given.unit_id and session.get(Unit, given.unit_id) is None:
        raise Missing(thing="unit", id=given.unit_id)
    site.name, site.scope, site.is_heating = name, given.scope, given.is_heating
    site.address, site.note = clean("place", given.address), clean("note", given.note)
    site.unit_id, site.contractor_id = given.unit_id, given.contractor_id
    site.planned_from, site.planned_to = given.planned_from, given.planned_to
    _place(session, site, given)


def _place(session: Session, site: Site, given: SiteGiven) -> None:
    """Point and ground. A ground without a point gives one; an area follows from the point."""
    lon, lat = given.lon, given.lat
    site.footprint, site.building_id = None, None
    if given.building_id:
        building = session.get(Building, given.building_id)
        if building is None:
            raise Missing(thing="building", id=given.building_id)
        site.building_id = building.id
    elif given.ground:
        ground = ground_of(given.ground)
        site.footprint = WKBElement(ground.wkb, srid=SRID)
        if lon is None or lat is None or not ground.covers(Point(lon, lat)):
            inside = ground.representative_point()
            lon, lat = inside.x, inside.y
    if lon is None or lat is None:
        raise BadSite(reason="place")
    check_coordinates(lon, lat)
    site.geom = WKBElement(Point(lon, lat).wkb, srid=SRID)
    filed = areas_at(session, lon, lat)
    site.area_id = filed.compound_id or filed.community_id or filed.street_id or filed.district_id


def _keep_door(session: Session, site: Site, given: SiteGiven) -> bool:
    """The door, in its own table. Says whether it changed."""
    if given.door_no is None:
        return False
    said = clean("door_no", given.door_no)[: TEXT_LIMITS["door_no"]]
    kept = session.get(SiteDoor, site.id)
    if (kept.door_no if kept else "") == said:
        return False
    if kept is not None and not said:
        session.delete(kept)
    elif kept is not None:
        kept.door_no = said
    else:
        session.add(SiteDoor(site_id=site.id, door_no=said))
    session.flush()
    return True


def _inside(session: Session, scope: Scope, site: Site) -> None:
    """Nobody keeps a site where they may not look."""
    if not site_queries.visible(session, scope, site.id):
        raise NotAllowed()


def _locked(session: Session, scope: Scope, site_id: int, base_version: int | None) -> Site:
    if site_id >= 1 << 62 or not site_queries.visible(session, scope, site_id):
        raise Missing(thing="site", id=site_id)
    site = session.get_one(Site, site_id, with_for_update=True, populate_existing=True)
    check_version(site, base_version)
    return site


def _plain(site: Site) -> dict[str, Any]:
    """The columns as plain values; of the same geometry the same bytes, wherever they come from."""
    kept = {c.key: getattr(site, c.key) for c in Site.__table__.columns if c.key != "version"}
    return {key: to_shape(v).wkb if isinstance(v, WKBElement) else v for key, v in kept.items()}


def _note(session: Session, who: Who, verb: str, site: Site, **data: Any) -> None:
    session.flush()
    journal.write(
        session, who, verb, "site", site.id, version=site.version, area_id=site.area_id, unit_id=site.unit_id, **data
    )


# --- people ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class CertificateGiven:
    """A certificate as it is typed."""

    kind: str
    no: str
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True)
class WorkerGiven:
    """Somebody new on a site, or (`worker_id`) somebody whom the contractor sent before."""

    name: str = ""
    trade: str = ""
    worker_id: int | None = None
    certificates: tuple[CertificateGiven, ...] = field(default=())


def bring_worker(session: Session, who: Who, scope: Scope, site_id: int, given: WorkerGiven) -> SiteWorker:
    """Somebody comes onto the site. Raises BadSite, AlreadyOnSite, CertificateTaken, Blacklisted."""
    site = _locked(session, scope, site_id, None)
    if site.contractor_id is None:
        raise BadSite(reason="contractor")
    if given.worker_id is not None:
        worker = session.get(SiteWorker, given.worker_id)
        if worker is None or worker.unit_id != site.contractor_id:
            raise Missing(thing="person", id=given.worker_id)
        blacklist.refuse(session, who.now, worker_id=worker.id)
    else:
        name = clean("caller_name", given.name)
        if not name or given.trade not in set(Trade):
            raise BadSite(reason="name" if not name else "trade")
        worker = SiteWorker(unit_id=site.contractor_id, name=name[:80], trade=given.trade, synthetic=site.synthetic)
        session.add(worker)
        session.flush()
    for certificate in given.certificates:
        _certificate(session, worker, certificate)
    with naming_violations(session):
        session.add(SitePresence(site_id=site.id, worker_id=worker.id, since_at=who.now))
    _note(session, who, "bring_person", site, person_id=worker.id, trade=worker.trade)
    return worker


def add_certificate(
    session: Session, who: Who, scope: Scope, site_id: int, worker_id: int, given: CertificateGiven
) -> WorkCertificate:
    """Somebody on this site shows a certificate."""
    site = _locked(session, scope, site_id, None)
    if worker_id not in {row["id"] for row in site_queries.people(session, [site_id])}:
        raise Missing(thing="person", id=worker_id)
    made = _certificate(session, session.get_one(SiteWorker, worker_id), given)
    _note(session, who, "certify_person", site, person_id=worker_id, kind=given.kind)
    return made


def _certificate(session: Session, worker: SiteWorker, given: CertificateGiven) -> WorkCertificate:
    no = clean("place", given.no)
    if given.kind not in set(CertificateKind) or not no or len(no) > TEXT_LIMITS["certificate_no"]:
        raise BadSite(reason="certificate")
    if given.valid_from and given.valid_to and given.valid_to < given.valid_from:
        raise BadSite(reason="certificate dates")
    made = WorkCertificate(
        worker_id=worker.id, kind=given.kind, no=no, valid_from=given.valid_from, valid_to=given.valid_to
    )
    with naming_violations(session):
        session.add(made)
    return made


def dismiss_worker(session: Session, who: Who, scope: Scope, site_id: int, worker_id: int) -> None:
    """Somebody leaves the site; that they were there is kept."""
    site = _locked(session, scope, site_id, None)
    found = next((row for row in site_queries.people(session, [site_id]) if row["id"] == worker_id), None)
    if found is None:
        raise Missing(thing="person", id=worker_id)
    session.get_one(SitePresence, found["presence_id"], with_for_update=True).until_at = who.now
    _note(session, who, "dismiss_person", site, person_id=worker_id)


@dataclass(frozen=True)
class Revealed:
    """What is personal about a site."""

    door_no: str | None
    names: dict[int, str]


def reveal(session: Session, who: Who, scope: Scope, site_id: int, purpose: str | None) -> Revealed:
    """The door and the names, for a purpose that the journal keeps. Raises PurposeNeeded."""
    said = clean("purpose", purpose)
    if said not in PURPOSES and len(said) < PURPOSE_MIN:
        raise PurposeNeeded()
    site = _locked(session, scope, site_id, None)
    door = session.get(SiteDoor, site.id)
    names = {row["id"]: row["name"] for row in site_queries.people(session, [site_id], gone=True)}
    _note(session, who, "unmask", site, purpose=said)
    return Revealed(door.door_no if door else None, names)


# --- what is posted, and self-inspection -----------------------------------------------------------------------------
def post_notice(
    session: Session, who: Who, scope: Scope, site_id: int, posted: list[str], words: str, sha256: str | None
) -> SiteNotice:
    """Write down what is posted at the site now, with a photo of it where there is one."""
    site = _locked(session, scope, site_id, None)
    if not set(posted) <= set(POSTED):
        raise BadInput(reason="posted")
    made = SiteNotice(site_id=site.id, at=who.now, user_id=who.user_id, text=clean("note", words)[:TEXT_LIMITS["note"]],
                      posted=sorted(set(posted)), sha256=sha256)  # fmt: skip
    session.add(made)
    _note(session, who, "post_notice", site, posted=sorted(set(posted)))
    return made


def call_self_check(session: Session, who: Who, from_on: date, due_on: date, note: str) -> SelfCheck:
    """Every open site is to be inspected by its unit itself, from a day until a day."""
    if due_on < from_on:
        raise BadSite(reason="planned dates")
    made = SelfCheck(
        from_on=from_on, due_on=due_on, note=clean("note", note)[:300], called_at=who.now, called_by=who.user_id
    )
    session.add(made)
    session.flush()
    journal.write(session, who, "call", "self_check", made.id, version=1, from_on=str(from_on), due_on=str(due_on))
    return made
