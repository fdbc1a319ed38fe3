"""Where crews were, for some days; and since when a crew does not say where it is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

revision = "0220"
down_revision = "0210"
branch_labels = None
depends_on = None

WHY = "why IN ('moving', 'open', 'accept', 'arrive', 'resolve')"


def upgrade() -> None:
    op.add_column("crew", sa.Column("position_off_at", sa.DateTime(timezone=True)))
    op.create_table(
        "crew_position",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("crew_id", sa.BigInteger(), nullable=False),
        sa.Column("device_id", sa.BigInteger()),
        sa.Column("order_id", sa.BigInteger()),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("position", Geometry("POINT", 4326, spatial_index=False), nullable=False),
        sa.Column("accuracy_m", sa.Float()),
        sa.Column("heading_deg", sa.Float()),
        sa.Column("why", sa.String(length=8), nullable=False),
        sa.Column("doubted", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint(WHY, name=op.f("ck_crew_position_why")),
        sa.ForeignKeyConstraint(
            ["crew_id"], ["crew.id"], name=op.f("fk_crew_position_crew_id_crew"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_crew_position_device_id_device"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["work_order.id"], name=op.f("fk_crew_position_order_id_work_order"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crew_position")),
    )
    op.create_index("ix_crew_position_crew_id_at", "crew_position", ["crew_id", "at"])
    op.create_index("ix_crew_position_at", "crew_position", ["at"])
    op.create_index("ix_crew_position_device_id", "crew_position", ["device_id"])
    op.create_index("ix_crew_position_order_id", "crew_position", ["order_id"])


def downgrade() -> None:
    op.drop_table("crew_position")
    op.drop_column("crew", "position_off_at")
