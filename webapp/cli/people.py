"""`chengmai user add`."""

from __future__ import annotations

import sys

import click

from gis.db import unit_of_work
from gis.people import actions
from gis.people.rules import Role
from webapp.cli import Context, common


@click.group()
def user() -> None:
    """People who sign in."""


@user.command("add")
@click.argument("name")
@click.option("--role", required=True, type=click.Choice([str(r) for r in Role]))
@common
@click.pass_obj
def add(context: Context, name: str, role: str) -> None:
    """Add NAME; the password is read from standard input."""
    password = click.prompt("Password", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    with context.sessions() as sessions, unit_of_work(sessions) as session:
        made = actions.add_user(session, context.who(), name, role, password)
        result = {"id": made.id, "name": made.name, "role": made.role}
    context.say(result, f"{name} ({role})")


commands = (user,)
