"""Photo files and their rows: what lies on the disk without a row. Complaints' and inspections' photos share one store."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from gis.inspections import photo_store
from gis.inspections.model import Photo
from gis.portal.model import ComplaintPhoto

YOUNG_S = 3600.0  # a file is moved into its place a moment before its row is committed


def orphans(
    session: Session, files_dir: Path, *, only: Iterable[Path] | None = None, young_s: float = YOUNG_S
) -> list[Path]:
    """Photo files that no row names, and that are older than a sending can take."""
    before = time.time() - young_s
    old = [path for path in (only or photo_store.walk(files_dir)) if path.exists() and path.stat().st_mtime <= before]
    named = {path.name for path in old}
    known: set[str] = set()
    for model in (Photo, ComplaintPhoto):
        known |= set(session.scalars(select(model.sha256).where(model.sha256.in_(named))))
    return [path for path in old if path.name not in known]
