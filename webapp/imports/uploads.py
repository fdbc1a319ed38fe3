"""An uploaded file: kept beside the data, read, told about while it is read, and marked where rows are wrong."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

from gis.complaints.uploads import ImportUpload, UploadState, expired
from gis.journal import Who
from gis.settings import Settings
from webapp.imports import mapping as mappings
from webapp.imports.complaints import import_complaints
from webapp.imports.errors import BrokenQuotes
from webapp.imports.marked import mark
from webapp.imports.report import Report
from webapp.imports.text import key, safe_name

TOLD_EVERY_S = 0.5
SHOWN = 200


def folder(settings: Settings, upload_id: UUID) -> Path:
    """Where the bytes of an upload lie: for a week, readable by the server alone."""
    return settings.data_dir.absolute() / "uploads" / str(upload_id)


def original(settings: Settings, upload_id: UUID) -> Path | None:
    """The file as it was brought, or None where it is not kept any more."""
    place = folder(settings, upload_id) / "file"
    return next(iter(place.iterdir()), None) if place.is_dir() else None


def marked_file(settings: Settings, upload_id: UUID) -> Path | None:
    """The file with its error column, or None where there is none."""
    return next(iter(folder(settings, upload_id).glob("marked.*")), None)


def keep(settings: Settings, upload_id: UUID, name: str, save: Callable[[Path], Any]) -> Path:
    """Put the bytes down; the name keeps its letters and loses its directories."""
    place = folder(settings, upload_id) / "file"
    place.mkdir(parents=True, mode=0o700)
    path = place / safe_name(Path(name.replace("\\", "/").rpartition("/")[2].strip(". ") or "file"))[:120]
    save(path)
    return path


def forget(settings: Settings, upload_id: UUID) -> None:
    """Remove the bytes of an upload: they hold callers' numbers."""
    shutil.rmtree(folder(settings, upload_id), ignore_errors=True)


def sweep(session: Session, settings: Settings, now: datetime) -> None:
    """Remove what need not be kept any longer."""
    for upload_id in expired(session, now):
        forget(settings, upload_id)


class Teller:
    """Says in transactions of its own how far a file is, at most twice a second."""

    def __init__(self, sessions: sessionmaker[Session], upload_id: UUID, clock: Callable[[], datetime]) -> None:
        self.sessions, self.upload_id, self.clock = sessions, upload_id, clock
        self._last = time.monotonic()

    def told(self, rows: int, part: float) -> None:
        if time.monotonic() - self._last < TOLD_EVERY_S:
            return
        self._last = time.monotonic()
        self.note(read=rows, part=min(part, 1.0))

    def note(self, **fields: Any) -> None:
        with self.sessions() as session:
            upload = session.get(ImportUpload, self.upload_id, with_for_update=True)
            if upload is not None:
                for name, value in {**fields, "seen_at": self.clock()}.items():
                    setattr(upload, name, value)
                session.commit()


def run(
    sessions: sessionmaker[Session], who: Who, settings: Settings, upload_id: UUID, path: Path, language: str,
    clock: Callable[[], datetime], *, good_rows: bool = False,
) -> Report:  # fmt: skip
    """Import the file; afterwards the upload says what became of it, and a refused one has its error column."""
    teller = Teller(sessions, upload_id, clock)
    report = Report(language, good_rows=good_rows)
    import_complaints(sessions, who, settings, path, None, teller.told, report)
    if report.lines:
        with suppress(BrokenQuotes, OSError):
            mark(path, folder(settings, upload_id) / "marked", report.column(), language, _wanted())
    told = report.as_dict()
    told["errors"] = told["errors"][:SHOWN]
    told["warnings"] = dict(+report.warnings)
    told["file_errors"] = report.file_errors
    if report.failed:
        state = UploadState.REFUSED
    else:
        state = UploadState.PARTLY if report.refused else UploadState.DONE
    teller.note(state=state, read=report.read, part=1.0, report=told, batch_id=report.batch_id)
    if state == UploadState.DONE:
        forget(settings, upload_id)
    return report


def _wanted() -> set[str]:
    template = mappings.shipped(mappings.TEMPLATE)
    return {key(c) for field in template.columns for c in template.sources(field)}
