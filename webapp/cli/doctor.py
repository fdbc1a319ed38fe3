"""`chengmai doctor`: what is missing or wrong, and what to do about it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click
import psycopg2
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from gis.audit.queries import checks
from gis.errors import ChengmaiError
from gis.jobs import STALLED_S, state
from gis.settings import Settings
from migrations import config
from webapp.cli import Context, common, console
from webapp.cluster import Cluster, database, find_bin, holder
from webapp.roles import HOW_TO_FIX, app_url, weaknesses

VENDOR = Path(__file__).parent.parent / "static" / "vendor"
DISK_GB = 2
LATE_S = 60  # a job that has waited longer than this is told

Check = Callable[[Settings], str]


class _Wrong(Exception):
    """What is wrong, and what to do."""


def _python(_: Settings) -> str:
    return sys.version.split()[0]


def _postgres(settings: Settings) -> str:
    if settings.database_url:
        return "external server configured"
    try:
        return str(find_bin())
    except ChengmaiError as error:
        raise _Wrong(error.sentence) from error


def _directory(settings: Settings) -> str:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    if not os.access(settings.data_dir, os.W_OK):
        raise _Wrong(f"{settings.data_dir} is not writable")
    free_gb = shutil.disk_usage(settings.data_dir).free / 1e9
    if free_gb < DISK_GB:
        raise _Wrong(f"only {free_gb:.1f} GB are free; at least {DISK_GB} GB are wanted")
    pid = holder(settings.data_dir)
    return f"{settings.data_dir.resolve()}, {free_gb:.0f} GB free" + (f", held by process {pid}" if pid else "")


def _vendor(_: Settings) -> str:
    missing = [
        n for n in ("maplibre-gl.mjs", "maplibre-gl-worker.mjs", "dexie.mjs", "leaflet.js") if not (VENDOR / n).exists()
    ]
    if missing:
        raise _Wrong(f"browser modules are missing ({', '.join(missing)}): run `make setup`")
    return "browser modules are there"


def _words(_: Settings) -> str:
    catalogues = VENDOR.parent.parent / "translations" / "zh" / "LC_MESSAGES"
    if not any(catalogues.glob("*.mo")):
        raise _Wrong("the Chinese texts are not compiled: run `make setup`")
    return "Chinese texts are there"


def _schema(settings: Settings) -> str:
    if not settings.database_url and not (Cluster(settings.data_dir).pg / "made").exists():
        return "no database yet; `chengmai up` makes one"
    try:
        with database(settings) as url:
            engine = create_engine(url)
            with engine.connect() as connection:
                postgis = connection.scalar(
                    text("SELECT default_version FROM pg_available_extensions WHERE name='postgis'")
                )
                if postgis is None:
                    raise _Wrong("the server has no PostGIS")
                at = connection.scalar(text("SELECT to_regclass('alembic_version')"))
                at = connection.scalar(text("SELECT version_num FROM alembic_version")) if at else None
                year = datetime.now(UTC).year
                years = set(connection.scalars(text("SELECT year FROM calendar_year"))) if at else {year}
            engine.dispose()
            newest = ScriptDirectory.from_config(config(url)).get_current_head()
    except (ChengmaiError, SQLAlchemyError) as error:
        raise _Wrong(str(error).splitlines()[0]) from error
    if at != newest:
        raise _Wrong(f"schema is {at or 'empty'}, newest is {newest}: run `chengmai db upgrade`")
    if year not in years:
        raise _Wrong(
            f"the working-day calendar of {year} is missing: deadlines follow Monday-Friday; enter it under /calendar"
        )
    soon = "" if year + 1 in years else f"; the calendar of {year + 1} is still missing, enter it before the year ends"
    return f"PostGIS {postgis}, schema {at}{soon}"


def _made(settings: Settings) -> bool:
    return bool(settings.database_url) or (Cluster(settings.data_dir).pg / "made").exists()


def _as_app(settings: Settings, ask: Callable[[Connection], str]) -> str:
    """Ask as the application's own role; a database that is not there or not migrated is another check's business."""
    if not _made(settings):
        return "no database yet"
    try:
        with database(settings) as url:
            engine = create_engine(app_url(settings, url))
            try:
                with engine.connect() as connection:
                    if connection.scalar(text("SELECT to_regclass('journal_seal')")) is None:
                        return "not migrated yet"
                    return ask(connection)
            finally:
                engine.dispose()
    except (ChengmaiError, SQLAlchemyError, psycopg2.Error) as error:
        raise _Wrong(str(error).splitlines()[0]) from error


def _role(settings: Settings) -> str:
    def ask(connection: Connection) -> str:
        if found := weaknesses(connection):
            raise _Wrong(f"the journal could be changed by the application: {'; '.join(found)}. {HOW_TO_FIX}")
        return f"{connection.scalar(text('SELECT current_user'))} can add to the journal, not change it"

    return _as_app(settings, ask)


def _worker(settings: Settings) -> str:
    def ask(connection: Connection) -> str:
        now = state(Session(connection))
        if now["failed"]:
            raise _Wrong(f"{now['failed']} jobs failed for good: see `chengmai jobs list`")
        heard = now["heartbeat_s"]
        running = heard is not None and heard < STALLED_S
        if not running and (now["lag_s"] > LATE_S or holder(settings.data_dir)):
            raise _Wrong(
                f"no worker is running and {now['waiting']} jobs are waiting: `chengmai up` or `chengmai work`"
            )
        return f"{'running' if running else 'not running'}, {now['waiting']} jobs waiting"

    return _as_app(settings, ask)


def _journal(settings: Settings) -> str:
    def ask(connection: Connection) -> str:
        last = checks(Session(connection), 1)
        if last and last[0].broken_count:
            raise _Wrong("the last check found the journal changed: see `chengmai audit verify`")
        return (
            f"checked {last[0].at:%Y-%m-%d %H:%M}, whole" if last else "not checked yet; the worker does it every night"
        )

    return _as_app(settings, ask)


def _safety(settings: Settings) -> str:
    loopback = settings.host in ("127.0.0.1", "::1", "localhost")
    if settings.demo and not loopback:
        raise _Wrong("demo accounts are on and the address is not loopback")
    if not loopback and not settings.secure_cookies:
        raise _Wrong("not on loopback and CHENGMAI_SECURE_COOKIES is off: put TLS in front and switch it on")
    return f"{settings.host}:{settings.port}"


CHECKS: dict[str, Check] = {
    "python": _python, "postgresql": _postgres, "data directory": _directory, "browser modules": _vendor,
    "words": _words, "database": _schema, "database role": _role, "worker": _worker, "journal": _journal, "address": _safety,
}  # fmt: skip


@click.command()
@common
@click.pass_obj
@click.pass_context
def doctor(ctx: click.Context, context: Context) -> None:
    """Say what is missing or wrong; exit 1 when something is."""
    results = []
    for name, check in CHECKS.items():
        try:
            results.append({"check": name, "ok": True, "detail": check(context.settings)})
        except _Wrong as wrong:
            results.append({"check": name, "ok": False, "detail": str(wrong)})
    if context.as_json:
        context.say({"ok": all(r["ok"] for r in results), "checks": results})
    else:
        for row in results:
            mark = "[green]✓[/]" if row["ok"] else "[red]✗[/]"
            console.print(f"{mark} {row['check']}: {row['detail']}", highlight=False)
    ctx.exit(0 if all(r["ok"] for r in results) else 1)


commands = (doctor,)
