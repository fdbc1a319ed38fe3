"""The house: people, places, complaints, crews, orders, inspections, networks, coverage, journal."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

import gis.journal

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.create_geospatial_table(
        "building",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=160), nullable=True),
        sa.Column("height_m", sa.Double(), nullable=True),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_building")),
        sa.UniqueConstraint("code", name=op.f("uq_building_code")),
    )
    op.create_geospatial_index(
        "idx_building_geom", "building", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_table(
        "calendar_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("is_working", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_calendar_day")),
    )
    op.create_table(
        "calendar_year",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_calendar_year")),
    )
    op.create_table(
        "category",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=80), nullable=False),
        sa.Column("utility", sa.String(length=12), nullable=False),
        sa.Column("skill", sa.String(length=40), nullable=False),
        sa.Column("complexity", sa.String(length=12), nullable=False),
        sa.Column("work_min", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_category")),
        sa.UniqueConstraint("number", name=op.f("uq_category_number")),
    )
    op.create_table(
        "checklist",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("items", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("code", "revision", name=op.f("pk_checklist")),
    )
    op.create_table(
        "failed_sign_in",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("address", sa.String(length=60), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_failed_sign_in")),
    )
    op.create_index("ix_failed_sign_in_name_at", "failed_sign_in", ["name", "at"], unique=False)
    op.create_geospatial_table(
        "gazetteer_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gazetteer_entry")),
    )
    op.create_geospatial_index(
        "idx_gazetteer_entry_geom",
        "gazetteer_entry",
        ["geom"],
        unique=False,
        postgresql_using="gist",
        postgresql_ops={},
    )
    op.create_index(op.f("ix_gazetteer_entry_name"), "gazetteer_entry", ["name"], unique=False)
    op.create_index("uq_gazetteer_entry_code", "gazetteer_entry", ["code"], unique=True)
    op.create_table(
        "journal",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("txid", gis.journal.Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("device_id", sa.BigInteger(), nullable=True),
        sa.Column("verb", sa.String(length=40), nullable=False),
        sa.Column("thing", sa.String(length=40), nullable=False),
        sa.Column("thing_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("area_id", sa.BigInteger(), nullable=True),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "data", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_journal")),
    )
    op.create_index("ix_journal_thing_thing_id", "journal", ["thing", "thing_id"], unique=False)
    op.create_index("ix_journal_txid_seq", "journal", ["txid", "seq"], unique=False)
    op.create_table(
        "road_network",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_road_network")),
        sa.UniqueConstraint("name", name=op.f("uq_road_network_name")),
    )
    op.create_table(
        "unit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "kind IN ('bureau', 'heat_company', 'water_company', 'gas_company', 'property_company', 'contractor', 'telecom_company')",
            name=op.f("ck_unit_kind"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit")),
        sa.UniqueConstraint("code", name=op.f("uq_unit_code")),
    )
    op.create_geospatial_table(
        "area",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("level", sa.String(length=12), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("households", sa.Integer(), server_default="0", nullable=False),
        sa.Column("people", sa.Integer(), server_default="0", nullable=False),
        sa.Column("synthetic", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("source", sa.String(length=300), server_default="", nullable=False),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "level IN ('city', 'district', 'street', 'community', 'compound', 'cell')", name=op.f("ck_area_level")
        ),
        sa.CheckConstraint("households >= 0 AND people >= 0", name=op.f("ck_area_counts")),
        sa.ForeignKeyConstraint(["parent_id"], ["area.id"], name=op.f("fk_area_parent_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_area_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_area")),
        sa.UniqueConstraint("code", name=op.f("uq_area_code")),
    )
    op.create_geospatial_index(
        "idx_area_geom", "area", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_area_level"), "area", ["level"], unique=False)
    op.create_index(op.f("ix_area_parent_id"), "area", ["parent_id"], unique=False)
    op.create_geospatial_table(
        "camera",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("height_m", sa.Double(), nullable=True),
        sa.Column("bearing_deg", sa.Double(), nullable=True),
        sa.Column("fov_deg", sa.Double(), nullable=True),
        sa.Column("range_m", sa.Double(), nullable=True),
        sa.Column("is_ptz", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("synthetic", sa.Boolean(), server_default="false", nullable=False),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("state IN ('working', 'broken', 'planned')", name=op.f("ck_camera_state")),
        sa.CheckConstraint("bearing_deg >= 0 AND bearing_deg < 360", name=op.f("ck_camera_bearing")),
        sa.CheckConstraint("fov_deg > 0 AND fov_deg <= 360", name=op.f("ck_camera_fov")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_camera_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_camera")),
        sa.UniqueConstraint("code", name=op.f("uq_camera_code")),
    )
    op.create_geospatial_index(
        "idx_camera_geom", "camera", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_geospatial_table(
        "heat_source",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_heat_source_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_heat_source")),
        sa.UniqueConstraint("code", name=op.f("uq_heat_source_code")),
    )
    op.create_geospatial_index(
        "idx_heat_source_geom", "heat_source", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_geospatial_table(
        "road_node",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("network_id", sa.BigInteger(), nullable=False),
        sa.Column("ref", sa.String(length=60), nullable=False),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["network_id"], ["road_network.id"], name=op.f("fk_road_node_network_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_road_node")),
    )
    op.create_geospatial_index(
        "idx_road_node_geom", "road_node", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index("uq_road_node_network_id_ref", "road_node", ["network_id", "ref"], unique=True)
    op.create_geospatial_table(
        "blind_spot",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("road_name", sa.String(length=160), nullable=False),
        sa.Column("from_landmark", sa.String(length=160), nullable=False),
        sa.Column("to_landmark", sa.String(length=160), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("area_id", sa.BigInteger(), nullable=True),
        sa.Column("synthetic", sa.Boolean(), server_default="false", nullable=False),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="LINESTRING",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("state IN ('reported', 'verified', 'planned', 'closed')", name=op.f("ck_blind_spot_state")),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_blind_spot_area_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blind_spot")),
        sa.UniqueConstraint("code", name=op.f("uq_blind_spot_code")),
    )
    op.create_geospatial_index(
        "idx_blind_spot_geom", "blind_spot", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_geospatial_table(
        "crew",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("area_id", sa.BigInteger(), nullable=True),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("synthetic", sa.Boolean(), server_default="false", nullable=False),
        sa.Column(
            "position",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("position_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("position_accuracy_m", sa.Double(), nullable=True),
        sa.Column("heading_deg", sa.Double(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("kind IN ('construction', 'maintenance', 'volunteer')", name=op.f("ck_crew_kind")),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_crew_area_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_crew_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crew")),
        sa.UniqueConstraint("code", name=op.f("uq_crew_code")),
    )
    op.create_geospatial_index(
        "idx_crew_position", "crew", ["position"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_geospatial_table(
        "road_edge",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("network_id", sa.BigInteger(), nullable=False),
        sa.Column("ref", sa.String(length=60), nullable=False),
        sa.Column("from_node", sa.BigInteger(), nullable=False),
        sa.Column("to_node", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=160), nullable=True),
        sa.Column("highway", sa.String(length=30), nullable=False),
        sa.Column("length_m", sa.Double(), nullable=False),
        sa.Column("forward_s", sa.Double(), nullable=True),
        sa.Column("backward_s", sa.Double(), nullable=True),
        sa.Column("walk_s", sa.Double(), nullable=True),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="LINESTRING",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["from_node"], ["road_node.id"], name=op.f("fk_road_edge_from_node"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["network_id"], ["road_network.id"], name=op.f("fk_road_edge_network_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["to_node"], ["road_node.id"], name=op.f("fk_road_edge_to_node"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_road_edge")),
    )
    op.create_geospatial_index(
        "idx_road_edge_geom", "road_edge", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_road_edge_from_node"), "road_edge", ["from_node"], unique=False)
    op.create_index(op.f("ix_road_edge_to_node"), "road_edge", ["to_node"], unique=False)
    op.create_index("uq_road_edge_network_id_ref", "road_edge", ["network_id", "ref"], unique=True)
    op.create_geospatial_table(
        "site",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("scope", sa.String(length=8), nullable=False),
        sa.Column("stage", sa.String(length=8), nullable=False),
        sa.Column("is_heating", sa.Boolean(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("area_id", sa.BigInteger(), nullable=True),
        sa.Column("synthetic", sa.Boolean(), server_default="false", nullable=False),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("scope IN ('yard', 'indoor')", name=op.f("ck_site_scope")),
        sa.CheckConstraint("stage IN ('before', 'during', 'after')", name=op.f("ck_site_stage")),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_site_area_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_site_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
        sa.UniqueConstraint("code", name=op.f("uq_site_code")),
    )
    op.create_geospatial_index(
        "idx_site_geom", "site", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_geospatial_table(
        "station",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("operator", sa.String(length=20), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("source_id", sa.BigInteger(), nullable=True),
        sa.Column("area_id", sa.BigInteger(), nullable=True),
        sa.Column("households", sa.Integer(), server_default="0", nullable=False),
        sa.Column("synthetic", sa.Boolean(), server_default="false", nullable=False),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("operator IN ('heat_company', 'property_company')", name=op.f("ck_station_operator")),
        sa.CheckConstraint("households >= 0", name=op.f("ck_station_households")),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_station_area_id")),
        sa.ForeignKeyConstraint(["source_id"], ["heat_source.id"], name=op.f("fk_station_source_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_station_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_station")),
        sa.UniqueConstraint("code", name=op.f("uq_station_code")),
    )
    op.create_geospatial_index(
        "idx_station_geom", "station", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_station_area_id"), "station", ["area_id"], unique=False)
    op.create_index(op.f("ix_station_unit_id"), "station", ["unit_id"], unique=False)
    op.create_geospatial_table(
        "weak_signal_spot",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("mast_by", sa.Date(), nullable=True),
        sa.Column("area_id", sa.BigInteger(), nullable=True),
        sa.Column("synthetic", sa.Boolean(), server_default="false", nullable=False),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "state IN ('reported', 'verified', 'planned', 'closed')", name=op.f("ck_weak_signal_spot_state")
        ),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_weak_signal_spot_area_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_weak_signal_spot")),
        sa.UniqueConstraint("code", name=op.f("uq_weak_signal_spot_code")),
    )
    op.create_geospatial_index(
        "idx_weak_signal_spot_geom",
        "weak_signal_spot",
        ["geom"],
        unique=False,
        postgresql_using="gist",
        postgresql_ops={},
    )
    op.create_table(
        "app_user",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("full_name", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("area_id", sa.BigInteger(), nullable=True),
        sa.Column("crew_id", sa.BigInteger(), nullable=True),
        sa.Column("language", sa.String(length=5), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "role IN ('dispatcher', 'planner', 'inspector', 'crew', 'call_taker', 'follow_up_caller', 'supervisor', 'unit_handler', 'administrator')",
            name=op.f("ck_app_user_role"),
        ),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_app_user_area_id")),
        sa.ForeignKeyConstraint(["crew_id"], ["crew.id"], name=op.f("fk_app_user_crew_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_app_user_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_user")),
        sa.UniqueConstraint("name", name=op.f("uq_app_user_name")),
    )
    op.create_table(
        "crew_skill",
        sa.Column("crew_id", sa.BigInteger(), nullable=False),
        sa.Column("skill", sa.String(length=40), nullable=False),
        sa.Column("certificate_no", sa.String(length=60), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["crew_id"], ["crew.id"], name=op.f("fk_crew_skill_crew_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("crew_id", "skill", name=op.f("pk_crew_skill")),
    )
    op.create_geospatial_table(
        "institution",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("station_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_institution_station_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_institution")),
        sa.UniqueConstraint("code", name=op.f("uq_institution_code")),
    )
    op.create_geospatial_index(
        "idx_institution_geom", "institution", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_institution_station_id"), "institution", ["station_id"], unique=False)
    op.create_geospatial_table(
        "pipeline",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("utility", sa.String(length=12), nullable=False),
        sa.Column("level", sa.String(length=12), nullable=False),
        sa.Column("flow", sa.String(length=8), nullable=True),
        sa.Column("diameter_mm", sa.Double(), nullable=True),
        sa.Column("material", sa.String(length=60), nullable=True),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("station_id", sa.BigInteger(), nullable=True),
        sa.Column("synthetic", sa.Boolean(), server_default="false", nullable=False),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="LINESTRING",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("flow IS NULL OR flow IN ('supply', 'return')", name=op.f("ck_pipeline_flow")),
        sa.CheckConstraint("level IN ('primary', 'secondary', 'main')", name=op.f("ck_pipeline_level")),
        sa.CheckConstraint(
            "utility IN ('heat', 'water', 'gas', 'drainage', 'road', 'light', 'sanitation', 'telecom', 'other')",
            name=op.f("ck_pipeline_utility"),
        ),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_pipeline_station_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_pipeline_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pipeline")),
        sa.UniqueConstraint("code", name=op.f("uq_pipeline_code")),
    )
    op.create_geospatial_index(
        "idx_pipeline_geom", "pipeline", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_table(
        "shift",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("crew_id", sa.BigInteger(), nullable=False),
        sa.Column("during", postgresql.TSTZRANGE(), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("crew_id"), "="), (sa.column("during"), "&&"), using="gist", name="ex_shift_crew"
        ),
        sa.ForeignKeyConstraint(["crew_id"], ["crew.id"], name=op.f("fk_shift_crew_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift")),
    )
    op.create_table(
        "device",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("queue_length", sa.Integer(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_device_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_device_token_hash")),
    )
    op.create_index(op.f("ix_device_user_id"), "device", ["user_id"], unique=False)
    op.create_table(
        "enrolment",
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["app_user.id"], name=op.f("fk_enrolment_created_by")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_enrolment_user_id")),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_enrolment")),
    )
    op.create_table(
        "import_batch",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_import_batch_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_batch")),
    )
    op.create_geospatial_table(
        "valve",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("utility", sa.String(length=12), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("pipeline_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["pipeline_id"], ["pipeline.id"], name=op.f("fk_valve_pipeline_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_valve")),
        sa.UniqueConstraint("code", name=op.f("uq_valve_code")),
    )
    op.create_geospatial_index(
        "idx_valve_geom", "valve", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_table(
        "change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("verdict", sa.String(length=12), nullable=False),
        sa.Column("reply", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "verdict IN ('applied', 'duplicate', 'conflict', 'refused')", name=op.f("ck_change_verdict")
        ),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_change_device_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change")),
    )
    op.create_index(op.f("ix_change_device_id"), "change", ["device_id"], unique=False)
    op.create_geospatial_table(
        "complaint",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("hotline_no", sa.String(length=60), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("category", sa.String(length=40), nullable=False),
        sa.Column("complexity", sa.String(length=12), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("place", sa.String(length=300), nullable=False),
        sa.Column("located", sa.String(length=12), nullable=False),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
            ),
            nullable=True,
        ),
        sa.Column("district_id", sa.BigInteger(), nullable=True),
        sa.Column("street_id", sa.BigInteger(), nullable=True),
        sa.Column("community_id", sa.BigInteger(), nullable=True),
        sa.Column("compound_id", sa.BigInteger(), nullable=True),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_by", sa.BigInteger(), nullable=True),
        sa.Column("resolve_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deadline_source", sa.String(length=200), nullable=False),
        sa.Column("calendar_missing", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("batch_id", sa.BigInteger(), nullable=True),
        sa.Column("synthetic", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("(located = 'located') = (geom IS NOT NULL)", name=op.f("ck_complaint_located_has_place")),
        sa.CheckConstraint(
            "channel IN ('12345', '12319', 'heat_hotline', 'water_hotline', 'gas_hotline', 'mailbox', 'web', 'app', 'visit', 'media', 'patrol', 'imported')",
            name=op.f("ck_complaint_channel"),
        ),
        sa.CheckConstraint("complexity IN ('ordinary', 'complex')", name=op.f("ck_complaint_complexity")),
        sa.CheckConstraint("located IN ('located', 'not_located')", name=op.f("ck_complaint_located")),
        sa.CheckConstraint(
            "status IN ('received', 'assigned', 'accepted', 'arrived', 'resolved', 'confirmed', 'reopened', 'cancelled')",
            name=op.f("ck_complaint_status"),
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name=op.f("fk_complaint_batch_id")),
        sa.ForeignKeyConstraint(["category"], ["category.code"], name=op.f("fk_complaint_category")),
        sa.ForeignKeyConstraint(["community_id"], ["area.id"], name=op.f("fk_complaint_community_id")),
        sa.ForeignKeyConstraint(["compound_id"], ["area.id"], name=op.f("fk_complaint_compound_id")),
        sa.ForeignKeyConstraint(["district_id"], ["area.id"], name=op.f("fk_complaint_district_id")),
        sa.ForeignKeyConstraint(["received_by"], ["app_user.id"], name=op.f("fk_complaint_received_by")),
        sa.ForeignKeyConstraint(["street_id"], ["area.id"], name=op.f("fk_complaint_street_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_complaint_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint")),
        sa.UniqueConstraint("hotline_no", name=op.f("uq_complaint_hotline_no")),
    )
    op.create_geospatial_index(
        "idx_complaint_geom", "complaint", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index("ix_complaint_district_id_received_at", "complaint", ["district_id", "received_at"], unique=False)
    op.create_index(
        "ix_complaint_open",
        "complaint",
        ["resolve_by"],
        unique=False,
        postgresql_where=sa.text("status IN ('received','assigned','accepted','arrived','reopened')"),
    )
    op.create_index("ix_complaint_received_at", "complaint", ["received_at"], unique=False)
    op.create_index("ix_complaint_unit_id_received_at", "complaint", ["unit_id", "received_at"], unique=False)
    op.create_table(
        "photo",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("mime", sa.String(length=40), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("device_id", sa.BigInteger(), nullable=True),
        sa.Column("file_name", sa.String(length=255), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_photo_device_id")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_photo")),
    )
    op.create_table(
        "caller",
        sa.Column("complaint_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=True),
        sa.Column("phone", sa.String(length=40), nullable=True),
        sa.Column("door_no", sa.String(length=120), nullable=True),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaint.id"], name=op.f("fk_caller_complaint_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("complaint_id", name=op.f("pk_caller")),
    )
    op.create_index(op.f("ix_caller_phone"), "caller", ["phone"], unique=False)
    op.create_table(
        "change_variant",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reviewed_by", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["change_id"], ["change.id"], name=op.f("fk_change_variant_change_id")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_change_variant_device_id")),
        sa.ForeignKeyConstraint(["reviewed_by"], ["app_user.id"], name=op.f("fk_change_variant_reviewed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_variant")),
    )
    op.create_index("uq_change_variant_change_id_sha256", "change_variant", ["change_id", "sha256"], unique=True)
    op.create_table(
        "work_order",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("order_no", sa.String(length=40), nullable=False),
        sa.Column("complaint_id", sa.BigInteger(), nullable=False),
        sa.Column("crew_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("during", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("assigned_by", sa.BigInteger(), nullable=True),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("return_reason", sa.String(length=20), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("override_reason", sa.Text(), nullable=True),
        sa.Column("minutes", sa.Double(), nullable=True),
        sa.Column("metres", sa.Double(), nullable=True),
        sa.Column("by", sa.String(length=10), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("crew_id"), "="),
            (sa.column("during"), "&&"),
            where=sa.text("status IN ('assigned','accepted','arrived')"),
            using="gist",
            name="ex_work_order_crew",
        ),
        sa.CheckConstraint(
            "return_reason IS NULL OR return_reason IN ('not_ours', 'wrong_place', 'no_skill', 'no_material', 'no_access', 'unsafe', 'other')",
            name=op.f("ck_work_order_return_reason"),
        ),
        sa.CheckConstraint(
            "status IN ('assigned', 'accepted', 'arrived', 'resolved', 'returned', 'recalled')",
            name=op.f("ck_work_order_status"),
        ),
        sa.CheckConstraint("NOT isempty(during)", name=op.f("ck_work_order_during")),
        sa.ForeignKeyConstraint(["assigned_by"], ["app_user.id"], name=op.f("fk_work_order_assigned_by")),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name=op.f("fk_work_order_complaint_id")),
        sa.ForeignKeyConstraint(["crew_id"], ["crew.id"], name=op.f("fk_work_order_crew_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_order")),
        sa.UniqueConstraint("order_no", name=op.f("uq_work_order_order_no")),
    )
    op.create_index(op.f("ix_work_order_complaint_id"), "work_order", ["complaint_id"], unique=False)
    op.create_index("ix_work_order_crew_id_status", "work_order", ["crew_id", "status"], unique=False)
    op.create_index(
        "uq_work_order_open",
        "work_order",
        ["complaint_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('assigned','accepted','arrived')"),
    )
    op.create_geospatial_table(
        "inspection",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("inspector_id", sa.BigInteger(), nullable=False),
        sa.Column("checklist_code", sa.String(length=40), nullable=False),
        sa.Column("checklist_revision", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(length=8), nullable=False),
        sa.Column("stage", sa.String(length=8), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "position",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
            ),
            nullable=True,
        ),
        sa.Column("position_accuracy_m", sa.Double(), nullable=True),
        sa.Column("area_id", sa.BigInteger(), nullable=True),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_inspection_area_id")),
        sa.ForeignKeyConstraint(["inspector_id"], ["app_user.id"], name=op.f("fk_inspection_inspector_id")),
        sa.ForeignKeyConstraint(["order_id"], ["work_order.id"], name=op.f("fk_inspection_order_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_inspection_site_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_inspection_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspection")),
    )
    op.create_geospatial_index(
        "idx_inspection_position", "inspection", ["position"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_inspection_order_id"), "inspection", ["order_id"], unique=False)
    op.create_index("ix_inspection_received_at", "inspection", ["received_at"], unique=False)
    op.create_index(op.f("ix_inspection_site_id"), "inspection", ["site_id"], unique=False)
    op.create_table(
        "check_answer",
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.String(length=12), nullable=False),
        sa.Column("answer", sa.String(length=4), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("answer IN ('yes', 'no', 'na')", name=op.f("ck_check_answer_answer")),
        sa.ForeignKeyConstraint(
            ["inspection_id"], ["inspection.id"], name=op.f("fk_check_answer_inspection_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("inspection_id", "item_id", name=op.f("pk_check_answer")),
    )
    op.create_geospatial_table(
        "inspection_photo",
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("item_id", sa.String(length=12), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "position",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
            ),
            nullable=True,
        ),
        sa.Column("position_accuracy_m", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["inspection_id"], ["inspection.id"], name=op.f("fk_inspection_photo_inspection_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["sha256"], ["photo.sha256"], name=op.f("fk_inspection_photo_sha256")),
        sa.PrimaryKeyConstraint("inspection_id", "sha256", "item_id", name=op.f("pk_inspection_photo")),
    )
    op.create_geospatial_index(
        "idx_inspection_photo_position",
        "inspection_photo",
        ["position"],
        unique=False,
        postgresql_using="gist",
        postgresql_ops={},
    )


def downgrade() -> None:
    op.drop_geospatial_index(
        "idx_inspection_photo_position", table_name="inspection_photo", postgresql_using="gist", column_name="position"
    )
    op.drop_geospatial_table("inspection_photo")
    op.drop_table("check_answer")
    op.drop_index(op.f("ix_inspection_site_id"), table_name="inspection")
    op.drop_index("ix_inspection_received_at", table_name="inspection")
    op.drop_index(op.f("ix_inspection_order_id"), table_name="inspection")
    op.drop_geospatial_index(
        "idx_inspection_position", table_name="inspection", postgresql_using="gist", column_name="position"
    )
    op.drop_geospatial_table("inspection")
    op.drop_index(
        "uq_work_order_open",
        table_name="work_order",
        postgresql_where=sa.text("status IN ('assigned','accepted','arrived')"),
    )
    op.drop_index("ix_work_order_crew_id_status", table_name="work_order")
    op.drop_index(op.f("ix_work_order_complaint_id"), table_name="work_order")
    op.drop_table("work_order")
    op.drop_index("uq_change_variant_change_id_sha256", table_name="change_variant")
    op.drop_table("change_variant")
    op.drop_index(op.f("ix_caller_phone"), table_name="caller")
    op.drop_table("caller")
    op.drop_table("photo")
    op.drop_index("ix_complaint_unit_id_received_at", table_name="complaint")
    op.drop_index("ix_complaint_received_at", table_name="complaint")
    op.drop_index(
        "ix_complaint_open",
        table_name="complaint",
        postgresql_where=sa.text("status IN ('received','assigned','accepted','arrived','reopened')"),
    )
    op.drop_index("ix_complaint_district_id_received_at", table_name="complaint")
    op.drop_geospatial_index("idx_complaint_geom", table_name="complaint", postgresql_using="gist", column_name="geom")
    op.drop_geospatial_table("complaint")
    op.drop_index(op.f("ix_change_device_id"), table_name="change")
    op.drop_table("change")
    op.drop_geospatial_index("idx_valve_geom", table_name="valve", postgresql_using="gist", column_name="geom")
    op.drop_geospatial_table("valve")
    op.drop_table("import_batch")
    op.drop_table("enrolment")
    op.drop_index(op.f("ix_device_user_id"), table_name="device")
    op.drop_table("device")
    op.drop_table("shift")
    op.drop_geospatial_index("idx_pipeline_geom", table_name="pipeline", postgresql_using="gist", column_name="geom")
    op.drop_geospatial_table("pipeline")
    op.drop_index(op.f("ix_institution_station_id"), table_name="institution")
    op.drop_geospatial_index(
        "idx_institution_geom", table_name="institution", postgresql_using="gist", column_name="geom"
    )
    op.drop_geospatial_table("institution")
    op.drop_table("crew_skill")
    op.drop_table("app_user")
    op.drop_geospatial_index(
        "idx_weak_signal_spot_geom", table_name="weak_signal_spot", postgresql_using="gist", column_name="geom"
    )
    op.drop_geospatial_table("weak_signal_spot")
    op.drop_index(op.f("ix_station_unit_id"), table_name="station")
    op.drop_index(op.f("ix_station_area_id"), table_name="station")
    op.drop_geospatial_index("idx_station_geom", table_name="station", postgresql_using="gist", column_name="geom")
    op.drop_geospatial_table("station")
    op.drop_geospatial_index("idx_site_geom", table_name="site", postgresql_using="gist", column_name="geom")
    op.drop_geospatial_table("site")
    op.drop_index("uq_road_edge_network_id_ref", table_name="road_edge")
    op.drop_index(op.f("ix_road_edge_to_node"), table_name="road_edge")
    op.drop_index(op.f("ix_road_edge_from_node"), table_name="road_edge")
    op.drop_geospatial_index("idx_road_edge_geom", table_name="road_edge", postgresql_using="gist", column_name="geom")
    op.drop_geospatial_table("road_edge")
    op.drop_geospatial_index("idx_crew_position", table_name="crew", postgresql_using="gist", column_name="position")
    op.drop_geospatial_table("crew")
    op.drop_geospatial_index(
        "idx_blind_spot_geom", table_name="blind_spot", postgresql_using="gist", column_name="geom"
    )
    op.drop_geospatial_table("blind_spot")
    op.drop_index("uq_road_node_network_id_ref", table_name="road_node")
    op.drop_geospatial_index("idx_road_node_geom", table_name="road_node", postgresql_using="gist", column_name="geom")
    op.drop_geospatial_table("road_node")
    op.drop_geospatial_index(
        "idx_heat_source_geom", table_name="heat_source", postgresql_using="gist", column_name="geom"
    )
    op.drop_geospatial_table("heat_source")
    op.drop_geospatial_index("idx_camera_geom", table_name="camera", postgresql_using="gist", column_name="geom")
    op.drop_geospatial_table("camera")
    op.drop_index(op.f("ix_area_parent_id"), table_name="area")
    op.drop_index(op.f("ix_area_level"), table_name="area")
    op.drop_geospatial_index("idx_area_geom", table_name="area", postgresql_using="gist", column_name="geom")
    op.drop_geospatial_table("area")
    op.drop_table("unit")
    op.drop_table("road_network")
    op.drop_index("ix_journal_txid_seq", table_name="journal")
    op.drop_index("ix_journal_thing_thing_id", table_name="journal")
    op.drop_table("journal")
    op.drop_index("uq_gazetteer_entry_code", table_name="gazetteer_entry")
    op.drop_index(op.f("ix_gazetteer_entry_name"), table_name="gazetteer_entry")
    op.drop_geospatial_index(
        "idx_gazetteer_entry_geom", table_name="gazetteer_entry", postgresql_using="gist", column_name="geom"
    )
    op.drop_geospatial_table("gazetteer_entry")
    op.drop_index("ix_failed_sign_in_name_at", table_name="failed_sign_in")
    op.drop_table("failed_sign_in")
    op.drop_table("checklist")
    op.drop_table("category")
    op.drop_table("calendar_year")
    op.drop_table("calendar_day")
    op.drop_geospatial_index("idx_building_geom", table_name="building", postgresql_using="gist", column_name="geom")
    op.drop_geospatial_table("building")
