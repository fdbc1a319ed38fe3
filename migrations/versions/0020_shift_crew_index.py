"""Find a crew's shifts by a plain index: the one of the exclusion constraint takes ten times as long.

Revision ID: 0020
"""

from alembic import op

revision = "0020"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_shift_crew_id", "shift", ["crew_id"])


def downgrade() -> None:
    op.drop_index("ix_shift_crew_id", table_name="shift")
