"""Find the answered callers who are to be called back without reading every complaint."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0180"
down_revision = "0170"
branch_labels = None
depends_on = None

WHERE = sa.text("status IN ('answered','merged')")


def upgrade() -> None:
    op.create_index("ix_complaint_to_call", "complaint", ["answered_at"], postgresql_where=WHERE)


def downgrade() -> None:
    op.drop_index("ix_complaint_to_call", table_name="complaint", postgresql_where=WHERE)
