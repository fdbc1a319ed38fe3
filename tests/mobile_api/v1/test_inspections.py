"""Photos that arrive, photos that are refused, and what an inspector carries before the shift."""

import hashlib
import struct
import zlib
from pathlib import Path

import pytest
from sqlalchemy import func, select

from gis.inspections import photo_store
from gis.inspections.model import Photo
from tests.factories import make_area, make_site, make_unit
from tests.phones import picture


def _files(app) -> Path:
    return app.config["SETTINGS"].files_dir


def _png(width: int, height: int, body: bytes = b"") -> bytes:
    """A PNG of one bit a pixel whose data is only zeros: a few kilobytes that unpack to hundreds of megabytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def test_the_checklist_of_the_six_pledges_has_33_items(phone_of):
    found = phone_of().get("/checklists").json["checklists"]
    (checklist,) = [c for c in found if c["kind"] == "pledges"]
    assert (checklist["code"], checklist["revision"], len(checklist["items"])) == ("six_pledges", 1, 33)
    by_id = {item["id"]: item for item in checklist["items"]}
    assert by_id["1.3"]["heating_only"] and by_id["4.7"]["completion_only"]
    assert by_id["6.1"]["evidence"] == "household confirmation"


def test_an_inspector_sees_the_sites_of_the_area_and_unit_and_a_crew_none(session, phone_of):
    district = make_area(session)
    compound = make_area(session, level="compound", parent_id=district.id)
    unit, elsewhere = make_unit(session), make_area(session)
    here = make_site(session, area_id=compound.id, unit_id=unit.id)
    make_site(session, area_id=elsewhere.id, unit_id=unit.id)
    other = make_site(session, area_id=district.id)
    placed = make_site(session)  # nobody said in which area, but its point is inside
    names = lambda phone: {site["id"] for site in phone.get("/sites").json["sites"]}  # noqa: E731
    assert names(phone_of("inspector", area_id=district.id)) == {here.id, other.id, placed.id}
    assert names(phone_of("inspector", area_id=district.id, unit_id=unit.id)) == {here.id}
    assert names(phone_of("crew")) == set()


def test_a_photo_is_kept_once_under_its_own_hash(app, session, phone_of):
    phone, data = phone_of(), picture()
    sha256 = hashlib.sha256(data).hexdigest()
    name = "%E9%94%85%E7%82%89%E6%88%BF%E7%85%A7%E7%89%87.jpg"
    for _ in range(2):
        answer = phone.put_photo(data, **{"X-File-Name": name})
        assert answer.json == {"sha256": sha256, "size_bytes": len(data)}
    kept = session.get(Photo, sha256)
    assert (kept.mime, kept.width, kept.height, kept.file_name) == ("image/jpeg", 64, 48, "锅炉房照片.jpg")
    assert (_files(app) / sha256[:2] / sha256[2:4] / sha256).read_bytes() == data
    there = phone.client.head(f"/api/v1/photos/{sha256}", headers=phone.headers)
    assert (there.status_code, there.content_length, there.data) == (200, len(data), b"")
    assert phone.client.head(f"/api/v1/photos/{'0' * 64}", headers=phone.headers).status_code == 404


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_every_accepted_kind_is_known_by_its_header_whatever_it_is_called(session, phone_of, kind):
    data = picture(31, 17, kind)
    phone_of().put_photo(data, **{"Content-Type": "image/gif"})
    kept = session.get(Photo, hashlib.sha256(data).hexdigest())
    assert (kept.mime, kept.width, kept.height) == (f"image/{kind.lower()}", 31, 17)


BOMB = _png(15_500, 15_500, zlib.compress(bytes(17_000_000), 9))
BAD = {
    "a renamed program": (b"MZ" + bytes(500), "bad_photo"),
    "a page": (b"<!doctype html><script>alert(1)</script>", "bad_photo"),
    "nothing": (b"", "bad_photo"),
    "a cut JPEG": (picture()[:20], "bad_photo"),
    "a PNG without size": (_png(0, 5), "bad_photo"),
    "a HEIC": (b"\x00\x00\x00\x18ftypheic" + bytes(100), "bad_photo"),
    "a bomb": (BOMB, "bad_photo"),
    "12,000 by 12,000": (_png(12_000, 12_000), "bad_photo"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_photo_is_refused_by_name_and_nothing_is_kept(app, session, phone_of, what):
    data, code = BAD[what]
    answer = phone_of().put_photo(data)
    assert (answer.status_code, answer.json["code"]) == (422, code)
    assert answer.mimetype == "application/problem+json"
    assert session.scalar(select(func.count()).select_from(Photo)) == 0
    assert list(photo_store.walk(_files(app))) == []
    assert list((_files(app) / "incoming").iterdir()) == []


def test_the_bomb_is_small_and_would_be_huge():
    assert len(BOMB) < 20_000 and 15_500 * 15_500 * 3 > 700_000_000


def test_bytes_that_do_not_have_the_announced_hash_are_refused(app, phone_of):
    answer = phone_of().put_photo(picture(), sha256="0" * 64)
    assert (answer.status_code, answer.json["code"]) == (422, "hash_mismatch")
    assert list(photo_store.walk(_files(app))) == []


def test_a_path_in_place_of_a_hash_goes_nowhere(app, phone_of):
    phone = phone_of()
    for name in ("..%2f..%2fx", "%2e%2e", "A" * 64, "0" * 63, "é" * 64):
        answer = phone.client.put(f"/api/v1/photos/{name}", data=picture(), headers=phone.headers)
        assert answer.status_code in (404, 405, 422)
    assert list(photo_store.walk(_files(app))) == []


def test_a_full_disk_is_told_by_name_and_leaves_nothing(app, session, phone_of, monkeypatch):
    import errno
    import os

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(os, "fsync", full)
    answer = phone_of().put_photo(picture())
    assert (answer.status_code, answer.json["code"]) == (503, "no_room")
    assert list((_files(app) / "incoming").iterdir()) == []
    assert session.scalar(select(func.count()).select_from(Photo)) == 0


def test_a_photo_over_the_limit_is_refused(app, phone_of, monkeypatch):
    monkeypatch.setattr(photo_store, "PHOTO_MAX_BYTES", 1000)
    answer = phone_of().put_photo(picture() + bytes(2000))
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")
    app.config["MAX_CONTENT_LENGTH"] = 100
    assert phone_of().put_photo(picture()).status_code == 413


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("../../x", "x"), ("..\\..\\锅炉房照片.jpg", "锅炉房照片.jpg"), ("a%00b.jpg", "ab.jpg"), ("%E2%80%AEgpj.exe", "gpj.exe"),
     ("/etc/passwd", "passwd"), ("%ff%fe.jpg", "\ufffd\ufffd.jpg"), ("", ""), (None, ""), ("x" * 400, "x" * 120)],
)  # fmt: skip
def test_a_file_name_is_only_ever_a_name(sent, kept):
    assert photo_store.clean_name(sent) == kept
