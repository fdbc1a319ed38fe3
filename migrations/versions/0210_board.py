"""Orders that are locked to their crew and time, that were not accepted in time, and why one was taken back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0210"
down_revision = "0200"
branch_labels = None
depends_on = None

REASONS = "recall_reason IS NULL OR recall_reason IN ('undone', 'by_desk', 'reassigned', 'not_accepted', 'cancelled')"
UNACCEPTED = sa.text("status = 'assigned' AND lapsed_at IS NULL")


def upgrade() -> None:
    op.add_column("work_order", sa.Column("recall_reason", sa.String(20)))
    op.add_column("work_order", sa.Column("locked", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("work_order", sa.Column("lapsed_at", sa.DateTime(timezone=True)))
    op.create_check_constraint("recall_reason", "work_order", REASONS)
    op.create_index("ix_work_order_unaccepted", "work_order", ["assigned_at"], postgresql_where=UNACCEPTED)


def downgrade() -> None:
    op.drop_index("ix_work_order_unaccepted", table_name="work_order", postgresql_where=UNACCEPTED)
    op.drop_constraint(op.f("ck_work_order_recall_reason"), "work_order")
    op.drop_column("work_order", "lapsed_at")
    op.drop_column("work_order", "locked")
    op.drop_column("work_order", "recall_reason")
