"""The offline changes that a phone may send: what each looks like, and which verb of the core it becomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import current_app
from pydantic import Field, StrictInt, TypeAdapter, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from sqlalchemy.orm import Session

from gis.dispatch import actions as dispatch
from gis.dispatch import track_actions as tracks
from gis.dispatch.model import Crew, WorkOrder
from gis.dispatch.queries import order_in_scope
from gis.dispatch.rules import ReturnReason
from gis.dispatch.track_rules import Fix, PositionWhy
from gis.errors import Missing, NotAllowed
from gis.inspections import actions as inspections
from gis.inspections import findings
from gis.inspections.finding_model import Finding
from gis.inspections.finding_queries import finding_for_change
from gis.inspections.finding_rules import PHOTOS_PER_ANSWER, FindingStatus
from gis.inspections.rules import CHANGE_KINDS, Answer, BadChecklist, Given, Stage
from gis.inspections.rules import Scope as Works
from gis.journal import Who
from gis.people.rules import Role
from gis.places.queries import working_days
from mobile_api.v1.auth import Phone
from mobile_api.v1.findings import carried
from mobile_api.v1.wire import Lat, Lon, Metres, Moment, Number, Position, Sha256, Text, Version, Wire

MOST_ANSWERS, MOST_PHOTOS, MOST_CHANGES = 500, 200, 200


class Step(Wire):
    """What may be said with a step of an order."""

    note: Text(2000) = ""  # type: ignore[valid-type]
    position: Position | None = None


class Return(Step):
    """Why the order is given back."""

    reason: ReturnReason


class CrewPosition(Wire):
    """Where the crew is."""

    lon: Lon
    lat: Lat
    accuracy_m: Metres | None = None


class AnswerIn(Wire):
    """The answer to one check item: `yes` means that the promise was kept. An item of a form that takes no yes has a `value`.

    A value is a text, as in an XForm: several choices with spaces between, a place as `lat lon altitude accuracy`.
    """

    item_id: Text(64, 1)  # type: ignore[valid-type]
    answer: Answer | None = None
    value: Text(4000) = ""  # type: ignore[valid-type]
    note: Text(2000) = ""  # type: ignore[valid-type]


class ShotIn(Wire):
    """A photo sent before by `PUT /photos/<sha256>`. `item_id` is an item, a pledge's number, or empty for the visit."""

    sha256: Sha256
    item_id: Text(80) | None = None  # type: ignore[valid-type]
    taken_at: Moment
    position: Position | None = None


class Inspection(Wire):
    """A visit. It belongs to an order or to a site, never to both."""

    inspection_id: UUID
    order_id: Number | None = None
    site_id: Number | None = None
    checklist_code: Text(40, 1)  # type: ignore[valid-type]
    checklist_revision: Version
    scope: Works | None = None
    stage: Stage | None = None
    started_at: Moment
    finished_at: Moment
    note: Text(4000) = ""  # type: ignore[valid-type]
    position: Position | None = None
    answers: list[AnswerIn] = Field(max_length=MOST_ANSWERS)
    photos: list[ShotIn] = Field(default=[], max_length=MOST_PHOTOS)


class FindingShot(Wire):
    """A photo of the place as it is now, sent before by `PUT /photos/<sha256>`."""

    sha256: Sha256
    taken_at: Moment


class Rectify(Wire):
    """What was done about a finding."""

    note: Text(2000, 1)  # type: ignore[valid-type]
    photos: list[FindingShot] = Field(default=[], max_length=PHOTOS_PER_ANSWER)


class Reinspect(Wire):
    """What a re-inspection found; a note is needed when it did not pass."""

    passed: bool
    note: Text(2000) = ""  # type: ignore[valid-type]
    photos: list[FindingShot] = Field(default=[], max_length=PHOTOS_PER_ANSWER)


class _Change(Wire):
    id: UUID
    thing_id: StrictInt | Text(64) | None = None  # type: ignore[valid-type]
    base_version: Version | None = None
    at: Moment

    @property
    def number(self) -> int | None:
        """`thing_id` as a number, where it is one."""
        text = str(self.thing_id)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


class Accept(_Change):
    """签收: the crew takes the order."""

    kind: Literal["order.accept"]
    payload: Step = Step()


