"""The offline changes that a phone may send: what each looks like, and which verb of the core it becomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from flask import current_app
from pydantic import Field, StrictInt, TypeAdapter, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from sqlalchemy.orm import Session

from gis.dispatch import actions as dispatch
from gis.dispatch import track_actions as tracks
from gis.dispatch.model import Crew, WorkOrder
from gis.dispatch.queries import order_in_scope, steps_since
from gis.dispatch.rules import ReturnReason
from gis.dispatch.track_rules import Fix, PositionWhy
from gis.errors import Missing, NotAllowed
from gis.inspections import actions as inspections
from gis.inspections import amend as amending
from gis.inspections.rules import CHANGE_KINDS, Answer, BadChecklist, Given, Stage
from gis.inspections.rules import Scope as Works
from gis.inspections.sync_rules import HeldBack
from gis.journal import Who
from gis.people.rules import Role
from mobile_api.v1.auth import Phone, zone
from mobile_api.v1.finding_changes import Rectify, Reinspect, finding_now, finding_step
from mobile_api.v1.patrol_changes import StopSkip, StopVisit, stop_now, stop_step
from mobile_api.v1.spot_changes import Measured, SpotSeen, signal_measure, spot_now, spot_verify
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


class AmendedAnswer(Wire):
    """What is to be otherwise of one item: its answer, its note, or both. What is left out stays as it is."""

    item_id: Text(64, 1)  # type: ignore[valid-type]
    answer: Answer | None = None
    note: Text(2000) | None = None  # type: ignore[valid-type]


class Amendment(Wire):
    """A correction of a visit that was sent: only what is to be otherwise. Photos are added, never taken away."""

    inspection_id: UUID
    reason: Text(500) = ""  # type: ignore[valid-type]
    note: Text(4000) | None = None  # type: ignore[valid-type]
    answers: list[AmendedAnswer] = Field(default=[], max_length=MOST_ANSWERS)
    photos: list[ShotIn] = Field(default=[], max_length=MOST_PHOTOS)


class _Change(Wire):
    """`after` names a change that this one rests on: it waits until that one has been answered."""

    id: UUID
    thing_id: StrictInt | Text(64) | None = None  # type: ignore[valid-type]
    base_version: Version | None = None
    at: Moment
    after: UUID | None = None

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


class Amend(_Change):
    """A sent checklist, corrected. `base_version` is the version that was corrected."""

    kind: Literal["inspection.amend"]
    base_version: Version
    payload: Amendment


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


class VisitStop(_Change):
    """巡检: a stop of a patrol was visited, and what was read there. `thing_id` is the stop."""

    kind: Literal["patrol.visit"]
    payload: StopVisit


class SkipStop(_Change):
    """A stop of a patrol was not visited, and why."""

    kind: Literal["patrol.skip"]
    payload: StopSkip


class GoThere(_Change):
    """现场核实: an inspector was at a spot; `thing_id` is its kind and number, as `blind_spot:12`."""

    kind: Literal["spot.verify"]
    payload: SpotSeen


class Measure(_Change):
    """信号采样: how strong the mobile signal was, as the phone's own test screen tells it."""

    kind: Literal["signal.measure"]
    payload: Measured


Change = Annotated[
    Accept | GiveBack | Arrive | Resolve | Submit | Amend | Move | PutRight | LookAgain | VisitStop | SkipStop | GoThere | Measure,
    Field(discriminator="kind"),
]  # fmt: skip


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
        kinds = {"order", "inspection", "crew", "finding", "patrol", "spot", "signal"}
        found = error.errors(include_url=False, include_context=False, include_input=False)
        told = [
            (".".join(str(p) for p in e["loc"] if str(p).partition(".")[0] not in kinds), e["msg"]) for e in found[:5]
        ]
        return Sent(raw, None, "; ".join(f"{place}: {message}" if place else message for place, message in told)[:500])


def understood(raw: dict[str, Any]) -> Sent:
    """A change that was kept as it came, read again."""
    return _SENT.validate_python(raw)


