"""The command line. Each module of this package that has `commands` adds its own; `--json` prints one JSON document."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from sqlalchemy.orm import Session, sessionmaker

import gis.models  # noqa: F401 - every table
from gis.db import make_engine, make_sessions
from gis.errors import ChengmaiError
from gis.journal import Who
from gis.settings import Settings
from webapp.clock import clock_of
from webapp.cluster import database
from webapp.roles import app_url

console = Console(stderr=True)


class Chengmai(click.Group):
    """Refusals exit 1 with their reason, wrong usage exits 2 (click's own)."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ChengmaiError as error:
            if ctx.obj and ctx.obj.as_json:
                click.echo(json.dumps({"error": error.as_dict()}, ensure_ascii=False, default=str))
            else:
                console.print(f"[red]{error.code}[/]: {error.sentence}", highlight=False)
            ctx.exit(1)


class Context:
    """What every command gets (`@click.pass_obj`): the settings, how to print, and the database when it asks."""

    def __init__(self, settings: Settings, as_json: bool) -> None:
        self.settings = settings
        self.as_json = as_json

    @contextmanager
    def sessions(self) -> Iterator[sessionmaker[Session]]:
        """A session factory on the running, or now started, database; migrated and seeded, as the application's role."""
        from migrations import upgrade
        from webapp.seeds import seed

        with database(self.settings) as url:
            upgrade(url)
            seed(url)
            engine = make_engine(app_url(self.settings, url))
            try:
                yield make_sessions(engine)
            finally:
                engine.dispose()

    def now(self) -> datetime:
        return clock_of(self.settings)()

    def who(self) -> Who:
        return Who(self.now())

    def say(self, result: Any, text: str | None = None) -> None:
        """Print `result` as JSON, or `text` for people (`result` pretty-printed where there is none)."""
        if self.as_json:
            click.echo(json.dumps(result, ensure_ascii=False, default=str))
        else:
            click.echo(text if text is not None else json.dumps(result, ensure_ascii=False, default=str, indent=2))


def common(command: Any) -> Any:
    """`--data-dir` and `--json`, accepted by every command; they override what stands before the command's name."""

    def keep(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
        if value is not None and value is not False:
            if param.name == "data_dir":
                ctx.obj.settings = ctx.obj.settings.model_copy(update={"data_dir": Path(value)})
            else:
                ctx.obj.as_json = True
        return value

    options = (
        click.option("--data-dir", type=click.Path(file_okay=False), callback=keep, expose_value=False,
                     help="Where the database and files live (default ./var)."),
        click.option("--json", "as_json", is_flag=True, callback=keep, expose_value=False, help="Print one JSON document."),
    )  # fmt: skip
    for option in options:
        command = option(command)
    return command


@click.group(cls=Chengmai)
@click.version_option(package_name="chengmai")
@click.pass_context
def main(ctx: click.Context) -> None:
    """城脉 Chengmai: complaints, crews, inspections and hotspots of a city's utilities."""
    ctx.obj = Context(Settings(), False)


for _found in (m for m in pkgutil.iter_modules(__path__) if m.name != "__main__"):
    for _command in getattr(importlib.import_module(f"{__name__}.{_found.name}"), "commands", ()):
        main.add_command(_command)
