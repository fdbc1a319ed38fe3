"""The application's own database role can add to the journal, and can do nothing else to it, by no way round."""

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from gis import journal
from gis.db import make_engine
from gis.journal import Who
from migrations.grants import APP_ROLE, KEPT
from tests.conftest import NOW, app_role
from tests.gis.audit.sealing import seal_all
from webapp.roles import weaknesses


@pytest.fixture(scope="module")
def owner(new_database):
    """A journal with one sealed row, as its owner sees it."""
    engine = make_engine(new_database())
    with Session(engine) as session:
        journal.write(session, Who(NOW), "receive", "complaint", 1)
        session.commit()
    seal_all(sessionmaker(engine))
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def as_app(owner):
    """The same, signed in as the application."""
    engine = create_engine(app_role(owner.url.render_as_string(hide_password=False)))
    yield engine
    engine.dispose()


def _refused(engine, statement):
    single = engine.execution_options(isolation_level="AUTOCOMMIT")  # some are refused in a transaction for that alone
    with single.connect() as connection, pytest.raises(DBAPIError) as refused:
        connection.execute(text(statement))
    assert refused.value.orig.pgcode in ("42501", "0LP01", "428C9"), refused.value.orig
    return refused.value


def test_it_can_write_the_journal_and_seal_it(as_app):
    with Session(as_app) as session:
        journal.write(session, Who(NOW), "assign", "complaint", 1, version=2)
        session.commit()
    assert seal_all(sessionmaker(as_app)) == 1


STATEMENTS = [
    "UPDATE {t} SET {c} = {c}", "DELETE FROM {t}", "DELETE FROM {t} WHERE false", "TRUNCATE {t}", "DROP TABLE {t}",
    "ALTER TABLE {t} DISABLE TRIGGER ALL", "ALTER TABLE {t} DISABLE TRIGGER {g}",
    "DROP TRIGGER {g} ON {t}", "ALTER TABLE {t} ADD COLUMN x int", "ALTER TABLE {t} RENAME TO other",
    "ALTER TABLE {t} OWNER TO CURRENT_USER", "GRANT ALL ON {t} TO PUBLIC",
    "CREATE TRIGGER t BEFORE INSERT ON {t} FOR EACH ROW EXECUTE FUNCTION journal_is_kept()",
    "CREATE RULE r AS ON INSERT TO {t} DO INSTEAD NOTHING", "CREATE INDEX i ON {t} ({c})",
    "CREATE POLICY p ON {t}", "ALTER TABLE {t} ENABLE ROW LEVEL SECURITY", "COMMENT ON TABLE {t} IS 'x'",
    "DO $$ BEGIN LOCK TABLE {t} IN ACCESS EXCLUSIVE MODE; END $$", "MERGE INTO {t} USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE",
]  # fmt: skip


OTHERWISE = {"bulletin_issue": ("number", "bulletin_issue_frozen")}  # a column and the trigger of what is no journal


