"""Photos on disk, named by their content: `aa/bb/<sha256>`. A photo is on the disk for good before anybody is told so."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from gis.errors import TooLarge
from gis.inspections import image_header
from gis.inspections.rules import (
    HEIC,
    NO_PICTURE,
    PHOTO_KINDS,
    PHOTO_MAX_BYTES,
    TOO_MANY_PIXELS,
    BadPhoto,
    HashMismatch,
    NoRoom,
)

_CHUNK = 1 << 16
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Stored:
    """A photo that is safely on the disk."""

    sha256: str
    mime: str
    size_bytes: int
    width: int
    height: int


def is_sha256(text: str) -> bool:
    """64 lower-case hexadecimal digits: the only thing that ever becomes a file name."""
    return _SHA256.fullmatch(text) is not None


def path_of(files_dir: Path, sha256: str) -> Path:
    """Where a photo lies. Raises BadPhoto for anything that is not a sha256, so no path can be smuggled in."""
    if not is_sha256(sha256):
        raise BadPhoto(reason="sha256")
    return files_dir / sha256[:2] / sha256[2:4] / sha256


def keep(files_dir: Path, sha256: str, read: Callable[[int], bytes], max_pixels: int) -> Stored:
    """Write what `read` gives beside its place, check it, and move it there; durable when this returns.

    Raises TooLarge, HashMismatch, BadPhoto, NoRoom; then nothing stays behind.
    """
    place = path_of(files_dir, sha256)
    temp = files_dir / "incoming" / f"{sha256}.{secrets.token_hex(6)}"
    try:
        if not temp.parent.is_dir():
            temp.parent.mkdir(parents=True, exist_ok=True)
        with temp.open("xb") as file:
            size, digest = _copy(read, file.write)
            file.flush()
            os.fsync(file.fileno())
        if digest != sha256:
            raise HashMismatch()
        header = _checked(temp, max_pixels)
        _move(temp, place)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoRoom() from error
        raise
    finally:
        temp.unlink(missing_ok=True)
    return Stored(sha256, header.mime, size, header.width, header.height)


def _copy(read: Callable[[int], bytes], write: Callable[[bytes], object]) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    while block := read(_CHUNK):
        size += len(block)
        if size > PHOTO_MAX_BYTES:
            raise TooLarge(limit=f"{PHOTO_MAX_BYTES >> 20} MB")
        digest.update(block)
        write(block)
    return size, digest.hexdigest()


def _checked(path: Path, max_pixels: int) -> image_header.Header:
    with path.open("rb") as file:
        data = file.read(image_header.HEADER_BYTES)
    header = image_header.read(data)
    if header is None:
        raise BadPhoto(reason=HEIC if image_header.is_heic(data) else NO_PICTURE)
    if header.pixels > max_pixels:
        raise BadPhoto(reason=TOO_MANY_PIXELS)
    assert header.mime in PHOTO_KINDS
    return header


_ROOTED: set[Path] = set()  # first-level directories whose own names are known to be on the disk: at most 256 of a root


def _move(temp: Path, place: Path) -> None:
    """Rename, then make the rename itself durable, up to the root: another upload may just have made these directories."""
    place.parent.mkdir(parents=True, exist_ok=True)
    temp.replace(place)
    _sync(place.parent)
    _sync(place.parents[1])
    if place.parents[1] not in _ROOTED:
        _sync(place.parents[2])
        _ROOTED.add(place.parents[1])


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def clean_name(sent: str | None) -> str:
    """A file name fit to show: the last part of a path, without control or direction marks, at most 120 characters."""
    name = unicodedata.normalize("NFC", unquote(sent or "", errors="replace"))
    name = re.split(r"[/\\]", name)[-1]
    name = "".join(c for c in name if unicodedata.category(c)[0] != "C").strip(" .")
    return name[-120:]


def walk(files_dir: Path) -> Iterator[Path]:
    """Every photo on the disk."""
    yield from (p for p in sorted(files_dir.glob("??/??/*")) if is_sha256(p.name))
