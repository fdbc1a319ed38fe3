"""`import complaints`: a file of rows into checked columns, chunk by chunk, while the chunk before is being stored.

Reading and checking run in a thread of their own: the database works at the same time. Nothing is kept of a file with one
refused row: the transaction ends at the first, and the rest of the file is only checked, for the report.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from gis.complaints import bulk, law_queries
from gis.complaints.bulk_rows import Prepared, Terms, prepare
from gis.complaints.channels import Channel
from gis.complaints.routing_queries import router
from gis.db import translate
from gis.errors import ChengmaiError
from gis.journal import Who
from gis.places.queries import working_days
from gis.settings import Settings
from webapp.imports import mapping as mappings
from webapp.imports.errors import AcceptedBefore, BrokenQuotes, DatabaseRefused, Differs, HeaderOnly, WrongColumns
from webapp.imports.report import Report
from webapp.imports.tables import Table, open_table
from webapp.imports.text import key, safe_name

if TYPE_CHECKING:
    from webapp.imports.checks import Checks

Told = Callable[[int, float], None]  # (rows so far, part of the file from 0 to 1)


@dataclass
class Ready:
    """What the reading thread hands over: rows read, lines to store, how far the file is read."""

    read: int
    lines: Prepared | None
    done: float


def import_complaints(
    sessions: sessionmaker[Session], who: Who, settings: Settings, path: Path, mapping: str | None, told: Told,
    report: Report | None = None,
) -> Report:  # fmt: skip
    """Bring a file of complaints in, all of it or nothing; the report says what became of it.

    With a report of `good_rows` the rows that have nothing wrong with them come in, and the others are told.
    """
    report = report or Report(settings.language)
    try:
        chosen, table = open_with_mapping(path, mapping, settings)
        with closing(table):
            _run(sessions, who, settings, path, chosen, table, report, told)
    except ChengmaiError as error:
        report.refuse(None, None, error)
    except DBAPIError as error:
        report.refuse(None, None, refused_by_database(error))
    if report.failed:
        report.added = 0
    return report


def open_with_mapping(path: Path, name: str | None, settings: Settings) -> tuple[mappings.Mapping, Table]:
    """The file and its mapping: the named one, or the first shipped one whose needed columns the header has."""
    if name is not None:
        chosen = mappings.load(name)
        return chosen, open_table(path, chosen.file, _wanted(chosen), settings.max_import_mb)
    template = mappings.shipped(mappings.TEMPLATE)
    table = open_table(path, template.file, _wanted(template), settings.max_import_mb)
    header = {key(cell) for cell in table.header}
    needed = {c for f in template.columns if f not in template.optional.fields for c in template.sources(f)}
    missing = sorted(c for c in needed if key(c) not in header)
    if missing:
        table.close()
        raise WrongColumns(missing=", ".join(missing))
    return template, table


def _wanted(chosen: mappings.Mapping) -> set[str]:
    return {key(c) for field in chosen.columns for c in chosen.sources(field)}


def _run(
    sessions: sessionmaker[Session], who: Who, settings: Settings, path: Path, chosen: mappings.Mapping, table: Table,
    report: Report, told: Told,
) -> None:  # fmt: skip
    from webapp.imports.checks import Checks

    with sessions() as session:
        index = bulk.area_index(session)
        words, complexity_of = bulk.dictionary(session)
        terms = Terms(
            calendar=working_days(session), zone=chosen.zone(settings.timezone), index=index,
            router=router(session), complexity_of=complexity_of, areas_by_word=bulk.areas_by_word(session),
            limit_source=chosen.limit.source, missing_limit=chosen.limit.missing, law=law_queries.law(session),
            hours=law_queries.hours(session),
        )  # fmt: skip
        known = {report.word("channel", c): c for c in Channel} | bulk.channels_by_word(session)
        checks = Checks(chosen, table, report, terms, words, bulk.units_by_word(session), settings, known)
        session.rollback()
        _store(session, who, (safe_name(path), sha256_of(path)), _ready(checks, table, terms), checks, told)


def _ready(checks: Checks, table: Table, terms: Terms) -> Iterator[Ready]:
    """Chunks checked and prepared, always one ahead of the database."""
    chunks = table.chunks

    def next_one() -> Ready | None:
        chunk = next(chunks, None)
        if chunk is None:
            return None
        rows = checks.check(chunk)
        lines = prepare(rows, terms) if len(rows) else None
        return Ready(len(chunk.rows) + len(chunk.broken), lines, table.done())

    with ThreadPoolExecutor(1, thread_name_prefix="import-reader") as reader:
        ahead = reader.submit(next_one)
        while (ready := ahead.result()) is not None:
            ahead = reader.submit(next_one)
            yield ready


def _store(
    session: Session, who: Who, name: tuple[str, str], chunks: Iterator[Ready], checks: Checks, told: Told
) -> None:
    report, read = checks.report, 0
    load = bulk.Load(session, who, *name)
    try:
        for ready in chunks:
            read += ready.read
            if report.failed and load.batch is not None:
                session.rollback()
                load = bulk.Load(session, who, *name, checking=True)
            if ready.lines is not None:
                report.warnings["calendar_missing"] += ready.lines.calendar_missing
                _store_chunk(load, ready.lines, checks)
            told(read, ready.done)
    except BrokenQuotes as error:
        report.refuse(int(error.params["row"]), None, error)
    report.read = read
    if not read and not report.failed:
        raise HeaderOnly()
    checks.duplicates()
    if report.failed:
        session.rollback()
        return
    _finish(session, load, checks)


def _store_chunk(load: bulk.Load, lines: Prepared, checks: Checks) -> None:
    load.stage(lines)
    if load.batch is not None and load.insert(lines):
        return
    for row, same in load.kept():
        if same:
            checks.report.unchanged += 1
        else:
            checks.report.refuse(row, checks.address_of(row, "hotline_no"), Differs())
    if "source_no" in checks.columns:
        for row, number in load.accepted():
            checks.report.refuse(row, checks.address_of(row, "source_no"), AcceptedBefore(number=number))


def _finish(session: Session, load: bulk.Load, checks: Checks) -> None:
    report = checks.report
    points, rows = checks.fallback_points()
    load.unplace(points)
    report.not_located += rows
    report.added, report.batch_id = load.added, load.batch.id if load.batch and load.added else None
    load.finish(report.counts())
    session.commit()


def refused_by_database(error: DBAPIError) -> ChengmaiError:
    """What the database said, without the row it said it about: that may hold personal data."""
    if isinstance(error, IntegrityError):
        return translate(error)
    return DatabaseRefused(reason=f"{type(error).__name__} {getattr(error.orig, 'pgcode', None) or ''}".strip())


def sha256_of(path: Path) -> str:
    """The digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
