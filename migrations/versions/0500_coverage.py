"""Coverage: optics of cameras, view fields, computations; spots found, checked on foot, answered and promised; signal samples
and masts; areas that a utility does not reach."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0500"
down_revision = "0440"
branch_labels = None
depends_on = None

_AT = sa.DateTime(timezone=True)
_STATES = "state IN ('reported', 'found', 'verified', 'planned', 'explained', 'closed')"
_OLD_STATES = "state IN ('reported', 'verified', 'planned', 'closed')"
_UTILITIES = "utility IN ('heat', 'water', 'gas', 'drainage', 'road', 'light', 'sanitation', 'telecom', 'other')"
_REFERENCES = {"area_id": "area", "complaint_id": "complaint", "promise_id": "promise"}


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False)


def _geom(shape: str) -> sa.Column[str]:
    return sa.Column("geom", Geometry(shape, 4326, spatial_index=False), nullable=False)


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), server_default="", nullable=False)


def _synthetic() -> sa.Column[bool]:
    return sa.Column("synthetic", sa.Boolean(), server_default="false", nullable=False)


def _gist(table: str) -> None:
    op.create_index(f"idx_{table}_geom", table, ["geom"], postgresql_using="gist")


def _spot_columns() -> list[sa.Column]:
    return [
        sa.Column("origin", sa.String(12), server_default="citizen", nullable=False),
        sa.Column("complaint_id", sa.BigInteger(), nullable=True),
        sa.Column("promise_id", sa.BigInteger(), nullable=True),
        sa.Column("answer", sa.Text(), server_default="", nullable=False),
        sa.Column("checked_at", _AT, nullable=True),
    ]


def _spot_rules(table: str) -> None:
    op.create_check_constraint(op.f(f"ck_{table}_state"), table, _STATES)
    op.create_check_constraint(op.f(f"ck_{table}_origin"), table, "origin IN ('citizen', 'analysis', 'survey')")
    op.create_check_constraint(
        op.f(f"ck_{table}_promised"), table, "state <> 'planned' OR promise_id IS NOT NULL OR synthetic"
    )
    for column in ("complaint_id", "promise_id"):
        op.create_foreign_key(op.f(f"fk_{table}_{column}"), table, _REFERENCES[column], [column], ["id"])


def upgrade() -> None:
    for column, kind in (("focal_mm", sa.Double()), ("sensor_mm", sa.Double()), ("resolution_px", sa.Integer())):
        op.add_column("camera", sa.Column(column, kind, nullable=True))
    optics = "focal_mm > 0 AND sensor_mm > 0 AND resolution_px > 0"
    op.create_check_constraint(op.f("ck_camera_optics"), "camera", optics)
    for table in ("blind_spot", "weak_signal_spot"):
        op.drop_constraint(op.f(f"ck_{table}_state"), table)
        op.execute(f"UPDATE {table} SET state = 'verified' WHERE state = 'planned' AND NOT synthetic")
        for column in _spot_columns():
            op.add_column(table, column)
        _spot_rules(table)
    op.add_column("blind_spot", sa.Column("unseen_m", sa.Double(), nullable=True))
    op.add_column("blind_spot", sa.Column("cameras_there", sa.Integer(), nullable=True))
    op.add_column("weak_signal_spot", _text("operator", 80))
    op.add_column("weak_signal_spot", sa.Column("samples", sa.Integer(), nullable=True))
    op.add_column("weak_signal_spot", sa.Column("weak_samples", sa.Integer(), nullable=True))
    _views()
    _unserved()
    _checks()
    _signal()


def _views() -> None:
    op.create_table(
        "camera_view",
        sa.Column("camera_id", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.String(12), nullable=False),
        sa.Column("reach_m", sa.Double(), nullable=False),
        sa.Column("area_m2", sa.Double(), nullable=False),
        _geom("POLYGON"),
        sa.CheckConstraint(
            "level IN ('detect', 'observe', 'recognise', 'identify')", name=op.f("ck_camera_view_level")
        ),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["camera.id"], name=op.f("fk_camera_view_camera_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("camera_id", "level", name=op.f("pk_camera_view")),
    )
    _gist("camera_view")
    op.create_table(
        "coverage_run",
        _id(),
        sa.Column("asked_at", _AT, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("total", sa.Integer(), server_default="0", nullable=False),
        sa.Column("finished_at", _AT, nullable=True),
        sa.Column("results", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'running', 'done', 'failed')", name=op.f("ck_coverage_run_state")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_coverage_run_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coverage_run")),
    )
    op.create_index(
        "uq_coverage_run_unfinished", "coverage_run", [sa.text("(true)")], unique=True,
        postgresql_where=sa.text("state IN ('waiting', 'running')"),
    )  # fmt: skip


def _unserved() -> None:
    op.create_table(
        "unserved_area",
        _id(),
        sa.Column("code", sa.String(60), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("area_id", sa.BigInteger(), nullable=True),
        sa.Column("utility", sa.String(12), nullable=False),
        sa.Column("away_m", sa.Double(), nullable=True),
        _synthetic(),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        *_spot_columns(),
        sa.CheckConstraint(_UTILITIES, name=op.f("ck_unserved_area_utility")),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_unserved_area_area_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unserved_area")),
        sa.UniqueConstraint("code", name=op.f("uq_unserved_area_code")),
    )
    _spot_rules("unserved_area")
    op.create_index("uq_unserved_area_area_id_utility", "unserved_area", ["area_id", "utility"], unique=True)


def _checks() -> None:
    things = ("blind_spot", "weak_signal_spot", "unserved_area")
    op.create_table(
        "spot_check",
        sa.Column("id", sa.Uuid(), nullable=False),
        *(sa.Column(f"{thing}_id", sa.BigInteger(), nullable=True) for thing in things),
        sa.Column("at", _AT, nullable=False),
        sa.Column("received_at", _AT, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("cameras", sa.Integer(), nullable=True),
        sa.Column("rsrp_dbm", sa.Double(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("num_nonnulls(blind_spot_id, weak_signal_spot_id, unserved_area_id) = 1",
                           name=op.f("ck_spot_check_one_thing")),
        sa.CheckConstraint("cameras >= 0", name=op.f("ck_spot_check_cameras")),
        *(sa.ForeignKeyConstraint([f"{thing}_id"], [f"{thing}.id"], name=op.f(f"fk_spot_check_{thing}_id")) for thing in things),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_spot_check_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spot_check")),
    )  # fmt: skip
    for thing in things:
        op.create_index(op.f(f"ix_spot_check_{thing}_id"), "spot_check", [f"{thing}_id"])
    op.create_table(
        "spot_photo",
        sa.Column("check_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("taken_at", _AT, nullable=False),
        sa.ForeignKeyConstraint(
            ["check_id"], ["spot_check.id"], name=op.f("fk_spot_photo_check_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["sha256"], ["photo.sha256"], name=op.f("fk_spot_photo_sha256")),
        sa.PrimaryKeyConstraint("check_id", "sha256", name=op.f("pk_spot_photo")),
    )


def _signal() -> None:
    op.create_table(
        "signal_sample",
        _id(),
        sa.Column("code", sa.String(60), nullable=False),
        sa.Column("at", _AT, nullable=True),
        _text("operator", 80),
        sa.Column("rsrp_dbm", sa.Double(), nullable=False),
        _synthetic(),
        _geom("POINT"),
        sa.CheckConstraint("rsrp_dbm BETWEEN -160 AND -20", name=op.f("ck_signal_sample_rsrp")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signal_sample")),
        sa.UniqueConstraint("code", name=op.f("uq_signal_sample_code")),
    )
    _gist("signal_sample")
    op.create_table(
        "mast",
        _id(),
        sa.Column("code", sa.String(60), nullable=False),
        _text("name", 160),
        _text("operator", 80),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("height_m", sa.Double(), nullable=True),
        _synthetic(),
        _geom("POINT"),
        sa.CheckConstraint("state IN ('working', 'planned')", name=op.f("ck_mast_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mast")),
        sa.UniqueConstraint("code", name=op.f("uq_mast_code")),
    )
    _gist("mast")


def downgrade() -> None:
    for table in ("mast", "signal_sample", "spot_photo", "spot_check", "unserved_area", "coverage_run", "camera_view"):
        op.drop_table(table)
    for column in ("operator", "samples", "weak_samples"):
        op.drop_column("weak_signal_spot", column)
    for column in ("unseen_m", "cameras_there"):
        op.drop_column("blind_spot", column)
    for table in ("blind_spot", "weak_signal_spot"):
        for name in ("state", "origin", "promised"):
            op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
        for column in ("origin", "complaint_id", "promise_id", "answer", "checked_at"):
            op.drop_column(table, column)
        op.execute(
            f"UPDATE {table} SET state = CASE state WHEN 'found' THEN 'reported' ELSE 'closed' END"
            " WHERE state IN ('found', 'explained')"
        )
        op.create_check_constraint(op.f(f"ck_{table}_state"), table, _OLD_STATES)
    op.drop_constraint(op.f("ck_camera_optics"), "camera")
    for column in ("focal_mm", "sensor_mm", "resolution_px"):
        op.drop_column("camera", column)
