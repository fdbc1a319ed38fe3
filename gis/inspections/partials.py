"""Photos that come in pieces: what has arrived so far lies in one file per photo, and the file's length is the offset.

A partial is named by the sha256 of the whole, so that another phone (or the same one after a new start) goes on where the
first was cut. Two that write at once take turns by a lock on the file; the second finds that its offset is no longer right.
What was announced (length, name, until when it is kept) lies beside it.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from gis.errors import BadInput, Conflict, Missing, TooLarge
from gis.inspections import photo_store
from gis.inspections.photo_store import Stored
from gis.inspections.rules import PHOTO_MAX_BYTES, NoRoom

KEPT_DAYS = 7
_CHUNK = 1 << 16


class WrongOffset(Conflict):
    """The photo goes on at byte %(offset)s, not there."""

    code = "wrong_offset"


class ChecksumMismatch(BadInput):
    """What arrived is not what was sent; send this piece again."""

    code, status = "checksum_mismatch", 460


class NoUpload(Missing):
    """There is no such upload; begin it anew."""

    code = "no_upload"


@dataclass(frozen=True)
class Partial:
    """A photo on its way: how much of it is here, of how much, and until when that is kept."""

    sha256: str
    length: int
    offset: int
    name: str
    expires_at: datetime


def begin(files_dir: Path, sha256: str, length: int, name: str, now: datetime) -> Partial:
    """Announce a photo, or find the one that was announced before and goes on."""
    photo_store.path_of(files_dir, sha256)
    if length > PHOTO_MAX_BYTES:
        raise TooLarge(limit=f"{PHOTO_MAX_BYTES >> 20} MB")
    if length < 1:
        raise BadInput(reason="Upload-Length")
    part, info = _paths(files_dir, sha256)
    part.parent.mkdir(parents=True, exist_ok=True)
    there = _told(info)
    if there is None or there["length"] != length:
        if there is not None:
            part.unlink(missing_ok=True)  # the whole has another length: what lies here is of something else
        _tell(info, {"length": length, "name": name})
    part.touch()
    os.utime(info, (now.timestamp(), now.timestamp()))
    return find(files_dir, sha256, now)


def find(files_dir: Path, sha256: str, now: datetime) -> Partial:
    """How far is it? Raises NoUpload when nothing of it is here, or it was kept too long."""
    photo_store.path_of(files_dir, sha256)
    part, info = _paths(files_dir, sha256)
    told = _told(info)
    if told is None or not part.exists():
        raise NoUpload()
    expires_at = datetime.fromtimestamp(info.stat().st_mtime, tz=now.tzinfo) + timedelta(days=KEPT_DAYS)
    if expires_at <= now:
        raise NoUpload()
    return Partial(sha256, told["length"], part.stat().st_size, told["name"], expires_at)


def add(
    files_dir: Path, sha256: str, offset: int, read: Callable[[int], bytes], now: datetime,
    checksum: tuple[str, bytes] | None = None,
) -> Partial:  # fmt: skip
    """Add a piece at the offset. Raises NoUpload, WrongOffset, TooLarge, ChecksumMismatch, NoRoom; then nothing was added."""
    with _alone(files_dir, sha256) as file:
        partial = find(files_dir, sha256, now)
        if offset != partial.offset:
            raise WrongOffset(offset=partial.offset)
        try:
            _append(file.fileno(), partial, read, checksum)
        except BaseException as error:
            os.ftruncate(file.fileno(), partial.offset)
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise NoRoom() from error
            raise
        os.utime(_paths(files_dir, sha256)[1], (now.timestamp(), now.timestamp()))
        return find(files_dir, sha256, now)


def _append(handle: int, partial: Partial, read: Callable[[int], bytes], checksum: tuple[str, bytes] | None) -> None:
    left, digest = partial.length - partial.offset, hashlib.new(checksum[0]) if checksum else None
    os.lseek(handle, partial.offset, os.SEEK_SET)
    while block := read(_CHUNK):
        left -= len(block)
        if left < 0:
            raise TooLarge(limit=f"{partial.length} B")
        if digest is not None:
            digest.update(block)
        view = memoryview(block)
        while view:
            view = view[os.write(handle, view) :]
    if checksum is not None and digest is not None and digest.digest() != checksum[1]:
        raise ChecksumMismatch()


def finish(files_dir: Path, partial: Partial, max_pixels: int) -> Stored:
    """Every byte is here: keep the photo under its name. Raises HashMismatch, BadPhoto; then it must begin anew."""
    with _alone(files_dir, partial.sha256) as file:
        try:
            stored = photo_store.keep(files_dir, partial.sha256, file.read, max_pixels)
        except BadInput:
            drop(files_dir, partial.sha256)
            raise
    return stored


def drop(files_dir: Path, sha256: str) -> None:
    """Nothing of it is needed any more."""
    for path in _paths(files_dir, sha256):
        path.unlink(missing_ok=True)


def sweep(files_dir: Path, now: datetime) -> int:
    """Throw away what was kept too long; returns how many. A photo that is given up by its phone leaves nothing behind."""
    before, thrown = (now - timedelta(days=KEPT_DAYS)).timestamp(), 0
    for info in _folder(files_dir).glob("*.info"):
        if info.stat().st_mtime <= before:
            drop(files_dir, info.stem)
            thrown += 1
    return thrown


def _folder(files_dir: Path) -> Path:
    return files_dir / "incoming"


def _paths(files_dir: Path, sha256: str) -> tuple[Path, Path]:
    return _folder(files_dir) / f"{sha256}.part", _folder(files_dir) / f"{sha256}.info"


def _told(info: Path) -> dict[str, Any] | None:
    try:
        told: dict[str, Any] = json.loads(info.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return told


def _tell(info: Path, told: dict[str, Any]) -> None:
    fresh = info.with_suffix(f".{os.getpid()}.{os.urandom(4).hex()}")
    fresh.write_text(json.dumps(told, ensure_ascii=False), "utf-8")
    fresh.replace(info)


@contextmanager
def _alone(files_dir: Path, sha256: str) -> Iterator[BinaryIO]:
    """The partial's file, open, while nobody else writes to it."""
    try:
        with _paths(files_dir, sha256)[0].open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
    except FileNotFoundError:
        raise NoUpload() from None
