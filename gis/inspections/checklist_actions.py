"""What is done with checklists: a revision added, given to phones, retired; matters given their steps."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gis import journal
from gis.db import naming_violations
from gis.errors import BadInput, Missing, NotAllowed
from gis.inspections import checklist_queries as queries
from gis.inspections import form_files
from gis.inspections.forms import Form, as_json, item_names
from gis.inspections.model import Checklist, ChecklistFile, FileContent, FormFile, VisitRule
from gis.inspections.rules import ChecklistKind, ChecklistState, SameChecklist
from gis.inspections.visit_examples import EXAMPLES, SOURCE, form_of_steps
from gis.journal import Who


@dataclass(frozen=True)
class Added:
    """A checklist as it was brought. `unshown`: what our phone app cannot show of it, as data for the page.

    `files` (name -> bytes) came with it; what else it speaks of is added beside it.
    """

    code: str
    name: str
    kind: ChecklistKind
    form: Form
    source: str
    xform: str
    file_name: str = ""
    original: bytes | None = None
    unshown: tuple[dict[str, Any], ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)


def may_write(checklist: Checklist | None, unit_id: int | None) -> bool:
    """Somebody of a unit writes that unit's lists; the bureau writes all. Nobody rewrites the six pledges."""
    if checklist is None:
        return True
    return checklist.kind != ChecklistKind.PLEDGES and unit_id in (None, checklist.unit_id)


def add_revision(session: Session, who: Who, given: Added, unit_id: int | None = None) -> Checklist:
    """Add the next revision of a checklist, as a draft. Raises SameChecklist, NotAllowed, ChecklistChanged, BadInput.

    `unit_id` is the unit of whoever brings it, none for the bureau; a list stays its first owner's.
    """
    name = given.name.strip()
    if not name or len(name) > 120:
        raise BadInput(reason="name: 1-120")
    before = queries.one(session, given.code)
    if not may_write(before, unit_id):
        raise NotAllowed()
    data = as_json(given.form)
    if before is not None and (before.form, before.name, before.kind) == (data, name, given.kind):
        raise SameChecklist(revision=before.revision)
    with naming_violations(session):
        made = Checklist(
            code=given.code, revision=1 + (before.revision if before is not None else 0), name=name, items=[], form=data,
            source=given.source[:300], kind=given.kind, state=ChecklistState.DRAFT, unshown=list(given.unshown),
            unit_id=before.unit_id if before is not None else unit_id, created_at=who.now, created_by=who.user_id,
        )  # fmt: skip
        session.add(made)
        session.flush()
        session.add(ChecklistFile(code=made.code, revision=made.revision, file_name=given.file_name[:255],
                                  original=given.original, xform=given.xform))  # fmt: skip
        session.flush()
    _carry_files(session, before, made, form_files.named(given.xform))
    for file_name, content in given.files.items():
        _keep_file(session, who, made, file_name, content)
    _note(session, who, "add", made, items=len(item_names(given.form)), unshown=len(made.unshown))
    return made


def activate(session: Session, who: Who, code: str, revision: int, unit_id: int | None = None) -> Checklist:
    """Give this revision to phones and ODK clients instead of the one they have. Raises Missing, NotAllowed."""
    made = _writable(session, code, revision, unit_id)
    if made.state != ChecklistState.ACTIVE:
        with naming_violations(session):
            session.execute(
                update(Checklist).where(Checklist.code == code, Checklist.state == ChecklistState.ACTIVE)
                .values(state=ChecklistState.RETIRED)
            )  # fmt: skip
            made.state = ChecklistState.ACTIVE
        _note(session, who, "activate", made)
    return made


def retire(session: Session, who: Who, code: str, revision: int, unit_id: int | None = None) -> Checklist:
    """Take a revision back from phones; answers keep it. Raises Missing, NotAllowed."""
    made = _writable(session, code, revision, unit_id)
    if made.state != ChecklistState.RETIRED:
        made.state = ChecklistState.RETIRED
        session.flush()
        _note(session, who, "retire", made)
    return made


def add_form_file(
    session: Session, who: Who, code: str, revision: int, name: str, data: bytes, unit_id: int | None = None
) -> None:
    """Put a file beside a revision of a form, in place of an older one. Raises Missing, NotAllowed, FormFileStrange, FormFileUnfit."""
    made = _writable(session, code, revision, unit_id)
    kept = queries.file_of(session, code, revision)
    if kept is None or name not in form_files.named(kept.xform):
        raise form_files.FormFileStrange(name=name)
    sha256 = _keep_file(session, who, made, name, form_files.fit(name, data))
    _note(session, who, "add_file", made, name=name, sha256=sha256)


