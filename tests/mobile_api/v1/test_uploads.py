"""Photos in pieces: tus 1.0.0, cut anywhere, gone on with by anybody, checked at the end."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import time
from datetime import timedelta

import pytest
from sqlalchemy import event, select

from gis.inspections import partials, photo_store
from gis.inspections.model import Photo
from gis.journal import JournalEntry, Who
from gis.people import actions
from gis.people.model import Device
from tests.conftest import NOW
from tests.phones import picture

TUS = {"Tus-Resumable": "1.0.0"}


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


class Upload:
    """A tus client of a phone."""

    def __init__(self, phone, data, sha256=None):
        self.phone, self.data = phone, data
        self.sha256 = sha256 or hashlib.sha256(data).hexdigest()
        self.url = f"/api/v1/uploads/{self.sha256}"

    def _open(self, method, url, **headers):
        data = headers.pop("data", None)
        return self.phone.client.open(url, method=method, data=data, headers=self.phone.headers | TUS | headers)

    def begin(self, name="现场.jpg", **headers):
        metadata = f"sha256 {b64(self.sha256.encode())},filename {b64(name.encode())}"
        given = {"Upload-Length": str(len(self.data)), "Upload-Metadata": metadata} | headers
        return self._open("POST", "/api/v1/uploads", **given)

    def offset(self):
        answer = self._open("HEAD", self.url)
        return int(answer.headers["Upload-Offset"]) if answer.status_code == 200 else answer.status_code

    def add(self, piece, offset=None, **headers):
        at = str(self.offset() if offset is None else offset)
        given = {"Upload-Offset": at, "Content-Type": "application/offset+octet-stream"} | headers
        return self._open("PATCH", self.url, data=piece, **given)


@pytest.fixture
def upload(phone_of):
    return Upload(phone_of(), picture(200, 150, colour="green"))


def test_the_server_says_what_it_can(app):
    answer = app.test_client().options("/api/v1/uploads")
    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert set(answer.headers["Tus-Extension"].split(",")) == {
        "creation",
        "creation-with-upload",
        "checksum",
        "expiration",
    }
    assert answer.headers["Tus-Max-Size"] == str(20 << 20)


def test_a_photo_in_pieces_is_kept_whole(app, session, upload):
    begun = upload.begin()
    assert (begun.status_code, begun.headers["Upload-Offset"]) == (201, "0")
    assert begun.headers["Location"].endswith(upload.url) and begun.headers["Upload-Expires"]
    for start in range(0, len(upload.data), 300):
        piece = upload.data[start : start + 300]
        answer = upload.add(piece, start, **{"Upload-Checksum": f"sha256 {b64(hashlib.sha256(piece).digest())}"})
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(start + len(piece)))
    photo = session.scalars(select(Photo)).one()
    assert (photo.sha256, photo.size_bytes, photo.file_name) == (upload.sha256, len(upload.data), "现场.jpg")
    files = app.config["SETTINGS"].files_dir
    assert (files / upload.sha256[:2] / upload.sha256[2:4] / upload.sha256).read_bytes() == upload.data
    assert list((files / "incoming").iterdir()) == []
    assert upload.offset() == len(upload.data)  # also afterwards, so that a lost answer is made good
    assert upload.begin().headers["Upload-Offset"] == str(len(upload.data))


def test_the_first_piece_may_come_with_the_announcement_and_be_the_whole(session, upload, phone_of):
    kind = {"Content-Type": "application/offset+octet-stream"}
    half = len(upload.data) // 2
    assert upload.begin(data=upload.data[:half], **kind).headers["Upload-Offset"] == str(half)
    assert upload.begin(data=upload.data[:half], **kind).headers["Upload-Offset"] == str(
        half
    )  # asked twice, added once
    assert upload.add(upload.data[half:], half).status_code == 204
    whole = Upload(phone_of(), picture(90, 90, colour="navy"))
    assert whole.begin(data=whole.data, **kind).headers["Upload-Offset"] == str(len(whole.data))
    wrong = Upload(phone_of(), b"x" * 500)
    assert wrong.begin(data=b"y" * 500, **kind).json["code"] == "hash_mismatch"
    assert set(session.scalars(select(Photo.sha256))) == {upload.sha256, whole.sha256}


def test_a_photo_costs_three_statements_and_a_phone_that_was_signed_off_gets_no_more_in(session, phone_of):
    phone, kind = phone_of(), {"Content-Type": "application/offset+octet-stream"}
    photos = [Upload(phone, picture(200, 150, colour=colour)) for colour in ("red", "blue", "white", "black")]
    asked: list[str] = []
    bind = session.get_bind().engine

    def listen(_connection, _cursor, statement, *_):
        if "SAVEPOINT" not in statement:  # of the test itself
            asked.append(statement)

    def statements(one):
        asked.clear()
        assert one.begin(data=one.data, **kind).headers["Upload-Offset"] == str(len(one.data))
        return len(asked)

    event.listen(bind, "before_cursor_execute", listen)
    try:
        statements(photos[0])  # prepares them on this connection, and notes that the phone spoke
        assert statements(photos[1]) == 3  # who speaks; the photo and its journal row; the forms that waited for it
        assert statements(photos[1]) == 2  # it is there: who speaks, and how long it is
    finally:
        event.remove(bind, "before_cursor_execute", listen)
    rows = session.scalars(select(JournalEntry.thing_id).where(JournalEntry.thing == "photo")).all()
    assert sorted(rows) == sorted(one.sha256 for one in photos[:2])
    actions.revoke(session, Who(NOW), session.get_one(Device, phone.device.id))
    session.commit()
    refused = photos[2].begin(data=photos[2].data, **kind)
    assert (refused.status_code, refused.json["code"]) == (401, "device_revoked")


def test_a_photo_on_the_disk_that_was_never_written_down_is_taken_when_it_comes_again(app, session, upload):
    files, kind = app.config["SETTINGS"].files_dir, {"Content-Type": "application/offset+octet-stream"}
    photo_store.keep(files, upload.sha256, io.BytesIO(upload.data).read, 50_000_000)  # … and the server was killed
    assert upload.begin(data=upload.data, **kind).headers["Upload-Offset"] == str(len(upload.data))
    assert session.scalars(select(Photo.sha256)).all() == [upload.sha256]
    photo_store.path_of(
        files, upload.sha256
    ).unlink()  # lost with its disk: the phone that sends it again brings it back
    assert upload.begin(data=upload.data, **kind).status_code == 201
    assert photo_store.path_of(files, upload.sha256).read_bytes() == upload.data


def test_a_whole_that_is_cut_on_its_way_goes_on_where_it_was_cut(upload):
    kind = {"Content-Type": "application/offset+octet-stream"}
    assert upload.begin(data=upload.data[:700], **kind).headers["Upload-Offset"] == "700"
    assert upload.add(upload.data[700:], 700).status_code == 204
    assert upload.offset() == len(upload.data)


def test_another_phone_goes_on_where_the_first_was_cut(session, phone_of, upload):
    upload.begin()
    upload.add(upload.data[:400], 0)
    other = Upload(phone_of(), upload.data)
    assert other.begin().headers["Upload-Offset"] == "400"
    assert other.add(upload.data[400:]).status_code == 204
    late = upload.add(upload.data[400:500], 400)
    assert (late.status_code, late.json["code"]) == (409, "wrong_offset")
    assert session.scalars(select(Photo.sha256)).all() == [upload.sha256]


def test_a_piece_at_another_place_or_of_other_bytes_is_refused_and_changes_nothing(upload):
    upload.begin()
    upload.add(upload.data[:100], 0)
    assert upload.add(upload.data[50:100], 50).status_code == 409
    wrong = upload.add(b"x" * 50, 100, **{"Upload-Checksum": f"sha1 {b64(hashlib.sha1(b'y' * 50).digest())}"})
    assert (wrong.status_code, wrong.json["code"]) == (460, "checksum_mismatch")
    assert upload.add(upload.data[100:] + b"more", 100).status_code == 413
    assert upload.offset() == 100


def test_a_whole_that_is_not_what_was_announced_begins_anew(session, upload):
    upload.begin()
    answer = upload.add(b"x" * len(upload.data), 0)
    assert (answer.status_code, answer.json["code"]) == (422, "hash_mismatch")
    assert upload.offset() == 404
    assert session.scalars(select(Photo)).all() == []


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [({"Tus-Resumable": "0.2.2"}, 412, "wrong_tus_version"), ({"Upload-Length": "many"}, 400, "bad_header"),
     ({"Upload-Length": str(21 << 20)}, 413, "too_large"), ({"Upload-Metadata": "sha256 Li4vLi4="}, 400, "bad_header"),
     ({"Upload-Metadata": "sha256 %%%"}, 400, "bad_header"), ({"Upload-Length": "0"}, 422, "bad_input")],
)  # fmt: skip
def test_what_cannot_be_begun_is_refused_by_name(upload, headers, status, code):
    answer = upload.begin(**headers)
    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_a_piece_needs_its_type(upload):
    upload.begin()
    assert upload.add(b"x", 0, **{"Content-Type": "image/jpeg"}).status_code == 415


def test_what_nobody_goes_on_with_expires_and_is_swept(app, upload):
    files = app.config["SETTINGS"].files_dir
    upload.begin()
    upload.add(upload.data[:100], 0)
    assert partials.sweep(files, NOW + timedelta(days=6)) == 0
    assert partials.sweep(files, NOW + timedelta(days=8)) == 1
    assert upload.offset() == 404


def test_no_path_can_be_smuggled_in(upload):
    for name in ("..%2f..%2fetc", "0" * 63, "Z" * 64):
        answer = upload._open("PATCH", f"/api/v1/uploads/{name}", data=b"", **{
            "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"})  # fmt: skip
        assert answer.status_code in (404, 405)


def test_an_old_photo_file_without_a_row_is_found_and_a_young_one_is_not(app, session, upload):
    from webapp.files import orphans

    files = app.config["SETTINGS"].files_dir
    place = files / "ab" / "cd" / ("abcd" + "0" * 60)
    place.parent.mkdir(parents=True)
    place.write_bytes(b"left behind")
    assert orphans(session, files) == []
    os.utime(place, (time.time() - 7200,) * 2)
    assert orphans(session, files) == [place]
    upload.phone.put_photo(upload.data)
    assert orphans(session, files, young_s=-1) == [place]
