"""Count the open complaints from their index alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0185"
down_revision = "0180"
branch_labels = None
depends_on = None

WHERE = sa.text(
    "status IN ('received','sent','signed','assigned','accepted','arrived','resolved','reopened','returned')"
)
READ = ["received_at", "closed_at", "paused_at", "district_id", "unit_id"]


def upgrade() -> None:
    op.drop_index("ix_complaint_open", table_name="complaint")
    op.create_index("ix_complaint_open", "complaint", ["resolve_by"], postgresql_where=WHERE, postgresql_include=READ)


def downgrade() -> None:
    op.drop_index("ix_complaint_open", table_name="complaint")
    op.create_index("ix_complaint_open", "complaint", ["resolve_by"], postgresql_where=WHERE)
