"""Every step of a complaint at the desk: one door, `POST /complaints/<id>/steps`, and for each verb the function behind it.

A room that has more to do for a verb than to change the status says so with `@handles("verb")` of `webapp.step_forms`; who may, from where and with
what evidence is in `rules.STEPS` for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from flask import Blueprint, request
from flask_login import current_user

from gis.complaints import law_queries, life
from gis.complaints.actions import take_step
from gis.complaints.model import Complaint
from gis.complaints.rules import OPEN, STEPS, WITH_CREW, may_step
from gis.db import check_version
from gis.dispatch.actions import recall as recall_order
from gis.dispatch.actions import release
from gis.dispatch.queries import open_order
from gis.errors import BadInput, NotAllowed
from gis.people.queries import units
from gis.places.queries import working_days
from webapp import cards
from webapp.access import db, needs, who
from webapp.bodies import BadField, MissingField, NotJson, UnknownField
from webapp.complaints import visible_complaint, visible_row
from webapp.dispatch import terms
from webapp.filters import zone
from webapp.step_forms import HANDLERS, handles

pages = Blueprint("steps", __name__)


@pages.post("/complaints/<int:complaint_id>/steps")
@needs("take_step")
def step(complaint_id: int) -> dict[str, Any]:
    """One step, made on a version that its maker saw: `{"verb", "base_version", …evidence}`; answers the new card."""
    complaint = visible_complaint(complaint_id)
    verb, base_version, given = _asked()
    make(complaint, verb, base_version, given)
    return cards.cards([visible_row(complaint_id)])[0]


def make(complaint: Complaint, verb: str, base_version: int, given: dict[str, Any]) -> None:
    """Make a step for the signed-in person, whoever handles it. Raises NotAllowed where the table does not name their role."""
    if verb not in HANDLERS:
        raise BadInput(reason="verb")
    if not may_step(current_user.role, verb) or _not_from_here(complaint, verb):
        raise NotAllowed()
    HANDLERS[verb](verb, complaint, base_version, given)


def _not_from_here(complaint: Complaint, verb: str) -> bool:
    """Possible from this status, but not for this role; what is not possible at all is told as such by the step."""
    return complaint.status in STEPS[verb].before and not may_step(current_user.role, verb, complaint.status)


def _asked() -> tuple[str, int, dict[str, Any]]:
    raw = request.get_json(silent=True)
    if not isinstance(raw, dict):
        raise NotJson()
    for field in ("verb", "base_version"):
        if field not in raw:
            raise MissingField(field=field)
    verb, version = raw.pop("verb"), raw.pop("base_version")
    if not isinstance(verb, str) or verb not in STEPS:
        raise BadInput(reason="verb")
    if not isinstance(version, int) or isinstance(version, bool):
        raise BadField(field="base_version")
    for name in raw:
        if name not in {field.name for field in STEPS[verb].fields}:
            raise UnknownField(field=name[:80])
    return verb, version, in_the_city(verb, raw)


def asked_by_form(form: Mapping[str, str]) -> tuple[str, int, dict[str, Any]]:
    """The same from a form: its hidden fields, and those of the step that are filled in."""
    verb, version = form.get("verb", ""), form.get("base_version", "")
    if verb not in STEPS:
        raise BadInput(reason="verb")
    if not (version.isascii() and version.isdigit() and len(version) < 10):
        raise BadField(field="base_version")
    given = {field.name: form[field.name] for field in STEPS[verb].fields if form.get(field.name, "").strip()}
    return verb, int(version), in_the_city(verb, given)


def in_the_city(verb: str, given: dict[str, Any]) -> dict[str, Any]:
    """A moment without an offset, as a form sends it, is the city's."""
    for field in STEPS[verb].fields:
        value = given.get(field.name)
        if field.kind == "moment" and isinstance(value, str):
            with suppress(ValueError):
                at = datetime.fromisoformat(value)
                given[field.name] = at if at.tzinfo else at.replace(tzinfo=zone())
    return given


@pages.get("/units.json")
@needs("take_step")
def all_units() -> dict[str, Any]:
    """The bodies that a complaint can be sent to."""
    return {"units": [{"id": unit.id, "name": unit.name} for unit in units(db())]}


@handles("sign", "resolve", "answer", "confirm", "reopen", "supervise", "cancel")
def plain(verb: str, complaint: Complaint, base_version: int, given: dict[str, Any]) -> None:
    """A step that is nothing more than the change of status, its evidence and its moments."""
    had_crew = complaint.status in WITH_CREW
    take_step(db(), who(), complaint, verb, base_version=base_version, data=given)
    if had_crew and complaint.status not in OPEN:
        release(db(), who(), complaint.id)  # nobody drives to what was cancelled


@handles("send", "return", "uphold_return", "refuse_return", "request_extension", "grant_extension",
         "refuse_extension", "pause", "resume", "urge", "meet")  # fmt: skip
def under_the_law(verb: str, complaint: Complaint, base_version: int, given: dict[str, Any]) -> None:
    """A step that the rule of the complaint has something to say about."""
    how: dict[str, Any] = {"base_version": base_version, "data": given}
    city = law_queries.city(db(), working_days(db()), zone())
    match verb:
        case "send" | "return" | "request_extension" | "resume":
            verbs = {"send": life.send, "return": life.give_back, "request_extension": life.ask_extension,
                     "resume": life.resume}  # fmt: skip
            verbs[verb](db(), who(), complaint, city=city, **how)
        case "uphold_return" | "refuse_return":
            life.judge_return(db(), who(), complaint, verb, **how)
        case "grant_extension" | "refuse_extension":
            life.judge_extension(db(), who(), complaint, verb, city=city, **how)
        case "pause":
            life.pause(db(), who(), complaint, **how)
        case "urge":
            life.urge(db(), who(), complaint, **how)
        case _:
            life.meet(db(), who(), complaint, **how)


@handles("recall")
def recall(verb: str, complaint: Complaint, base_version: int, given: dict[str, Any]) -> None:
    """Take back what was passed on, or call back the crew, while that is still possible."""
    order = open_order(db(), complaint.id)
    if order is None:
        take_step(db(), who(), complaint, verb, base_version=base_version, data=given)
        return
    check_version(complaint, base_version)
    recall_order(db(), who(), order, terms=terms())
