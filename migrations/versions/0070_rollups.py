"""Count complaints as they change: two rollups of differences, kept by statement-level triggers on `complaint`.

A trigger per statement, not per row: a chunk of an import costs one aggregate. Differences are appended, never updated in
place: sorted upserts lose to it where several people close complaints of one body at once (they wait for each other's
commit), and can lock each other out in transactions of more than one statement.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0070"
down_revision = "0060"
branch_labels = None
depends_on = None

# What a complaint adds to the rollups; `sign` is -1 for what it was before.
_TALLY = """
    INSERT INTO complaint_tally (district_id, unit_id, total, not_located)
    SELECT district_id, unit_id, sum(sign), coalesce(sum(sign) FILTER (WHERE located = 'not_located'), 0)
      FROM ({rows}) changed
     GROUP BY district_id, unit_id
    HAVING sum(sign) <> 0 OR coalesce(sum(sign) FILTER (WHERE located = 'not_located'), 0) <> 0
"""
_DAY = """
    INSERT INTO complaint_day (day, kind, key_id, received, closed)
    SELECT day, CASE WHEN grouping(unit_id) = 1 THEN 'district' ELSE 'unit' END,
           CASE WHEN grouping(unit_id) = 1 THEN district_id ELSE unit_id END, sum(received), sum(closed)
      FROM (SELECT (received_at AT TIME ZONE {clock})::date AS day, district_id, unit_id, sign AS received, 0 AS closed
              FROM ({rows}) r
             UNION ALL
            SELECT (closed_at AT TIME ZONE {clock})::date, district_id, unit_id, 0, sign
              FROM ({rows}) c WHERE closed_at IS NOT NULL) changed
     GROUP BY GROUPING SETS ((day, district_id), (day, unit_id))
    HAVING sum(received) <> 0 OR sum(closed) <> 0
     ORDER BY 2, 1
"""
_COLUMNS = "district_id, unit_id, located, received_at, closed_at"
_ADDED = f"SELECT {_COLUMNS}, 1 AS sign FROM added"
_REMOVED = f"SELECT {_COLUMNS}, -1 AS sign FROM removed"
_ROWS = {"insert": _ADDED, "delete": _REMOVED, "update": f"{_ADDED} UNION ALL {_REMOVED}"}
_TABLES = {"insert": "NEW TABLE AS added", "delete": "OLD TABLE AS removed",
           "update": "NEW TABLE AS added OLD TABLE AS removed"}  # fmt: skip


def _function(event: str) -> str:
    return f"""
        CREATE FUNCTION count_complaints_{event}() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE clock text := (SELECT zone FROM counting_clock);
        BEGIN
            {_TALLY.format(rows=_ROWS[event])};
            {_DAY.format(rows=_ROWS[event], clock="clock")};
            RETURN NULL;
        END $$
    """


def upgrade() -> None:
    number = lambda name, null=False: sa.Column(name, sa.BigInteger(), nullable=null)  # noqa: E731
    op.create_table(
        "counting_clock",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_counting_clock_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_counting_clock")),
    )
    op.create_table(
        "complaint_tally",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        number("district_id", null=True), number("unit_id", null=True), number("total"), number("not_located"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint_tally")),
    )  # fmt: skip
    op.create_table(
        "complaint_day",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        number("key_id", null=True), number("received"), number("closed"),
        sa.CheckConstraint("kind IN ('district', 'unit')", name=op.f("ck_complaint_day_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint_day")),
    )  # fmt: skip
    op.create_index("ix_complaint_day_kind_day", "complaint_day", ["kind", "day"])
    op.execute("INSERT INTO counting_clock (id, zone) VALUES (1, 'Asia/Shanghai')")
    _fill()
    for event in _ROWS:
        op.execute(_function(event))
        op.execute(
            f"CREATE TRIGGER complaint_counted_{event} AFTER {event} ON complaint REFERENCING {_TABLES[event]} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION count_complaints_{event}()"
        )


def _fill() -> None:
    """Count what is there already; nobody writes complaints meanwhile."""
    op.execute("LOCK TABLE complaint IN SHARE ROW EXCLUSIVE MODE")
    op.execute(
        "INSERT INTO complaint_tally (district_id, unit_id, total, not_located) SELECT district_id, unit_id, count(*), "
        "count(*) FILTER (WHERE located = 'not_located') FROM complaint GROUP BY 1, 2"
    )
    op.execute(_DAY.format(rows=f"SELECT {_COLUMNS}, 1 AS sign FROM complaint", clock="'Asia/Shanghai'"))


def downgrade() -> None:
    for event in _ROWS:
        op.execute(f"DROP TRIGGER complaint_counted_{event} ON complaint")
        op.execute(f"DROP FUNCTION count_complaints_{event}()")
    op.drop_index("ix_complaint_day_kind_day", table_name="complaint_day")
    for table in ("complaint_day", "complaint_tally", "counting_clock"):
        op.drop_table(table)
