"""Sync: changes that wait for others, corrections and what is disputed in them, photos that come after their form, and
what phones that were signed off deliver."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0330"
down_revision = "0320"
branch_labels = None
depends_on = None

_AT = sa.DateTime(timezone=True)


def _inspection(**more: object) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["inspection_id"], ["inspection.id"], ondelete="CASCADE", **more)  # type: ignore[arg-type]


def upgrade() -> None:
    op.create_table(
        "held_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("device_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("body", postgresql.JSONB(), nullable=False),
        sa.Column("waits_for", sa.String(80), nullable=False),
        sa.Column("received_at", _AT, nullable=False),
        sa.Column("expires_at", _AT, nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_held_change_device_id")),
        sa.PrimaryKeyConstraint("id", "sha256", name=op.f("pk_held_change")),
    )
    for column in ("device_id", "waits_for", "expires_at"):
        op.create_index(op.f(f"ix_held_change_{column}"), "held_change", [column])
    op.create_table(
        "amendment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=False),
        sa.Column("after", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("device_id", sa.BigInteger(), nullable=True),
        sa.Column("at", _AT, nullable=False),
        sa.Column("received_at", _AT, nullable=False),
        sa.Column("reason", sa.String(500), server_default="", nullable=False),
        sa.Column("sets", postgresql.JSONB(), nullable=False),
        sa.Column("before", postgresql.JSONB(), nullable=False),
        _inspection(name=op.f("fk_amendment_inspection_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_amendment_user_id")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_amendment_device_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_amendment")),
    )
    op.create_index("uq_amendment_inspection_id_version", "amendment", ["inspection_id", "version"], unique=True)
    op.create_table(
        "inspection_conflict",
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("path", sa.String(40), nullable=False),
        sa.Column("since_at", _AT, nullable=False),
        _inspection(name=op.f("fk_inspection_conflict_inspection_id")),
        sa.PrimaryKeyConstraint("inspection_id", "path", name=op.f("pk_inspection_conflict")),
    )
    op.create_table(
        "awaited_photo",
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("item_id", sa.String(12), nullable=False),
        sa.Column("taken_at", _AT, nullable=False),
        sa.Column("position", Geometry("POINT", 4326, spatial_index=False), nullable=True),
        sa.Column("position_accuracy_m", sa.Double(), nullable=True),
        sa.Column("since_at", _AT, nullable=False),
        _inspection(name=op.f("fk_awaited_photo_inspection_id")),
        sa.PrimaryKeyConstraint("inspection_id", "sha256", "item_id", name=op.f("pk_awaited_photo")),
    )
    op.create_index(op.f("ix_awaited_photo_sha256"), "awaited_photo", ["sha256"])
    op.create_table(
        "quarantined_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("device_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(8), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("body", postgresql.JSONB(), nullable=False),
        sa.Column("received_at", _AT, nullable=False),
        sa.Column("state", sa.String(12), server_default="waiting", nullable=False),
        sa.Column("decided_at", _AT, nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(500), server_default="", nullable=False),
        sa.Column("outcome", postgresql.JSONB(), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'released', 'discarded')", name=op.f("ck_quarantined_change_state")),
        sa.CheckConstraint("source IN ('device', 'file')", name=op.f("ck_quarantined_change_source")),
        sa.CheckConstraint("(state = 'waiting') = (decided_at IS NULL)", name=op.f("ck_quarantined_change_decided")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_quarantined_change_device_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["app_user.id"], name=op.f("fk_quarantined_change_decided_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantined_change")),
    )
    op.create_index(
        "uq_quarantined_change_change_id_sha256", "quarantined_change", ["change_id", "sha256"], unique=True
    )
    op.create_index("ix_quarantined_change_device_id_state", "quarantined_change", ["device_id", "state"])


def downgrade() -> None:
    for table in ("quarantined_change", "awaited_photo", "inspection_conflict", "amendment", "held_change"):
        op.drop_table(table)
