"""Sync: what phones did without signal comes in, one unit of work per change; what changed at the desk goes out.

A change is claimed by its id inside its own transaction, done, and answered from what was written down, so that the same
change sent again, now or next year, by one thread or by eight at once, is answered with the same bytes.
"""

from __future__ import annotations

from typing import Any, Literal

import structlog
from apiflask import APIBlueprint
from flask import Response, g
from flask_babel import gettext
from pydantic import Field
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm.exc import StaleDataError

from gis.db import translate
from gis.errors import BadInput, ChengmaiError, StaleVersion, Unavailable
from gis.inspections import canonical, changes, queries
from gis.inspections.rules import PROBLEM_WORDS, ChangeDiffers, InspectionThere, PhotoMissing, Verdict
from mobile_api.v1.auth import BadFields, db, needs, phone, seen, who
from mobile_api.v1.changes import Sent, SyncIn, apply, foreseen, thing_now, uuid_of
from mobile_api.v1.dispatch import OrderOut, order_list
from mobile_api.v1.wire import Sha256, Text, Wire, json_body

api = APIBlueprint("phone_sync", __name__, tag="sync")
log = structlog.get_logger()
_CONFLICTS = (StaleVersion, ChangeDiffers, InspectionThere)
_RETRY = (PhotoMissing, Unavailable)
_SAID = {*PROBLEM_WORDS.values(), "is not a checklist here"}


class Receipt(Wire):
    """The sha256 of everything that is kept of a change: a phone deletes its copy only on this."""

    change_sha256: Sha256
    parts: list[Sha256]


class Thing(Wire):
    """What the change was about, as it stands."""

    id: str
    version: int
    status: str


class Result(Wire):
    """The verdict on one change. Without a receipt nothing is kept, and `retry` says whether to send it again as it is."""

    id: str | None
    verdict: Literal["applied", "duplicate", "conflict", "refused"]
    code: str | None = None
    detail: str | None = None
    retry: bool
    receipt: Receipt | None = None
    thing: Thing | None = None


class SyncOut(Wire):
    """One result per change, in the order sent. `cursor` is where to read from on a phone that has no cursor of its own."""

    results: list[Result]
    cursor: str


class AfterIn(Wire):
    """The cursor of the last answer; without it everything is told."""

    after: Text(40) = "0.0"  # type: ignore[valid-type]


class ChangedOut(Wire):
    """Orders that changed after the cursor, as they stand now: a recalled or returned one is to be put away."""

    orders: list[OrderOut]
    cursor: str
    more: bool = Field(description="ask again at once with this cursor")


@api.post("/sync")
@needs("use_phone")
@json_body
@api.input(SyncIn)
@api.output(SyncOut)
def push(json_data: SyncIn) -> Response:
    """Take in changes. Each has its own transaction, so that one that cannot be applied never blocks the rest."""
    seen(json_data.queue_length)
    g.seen = True
    results = [_one(sent) for sent in json_data.changes]
    return Response(canonical.dumps({"cursor": "0.0", "results": results}), mimetype="application/json")


@api.get("/sync")
@needs("use_phone")
@api.input(AfterIn, location="query")
@api.output(ChangedOut)
def pull(query_data: AfterIn) -> dict[str, Any]:
    """The orders that changed after a cursor."""
    ids, cursor, more = queries.orders_changed_after(db(), query_data.after)
    rows = queries.orders_by_id(db(), phone().scope, ids) if ids else []
    return {"orders": order_list(rows), "cursor": cursor, "more": more}


def _one(sent: Sent) -> dict[str, Any]:
    """The result of one change: kept and committed, or undone and told why."""
    session = db()
    change_id = uuid_of(sent.raw)
    try:
        if change_id is None:
            raise BadInput(reason=f"id; {sent.why}")
        result = _in_its_own_transaction(sent)
        session.commit()
    except ChengmaiError as error:
        session.rollback()
        return _refused(change_id, error)
    except (IntegrityError, StaleDataError) as error:
        session.rollback()
        return _refused(change_id, translate(error) if isinstance(error, IntegrityError) else Unavailable())
    except OperationalError:  # a lock that took too long, a deadlock, a database that went away
        session.rollback()
        return _refused(change_id, Unavailable())
    except Exception:  # one poisoned change must not take the others with it
        session.rollback()
        log.exception("change", id=str(change_id))
        return _refused(change_id, Unavailable())
    return result


