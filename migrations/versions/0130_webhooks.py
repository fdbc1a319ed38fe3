"""Webhooks: who wants to be told what, how the receivers answer, every telling, and how far the journal was read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0130"
down_revision = "0120"
branch_labels = None
depends_on = None


def _time(name: str, nullable: bool = True) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("area_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("url", sa.String(500), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("previous_secret", sa.LargeBinary(), nullable=True),
        _time("previous_until"),
        sa.Column("events", postgresql.ARRAY(sa.String(60)), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        _time("created_at", nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("cardinality(events) > 0", name=op.f("ck_webhook_events")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_webhook_unit_id_unit")),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_webhook_area_id_area")),
        sa.ForeignKeyConstraint(["created_by"], ["app_user.id"], name=op.f("fk_webhook_created_by_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    op.create_index(op.f("ix_webhook_unit_id"), "webhook", ["unit_id"])
    op.create_table(
        "webhook_health",
        sa.Column("webhook_id", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        _time("failing_since"),
        _time("rests_until"),
        _time("last_ok_at"),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhook.id"], name=op.f("fk_webhook_health_webhook_id_webhook"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("webhook_id", name=op.f("pk_webhook_health")),
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("webhook_id", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.String(60), nullable=False),
        sa.Column("type", sa.String(60), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _time("since", nullable=False),
        _time("next_at"),
        _time("delivered_at"),
        sa.Column("log", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint("status IN ('waiting', 'delivered', 'dead')", name=op.f("ck_webhook_delivery_status")),
        sa.CheckConstraint("(status = 'waiting') = (next_at IS NOT NULL)", name=op.f("ck_webhook_delivery_next_at")),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhook.id"], name=op.f("fk_webhook_delivery_webhook_id_webhook"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
        sa.UniqueConstraint("webhook_id", "event_id", name=op.f("uq_webhook_delivery_webhook_id_event_id")),
    )
    for name, status in (("due", "waiting"), ("dead", "dead")):
        op.create_index(f"ix_webhook_delivery_{name}", "webhook_delivery", ["webhook_id", "id"],
                        postgresql_where=sa.text(f"status = '{status}'"))  # fmt: skip
    op.create_table(
        "webhook_feed",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cursor", sa.String(40), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_webhook_feed_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_feed")),
    )


def downgrade() -> None:
    for table in ("webhook_feed", "webhook_delivery", "webhook_health", "webhook"):
        op.drop_table(table)