class GiveBack(_Change):
    """退单: the crew gives the order back, with a coded reason."""

    kind: Literal["order.return"]
    payload: Return


class Arrive(_Change):
    """到场."""

    kind: Literal["order.arrive"]
    payload: Step = Step()


class Resolve(_Change):
    """处置完毕."""

    kind: Literal["order.resolve"]
    payload: Step = Step()


class Submit(_Change):
    """A checklist, filled in."""

    kind: Literal["inspection.submit"]
    payload: Inspection


class Move(_Change):
    """Where the crew is now."""

    kind: Literal["crew.position"]
    payload: CrewPosition


class PutRight(_Change):
    """整改: a crew of the unit answers a finding. One that nobody has signed is signed by it."""

    kind: Literal["finding.rectify"]
    payload: Rectify


class LookAgain(_Change):
    """复查: an inspector looks at what was put right."""

    kind: Literal["finding.reinspect"]
    payload: Reinspect


Change = Annotated[
    Accept | GiveBack | Arrive | Resolve | Submit | Move | PutRight | LookAgain, Field(discriminator="kind")
]


@dataclass(frozen=True)
class Sent:
    """One change as it came: `change` when it can be understood, else `why` not. One bad change never blocks the rest."""

    raw: dict[str, Any]
    change: Any
    why: str = ""


def _keep_going(value: Any, understand: ValidatorFunctionWrapHandler) -> Sent:
    raw = value if isinstance(value, dict) else {}
    try:
        return Sent(raw, understand(value))
    except ValidationError as error:
        kinds = {"order", "inspection", "crew", "finding"}
        found = error.errors(include_url=False, include_context=False, include_input=False)
        told = [
            (".".join(str(p) for p in e["loc"] if str(p).partition(".")[0] not in kinds), e["msg"]) for e in found[:5]
        ]
        return Sent(raw, None, "; ".join(f"{place}: {message}" if place else message for place, message in told)[:500])


class SyncIn(Wire):
    """A batch of changes in the order they were made, and how many the phone holds in all."""

    queue_length: Annotated[StrictInt, Field(ge=0, le=1_000_000)]
    changes: list[Annotated[Change, WrapValidator(_keep_going)]] = Field(max_length=MOST_CHANGES)


_UUID = TypeAdapter(UUID)


def uuid_of(raw: dict[str, Any]) -> UUID | None:
    """The id under which a change can be answered and kept, if it has one."""
    try:
        return _UUID.validate_python(raw.get("id"), strict=False)
    except ValidationError:
        return None


# --- from the phone's words to the core's verbs ----------------------------------------------------------------------
def apply(session: Session, who: Who, phone: Phone, change: Any) -> dict[str, Any]:
    """Do what a change says; returns the thing as it is now. Raises the core's named errors; then nothing was done."""
    if Role(phone.role) not in CHANGE_KINDS[change.kind]:
        raise NotAllowed()
    return _VERBS[change.kind](session, who, phone, change)


def thing_now(session: Session, phone: Phone, change: Any) -> dict[str, Any] | None:
    """The order that a change was about, as it stands, for the reply to a change that was not applied."""
    if change.kind.startswith("finding."):
        finding = _finding_now(session, change)
        return None if finding is None else _finding_thing(finding)
    if not change.kind.startswith("order."):
        return None
    order = _order_of(session, phone, change)
    return None if order is None else _order_thing(order)


def _order_of(session: Session, phone: Phone, change: Any) -> WorkOrder | None:
    """The order that a change names, if this phone may know of it."""
    order = order_in_scope(session, change.number, phone.scope) if change.number is not None else None
    others = order is not None and phone.scope.crew_id is not None and order.crew_id != phone.scope.crew_id
    return None if others else order


def _order_thing(order: WorkOrder) -> dict[str, Any]:
    return {"id": str(order.id), "version": order.version, "status": str(order.status)}


