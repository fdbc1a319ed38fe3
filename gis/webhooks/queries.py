"""What is asked about webhooks and their deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, text
from sqlalchemy.orm import Session

from gis.complaints.model import Complaint
from gis.errors import Missing
from gis.people.model import Unit
from gis.people.rules import Scope, UnitKind
from gis.places.model import Area
from gis.webhooks.model import Webhook, WebhookDelivery, WebhookHealth
from gis.webhooks.rules import DeliveryStatus


def _seen(asked: Any, scope: Scope) -> Any:
    if scope.area_id is not None:
        asked = asked.where(Webhook.area_id == scope.area_id)
    if scope.unit_id is not None:
        asked = asked.where(Webhook.unit_id == scope.unit_id)
    return asked


def webhooks(session: Session, scope: Scope) -> Sequence[Any]:
    """Every webhook with its body, how it answers, and how many deliveries wait or are dead."""
    count = {
        status: select(func.count()).where(WebhookDelivery.webhook_id == Webhook.id, WebhookDelivery.status == status)
        .correlate(Webhook).scalar_subquery()
        for status in (DeliveryStatus.WAITING, DeliveryStatus.DEAD)
    }  # fmt: skip
    asked = (
        select(Webhook, Unit.name.label("unit"), Area.name.label("area"), WebhookHealth,
               count[DeliveryStatus.WAITING].label("waiting"), count[DeliveryStatus.DEAD].label("dead"))
        .outerjoin(Unit, Unit.id == Webhook.unit_id).outerjoin(Area, Area.id == Webhook.area_id)
        .outerjoin(WebhookHealth, WebhookHealth.webhook_id == Webhook.id).order_by(Webhook.id)
    )  # fmt: skip
    return session.execute(_seen(asked, scope)).all()


def webhook(session: Session, scope: Scope, webhook_id: int, *, lock: bool = False) -> Webhook:
    """The webhook of this number, if it is in the scope."""
    asked = _seen(select(Webhook).where(Webhook.id == min(webhook_id, 2**63 - 1)), scope)
    found = session.scalars(asked.with_for_update() if lock else asked).one_or_none()
    if found is None:
        raise Missing(thing="webhook", id=webhook_id)
    return found


def health(session: Session, webhook_id: int) -> WebhookHealth | None:
    """How does this webhook's receiver answer?"""
    return session.get(WebhookHealth, webhook_id)


def deliveries(session: Session, webhook_id: int, status: str | None = None, limit: int = 100) -> list[WebhookDelivery]:
    """The newest deliveries of a webhook, all or those of one status."""
    asked = select(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook_id)
    if status:
        asked = asked.where(WebhookDelivery.status == status)
    return list(session.scalars(asked.order_by(WebhookDelivery.id.desc()).limit(limit)))


def dead_count(session: Session, scope: Scope) -> int:
    """How many deliveries were given up and wait for somebody? For the worklist."""
    asked = select(func.count()).select_from(WebhookDelivery).join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
    return session.scalar(_seen(asked.where(WebhookDelivery.status == DeliveryStatus.DEAD), scope)) or 0


def dead(session: Session, scope: Scope, limit: int = 100) -> Sequence[Any]:
    """The deliveries that were given up: (delivery, name of its webhook), newest first. For the worklist."""
    asked = select(WebhookDelivery, Webhook.name).join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
    asked = asked.where(WebhookDelivery.status == DeliveryStatus.DEAD).order_by(WebhookDelivery.id.desc()).limit(limit)
    return session.execute(_seen(asked, scope)).all()


def listening(session: Session) -> list[tuple[Webhook, bool]]:
    """Every webhook, and whether it hears of the whole city: those of the bureau, and of no body."""
    asked = select(Webhook, or_(Webhook.unit_id.is_(None), Unit.kind == UnitKind.BUREAU))
    asked = asked.outerjoin(Unit, Unit.id == Webhook.unit_id).order_by(Webhook.id)
    return [(hook, bool(whole)) for hook, whole in session.execute(asked)]


def told_of(session: Session, complaint_ids: set[int]) -> dict[int, Any]:
    """What may be told of these complaints: nothing about a person, no free text."""
    asked = (
        select(Complaint.id, Complaint.hotline_no, Complaint.category, Complaint.channel, Complaint.received_at,
               Complaint.resolve_by, Complaint.district_id, Complaint.street_id, Complaint.community_id,
               Complaint.compound_id, Area.code.label("district"), Unit.code.label("unit"))
        .outerjoin(Area, Area.id == Complaint.district_id).outerjoin(Unit, Unit.id == Complaint.unit_id)
        .where(Complaint.id.in_(complaint_ids))
    )  # fmt: skip
    return {row.id: row for row in session.execute(asked)}


_DUE = text(
    """
    SELECT w.id FROM webhook w LEFT JOIN webhook_health h ON h.webhook_id = w.id
     WHERE w.active AND (h.rests_until IS NULL OR h.rests_until <= :now)
       AND EXISTS (SELECT 1 FROM webhook_delivery d WHERE d.webhook_id = w.id AND d.status = 'waiting' AND d.next_at <= :now)
       AND NOT EXISTS (SELECT 1 FROM procrastinate_jobs j WHERE j.lock = 'webhook:' || w.id AND j.status IN ('todo', 'doing'))
     ORDER BY w.id
    """
)


def due(session: Session, now: datetime) -> list[int]:
    """Which webhooks have something to be sent now, and nobody sending it?"""
    return list(session.scalars(_DUE, {"now": now}))