def _in_its_own_transaction(sent: Sent) -> dict[str, Any]:
    """Claim, do, write down the reply. A refusal that is final is written down too, in a transaction without the deed."""
    session, change_id = db(), uuid_of(sent.raw)
    assert change_id is not None
    try:
        said = changes.content(sent.raw)
    except ValueError as error:
        raise BadFields(fields=f"{sent.why} {error}") from error
    kind = str(sent.raw.get("kind"))
    try:
        expected = sent.change and foreseen(sent.change)
        reply = _result(sent, change_id, said.sha256, Verdict.APPLIED, thing=expected) if expected else {}
        if not changes.claim(session, who(), change_id, kind, said, Verdict.APPLIED, reply):
            return _again(sent, change_id, said)
        if sent.change is None:
            raise BadFields(fields=sent.why)
        thing = apply(session, who(), phone(), sent.change)
        if thing != expected:
            reply = _result(sent, change_id, said.sha256, Verdict.APPLIED, thing=thing)
            changes.settle(session, change_id, Verdict.APPLIED, reply)
        return reply
    except ChengmaiError as error:
        if isinstance(error, _RETRY):
            raise
        session.rollback()
        final = error
    except IntegrityError as error:
        session.rollback()
        final = translate(error)
    verdict = Verdict.CONFLICT if isinstance(final, _CONFLICTS) else Verdict.REFUSED
    thing_as_is = thing_now(session, phone(), sent.change) if sent.change else None
    reply = _result(sent, change_id, said.sha256, verdict, thing=thing_as_is, error=final)
    if not changes.claim(session, who(), change_id, kind, said, verdict, reply):
        return _again(sent, change_id, said)
    return reply


def _again(sent: Sent, change_id: Any, said: changes.Content) -> dict[str, Any]:
    """What a change that came before is answered: the same, or that its content differs (both are kept)."""
    try:
        return changes.answer_again(db(), who(), change_id, said)
    except ChangeDiffers as error:
        return _result(sent, change_id, said.sha256, Verdict.CONFLICT, error=error)


def _result(
    sent: Sent, change_id: Any, sha256: str, verdict: Verdict, *, thing: dict[str, Any] | None = None,
    error: ChengmaiError | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The reply to a change that is kept, whatever became of it."""
    parts = _photos(sent)
    if verdict != Verdict.APPLIED:
        parts = queries.photos_here(db(), parts)
    told = {} if error is None else {"code": error.code, "detail": _sentence(error)}
    return told | {
        "id": str(change_id), "verdict": str(verdict), "retry": False, "thing": thing,
        "receipt": {"change_sha256": sha256, "parts": parts},
    }  # fmt: skip


def _photos(sent: Sent) -> list[str]:
    photos = getattr(sent.change.payload, "photos", ()) if sent.change else ()
    return list(dict.fromkeys(p.sha256 for p in photos))


def _refused(change_id: Any, error: ChengmaiError) -> dict[str, Any]:
    """The reply to a change of which nothing was kept."""
    retry = isinstance(error, _RETRY)
    return {
        "id": None if change_id is None else str(change_id), "verdict": str(Verdict.REFUSED), "code": error.code,
        "detail": _sentence(error), "retry": retry, "receipt": None, "thing": None,
    }  # fmt: skip


def _sentence(error: ChengmaiError) -> str:
    return str(gettext(error.template()) % {key: _word(value) for key, value in error.params.items()})


def _word(value: Any) -> Any:
    """A parameter in the person's language; of `4.7 needs a photo` all but the first word is translated."""
    if not isinstance(value, str) or not value:
        return value
    parts = value.split("; ")
    for i, part in enumerate(parts):
        item, _, said = part.partition(" ")
        parts[i] = f"{item} {gettext(said)}" if said in _SAID else str(gettext(part))
    return "; ".join(parts)
