"""What every check of the journal found; its rows are only ever added, like those of the journal."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0160"
down_revision = "0150"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "journal_check",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("seals", sa.BigInteger(), nullable=False),
        sa.Column("heads", sa.Integer(), nullable=False),
        sa.Column("unsealed", sa.BigInteger(), nullable=False),
        sa.Column("broken_count", sa.BigInteger(), nullable=False),
        sa.Column("broken", postgresql.JSONB(), nullable=False),
        sa.Column("took_s", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_check")),
    )
    op.execute(
        "CREATE TRIGGER journal_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_check"
        " FOR EACH STATEMENT EXECUTE FUNCTION journal_is_kept()"
    )
    op.execute("ALTER TABLE journal_check ENABLE ALWAYS TRIGGER journal_is_kept")


def downgrade() -> None:
    op.drop_table("journal_check")
