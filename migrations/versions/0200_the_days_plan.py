"""The day's plan: proposals, each crew's part, each order in them; where crews begin and end; what was agreed with callers.

The constraint that nobody is booked twice can be held back to the end of a transaction from now on: when a plan is accepted,
orders change places, and only the whole must be free of overlaps. Everybody else is checked at once, as before.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TSTZRANGE

revision = "0200"
down_revision = "0190"
branch_labels = None
depends_on = None

BOOKING = "status IN ('assigned','accepted','arrived')"
AT = sa.DateTime(timezone=True)


def _once(deferrable: str) -> None:
    op.execute("ALTER TABLE work_order DROP CONSTRAINT ex_work_order_crew")
    op.execute(f"ALTER TABLE work_order ADD CONSTRAINT ex_work_order_crew EXCLUDE USING gist"
               f" (crew_id WITH =, during WITH &&) WHERE ({BOOKING}) {deferrable}")  # fmt: skip


def _fk(table: str, column: str, to: str, **more: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}"), **more)


def upgrade() -> None:
    _once("DEFERRABLE INITIALLY IMMEDIATE")
    op.create_table(
        "day_plan",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("asked", JSONB(), nullable=False),
        sa.Column("made_at", AT, nullable=False),
        sa.Column("made_by", sa.BigInteger()),
        sa.Column("area_id", sa.BigInteger()),
        sa.Column("as_of", AT),
        sa.Column("ready_at", AT),
        sa.Column("progress", sa.Float(), server_default="0", nullable=False),
        sa.Column("by", sa.String(10)),
        sa.Column("totals", JSONB()),
        sa.Column("problem", sa.String(300)),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_day_plan")),
        _fk("day_plan", "made_by", "app_user"),
        _fk("day_plan", "area_id", "area"),
        sa.CheckConstraint(
            "status IN ('waiting', 'solving', 'ready', 'failed', 'discarded')", name=op.f("ck_day_plan_status")
        ),
        sa.CheckConstraint("mode IN ('whole', 'least')", name=op.f("ck_day_plan_mode")),
        sa.CheckConstraint("progress BETWEEN 0 AND 1", name=op.f("ck_day_plan_progress")),
    )
    op.create_index("ix_day_plan_day", "day_plan", ["day", "id"])
    op.create_table(
        "day_plan_crew",
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("crew_id", sa.BigInteger(), nullable=False),
        sa.Column("crew_version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(12), server_default="proposed", nullable=False),
        sa.Column("before", JSONB(), nullable=False),
        sa.Column("after", JSONB(), nullable=False),
        sa.Column("old_line", JSONB(), nullable=False),
        sa.Column("new_line", JSONB(), nullable=False),
        sa.Column("lunch_at", AT),
        sa.Column("accepted_at", AT),
        sa.Column("accepted_by", sa.BigInteger()),
        sa.PrimaryKeyConstraint("plan_id", "crew_id", name=op.f("pk_day_plan_crew")),
        _fk("day_plan_crew", "plan_id", "day_plan", ondelete="CASCADE"),
        _fk("day_plan_crew", "crew_id", "crew"),
        _fk("day_plan_crew", "accepted_by", "app_user"),
        sa.CheckConstraint("status IN ('proposed', 'accepted')", name=op.f("ck_day_plan_crew_status")),
    )
    op.create_table(
        "day_plan_stop",
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("complaint_id", sa.BigInteger(), nullable=False),
        sa.Column("crew_id", sa.BigInteger()),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("complaint_version", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.BigInteger()),
        sa.Column("order_version", sa.Integer()),
        sa.Column("from_crew_id", sa.BigInteger()),
        sa.Column("was", TSTZRANGE()),
        sa.Column("leave_at", AT),
        sa.Column("begin_at", AT),
        sa.Column("end_at", AT),
        sa.Column("way_s", sa.Integer(), server_default="0", nullable=False),
        sa.Column("way_m", sa.Integer(), server_default="0", nullable=False),
        sa.Column("late_s", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reason", sa.String(20)),
        sa.Column("params", JSONB(), nullable=False),
        sa.Column("done_order_id", sa.BigInteger()),
        sa.Column("done_version", sa.Integer()),
        sa.PrimaryKeyConstraint("plan_id", "complaint_id", name=op.f("pk_day_plan_stop")),
        _fk("day_plan_stop", "plan_id", "day_plan", ondelete="CASCADE"),
        _fk("day_plan_stop", "complaint_id", "complaint"),
        _fk("day_plan_stop", "crew_id", "crew"),
        _fk("day_plan_stop", "order_id", "work_order"),
        _fk("day_plan_stop", "from_crew_id", "crew"),
        _fk("day_plan_stop", "done_order_id", "work_order"),
        sa.CheckConstraint(
            "kind IN ('locked', 'kept', 'retimed', 'moved', 'new', 'unserved')", name=op.f("ck_day_plan_stop_kind")
        ),
        sa.CheckConstraint(
            "(crew_id IS NULL) = (kind = 'unserved')", name=op.f("ck_day_plan_stop_unserved_has_no_crew")
        ),
        sa.CheckConstraint(
            "(reason IS NOT NULL) = (kind = 'unserved')", name=op.f("ck_day_plan_stop_unserved_has_a_reason")
        ),
    )
    op.create_table(
        "crew_base",
        sa.Column("crew_id", sa.BigInteger(), nullable=False),
        sa.Column("lon", sa.Float()),
        sa.Column("lat", sa.Float()),
        sa.Column("ends_here", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("capacity", sa.Integer()),
        sa.PrimaryKeyConstraint("crew_id", name=op.f("pk_crew_base")),
        _fk("crew_base", "crew_id", "crew", ondelete="CASCADE"),
    )
    op.create_table(
        "appointment",
        sa.Column("complaint_id", sa.BigInteger(), nullable=False),
        sa.Column("during", TSTZRANGE(), nullable=False),
        sa.Column("made_at", AT, nullable=False),
        sa.Column("made_by", sa.BigInteger()),
        sa.PrimaryKeyConstraint("complaint_id", name=op.f("pk_appointment")),
        _fk("appointment", "complaint_id", "complaint", ondelete="CASCADE"),
        _fk("appointment", "made_by", "app_user"),
        sa.CheckConstraint("NOT isempty(during)", name=op.f("ck_appointment_during")),
    )


def downgrade() -> None:
    for table in ("appointment", "crew_base", "day_plan_stop", "day_plan_crew", "day_plan"):
        op.drop_table(table)
    _once("NOT DEFERRABLE")
