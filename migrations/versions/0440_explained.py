"""Incidents of an asset: at most one open one for each, how many households lost service, and what callers are told meanwhile."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0440"
down_revision = "0430"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("incident", sa.Column("asset_households", sa.Integer(), nullable=True))
    op.add_column("incident", sa.Column("notice", sa.String(400), server_default="", nullable=False))
    op.create_check_constraint(op.f("ck_incident_asset_households"), "incident", "asset_households > 0")
    # Of several open incidents of one asset the first keeps its name; the others stay incidents without one.
    op.execute(
        """
        UPDATE incident AS i SET asset_kind = NULL, asset_id = NULL
         WHERE status = 'open' AND EXISTS (SELECT 1 FROM incident AS o WHERE o.status = 'open' AND o.id < i.id
               AND o.asset_kind = i.asset_kind AND o.asset_id = i.asset_id)
        """
    )
    op.create_index(
        "uq_incident_asset_open", "incident", ["asset_kind", "asset_id"], unique=True,
        postgresql_where=sa.text("status = 'open' AND asset_kind IS NOT NULL"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("uq_incident_asset_open", table_name="incident")
    op.drop_constraint(op.f("ck_incident_asset_households"), "incident")
    op.drop_column("incident", "notice")
    op.drop_column("incident", "asset_households")
