"""What the application's own database role may do: everything with ordinary rows, and only reading and adding where
something must be kept as it was written.

Migrations run as the owner of the tables. The server and the worker sign in as `chengmai_app` (or a member of it), which
owns nothing. Brought up to date after every migration, so that a new table is usable and a kept one stays kept.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

APP_ROLE = "chengmai_app"

# Only added to. `journal` takes no transaction number and no sequence number from outside: both are the server's own.
KEPT: dict[str, str] = {
    "journal": "(at, user_id, device_id, verb, thing, thing_id, version, area_id, unit_id, data)",
    "journal_seal": "",
    "journal_head": "",
    "journal_check": "",
    "bulletin_issue": "",
}
READ_ONLY = ("alembic_version", "spatial_ref_sys")

_MAKE_ROLE = f"""
DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{APP_ROLE}')
       AND (SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        CREATE ROLE {APP_ROLE} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;  -- another database of this server was faster
END $$
"""
# Tables and sequences of this owner that the role cannot use yet, or kept ones that it can do too much with.
_WRONG = text(
    """
    SELECT count(*) FROM pg_class c
     WHERE c.relnamespace = 'public'::regnamespace AND pg_get_userbyid(c.relowner) = current_user
       AND CASE WHEN c.relkind = 'S' THEN NOT has_sequence_privilege(:role, c.oid, 'USAGE')
                WHEN c.relkind NOT IN ('r', 'p') THEN false
                WHEN c.relname = ANY(:read_only) THEN NOT has_table_privilege(:role, c.oid, 'SELECT')
                    OR has_table_privilege(:role, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
                WHEN c.relname = ANY(:kept) THEN NOT has_table_privilege(:role, c.oid, 'SELECT')
                    OR NOT has_any_column_privilege(:role, c.oid, 'INSERT')
                    OR has_any_column_privilege(:role, c.oid, 'UPDATE, REFERENCES')
                    OR has_table_privilege(:role, c.oid, 'DELETE, TRUNCATE, TRIGGER')
                ELSE NOT (has_table_privilege(:role, c.oid, 'SELECT') AND has_table_privilege(:role, c.oid, 'INSERT')
                    AND has_table_privilege(:role, c.oid, 'UPDATE') AND has_table_privilege(:role, c.oid, 'DELETE')) END
    """
)


def bring_up_to_date(connection: Connection) -> None:
    """Make the role if we may, and give it what it lacks. Changes nothing where nothing is wrong."""
    connection.execute(text(_MAKE_ROLE))
    if connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": APP_ROLE}) is None:
        return  # not ours to make: `chengmai doctor` tells how
    given = {"role": APP_ROLE, "kept": list(KEPT), "read_only": list(READ_ONLY)}
    if connection.scalar(_WRONG, given):
        _grant(connection)


def _grant(connection: Connection) -> None:
    tables = set(connection.scalars(text("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                                         " AND relkind IN ('r', 'p') AND pg_get_userbyid(relowner) = current_user")))  # fmt: skip
    statements = [
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        f"GRANT USAGE ON SCHEMA public TO {APP_ROLE}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {APP_ROLE}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {APP_ROLE}",
    ]
    for name in sorted(tables):
        if name in KEPT or name in READ_ONLY:
            statements += [f"REVOKE ALL ON {name} FROM {APP_ROLE}", f"GRANT SELECT ON {name} TO {APP_ROLE}"]
        else:
            statements.append(f'GRANT SELECT, INSERT, UPDATE, DELETE ON "{name}" TO {APP_ROLE}')
        if name in KEPT:
            statements.append(f"GRANT INSERT {KEPT[name]} ON {name} TO {APP_ROLE}")
    statements.append(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {APP_ROLE}")
    for statement in statements:
        connection.execute(text(statement))
