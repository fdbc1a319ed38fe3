"""The files that a form speaks of, beside its revisions, each content once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0515"
down_revision = "0510"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "file_content",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("md5", sa.String(32), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_file_content")),
    )
    op.create_table(
        "form_file",
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["code", "revision"], ["checklist.code", "checklist.revision"], name=op.f("fk_form_file_code")
        ),
        sa.ForeignKeyConstraint(["sha256"], ["file_content.sha256"], name=op.f("fk_form_file_sha256")),
        sa.ForeignKeyConstraint(["added_by"], ["app_user.id"], name=op.f("fk_form_file_added_by")),
        sa.PrimaryKeyConstraint("code", "revision", "name", name=op.f("pk_form_file")),
    )
    op.create_index(op.f("ix_form_file_sha256"), "form_file", ["sha256"], unique=False)


def downgrade() -> None:
    op.drop_table("form_file")
    op.drop_table("file_content")
