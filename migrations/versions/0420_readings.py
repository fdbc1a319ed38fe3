"""Measuring points, readings by month, faults, rules of alarm and alarms; room tests and the city's refund tables.

`make_reading_months` runs as the owner of the tables: the application adds readings but may not make tables. It makes a
partition beside the parent and attaches it, which keeps nobody from reading or writing meanwhile.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0420"
down_revision = "0410"
branch_labels = None
depends_on = None

TABLES = ("room_test", "refund_rule", "alarm", "alarm_rule", "reading_fault", "reading", "measuring_point")
MONTHS = """
    CREATE FUNCTION make_reading_months(months date[]) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE first date; part text; made integer := 0;
    BEGIN
        FOR first IN SELECT DISTINCT date_trunc('month', m)::date FROM unnest(months) m ORDER BY 1 LOOP
            part := 'reading_' || to_char(first, 'YYYY_MM');
            CONTINUE WHEN EXISTS (SELECT FROM pg_class WHERE relname = part AND relnamespace = 'public'::regnamespace);
            IF first < '1990-01-01' OR first > '2199-12-31' THEN
                RAISE EXCEPTION 'no readings are kept of %', first USING ERRCODE = '22008';
            END IF;
            PERFORM pg_advisory_xact_lock(8319, 420);
            -- asked of the table itself: what the session remembers of names is older than the lock
            CONTINUE WHEN EXISTS (SELECT FROM pg_class WHERE relname = part AND relnamespace = 'public'::regnamespace);
            EXECUTE format('CREATE TABLE %I (LIKE reading INCLUDING ALL) WITH (autovacuum_vacuum_insert_scale_factor = 0,'
                           ' autovacuum_vacuum_insert_threshold = 100000)', part);  -- keys are read without the rows behind them
            EXECUTE format('ALTER TABLE reading ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', part,
                           first || ' 00:00:00+00', (first + interval '1 month')::date || ' 00:00:00+00');
            made := made + 1;
        END LOOP;
        RETURN made;
    END $$
