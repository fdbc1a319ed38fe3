"""Shutdowns: valves in order, who loses service (frozen), and how long an emergency repair may take."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0410"
down_revision = "0400"
branch_labels = None
depends_on = None

UTILITIES = (
    "utility IN ('heat', 'water', 'gas', 'drainage', 'road', 'light', 'sanitation', 'telecom', 'other')"
)  # fmt: skip
_AT = sa.DateTime(timezone=True)
EXAMPLE = "Heilongjiang, draft of the heating regulation: repaired within 48 h (example, not in force here)"


def _fk(table: str, column: str, there: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{there}.id"], name=op.f(f"fk_{table}_{column}"), ondelete=ondelete)


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def _int(name: str, *, big: bool = False, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger() if big else sa.Integer(), nullable=nullable)


def _text(name: str, length: int, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def _at(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, _AT, nullable=nullable)


def _place() -> sa.Column[object]:
    return sa.Column("geom", Geometry("POINT", 4326, spatial_index=False), nullable=False)


def upgrade() -> None:
    _outages()
    _parts()
    op.create_table(
        "repair_limit",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False), _text("utility", 12),
        sa.Column("hours", sa.Double(), nullable=False), _text("source", 200),
        sa.Column("active", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        _check("repair_limit", "utility", UTILITIES), _check("repair_limit", "hours", "hours > 0"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repair_limit")),
    )  # fmt: skip
    op.create_index(
        "uq_repair_limit_active", "repair_limit", ["utility"], unique=True, postgresql_where=sa.text("active")
    )
    op.execute(
        sa.text("INSERT INTO repair_limit (utility, hours, source, active) VALUES ('heat', 48, :source, false)")
        .bindparams(source=EXAMPLE)
    )  # fmt: skip


def _outages() -> None:
    op.create_table(
        "outage",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False), _text("no", 40), _text("kind", 12), _text("status", 12),
        _text("utility", 12), _text("crossing", 12), _text("place", 160), _text("reason", 300),
        _int("pipeline_id", big=True, nullable=True), _int("unit_id", big=True, nullable=True), _place(),
        _at("begins_at", nullable=False), _at("expected_end_at", nullable=False), _at("begun_at"), _at("ended_at"),
        sa.Column("limit_h", sa.Double(), nullable=True), _text("limit_source", 200, nullable=True),
        _int("households"), _int("people"), _int("vulnerable_households"),
        sa.Column("stations", postgresql.JSONB(), nullable=False), _at("made_at", nullable=False),
        _int("made_by", big=True, nullable=True), sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        _check("outage", "utility", UTILITIES), _check("outage", "kind", "kind IN ('planned', 'emergency')"),
        _check("outage", "status", "status IN ('announced', 'running', 'ended', 'cancelled')"),
        _check("outage", "crossing", "crossing IN ('hydraulic', 'functional')"),
        _check("outage", "times", "expected_end_at > begins_at"),
        _check("outage", "ended", "(status IN ('cancelled', 'ended')) = (ended_at IS NOT NULL)"),
        _check("outage", "limit_has_a_source", "(limit_h IS NULL) = (limit_source IS NULL)"),
        _fk("outage", "pipeline_id", "pipeline", "SET NULL"), _fk("outage", "unit_id", "unit"), _fk("outage", "made_by", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outage")), sa.UniqueConstraint("no", name=op.f("uq_outage_no")),
        sa.UniqueConstraint("request_id", name=op.f("uq_outage_request_id")),
    )  # fmt: skip
    op.create_index(
        "ix_outage_open", "outage", ["begins_at"], postgresql_where=sa.text("status IN ('announced', 'running')")
    )
    op.create_index("idx_outage_geom", "outage", ["geom"], postgresql_using="gist")


def _parts() -> None:
    op.create_table(
        "outage_valve",
        _int("outage_id", big=True), _int("valve_id", big=True), _int("position"), _text("action", 8), _text("role", 8),
        sa.Column("held", sa.Boolean(), server_default="true", nullable=False),
        _at("turned_at"), _int("turned_by", big=True, nullable=True), _at("back_at"), _int("back_by", big=True, nullable=True),
        _check("outage_valve", "action", "action IN ('close', 'open')"),
        postgresql.ExcludeConstraint(
            (sa.column("valve_id"), "="), (sa.column("action"), "<>"), using="gist", name="ex_outage_valve_one_way",
            where=sa.text("held"),
        ),
        _fk("outage_valve", "outage_id", "outage", "CASCADE"), _fk("outage_valve", "valve_id", "valve"),
        _fk("outage_valve", "turned_by", "app_user"), _fk("outage_valve", "back_by", "app_user"),
        sa.PrimaryKeyConstraint("outage_id", "valve_id", name=op.f("pk_outage_valve")),
    )  # fmt: skip
    op.create_table(
        "outage_point",
        _int("outage_id", big=True), _int("supply_point_id", big=True), _text("name", 120), _text("utility", 12),
        _int("area_id", big=True, nullable=True), _text("area", 120), _text("unit", 120),
        _int("households"), _int("people"), _int("vulnerable_households"), _place(),
        _fk("outage_point", "outage_id", "outage", "CASCADE"), _fk("outage_point", "area_id", "area"),
        sa.PrimaryKeyConstraint("outage_id", "supply_point_id", name=op.f("pk_outage_point")),
    )  # fmt: skip
    op.create_index(op.f("ix_outage_point_area_id"), "outage_point", ["area_id"])
    op.create_index("idx_outage_point_geom", "outage_point", ["geom"], postgresql_using="gist")


def downgrade() -> None:
    for table in ("repair_limit", "outage_point", "outage_valve", "outage"):
        op.drop_table(table)
