"""The people of contractors on the record: a breach names one of them, a rule speaks of them, the blacklist keeps them off sites."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0520"
down_revision = "0515"
branch_labels = None
depends_on = None

UNSETTLED = "worker_id IS NOT NULL AND status IN ('proposed','in_force','appealed')"


def upgrade() -> None:
    for table in ("finding", "consequence", "blacklisting"):
        op.add_column(table, sa.Column("worker_id", sa.BigInteger()))
        op.create_foreign_key(op.f(f"fk_{table}_worker_id"), table, "site_worker", ["worker_id"], ["id"])
    op.create_index("ix_finding_worker_id", "finding", ["worker_id"])
    op.create_index("ix_consequence_worker_id", "consequence", ["worker_id"])
    op.create_check_constraint(op.f("ck_finding_person"), "finding", "user_id IS NULL OR worker_id IS NULL")
    _check("blacklisting", "whom", "num_nonnulls(unit_id, user_id, worker_id) = 1")
    op.create_exclude_constraint("ex_blacklisting_worker", "blacklisting", ("worker_id", "="), ("during", "&&"), using="gist",
                                 where=sa.text("worker_id IS NOT NULL"))  # fmt: skip
    _check("consequence", "whom", """
        num_nonnulls(unit_id, user_id, worker_id) = 1 AND (subject = 'person') = (user_id IS NOT NULL)
        AND (subject = 'worker') = (worker_id IS NOT NULL)""")  # fmt: skip
    op.create_index("uq_consequence_unsettled_worker", "consequence", ["rule_id", "worker_id"], unique=True,
                    postgresql_where=sa.text(UNSETTLED))  # fmt: skip
    for table in ("consequence", "consequence_rule"):
        _check(table, "subject", "subject IN ('unit', 'contractor', 'person', 'worker')")


def _check(table: str, name: str, condition: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)


def downgrade() -> None:
    op.execute("DELETE FROM consequence WHERE subject = 'worker'")
    op.execute("DELETE FROM consequence_rule WHERE subject = 'worker'")
    op.execute("DELETE FROM blacklisting WHERE worker_id IS NOT NULL")
    for table in ("consequence", "consequence_rule"):
        _check(table, "subject", "subject IN ('unit', 'contractor', 'person')")
    op.drop_index("uq_consequence_unsettled_worker", table_name="consequence")
    op.drop_constraint("ex_blacklisting_worker", "blacklisting")
    op.drop_constraint(op.f("ck_finding_person"), "finding")
    _check(
        "consequence", "whom", "(subject = 'person') = (user_id IS NOT NULL) AND (user_id IS NULL) <> (unit_id IS NULL)"
    )
    _check("blacklisting", "whom", "(unit_id IS NULL) <> (user_id IS NULL)")
    for table in ("finding", "consequence", "blacklisting"):
        op.drop_column(table, "worker_id")
