"""Sites with their people, notices and ground; self-inspection; dragnet rounds drawn from a frame, and their visits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects.postgresql import JSONB

revision = "0300"
down_revision = "0220"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sampling_weight",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_sampling_weight")),
    )
    op.create_table(
        "site_worker",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("trade", sa.String(length=16), nullable=False),
        sa.Column("synthetic", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "trade IN ('foreman', 'safety_officer', 'welder', 'electrician', 'pipe_fitter', 'gas_fitter', 'digger', 'labourer')",
            name=op.f("ck_site_worker_trade"),
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_site_worker_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site_worker")),
    )
    op.create_index(op.f("ix_site_worker_unit_id"), "site_worker", ["unit_id"], unique=False)
    op.create_table(
        "work_certificate",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("worker_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("no", sa.String(length=60), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('management', 'safety', 'welding', 'electrical', 'pipe_fitting', 'gas', 'machine', 'training')",
            name=op.f("ck_work_certificate_kind"),
        ),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("ck_work_certificate_valid")),
        sa.ForeignKeyConstraint(
            ["worker_id"], ["site_worker.id"], name=op.f("fk_work_certificate_worker_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_certificate")),
    )
    op.create_index(op.f("ix_work_certificate_worker_id"), "work_certificate", ["worker_id"], unique=False)
    op.create_index("uq_work_certificate_kind_no", "work_certificate", ["kind", "no"], unique=True)
    op.create_table(
        "site_door",
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("door_no", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_site_door_site_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_site_door")),
    )
    op.create_table(
        "site_presence",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("worker_id", sa.BigInteger(), nullable=False),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("until_at >= since_at", name=op.f("ck_site_presence_time")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_site_presence_site_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["worker_id"], ["site_worker.id"], name=op.f("fk_site_presence_worker_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site_presence")),
    )
    op.create_index(op.f("ix_site_presence_site_id"), "site_presence", ["site_id"], unique=False)
    op.create_index(op.f("ix_site_presence_worker_id"), "site_presence", ["worker_id"], unique=False)
    op.create_index(
        "uq_site_presence_now",
        "site_presence",
        ["site_id", "worker_id"],
        unique=True,
        postgresql_where=sa.text("until_at IS NULL"),
    )
    op.create_table(
        "inspection_round",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("area_id", sa.BigInteger(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("allocation", sa.String(length=12), nullable=False),
        sa.Column("strata", sa.ARRAY(sa.String(length=12)), nullable=False),
        sa.Column("weights", JSONB(), nullable=False),
        sa.Column("per_day", sa.Integer(), nullable=False),
        sa.Column("surprise", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.BigInteger(), nullable=True),
        sa.Column("fixed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("synthetic", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "(fixed_at IS NULL) = (status IN ('draft', 'discarded'))", name=op.f("ck_inspection_round_fixed")
        ),
        sa.CheckConstraint("allocation IN ('proportional', 'neyman')", name=op.f("ck_inspection_round_allocation")),
        sa.CheckConstraint(
            "status IN ('draft', 'fixed', 'ended', 'discarded')", name=op.f("ck_inspection_round_status")
        ),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_inspection_round_period")),
        sa.CheckConstraint("size > 0 AND per_day > 0", name=op.f("ck_inspection_round_counts")),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_inspection_round_area_id")),
        sa.ForeignKeyConstraint(["made_by"], ["app_user.id"], name=op.f("fk_inspection_round_made_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspection_round")),
    )
    op.create_table(
        "self_check",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("note", sa.String(length=300), server_default="", nullable=False),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("called_by", sa.BigInteger(), nullable=True),
        sa.Column("synthetic", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("due_on >= from_on", name=op.f("ck_self_check_period")),
        sa.ForeignKeyConstraint(["called_by"], ["app_user.id"], name=op.f("fk_self_check_called_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_self_check")),
    )
    op.create_table(
        "round_site",
        sa.Column("round_id", sa.BigInteger(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("stratum", sa.String(length=300), nullable=False),
        sa.Column("size", sa.Double(), nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("certain", sa.Boolean(), nullable=False),
        sa.Column("drawn", sa.Boolean(), nullable=False),
        sa.Column("why", JSONB(), nullable=False),
        sa.CheckConstraint("probability >= 0 AND probability <= 1", name=op.f("ck_round_site_probability")),
        sa.ForeignKeyConstraint(
            ["round_id"], ["inspection_round.id"], name=op.f("fk_round_site_round_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_round_site_site_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("round_id", "site_id", name=op.f("pk_round_site")),
    )
    op.create_table(
        "site_notice",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("posted", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.CheckConstraint("posted <@ ARRAY['1.1','1.2','1.3','1.4']::text[]", name=op.f("ck_site_notice_posted")),
        sa.ForeignKeyConstraint(["sha256"], ["photo.sha256"], name=op.f("fk_site_notice_sha256")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_site_notice_site_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_site_notice_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site_notice")),
    )
    op.create_index(op.f("ix_site_notice_sha256"), "site_notice", ["sha256"], unique=False)
    op.create_index(op.f("ix_site_notice_site_id"), "site_notice", ["site_id"], unique=False)
    op.create_table(
        "site_visit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("round_id", sa.BigInteger(), nullable=True),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("origin", sa.String(length=10), nullable=False),
        sa.Column("surprise", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("inspector_id", sa.BigInteger(), nullable=True),
        sa.Column("on_day", sa.Date(), nullable=True),
        sa.Column("stop_no", sa.Integer(), nullable=True),
        sa.Column("travel_s", sa.Double(), nullable=True),
        sa.Column("reason", sa.String(length=300), server_default="", nullable=False),
        sa.Column("replaces_id", sa.BigInteger(), nullable=True),
        sa.Column("inspection_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("(status = 'done') = (inspection_id IS NOT NULL)", name=op.f("ck_site_visit_done")),
        sa.CheckConstraint(
            "origin IN ('certain', 'drawn', 'swapped', 'added', 'single')", name=op.f("ck_site_visit_origin")
        ),
        sa.CheckConstraint("status IN ('planned', 'done', 'dropped')", name=op.f("ck_site_visit_status")),
        sa.CheckConstraint("(inspector_id IS NULL) = (on_day IS NULL)", name=op.f("ck_site_visit_planned")),
        sa.ForeignKeyConstraint(["inspection_id"], ["inspection.id"], name=op.f("fk_site_visit_inspection_id")),
        sa.ForeignKeyConstraint(["inspector_id"], ["app_user.id"], name=op.f("fk_site_visit_inspector_id")),
        sa.ForeignKeyConstraint(
            ["replaces_id"], ["site_visit.id"], name=op.f("fk_site_visit_replaces_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["round_id"], ["inspection_round.id"], name=op.f("fk_site_visit_round_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_site_visit_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site_visit")),
    )
    op.create_index("ix_site_visit_inspector_id_on_day", "site_visit", ["inspector_id", "on_day"], unique=False)
    op.create_index(op.f("ix_site_visit_site_id"), "site_visit", ["site_id"], unique=False)
    op.create_index("uq_site_visit_inspection_id", "site_visit", ["inspection_id"], unique=True)
    op.create_index(
        "uq_site_visit_round_id_site_id",
        "site_visit",
        ["round_id", "site_id"],
        unique=True,
        postgresql_where=sa.text("status <> 'dropped'"),
    )
    op.add_column("inspection", sa.Column("is_self", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("site", sa.Column("contractor_id", sa.BigInteger(), nullable=True))
    op.add_column("site", sa.Column("building_id", sa.BigInteger(), nullable=True))
    op.add_column(
        "site",
        sa.Column(
            "footprint",
            Geometry(
                geometry_type="POLYGON",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
            ),
            nullable=True,
        ),
    )
    op.add_column("site", sa.Column("address", sa.String(length=200), server_default="", nullable=False))
    op.add_column("site", sa.Column("note", sa.Text(), server_default="", nullable=False))
    op.add_column("site", sa.Column("planned_from", sa.Date(), nullable=True))
    op.add_column("site", sa.Column("planned_to", sa.Date(), nullable=True))
    op.add_column("site", sa.Column("begun_on", sa.Date(), nullable=True))
    op.add_column("site", sa.Column("ended_on", sa.Date(), nullable=True))
    op.add_column("site", sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("idx_site_footprint", "site", ["footprint"], unique=False, postgresql_using="gist")
    op.create_index("ix_site_contractor_id", "site", ["contractor_id"], unique=False)
    op.create_index("ix_site_unit_id", "site", ["unit_id"], unique=False)
    op.create_foreign_key(op.f("fk_site_contractor_id"), "site", "unit", ["contractor_id"], ["id"])
    op.create_foreign_key(op.f("fk_site_building_id"), "site", "building", ["building_id"], ["id"])
    op.create_check_constraint(op.f("ck_site_ground"), "site", "footprint IS NULL OR building_id IS NULL")
    op.create_check_constraint(op.f("ck_site_planned"), "site", "planned_to >= planned_from")
    op.create_check_constraint(op.f("ck_site_done"), "site", "ended_on >= begun_on")


def downgrade() -> None:
    for name in ("ground", "planned", "done"):
        op.drop_constraint(op.f(f"ck_site_{name}"), "site", type_="check")
    op.drop_constraint(op.f("fk_site_building_id"), "site", type_="foreignkey")
    op.drop_constraint(op.f("fk_site_contractor_id"), "site", type_="foreignkey")
    op.drop_index("ix_site_unit_id", table_name="site")
    op.drop_index("ix_site_contractor_id", table_name="site")
    op.drop_index("idx_site_footprint", table_name="site", postgresql_using="gist")
    op.drop_column("site", "closed_at")
    op.drop_column("site", "ended_on")
    op.drop_column("site", "begun_on")
    op.drop_column("site", "planned_to")
    op.drop_column("site", "planned_from")
    op.drop_column("site", "note")
    op.drop_column("site", "address")
    op.drop_column("site", "footprint")
    op.drop_column("site", "building_id")
    op.drop_column("site", "contractor_id")
    op.drop_column("inspection", "is_self")
    op.drop_index(
        "uq_site_visit_round_id_site_id", table_name="site_visit", postgresql_where=sa.text("status <> 'dropped'")
    )
    op.drop_index("uq_site_visit_inspection_id", table_name="site_visit")
    op.drop_index(op.f("ix_site_visit_site_id"), table_name="site_visit")
    op.drop_index("ix_site_visit_inspector_id_on_day", table_name="site_visit")
    op.drop_table("site_visit")
    op.drop_index(op.f("ix_site_notice_site_id"), table_name="site_notice")
    op.drop_index(op.f("ix_site_notice_sha256"), table_name="site_notice")
    op.drop_table("site_notice")
    op.drop_table("round_site")
    op.drop_table("self_check")
    op.drop_table("inspection_round")
    op.drop_index("uq_site_presence_now", table_name="site_presence", postgresql_where=sa.text("until_at IS NULL"))
    op.drop_index(op.f("ix_site_presence_worker_id"), table_name="site_presence")
    op.drop_index(op.f("ix_site_presence_site_id"), table_name="site_presence")
    op.drop_table("site_presence")
    op.drop_table("site_door")
    op.drop_index("uq_work_certificate_kind_no", table_name="work_certificate")
    op.drop_index(op.f("ix_work_certificate_worker_id"), table_name="work_certificate")
    op.drop_table("work_certificate")
    op.drop_index(op.f("ix_site_worker_unit_id"), table_name="site_worker")
    op.drop_table("site_worker")
    op.drop_table("sampling_weight")
