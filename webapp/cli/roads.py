"""`chengmai import roads`: a street network from an OpenStreetMap extract or from what GDAL reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gis.db import unit_of_work
from gis.places.rules import DRIVE_KMH
from webapp.cli import Context, common
from webapp.cli.imports import imports

ERRORS_SHOWN = 20


@imports.command("roads")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", help="Name of the network (default: the file's). The same name again replaces it.")
@click.option("--layer", help="Which layer of a file with several.")
@click.option("--highway", default="road", type=click.Choice(sorted(DRIVE_KMH)),
              help="Class of streets whose class the file does not say.")  # fmt: skip
@click.option("--mapping", hidden=True, help="Not needed: streets are read by their tags.")
@common
@click.pass_obj
def roads(context: Context, file: Path, name: str | None, layer: str | None, highway: str, mapping: str | None) -> None:
    """Streets from .osm.pbf (one-way, speeds, names), or from .gpkg, .geojson, .shp (both ways unless a column says no)."""
    from gis.places.road_import import import_roads

    with context.sessions() as sessions, unit_of_work(sessions) as session:
        result = import_roads(session, context.who(), file, name=name, layer=layer, highway=highway)
    tell(context, result)


def tell(context: Context, result: dict[str, Any]) -> None:
    """Print a report; a refused file exits 1."""
    context.say(result, _for_people(result))
    if result["refused"]:
        raise click.exceptions.Exit(1)


def _for_people(result: dict[str, Any]) -> str:
    names = ("read", "added", "unchanged", "refused", "not_located", "skipped", "edges", "removed_edges", "unreachable")
    lines = [" · ".join(f"{name.replace('_', ' ')} {result[name]:,}" for name in names if name in result)]
    errors = result["errors"]
    lines += [f"{e['row']} {e['column']}\t{e['code']}\t{e['message']}" for e in errors[:ERRORS_SHOWN]]
    if len(errors) > ERRORS_SHOWN:
        lines.append(f"… +{len(errors) - ERRORS_SHOWN:,} (--json)")
    return "\n".join(lines)


commands = ()
