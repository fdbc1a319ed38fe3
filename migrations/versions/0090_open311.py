"""Reports of programs beside their complaints, the caller's e-mail, a channel of their own, and the journal by moment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0090"
down_revision = "0080"
branch_labels = None
depends_on = None

BEFORE = ("12345", "12319", "heat_hotline", "water_hotline", "gas_hotline", "mailbox", "web", "app", "visit", "media",
          "patrol", "imported")  # fmt: skip


def _channels(names: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{name}'" for name in names)
    op.execute("ALTER TABLE complaint DROP CONSTRAINT ck_complaint_channel")
    op.execute(f"ALTER TABLE complaint ADD CONSTRAINT ck_complaint_channel CHECK (channel IN ({listed}))")


def upgrade() -> None:
    _channels((*BEFORE, "open311"))
    op.add_column("caller", sa.Column("email", sa.String(254)))
    op.create_index("ix_journal_thing_at", "journal", ["thing", "at"])
    op.create_table(
        "open_request",
        sa.Column("complaint_id", sa.BigInteger(),
                  sa.ForeignKey("complaint.id", name="fk_open_request_complaint_id", ondelete="CASCADE"), primary_key=True),
        sa.Column("key_id", sa.BigInteger(), sa.ForeignKey("api_key.id", name="fk_open_request_key_id"), nullable=False),
        sa.Column("token", sa.Uuid(), nullable=False),
        sa.Column("client_ref", sa.String(100)),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("answers", JSONB(), nullable=False),
        sa.Column("media_url", sa.String(2000)),
        sa.Column("device_id", sa.String(200)),
        sa.Column("account_id", sa.String(200)),
        sa.UniqueConstraint("token", name="uq_open_request_token"),
    )  # fmt: skip
    op.create_index("ix_open_request_key_id", "open_request", ["key_id"])
    op.create_index("uq_open_request_key_id_client_ref", "open_request", ["key_id", "client_ref"], unique=True,
                    postgresql_where=sa.text("client_ref IS NOT NULL"))  # fmt: skip


def downgrade() -> None:
    op.drop_table("open_request")
    op.drop_index("ix_journal_thing_at", "journal")
    op.drop_column("caller", "email")
    op.execute("UPDATE complaint SET channel = 'app' WHERE channel = 'open311'")
    _channels(BEFORE)