"""


def upgrade() -> None:
    _points()
    _alarms()
    _rooms()
    op.execute(MONTHS)


def _points() -> None:
    op.create_table(
        "measuring_point",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("quantity", sa.String(length=12), nullable=False),
        sa.Column("side", sa.String(length=16), nullable=False),
        sa.Column("utility", sa.String(length=12), server_default="heat", nullable=False),
        sa.Column("unit", sa.String(length=8), nullable=False),
        sa.Column("place", sa.String(length=80), server_default="", nullable=False),
        sa.Column("station_id", sa.BigInteger(), nullable=True),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("area_id", sa.BigInteger(), nullable=True),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("synthetic", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("geom", Geometry("POINT", 4326, spatial_index=False), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("quantity IN ('temperature', 'pressure', 'flow')", name=op.f("ck_measuring_point_quantity")),
        sa.CheckConstraint("side <> 'room' OR place <> ''", name=op.f("ck_measuring_point_place")),
        sa.CheckConstraint(
            "side IN ('primary_supply', 'primary_return', 'secondary_supply', 'secondary_return', 'main', 'room', 'outdoor')",
            name=op.f("ck_measuring_point_side"),
        ),
        sa.CheckConstraint(
            "station_id IS NOT NULL OR NOT side IN ('primary_return', 'primary_supply', 'secondary_return', 'secondary_supply')",
            name=op.f("ck_measuring_point_station"),
        ),
        sa.CheckConstraint(
            "utility IN ('heat', 'water', 'gas', 'drainage', 'road', 'light', 'sanitation', 'telecom', 'other')",
            name=op.f("ck_measuring_point_utility"),
        ),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_measuring_point_area_id")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_measuring_point_station_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_measuring_point_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measuring_point")),
        sa.UniqueConstraint("code", name=op.f("uq_measuring_point_code")),
    )
    op.create_index("idx_measuring_point_geom", "measuring_point", ["geom"], unique=False, postgresql_using="gist")
    op.create_index(op.f("ix_measuring_point_area_id"), "measuring_point", ["area_id"], unique=False)
    op.create_index(op.f("ix_measuring_point_station_id"), "measuring_point", ["station_id"], unique=False)
    op.create_index(op.f("ix_measuring_point_unit_id"), "measuring_point", ["unit_id"], unique=False)
    op.create_table(
        "reading",
        sa.Column("point_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("contradicted", sa.Boolean(), server_default="false", nullable=False),
        sa.PrimaryKeyConstraint(
            "point_id", "at", name=op.f("pk_reading"), postgresql_include=["value", "contradicted"]
        ),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_table(
        "reading_fault",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("object", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("came_by", sa.String(length=8), nullable=False),
        sa.Column("point_id", sa.Integer(), nullable=True),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.Column("example", sa.String(length=200), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("came_by IN ('api', 'file', 'mqtt', 'phone')", name=op.f("ck_reading_fault_came_by")),
        sa.CheckConstraint(
            "kind IN ('unreadable', 'unknown_point', 'unknown_unit', 'no_time', 'future', 'too_old', 'not_a_number', 'infinite', 'impossible', 'contradicts')",
            name=op.f("ck_reading_fault_kind"),
        ),
        sa.ForeignKeyConstraint(["point_id"], ["measuring_point.id"], name=op.f("fk_reading_fault_point_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reading_fault")),
        sa.UniqueConstraint("day", "object", "kind", "came_by", name=op.f("uq_reading_fault_day_object_kind_came_by")),
    )
    op.create_index(op.f("ix_reading_fault_point_id"), "reading_fault", ["point_id"], unique=False)


def _alarms() -> None:
    op.create_table(
        "alarm_rule",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("point_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.Column("knots", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("other_id", sa.Integer(), nullable=True),
        sa.Column("hysteresis", sa.Double(), server_default="0", nullable=False),
        sa.Column("open_min", sa.Integer(), server_default="0", nullable=False),
        sa.Column("clear_min", sa.Integer(), server_default="0", nullable=False),
        sa.Column("silent_min", sa.Integer(), nullable=True),
        sa.Column("valid", postgresql.DATERANGE(), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.Column("synthetic", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("point_id"), "="),
            (sa.column("kind"), "="),
            (sa.column("valid"), "&&"),
            using="gist",
            name="ex_alarm_rule_valid",
        ),
        sa.CheckConstraint("(kind = 'curve') = (knots IS NOT NULL)", name=op.f("ck_alarm_rule_knots")),
        sa.CheckConstraint("(kind = 'silence') = (silent_min IS NOT NULL)", name=op.f("ck_alarm_rule_silent_min")),
        sa.CheckConstraint("(kind IN ('curve', 'swapped')) = (other_id IS NOT NULL)", name=op.f("ck_alarm_rule_other")),
        sa.CheckConstraint(
            "kind <> 'curve' OR coalesce(low, 0) >= 0 AND coalesce(high, 0) >= 0", name=op.f("ck_alarm_rule_deviation")
        ),
        sa.CheckConstraint("kind IN ('band', 'curve', 'swapped', 'silence')", name=op.f("ck_alarm_rule_kind")),
        sa.CheckConstraint(
            "kind NOT IN ('band', 'curve') OR low IS NOT NULL OR high IS NOT NULL", name=op.f("ck_alarm_rule_limits")
        ),
        sa.CheckConstraint(
            "low IS NULL OR high IS NULL OR kind = 'curve' OR low < high", name=op.f("ck_alarm_rule_order")
        ),
        sa.CheckConstraint("source <> ''", name=op.f("ck_alarm_rule_source")),
        sa.CheckConstraint(
            "hysteresis >= 0 AND open_min >= 0 AND clear_min >= 0 AND silent_min > 0",
            name=op.f("ck_alarm_rule_numbers"),
        ),
        sa.ForeignKeyConstraint(["made_by"], ["app_user.id"], name=op.f("fk_alarm_rule_made_by")),
        sa.ForeignKeyConstraint(["other_id"], ["measuring_point.id"], name=op.f("fk_alarm_rule_other_id")),
        sa.ForeignKeyConstraint(["point_id"], ["measuring_point.id"], name=op.f("fk_alarm_rule_point_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm_rule")),
    )
    op.create_index(op.f("ix_alarm_rule_point_id"), "alarm_rule", ["point_id"], unique=False)
    op.create_table(
        "alarm",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("point_id", sa.Integer(), nullable=False),
        sa.Column("rule_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("way", sa.String(length=8), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("wanted", sa.Double(), nullable=True),
        sa.Column("noticed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cleared_value", sa.Double(), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("kind IN ('band', 'curve', 'swapped', 'silence')", name=op.f("ck_alarm_kind")),
        sa.CheckConstraint("way IN ('low', 'high', 'silent', 'swapped')", name=op.f("ck_alarm_way")),
        sa.CheckConstraint("(acknowledged_at IS NULL) = (acknowledged_by IS NULL)", name=op.f("ck_alarm_acknowledged")),
        sa.CheckConstraint("cleared_at IS NULL OR cleared_at >= opened_at", name=op.f("ck_alarm_cleared_at")),
        sa.ForeignKeyConstraint(["acknowledged_by"], ["app_user.id"], name=op.f("fk_alarm_acknowledged_by")),
        sa.ForeignKeyConstraint(["point_id"], ["measuring_point.id"], name=op.f("fk_alarm_point_id")),
        sa.ForeignKeyConstraint(["rule_id"], ["alarm_rule.id"], name=op.f("fk_alarm_rule_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm")),
    )
    op.create_index("ix_alarm_opened_at", "alarm", ["opened_at"], unique=False)
    op.create_index(op.f("ix_alarm_point_id"), "alarm", ["point_id"], unique=False)
    op.create_index(
        "uq_alarm_open", "alarm", ["point_id", "kind"], unique=True, postgresql_where=sa.text("cleared_at IS NULL")
    )


def _rooms() -> None:
    op.create_table(
        "refund_rule",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("city", sa.String(length=40), nullable=False),
        sa.Column("low_c", sa.Numeric(precision=4, scale=1), nullable=True),
        sa.Column("high_c", sa.Numeric(precision=4, scale=1), nullable=True),
        sa.Column("percent", sa.Numeric(precision=5, scale=2), nullable=False),
        sa.Column("valid", postgresql.DATERANGE(), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.Column("synthetic", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("city"), "="),
            (sa.text("numrange(low_c, high_c, '[)')"), "&&"),
            (sa.column("valid"), "&&"),
            using="gist",
            name="ex_refund_rule_degrees",
        ),
        sa.CheckConstraint("city <> '' AND source <> ''", name=op.f("ck_refund_rule_source")),
        sa.CheckConstraint("low_c < high_c", name=op.f("ck_refund_rule_degrees")),
        sa.CheckConstraint("percent BETWEEN 0 AND 100", name=op.f("ck_refund_rule_percent")),
        sa.ForeignKeyConstraint(["made_by"], ["app_user.id"], name=op.f("fk_refund_rule_made_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_rule")),
    )
    op.create_table(
        "room_test",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("complaint_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=10), server_default="requested", nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requested_by", sa.BigInteger(), nullable=True),
        sa.Column("measure_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("overdue_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("measured_by", sa.BigInteger(), nullable=True),
        sa.Column("temperature_c", sa.Numeric(precision=4, scale=1), nullable=True),
        sa.Column("outdoor_c", sa.Numeric(precision=4, scale=1), nullable=True),
        sa.Column("room", sa.String(length=40), server_default="", nullable=False),
        sa.Column("openings", sa.String(length=8), nullable=True),
        sa.Column("conditions", sa.Text(), server_default="", nullable=False),
        sa.Column("city", sa.String(length=40), server_default="", nullable=False),
        sa.Column("rule_id", sa.BigInteger(), nullable=True),
        sa.Column("proposed_percent", sa.Numeric(precision=5, scale=2), nullable=True),
        sa.Column("proposed_days", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_percent", sa.Numeric(precision=5, scale=2), nullable=True),
        sa.Column("decided_days", sa.Integer(), nullable=True),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "(status = 'decided') = (decided_at IS NOT NULL) AND (status = 'decided') = (decided_percent IS NOT NULL) AND (status = 'decided') = (decided_days IS NOT NULL)",
            name=op.f("ck_room_test_decided"),
        ),
        sa.CheckConstraint(
            "openings IS NULL OR openings IN ('closed', 'open', 'unknown')", name=op.f("ck_room_test_openings")
        ),
        sa.CheckConstraint(
            "status IN ('requested', 'cancelled') OR temperature_c IS NOT NULL AND measured_at IS NOT NULL",
            name=op.f("ck_room_test_measured"),
        ),
        sa.CheckConstraint(
            "status IN ('requested', 'measured', 'decided', 'cancelled')", name=op.f("ck_room_test_status")
        ),
        sa.CheckConstraint(
            "decided_percent BETWEEN 0 AND 100 AND decided_days >= 0", name=op.f("ck_room_test_decision")
        ),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaint.id"], name=op.f("fk_room_test_complaint_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["decided_by"], ["app_user.id"], name=op.f("fk_room_test_decided_by")),
        sa.ForeignKeyConstraint(["measured_by"], ["app_user.id"], name=op.f("fk_room_test_measured_by")),
        sa.ForeignKeyConstraint(["requested_by"], ["app_user.id"], name=op.f("fk_room_test_requested_by")),
        sa.ForeignKeyConstraint(["rule_id"], ["refund_rule.id"], name=op.f("fk_room_test_rule_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_room_test")),
    )
    op.create_index(op.f("ix_room_test_complaint_id"), "room_test", ["complaint_id"], unique=False)
    op.create_index(
        "ix_room_test_measure_by",
        "room_test",
        ["measure_by"],
        unique=False,
        postgresql_where=sa.text("status = 'requested'"),
    )
    op.create_index(
        "uq_room_test_open",
        "room_test",
        ["complaint_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('requested', 'measured')"),
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION make_reading_months(date[])")
    for table in TABLES:
        op.drop_table(table)
