"""Corrections of a visit that was sent: merged where people changed different properties, disputed where they did not.

Every correction is kept. What is in force is computed from all of them (`merge.merge`), so that four corrections give the
same visit in whatever order they arrive.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, select, text, update
from sqlalchemy.orm import Session

from gis import journal
from gis.errors import BadInput, Missing
from gis.inspections import findings, queries
from gis.inspections.actions import Shot, shot_rows
from gis.inspections.forms import SIGNED, Form
from gis.inspections.merge import Merged, Write, merge
from gis.inspections.model import CheckAnswer, Inspection
from gis.inspections.rules import PROBLEM_WORDS, BadChecklist, Given, check, refusal
from gis.inspections.sync_model import Amendment, InspectionConflict
from gis.inspections.sync_rules import HeldBack
from gis.journal import Who
from gis.people.model import User
from gis.people.rules import Scope

NOTE = "note"
ANEW = "the answers to this form are not corrected one by one, so fill it in anew"
_LOCK = {
    "key_share": True
}  # a photo that arrives for this visit need not wait for a correction, nor that for the photo


@dataclass(frozen=True)
class Correction:
    """What somebody wants to be otherwise. `sets` is `{path: value}`; `after` a correction it rests on."""

    id: UUID
    inspection_id: UUID
    base_version: int
    at: datetime
    sets: Mapping[str, Any]
    after: UUID | None = None
    reason: str = ""
    photos: Sequence[Shot] = field(default=())


@dataclass(frozen=True)
class Amended:
    """What came of a correction: `merged` are properties that others changed meanwhile, `disputed` those both changed."""

    version: int
    merged: tuple[str, ...]
    disputed: tuple[str, ...]


def amend(session: Session, who: Who, correction: Correction, zone: tzinfo = findings.CHINA) -> Amended:
    """Correct a visit of one's own or of one's own crew; findings come and go with its answers.

    Raises HeldBack (the visit, or the version it was made on, is not here yet), Missing, BadChecklist.
    """
    inspection = _own(session, who, correction.inspection_id)
    if inspection is None:
        raise HeldBack(waits_for=waits_for(correction.inspection_id))
    if correction.base_version > inspection.version:
        raise HeldBack(waits_for=waits_for(correction.inspection_id))
    _check(session, inspection, correction)
    return _write(session, who, inspection, correction, zone)


def choose(
    session: Session, who: Who, scope: Scope, change_id: UUID, inspection_id: UUID, path: str, chosen: UUID,
    zone: tzinfo = findings.CHINA,
) -> None:  # fmt: skip
    """The desk decides which of two values stands: the choice is a correction made with both before the eyes."""
    if queries.shown(session, scope, inspection_id) is None:
        raise Missing(thing="inspection", id=inspection_id)
    inspection = session.get_one(Inspection, inspection_id, with_for_update=_LOCK, populate_existing=True)
    disputed = merge(_writes(_rows(session, inspection_id))).disputed.get(path, ())
    value = next((write.sets[path] for write in disputed if write.id == str(chosen)), None)
    if value is None:
        raise Missing(thing="change", id=chosen)
    choice = Correction(change_id, inspection_id, inspection.version, who.now, {path: value})
    _write(session, who, inspection, choice, zone)


def waits_for(inspection_id: UUID) -> str:
    """Under which name corrections wait for a visit."""
    return f"inspection:{inspection_id}"


def _own(session: Session, who: Who, inspection_id: UUID) -> Inspection | None:
    inspection = session.get(Inspection, inspection_id, with_for_update=_LOCK, populate_existing=True)
    if inspection is None or who.user_id is None or inspection.inspector_id == who.user_id:
        return inspection
    mine = session.get_one(User, who.user_id).crew_id
    theirs = session.get_one(User, inspection.inspector_id).crew_id if inspection.inspector_id is not None else None
    if mine is None or theirs != mine:
        raise Missing(thing="inspection", id=inspection_id)
    return inspection


def _check(session: Session, inspection: Inspection, correction: Correction) -> None:
    """Is every item on the checklist, and may it be answered so? Each item is judged by itself: no order of arrival counts."""
    row = queries.shown(session, Scope(), inspection.id)
    heating = row is not None and bool(row["heating"])
    (ground,) = queries.grounds(
        session, Scope(), [queries.Asked(inspection.checklist_code, inspection.checklist_revision, None, None)]
    )
    shown = [shot.item_id for shot in correction.photos]
    if ground.form is not None or inspection.scope is None or inspection.stage is None:
        return _check_form(ground.form, correction, shown)
    there = {row.item_id: row for row in _answers(session, inspection.id)}
    given = []
    for item_id in sorted({path.rpartition(".")[0] for path in correction.sets if path != NOTE}):
        before = there.get(item_id)
        answer = correction.sets.get(f"{item_id}.answer", before and before.answer)
        if answer is None:
            raise BadChecklist(reason=f"{item_id} has no answer")
        given.append(Given(item_id, answer, correction.sets.get(f"{item_id}.note", "")))
    problems = check(ground.items or (), inspection.scope, inspection.stage, heating, given, shown)
    if reason := refusal(problems):
        raise BadChecklist(reason=reason)
    return None


def _check_form(form: Form | None, correction: Correction, shown: Sequence[str]) -> None:
    """What a form asks depends on its other answers, so they are not corrected one by one: a note and photos are added."""
    if any(path != NOTE for path in correction.sets):
        raise BadChecklist(reason=ANEW)
    known = {placed.item.name for placed in form.items()} if form is not None else set()
    if strange := sorted({item_id.removesuffix(SIGNED) for item_id in shown if item_id} - known):
        raise BadChecklist(reason="; ".join(f"{item_id} {PROBLEM_WORDS['unknown_item']}" for item_id in strange))


def _answers(session: Session, inspection_id: UUID) -> Sequence[CheckAnswer]:
    wanted = select(CheckAnswer).where(CheckAnswer.inspection_id == inspection_id)
    return session.scalars(wanted.execution_options(populate_existing=True)).all()


def _write(session: Session, who: Who, inspection: Inspection, correction: Correction, zone: tzinfo) -> Amended:
    """Add the correction, and bring the visit and its findings to what all corrections together say."""
    if who.user_id is None:
        raise BadInput(reason="user")
    before = _now(session, inspection, correction.sets)
    row = Amendment(
        id=correction.id, inspection_id=inspection.id, version=inspection.version + 1, base_version=correction.base_version,
        after=correction.after, user_id=who.user_id, device_id=who.device_id, at=correction.at, received_at=who.now,
        reason=correction.reason, sets=dict(correction.sets), before=before,
    )  # fmt: skip
    session.add(row)
    session.flush()
    rows = _rows(session, inspection.id)
    writes = _writes(rows)
    merged = merge(writes)
    _bring_to(session, inspection, merged)
    _keep_disputes(session, who, inspection.id, merged)
    if correction.photos:
        session.execute(_ADD_PHOTOS, {"id": inspection.id, "photos": json.dumps(shot_rows(correction.photos), default=str),
                                      "now": who.now})  # fmt: skip
    session.execute(update(Inspection).where(Inspection.id == inspection.id).values(version=row.version))
    session.expire(inspection)
    journal.write(
        session, who, "amend", "inspection", inspection.id, version=row.version, area_id=inspection.area_id,
        unit_id=inspection.unit_id, fields=sorted(correction.sets), photos=len(correction.photos),
        disputed=sorted(merged.disputed),
    )  # fmt: skip
    session.flush()
    findings.follow(session, who, inspection.id, zone)
    findings.carry(session, [inspection.id] if correction.photos else [])
    mine = next(write for write in writes if write.id == str(correction.id))
    others = {path for w in writes if w.id not in mine.seen and w is not mine for path in w.sets}
    disputed = tuple(sorted(set(merged.disputed) & set(correction.sets)))
    return Amended(row.version, tuple(sorted(others - set(correction.sets))), disputed)


def _now(session: Session, inspection: Inspection, paths: Mapping[str, Any]) -> dict[str, Any]:
    """What stands under these paths."""
    answers = {row.item_id: row for row in _answers(session, inspection.id)}
    found: dict[str, Any] = {}
    for path in paths:
        item_id, _, name = path.rpartition(".")
        row = inspection if path == NOTE else answers.get(item_id)
        found[path] = getattr(row, name, None) if row is not None else None
    return found


def _rows(session: Session, inspection_id: UUID) -> Sequence[Amendment]:
    wanted = select(Amendment).where(Amendment.inspection_id == inspection_id).order_by(Amendment.version)
    return session.scalars(wanted).all()


def _writes(rows: Sequence[Amendment]) -> list[Write]:
    """The corrections with what each author knew of: all that had come up to the version at hand, and its own before it."""
    made = []
    for row in rows:
        seen = {str(other.id) for other in rows if other.version <= row.base_version}
        if row.after is not None:
            seen.add(str(row.after))
        made.append(Write(str(row.id), row.at, frozenset(seen), row.sets))
    return made


def _bring_to(session: Session, inspection: Inspection, merged: Merged) -> None:
    values = dict(merged.values)
    if NOTE in values:
        session.execute(update(Inspection).where(Inspection.id == inspection.id).values(note=values.pop(NOTE)))
    by_item: dict[str, dict[str, Any]] = {}
    for path, value in values.items():
        item_id, _, name = path.rpartition(".")
        by_item.setdefault(item_id, {})[name] = value
    rows = [{"item_id": item_id, **told} for item_id, told in sorted(by_item.items())]
    session.execute(_ANSWER, {"id": inspection.id, "rows": json.dumps(rows, ensure_ascii=False)})


_ANSWER = text(
    """
    INSERT INTO check_answer AS c (inspection_id, item_id, answer, note)
    SELECT :id, a.item_id, coalesce(a.answer, b.answer), coalesce(a.note, b.note, '')
      FROM json_to_recordset(CAST(:rows AS json)) AS a(item_id text, answer text, note text)
      LEFT JOIN check_answer b ON b.inspection_id = :id AND b.item_id = a.item_id
    ON CONFLICT (inspection_id, item_id) DO UPDATE SET answer = excluded.answer, note = excluded.note
    """
)
_ADD_PHOTOS = text(
    """
    WITH shots AS (
      SELECT f.*, ST_SetSRID(ST_MakePoint(f.lon, f.lat), 4326) AS position,
             EXISTS (SELECT FROM photo p WHERE p.sha256 = f.sha256) AS here
        FROM json_to_recordset(CAST(:photos AS json)) AS f(sha256 text, item_id text, taken_at timestamptz, lon float8,
             lat float8, accuracy_m float8)
       WHERE pg_advisory_xact_lock(8319, hashtext(f.sha256)) IS NOT NULL),
    shown AS (
      INSERT INTO inspection_photo (inspection_id, sha256, item_id, taken_at, position, position_accuracy_m)
      SELECT :id, sha256, item_id, taken_at, position, accuracy_m FROM shots WHERE here ON CONFLICT DO NOTHING)
    INSERT INTO awaited_photo (inspection_id, sha256, item_id, taken_at, position, position_accuracy_m, since_at)
    SELECT :id, sha256, item_id, taken_at, position, accuracy_m, :now FROM shots WHERE NOT here ON CONFLICT DO NOTHING
    """
)


def _keep_disputes(session: Session, who: Who, inspection_id: UUID, merged: Merged) -> None:
    paths = {"id": inspection_id, "paths": sorted(merged.disputed), "now": who.now}
    session.execute(text("DELETE FROM inspection_conflict WHERE inspection_id = :id AND path <> ALL(:paths)"), paths)
    session.execute(
        text(
            """INSERT INTO inspection_conflict (inspection_id, path, since_at)
               SELECT :id, path, :now FROM unnest(CAST(:paths AS text[])) AS path ON CONFLICT DO NOTHING"""
        ),
        paths,
    )


# --- what is told of it ----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Dispute:
    """One property of one visit, and the corrections that set it differently; the one in force comes last."""

    inspection_id: UUID
    place: str
    path: str
    since_at: datetime
    sides: tuple[RowMapping, ...]


_DISPUTED = text(
    """
    SELECT c.inspection_id, c.path, c.since_at, coalesce(s.name, k.place, '') AS place FROM inspection_conflict c
      JOIN inspection i ON i.id = c.inspection_id LEFT JOIN site s ON s.id = i.site_id
      LEFT JOIN work_order o ON o.id = i.order_id LEFT JOIN complaint k ON k.id = o.complaint_id
     ORDER BY c.since_at DESC, c.inspection_id, c.path LIMIT 200
    """
)
_HISTORY = text(
    """
    SELECT m.id, m.version, m.at, m.received_at, m.reason, m.sets, m.before, p.full_name AS author,
           coalesce(d.name, '') AS device
      FROM amendment m JOIN app_user p ON p.id = m.user_id LEFT JOIN device d ON d.id = m.device_id
     WHERE m.inspection_id = :id ORDER BY m.version
    """
)


def disputes(session: Session, scope: Scope) -> list[Dispute]:
    """Which properties were set differently by people who did not know of each other, and wait for somebody to choose?"""
    found = []
    for row in session.execute(_DISPUTED).all():
        if scope != Scope() and queries.shown(session, scope, row.inspection_id) is None:
            continue
        by_id = {str(line.id): line for line in history(session, row.inspection_id)}
        writes = merge(_writes(_rows(session, row.inspection_id))).disputed.get(row.path, ())
        sides = tuple(by_id[write.id] for write in writes)
        found.append(Dispute(row.inspection_id, row.place, row.path, row.since_at, sides))
    return found


def history(session: Session, inspection_id: UUID) -> Sequence[RowMapping]:
    """Who corrected what of this visit, oldest first?"""
    return session.execute(_HISTORY, {"id": inspection_id}).mappings().all()


def differing(session: Session) -> list[str]:
    """Which visits are not what their corrections say? For `chengmai verify`; the right answer is none."""
    wrong = []
    for inspection_id in session.scalars(select(Amendment.inspection_id).distinct()):
        rows = _rows(session, inspection_id)
        merged = merge(_writes(rows))
        inspection = session.get_one(Inspection, inspection_id)
        disputed = set(session.scalars(
            select(InspectionConflict.path).where(InspectionConflict.inspection_id == inspection_id)))  # fmt: skip
        whole = [row.version for row in rows] == list(range(2, len(rows) + 2)) and inspection.version == len(rows) + 1
        if not whole or _now(session, inspection, merged.values) != merged.values or disputed != set(merged.disputed):
            wrong.append(str(inspection_id))
    return wrong
