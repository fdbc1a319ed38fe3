"""`chengmai hotspots`: where complaints gather, as cells with count, z, p and label; every cell that was compared."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from gis.complaints.queries import Filters
from gis.db import make_engine
from gis.errors import Unavailable
from gis.hotspots.rules import CELL_M, REACH_CELLS, BadPeriod, CellShape, Ground
from gis.people.rules import CITY
from gis.settings import Settings
from webapp.cli import Context, common, console

if TYPE_CHECKING:
    from gis.hotspots.analysis import Findings, Question, Source
    from gis.hotspots.cells import Cell

SHOWN = 30


class NoClusterParts(Unavailable):
    """%(name)s is not installed: pip install "chengmai[cluster]" here and where the workers run."""

    code = "no_cluster_parts"


class NoDatabaseThere(Unavailable):
    """A worker of the Dask cluster does not know the database: set CHENGMAI_DATABASE_URL where it runs."""

    code = "no_database_there"


@click.command()
@click.option("--from", "first", required=True, type=click.DateTime(["%Y-%m-%d"]), help="First day, included.")
@click.option("--to", "last", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Last day, included.")
@click.option("--category", multiple=True, help="A category's code or its beginning (heat is every heat.…).")
@click.option("--district", multiple=True, type=int, help="The id of an area; may be given several times.")
@click.option("--cell", default=float(CELL_M), show_default=True, help="Side of a cell in metres.")
@click.option("--reach", type=float, help=f"Radius of a neighbourhood in metres (default: {REACH_CELLS} cells).")
@click.option(
    "--ground",
    type=click.Choice([str(g) for g in Ground]),
    default=str(Ground.SETTLED),
    show_default=True,
    help="Compare the cells where people live, or every cell of the districts.",
)
@click.option(
    "--shape",
    type=click.Choice([str(s) for s in CellShape]),
    default=str(CellShape.SQUARE),
    show_default=True,
    help="What the ground is cut into.",
)
@click.option(
    "--file",
    "files",
    multiple=True,
    help="Complaints as GeoParquet (points, received_at, category) instead of the bureau's own; a path or pattern.",
)
@common
@click.pass_obj
def hotspots(
    context: Context, first: datetime, last: datetime, category: tuple[str, ...], district: tuple[int, ...], cell: float,
    reach: float | None, ground: str, shape: str, files: tuple[str, ...],
) -> None:  # fmt: skip
    """Getis-Ord Gi* of the complaints received from DATE to DATE, with labels after false discovery control.

    With CHENGMAI_DASK=tcp://host:8786 the workers of that Dask cluster read and count, for more complaints than one memory
    holds. Each needs chengmai[cluster] and the same CHENGMAI_DATABASE_URL. On one machine it is slower than without.
    """
    if first > last:
        raise BadPeriod(reason=f"{first:%Y-%m-%d} > {last:%Y-%m-%d}")
    zone = ZoneInfo(context.settings.timezone)
    since, until = (datetime.combine(day.date(), time(), tzinfo=zone) for day in (first, last + timedelta(days=1)))
    chosen = Filters(category=category, district=district, since=since, until=until)
    # Loaded here: the statistics are a second and a hundred megabytes that no other command needs.
    from gis.hotspots.analysis import Question

    question = Question.of(chosen, cell, reach, Ground(ground), CellShape(shape))
    with context.sessions() as sessions, sessions() as session, _source(context, session, question, files) as source:
        found, cells = _ask(session, question, context.now(), source)
    context.say([_record(c) for c in cells], _table(question, found, cells))


@contextmanager
def _source(context: Context, session: Session, question: Question, files: tuple[str, ...]) -> Iterator[Source | None]:
    """Where the places come from: nothing else than the bureau's own arrays, unless a cluster or files are named."""
    settings = context.settings
    if not files and not settings.dask:
        yield None
        return
    try:
        import dask_geopandas  # noqa: F401 - with Dask itself
        import distributed  # noqa: F401
    except ImportError as missing:
        raise NoClusterParts(name=missing.name) from missing
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from gis.hotspots import clustered

    bar = Progress(TextColumn("parts read"), BarColumn(), MofNCompleteColumn(), console=console, transient=True)
    with clustered.cluster(settings.dask) as client, bar:
        task = bar.add_task("")

        def tell(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        if files:
            yield clustered.Files(client, files, question.filters, ZoneInfo(settings.timezone), tell)
        else:
            yield clustered.Database(client, session, question.filters, CITY, context.now(), connect, tell)


def connect() -> Session:
    """A session where a worker runs: by its own settings."""
    settings = Settings()
    if settings.database_url is None:
        raise NoDatabaseThere()
    return Session(make_engine(settings.database_url, poolclass=NullPool))


def _ask(
    session: Session, question: Question, now: datetime, source: Source | None
) -> tuple[Findings | None, list[Cell]]:  # fmt: skip
    from gis.hotspots import analysis, cells

    found = analysis.find(session, question, CITY, now, source)
    if found is None:
        return None, []
    listed = cells.cells(found, every=True)
    names = cells.name_cells(session, listed, found)
    return found, [replace(c, place=name) for c, name in zip(listed, names, strict=True)]


def _record(cell: Cell) -> dict[str, Any]:
    return {
        "lon": round(cell.lon, 7), "lat": round(cell.lat, 7), "count": cell.count, "z": cell.z, "p": cell.p, "q": cell.q,
        "label": str(cell.label), "per_km2": cell.per_km2, "place": cell.place,
    }  # fmt: skip


def _table(question: Question, found: Findings | None, cells: list[Cell]) -> str:
    """The strongest cells for people, and what is not among them."""
    if found is None:
        return "No complaint with a place in this selection, and no district to look at."
    table = Table(title=f"Gi*, cells of {question.cell_m:g} m, neighbours within {question.reach_m:g} m")
    for name in ("lon", "lat", "count", "z", "p"):
        table.add_column(name, justify="right")
    table.add_column("label")
    table.add_column("place")
    for c in cells[:SHOWN]:
        z, p = ("-", "-") if c.z is None or c.p is None else (f"{c.z:.2f}", f"{c.p:.2g}")
        table.add_row(f"{c.lon:.5f}", f"{c.lat:.5f}", str(c.count), z, p, str(c.label), _shown(c.place))
    kept = io.StringIO()
    Console(file=kept, width=120, markup=False).print(table)
    area = "study area" if found.area is not None else "study area (rectangle around the complaints)"
    return (
        f"{kept.getvalue()}{len(cells)} cells, {min(SHOWN, len(cells))} shown; {found.cells_in_area} cells in the {area}; "
        f"{found.drawn} complaints, {found.not_located} not located, {found.outside} outside"
    )


def _shown(text: str) -> str:
    """Stored text for a terminal: no control characters."""
    return "".join(c if c.isprintable() else " " for c in text)


commands = (hotspots,)
