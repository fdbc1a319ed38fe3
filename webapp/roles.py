"""The application signs in as a role of its own that can read, add and edit, but never touch what must be kept.

In the private database the owner (it makes and migrates the tables) and `chengmai_app` have a password each, beside the
data. On a server of the bureau's own, `CHENGMAI_OWNER_URL` names the owner and `CHENGMAI_DATABASE_URL` the application.
"""

from __future__ import annotations

import secrets
from pathlib import Path

import psycopg2
from psycopg2 import sql
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from gis.settings import Settings
from migrations.grants import APP_ROLE, KEPT

_CONFINE = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS LOGIN"


def app_url(settings: Settings, owner_url: str) -> str:
    """The URL the server and the worker use. In the private database the role is given its password first."""
    if settings.database_url:
        return settings.database_url
    return url_as_app(owner_url, _password(settings.data_dir))


def _password(data_dir: Path) -> str:
    path = data_dir / "keys" / "database-app-password"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24))
    return path.read_text().strip()


def url_as_app(owner_url: str, password: str) -> str:
    """The same database, signed in to as the application. Gives the role this password when it has another."""
    url = make_url(owner_url).set(username=APP_ROLE, password=password)
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        psycopg2.connect(plain, connect_timeout=5).close()
    except psycopg2.OperationalError:
        _let_in(owner_url, password)
    return url.render_as_string(hide_password=False)


def _let_in(owner_url: str, password: str) -> None:
    plain = make_url(owner_url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = psycopg2.connect(plain, connect_timeout=5)
    try:
        connection.autocommit = True
        statement = sql.SQL("ALTER ROLE {} WITH " + _CONFINE + " PASSWORD {}")
        connection.cursor().execute(statement.format(sql.Identifier(APP_ROLE), sql.Literal(password)))
    finally:
        connection.close()


def weaknesses(connection: Connection) -> list[str]:
    """What this role could do to the journal, or lacks: nothing, when it is confined as it should be."""
    found = []
    role = connection.execute(
        text(
            "SELECT current_user AS name, rolsuper, rolcreaterole, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        )
    ).one()
    if role.rolsuper:
        found.append(f"{role.name} is a superuser")
    if role.rolcreaterole:
        found.append(f"{role.name} can make roles")
    owned = connection.scalars(
        text("SELECT relname FROM pg_class WHERE relname = ANY(:kept) AND relkind = 'r'"
             " AND pg_has_role(current_user, relowner, 'MEMBER') AND NOT :super ORDER BY relname"),
        {"kept": list(KEPT), "super": role.rolsuper},
    ).all()  # fmt: skip
    if owned:
        found.append(f"{role.name} owns {', '.join(owned)}")
    for table in KEPT:
        if not role.rolsuper and table not in owned and connection.scalar(
            text("SELECT has_table_privilege(CAST(:t AS text), 'UPDATE, DELETE, TRUNCATE, TRIGGER')"), {"t": table}
        ):  # fmt: skip
            found.append(f"{role.name} may change or delete rows of {table}")
        if not connection.scalar(text("SELECT has_any_column_privilege(CAST(:t AS text), 'INSERT')"), {"t": table}):
            found.append(f"{role.name} may not write to {table}")
    return found


HOW_TO_FIX = (
    f"as the owner: CREATE ROLE {APP_ROLE} LOGIN PASSWORD '…'; (if it is there already: ALTER ROLE {APP_ROLE} LOGIN PASSWORD"
    f" '…';) then set CHENGMAI_OWNER_URL to the owner's URL, CHENGMAI_DATABASE_URL to {APP_ROLE}'s, and run"
    " `chengmai db upgrade`"
)
