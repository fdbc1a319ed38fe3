"""Findings and their rectification, stopped works, the bureau's rules, and the consequences that follow by them.

The trigger is the last word on stopped works: whatever verb books a crew, it waits for an order to stop that is being written,
and refuses the crews of the unit and the contractor at that place after it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0320"
down_revision = "0310"
branch_labels = None
depends_on = None

TABLES = (
    "consequence", "consequence_rule", "stop_work", "notice_finding", "reinspection", "rectification", "finding_photo", "finding",
    "severity_rule", "score_weight", "rectify_rule", "paper_counter",
)  # fmt: skip
REASON = "reason IN ('overdue', 'dissatisfied', 'still_dissatisfied', 'three_repeats', 'leader', 'by_hand'{more})"
REFUSED = """
    CREATE FUNCTION work_order_not_stopped() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE place geometry; body bigint;
    BEGIN
        SELECT k.geom INTO place FROM complaint k WHERE k.id = NEW.complaint_id;
        SELECT c.unit_id INTO body FROM crew c WHERE c.id = NEW.crew_id;
        IF place IS NULL OR body IS NULL THEN
            RETURN NEW;
        END IF;
        PERFORM FROM site s WHERE s.geom && ST_Expand(place, 0.001)
            AND ST_DWithin(s.geom::geography, place::geography, 50) ORDER BY s.id FOR SHARE;
        IF EXISTS (SELECT FROM stop_work w JOIN site s ON s.id = w.site_id
                    WHERE w.lifted_at IS NULL AND body IN (w.unit_id, w.contractor_id)
                      AND ST_DWithin(s.geom::geography, place::geography, 50)) THEN
            RAISE EXCEPTION 'the works at this place are stopped'
                USING ERRCODE = '23514', CONSTRAINT = 'ck_work_order_site_stopped';
        END IF;
        RETURN NEW;
    END $$
