"""`chengmai import …`: files from outside, all of a file or nothing of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gis.db import unit_of_work
from gis.places.rules import Datum
from webapp.cli import Context, common, console

if TYPE_CHECKING:
    from webapp.imports.report import Report

ERRORS_SHOWN = 20
OSM = (".pbf", ".osm", ".bz2")


@click.group("import")
def imports() -> None:
    """Bring data in from files."""


def file_and_mapping(command: Any) -> Any:
    """FILE and `--mapping`, as every import takes them."""
    command = click.option("--mapping", help="A mapping file (TOML), or the name of one that ships with Chengmai.")(
        command
    )
    return click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))(command)


@imports.command("complaints")
@file_and_mapping
@common
@click.pass_obj
def complaints(context: Context, file: Path, mapping: str | None) -> None:
    """Complaints from CSV or Excel."""
    from webapp.imports.complaints import import_complaints

    with context.sessions() as sessions, progress(file, quiet=context.as_json) as told:
        report = import_complaints(sessions, context.who(), context.settings, file, mapping, told)
    answer(context, report)


def _buildings_of_osm(context: Context, file: Path) -> None:
    from gis.places.building_import import import_buildings
    from webapp.imports.report import Report

    with context.sessions() as sessions, unit_of_work(sessions) as session:
        result = import_buildings(session, context.who(), file)
    context.say(result) if context.as_json else _for_people(Report(context.settings.language), result)
    if result["refused"] or result["errors"]:
        raise click.exceptions.Exit(1)


def _layer(name: str, about: str) -> None:
    @imports.command(name, help=about)
    @file_and_mapping
    @click.option(
        "--datum",
        type=click.Choice([str(d) for d in Datum]),
        help="The datum of the coordinates, where the file is wrong or silent.",
    )
    @common
    @click.pass_obj
    def bring(context: Context, file: Path, mapping: str | None, datum: str | None) -> None:
        if name == "buildings" and file.suffix.lower() in OSM:
            _buildings_of_osm(context, file)
            return
        from webapp.imports.layers import import_layer

        with context.sessions() as sessions:
            report = import_layer(sessions, context.who(), context.settings, name, file, mapping, datum)
        answer(context, report)


for _name, _about in (
    ("areas", "Districts, streets, communities, compounds and grid cells."),
    ("crews", "Crews with their skills and where they stand."),
    ("stations", "Heat-exchange stations."),
    ("pipelines", "Pipelines of heat, water, gas and drainage."),
    ("cameras", "Monitoring cameras."),
    ("samples", "Samples of mobile signal (RSRP in dBm)."),
    ("masts", "Masts of mobile telephony, there or planned."),
    ("buildings", "Building outlines with their heights."),
    ("sites", "Sites of works in yards and indoors."),
):
    _layer(_name, _about)


@contextmanager
def progress(file: Path, *, quiet: bool) -> Iterator[Callable[[int, float], None]]:
    """A bar on standard error with rows, rows a second and the time that is left; nothing with `--json`."""
    if quiet:
        yield lambda rows, done: None
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(),
        TextColumn("{task.fields[rows]:,}"), TextColumn("{task.fields[rate]:,.0f}/s"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=not console.is_terminal) as bar:
        task = bar.add_task(file.name, total=1.0, rows=0, rate=0.0)

        def told(rows: int, done: float) -> None:
            elapsed = bar.tasks[0].elapsed or 0.0
            bar.update(task, completed=min(done, 1.0), rows=rows, rate=rows / elapsed if elapsed else 0.0)

        yield told


def answer(context: Context, report: Report) -> None:
    """Print the report; a refused file exits 1."""
    result = report.as_dict()
    if context.as_json:
        context.say(result)
    else:
        _for_people(report, result)
    if report.failed:
        raise click.exceptions.Exit(1)


def _for_people(report: Report, result: dict[str, Any]) -> None:
    names = ("read", "added", "unchanged", "refused", "not_located")
    click.echo(" · ".join(f"{report.word('import', name)} {result[name]:,}" for name in names))
    for name, count in sorted((+report.warnings).items()):
        console.print(f"[yellow]{report.word('import', name)}[/]: {count:,}", highlight=False)
    for error in result["errors"][:ERRORS_SHOWN]:
        where = " ".join(str(error[k]) for k in ("row", "column") if error[k] is not None)
        console.print(f"{where}\t{error['code']}\t{error['message']}", highlight=False, markup=False)
    rest = len(result["errors"]) - ERRORS_SHOWN
    if rest > 0:
        console.print(f"… +{rest:,} (--json)", highlight=False)


commands = (imports,)