def _keep_file(session: Session, who: Who, made: Checklist, name: str, data: bytes) -> str:
    sha256 = hashlib.sha256(data).hexdigest()
    content = {
        "sha256": sha256,
        "md5": hashlib.md5(data, usedforsecurity=False).hexdigest(),
        "size_bytes": len(data),
        "data": data,
    }
    session.execute(insert(FileContent).values(content).on_conflict_do_nothing())
    row = {
        "code": made.code,
        "revision": made.revision,
        "name": name,
        "sha256": sha256,
        "added_at": who.now,
        "added_by": who.user_id,
    }
    bring = insert(FormFile).values(row)
    session.execute(bring.on_conflict_do_update(
        index_elements=["code", "revision", "name"], set_={k: row[k] for k in ("sha256", "added_at", "added_by")}
    ))  # fmt: skip
    return sha256


def _carry_files(session: Session, before: Checklist | None, made: Checklist, names: tuple[str, ...]) -> None:
    """What the revision before had of the files that this one speaks of goes on with it."""
    if before is None or not names:
        return
    told = [FormFile.name, FormFile.sha256, FormFile.added_at, FormFile.added_by]
    old = select(literal(made.code), literal(made.revision), *told).where(
        FormFile.code == before.code, FormFile.revision == before.revision, FormFile.name.in_(names)
    )
    session.execute(insert(FormFile).from_select(["code", "revision", *(c.key for c in told)], old))


def _writable(session: Session, code: str, revision: int, unit_id: int | None) -> Checklist:
    made = session.get(Checklist, (code, revision), with_for_update=True)
    if made is None:
        raise Missing(thing="checklist", id=f"{code}-{revision}")
    if not may_write(made, unit_id):
        raise NotAllowed()
    return made


def add_visit_rule(session: Session, who: Who, code: str, category: str | None, skill: str | None) -> None:
    """Matters of this category, or that need this skill, get these steps. Told twice changes nothing. Raises Missing, BadInput."""
    if not queries.is_visit(session, code):
        raise Missing(thing="checklist", id=code)
    if bool(category) == bool(skill):
        raise BadInput(reason="category or skill")
    if skill and skill not in queries.skills(session):
        raise BadInput(reason="skill")
    row = insert(VisitRule).values(checklist_code=code, category=category or None, skill=skill or None)
    with naming_violations(session):
        added = session.scalar(row.on_conflict_do_nothing().returning(VisitRule.id))
    if added is not None:
        journal.write(session, who, "add", "visit_rule", added, checklist=code, category=category, skill=skill)
        session.flush()


def remove_visit_rule(session: Session, who: Who, rule_id: int) -> None:
    """These matters do not get these steps any more. Raises Missing."""
    rule = session.get(VisitRule, rule_id, with_for_update=True)
    if rule is None:
        raise Missing(thing="visit_rule", id=rule_id)
    session.delete(rule)
    journal.write(session, who, "remove", "visit_rule", rule_id, checklist=rule.checklist_code)
    session.flush()


def free_code(session: Session, wanted: str) -> str:
    """A code that no checklist has yet, for a list that begins on the page."""
    taken = session.scalar(select(func.count()).select_from(Checklist).where(Checklist.code.startswith(f"{wanted}_")))
    return f"{wanted}_{(taken or 0) + 1}"


def _note(session: Session, who: Who, verb: str, made: Checklist, **data: Any) -> None:
    journal.write(
        session, who, verb, "checklist", f"{made.code}-{made.revision}", unit_id=made.unit_id, kind=made.kind, **data
    )
    session.flush()


def seed_visits(session: Session, xform: Any) -> None:
    """Add the three examples of standard visits, labelled as such, where they are not. `xform(form, code)` makes their XForms."""
    for code, (name, english, categories, steps) in EXAMPLES.items():
        form = form_of_steps(name, steps, english)
        row = {"code": code, "revision": 1, "name": name, "source": SOURCE, "items": [], "kind": ChecklistKind.VISIT,
               "state": ChecklistState.ACTIVE, "form": as_json(form)}  # fmt: skip
        added = session.scalar(insert(Checklist).values(row).on_conflict_do_nothing().returning(Checklist.code))
        if added is None:
            continue
        session.execute(insert(ChecklistFile).values(code=code, revision=1, file_name="", xform=xform(form, code)))
        for category in categories:
            session.execute(insert(VisitRule).values(checklist_code=code, category=category).on_conflict_do_nothing())
