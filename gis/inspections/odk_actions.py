"""What is done with submissions of ODK clients: kept word for word, and, once everything is here, made an inspection.

The instanceID is taken by an insert: a second copy at the same moment waits for the first and finds it there.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gis import journal
from gis.errors import ChengmaiError, Missing
from gis.inspections import actions, checklist_queries
from gis.inspections.forms import form_of
from gis.inspections.model import Checklist, OdkPart, OdkSubmission
from gis.inspections.photo_store import Stored
from gis.inspections.pledge_form import pledge_form
from gis.inspections.rules import SubmissionDiffers, SubmissionState, item_of
from gis.inspections.xforms import Filled, Instance, filled, filled_pledges
from gis.journal import Who
from gis.people.rules import Scope


@dataclass(frozen=True)
class Sender:
    """Who sent it: a person's device, or a body's key."""

    scope: Scope
    area_id: int | None = None
    unit_id: int | None = None
    key_id: int | None = None


@dataclass(frozen=True)
class File:
    """A file that came along: a picture that is already among the photos, or bytes to be kept as they are."""

    name: str
    mime: str
    sha256: str
    size_bytes: int
    stored: Stored | None = None
    data: bytes | None = None


def take(session: Session, who: Who, sender: Sender, instance: Instance, xml: bytes) -> OdkSubmission:
    """Take the instance, or find it as it was taken. Raises Missing for a form that is not here, SubmissionDiffers."""
    checklist = checklist_queries.one(session, instance.code, instance.revision)
    if checklist is None:
        raise Missing(thing="checklist", id=f"{instance.code}-{instance.revision}")
    sha256 = hashlib.sha256(xml).hexdigest()
    row = {
        "instance_id": instance.instance_id, "code": instance.code, "revision": instance.revision, "sha256": sha256,
        "xml": xml.decode("utf-8", "replace").replace("\0", "\ufffd"), "state": SubmissionState.WAITING, "received_at": who.now,
        "user_id": who.user_id, "device_id": who.device_id, "key_id": sender.key_id, "area_id": sender.area_id,
        "unit_id": sender.unit_id, "wanted": sorted({name for _item, name in _filled(checklist, instance).files}),
    }  # fmt: skip
    added = insert(OdkSubmission).values(row).on_conflict_do_nothing().returning(OdkSubmission.instance_id)
    if session.scalar(added) is not None:
        journal.write(session, who, "receive", "submission", instance.instance_id[:64], code=instance.code)
    kept = session.get_one(OdkSubmission, instance.instance_id, with_for_update=True)
    if kept.sha256 != sha256:
        raise SubmissionDiffers()
    return kept


def add_file(session: Session, who: Who, kept: OdkSubmission, file: File) -> None:
    """Keep a file of a submission. The same again changes nothing; another under its name raises SubmissionDiffers."""
    if file.stored is not None:
        actions.add_photo(session, who, file.stored, file.name)
    row = {
        "instance_id": kept.instance_id, "name": file.name, "sha256": file.sha256, "mime": file.mime[:80],
        "size_bytes": file.size_bytes, "data": file.data,
    }  # fmt: skip
    session.execute(insert(OdkPart).values(row).on_conflict_do_nothing())
    there = session.get_one(OdkPart, (kept.instance_id, file.name))
    if there.sha256 != file.sha256:
        raise SubmissionDiffers()


def missing_files(session: Session, kept: OdkSubmission) -> list[str]:
    """Which files that the instance names have not come yet?"""
    question = text("SELECT name FROM odk_part WHERE instance_id = :id")
    here = set(session.scalars(question, {"id": kept.instance_id}))
    return [name for name in kept.wanted if name not in here]


def settle(session: Session, who: Who, sender: Sender, kept: OdkSubmission, instance: Instance, *, more: bool) -> bool:
    """Make the inspection, once everything is here. True when the submission is settled, whatever became of it."""
    if kept.state != SubmissionState.WAITING:
        return True
    if more or missing_files(session, kept):
        return False
    checklist = checklist_queries.one(session, kept.code, kept.revision)
    assert checklist is not None
    if checklist.unshown:
        kept.state, kept.why = SubmissionState.RAW, "not_shown"
    else:
        try:
            with session.begin_nested():
                visit = _visit(session, who, sender, kept, checklist, instance)
                actions.submit(session, who, sender.scope, visit)
            kept.state, kept.inspection_id = SubmissionState.KEPT, visit.id
        except ChengmaiError as error:  # what cannot be an inspection is still kept, and told
            kept.state, kept.why = SubmissionState.RAW, str(error)[:1000]
    session.flush()
    journal.write(session, who, "settle", "submission", kept.instance_id[:64], state=kept.state)
    session.flush()
    return True


def _filled(checklist: Checklist, instance: Instance) -> Filled:
    if checklist.form is not None:
        return filled(form_of(checklist.form), instance)
    items = [item_of(raw) for raw in checklist.items]
    return filled_pledges(items, pledge_form(items, checklist.name), instance)


def _visit(
    session: Session, who: Who, sender: Sender, kept: OdkSubmission, checklist: Checklist, instance: Instance
) -> actions.Visit:  # fmt: skip
    made = _filled(checklist, instance)
    question = text("SELECT name, sha256 FROM odk_part WHERE instance_id = :id AND data IS NULL")
    pictures = {row.name: row.sha256 for row in session.execute(question, {"id": kept.instance_id})}
    order_id, site_id = _target(session, made)
    shots = [actions.Shot(pictures[name], item, kept.received_at) for item, name in made.files if name in pictures]
    return actions.Visit(
        inspection_id(kept.instance_id), kept.code, kept.revision, made.scope, made.stage, kept.received_at, kept.received_at,
        order_id, site_id, answers=made.answers, photos=shots,
    )  # fmt: skip


def inspection_id(instance_id: str) -> UUID:
    """The id of the inspection of an instance: its own UUID, or always the same one made from its name."""
    try:
        return UUID(instance_id.removeprefix("uuid:"))
    except ValueError:
        return uuid5(NAMESPACE_URL, instance_id)


def _target(session: Session, made: Filled) -> tuple[int | None, int | None]:
    """The order or the site that a form asks for by number: an item called `order_no` or `site_code`."""
    order_no, site_code = made.named.get("order_no"), made.named.get("site_code")
    if order_no:
        found = session.scalar(text("SELECT id FROM work_order WHERE order_no = :no"), {"no": order_no})
        return found if found is not None else _none("order", order_no), None
    if site_code:
        found = session.scalar(text("SELECT id FROM site WHERE code = :code"), {"code": site_code})
        return None, found if found is not None else _none("site", site_code)
    return None, None


def _none(thing: str, name: str) -> int:
    raise Missing(thing=thing, id=name)
