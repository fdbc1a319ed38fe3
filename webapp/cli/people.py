"""`chengmai user add`."""

from __future__ import annotations

import sys

import click

from gis.db import unit_of_work
from gis.dispatch.queries import crew_called
from gis.people import actions, queries
from gis.people.rules import Role
from gis.places.queries import area_coded
from webapp.cli import Context, common


@click.group()
def user() -> None:
    """People who sign in."""


@user.command("add")
@click.argument("name")
@click.option("--role", required=True, type=click.Choice([str(r) for r in Role]))
@click.option("--unit", help="Code or name of the unit this person works for.")
@click.option("--area", help="Code of the area this person is bound to; without one, the whole city.")
@click.option("--crew", help="Code or name of the crew whose orders this person carries out.")
@common
@click.pass_obj
def add(context: Context, name: str, role: str, unit: str | None, area: str | None, crew: str | None) -> None:
    """Add NAME; the password is read from standard input."""
    password = click.prompt("Password", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    with context.sessions() as sessions, unit_of_work(sessions) as session:
        made = actions.add_user(
            session, context.who(), name, role, password,
            unit_id=queries.unit_called(session, unit).id if unit else None,
            area_id=area_coded(session, area).id if area else None,
            crew_id=crew_called(session, crew).id if crew else None,
        )  # fmt: skip
        result = {"id": made.id, "name": made.name, "role": made.role}
    context.say(result, f"{name} ({role})")


commands = (user,)
