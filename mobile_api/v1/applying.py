"""How offline changes become deeds: each one claimed, done and answered, alone or together, and never lost.

A change is claimed by its id inside its own transaction, done, and answered from what was written down, so that the same
change sent again, now or next year, by one thread or by eight at once, is answered with the same bytes. Checklists of one
batch, which are most of what phones send, are claimed and kept together in two statements; when anything about any of
them is not as it should be, that transaction is undone and each goes its own way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from flask_babel import gettext
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from gis.db import translate
from gis.errors import BadInput, ChengmaiError, StaleVersion, Unavailable
from gis.inspections import actions as inspections
from gis.inspections import changes, hold, queries
from gis.inspections.patrol_rules import StopTold
from gis.inspections.rules import CHANGE_KINDS, PROBLEM_WORDS, ChangeDiffers, InspectionThere, PhotoMissing, Verdict
from gis.inspections.sync_rules import FieldsDiffer, HeldBack, LostRace, RetryHint, hint
from gis.journal import Who
from gis.people import queries as people
from gis.people.rules import Role
from mobile_api.v1.auth import BadFields, Phone, zone
from mobile_api.v1.changes import Sent, Submit, apply, foreseen, thing_now, understood, uuid_of, visit_of

log = structlog.get_logger()
_CONFLICTS = (StaleVersion, ChangeDiffers, InspectionThere, FieldsDiffer, StopTold)
_SAID = {*PROBLEM_WORDS.values(), "is not a checklist here"}


@dataclass(frozen=True)
class Speaking:
    """On whose behalf changes are applied, and on which session."""

    session: Session
    phone: Phone
    now: datetime

    @property
    def who(self) -> Who:
        return Who(self.now, self.phone.user_id, self.phone.device_id)


class _Apart(Exception):
    """Something about a batch is not as it should be: every change of it goes its own way."""


def batch(speaking: Speaking, sent: Sequence[Sent]) -> list[dict[str, Any]]:
    """One result per change, in the order sent. What waited for one of them is applied too."""
    together, waited_for = _together(speaking, sent)
    came: list[dict[str, Any]] = list(together.values()) if waited_for else []
    results, seen = [], set()
    for one in sent:
        change_id = uuid_of(one.raw)
        known = together.get(change_id) if change_id is not None and change_id not in seen else None
        seen.add(change_id)
        results.append(known or alone(speaking, one))
        came += [] if known else results[-1:]
    _follow_up(speaking, came)
    return results


# --- together --------------------------------------------------------------------------------------------------------
def _together(speaking: Speaking, sent: Sequence[Sent]) -> tuple[dict[UUID, dict[str, Any]], bool]:
    """The results of those checklists that could be kept in one transaction (whatever is not among them goes alone), and
    whether something waited for one of them: asked in the same transaction, because mostly nothing does."""
    first: dict[UUID, Sent] = {}
    for one in sent:
        if isinstance(one.change, Submit) and one.change.after is None:
            first.setdefault(one.change.id, one)
    if not first or Role(speaking.phone.role) not in CHANGE_KINDS["inspection.submit"]:
        return {}, False
    try:
        kept = _keep_all(speaking, list(first.values()))
        names = set().union(*(_names(result) for result in kept.values()))
        waited_for = bool(names) and bool(hold.ripe(speaking.session, names))
        speaking.session.commit()
        return kept, waited_for
    except Exception as error:  # whatever it is, each change alone finds out, and the others do not suffer
        speaking.session.rollback()
        if not isinstance(error, _Apart | ChengmaiError | IntegrityError | OperationalError | ValueError):
            log.exception("batch", changes=len(first))
        return {}, False


def _keep_all(speaking: Speaking, sent: Sequence[Sent]) -> dict[UUID, dict[str, Any]]:
    session, who = speaking.session, speaking.who
    told = [(one, visit_of(one.change), changes.content(one.raw)) for one in sent if _one_target(one)]
    ready = inspections.prepared(session, speaking.phone.scope, [visit for _, visit, _ in told])
    good = [(one, said, r) for (one, _, said), r in zip(told, ready, strict=True) if isinstance(r, inspections.Ready)]
    here = set(queries.photos_here(session, sorted({sha for one, _, _ in good for sha in _photos(one)})))
    claims = {
        one.change.id: changes.Claim(
            one.change.id, one.change.kind, said,
            _result(one, one.change.id, said.sha256, Verdict.APPLIED, here, thing=foreseen(one.change)),
        ) for one, said, _ in good
    }  # fmt: skip
    if not claims:
        return {}
    free = changes.claim_all(session, who, list(claims.values()))
    mine = [r for one, _, r in good if one.change.id in free]
    kept = inspections.submit_all(session, who, mine, zone()) if mine else {}
    if len(kept) != len(mine):
        raise _Apart
    return {change_id: claims[change_id].reply for change_id in free}


def _one_target(sent: Sent) -> bool:
    return (sent.change.payload.order_id is None) != (sent.change.payload.site_id is None)


# --- alone -----------------------------------------------------------------------------------------------------------
def alone(speaking: Speaking, sent: Sent) -> dict[str, Any]:
    """The result of one change: kept and committed, or undone and told why."""
    session = speaking.session
    change_id = uuid_of(sent.raw)
    try:
        if change_id is None:
            raise BadInput(reason=f"id; {sent.why}")
        result = _in_its_own_transaction(speaking, sent, change_id)
        session.commit()
    except HeldBack as error:
        session.rollback()
        return _held(speaking, sent, error)
    except ChengmaiError as error:
        session.rollback()
        return _refused(change_id, error)
    except IntegrityError as error:
        session.rollback()
        return _refused(change_id, translate(error))
    except (StaleDataError, OperationalError):  # a lock that took too long, a deadlock, a database that went away
        session.rollback()
        return _refused(change_id, LostRace())
    except Exception:  # one poisoned change must not take the others with it
        session.rollback()
        log.exception("change", id=str(change_id))
        return _refused(change_id, Unavailable())
    return result


def _in_its_own_transaction(speaking: Speaking, sent: Sent, change_id: UUID) -> dict[str, Any]:
    """Claim, do, write down the reply. A refusal that is final is written down too, in a transaction without the deed."""
    session, who = speaking.session, speaking.who
    said = _content(sent)
    kind = str(sent.raw.get("kind"))
    try:
        if not changes.claim(session, who, change_id, kind, said, Verdict.APPLIED, {}):
            return _again(speaking, sent, change_id, said)
        hold.free(session, change_id, said.sha256)
        if sent.change is None:
            raise BadFields(fields=sent.why)
        if sent.change.after is not None and not hold.answered(session, sent.change.after):
            raise HeldBack(waits_for=f"change:{sent.change.after}")
        thing = apply(session, who, speaking.phone, sent.change)
        return _done(speaking, sent, change_id, said, thing)
    except HeldBack:
        raise
    except ChengmaiError as error:
        if isinstance(error, Unavailable | PhotoMissing):  # what a finding was put right with comes before it
            raise
        session.rollback()
        final = error
    except IntegrityError as error:
        session.rollback()
        final = translate(error)
    verdict = Verdict.CONFLICT if isinstance(final, _CONFLICTS) else Verdict.REFUSED
    thing_as_is = thing_now(session, speaking.phone, sent.change) if sent.change else None
    here = queries.photos_here(session, _photos(sent))
    reply = _result(sent, change_id, said.sha256, verdict, here, thing=thing_as_is, error=final)
    if not changes.claim(session, who, change_id, kind, said, verdict, reply):
        return _again(speaking, sent, change_id, said)
    hold.free(session, change_id, said.sha256)
    return reply


def _done(
    speaking: Speaking, sent: Sent, change_id: UUID, said: changes.Content, thing: dict[str, Any]
) -> dict[str, Any]:
    """Write down the reply of what was done: applied, or kept beside what somebody else wrote to the same property."""
    merged, disputed = thing.pop("merged", []), thing.pop("disputed", [])
    verdict = Verdict.CONFLICT if disputed else Verdict.APPLIED
    error = FieldsDiffer(fields=", ".join(disputed)) if disputed else None
    here = queries.photos_here(speaking.session, _photos(sent))
    reply = _result(sent, change_id, said.sha256, verdict, here, thing=thing, error=error)
    if merged:
        reply["merged"] = merged
    changes.settle(speaking.session, change_id, verdict, reply)
    return reply


def _content(sent: Sent) -> changes.Content:
    try:
        return changes.content(sent.raw)
    except ValueError as error:
        raise BadFields(fields=f"{sent.why} {error}") from error


def _again(speaking: Speaking, sent: Sent, change_id: UUID, said: changes.Content) -> dict[str, Any]:
    """What a change that came before is answered: the same, or that its content differs (both are kept)."""
    try:
        return changes.answer_again(speaking.session, speaking.who, change_id, said)
    except ChangeDiffers as error:
        here = queries.photos_here(speaking.session, _photos(sent))
        return _result(sent, change_id, said.sha256, Verdict.CONFLICT, here, error=error)
    finally:
        hold.free(speaking.session, change_id, said.sha256)


# --- what waits ------------------------------------------------------------------------------------------------------
def _held(speaking: Speaking, sent: Sent, error: HeldBack) -> dict[str, Any]:
    """Put a change aside. The phone keeps it too and asks again: it is answered when it has been applied."""
    change_id = uuid_of(sent.raw)
    assert change_id is not None
    kind, waits_for = str(sent.raw.get("kind")), str(error.params["waits_for"])
    hold.keep(speaking.session, speaking.who, change_id, kind, _content(sent), waits_for)
    speaking.session.commit()
    return _refused(change_id, error)


def _follow_up(speaking: Speaking, results: Iterable[dict[str, Any]]) -> None:
    """Apply what waited for what has just come, and what waited for that."""
    names = set().union(*(_names(result) for result in results))
    if not names:
        return
    while names:
        came: set[str] = set()
        for row in hold.ripe(speaking.session, names):
            there = phone_of(speaking.session, row["device_id"])
            if there is None:
                continue  # signed off meanwhile: it waits until it expires, for everybody to see
            sent = understood(row["body"] | {"id": str(row["id"])})
            came |= _names(alone(Speaking(speaking.session, there, speaking.now), sent))
        names = came
    speaking.session.commit()


def _names(result: dict[str, Any]) -> set[str]:
    """What has come with a result that is final."""
    if result.get("receipt") is None or result["id"] is None:
        return set()
    thing = result.get("thing") or {}
    named = {f"change:{result['id']}"}
    return named | ({f"inspection:{thing['id']}", f"order:{thing['id']}"} if thing else set())


def phone_of(session: Session, device_id: int, *, revoked_too: bool = False) -> Phone | None:
    """A device and its person, if both may still act."""
    row = people.speaker_of_device(session, device_id)
    if row is None or (not revoked_too and (row["revoked_at"] is not None or not row["active"])):
        return None
    return Phone(**{field.name: row[field.name] for field in fields(Phone)})


def release(session: Session, now: datetime, device_id: int, change_id: UUID, body: dict[str, Any]) -> dict[str, Any]:
    """The desk lets a quarantined change in: it is applied for its own device and person, and the result is told.

    One that rests on another that is not there yet is not put aside: the desk releases that one first.
    """
    there = phone_of(session, device_id, revoked_too=True)
    assert there is not None
    sent = understood(body | {"id": str(change_id)})
    result = alone(Speaking(session, there, now), sent)
    if result.get("code") == HeldBack.code:
        hold.free(session, change_id, _content(sent).sha256)
    _follow_up(Speaking(session, there, now), [result])
    return result


# --- what is told ----------------------------------------------------------------------------------------------------
def _result(
    sent: Sent, change_id: UUID, sha256: str, verdict: Verdict, here: Iterable[str], *,
    thing: dict[str, Any] | None = None, error: ChengmaiError | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The reply to a change that is kept, whatever became of it. `here` are the photos that have arrived."""
    arrived = set(here)
    told = {} if error is None else {"code": error.code, "detail": sentence(error)}
    advice = RetryHint.NEVER if error is None else hint(error)[0]
    return told | {
        "id": str(change_id), "verdict": str(verdict), "retry": False, "hint": str(advice), "thing": thing,
        "receipt": {"change_sha256": sha256, "parts": [sha for sha in _photos(sent) if sha in arrived]},
    }  # fmt: skip


def _photos(sent: Sent) -> list[str]:
    photos = getattr(sent.change.payload, "photos", ()) if sent.change else ()
    return list(dict.fromkeys(p.sha256 for p in photos))


def _refused(change_id: UUID | None, error: ChengmaiError) -> dict[str, Any]:
    """The reply to a change that has no final answer: it is not kept, or it waits."""
    advice, after_s = hint(error)
    told = {
        "id": None if change_id is None else str(change_id), "verdict": str(Verdict.REFUSED), "code": error.code,
        "detail": sentence(error), "retry": advice in (RetryHint.NOW, RetryHint.AFTER), "hint": str(advice),
        "receipt": None, "thing": None,
    }  # fmt: skip
    return told if after_s is None else told | {"after_s": after_s}


def sentence(error: ChengmaiError) -> str:
    """The error in the person's language."""
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
