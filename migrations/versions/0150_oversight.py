"""Oversight: notices and their numbers, call-backs, handovers, meetings, leaders' days, promises, visits and what was raised."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

revision = "0150"
down_revision = "0140"
branch_labels = None
depends_on = None

# A promise is never silently edited: every version must have its line when the transaction ends, and lines stay as they are.
TOLD = """
CREATE FUNCTION promise_is_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM promise_change WHERE promise_id = NEW.id AND version = NEW.version) THEN
    RAISE EXCEPTION 'promise % version % has no line of history', NEW.id, NEW.version USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER promise_is_told AFTER INSERT OR UPDATE ON promise
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION promise_is_told();
CREATE FUNCTION promise_change_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a line of a promise''s history stays as it is' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER promise_change_stays BEFORE UPDATE OR DELETE ON promise_change
  FOR EACH ROW EXECUTE FUNCTION promise_change_stays();
"""


def upgrade() -> None:
    op.create_table(
        "oversight_rule",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_oversight_rule")),
    )
    op.create_table(
        "visit_campaign",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("visits_target", sa.Integer(), nullable=False),
        sa.Column("opinions_target", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=300), server_default="", nullable=False),
        sa.Column("synthetic", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_visit_campaign_period")),
        sa.CheckConstraint("visits_target >= 0 AND opinions_target >= 0", name=op.f("ck_visit_campaign_targets")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit_campaign")),
    )
    op.create_table(
        "leader",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("post", sa.String(length=80), server_default="", nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_leader_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leader")),
    )
    op.create_table(
        "notice_counter",
        sa.Column("issuer_id", sa.BigInteger(), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["issuer_id"], ["unit.id"], name=op.f("fk_notice_counter_issuer_id")),
        sa.PrimaryKeyConstraint("issuer_id", "year", name=op.f("pk_notice_counter")),
    )
    op.create_table(
        "leader_day",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("planned_on", sa.Date(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("starts_at", sa.Time(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("leader_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("synthetic", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("status IN ('planned', 'held', 'called_off')", name=op.f("ck_leader_day_status")),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_leader_day_minutes")),
        sa.ForeignKeyConstraint(["leader_id"], ["leader.id"], name=op.f("fk_leader_day_leader_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leader_day")),
    )
    op.create_index(
        "uq_leader_day_on_day",
        "leader_day",
        ["on_day"],
        unique=True,
        postgresql_where=sa.text("status <> 'called_off'"),
    )
    op.create_index("uq_leader_day_planned_on", "leader_day", ["planned_on"], unique=True)
    op.create_table(
        "meeting",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("place", sa.String(length=300), server_default="", nullable=False),
        sa.Column("participants", sa.Text(), server_default="", nullable=False),
        sa.Column("minutes", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("area_id", sa.BigInteger(), nullable=True),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("synthetic", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("kind IN ('community', 'caller_and_unit', 'talk', 'bureau')", name=op.f("ck_meeting_kind")),
        sa.CheckConstraint("status IN ('planned', 'held', 'called_off')", name=op.f("ck_meeting_status")),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_meeting_area_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_meeting_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting")),
    )
    op.create_index("ix_meeting_at", "meeting", ["at"], unique=False)
    op.create_table(
        "promise",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("text_en", sa.Text(), server_default="", nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("post", sa.String(length=80), server_default="", nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("area_id", sa.BigInteger(), nullable=True),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("source", sa.String(length=300), server_default="", nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("overdue_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("synthetic", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("(status = 'open') = (ended_at IS NULL)", name=op.f("ck_promise_ended")),
        sa.CheckConstraint("status IN ('open', 'kept', 'broken')", name=op.f("ck_promise_status")),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_promise_area_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_promise_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promise")),
    )
    op.create_index("ix_promise_due_on", "promise", ["due_on"], unique=False)
    op.create_geospatial_table(
        "visit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("place", sa.String(length=300), nullable=False),
        sa.Column("visitors", sa.Text(), server_default="", nullable=False),
        sa.Column("people", sa.Integer(), server_default="0", nullable=False),
        sa.Column("found", sa.Integer(), server_default="0", nullable=False),
        sa.Column("solved", sa.Integer(), server_default="0", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("area_id", sa.BigInteger(), nullable=True),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
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
        sa.Column("synthetic", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("kind IN ('community', 'on_site')", name=op.f("ck_visit_kind")),
        sa.CheckConstraint(
            "people >= 0 AND found >= 0 AND solved >= 0 AND solved <= found", name=op.f("ck_visit_counts")
        ),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_visit_area_id")),
        sa.ForeignKeyConstraint(["campaign_id"], ["visit_campaign.id"], name=op.f("fk_visit_campaign_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_visit_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit")),
    )
    op.create_geospatial_index(
        "idx_visit_geom", "visit", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index("ix_visit_at", "visit", ["at"], unique=False)
    op.create_index("ix_visit_campaign_id", "visit", ["campaign_id"], unique=False)
    op.create_table(
        "handover",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("synthetic", sa.Boolean(), server_default="false", nullable=False),
        sa.ForeignKeyConstraint(["made_by"], ["app_user.id"], name=op.f("fk_handover_made_by")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_handover_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover")),
    )
    op.create_index(op.f("ix_handover_unit_id"), "handover", ["unit_id"], unique=False)
    op.create_table(
        "promise_change",
        sa.Column("promise_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("verb", sa.String(length=10), nullable=False),
        sa.Column("text_before", sa.Text(), server_default="", nullable=False),
        sa.Column("due_before", sa.Date(), nullable=True),
        sa.Column("due_after", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "verb IN ('made', 'moved', 'reworded', 'kept', 'broken', 'overdue')", name=op.f("ck_promise_change_verb")
        ),
        sa.ForeignKeyConstraint(["promise_id"], ["promise.id"], name=op.f("fk_promise_change_promise_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_promise_change_user_id")),
        sa.PrimaryKeyConstraint("promise_id", "version", name=op.f("pk_promise_change")),
    )
    op.create_table(
        "supervision_notice",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("issuer_id", sa.BigInteger(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("notice_no", sa.String(length=40), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=14), nullable=False),
        sa.Column("demand", sa.Text(), server_default="", nullable=False),
        sa.Column("limit_days", sa.Integer(), nullable=False),
        sa.Column("limit_source", sa.String(length=300), nullable=False),
        sa.Column("reply_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("calendar_missing", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("leader_day_id", sa.BigInteger(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by", sa.BigInteger(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.BigInteger(), nullable=True),
        sa.Column("replied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reply", sa.Text(), server_default="", nullable=False),
        sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_words", sa.Text(), server_default="", nullable=False),
        sa.Column("overdue_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("synthetic", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "reason IN ('overdue', 'dissatisfied', 'still_dissatisfied', 'three_repeats', 'leader', 'by_hand')",
            name=op.f("ck_supervision_notice_reason"),
        ),
        sa.CheckConstraint(
            "status IN ('issued', 'sent', 'acknowledged', 'replied', 'escalated', 'closed', 'withdrawn')",
            name=op.f("ck_supervision_notice_status"),
        ),
        sa.CheckConstraint("number > 0 AND limit_days > 0", name=op.f("ck_supervision_notice_numbers")),
        sa.ForeignKeyConstraint(
            ["acknowledged_by"], ["app_user.id"], name=op.f("fk_supervision_notice_acknowledged_by")
        ),
        sa.ForeignKeyConstraint(["issued_by"], ["app_user.id"], name=op.f("fk_supervision_notice_issued_by")),
        sa.ForeignKeyConstraint(["issuer_id"], ["unit.id"], name=op.f("fk_supervision_notice_issuer_id")),
        sa.ForeignKeyConstraint(["leader_day_id"], ["leader_day.id"], name=op.f("fk_supervision_notice_leader_day_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_supervision_notice_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supervision_notice")),
    )
    op.create_index(op.f("ix_supervision_notice_leader_day_id"), "supervision_notice", ["leader_day_id"], unique=False)
    op.create_index(
        "ix_supervision_notice_open",
        "supervision_notice",
        ["reply_by"],
        unique=False,
        postgresql_where=sa.text("status IN ('sent','acknowledged','escalated')"),
    )
    op.create_index(
        "ix_supervision_notice_unit_id_issued_at", "supervision_notice", ["unit_id", "issued_at"], unique=False
    )
    op.create_index(
        "uq_supervision_notice_issuer_id_year_number",
        "supervision_notice",
        ["issuer_id", "year", "number"],
        unique=True,
    )
    op.create_table(
        "follow_up_call",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("complaint_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=14), nullable=False),
        sa.Column("solved", sa.Boolean(), nullable=True),
        sa.Column("process", sa.String(length=14), nullable=True),
        sa.Column("result", sa.String(length=14), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("district_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(outcome = 'reached') = (solved IS NOT NULL AND process IS NOT NULL AND result IS NOT NULL)",
            name=op.f("ck_follow_up_call_told"),
        ),
        sa.CheckConstraint(
            "outcome IN ('reached', 'unreachable', 'refused', 'wrong_number')", name=op.f("ck_follow_up_call_outcome")
        ),
        sa.CheckConstraint(
            "process IS NULL OR process IN ('satisfied', 'basically', 'dissatisfied')",
            name=op.f("ck_follow_up_call_process"),
        ),
        sa.CheckConstraint(
            "result IS NULL OR result IN ('satisfied', 'basically', 'dissatisfied')",
            name=op.f("ck_follow_up_call_result"),
        ),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name=op.f("fk_follow_up_call_complaint_id")),
        sa.ForeignKeyConstraint(["district_id"], ["area.id"], name=op.f("fk_follow_up_call_district_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_follow_up_call_unit_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_follow_up_call_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_up_call")),
    )
    op.create_index("ix_follow_up_call_at", "follow_up_call", ["at"], unique=False)
    op.create_index("ix_follow_up_call_unit_id_at", "follow_up_call", ["unit_id", "at"], unique=False)
    op.create_index(
        "uq_follow_up_call_complaint_id_attempt", "follow_up_call", ["complaint_id", "attempt"], unique=True
    )
    op.create_table(
        "handover_item",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("handover_id", sa.BigInteger(), nullable=False),
        sa.Column("complaint_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=14), nullable=False),
        sa.Column("end_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.Column("ending", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("(ended_at IS NULL) = (ending = '')", name=op.f("ck_handover_item_ended")),
        sa.CheckConstraint("reason IN ('dissatisfied', 'repeated')", name=op.f("ck_handover_item_reason")),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name=op.f("fk_handover_item_complaint_id")),
        sa.ForeignKeyConstraint(["ended_by"], ["app_user.id"], name=op.f("fk_handover_item_ended_by")),
        sa.ForeignKeyConstraint(
            ["handover_id"], ["handover.id"], name=op.f("fk_handover_item_handover_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover_item")),
    )
    op.create_index("ix_handover_item_complaint_id", "handover_item", ["complaint_id"], unique=False)
    op.create_index("ix_handover_item_handover_id", "handover_item", ["handover_id"], unique=False)
    op.create_index(
        "uq_handover_item_open",
        "handover_item",
        ["complaint_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "matter",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("meeting_id", sa.BigInteger(), nullable=True),
        sa.Column("leader_day_id", sa.BigInteger(), nullable=True),
        sa.Column("visit_id", sa.BigInteger(), nullable=True),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raised_by", sa.BigInteger(), nullable=True),
        sa.Column("category", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("people", sa.Integer(), server_default="1", nullable=False),
        sa.Column("answer", sa.Text(), server_default="", nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("complaint_id", sa.BigInteger(), nullable=True),
        sa.Column("promise_id", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("num_nonnulls(complaint_id, promise_id) <= 1", name=op.f("ck_matter_one_end")),
        sa.CheckConstraint(
            "num_nonnulls(meeting_id, leader_day_id, visit_id) = 1", name=op.f("ck_matter_raised_somewhere")
        ),
        sa.CheckConstraint("people > 0", name=op.f("ck_matter_people")),
        sa.ForeignKeyConstraint(["category"], ["category.code"], name=op.f("fk_matter_category")),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name=op.f("fk_matter_complaint_id")),
        sa.ForeignKeyConstraint(["leader_day_id"], ["leader_day.id"], name=op.f("fk_matter_leader_day_id")),
        sa.ForeignKeyConstraint(["meeting_id"], ["meeting.id"], name=op.f("fk_matter_meeting_id")),
        sa.ForeignKeyConstraint(["promise_id"], ["promise.id"], name=op.f("fk_matter_promise_id")),
        sa.ForeignKeyConstraint(["raised_by"], ["app_user.id"], name=op.f("fk_matter_raised_by")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_matter_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_matter")),
    )
    op.create_index("ix_matter_leader_day_id", "matter", ["leader_day_id"], unique=False)
    op.create_index("ix_matter_meeting_id", "matter", ["meeting_id"], unique=False)
    op.create_index(op.f("ix_matter_promise_id"), "matter", ["promise_id"], unique=False)
    op.create_index("ix_matter_visit_id", "matter", ["visit_id"], unique=False)
    op.create_index("uq_matter_complaint_id", "matter", ["complaint_id"], unique=True)
    op.create_table(
        "notice_complaint",
        sa.Column("notice_id", sa.BigInteger(), nullable=False),
        sa.Column("complaint_id", sa.BigInteger(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name=op.f("fk_notice_complaint_complaint_id")),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["supervision_notice.id"], name=op.f("fk_notice_complaint_notice_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("notice_id", "complaint_id", name=op.f("pk_notice_complaint")),
    )
    op.create_index("ix_notice_complaint_complaint_id", "notice_complaint", ["complaint_id"], unique=False)
    op.create_index(
        "uq_notice_complaint_open",
        "notice_complaint",
        ["complaint_id"],
        unique=True,
        postgresql_where=sa.text("is_open"),
    )
    op.execute(TOLD)


def downgrade() -> None:
    op.drop_index("uq_notice_complaint_open", table_name="notice_complaint", postgresql_where=sa.text("is_open"))
    op.drop_index("ix_notice_complaint_complaint_id", table_name="notice_complaint")
    op.drop_table("notice_complaint")
    op.drop_index("uq_matter_complaint_id", table_name="matter")
    op.drop_index("ix_matter_visit_id", table_name="matter")
    op.drop_index(op.f("ix_matter_promise_id"), table_name="matter")
    op.drop_index("ix_matter_meeting_id", table_name="matter")
    op.drop_index("ix_matter_leader_day_id", table_name="matter")
    op.drop_table("matter")
    op.drop_index("uq_handover_item_open", table_name="handover_item", postgresql_where=sa.text("ended_at IS NULL"))
    op.drop_index("ix_handover_item_handover_id", table_name="handover_item")
    op.drop_index("ix_handover_item_complaint_id", table_name="handover_item")
    op.drop_table("handover_item")
    op.drop_index("uq_follow_up_call_complaint_id_attempt", table_name="follow_up_call")
    op.drop_index("ix_follow_up_call_unit_id_at", table_name="follow_up_call")
    op.drop_index("ix_follow_up_call_at", table_name="follow_up_call")
    op.drop_table("follow_up_call")
    op.drop_index("uq_supervision_notice_issuer_id_year_number", table_name="supervision_notice")
    op.drop_index("ix_supervision_notice_unit_id_issued_at", table_name="supervision_notice")
    op.drop_index(
        "ix_supervision_notice_open",
        table_name="supervision_notice",
        postgresql_where=sa.text("status IN ('sent','acknowledged','escalated')"),
    )
    op.drop_index(op.f("ix_supervision_notice_leader_day_id"), table_name="supervision_notice")
    op.drop_table("supervision_notice")
    op.drop_table("promise_change")
    op.drop_index(op.f("ix_handover_unit_id"), table_name="handover")
    op.drop_table("handover")
    op.drop_index("ix_visit_campaign_id", table_name="visit")
    op.drop_index("ix_visit_at", table_name="visit")
    op.drop_geospatial_index("idx_visit_geom", table_name="visit", postgresql_using="gist", column_name="geom")
    op.drop_geospatial_table("visit")
    op.drop_index("ix_promise_due_on", table_name="promise")
    op.drop_table("promise")
    op.drop_index("ix_meeting_at", table_name="meeting")
    op.drop_table("meeting")
    op.drop_index("uq_leader_day_planned_on", table_name="leader_day")
    op.drop_index("uq_leader_day_on_day", table_name="leader_day", postgresql_where=sa.text("status <> 'called_off'"))
    op.drop_table("leader_day")
    op.drop_table("notice_counter")
    op.drop_table("leader")
    op.drop_table("visit_campaign")
    op.drop_table("oversight_rule")
    op.execute("DROP FUNCTION promise_is_told; DROP FUNCTION promise_change_stays")
