"""Repeated complaints, incidents and who answers: the tables, the index for similar ones, and no chain of merges.

The trigger is the last word on merging: it locks the main complaint (shared, so that several may join at once) and refuses
a main one that is merged itself, and the merging of one that others hang on. It costs a row that is not merged nothing.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

revision = "0140"
down_revision = "0130"
branch_labels = None
depends_on = None

OPEN = "status IN ('accepted', 'arrived', 'assigned', 'received', 'reopened', 'resolved', 'returned', 'sent', 'signed')"
UNIT_KINDS = ("bureau", "heat_company", "water_company", "gas_company", "property_company", "contractor",
              "telecom_company")  # fmt: skip
RADII = {"heat.outage": 500, "heat.leak": 100, "heat.pressure": 300, "water.burst": 300, "water.none": 500, "water.quality": 400,
         "gas.leak": 150, "road.damage": 60, "light.out": 80, "drain.blocked": 100, "works.restore": 100,
         "works.conduct": 150, "sanitation.waste": 80, "telecom.signal": 300}  # fmt: skip
SOURCE = "sources/pingdu-2009: 60%的住宅小区由热电企业直接供热,其他由物业公司负责换热站的管理及向居民供热"

NO_CHAIN = """
    CREATE FUNCTION complaint_no_merge_chain() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE above bigint;
    BEGIN
        SELECT merged_into_id INTO above FROM complaint WHERE id = NEW.merged_into_id FOR SHARE;
        IF above IS NOT NULL OR EXISTS (SELECT FROM complaint WHERE merged_into_id = NEW.id) THEN
            RAISE EXCEPTION 'a merged complaint cannot have others merged into it'
                USING ERRCODE = '23514', CONSTRAINT = 'ck_complaint_merge_chain';
        END IF;
        RETURN NEW;
    END $$
"""


def upgrade() -> None:
    _routing()
    _incident()
    op.add_column("category", sa.Column("repeat_radius_m", sa.Integer(), server_default="200", nullable=False))
    op.create_check_constraint(op.f("ck_category_repeat_radius_m"), "category", "repeat_radius_m > 0")
    for code, metres in RADII.items():
        op.execute(f"UPDATE category SET repeat_radius_m = {metres} WHERE code = '{code}'")
    op.add_column("complaint", sa.Column("routing_rule_id", sa.BigInteger()))
    op.add_column("complaint", sa.Column("category_said", sa.String(300)))
    op.create_foreign_key(
        op.f("fk_complaint_routing_rule_id"), "complaint", "routing_rule", ["routing_rule_id"], ["id"]
    )
    op.create_foreign_key(op.f("fk_complaint_incident_id"), "complaint", "incident", ["incident_id"], ["id"])
    op.create_index(
        "ix_complaint_similar", "complaint", ["category", "geom", "received_at"], postgresql_using="gist",
        postgresql_where=sa.text(OPEN),
    )  # fmt: skip
    op.create_index(
        "ix_complaint_category_newest", "complaint", ["category", "received_at"], postgresql_where=sa.text(OPEN)
    )
    in_incident = sa.text("incident_id IS NOT NULL")
    op.create_index("ix_complaint_incident_id", "complaint", ["incident_id"], postgresql_where=in_incident)
    op.execute(NO_CHAIN)
    op.execute("""
        CREATE TRIGGER complaint_no_merge_chain BEFORE INSERT OR UPDATE OF merged_into_id ON complaint
        FOR EACH ROW WHEN (NEW.merged_into_id IS NOT NULL) EXECUTE FUNCTION complaint_no_merge_chain()
    """)


def _routing() -> None:
    kinds = ", ".join(repr(kind) for kind in UNIT_KINDS)
    op.create_table(
        "routing_rule",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("utility", sa.String(12)),
        sa.Column("category", sa.String(40)),
        sa.Column("area_id", sa.BigInteger()),
        sa.Column("station_id", sa.BigInteger()),
        sa.Column("operator", sa.String(20)),
        sa.Column("answers", sa.String(12), nullable=False),
        sa.Column("unit_id", sa.BigInteger()),
        sa.Column("valid_from", sa.Date()),
        sa.Column("valid_to", sa.Date()),
        sa.Column("source", sa.String(300), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_routing_rule")),
        sa.CheckConstraint("answers IN ('unit', 'served_by')", name=op.f("ck_routing_rule_answers")),
        sa.CheckConstraint("(answers = 'unit') = (unit_id IS NOT NULL)", name=op.f("ck_routing_rule_unit_named")),
        sa.CheckConstraint(f"operator IS NULL OR operator IN ({kinds})", name=op.f("ck_routing_rule_operator")),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_from IS NULL OR valid_from <= valid_to", name=op.f("ck_routing_rule_valid")
        ),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_routing_rule_area_id")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_routing_rule_station_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_routing_rule_unit_id")),
    )
    # What was built in until now, as a row: heating matters go to whoever serves the compound.
    op.execute(
        sa.text("INSERT INTO routing_rule (priority, utility, answers, source) VALUES (1000, 'heat', 'served_by', :source)")
        .bindparams(source=SOURCE)
    )  # fmt: skip


def _incident() -> None:
    op.create_table(
        "incident",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("no", sa.String(40), nullable=False),
        sa.Column("name", sa.String(160), nullable=False),
        sa.Column("cause", sa.String(400), server_default="", nullable=False),
        sa.Column("category", sa.String(40), nullable=False),
        sa.Column("asset_kind", sa.String(20)),
        sa.Column("asset_id", sa.BigInteger()),
        sa.Column("geom", Geometry("POINT", 4326, spatial_index=False)),
        sa.Column("radius_m", sa.Double(), nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True)),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
        sa.UniqueConstraint("no", name=op.f("uq_incident_no")),
        sa.CheckConstraint("status IN ('open', 'closed')", name=op.f("ck_incident_status")),
        sa.CheckConstraint("(status = 'closed') = (closed_at IS NOT NULL)", name=op.f("ck_incident_closed_at")),
        sa.CheckConstraint("radius_m > 0", name=op.f("ck_incident_radius_m")),
        sa.ForeignKeyConstraint(["category"], ["category.code"], name=op.f("fk_incident_category")),
        sa.ForeignKeyConstraint(["lead_id"], ["complaint.id"], name=op.f("fk_incident_lead_id")),
    )
    op.create_index("idx_incident_geom", "incident", ["geom"], postgresql_using="gist")
    running = sa.text("status = 'open'")
    op.create_index("uq_incident_lead_open", "incident", ["lead_id"], unique=True, postgresql_where=running)


def downgrade() -> None:
    op.execute("DROP TRIGGER complaint_no_merge_chain ON complaint")
    op.execute("DROP FUNCTION complaint_no_merge_chain()")
    for name in ("ix_complaint_incident_id", "ix_complaint_category_newest", "ix_complaint_similar"):
        op.drop_index(name, "complaint")
    for name in ("incident_id", "routing_rule_id"):
        op.drop_constraint(op.f(f"fk_complaint_{name}"), "complaint")
    op.execute("UPDATE complaint SET incident_id = NULL WHERE incident_id IS NOT NULL")
    for name in ("category_said", "routing_rule_id"):
        op.drop_column("complaint", name)
    op.drop_constraint(op.f("ck_category_repeat_radius_m"), "category")
    op.drop_column("category", "repeat_radius_m")
    op.drop_table("incident")
    op.drop_table("routing_rule")
