"""`chengmai mqtt`: readings from a broker. `chengmai import readings`: from files."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from gis.db import unit_of_work
from gis.network.reading_actions import keep
from gis.network.reading_rules import FromWhere
from gis.people.rules import CITY
from webapp.cli import Context, common
from webapp.cli.imports import imports


@click.command()
@common
@click.pass_obj
def mqtt(context: Context) -> None:
    """Keep the readings that a broker sends (CHENGMAI_MQTT_URL) until SIGTERM. `chengmai up` does so already."""
    from webapp import mqtt as line
    from webapp.clock import clock_of

    with context.sessions() as sessions:
        line.run(context.settings, sessions, clock_of(context.settings))


@imports.command("readings")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@common
@click.pass_obj
def readings(context: Context, file: Path) -> None:
    """Measured values from CSV or Excel: a row per reading, or a column per point. What cannot be kept is told."""
    from webapp.reading_files import batches

    settings, told = context.settings, {"received": 0, "new": 0, "corrected": 0, "unchanged": 0}
    faults: dict[tuple[str, str], int] = {}
    with context.sessions() as sessions, unit_of_work(sessions) as session:
        for batch in batches(file, settings.max_import_mb):
            kept = keep(
                session, context.who(), CITY, batch.rows, FromWhere.FILE, ahead=timedelta(seconds=settings.reading_ahead_s),
                zone=ZoneInfo(settings.timezone), unreadable=batch.unreadable,
            )  # fmt: skip
            for name in told:
                told[name] += getattr(kept, name)
            for fault in kept.faults:
                key = (fault["object"], fault["kind"])
                faults[key] = faults.get(key, 0) + fault["times"]
    rows = [{"object": o, "kind": k, "times": n} for (o, k), n in sorted(faults.items())]
    lines = [", ".join(f"{name} {n:,}" for name, n in told.items())]
    lines += [f"  {row['kind']} {row['object']}: {row['times']:,}" for row in rows[:50]]
    context.say({**told, "faults": rows}, "\n".join(lines))


commands = (mqtt,)
