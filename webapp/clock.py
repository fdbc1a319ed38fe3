"""The clock of the doors. In the demo it runs from the heating week of 2009; everywhere else it is the real one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gis.settings import Settings


def utc_now() -> datetime:
    return datetime.now(UTC)


def _offset_file(data_dir: Path) -> Path:
    return data_dir / "demo-clock-offset-s"


def set_demo_clock(settings: Settings, at: datetime) -> None:
    """From now on this data directory's clock goes on from `at`. Only the demo calls this."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    _offset_file(settings.data_dir).write_text(str((at - utc_now()).total_seconds()))


def clock_of(settings: Settings) -> Callable[[], datetime]:
    """The clock of this data directory."""
    path = _offset_file(settings.data_dir)
    if not path.exists():
        return utc_now
    offset = timedelta(seconds=float(path.read_text()))
    return lambda: utc_now() + offset
