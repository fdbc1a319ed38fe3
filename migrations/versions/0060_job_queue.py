"""The job queue: procrastinate's own schema, read from the installed package, and our keys of what was done once.

The package's SQL is third-party code and stays in the package. Its digest is written down here, so that another version
with another schema is noticed at once: then this file keeps its digest's version for fresh databases no longer, and a
new migration must bring old databases to the new schema (procrastinate ships those steps in `sql/migrations`).
"""

from __future__ import annotations

import hashlib

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager

revision = "0060"
down_revision = "0050"
branch_labels = None
depends_on = None

SCHEMA_OF = "procrastinate 3.10"
SCHEMA_SHA256 = "c70ec4b400a60ad9592787653aae5ae77ae41bf801d56b5bd2712751a07f2009"

# Everything whose name begins with the package's: its tables, then functions, then types.
DROP = r"""
DO $$
DECLARE one record;
BEGIN
    FOR one IN SELECT c.oid::regclass AS name FROM pg_class c
                WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname LIKE 'procrastinate\_%'
    LOOP EXECUTE format('DROP TABLE %s CASCADE', one.name); END LOOP;
    FOR one IN SELECT p.oid::regprocedure AS name FROM pg_proc p
                WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'procrastinate\_%'
    LOOP EXECUTE format('DROP FUNCTION %s CASCADE', one.name); END LOOP;
    FOR one IN SELECT t.oid::regtype AS name FROM pg_type t
                WHERE t.typnamespace = 'public'::regnamespace AND t.typname LIKE 'procrastinate\_%' AND t.typtype IN ('e', 'c')
    LOOP EXECUTE format('DROP TYPE %s CASCADE', one.name); END LOOP;
END $$
"""


def upgrade() -> None:
    schema = SchemaManager.get_schema()
    if hashlib.sha256(schema.encode()).hexdigest() != SCHEMA_SHA256:
        raise RuntimeError(
            f"the installed procrastinate has another schema than {SCHEMA_OF}, which this is written for"
        )
    # without arguments, so that the driver leaves the percent signs alone
    op.get_bind().connection.cursor().execute(schema)
    op.create_table(
        "job_effect",
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_job_effect"),
    )
    op.create_table(
        "periodic_tick",
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_periodic_tick"),
    )


def downgrade() -> None:
    op.drop_table("periodic_tick")
    op.drop_table("job_effect")
    op.get_bind().connection.cursor().execute(DROP)
