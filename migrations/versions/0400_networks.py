"""Networks: sources of water and gas, valves with state and reach, supply points, what depends on what, and the topology."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0400"
down_revision = "0330"
branch_labels = None
depends_on = None

UTILITIES = (
    "utility IN ('heat', 'water', 'gas', 'drainage', 'road', 'light', 'sanitation', 'telecom', 'other')"
)  # fmt: skip
SIDES = "side IN ('main', 'primary_supply', 'primary_return', 'secondary_supply', 'secondary_return')"
FINDINGS = (
    "kind IN ('bad_geometry', 'zero_length', 'duplicate', 'near_miss', 'valve_off_pipe', 'source_off_pipe', "
    "'station_off_pipe', 'customer_off_pipe', 'no_source', 'no_flow', 'swapped')"
)
_AT = sa.DateTime(timezone=True)
TABLES = (
    "network_import", "topology_finding", "pipe_section", "pipe_node", "topology_build", "network_version", "network_dependency", "supply_point",
    "supply_source",
)  # fmt: skip


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False)


def _text(name: str, length: int, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), server_default=default, nullable=False)


def _count(name: str, default: str | None = "0") -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), server_default=default, nullable=False)


def _metres(name: str, default: str | None = None, *, nullable: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Double(), server_default=default, nullable=nullable)


def _to(table: str, column: str, there: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{there}.id"], name=op.f(f"fk_{table}_{column}"), ondelete=ondelete)


def _place(shape: str = "POINT", *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column("geom", Geometry(shape, 4326, spatial_index=False), nullable=nullable)


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def _indexes(table: str, *columns: str) -> None:
    for column in columns:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
    op.create_index(f"idx_{table}_geom", table, ["geom"], postgresql_using="gist")


def upgrade() -> None:
    _valves()
    _supply()
    _builds()
    _topology()
    _imports()


def _valves() -> None:
    op.add_column("valve", _text("kind", 12, "isolation"))
    op.add_column("valve", sa.Column("normally_open", sa.Boolean(), server_default="true", nullable=False))
    op.add_column("valve", _text("reach", 12, "reachable"))
    op.add_column("valve", _text("reach_note", 200, ""))
    op.add_column("valve", sa.Column("reach_since_at", _AT, nullable=True))
    op.execute("UPDATE valve SET normally_open = is_open")
    op.create_check_constraint(op.f("ck_valve_utility"), "valve", UTILITIES)
    op.create_check_constraint(
        op.f("ck_valve_kind"), "valve", "kind IN ('isolation', 'control', 'check', 'drain')"
    )  # fmt: skip
    op.create_check_constraint(op.f("ck_valve_reach"), "valve", "reach IN ('reachable', 'unreachable')")
    op.create_index(op.f("ix_valve_pipeline_id"), "valve", ["pipeline_id"])


def _supply() -> None:
    op.create_table(
        "supply_source",
        _id(), _text("code", 40), _text("name", 120), _text("utility", 12),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("synthetic", sa.Boolean(), server_default="false", nullable=False),
        _place(), _count("version", "1"),
        _check("supply_source", "utility", UTILITIES), _to("supply_source", "unit_id", "unit"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supply_source")),
        sa.UniqueConstraint("code", name=op.f("uq_supply_source_code")),
    )  # fmt: skip
    _indexes("supply_source")
    links = {
        "station_id": "station",
        "building_id": "building",
        "institution_id": "institution",
        "area_id": "area",
        "unit_id": "unit",
    }
    op.create_table(
        "supply_point",
        _id(), _text("code", 60), _text("name", 120), _text("utility", 12),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in links),
        _count("households"), _count("people"), _count("vulnerable_households"),
        sa.Column("synthetic", sa.Boolean(), server_default="false", nullable=False),
        _place(), _count("version", "1"),
        _check("supply_point", "utility", UTILITIES),
        _check("supply_point", "counts", "households >= 0 AND people >= 0 AND vulnerable_households >= 0"),
        _check("supply_point", "vulnerable", "vulnerable_households <= households"),
        *(_to("supply_point", name, there) for name, there in links.items()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supply_point")),
        sa.UniqueConstraint("code", name=op.f("uq_supply_point_code")),
    )  # fmt: skip
    _indexes("supply_point", "utility", "station_id", "building_id", "institution_id", "area_id")
    op.create_table(
        "network_dependency",
        _id(), sa.Column("station_id", sa.BigInteger(), nullable=False),
        sa.Column("supply_point_id", sa.BigInteger(), nullable=False), _count("grace_min"), _count("version", "1"),
        _check("network_dependency", "grace", "grace_min >= 0"),
        _to("network_dependency", "station_id", "station", "CASCADE"),
        _to("network_dependency", "supply_point_id", "supply_point", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_network_dependency")),
        sa.UniqueConstraint("station_id", "supply_point_id", name=op.f("uq_network_dependency_station_id_supply_point_id")),
    )  # fmt: skip
    op.create_index(op.f("ix_network_dependency_supply_point_id"), "network_dependency", ["supply_point_id"])


def _builds() -> None:
    op.create_table(
        "network_version",
        _text("utility", 12),
        sa.Column("topology", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("valves", sa.BigInteger(), server_default="0", nullable=False),
        _check("network_version", "utility", UTILITIES),
        sa.PrimaryKeyConstraint("utility", name=op.f("pk_network_version")),
    )
    op.create_table(
        "topology_build",
        _id(), _text("utility", 12), _text("state", 12), sa.Column("at", _AT, nullable=False),
        sa.Column("done_at", _AT, nullable=True), sa.Column("user_id", sa.BigInteger(), nullable=True),
        _metres("snap_m"), _metres("reach_m"), _metres("part", "0"),
        *(_count(name) for name in ("pipelines", "nodes", "sections", "pieces")), _metres("length_m", "0"),
        _text("failure", 200, ""),
        _check("topology_build", "utility", UTILITIES),
        _check("topology_build", "state", "state IN ('waiting', 'running', 'ready', 'failed')"),
        _check("topology_build", "metres", "snap_m > 0 AND reach_m > 0"),
        _to("topology_build", "user_id", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topology_build")),
    )  # fmt: skip
    op.create_index("ix_topology_build_utility_id", "topology_build", ["utility", "id"])
    op.create_index(
        "uq_topology_build_going", "topology_build", ["utility"], unique=True,
        postgresql_where=sa.text("state IN ('waiting', 'running')"),
    )  # fmt: skip
    op.create_table(
        "topology_finding",
        _id(), sa.Column("build_id", sa.BigInteger(), nullable=False), _text("kind", 20), _text("code", 60),
        _text("other_code", 60, ""), _metres("metres", nullable=True), _text("detail", 120, ""), _place(nullable=True),
        _check("topology_finding", "kind", FINDINGS), _to("topology_finding", "build_id", "topology_build", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topology_finding")),
    )  # fmt: skip
    _indexes("topology_finding", "build_id")


def _topology() -> None:
    things = ("heat_source", "supply_source", "valve", "station", "supply_point")
    op.create_table(
        "pipe_node",
        _id(), _text("utility", 12), _text("side", 20), _text("kind", 12),
        *(sa.Column(f"{thing}_id", sa.BigInteger(), nullable=True) for thing in things), _place(),
        _check("pipe_node", "utility", UTILITIES), _check("pipe_node", "side", SIDES),
        _check("pipe_node", "kind", "kind IN ('junction', 'source', 'valve', 'station', 'customer')"),
        *(_to("pipe_node", f"{thing}_id", thing, "CASCADE") for thing in things),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pipe_node")),
    )  # fmt: skip
    _indexes("pipe_node", "utility", *(f"{thing}_id" for thing in things))
    ends = {"pipeline_id": "pipeline", "from_node_id": "pipe_node", "to_node_id": "pipe_node"}
    op.create_table(
        "pipe_section",
        _id(), *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ends),
        _text("utility", 12), _text("side", 20), _metres("length_m"), _place("LINESTRING"),
        _check("pipe_section", "utility", UTILITIES), _check("pipe_section", "side", SIDES),
        _check("pipe_section", "length", "length_m >= 0"),
        *(_to("pipe_section", name, there, "CASCADE") for name, there in ends.items()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pipe_section")),
    )  # fmt: skip
    _indexes("pipe_section", "utility", *ends)


def _imports() -> None:
    op.alter_column("heat_source", "unit_id", nullable=True)
    op.create_table(
        "network_import",
        sa.Column("id", sa.Uuid(), nullable=False), sa.Column("user_id", sa.BigInteger(), nullable=False),
        _text("file_name", 255), sa.Column("at", _AT, nullable=False), sa.Column("seen_at", _AT, nullable=False),
        _text("state", 12), sa.Column("terms", postgresql.JSONB(), nullable=False), _metres("part", "0"),
        sa.Column("report", postgresql.JSONB(), nullable=False),
        _check("network_import", "state",
               "state IN ('reading', 'looked_at', 'storing', 'stored', 'refused', 'discarded')"),
        _to("network_import", "user_id", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_network_import")),
    )  # fmt: skip
    op.create_index("ix_network_import_at", "network_import", ["at"])


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    op.alter_column("heat_source", "unit_id", nullable=False)
    op.drop_index(op.f("ix_valve_pipeline_id"), "valve")
    for name in ("reach", "kind", "utility"):
        op.drop_constraint(op.f(f"ck_valve_{name}"), "valve")
    for column in ("reach_since_at", "reach_note", "reach", "normally_open", "kind"):
        op.drop_column("valve", column)
