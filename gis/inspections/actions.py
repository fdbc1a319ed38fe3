"""What is done with inspections: keep a visit with its answers, keep a photo, look at what came twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gis import journal
from gis.errors import Missing
from gis.inspections import findings, queries
from gis.inspections.form_answers import check_form
from gis.inspections.forms import Form
from gis.inspections.model import ChangeVariant, Checklist, ChecklistFile, Photo
from gis.inspections.photo_store import Stored
from gis.inspections.pledge_form import pledge_form
from gis.inspections.round_visits import filed
from gis.inspections.rules import (
    PLEDGES,
    SIX_PLEDGES,
    SIX_PLEDGES_SOURCE,
    Answer,
    BadChecklist,
    Given,
    InspectionThere,
    PhotoMissing,
    Problem,
    check,
    refusal,
)
from gis.journal import Who
from gis.people.rules import Scope


def seed_checklists(session: Session, xform: Callable[[Form, str], str]) -> None:
    """Add the checklist of the six pledges, revision 1, if it is not there. `xform` makes what ODK clients fetch."""
    name = "庭院及室内施工服务六项承诺"
    row = {
        "code": "six_pledges", "revision": 1, "name": name, "source": SIX_PLEDGES_SOURCE,
        "items": [item.as_dict() for item in SIX_PLEDGES],
    }  # fmt: skip
    assert {item.pledge for item in SIX_PLEDGES} == set(PLEDGES.values())
    session.execute(insert(Checklist).values(row).on_conflict_do_nothing(index_elements=["code", "revision"]))
    file = {
        "code": "six_pledges",
        "revision": 1,
        "file_name": "",
        "xform": xform(pledge_form(SIX_PLEDGES, name), "six_pledges"),
    }
    session.execute(insert(ChecklistFile).values(file).on_conflict_do_nothing(index_elements=["code", "revision"]))


@dataclass(frozen=True)
class Position:
    """Where a phone thought it was."""

    lon: float
    lat: float
    accuracy_m: float | None = None


@dataclass(frozen=True)
class Shot:
    """A photo as a visit names it."""

    sha256: str
    item_id: str
    taken_at: datetime
    position: Position | None = None


@dataclass(frozen=True)
class Visit:
    """A visit as the phone tells it. Its times are the phone's own and are kept beside the server's."""

    id: UUID
    checklist_code: str
    checklist_revision: int
    scope: str | None
    stage: str | None
    started_at: datetime
    finished_at: datetime
    order_id: int | None = None
    site_id: int | None = None
    note: str = ""
    position: Position | None = None
    answers: Sequence[Given] = ()
    photos: Sequence[Shot] = field(default=())


# One statement: the visit, its answers, its photos and its journal row are kept together or not at all.
_KEEP = text(
    """
    WITH visit AS (
      INSERT INTO inspection (id, order_id, site_id, inspector_id, checklist_code, checklist_revision, scope, stage,
             started_at, finished_at, received_at, note, position, position_accuracy_m, area_id, unit_id, is_self)
      VALUES (:id, :order_id, :site_id, :user_id, :code, :revision, :scope, :stage, :started_at, :finished_at, :now, :note,
              ST_SetSRID(ST_MakePoint(:lon, :lat), 4326), :accuracy_m, :area_id, :unit_id,
              EXISTS (SELECT FROM app_user p JOIN unit b ON b.id = p.unit_id WHERE p.id = :user_id AND b.kind <> 'bureau'))
      ON CONFLICT (id) DO NOTHING RETURNING id, version),
    answered AS (
      INSERT INTO check_answer (inspection_id, item_id, answer, value, note)
      SELECT visit.id, a.* FROM visit, unnest(CAST(:items AS text[]), CAST(:answers AS text[]), CAST(:values AS text[]),
             CAST(:notes AS text[])) a),
    shown AS (
      INSERT INTO inspection_photo (inspection_id, sha256, item_id, taken_at, position, position_accuracy_m)
      SELECT visit.id, f.sha256, f.item_id, f.taken_at, ST_SetSRID(ST_MakePoint(f.lon, f.lat), 4326), f.accuracy_m
        FROM visit, unnest(CAST(:f_sha AS text[]), CAST(:f_item AS text[]), CAST(:f_at AS timestamptz[]),
             CAST(:f_lon AS float8[]), CAST(:f_lat AS float8[]), CAST(:f_acc AS float8[]))
             AS f(sha256, item_id, taken_at, lon, lat, accuracy_m)),
    noted AS (
      INSERT INTO journal (at, user_id, device_id, verb, thing, thing_id, version, area_id, unit_id, data)
      SELECT :now, :user_id, :device_id, 'submit', 'inspection', visit.id::text, visit.version, :area_id, :unit_id,
             jsonb_build_object('order_id', CAST(:order_id AS bigint), 'site_id', CAST(:site_id AS bigint),
                                'no_count', CAST(:no_count AS integer)) FROM visit)
    SELECT version FROM visit
    """
)


def submit(session: Session, who: Who, scope: Scope, visit: Visit, zone: tzinfo = findings.CHINA) -> int:
    """Keep a visit, and make a finding of each failed item; returns its version.

    Raises Missing, BadChecklist, PhotoMissing, InspectionThere; then nothing is kept.
    """
    wanted = sorted({shot.sha256 for shot in visit.photos})
    ground = queries.ground(
        session, scope, visit.checklist_code, visit.checklist_revision, order_id=visit.order_id, site_id=visit.site_id,
        photos=wanted,
    )  # fmt: skip
    _refuse(visit, ground, wanted)
    version = session.scalar(_KEEP, _parameters(who, visit, ground))
    if version is None:
        raise InspectionThere()
    if visit.site_id is not None:
        filed(session, who, visit.site_id, visit.id)
    # What a program of a body sends is nobody's inspection: nothing follows from it by itself.
    if who.user_id is not None and any(given.answer == Answer.NO for given in visit.answers):
        findings.follow(session, who, visit.id, zone)
    return int(version)


def _refuse(visit: Visit, ground: queries.Ground, wanted: Sequence[str]) -> None:
    if not ground.found:
        thing, number = ("order", visit.order_id) if visit.order_id is not None else ("site", visit.site_id)
        raise Missing(thing=thing, id=number)
    if ground.items is None and ground.form is None:
        raise BadChecklist(reason=f"{visit.checklist_code}-{visit.checklist_revision} is not a checklist here")
    shown = [shot.item_id for shot in visit.photos]
    reason = refusal(_problems(visit, ground, shown))
    if len({(shot.sha256, shot.item_id) for shot in visit.photos}) < len(visit.photos):
        reason = "; ".join(filter(None, (reason, "a photo is named twice")))
    if reason:
        raise BadChecklist(reason=reason)
    for sha256 in wanted:
        if sha256 not in ground.photos:
            raise PhotoMissing(sha256=sha256)


def _problems(visit: Visit, ground: queries.Ground, shown: Sequence[str]) -> list[Problem]:
    if ground.form is not None:
        return check_form(ground.form, visit.answers, shown, visit.finished_at.isoformat(timespec="seconds"))
    if visit.scope is None or visit.stage is None:
        raise BadChecklist(reason="scope, stage")
    if any(given.value or not given.answer for given in visit.answers):
        raise BadChecklist(reason="value")
    return check(ground.items or (), visit.scope, visit.stage, ground.heating, visit.answers, shown)


def _parameters(who: Who, visit: Visit, ground: queries.Ground) -> dict[str, object]:
    position, shots = visit.position, visit.photos
    places = [shot.position for shot in shots]
    return {
        "id": visit.id, "order_id": visit.order_id, "site_id": visit.site_id, "user_id": who.user_id,
        "device_id": who.device_id, "code": visit.checklist_code, "revision": visit.checklist_revision,
        "scope": visit.scope, "stage": visit.stage, "started_at": visit.started_at, "finished_at": visit.finished_at,
        "now": who.now, "note": visit.note, "lon": position and position.lon, "lat": position and position.lat,
        "accuracy_m": position and position.accuracy_m, "area_id": ground.area_id, "unit_id": ground.unit_id,
        "items": [g.item_id for g in visit.answers], "answers": [g.answer or None for g in visit.answers],
        "values": [g.value or None for g in visit.answers],
        "notes": [g.note for g in visit.answers], "no_count": sum(g.answer == Answer.NO for g in visit.answers),
        "f_sha": [s.sha256 for s in shots], "f_item": [s.item_id for s in shots], "f_at": [s.taken_at for s in shots],
        "f_lon": [p and p.lon for p in places], "f_lat": [p and p.lat for p in places],
        "f_acc": [p and p.accuracy_m for p in places],
    }  # fmt: skip


def add_photo(session: Session, who: Who, stored: Stored, file_name: str) -> Photo:
    """Write down a photo that is already safely on the disk. The same photo again changes nothing."""
    row = {
        "sha256": stored.sha256, "mime": stored.mime, "size_bytes": stored.size_bytes, "width": stored.width,
        "height": stored.height, "received_at": who.now, "device_id": who.device_id, "file_name": file_name,
    }  # fmt: skip
    added = session.scalar(
        insert(Photo).values(row).on_conflict_do_nothing(index_elements=["sha256"]).returning(Photo.sha256)
    )
    if added is not None:
        journal.write(session, who, "add", "photo", stored.sha256, size_bytes=stored.size_bytes, mime=stored.mime)
        session.flush()
    photo = session.get(Photo, stored.sha256)
    assert photo is not None
    return photo


def review(session: Session, who: Who, scope: Scope, variant_id: int) -> ChangeVariant:
    """Somebody has looked at a change that came twice with different contents."""
    if not queries.conflict_in_scope(session, scope, variant_id):
        raise Missing(thing="change", id=variant_id)
    variant = session.get_one(ChangeVariant, variant_id, with_for_update=True)
    if variant.reviewed_at is None:
        variant.reviewed_at, variant.reviewed_by = who.now, who.user_id
        session.flush()
        journal.write(session, who, "review", "change", variant.change_id, variant_id=variant.id)
    return variant
