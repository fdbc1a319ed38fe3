"""A photo is on the disk for good before anybody is told so, and a crash at any moment leaves it whole or not at all."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gis.inspections import image_header, photo_store

PIXELS = 50_000_000


def _jpeg() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(file, "JPEG")
    return file.getvalue()


DATA = _jpeg()
SHA = hashlib.sha256(DATA).hexdigest()


def test_bytes_are_on_the_disk_then_in_place_then_the_place_is_on_the_disk(tmp_path, monkeypatch):
    told: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def note_fsync(handle: int) -> None:
        told.append("fsync directory" if stat.S_ISDIR(os.fstat(handle).st_mode) else "fsync file")
        fsync(handle)

    def note_replace(self: Path, target: Path) -> Path:
        told.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(Path, "replace", note_replace)
    stored = photo_store.keep(tmp_path, SHA, io.BytesIO(DATA).read, PIXELS)
    assert (stored.mime, stored.width, stored.height, stored.size_bytes) == ("image/jpeg", 40, 30, len(DATA))
    # aa/bb, aa, files
    assert told == ["fsync file", "rename", *["fsync directory"] * 3]


class PowerCut(BaseException):
    """The machine goes down: nothing of ours runs any more."""


@pytest.mark.parametrize("at", range(7))
def test_a_power_cut_at_any_step_leaves_the_photo_whole_or_absent(tmp_path, monkeypatch, at):
    steps = 0

    def maybe(work):
        def run(*args, **kwargs):
            nonlocal steps
            if steps == at:
                raise PowerCut
            steps += 1
            return work(*args, **kwargs)

        return run

    monkeypatch.setattr(os, "fsync", maybe(os.fsync))
    monkeypatch.setattr(Path, "replace", maybe(Path.replace))
    monkeypatch.setattr(Path, "unlink", lambda *a, **k: None)  # a dead process cleans nothing up
    try:
        photo_store.keep(tmp_path, SHA, io.BytesIO(DATA).read, PIXELS)
        told = True
    except PowerCut:
        told = False
    place = photo_store.path_of(tmp_path, SHA)
    assert not told or place.exists()
    assert not place.exists() or place.read_bytes() == DATA
    monkeypatch.undo()
    photo_store.keep(tmp_path, SHA, io.BytesIO(DATA).read, PIXELS)  # the phone sends it again
    assert [p.name for p in photo_store.walk(tmp_path)] == [SHA]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("size", [(1, 1), (640, 480), (13, 4000)])
def test_the_header_is_read_as_pillow_reads_it(kind, size):
    file = io.BytesIO()
    Image.new("RGB", size).save(file, kind)
    header = image_header.read(file.getvalue())
    assert (header.mime, header.width, header.height) == (f"image/{kind.lower()}", *size)


@pytest.mark.parametrize("lossless", [True, False])
def test_webp_in_all_its_forms(lossless):
    file = io.BytesIO()
    Image.new("RGBA", (120, 45), (1, 2, 3, 100)).save(file, "WEBP", lossless=lossless)
    assert image_header.read(file.getvalue()) == image_header.Header("image/webp", 120, 45)


def test_a_jpeg_with_a_long_foreword_is_read():
    padded = DATA[:2] + b"\xff\xe1\xff\xff" + bytes(65533) + b"\xff" + DATA[2:]
    assert image_header.read(padded) == image_header.Header("image/jpeg", 40, 30)


@given(st.binary(max_size=200) | st.integers(0, len(DATA)).map(lambda n: DATA[:n]))
def test_no_bytes_break_the_reader(data):
    for head in (
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"RIFF\0\0\0\0WEBPVP8X",
        b"RIFF\0\0\0\0WEBPVP8L",
        b"RIFF\0\0\0\0WEBPVP8 ",
    ):
        image_header.read(head + data)