class SyncIn(Wire):
    """A batch of changes in the order they were made, and how many the phone holds in all."""

    queue_length: Annotated[StrictInt, Field(ge=0, le=1_000_000)]
    changes: list[Annotated[Change, WrapValidator(_keep_going)]] = Field(max_length=MOST_CHANGES)


_UUID = TypeAdapter(UUID)
_SENT: TypeAdapter[Sent] = TypeAdapter(Annotated[Change, WrapValidator(_keep_going)])


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
        return finding_now(session, phone, change)
    if change.kind.startswith("patrol."):
        return stop_now(session, phone, change)
    if change.kind == "spot.verify":
        return spot_now(session, phone, change)
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
    payload = change.payload
    base, meanwhile = _base(session, order, change.base_version)
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
    return _order_thing(order) | ({"merged": meanwhile} if meanwhile else {})


_WHY = {"order.accept": PositionWhy.ACCEPT, "order.arrive": PositionWhy.ARRIVE, "order.resolve": PositionWhy.RESOLVE}


def _base(session: Session, order: WorkOrder, base: int | None) -> tuple[int | None, list[str]]:
    """On which version a step is taken, and what the desk did meanwhile.

    A version that is not there yet is waited for. A step changes the status alone: where the desk changed anything else
    since, both hold; where it moved the status too, the verb finds that the version is stale.
    """
    if base is None or base == order.version:
        return base, []
    if base > order.version:
        raise HeldBack(waits_for=f"order:{order.id}")
    moved, verbs = steps_since(session, order.id, base)
    return (base, []) if moved else (order.version, verbs)


def visit_of(change: Submit) -> inspections.Visit:
    """The visit that a change tells. Raises BadChecklist when it is about two things or about none."""
    sent = change.payload
    if (sent.order_id is None) == (sent.site_id is None):
        raise BadChecklist(reason="order_id or site_id")
    return inspections.Visit(
        sent.inspection_id, sent.checklist_code, sent.checklist_revision, sent.scope, sent.stage, sent.started_at,
        sent.finished_at, sent.order_id, sent.site_id, sent.note, _place(sent.position),
        [Given(a.item_id, a.answer or "", a.note, a.value) for a in sent.answers],
        [inspections.Shot(p.sha256, p.item_id or "", p.taken_at, _place(p.position)) for p in sent.photos],
    )  # fmt: skip


def _submit(session: Session, who: Who, phone: Phone, change: Submit) -> dict[str, Any]:
    visit = visit_of(change)
    version = inspections.submit(session, who, phone.scope, visit, zone())
    return {"id": str(visit.id), "version": version, "status": "submitted"}


def _amend(session: Session, who: Who, phone: Phone, change: Amend) -> dict[str, Any]:
    sent = change.payload
    sets: dict[str, Any] = {} if sent.note is None else {amending.NOTE: sent.note}
    for one in sent.answers:
        sets |= {f"{one.item_id}.answer": str(one.answer)} if one.answer is not None else {}
        sets |= {f"{one.item_id}.note": one.note} if one.note is not None else {}
    if not sets and not sent.photos:
        raise BadChecklist(reason="nothing is changed")
    done = amending.amend(session, who, amending.Correction(
        change.id, sent.inspection_id, change.base_version, change.at, sets, change.after, sent.reason,
        [inspections.Shot(p.sha256, p.item_id or "", p.taken_at, _place(p.position)) for p in sent.photos],
    ), zone())  # fmt: skip
    told: dict[str, Any] = {"id": str(sent.inspection_id), "version": done.version, "status": "submitted"}
    told |= {"merged": list(done.merged)} if done.merged else {}
    return told | ({"disputed": list(done.disputed)} if done.disputed else {})


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
    "inspection.amend": _amend,
    "crew.position": _move,
    "finding.rectify": finding_step,
    "finding.reinspect": finding_step,
    "patrol.visit": stop_step,
    "patrol.skip": stop_step,
    "spot.verify": spot_verify,
    "signal.measure": signal_measure,
}
