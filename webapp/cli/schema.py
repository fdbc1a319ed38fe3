"""`chengmai db upgrade`, `chengmai demo …` and `chengmai verify`."""

from __future__ import annotations

import json
from pathlib import Path

import click
from sqlalchemy import text

from gis.db import unit_of_work
from webapp.cli import Context, common
from webapp.demo.load import load_demo, new_passwords
from webapp.files import YOUNG_S
from webapp.verify import broken_invariants


@click.group()
def db() -> None:
    """The schema."""


@db.command("upgrade")
@common
@click.pass_obj
def db_upgrade(context: Context) -> None:
    """Bring the database to the newest version and add missing seed rows."""
    with context.sessions() as sessions, sessions() as session:
        version = session.scalar(text("SELECT version_num FROM alembic_version"))
    context.say({"version": version}, f"Schema version {version}.")


@click.group()
def demo() -> None:
    """The synthetic demo city."""


@demo.command("load")
@common
@click.pass_obj
def demo_load(context: Context) -> None:
    """Make the demo city in this database; a second time changes nothing."""
    with context.sessions() as sessions:
        url = sessions.kw["bind"].url.render_as_string(False)
        accounts = load_demo(url, context.who())
    context.say(
        {"loaded": bool(accounts), "demo_accounts": accounts}, _table(accounts) or "The demo city is there already."
    )


@demo.command("accounts")
@common
@click.pass_obj
def demo_accounts(context: Context) -> None:
    """Give the demo accounts new passwords and print them."""
    with context.sessions() as sessions, unit_of_work(sessions) as session:
        accounts = new_passwords(session, context.who())
    context.say({"demo_accounts": accounts}, _table(accounts))


def _table(accounts: list[dict[str, str]]) -> str:
    return "\n".join(f"{a['name']:<14} {a['password']}   {a['role']}" for a in accounts)


@click.command()
@click.option("--acknowledged", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help='JSON {"change id": "sha256"}: what phones were told is kept; each must be there.')  # fmt: skip
@click.option("--young", default=YOUNG_S, show_default=True, help="Seconds in which a photo's file may lack its row.")
@common
@click.pass_obj
@click.pass_context
def verify(ctx: click.Context, context: Context, acknowledged: Path | None, young: float) -> None:
    """Check the invariants: exit 1 and the list when one is broken."""
    told = json.loads(acknowledged.read_bytes()) if acknowledged else None
    with context.sessions() as sessions, sessions() as session:
        session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        broken = broken_invariants(session, context.settings.files_dir, acknowledged=told, young_s=young)
    lines = [f"{row['invariant']}: {row['count']} ({', '.join(row['examples'])})" for row in broken]
    context.say({"ok": not broken, "broken": broken}, "\n".join(lines) or "Everything holds.")
    ctx.exit(1 if broken else 0)


commands = (db, demo, verify)
