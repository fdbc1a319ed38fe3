"""Checklists of any kind: forms beside the six pledges, their files, steps of standard visits, ODK submissions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0310"
down_revision = "0300"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("checklist", sa.Column("kind", sa.String(8), nullable=False, server_default="pledges"))
    op.add_column("checklist", sa.Column("state", sa.String(8), nullable=False, server_default="active"))
    op.add_column("checklist", sa.Column("form", JSONB()))
    op.add_column("checklist", sa.Column("unshown", JSONB(), nullable=False, server_default=sa.text("'[]'::jsonb")))
    op.add_column(
        "checklist", sa.Column("unit_id", sa.BigInteger(), sa.ForeignKey("unit.id", name="fk_checklist_unit_id"))
    )
    op.add_column("checklist", sa.Column("created_at", sa.DateTime(timezone=True)))
    op.add_column(
        "checklist",
        sa.Column("created_by", sa.BigInteger(), sa.ForeignKey("app_user.id", name="fk_checklist_created_by")),
    )
    op.execute(
        "UPDATE checklist c SET state = 'retired' WHERE revision < (SELECT max(revision) FROM checklist n WHERE n.code = c.code)"
    )
    op.create_check_constraint("kind", "checklist", "kind IN ('pledges', 'form', 'visit')")
    op.create_check_constraint("state", "checklist", "state IN ('draft', 'active', 'retired')")
    op.create_index(
        "uq_checklist_active", "checklist", ["code"], unique=True, postgresql_where=sa.text("state = 'active'")
    )
    op.create_table(
        "checklist_file",
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("file_name", sa.String(255), nullable=False),
        sa.Column("original", sa.LargeBinary()),
        sa.Column("xform", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", "revision", name="pk_checklist_file"),
        sa.ForeignKeyConstraint(
            ["code", "revision"], ["checklist.code", "checklist.revision"], name="fk_checklist_file_code"
        ),
    )
    op.create_table(
        "visit_rule",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("checklist_code", sa.String(40), nullable=False),
        sa.Column("category", sa.String(40), sa.ForeignKey("category.code", name="fk_visit_rule_category")),
        sa.Column("skill", sa.String(40)),
        sa.PrimaryKeyConstraint("id", name="pk_visit_rule"),
        sa.CheckConstraint("(category IS NULL) <> (skill IS NULL)", name="one"),
    )
    op.create_index(
        "uq_visit_rule", "visit_rule",
        ["checklist_code", sa.text("coalesce(category, '')"), sa.text("coalesce(skill, '')")], unique=True,
    )  # fmt: skip
    op.alter_column("inspection", "inspector_id", nullable=True)
    op.alter_column("inspection", "scope", nullable=True)
    op.alter_column("inspection", "stage", nullable=True)
    op.alter_column("check_answer", "item_id", type_=sa.String(64))
    op.alter_column("check_answer", "answer", nullable=True)
    op.add_column("check_answer", sa.Column("value", sa.Text()))
    op.alter_column("inspection_photo", "item_id", type_=sa.String(80))
    _odk()


def _odk() -> None:
    op.create_table(
        "odk_submission",
        sa.Column("instance_id", sa.String(200), nullable=False),
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("xml", sa.Text(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("why", sa.Text(), nullable=False, server_default=""),
        sa.Column("wanted", JSONB(), nullable=False, server_default=sa.text("'[]'::jsonb")),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), sa.ForeignKey("app_user.id", name="fk_odk_submission_user_id")),
        sa.Column("device_id", sa.BigInteger(), sa.ForeignKey("device.id", name="fk_odk_submission_device_id")),
        sa.Column("key_id", sa.BigInteger(), sa.ForeignKey("api_key.id", name="fk_odk_submission_key_id")),
        sa.Column("area_id", sa.BigInteger(), sa.ForeignKey("area.id", name="fk_odk_submission_area_id")),
        sa.Column("unit_id", sa.BigInteger(), sa.ForeignKey("unit.id", name="fk_odk_submission_unit_id")),
        sa.Column("inspection_id", sa.Uuid(), sa.ForeignKey("inspection.id", name="fk_odk_submission_inspection_id")),
        sa.PrimaryKeyConstraint("instance_id", name="pk_odk_submission"),
        sa.CheckConstraint("state IN ('waiting', 'kept', 'raw')", name="state"),
    )
    op.create_table(
        "odk_part",
        sa.Column("instance_id", sa.String(200), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("mime", sa.String(80), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("instance_id", "name", name="pk_odk_part"),
        sa.ForeignKeyConstraint(["instance_id"], ["odk_submission.instance_id"], name="fk_odk_part_instance_id"),
    )


def downgrade() -> None:
    op.drop_table("odk_part")
    op.drop_table("odk_submission")
    op.execute("DELETE FROM inspection_photo WHERE length(item_id) > 12")
    op.execute("DELETE FROM check_answer WHERE length(item_id) > 12 OR answer IS NULL")
    op.execute("DELETE FROM inspection WHERE inspector_id IS NULL OR scope IS NULL OR stage IS NULL")
    op.alter_column("inspection_photo", "item_id", type_=sa.String(12))
    op.drop_column("check_answer", "value")
    op.alter_column("check_answer", "answer", nullable=False)
    op.alter_column("check_answer", "item_id", type_=sa.String(12))
    op.alter_column("inspection", "stage", nullable=False)
    op.alter_column("inspection", "scope", nullable=False)
    op.alter_column("inspection", "inspector_id", nullable=False)
    op.drop_table("visit_rule")
    op.drop_table("checklist_file")
    op.execute("DELETE FROM checklist WHERE kind <> 'pledges'")
    op.drop_index("uq_checklist_active", table_name="checklist")
    op.drop_constraint(op.f("ck_checklist_state"), "checklist", type_="check")
    op.drop_constraint(op.f("ck_checklist_kind"), "checklist", type_="check")
    for name in ("created_by", "created_at", "unit_id", "unshown", "form", "state", "kind"):
        op.drop_column("checklist", name)
