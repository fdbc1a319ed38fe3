"""Baselines, and bulletins kept as they were printed: the database itself refuses to change one.

Two block-range indexes find what became due, and what was passed on, in a period: they cost an import nothing, because
complaints are stored in the order of time.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0170"
down_revision = "0160"
branch_labels = None
depends_on = None

_RATES = ("on_time", "closing", "response", "solving", "process_satisfaction", "result_satisfaction", "return", "rework",
          "repeat", "filing", "unreachable")  # fmt: skip
_KINDS = ("day", "week", "month", "quarter", "year", "range")
_SEED = "dyrmt.com 10142 (weekly bulletin of a hotline): lowest allowed satisfaction 85 %"


def _one_of(column: str, words: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(word) for word in words)})"


def upgrade() -> None:
    op.create_table(
        "baseline",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("rate", sa.String(24), nullable=False),
        sa.Column("percent", sa.Numeric(5, 2), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("source", sa.String(300), nullable=False),
        sa.CheckConstraint(_one_of("rate", _RATES), name=op.f("ck_baseline_rate")),
        sa.CheckConstraint("percent BETWEEN 0 AND 100", name=op.f("ck_baseline_percent")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_baseline")),
    )
    op.create_index("uq_baseline_rate_valid_from", "baseline", ["rate", "valid_from"], unique=True)
    for rate in ("process_satisfaction", "result_satisfaction"):
        op.execute(
            "INSERT INTO baseline (rate, percent, valid_from, source) "
            f"VALUES ('{rate}', 85, DATE '2000-01-01', '{_SEED}')"
        )
    op.create_table(
        "bulletin_issue",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("area_id", sa.BigInteger(), nullable=True),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.BigInteger(), nullable=True),
        sa.Column("corrects_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(300), server_default="", nullable=False),
        sa.Column("body", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint(_one_of("kind", _KINDS), name=op.f("ck_bulletin_issue_kind")),
        sa.CheckConstraint("number > 0", name=op.f("ck_bulletin_issue_number")),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_bulletin_issue_area_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_bulletin_issue_unit_id")),
        sa.ForeignKeyConstraint(["published_by"], ["app_user.id"], name=op.f("fk_bulletin_issue_published_by")),
        sa.ForeignKeyConstraint(["corrects_id"], ["bulletin_issue.id"], name=op.f("fk_bulletin_issue_corrects_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulletin_issue")),
    )
    op.create_index("uq_bulletin_issue_kind_year_number", "bulletin_issue", ["kind", "year", "number"], unique=True)
    op.create_index(
        "uq_bulletin_issue_period", "bulletin_issue",
        ["kind", "first", "last", sa.text("coalesce(area_id, 0)"), sa.text("coalesce(unit_id, 0)")],
        unique=True, postgresql_where=sa.text("corrects_id IS NULL"),
    )  # fmt: skip
    op.create_index("ix_bulletin_issue_published_at", "bulletin_issue", ["published_at"])
    op.execute(
        """
        CREATE FUNCTION refuse_to_change_a_bulletin() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'a published bulletin is never changed: a correction is a new issue'
                  USING ERRCODE = 'restrict_violation', CONSTRAINT = 'bulletin_issue_frozen';
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER bulletin_issue_frozen BEFORE UPDATE OR DELETE ON bulletin_issue "
        "FOR EACH ROW EXECUTE FUNCTION refuse_to_change_a_bulletin()"
    )
    for column in ("resolve_by", "sent_at"):
        op.create_index(f"ix_complaint_{column}_range", "complaint", [column], postgresql_using="brin")
    op.create_index(
        "ix_complaint_key_since", "complaint", ["key_since"], postgresql_where=sa.text("key_since IS NOT NULL")
    )


def downgrade() -> None:
    op.drop_index("ix_complaint_key_since", table_name="complaint")
    for column in ("sent_at", "resolve_by"):
        op.drop_index(f"ix_complaint_{column}_range", table_name="complaint")
    op.drop_table("bulletin_issue")
    op.execute("DROP FUNCTION refuse_to_change_a_bulletin()")
    op.drop_table("baseline")
