"""Turns that may not be driven, who is blacklisted, and which households are vulnerable.

The trigger is the last word on blacklisted units and persons: whatever verb books a crew, it waits for a blacklisting that is
being written and refuses the crew after it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ExcludeConstraint

revision = "0190"
down_revision = "0185"
branch_labels = None
depends_on = None

VULNERABLE = "vulnerable <@ ARRAY['orphaned', 'old', 'weak', 'low_income']::varchar[]"

REFUSED = """
    CREATE FUNCTION work_order_not_blacklisted() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM FROM unit u JOIN crew c ON c.unit_id = u.id WHERE c.id = NEW.crew_id FOR SHARE OF u;
        PERFORM FROM app_user p WHERE p.crew_id = NEW.crew_id AND p.active ORDER BY p.id FOR SHARE;
        IF EXISTS (SELECT FROM blacklisting b JOIN crew c ON c.unit_id = b.unit_id
                    WHERE c.id = NEW.crew_id AND b.during @> NEW.assigned_at)
           OR EXISTS (SELECT FROM blacklisting b JOIN app_user p ON p.id = b.user_id
                       WHERE p.crew_id = NEW.crew_id AND p.active AND b.during @> NEW.assigned_at) THEN
            RAISE EXCEPTION 'a blacklisted unit or person is given no order'
                USING ERRCODE = '23514', CONSTRAINT = 'ck_work_order_blacklisted';
        END IF;
        RETURN NEW;
    END $$
"""


def upgrade() -> None:
    op.create_table(
        "road_turn",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("network_id", sa.BigInteger(), nullable=False),
        sa.Column("ref", sa.String(60), nullable=False),
        sa.Column("path", postgresql.ARRAY(sa.String(60)), nullable=False),
        sa.CheckConstraint("cardinality(path) >= 2", name=op.f("ck_road_turn_path")),
        sa.ForeignKeyConstraint(
            ["network_id"], ["road_network.id"], name=op.f("fk_road_turn_network_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_road_turn")),
    )
    op.create_index("uq_road_turn_network_id_ref", "road_turn", ["network_id", "ref"], unique=True)
    _blacklisting()
    op.add_column(
        "caller",
        sa.Column("vulnerable", postgresql.ARRAY(sa.String(12)), server_default="{}", nullable=False),
    )
    op.create_check_constraint(op.f("ck_caller_vulnerable"), "caller", VULNERABLE)


def _blacklisting() -> None:
    op.create_table(
        "blacklisting",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("unit_id", sa.BigInteger()),
        sa.Column("user_id", sa.BigInteger()),
        sa.Column("during", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("source", sa.String(300), nullable=False),
        sa.Column("by_id", sa.BigInteger()),
        sa.Column("lifted_at", sa.DateTime(timezone=True)),
        sa.Column("lifted_by_id", sa.BigInteger()),
        sa.Column("lift_reason", sa.Text()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("(unit_id IS NULL) <> (user_id IS NULL)", name=op.f("ck_blacklisting_whom")),
        sa.CheckConstraint("NOT isempty(during) AND lower(during) IS NOT NULL", name=op.f("ck_blacklisting_during")),
        sa.CheckConstraint("(lifted_at IS NULL) = (lift_reason IS NULL)", name=op.f("ck_blacklisting_lifted")),
        ExcludeConstraint(("unit_id", "="), ("during", "&&"), name="ex_blacklisting_unit", using="gist",
                          where=sa.text("unit_id IS NOT NULL")),
        ExcludeConstraint(("user_id", "="), ("during", "&&"), name="ex_blacklisting_user", using="gist",
                          where=sa.text("user_id IS NOT NULL")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_blacklisting_unit_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_blacklisting_user_id")),
        sa.ForeignKeyConstraint(["by_id"], ["app_user.id"], name=op.f("fk_blacklisting_by_id")),
        sa.ForeignKeyConstraint(["lifted_by_id"], ["app_user.id"], name=op.f("fk_blacklisting_lifted_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blacklisting")),
    )  # fmt: skip
    in_crew = sa.text("crew_id IS NOT NULL")
    op.create_index("ix_app_user_crew_id", "app_user", ["crew_id"], postgresql_where=in_crew)
    op.execute(REFUSED)
    op.execute("""
        CREATE TRIGGER work_order_not_blacklisted BEFORE INSERT OR UPDATE OF crew_id ON work_order
        FOR EACH ROW EXECUTE FUNCTION work_order_not_blacklisted()
    """)


def downgrade() -> None:
    op.drop_constraint(op.f("ck_caller_vulnerable"), "caller")
    op.drop_column("caller", "vulnerable")
    op.execute("DROP TRIGGER work_order_not_blacklisted ON work_order")
    op.execute("DROP FUNCTION work_order_not_blacklisted()")
    op.drop_index("ix_app_user_crew_id", table_name="app_user")
    op.drop_table("blacklisting")
    op.drop_table("road_turn")
