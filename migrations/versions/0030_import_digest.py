"""Keep what a file said about an imported complaint, in 16 bytes: the same file again is recognised, other content told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("complaint", sa.Column("import_digest", sa.Uuid(), nullable=True))


def downgrade() -> None:
    op.drop_column("complaint", "import_digest")
