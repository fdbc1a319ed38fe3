"""What is done with inspections: keep a visit with its answers, keep a photo, look at what came twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gis import journal
from gis.errors import ChengmaiError, Missing
from gis.inspections import change_queries, findings, queries
from gis.inspections.form_answers import check_form
from gis.inspections.forms import Form
from gis.inspections.model import ChangeVariant, Checklist, ChecklistFile
from gis.inspections.photo_store import Stored
from gis.inspections.pledge_form import pledge_form
from gis.inspections.round_visits import expecting, filed
from gis.inspections.rules import (
    PLEDGES,
    SIX_PLEDGES,
    SIX_PLEDGES_SOURCE,
    Answer,
    BadChecklist,
    Given,
    InspectionThere,
    Problem,
    check,
    refusal,
)
from gis.journal import Who
from gis.people.rules import Scope
from gis.prepared import Prepared


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


# One statement for any number of visits, sent as one JSON parameter: a visit, its answers, its photos (those that are here,
# and those that are still to come) and its journal row are kept together or not at all.
_KEEP = Prepared(
    """
    WITH sent AS MATERIALIZED (
      SELECT * FROM json_to_recordset(CAST(:visits AS json)) AS v(id uuid, order_id bigint, site_id bigint, code text,
             revision int, scope text, stage text, started_at timestamptz, finished_at timestamptz, note text, lon float8,
             lat float8, accuracy_m float8, area_id bigint, unit_id bigint, no_count int, answers json, photos json)),
    visit AS (
      INSERT INTO inspection (id, order_id, site_id, inspector_id, checklist_code, checklist_revision, scope, stage,
             started_at, finished_at, received_at, note, position, position_accuracy_m, area_id, unit_id, is_self)
      SELECT id, order_id, site_id, :user_id, code, revision, scope, stage, started_at, finished_at, :now, note,
             ST_SetSRID(ST_MakePoint(lon, lat), 4326), accuracy_m, area_id, unit_id,
             EXISTS (SELECT FROM app_user p JOIN unit b ON b.id = p.unit_id WHERE p.id = :user_id AND b.kind <> 'bureau')
        FROM sent
      ON CONFLICT (id) DO NOTHING RETURNING id, version),
    answered AS (
      INSERT INTO check_answer (inspection_id, item_id, answer, value, note)
      SELECT id, a.* FROM visit JOIN sent USING (id),
             json_to_recordset(sent.answers) AS a(item_id text, answer text, value text, note text)),
    shots AS (
      SELECT id, f.*, ST_SetSRID(ST_MakePoint(f.lon, f.lat), 4326) AS position,
             EXISTS (SELECT FROM photo p WHERE p.sha256 = f.sha256) AS here
        FROM visit JOIN sent USING (id), json_to_recordset(sent.photos) AS f(sha256 text, item_id text,
             taken_at timestamptz, lon float8, lat float8, accuracy_m float8)),
    shown AS (
      INSERT INTO inspection_photo (inspection_id, sha256, item_id, taken_at, position, position_accuracy_m)
      SELECT id, sha256, item_id, taken_at, position, accuracy_m FROM shots WHERE here),
    awaited AS (
      INSERT INTO awaited_photo (inspection_id, sha256, item_id, taken_at, position, position_accuracy_m, since_at)
      SELECT id, sha256, item_id, taken_at, position, accuracy_m, :now FROM shots WHERE NOT here),
    noted AS (
      INSERT INTO journal (at, user_id, device_id, verb, thing, thing_id, version, area_id, unit_id, data)
      SELECT :now, :user_id, :device_id, 'submit', 'inspection', id::text, visit.version, area_id, unit_id,
             jsonb_build_object('order_id', order_id, 'site_id', site_id, 'no_count', no_count)
        FROM visit JOIN sent USING (id))
    SELECT id, version FROM visit
    """,
    visits="text",
    user_id="bigint",
    device_id="bigint",
    now="timestamptz",
)
# Whoever keeps a form whose photo is not here, and whoever keeps that photo, take turns: else each would miss the other.
_TURNS = text(
    """
    SELECT pg_advisory_xact_lock(8319, turn)
      FROM (SELECT DISTINCT hashtext(sha256) AS turn FROM unnest(CAST(:photos AS text[])) AS sha256 ORDER BY 1) AS turns
    """
)


def submit(session: Session, who: Who, scope: Scope, visit: Visit, zone: tzinfo = findings.CHINA) -> int:
    """Keep a visit, and what follows from it; returns its version.

    Raises Missing, BadChecklist, InspectionThere; then nothing is kept.
    """
    (ready,) = prepared(session, scope, [visit])
    if isinstance(ready, ChengmaiError):
        raise ready
    kept = submit_all(session, who, [ready], zone)
    if visit.id not in kept:
        raise InspectionThere()
    return kept[visit.id]


@dataclass(frozen=True)
class Ready:
    """A visit that can be kept, and where it belongs."""

    visit: Visit
    ground: queries.Ground


def prepared(session: Session, scope: Scope, visits: Sequence[Visit]) -> list[Ready | ChengmaiError]:
    """Each visit as it can be kept, or why it cannot: Missing, BadChecklist."""
    asked = [queries.Asked(v.checklist_code, v.checklist_revision, v.order_id, v.site_id) for v in visits]
    found = queries.grounds(session, scope, asked)
    ready: list[Ready | ChengmaiError] = []
    for visit, ground in zip(visits, found, strict=True):
        try:
            _refuse(visit, ground)
            ready.append(Ready(visit, ground))
        except ChengmaiError as error:
            ready.append(error)
    return ready


def submit_all(session: Session, who: Who, ready: Sequence[Ready], zone: tzinfo = findings.CHINA) -> dict[UUID, int]:
    """Keep many visits in one statement, then what follows from each: the planned visit that it was, a finding of each failed
    item. Returns the version of each that was kept. One whose id is taken is not."""
    named = sorted({shot.sha256 for one in ready for shot in one.visit.photos})
    if missing := set(named) - set(queries.photos_here(session, named)):
        session.execute(_TURNS, {"photos": sorted(missing)})
    visits = json.dumps([_row(one.visit, one.ground) for one in ready], ensure_ascii=False, default=str)
    rows = _KEEP.rows(session, visits=visits, user_id=who.user_id, device_id=who.device_id, now=who.now)
    kept = {UUID(str(row.id)): row.version for row in rows}
    _follow_up(session, who, [one.visit for one in ready if one.visit.id in kept], zone)
    return kept


def _follow_up(session: Session, who: Who, visits: Sequence[Visit], zone: tzinfo) -> None:
    planned = expecting(session, [visit.site_id for visit in visits if visit.site_id is not None])
    for visit in visits:
        if visit.site_id in planned:
            filed(session, who, visit.site_id, visit.id)
        # What a program of a body sends is nobody's inspection: nothing follows from it by itself.
        if who.user_id is not None and any(given.answer == Answer.NO for given in visit.answers):
            findings.follow(session, who, visit.id, zone)


def _refuse(visit: Visit, ground: queries.Ground) -> None:
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


def _problems(visit: Visit, ground: queries.Ground, shown: Sequence[str]) -> list[Problem]:
    if ground.form is not None:
        return check_form(ground.form, visit.answers, shown, visit.finished_at.isoformat(timespec="seconds"))
    if visit.scope is None or visit.stage is None:
        raise BadChecklist(reason="scope, stage")
    if any(given.value or not given.answer for given in visit.answers):
        raise BadChecklist(reason="value")
    return check(ground.items or (), visit.scope, visit.stage, ground.heating, visit.answers, shown)


def _row(visit: Visit, ground: queries.Ground) -> dict[str, object]:
    return {
        "id": visit.id, "order_id": visit.order_id, "site_id": visit.site_id, "code": visit.checklist_code,
        "revision": visit.checklist_revision, "scope": visit.scope, "stage": visit.stage, "started_at": visit.started_at,
        "finished_at": visit.finished_at, "note": visit.note, **_place(visit.position), "area_id": ground.area_id,
        "unit_id": ground.unit_id, "no_count": sum(g.answer == Answer.NO for g in visit.answers),
        "answers": [
            {"item_id": g.item_id, "answer": g.answer or None, "value": g.value or None, "note": g.note}
            for g in visit.answers
        ],
        "photos": shot_rows(visit.photos),
    }  # fmt: skip


def shot_rows(shots: Sequence[Shot]) -> list[dict[str, object]]:
    """Photos as a statement takes them."""
    return [{"sha256": s.sha256, "item_id": s.item_id, "taken_at": s.taken_at, **_place(s.position)} for s in shots]


def _place(position: Position | None) -> dict[str, float | None]:
    if position is None:
        return {"lon": None, "lat": None, "accuracy_m": None}
    return {"lon": position.lon, "lat": position.lat, "accuracy_m": position.accuracy_m}


# A photo has come: every visit that waited for it shows it from now on, and so do the findings made of it.
# The turn is taken in the statement before: what this one sees is what is there when the turn has come.
_ARRIVED = Prepared(
    """
    WITH came AS (DELETE FROM awaited_photo WHERE sha256 = :photo RETURNING *)
    INSERT INTO inspection_photo (inspection_id, sha256, item_id, taken_at, position, position_accuracy_m)
    SELECT inspection_id, sha256, item_id, taken_at, position, position_accuracy_m FROM came
    ON CONFLICT DO NOTHING RETURNING inspection_id
    """,
    photo="text",
)
_ADD = Prepared(
    """
    WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(8319, hashtext(:photo))),
         added AS (
      INSERT INTO photo (sha256, mime, size_bytes, width, height, received_at, device_id, file_name)
      SELECT :photo, :mime, :size_bytes, :width, :height, :now, :device_id, :file_name FROM turn
      ON CONFLICT (sha256) DO NOTHING RETURNING sha256, size_bytes, mime)
    INSERT INTO journal (at, user_id, device_id, verb, thing, thing_id, data)
    SELECT :now, :user_id, :device_id, 'add', 'photo', sha256, jsonb_build_object('size_bytes', size_bytes, 'mime', mime)
      FROM added RETURNING 1
    """,
    photo="text", mime="text", size_bytes="bigint", width="integer", height="integer", now="timestamptz", device_id="bigint",
    user_id="bigint", file_name="text",
)  # fmt: skip


def add_photo(session: Session, who: Who, stored: Stored, file_name: str) -> None:
    """Write down a photo that is already safely on the disk. The same photo again changes nothing.

    Two statements, whatever comes: phones that come back at once send tens of thousands of them.
    """
    _ADD.rows(
        session, photo=stored.sha256, mime=stored.mime, size_bytes=stored.size_bytes, width=stored.width, height=stored.height,
        now=who.now, device_id=who.device_id, user_id=who.user_id, file_name=file_name,
    )  # fmt: skip
    findings.carry(session, [row.inspection_id for row in _ARRIVED.rows(session, photo=stored.sha256)])


def review(session: Session, who: Who, scope: Scope, variant_id: int) -> ChangeVariant:
    """Somebody has looked at a change that came twice with different contents."""
    if not change_queries.conflict_in_scope(session, scope, variant_id):
        raise Missing(thing="change", id=variant_id)
    variant = session.get_one(ChangeVariant, variant_id, with_for_update=True)
    if variant.reviewed_at is None:
        variant.reviewed_at, variant.reviewed_by = who.now, who.user_id
        session.flush()
        journal.write(session, who, "review", "change", variant.change_id, variant_id=variant.id)
    return variant