"""


def upgrade() -> None:
    _rules()
    _consequences()
    _findings()
    _stops()
    op.drop_constraint(op.f("ck_supervision_notice_reason"), "supervision_notice")
    op.create_check_constraint(
        op.f("ck_supervision_notice_reason"), "supervision_notice", REASON.format(more=", 'finding'")
    )
    op.execute(REFUSED)
    op.execute("""
        CREATE TRIGGER work_order_not_stopped BEFORE INSERT OR UPDATE OF crew_id, complaint_id ON work_order
        FOR EACH ROW EXECUTE FUNCTION work_order_not_stopped()
    """)


def _rules() -> None:
    op.create_table(
        "consequence_rule",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("subject", sa.String(length=12), nullable=False),
        sa.Column("measure", sa.String(length=24), nullable=False),
        sa.Column("severity", sa.String(length=10), nullable=False),
        sa.Column("at_least", sa.Integer(), nullable=False),
        sa.Column("window_days", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("period_days", sa.Integer(), nullable=False),
        sa.Column("appeal_days", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("synthetic", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "(kind = 'star') = (measure = 'clean_inspections')", name=op.f("ck_consequence_rule_direction")
        ),
        sa.CheckConstraint(
            "kind IN ('warning', 'removal', 'blacklist', 'star')", name=op.f("ck_consequence_rule_kind")
        ),
        sa.CheckConstraint(
            "measure IN ('breaches', 'failed_reinspections', 'stop_works', 'late', 'clean_inspections')",
            name=op.f("ck_consequence_rule_measure"),
        ),
        sa.CheckConstraint("severity IN ('minor', 'general', 'serious')", name=op.f("ck_consequence_rule_severity")),
        sa.CheckConstraint("subject IN ('unit', 'contractor', 'person')", name=op.f("ck_consequence_rule_subject")),
        sa.CheckConstraint(
            "at_least > 0 AND window_days > 0 AND period_days >= 0 AND appeal_days > 0",
            name=op.f("ck_consequence_rule_numbers"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consequence_rule")),
    )
    op.create_table(
        "paper_counter",
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "year", name=op.f("pk_paper_counter")),
    )
    op.create_table(
        "rectify_rule",
        sa.Column("severity", sa.String(length=10), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("warn_days", sa.Integer(), nullable=False),
        sa.Column("again_days", sa.Integer(), nullable=False),
        sa.Column("extend_days", sa.Integer(), nullable=False),
        sa.Column("extend_times", sa.Integer(), nullable=False),
        sa.Column("escalate_days", sa.Integer(), nullable=False),
        sa.Column("after_photo", sa.Boolean(), nullable=False),
        sa.Column("may_stop", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("severity IN ('minor', 'general', 'serious')", name=op.f("ck_rectify_rule_severity")),
        sa.PrimaryKeyConstraint("severity", name=op.f("pk_rectify_rule")),
    )
    op.create_table(
        "score_weight",
        sa.Column("checklist_code", sa.String(length=40), nullable=False),
        sa.Column("item_id", sa.String(length=64), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("weight > 0", name=op.f("ck_score_weight_weight")),
        sa.PrimaryKeyConstraint("checklist_code", "item_id", name=op.f("pk_score_weight")),
    )
    op.create_table(
        "severity_rule",
        sa.Column("checklist_code", sa.String(length=40), nullable=False),
        sa.Column("item_id", sa.String(length=64), nullable=False),
        sa.Column("severity", sa.String(length=10), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("severity IN ('minor', 'general', 'serious')", name=op.f("ck_severity_rule_severity")),
        sa.PrimaryKeyConstraint("checklist_code", "item_id", name=op.f("pk_severity_rule")),
    )


def _consequences() -> None:
    op.create_table(
        "consequence",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("rule_id", sa.BigInteger(), nullable=False),
        sa.Column("rule", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("subject", sa.String(length=12), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("basis", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision_no", sa.String(length=40), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_words", sa.Text(), server_default="", nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("appeal_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("appealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("appealed_by", sa.BigInteger(), nullable=True),
        sa.Column("appeal", sa.Text(), server_default="", nullable=False),
        sa.Column("appeal_decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("appeal_decided_by", sa.BigInteger(), nullable=True),
        sa.Column("appeal_words", sa.Text(), server_default="", nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_words", sa.Text(), server_default="", nullable=False),
        sa.Column("blacklisting_id", sa.BigInteger(), nullable=True),
        sa.Column("synthetic", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "(decision_no IS NULL) = (status IN ('proposed', 'declined'))", name=op.f("ck_consequence_decision_no")
        ),
        sa.CheckConstraint(
            "(subject = 'person') = (user_id IS NOT NULL) AND (user_id IS NULL) <> (unit_id IS NULL)",
            name=op.f("ck_consequence_whom"),
        ),
        sa.CheckConstraint("kind IN ('warning', 'removal', 'blacklist', 'star')", name=op.f("ck_consequence_kind")),
        sa.CheckConstraint(
            "status IN ('proposed', 'declined', 'in_force', 'appealed', 'revoked', 'lifted', 'expired')",
            name=op.f("ck_consequence_status"),
        ),
        sa.CheckConstraint("subject IN ('unit', 'contractor', 'person')", name=op.f("ck_consequence_subject")),
        sa.ForeignKeyConstraint(["appeal_decided_by"], ["app_user.id"], name=op.f("fk_consequence_appeal_decided_by")),
        sa.ForeignKeyConstraint(["appealed_by"], ["app_user.id"], name=op.f("fk_consequence_appealed_by")),
        sa.ForeignKeyConstraint(["blacklisting_id"], ["blacklisting.id"], name=op.f("fk_consequence_blacklisting_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["app_user.id"], name=op.f("fk_consequence_decided_by")),
        sa.ForeignKeyConstraint(["rule_id"], ["consequence_rule.id"], name=op.f("fk_consequence_rule_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_consequence_unit_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_consequence_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consequence")),
        sa.UniqueConstraint("decision_no", name=op.f("uq_consequence_decision_no")),
    )
    op.create_index(
        "ix_consequence_ends_at",
        "consequence",
        ["ends_at"],
        unique=False,
        postgresql_where=sa.text("status IN ('in_force','appealed')"),
    )
    op.create_index(op.f("ix_consequence_unit_id"), "consequence", ["unit_id"], unique=False)
    op.create_index(op.f("ix_consequence_user_id"), "consequence", ["user_id"], unique=False)
    op.create_index(
        "uq_consequence_unsettled_unit",
        "consequence",
        ["rule_id", "unit_id"],
        unique=True,
        postgresql_where=sa.text("unit_id IS NOT NULL AND status IN ('proposed','in_force','appealed')"),
    )
    op.create_index(
        "uq_consequence_unsettled_user",
        "consequence",
        ["rule_id", "user_id"],
        unique=True,
        postgresql_where=sa.text("user_id IS NOT NULL AND status IN ('proposed','in_force','appealed')"),
    )


def _findings() -> None:
    op.create_table(
        "finding",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.String(length=64), nullable=False),
        sa.Column("item_zh", sa.String(length=300), nullable=False),
        sa.Column("item_en", sa.String(length=300), nullable=False),
        sa.Column("pledge_no", sa.Integer(), nullable=False),
        sa.Column("severity", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("area_id", sa.BigInteger(), nullable=True),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("contractor_id", sa.BigInteger(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("inspector_id", sa.BigInteger(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_by", sa.BigInteger(), nullable=True),
        sa.Column("rectify_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("limit_source", sa.String(length=300), server_default="", nullable=False),
        sa.Column("calendar_missing", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("extended_times", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failed_times", sa.Integer(), server_default="0", nullable=False),
        sa.Column("warned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("late_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_words", sa.Text(), server_default="", nullable=False),
        sa.Column("synthetic", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("severity IN ('minor', 'general', 'serious')", name=op.f("ck_finding_severity")),
        sa.CheckConstraint(
            "status = 'open' OR status = 'withdrawn' OR unit_id IS NOT NULL", name=op.f("ck_finding_unit")
        ),
        sa.CheckConstraint(
            "status IN ('open', 'sent', 'signed', 'rectified', 'failed', 'closed', 'withdrawn')",
            name=op.f("ck_finding_status"),
        ),
        sa.CheckConstraint("failed_times >= 0 AND extended_times >= 0", name=op.f("ck_finding_counts")),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_finding_area_id")),
        sa.ForeignKeyConstraint(["contractor_id"], ["unit.id"], name=op.f("fk_finding_contractor_id")),
        sa.ForeignKeyConstraint(
            ["inspection_id"], ["inspection.id"], name=op.f("fk_finding_inspection_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["inspector_id"], ["app_user.id"], name=op.f("fk_finding_inspector_id")),
        sa.ForeignKeyConstraint(["order_id"], ["work_order.id"], name=op.f("fk_finding_order_id")),
        sa.ForeignKeyConstraint(["signed_by"], ["app_user.id"], name=op.f("fk_finding_signed_by")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_finding_site_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_finding_unit_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_finding_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding")),
    )
    op.create_index(op.f("ix_finding_area_id"), "finding", ["area_id"], unique=False)
    op.create_index(op.f("ix_finding_contractor_id"), "finding", ["contractor_id"], unique=False)
    op.create_index(
        "ix_finding_due",
        "finding",
        ["rectify_by"],
        unique=False,
        postgresql_where=sa.text("status IN ('sent','signed','failed')"),
    )
    op.create_index("ix_finding_found_at", "finding", ["found_at"], unique=False)
    op.create_index(op.f("ix_finding_order_id"), "finding", ["order_id"], unique=False)
    op.create_index(
        "ix_finding_rectified", "finding", ["id"], unique=False, postgresql_where=sa.text("status = 'rectified'")
    )
    op.create_index(op.f("ix_finding_site_id"), "finding", ["site_id"], unique=False)
    op.create_index("ix_finding_unit_id_found_at", "finding", ["unit_id", "found_at"], unique=False)
    op.create_index(op.f("ix_finding_user_id"), "finding", ["user_id"], unique=False)
    op.create_index("uq_finding_inspection_id_item_id", "finding", ["inspection_id", "item_id"], unique=True)
    op.create_table(
        "finding_photo",
        sa.Column("finding_id", sa.BigInteger(), nullable=False),
        sa.Column("part", sa.String(length=12), nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "part IN ('before', 'signature', 'after', 'reinspection')", name=op.f("ck_finding_photo_part")
        ),
        sa.ForeignKeyConstraint(
            ["finding_id"], ["finding.id"], name=op.f("fk_finding_photo_finding_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["sha256"], ["photo.sha256"], name=op.f("fk_finding_photo_sha256")),
        sa.PrimaryKeyConstraint("finding_id", "part", "attempt", "sha256", name=op.f("pk_finding_photo")),
    )
    op.create_index("ix_finding_photo_sha256", "finding_photo", ["sha256"], unique=False)
    op.create_table(
        "rectification",
        sa.Column("finding_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["finding_id"], ["finding.id"], name=op.f("fk_rectification_finding_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_rectification_user_id")),
        sa.PrimaryKeyConstraint("finding_id", "attempt", name=op.f("pk_rectification")),
    )
    op.create_table(
        "reinspection",
        sa.Column("finding_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["finding_id"], ["finding.id"], name=op.f("fk_reinspection_finding_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_reinspection_user_id")),
        sa.PrimaryKeyConstraint("finding_id", "attempt", name=op.f("pk_reinspection")),
    )


def _stops() -> None:
    op.create_table(
        "notice_finding",
        sa.Column("notice_id", sa.BigInteger(), nullable=False),
        sa.Column("finding_id", sa.BigInteger(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["finding_id"], ["finding.id"], name=op.f("fk_notice_finding_finding_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["supervision_notice.id"], name=op.f("fk_notice_finding_notice_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("notice_id", "finding_id", name=op.f("pk_notice_finding")),
    )
    op.create_index("ix_notice_finding_finding_id", "notice_finding", ["finding_id"], unique=False)
    op.create_index(
        "uq_notice_finding_open", "notice_finding", ["finding_id"], unique=True, postgresql_where=sa.text("is_open")
    )
    op.create_table(
        "stop_work",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("stop_no", sa.String(length=40), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("finding_id", sa.BigInteger(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("contractor_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped_by", sa.BigInteger(), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.BigInteger(), nullable=True),
        sa.Column("lift_reason", sa.Text(), nullable=True),
        sa.Column("synthetic", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("(lifted_at IS NULL) = (lift_reason IS NULL)", name=op.f("ck_stop_work_lifted")),
        sa.ForeignKeyConstraint(["contractor_id"], ["unit.id"], name=op.f("fk_stop_work_contractor_id")),
        sa.ForeignKeyConstraint(["finding_id"], ["finding.id"], name=op.f("fk_stop_work_finding_id")),
        sa.ForeignKeyConstraint(["lifted_by"], ["app_user.id"], name=op.f("fk_stop_work_lifted_by")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_stop_work_site_id")),
        sa.ForeignKeyConstraint(["stopped_by"], ["app_user.id"], name=op.f("fk_stop_work_stopped_by")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_stop_work_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stop_work")),
    )
    op.create_index(op.f("ix_stop_work_finding_id"), "stop_work", ["finding_id"], unique=False)
    op.create_index(
        "uq_stop_work_standing", "stop_work", ["site_id"], unique=True, postgresql_where=sa.text("lifted_at IS NULL")
    )
    op.create_index("uq_stop_work_year_number", "stop_work", ["year", "number"], unique=True)


def downgrade() -> None:
    op.execute("DROP TRIGGER work_order_not_stopped ON work_order")
    op.execute("DROP FUNCTION work_order_not_stopped()")
    op.execute("DELETE FROM supervision_notice WHERE reason = 'finding'")
    op.drop_constraint(op.f("ck_supervision_notice_reason"), "supervision_notice")
    op.create_check_constraint(op.f("ck_supervision_notice_reason"), "supervision_notice", REASON.format(more=""))
    for name in TABLES:
        op.drop_table(name)
