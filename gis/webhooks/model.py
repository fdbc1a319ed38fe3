"""Who wants to be told what, and every telling of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from gis.db import Base, Versioned, one_of
from gis.webhooks.rules import NAME_MAX, URL_MAX, DeliveryStatus


class Webhook(Versioned, Base):
    """A program of a body that is told of events (推送订阅). `secret` is encrypted by the door; the core never sees it open."""

    __tablename__ = "webhook"
    __table_args__ = (CheckConstraint("cardinality(events) > 0", name="events"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    name: Mapped[str] = mapped_column(String(NAME_MAX))
    url: Mapped[str] = mapped_column(String(URL_MAX))
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    previous_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    previous_until: Mapped[datetime | None]
    events: Mapped[list[str]] = mapped_column(ARRAY(String(60)))
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


class WebhookHealth(Base):
    """How a webhook's receiver answers (推送订阅状况): a row of its own, so that sending never touches the one people edit."""

    __tablename__ = "webhook_health"

    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhook.id", ondelete="CASCADE"), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[datetime | None]
    rests_until: Mapped[datetime | None]
    last_ok_at: Mapped[datetime | None]


class WebhookDelivery(Base):
    """One event for one webhook (推送记录). Unique, however often the journal is read again."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("webhook_id", "event_id"),
        CheckConstraint(one_of("status", DeliveryStatus), name="status"),
        CheckConstraint("(status = 'waiting') = (next_at IS NOT NULL)", name="next_at"),
        Index("ix_webhook_delivery_due", "webhook_id", "id", postgresql_where=text("status = 'waiting'")),
        Index("ix_webhook_delivery_dead", "webhook_id", "id", postgresql_where=text("status = 'dead'")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhook.id", ondelete="CASCADE"))
    event_id: Mapped[str] = mapped_column(String(60))
    type: Mapped[str] = mapped_column(String(60))
    body: Mapped[str]
    status: Mapped[str] = mapped_column(String(20), default=DeliveryStatus.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    since: Mapped[datetime]
    next_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    log: Mapped[list[Any]] = mapped_column(default=list)


class WebhookFeed(Base):
    """How far the journal was read for webhooks (推送游标): one row."""

    __tablename__ = "webhook_feed"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    cursor: Mapped[str] = mapped_column(String(40))
