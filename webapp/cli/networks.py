"""`chengmai import network`: a whole network from one file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gis.network.rules import PIPED, NetworkLevel
from gis.places.rules import Datum
from webapp.cli import Context, common, console
from webapp.cli.imports import ERRORS_SHOWN, imports, progress


@imports.command("network")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--utility", type=click.Choice(list(map(str, PIPED))), help="What flows, where the file does not say.")
@click.option(
    "--level", type=click.Choice(list(map(str, NetworkLevel))), help="The level of pipes that do not tell theirs."
)
@click.option("--crs", help="The coordinate system of the file, as EPSG:4548.")
@click.option("--anchor", help="Longitude,latitude of the middle of a drawing that is in no coordinate system.")
@click.option(
    "--datum", type=click.Choice([str(d) for d in Datum]), default="wgs84", help="The datum of the coordinates."
)
@click.option("--diameter-unit", type=click.Choice(["mm", "cm", "m", "in"]), help="Where the column does not say it.")
@click.option("--check", is_flag=True, help="Only look: nothing is kept.")
@click.option("--take-rest", is_flag=True, help="Keep what is right although something is wrong.")
@common
@click.pass_obj
def network(
    context: Context, file: Path, utility: str | None, level: str | None, crs: str | None, anchor: str | None, datum: str,
    diameter_unit: str | None, check: bool, take_rest: bool,
) -> None:  # fmt: skip
    """Pipelines, valves, sources, stations, supply points: GeoPackage, GeoJSON, Shapefile (zip), EPANET .inp, or Excel."""
    from webapp.imports.network import import_network
    from webapp.imports.network_files import Terms

    terms = Terms(utility, level, crs, _place(anchor), datum, diameter_unit)
    with context.sessions() as sessions, progress(file, quiet=context.as_json) as told:
        report = import_network(
            sessions, context.who(), context.settings, file, terms, store=not check, good_rows=take_rest,
            told=lambda part: told(0, part),
        )  # fmt: skip
    if context.as_json:
        context.say(report.as_dict())
    else:
        _for_people(report)
    if report.failed:
        raise click.exceptions.Exit(1)


def _place(anchor: str | None) -> tuple[float, float] | None:
    if anchor is None:
        return None
    try:
        lon, lat = (float(part) for part in anchor.split(","))
    except ValueError:
        raise click.BadParameter("LON,LAT", param_hint="--anchor") from None
    return lon, lat


def _for_people(report: Any) -> None:
    told, word = report.as_dict(), report.file.word
    for part in told["parts"]:
        counts = " · ".join(f"{word('import', n)} {part[n]:,}" for n in ("read", "added", "unchanged", "refused"))
        click.echo(f"{word('network_kind', part['kind'])} ({part['name']})\t{counts}")
    for built in told["builds"]:
        kinds = " · ".join(f"{word('finding_kind', kind)} {n:,}" for kind, n in built["kinds"].items())
        click.echo(
            f"{word('utility', built['utility'])}\t{built['nodes']:,} · {built['sections']:,} · {built['pieces']:,}\t{kinds}"
        )
    for name in told["unused"]:
        click.echo(f"— {name}")
    for error in told["errors"][:ERRORS_SHOWN]:
        where = " ".join(str(error[k]) for k in ("row", "column", "object", "lon", "lat") if error.get(k) is not None)
        console.print(f"{where}\t{error['code']}\t{error['message']}", highlight=False, markup=False)
    for found in told["findings"][:ERRORS_SHOWN]:
        console.print(
            f"{found['code']}\t{word('finding_kind', found['kind'])}\t{found['lon']}, {found['lat']}",
            highlight=False,
            markup=False,
        )
    rest = len(told["errors"]) + told["found"] - 2 * ERRORS_SHOWN
    if rest > 0:
        console.print("… (--json)", highlight=False)


commands = ()