def _order_step(session: Session, who: Who, phone: Phone, change: Any) -> dict[str, Any]:
    order = _order_of(session, phone, change)
    if order is None:
        raise Missing(thing="work order", id=change.thing_id)
    payload, base = change.payload, change.base_version
    match change.kind:
        case "order.accept":
            order = dispatch.accept(session, who, order, base)
        case "order.return":
            order = dispatch.return_order(session, who, order, payload.reason, payload.note, base)
        case "order.arrive":
            order = dispatch.arrive(session, who, order, base)
        case "order.resolve":
            order = dispatch.resolve(session, who, order, payload.note, base)
    if payload.position is not None and change.kind in _WHY:
        place, why = payload.position, _WHY[change.kind]
        fix = Fix(change.id, min(change.at, who.now), place.lon, place.lat, place.accuracy_m, None, why, order.id)
        tracks.record(
            session, who, session.get_one(Crew, order.crew_id), [fix], days=current_app.config["SETTINGS"].position_days
        )
    return _order_thing(order)


_WHY = {"order.accept": PositionWhy.ACCEPT, "order.arrive": PositionWhy.ARRIVE, "order.resolve": PositionWhy.RESOLVE}


def _submit(session: Session, who: Who, phone: Phone, change: Submit) -> dict[str, Any]:
    sent = change.payload
    if (sent.order_id is None) == (sent.site_id is None):
        raise BadChecklist(reason="order_id or site_id")
    visit = inspections.Visit(
        sent.inspection_id, sent.checklist_code, sent.checklist_revision, sent.scope, sent.stage, sent.started_at,
        sent.finished_at, sent.order_id, sent.site_id, sent.note, _place(sent.position),
        [Given(a.item_id, a.answer or "", a.note, a.value) for a in sent.answers],
        [inspections.Shot(p.sha256, p.item_id or "", p.taken_at, _place(p.position)) for p in sent.photos],
    )  # fmt: skip
    version = inspections.submit(session, who, phone.scope, visit, _zone())
    return {"id": str(visit.id), "version": version, "status": "submitted"}


def _zone() -> ZoneInfo:
    return ZoneInfo(current_app.config["SETTINGS"].timezone)


def _finding_now(session: Session, change: Any) -> Finding | None:
    try:
        return finding_for_change(session, carried(), change.number or 0)
    except Missing:
        return None


def _finding_thing(finding: Finding) -> dict[str, Any]:
    return {"id": str(finding.id), "version": finding.version, "status": str(finding.status)}


def _finding_step(session: Session, who: Who, _phone: Phone, change: PutRight | LookAgain) -> dict[str, Any]:
    number, base, days = change.number or 0, change.base_version, findings.Days(working_days(session), _zone())
    shown = [findings.Shown(photo.sha256, photo.taken_at) for photo in change.payload.photos]
    said = findings.Said(change.payload.note, shown)
    if isinstance(change, LookAgain):
        verb = "pass" if change.payload.passed else "fail"
    else:
        verb = "rectify"
        if finding_for_change(session, carried(), number).status == FindingStatus.SENT:
            findings.step(session, who, carried(), number, "sign", findings.Said(), days, base_version=base)
            base = None
    return _finding_thing(findings.step(session, who, carried(), number, verb, said, days, base_version=base))


def foreseen(change: Any) -> dict[str, Any] | None:
    """The thing that a change will make when it succeeds, where that is known beforehand: its reply is written once."""
    if isinstance(change, Submit):
        return {"id": str(change.payload.inspection_id), "version": 1, "status": "submitted"}
    return None


def _place(position: Position | None) -> inspections.Position | None:
    return position and inspections.Position(position.lon, position.lat, position.accuracy_m)


def _move(session: Session, who: Who, phone: Phone, change: Move) -> dict[str, Any]:
    crew = session.get(Crew, phone.crew_id) if phone.crew_id is not None else None
    if crew is None or (change.thing_id is not None and change.number != crew.id):
        raise Missing(thing="crew", id=change.thing_id)
    payload = change.payload
    dispatch.move_crew(session, who, crew, payload.lon, payload.lat, payload.accuracy_m, change.at)
    return {"id": str(crew.id), "version": crew.version, "status": "moved"}


_VERBS: dict[str, Callable[..., dict[str, Any]]] = {
    "order.accept": _order_step,
    "order.return": _order_step,
    "order.arrive": _order_step,
    "order.resolve": _order_step,
    "inspection.submit": _submit,
    "crew.position": _move,
    "finding.rectify": _finding_step,
    "finding.reinspect": _finding_step,
}
