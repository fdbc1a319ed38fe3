"""`chengmai audit`: is the journal as it was written, and the signed heads that outsiders can hold."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import click
from sqlalchemy import text

from gis.audit import actions, queries
from gis.audit.check import check, read_heads
from gis.db import unit_of_work
from gis.errors import Missing
from webapp import journal_keys
from webapp.cli import Context, common


@click.group()
def audit() -> None:
    """The journal: verify it, print or sign its head."""


@audit.command()
@click.option("--heads", type=click.Path(exists=True, dir_okay=False), help="Heads that were kept outside, as JSON.")
@click.option("--public-key", multiple=True, help="One more public key to trust, base64.")
@common
@click.pass_obj
@click.pass_context
def verify(ctx: click.Context, context: Context, heads: str | None, public_key: tuple[str, ...]) -> None:
    """Check every row against its seal and every head against the seals; exit 1 and the first broken row."""
    held = read_heads(Path(heads).read_text(encoding="utf-8")) if heads else []
    known = [*journal_keys.known_keys(context.settings.data_dir), *(base64.b64decode(key) for key in public_key)]
    with context.sessions() as sessions, sessions() as session:
        session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        finding = check(session, known, held)
    context.say(finding.as_dict(), _sentences(finding.as_dict()))
    ctx.exit(0 if finding.ok else 1)


def _sentences(found: dict[str, Any]) -> str:
    lines = [f"{found['rows']} rows in {found['seals']} seals, {found['heads']} heads"]
    if found["unsealed"]:
        lines.append(f"{found['unsealed']} newer rows are not sealed yet (the worker seals every two seconds)")
    lines += [f"{row['what']} {row['number']}: {row['damage']} {row['detail']}".rstrip() for row in found["broken"]]
    more = found["broken_count"] - len(found["broken"])
    lines += [f"and {more} more"] if more else []
    lines.append("Everything is as it was sealed." if found["ok"] else "The journal is not as it was sealed.")
    return "\n".join(lines)


@audit.command()
@click.option("--sign", is_flag=True, help="Seal and sign now instead of telling the last head.")
@click.option("--all", "every", is_flag=True, help="Every head that was ever signed.")
@common
@click.pass_obj
def head(context: Context, sign: bool, every: bool) -> None:
    """Print the newest signed head: whoever keeps it can later prove whether the journal was written anew."""
    with context.sessions() as sessions:
        if sign:
            with unit_of_work(sessions) as session:
                while actions.seal(session, context.who()).more:
                    pass
                actions.sign(session, context.who(), journal_keys.signing_key(context.settings.data_dir))
        with sessions() as session:
            heads = queries.heads(session)
    if not heads:
        raise Missing(thing="journal head", id="")
    told = [queries.document(one) for one in heads]
    context.say(told if every else told[-1])


@audit.command("renew-key")
@common
@click.pass_obj
def renew_key(context: Context) -> None:
    """Make a new signing key. Heads signed with the old one stay valid."""
    key = base64.b64encode(journal_keys.renew(context.settings.data_dir)).decode()
    context.say({"public_key": key}, f"Public key {key}")


commands = (audit,)
