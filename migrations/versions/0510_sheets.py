"""Pack the places of complaints by day and category: differences appended by statement-level triggers, as the rollups are.

One record of 16 bytes for each place, so that a million complaints are 16 MB that are read in one go, whatever is asked for:
squares of any size, hexagons, densities, weeks. The metres are of one plane for the whole city. An update that moves
nothing (nearly all: steps of a complaint's life) appends nothing.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects.postgresql import JSONB

revision = "0510"
down_revision = "0500"
branch_labels = None
depends_on = None

# 4 degrees and more beside the middle of a zone metres mean little; farther out the transformation may even fail.
_NEAR = "abs(ST_X(geom) - p.near_lon) <= 6 AND abs(ST_Y(geom)) <= 84"
_ROWS = """
    SELECT (c.received_at AT TIME ZONE p.zone)::date AS day, c.category, coalesce(c.district_id, 0)::int AS district, c.sign,
           CASE WHEN c.geom IS NULL THEN NULL WHEN {near} THEN ST_Transform(c.geom, p.epsg) END AS at,
           CASE WHEN c.geom IS NULL THEN -2147483648 ELSE -2147483647 END AS lost
      FROM ({changed}) c, sheet_plane p
"""
_SHEETS = """
    INSERT INTO place_sheet (day, category, places)
    SELECT day, category, string_agg(int4send(x) || int4send(y) || int4send(district) || int4send(n), ''::bytea ORDER BY y, x)
      FROM (SELECT day, category, district, coalesce(floor(ST_X(at))::int, lost) AS x, coalesce(floor(ST_Y(at))::int, lost) AS y,
                   sum(sign)::int AS n
              FROM ({rows}) placed GROUP BY 1, 2, 3, 4, 5 HAVING sum(sign) <> 0) summed
     GROUP BY day, category ORDER BY day, category
"""
_COLUMNS = "id, received_at, category, district_id, geom"
_MOVED = "(a.received_at, a.category, a.district_id, a.geom) IS DISTINCT FROM (r.received_at, r.category, r.district_id, r.geom)"
_CHANGED = {
    "insert": f"SELECT {_COLUMNS}, 1 AS sign FROM added",
    "delete": f"SELECT {_COLUMNS}, -1 AS sign FROM removed",
    "update": f"SELECT a.*, 1 AS sign FROM (SELECT {_COLUMNS} FROM added) a JOIN removed r USING (id) WHERE {_MOVED} UNION ALL "
    f"SELECT r.*, -1 AS sign FROM (SELECT {_COLUMNS} FROM removed) r JOIN added a USING (id) WHERE {_MOVED}",
}
_TABLES = {"insert": "NEW TABLE AS added", "delete": "OLD TABLE AS removed",
           "update": "NEW TABLE AS added OLD TABLE AS removed"}  # fmt: skip


def _pack(changed: str) -> str:
    return _SHEETS.format(rows=_ROWS.format(changed=changed, near=_NEAR.replace("geom", "c.geom")))


def upgrade() -> None:
    op.create_table(
        "sheet_plane",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("epsg", sa.Integer(), nullable=False),
        sa.Column("near_lon", sa.Float(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_sheet_plane_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sheet_plane")),
    )
    op.create_table(
        "place_sheet",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("category", sa.String(40), nullable=False),
        sa.Column("places", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_place_sheet")),
    )
    op.create_index("ix_place_sheet_day_category", "place_sheet", ["day", "category"])
    # read whole and at once: inline as long as a page allows, never compressed
    op.execute("ALTER TABLE place_sheet ALTER COLUMN places SET STORAGE EXTERNAL")
    op.execute("ALTER TABLE place_sheet SET (toast_tuple_target = 8160)")
    # the plane of Shandong's east; the worker moves it to where the bureau's districts are
    op.execute("INSERT INTO sheet_plane (id, zone, epsg, near_lon) VALUES (1, 'Asia/Shanghai', 4549, 120)")
    _works()
    op.execute("LOCK TABLE complaint IN SHARE ROW EXCLUSIVE MODE")
    op.execute(_pack(f"SELECT {_COLUMNS}, 1 AS sign FROM complaint"))
    for event, changed in _CHANGED.items():
        op.execute(
            f"CREATE FUNCTION sheet_complaints_{event}() RETURNS trigger LANGUAGE plpgsql AS $$ "
            f"BEGIN {_pack(changed)}; RETURN NULL; END $$"
        )
        op.execute(
            f"CREATE TRIGGER complaint_sheeted_{event} AFTER {event} ON complaint REFERENCING {_TABLES[event]} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION sheet_complaints_{event}()"
        )


def _works() -> None:
    """What was made of a finding."""
    op.create_table(
        "hotspot_work",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("thing_id", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.BigInteger(), nullable=True),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("acts_on", sa.Date(), nullable=False),
        sa.Column("place", sa.String(160), server_default="", nullable=False),
        sa.Column("cell_key", sa.String(80), nullable=False),
        sa.Column("geom", Geometry("POINT", 4326, spatial_index=False), nullable=False),
        sa.Column("district_id", sa.BigInteger(), nullable=True),
        sa.Column("question", JSONB(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("z", sa.Float(), nullable=True),
        sa.Column("label", sa.String(12), nullable=False),
        sa.Column("note", sa.String(300), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("kind IN ('visit', 'special_week', 'incident')", name=op.f("ck_hotspot_work_kind")),
        sa.CheckConstraint("last >= first AND acts_on > last", name=op.f("ck_hotspot_work_days")),
        sa.CheckConstraint("count >= 0", name=op.f("ck_hotspot_work_count")),
        sa.ForeignKeyConstraint(["made_by"], ["app_user.id"], name=op.f("fk_hotspot_work_made_by")),
        sa.ForeignKeyConstraint(["district_id"], ["area.id"], name=op.f("fk_hotspot_work_district_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hotspot_work")),
    )
    op.create_index("idx_hotspot_work_geom", "hotspot_work", ["geom"], postgresql_using="gist")
    op.create_index("uq_hotspot_work_found", "hotspot_work", ["kind", "first", "last", "cell_key"], unique=True)


def downgrade() -> None:
    op.drop_table("hotspot_work")
    for event in _CHANGED:
        op.execute(f"DROP TRIGGER complaint_sheeted_{event} ON complaint")
        op.execute(f"DROP FUNCTION sheet_complaints_{event}()")
    op.drop_index("ix_place_sheet_day_category", table_name="place_sheet")
    op.drop_table("place_sheet")
    op.drop_table("sheet_plane")