@pytest.mark.parametrize("table", list(KEPT))
@pytest.mark.parametrize("statement", STATEMENTS)
def test_it_cannot_change_what_is_kept(as_app, table, statement):
    if statement.startswith("GRANT"):
        with as_app.connect() as connection:  # PostgreSQL only warns here
            connection.execute(text("GRANT SELECT ON journal TO PUBLIC"))
            assert not connection.scalar(text("SELECT has_table_privilege('public', 'journal', 'SELECT')"))
        return
    column, trigger = OTHERWISE.get(table, ("at", "journal_is_kept"))
    _refused(as_app, statement.format(t=table, c=column, g=trigger))


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO journal (txid, at, verb, thing, thing_id) VALUES ('3', now(), 'v', 't', '1')",
        "INSERT INTO journal (seq, at, verb, thing, thing_id) OVERRIDING SYSTEM VALUE VALUES (1, now(), 'v', 't', '1')",
        "INSERT INTO journal (at, verb, thing, thing_id) VALUES (now(), 'v', 't', '1') ON CONFLICT (seq) DO UPDATE SET verb = 'x'",
        "SELECT setval(pg_get_serial_sequence('journal', 'seq'), 1)",
        "CREATE OR REPLACE FUNCTION journal_is_kept() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "ALTER FUNCTION journal_is_kept() RENAME TO f", "DROP FUNCTION journal_is_kept()",
        "SET session_replication_role = replica", "SET ROLE postgres", "CREATE ROLE other SUPERUSER",
        f"ALTER ROLE {APP_ROLE} SUPERUSER", "CREATE TABLE public.mine (n int)", "CREATE SCHEMA mine",
        "CREATE EXTENSION dblink", "COPY journal TO PROGRAM 'cat'", "COPY journal FROM '/etc/hostname'",
        "SELECT pg_read_file('/etc/hostname')", "SELECT lo_import('/etc/hostname')", "ALTER SYSTEM SET fsync = off",
        "UPDATE alembic_version SET version_num = '0001'", "DELETE FROM spatial_ref_sys",
        "DROP TABLE complaint CASCADE", "TRUNCATE complaint CASCADE",
        "UPDATE pg_class SET relowner = 10 WHERE relname = 'journal'", "ALTER DATABASE postgres RENAME TO x",
        "CREATE FUNCTION public.hole() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
    ],
)  # fmt: skip
def test_there_is_no_way_round(as_app, statement):
    if "SET ROLE" in statement:
        with as_app.connect() as connection:
            owner = connection.scalar(text("SELECT tableowner FROM pg_tables WHERE tablename = 'journal'"))
        statement = f'SET ROLE "{owner}"'
    _refused(as_app, statement)


def test_no_function_lends_it_the_owners_rights(as_app):
    """SECURITY DEFINER functions run as their owner; PostGIS's only look up estimates, ours makes empty months of readings.

    It takes nothing but dates, and looks for names where only the owner can put any.
    """
    ours = text("SELECT p.proname, pg_get_function_arguments(p.oid), p.proconfig FROM pg_proc p WHERE p.prosecdef AND p.pronamespace = 'public'::regnamespace AND NOT EXISTS"
                " (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')")  # fmt: skip
    with as_app.connect() as connection:
        assert [tuple(row) for row in connection.execute(ours)] == [
            ("make_reading_months", "months date[]", ["search_path=public, pg_temp"])
        ]
        with pytest.raises(DBAPIError, match="permission denied"):
            connection.execute(text("CREATE TABLE public.reading_2030_01 (x int)"))
        connection.rollback()
        for wrong in ("1889-01-01", "2300-01-01", "infinity"):
            with pytest.raises(DBAPIError):
                connection.execute(text("SELECT make_reading_months(CAST(ARRAY[:day] AS date[]))"), {"day": wrong})
            connection.rollback()
        assert connection.scalar(text("SELECT make_reading_months('{2031-01-31, 2031-01-01}')")) == 1
        connection.execute(
            text("INSERT INTO reading (point_id, at, value, received_at) VALUES (1, '2031-01-31', 1, '2031-01-31')")
        )
        connection.rollback()


def test_the_triggers_refuse_even_the_owner(owner):
    for statement in ("UPDATE journal SET verb = 'x'", "DELETE FROM journal_seal", "TRUNCATE journal_head"):
        with Session(owner) as session, pytest.raises(DBAPIError, match="added, never changed or deleted"):
            session.execute(text(statement))


def test_everything_else_is_open_to_it_and_so_is_a_table_made_later(as_app, owner):
    with Session(owner) as session:
        session.execute(text("CREATE TABLE made_later (id bigserial PRIMARY KEY, n int)"))
        session.commit()
    with as_app.connect() as connection:
        connection.execute(text("INSERT INTO made_later (n) VALUES (1)"))
        closed = connection.scalars(
            text("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
                 " AND NOT relname = ANY(:kept) AND NOT (has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')"
                 " AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE'))"),
            {"kept": [*KEPT, "alembic_version", "spatial_ref_sys"]},
        ).all()  # fmt: skip
        assert closed == []
        connection.execute(text("CREATE TEMP TABLE staged (n int)"))
        connection.execute(text("TRUNCATE staged"))
        connection.execute(text("SELECT pg_advisory_xact_lock(1)"))


def test_the_doctor_finds_a_role_that_is_too_strong_and_none_in_ours(as_app, engine):
    with as_app.connect() as connection:
        assert weaknesses(connection) == []
    with engine.connect() as connection:
        assert any("superuser" in one for one in weaknesses(connection))
