"""Seals and signed heads of the journal; a row of any of the three is only ever added, whoever asks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import gis.journal

revision = "0100"
down_revision = "0090"
branch_labels = None
depends_on = None

KEPT = ("journal", "journal_seal", "journal_head")


def upgrade() -> None:
    op.create_table(
        "journal_seal",
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("until_txid", gis.journal.Xid8(), nullable=False),
        sa.Column("until_seq", sa.BigInteger(), nullable=False),
        sa.Column("digests", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("rows > 0 AND length(digests) = rows * 40", name=op.f("ck_journal_seal_rows")),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_journal_seal")),
    )
    # digests do not compress
    op.execute("ALTER TABLE journal_seal ALTER COLUMN digests SET STORAGE EXTERNAL")
    op.create_table(
        "journal_head",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.String(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_head")),
    )
    op.execute(
        """
        CREATE FUNCTION journal_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'rows of % are added, never changed or deleted', TG_TABLE_NAME
                USING ERRCODE = 'insufficient_privilege';
        END $$
        """
    )
    for table in KEPT:
        op.execute(
            f"CREATE TRIGGER journal_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION journal_is_kept()"
        )
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER journal_is_kept")


def downgrade() -> None:
    op.execute("DROP TRIGGER journal_is_kept ON journal")
    op.drop_table("journal_head")
    op.drop_table("journal_seal")
    op.execute("DROP FUNCTION journal_is_kept()")
