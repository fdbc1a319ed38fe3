"""Small pictures of photos, made once and kept beside them. What a photo claims about its size is checked before decoding."""

from __future__ import annotations

import secrets
import struct
import threading
import zlib
from pathlib import Path

from PIL import Image, ImageOps

from gis.inspections import image_header, photo_store
from gis.inspections.rules import NO_PICTURE, SHOWN_PX, THUMB_PX, TOO_MANY_PIXELS, BadPhoto

_one_at_a_time = threading.BoundedSemaphore(
    1
)  # a decoded photo may take 200 MB: a page of them must not take the machine
_BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    IndexError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


def thumbnail(files_dir: Path, sha256: str, max_pixels: int) -> Path:
    """The place of the small JPEG of a photo, or of the photo that is not there. Raises BadPhoto if it cannot be decoded."""
    source = photo_store.path_of(files_dir, sha256)
    if not source.exists():
        return source
    return _copy(files_dir, "thumbs", sha256, source, THUMB_PX, max_pixels)


def shown_copy(files_dir: Path, sha256: str, max_pixels: int) -> Path:
    """The place of a JPEG as large as a screen and without anything that rode along: where it was taken, by what telephone."""
    source = photo_store.path_of(files_dir, sha256)
    return _copy(files_dir, "shown", sha256, source, SHOWN_PX, max_pixels) if source.exists() else source


def _copy(files_dir: Path, kind: str, sha256: str, source: Path, px: int, max_pixels: int) -> Path:
    made = files_dir / kind / sha256[:2] / f"{sha256}.jpg"
    if not made.exists():
        with _one_at_a_time:
            _make(source, made, px, max_pixels)
    return made


def _make(source: Path, made: Path, px: int, max_pixels: int) -> None:
    try:
        with source.open("rb") as file:
            header = image_header.read(file.read(image_header.HEADER_BYTES))
        if header is None or header.pixels > max_pixels:
            raise BadPhoto(reason=NO_PICTURE if header is None else TOO_MANY_PIXELS)
        with Image.open(source, formats=("JPEG", "PNG", "WEBP")) as opened:
            if opened.size[0] * opened.size[1] > max_pixels:
                raise BadPhoto(reason=TOO_MANY_PIXELS)
            opened.draft("RGB", (px * 2, px * 2))  # a JPEG is decoded at an eighth where that is enough
            picture = ImageOps.exif_transpose(opened)
            picture.thumbnail((px, px))
            small = _on_white(picture)
    except _BROKEN as error:
        raise BadPhoto(reason=NO_PICTURE) from error
    made.parent.mkdir(parents=True, exist_ok=True)
    temp = made.with_suffix(f".{secrets.token_hex(4)}")
    small.save(temp, "JPEG", quality=80)
    temp.replace(made)


def _on_white(picture: Image.Image) -> Image.Image:
    """Without transparency, and without anything that rode along: no metadata is copied."""
    if picture.mode in ("RGBA", "LA", "PA", "P"):
        picture = picture.convert("RGBA")
        white = Image.new("RGB", picture.size, "white")
        white.paste(picture, mask=picture.getchannel("A"))
        return white
    return picture.convert("RGB")
