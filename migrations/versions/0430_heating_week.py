"""Heating seasons with their history, themed weeks with their targets, problems found on the spot and solved, patrols."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0430"
down_revision = "0420"
branch_labels = None
depends_on = None

_AT = sa.DateTime(timezone=True)
_DURING = postgresql.TSTZRANGE()
_SEASON_VERBS = "verb IN ('entered', 'moved')"
_UTILITIES = "utility IN ('heat', 'water', 'gas', 'drainage', 'road', 'light', 'sanitation', 'telecom', 'other')"
_KEYS = (
    "key IN ('calls', 'same_day', 'closing', 'supervisions', 'problems_solved', 'carried_out', 'satisfied')"
)  # fmt: skip


def upgrade() -> None:
    _seasons()
    _weeks()
    _patrols()
    op.add_column("visit", sa.Column("station_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_visit_station_id"), "visit", "station", ["station_id"], ["id"])
    op.create_index("ix_visit_station_id", "visit", ["station_id"])
    op.add_column("matter", sa.Column("solved_at", _AT, nullable=True))
    op.add_column("matter", sa.Column("solved_by", sa.BigInteger(), nullable=True))
    op.add_column("matter", sa.Column("solution", sa.Text(), server_default="", nullable=False))
    op.create_foreign_key(op.f("fk_matter_solved_by"), "matter", "app_user", ["solved_by"], ["id"])
    op.create_check_constraint(op.f("ck_matter_solved"), "matter", "(solved_at IS NULL) = (solution = '')")


def _seasons() -> None:
    op.create_table(
        "heating_season",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("city", sa.String(40), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("during", _DURING, nullable=False),
        sa.Column("source", sa.String(300), nullable=False),
        sa.Column("note", sa.String(300), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "NOT isempty(during) AND NOT lower_inf(during) AND NOT upper_inf(during)", name=op.f("ck_heating_season_during")
        ),
        sa.CheckConstraint("year BETWEEN 1950 AND 2200", name=op.f("ck_heating_season_year")),
        postgresql.ExcludeConstraint(("city", "="), ("during", "&&"), name="ex_heating_season_city", using="gist"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_heating_season")),
    )  # fmt: skip
    op.create_index("uq_heating_season_city_year", "heating_season", ["city", "year"], unique=True)
    op.create_table(
        "season_change",
        sa.Column("season_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", _AT, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("verb", sa.String(10), nullable=False),
        sa.Column("before", _DURING, nullable=True),
        sa.Column("after", _DURING, nullable=False),
        sa.Column("reason", sa.String(300), server_default="", nullable=False),
        sa.Column("source", sa.String(300), nullable=False),
        sa.CheckConstraint(_SEASON_VERBS, name=op.f("ck_season_change_verb")),
        sa.ForeignKeyConstraint(["season_id"], ["heating_season.id"], name=op.f("fk_season_change_season_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_season_change_user_id")),
        sa.PrimaryKeyConstraint("season_id", "version", name=op.f("pk_season_change")),
    )


def _weeks() -> None:
    op.create_table(
        "themed_week",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("city", sa.String(40), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("name_en", sa.String(120), server_default="", nullable=False),
        sa.Column("utility", sa.String(12), server_default="heat", nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("source", sa.String(300), nullable=False),
        sa.Column("synthetic", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(_UTILITIES, name=op.f("ck_themed_week_utility")),
        sa.CheckConstraint("last >= first", name=op.f("ck_themed_week_period")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_themed_week")),
    )
    op.create_index("uq_themed_week_city_first_name", "themed_week", ["city", "first", "name"], unique=True)
    op.create_table(
        "week_target",
        sa.Column("week_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(20), nullable=False),
        sa.Column("value", sa.Numeric(12, 2), nullable=False),
        sa.Column("source", sa.String(300), nullable=False),
        sa.CheckConstraint(_KEYS, name=op.f("ck_week_target_key")),
        sa.CheckConstraint("value >= 0", name=op.f("ck_week_target_value")),
        sa.ForeignKeyConstraint(
            ["week_id"], ["themed_week.id"], name=op.f("fk_week_target_week_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("week_id", "key", name=op.f("pk_week_target")),
    )


def _patrols() -> None:
    op.create_table(
        "patrol",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("made_at", _AT, nullable=False),
        sa.Column("made_by", sa.BigInteger(), nullable=True),
        sa.Column("synthetic", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("status IN ('planned', 'ended', 'called_off')", name=op.f("ck_patrol_status")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_patrol_user_id")),
        sa.ForeignKeyConstraint(["made_by"], ["app_user.id"], name=op.f("fk_patrol_made_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrol")),
    )
    op.create_index("ix_patrol_user_id_on_day", "patrol", ["user_id", "on_day"])
    op.create_index("ix_patrol_on_day", "patrol", ["on_day"])
    op.create_table(
        "patrol_stop",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("patrol_id", sa.BigInteger(), nullable=False),
        sa.Column("station_id", sa.BigInteger(), nullable=True),
        sa.Column("point_id", sa.Integer(), nullable=True),
        sa.Column("stop_no", sa.Integer(), nullable=False),
        sa.Column("travel_s", sa.Double(), nullable=True),
        sa.Column("outcome", sa.String(10), nullable=True),
        sa.Column("told_at", _AT, nullable=True),
        sa.Column("received_at", _AT, nullable=True),
        sa.Column("told_by", sa.BigInteger(), nullable=True),
        sa.Column("change_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("readings", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("out_of_band", sa.Integer(), server_default="0", nullable=False),
        sa.Column("position", Geometry("POINT", 4326, spatial_index=False), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("num_nonnulls(station_id, point_id) = 1", name=op.f("ck_patrol_stop_one_place")),
        sa.CheckConstraint("outcome IS NULL OR outcome IN ('visited', 'skipped')", name=op.f("ck_patrol_stop_outcome")),
        sa.CheckConstraint("(outcome IS NULL) = (told_at IS NULL)", name=op.f("ck_patrol_stop_told")),
        sa.CheckConstraint("stop_no > 0 AND out_of_band >= 0", name=op.f("ck_patrol_stop_numbers")),
        sa.ForeignKeyConstraint(
            ["patrol_id"], ["patrol.id"], name=op.f("fk_patrol_stop_patrol_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_patrol_stop_station_id")),
        sa.ForeignKeyConstraint(["point_id"], ["measuring_point.id"], name=op.f("fk_patrol_stop_point_id")),
        sa.ForeignKeyConstraint(["told_by"], ["app_user.id"], name=op.f("fk_patrol_stop_told_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrol_stop")),
    )
    op.create_index(op.f("ix_patrol_stop_patrol_id"), "patrol_stop", ["patrol_id"])
    for column in ("station_id", "point_id"):
        op.create_index(
            f"uq_patrol_stop_patrol_id_{column}", "patrol_stop", ["patrol_id", column], unique=True,
            postgresql_where=sa.text(f"{column} IS NOT NULL"),
        )  # fmt: skip
    op.create_index("uq_patrol_stop_change_id", "patrol_stop", ["change_id"], unique=True)
    op.create_index("ix_patrol_stop_station_id_told_at", "patrol_stop", ["station_id", "told_at"])


def downgrade() -> None:
    op.drop_table("patrol_stop")
    op.drop_table("patrol")
    op.drop_constraint(op.f("ck_matter_solved"), "matter")
    for column in ("solution", "solved_by", "solved_at"):
        op.drop_column("matter", column)
    op.drop_column("visit", "station_id")
    for table in ("week_target", "themed_week", "season_change", "heating_season"):
        op.drop_table(table)
