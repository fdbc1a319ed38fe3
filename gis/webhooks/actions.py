"""Asking to be told, and every telling: read from the journal by cursor, kept once per webhook and event."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gis import journal
from gis.db import check_version
from gis.errors import BadInput, Missing
from gis.journal import Who
from gis.people.model import Unit
from gis.people.rules import Scope
from gis.webhooks import queries
from gis.webhooks.model import Webhook, WebhookDelivery, WebhookFeed, WebhookHealth
from gis.webhooks.rules import (
    EVENTS,
    GIVE_UP,
    KEPT,
    LEASE,
    NAME_MAX,
    ROTATION,
    TEST,
    BadEvents,
    DeliveryStatus,
    NotDead,
    rest_after,
    wait_after,
)

FEED = 500  # journal rows read at once
ERROR_MAX = 200


# --- what an administrator does --------------------------------------------------------------------------------------
def add(
    session: Session, who: Who, *, name: str, url: str, events: list[str], secret: bytes, unit_id: int | None,
    area_id: int | None = None,
) -> Webhook:  # fmt: skip
    """A new webhook. The door has checked where `url` leads, and hands the secret over encrypted."""
    name = name.strip()
    if not name or len(name) > NAME_MAX or not name.isprintable():
        raise BadInput(reason="name")
    if unit_id is not None and session.get(Unit, unit_id) is None:
        raise Missing(thing="unit", id=unit_id)
    made = Webhook(name=name, url=url, events=_chosen(events), secret=secret, unit_id=unit_id, area_id=area_id,
                   created_at=who.now, created_by=who.user_id)  # fmt: skip
    session.add(made)
    session.flush()
    _write(session, who, "add", made, events=made.events)
    return made


def _chosen(events: list[str]) -> list[str]:
    if not events or not set(events) <= set(EVENTS):
        raise BadEvents(possible=", ".join(EVENTS))
    return [event for event in EVENTS if event in events]


def _write(session: Session, who: Who, verb: str, hook: Webhook, **data: Any) -> None:
    journal.write(session, who, verb, "webhook", hook.id, version=hook.version, unit_id=hook.unit_id,
                  area_id=hook.area_id, **data)  # fmt: skip


def change(session: Session, who: Who, hook: Webhook, *, url: str, events: list[str], base_version: int | None) -> None:
    """Another address, other events."""
    check_version(hook, base_version)
    hook.url, hook.events = url, _chosen(events)
    session.flush()
    _write(session, who, "change", hook, events=hook.events)


def pause(session: Session, who: Who, hook: Webhook, active: bool) -> None:
    """Stop or go on sending. What happens meanwhile waits. Doing it twice changes nothing."""
    if hook.active == active:
        return
    hook.active = active
    session.flush()
    _write(session, who, "resume" if active else "pause", hook)


def remove(session: Session, who: Who, hook: Webhook) -> None:
    """Nobody is told any more, and what was kept for this webhook goes with it; the journal says who did so."""
    _write(session, who, "remove", hook, events=hook.events)
    session.delete(hook)
    session.flush()


def rotate(session: Session, who: Who, hook: Webhook, secret: bytes) -> None:
    """A new secret; for a day both sign, so that the receiver can change over without losing anything."""
    hook.previous_secret, hook.previous_until = hook.secret, who.now + ROTATION
    hook.secret = secret
    session.flush()
    _write(session, who, "rotate", hook)


def send_test(session: Session, who: Who, hook: Webhook, token: str) -> WebhookDelivery:
    """One event that means nothing, sent like any other."""
    body = _body(TEST, who.now, {"webhook": hook.name})
    made = WebhookDelivery(webhook_id=hook.id, event_id=f"test_{token}", type=TEST, body=body, since=who.now,
                           next_at=who.now)  # fmt: skip
    session.add(made)
    _rest(session, hook.id, None)
    session.flush()
    _write(session, who, "test", hook)
    return made


def resend(session: Session, who: Who, scope: Scope, hook: Webhook, delivery_id: int | None) -> int:
    """Try a dead delivery, or all of this webhook, again from the beginning. How many. Raises NotDead for a single one."""
    asked = update(WebhookDelivery).where(
        WebhookDelivery.webhook_id == hook.id, WebhookDelivery.status == DeliveryStatus.DEAD
    )
    if delivery_id is not None:
        asked = asked.where(WebhookDelivery.id == delivery_id)
    fresh = {"status": DeliveryStatus.WAITING, "attempts": 0, "since": who.now, "next_at": who.now}
    moved = len(session.execute(asked.values(**fresh).returning(WebhookDelivery.id)).all())
    if not moved and delivery_id is not None:
        raise NotDead()
    if moved:
        _rest(session, hook.id, None)
        _write(session, who, "resend", hook, count=moved)
    return moved


# --- from the journal ------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Fed:
    """How many deliveries were made of the journal; `more` when there is more to read."""

    made: int
    more: bool


def feed(session: Session, who: Who) -> Fed:
    """Read on in the journal and keep a delivery for every webhook that asked for it. Nobody waits for this."""
    place = session.get(WebhookFeed, 1, with_for_update=True)
    hooks = queries.listening(session)
    if place is None:
        session.add(WebhookFeed(id=1, cursor=journal.end(session)))  # what was before nobody asked for
        return Fed(0, False)
    if not hooks:
        place.cursor = journal.end(session)
        return Fed(0, False)
    end = journal.end(session)  # asked first: what is read next reaches at least as far
    page = journal.read_after(session, place.cursor, things=["complaint"], limit=FEED)
    rows = [row for row in page.rows if f"complaint.{row['verb']}" in EVENTS]
    known = queries.told_of(session, {int(row["thing_id"]) for row in rows})
    made = [
        {"webhook_id": hook.id, "event_id": f"evt_{row['txid']}_{row['seq']}", "type": f"complaint.{row['verb']}",
         "body": _event(row, known[int(row["thing_id"])]), "status": DeliveryStatus.WAITING, "attempts": 0,
         "since": who.now, "next_at": who.now, "log": []}
        for row in rows if int(row["thing_id"]) in known
        for hook, whole in hooks if _wants(hook, whole, row, known[int(row["thing_id"])])
    ]  # fmt: skip
    if made:
        session.execute(insert(WebhookDelivery).on_conflict_do_nothing(), made)
    # nothing more of complaints: what else was written up to the end need not be read again
    place.cursor = page.cursor if page.more else max(page.cursor, end, key=journal.parse_cursor)
    return Fed(len(made), page.more)


def _wants(hook: Webhook, whole: bool, row: dict[str, Any], complaint: Any) -> bool:
    """Did this webhook ask for such an event, was it there already, and is it within what its body answers for?"""
    if f"complaint.{row['verb']}" not in hook.events or row["at"] < hook.created_at:
        return False
    if not whole and row["unit_id"] != hook.unit_id:
        return False
    places = (complaint.district_id, complaint.street_id, complaint.community_id, complaint.compound_id)
    return hook.area_id is None or hook.area_id in places


def _event(row: dict[str, Any], complaint: Any) -> str:
    """Numbers and codes; no name, no telephone number, no address, no text that somebody typed."""
    data = {
        "id": complaint.id, "number": complaint.hotline_no, "version": row["version"], "category": complaint.category,
        "channel": complaint.channel, "status_before": row["data"].get("before"),
        "status": row["data"].get("after") or ("received" if row["verb"] == "receive" else None),
        "district": complaint.district, "unit": complaint.unit, "received_at": complaint.received_at.isoformat(),
        "resolve_by": complaint.resolve_by.isoformat() if complaint.resolve_by else None,
    }  # fmt: skip
    return _body(f"complaint.{row['verb']}", row["at"], data)


def _body(kind: str, at: datetime, data: dict[str, Any]) -> str:
    return json.dumps({"type": kind, "timestamp": at.isoformat(), "data": data}, ensure_ascii=False)


# --- sending ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Claimed:
    """A delivery that this worker sends now."""

    id: int
    event_id: str
    body: str
    url: str
    secret: bytes
    previous_secret: bytes | None


def claim(session: Session, who: Who, webhook_id: int) -> Claimed | None:
    """Take the oldest delivery that is due. Should the sender die, it is due again when the lease is over."""
    hook = session.get(Webhook, webhook_id)
    rest = session.scalar(select(WebhookHealth.rests_until).where(WebhookHealth.webhook_id == webhook_id))
    if hook is None or not hook.active or (rest is not None and rest > who.now):
        return None
    asked = (
        select(WebhookDelivery)
        .where(WebhookDelivery.webhook_id == webhook_id, WebhookDelivery.status == DeliveryStatus.WAITING,
               WebhookDelivery.next_at <= who.now)
        .order_by(WebhookDelivery.id).limit(1).with_for_update(skip_locked=True)
    )  # fmt: skip
    found = session.scalars(asked).one_or_none()
    if found is None:
        return None
    found.next_at = who.now + LEASE
    found.attempts += 1
    session.flush()
    old = hook.previous_secret if hook.previous_until and hook.previous_until > who.now else None
    return Claimed(found.id, found.event_id, found.body, hook.url, hook.secret, old)


@dataclass(frozen=True)
class Answer:
    """What became of one try: an HTTP status, or the code of what went wrong before there was one."""

    status: int | None
    error: str | None
    took_ms: int
    retry_after_s: int | None = None

    @property
    def ok(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def record(session: Session, who: Who, delivery_id: int, answer: Answer, luck: float) -> DeliveryStatus | None:
    """Write down what became of a try, and when the next one is due. None when somebody has dealt with it meanwhile."""
    row = session.get(WebhookDelivery, delivery_id, with_for_update=True)
    if row is None or row.status != DeliveryStatus.WAITING:
        return None
    told = {
        "at": who.now.isoformat(),
        "status": answer.status,
        "error": (answer.error or "")[:ERROR_MAX],
        "ms": answer.took_ms,
    }
    row.log = [*row.log, told][-20:]
    if answer.ok:
        row.status, row.next_at, row.delivered_at = DeliveryStatus.DELIVERED, None, who.now
        _rest(session, row.webhook_id, who.now)
        session.flush()
        return DeliveryStatus.DELIVERED
    health = _failed(session, who, row.webhook_id)
    wait = wait_after(row.attempts, luck)
    old = health.failing_since is not None and max(row.since, health.failing_since) < who.now - GIVE_UP
    if answer.status == 410 or wait is None or old:  # 410: the receiver says that it is gone for good
        row.status, row.next_at = DeliveryStatus.DEAD, None
    else:
        asked_s = min(answer.retry_after_s or 0, int(GIVE_UP.total_seconds()))
        row.next_at = who.now + max(wait, type(wait)(seconds=asked_s))
    if answer.status == 410:
        hook = session.get(Webhook, row.webhook_id, with_for_update=True)
        if hook is not None:
            pause(session, who, hook, False)
    session.flush()
    return DeliveryStatus(row.status)


def _failed(session: Session, who: Who, webhook_id: int) -> WebhookHealth:
    """One failure more; the receiver is left alone for a while."""
    session.execute(insert(WebhookHealth).values(webhook_id=webhook_id, failures=0).on_conflict_do_nothing())
    health = session.get(WebhookHealth, webhook_id, with_for_update=True, populate_existing=True)
    assert health is not None
    health.failures += 1
    health.failing_since = health.failing_since or who.now
    health.rests_until = who.now + rest_after(health.failures)
    return health


def _rest(session: Session, webhook_id: int, ok_at: datetime | None) -> None:
    """No more resting: it answered (`ok_at`), or somebody wants to see whether it does."""
    told: dict[str, Any] = {"rests_until": None}
    if ok_at is not None:
        told |= {"failures": 0, "failing_since": None, "last_ok_at": ok_at}
    made = insert(WebhookHealth).values(webhook_id=webhook_id, **({"failures": 0} | told))
    session.execute(made.on_conflict_do_update(index_elements=["webhook_id"], set_=told))


_BURY = text(
    """
    UPDATE webhook_delivery d SET status = 'dead', next_at = NULL FROM webhook_health h
     WHERE h.webhook_id = d.webhook_id AND d.status = 'waiting' AND h.failing_since < :before AND d.since < :before
    """
)


def give_up(session: Session, who: Who) -> int:
    """Everything older than a day for a receiver that has not answered for a day is put into the dead-letter list."""
    return int(session.execute(_BURY, {"before": who.now - GIVE_UP}).rowcount)  # type: ignore[attr-defined]


def forget(session: Session, who: Who) -> int:
    """Drop deliveries that arrived long ago. What is dead stays until somebody deals with it."""
    asked = delete(WebhookDelivery).where(
        WebhookDelivery.status == DeliveryStatus.DELIVERED, WebhookDelivery.delivered_at < who.now - KEPT
    )
    return int(session.execute(asked).rowcount)  # type: ignore[attr-defined]
