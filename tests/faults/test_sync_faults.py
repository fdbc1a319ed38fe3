"""Faults between phone and server, each ending in the one checker: nothing acknowledged is lost, nothing is doubled."""

from __future__ import annotations

import copy
import hashlib
import io
import struct
import zlib
from collections import Counter
from itertools import permutations

import pytest
from PIL import Image

from gis.dispatch.model import Crew, WorkOrder
from gis.inspections.model import ChangeVariant, CheckAnswer, Inspection, InspectionPhoto, Photo
from gis.inspections.sync_model import AwaitedPhoto
from gis.inspections.thumbs import thumbnail
from tests.browser.conftest import serving
from tests.factories import make_complaint, make_order
from tests.faults.house import House, at_once, noise, soon, times
from tests.phones import change, sha256_of, submitting, visit


@pytest.fixture(scope="module")
def live(new_database, tmp_path_factory):
    with serving(new_database(), tmp_path_factory.mktemp("faults")) as made:
        yield made


@pytest.fixture
def house(live):
    made = House(live)
    yield made
    made.check()


def _visit(house, **fields):
    return submitting(visit(site_id=house.site_id, **fields))


def _shot(data, item_id="1.1"):
    return {"sha256": hashlib.sha256(data).hexdigest(), "item_id": item_id, "taken_at": "2009-11-17T01:58:00Z"}


def _json(body):
    return {"Content-Type": "application/json"}


def test_an_answer_lost_after_the_commit_is_given_again(house):
    phone = house.phone()
    for _ in range(times(5, 50)):
        sent = _visit(house)
        body = phone.batch(sent)
        # The line breaks after the commit: one that broke before might have taken the request with it.
        phone.cut("POST", "/sync", body, len(body), until=lambda: house.answered(sent["id"]), **_json(body))  # noqa: B023
        (result,) = phone.sync(sent)
        assert (result["verdict"], result["receipt"]["change_sha256"]) == ("applied", sha256_of(sent))


def test_fifty_identical_posts_at_once_are_one_change_and_one_answer(house):
    phone = house.phone()
    for _ in range(times(4, 100)):
        sent = _visit(house)
        body = phone.batch(sent)
        answers = at_once([lambda: phone.ask("POST", "/sync", body, **_json(body))[::2]] * 50)  # noqa: B023
        assert set(answers) == {(200, answers[0][1])} and b'"applied"' in answers[0][1]
        phone.sync(sent)
        assert house.count(Inspection, Inspection.id == sent["thing_id"]) == 1
        assert house.count(CheckAnswer, CheckAnswer.inspection_id == sent["thing_id"]) == 33


def test_the_same_id_with_other_content_keeps_both(house):
    phones = [house.phone(), house.phone()]
    for _ in range(times(4, 40)):
        one = _visit(house)
        other = copy.deepcopy(one)
        other["payload"]["note"] = "别的"
        bodies = [phones[i % 2].batch(c) for i, c in enumerate((one, other))]
        answers = at_once([
            lambda p=phones[i % 2], b=bodies[i // 2 % 2]: p.ask("POST", "/sync", b, **_json(b))[2] for i in range(8)
        ])  # fmt: skip
        assert Counter(b'"applied"' in answer for answer in answers) == {True: 4, False: 4}
        for sent in (one, other):
            phones[0].sync(sent)
        assert house.count(ChangeVariant, ChangeVariant.change_id == one["id"]) == 1
        assert house.count(Inspection, Inspection.id == one["thing_id"]) == 1


def test_a_post_cut_at_every_512_bytes_does_nothing_and_then_everything(house):
    phone, batch = house.phone(), [_visit(house, note="现" * 300) for _ in range(2)]
    body = phone.batch(*batch)
    for at in range(0, len(body), 512):
        phone.cut("POST", "/sync", body, at, **_json(body))
    assert [house.answered(c["id"]) for c in batch] == [False, False]
    assert [r["verdict"] for r in phone.sync(*batch)] == ["applied", "applied"]


def test_a_photo_cut_at_every_tenth_is_finished_by_two_phones(house):
    for seed in range(times(2, 10)):
        data = noise(seed, 60_000)
        phones, step = [house.phone(), house.phone()], len(data) // 10 + 1
        for phone in phones:
            phone.begin(data)
        for tenth in range(10):
            one, other = phones[tenth % 2], phones[1 - tenth % 2]
            start, end = one.offset(data), min((tenth + 1) * step, len(data))
            one.piece(data, start, len(data), cut=max(1, (end - start) // 2))  # hangs up in the middle of the rest
            while (start := other.offset(data)) < end:  # what was cut may still arrive, and stays
                assert other.piece(data, start, end) in (204, 409)
            assert one.piece(data, 0, 5) == 409  # nothing is ever written twice
        assert phones[0].offset(data) == len(data)
        sent = _visit(house, photos=[_shot(data)])
        (result,) = phones[1].sync(sent)
        assert result["receipt"]["parts"] == [hashlib.sha256(data).hexdigest()]
        assert house.count(Photo, Photo.sha256 == hashlib.sha256(data).hexdigest()) == 1


@pytest.mark.parametrize("announced", [True, False])
def test_what_came_of_a_cut_piece_stays(house, announced):
    phone, data = house.phone(), noise(77 + announced, 60_000)
    if announced:
        phone.begin(data)
        phone.piece(data, 0, len(data), cut=30_000)
    else:
        phone.announce(data, cut=30_000)
    soon(lambda: phone.offset(data) == 30_000)
    assert phone.piece(data, 30_000, len(data)) == 204
    assert phone.offset(data) == len(data)


def test_photo_and_form_in_either_order_and_at_once_find_each_other(house):
    phone = house.phone()

    def put(data):
        sha256 = hashlib.sha256(data).hexdigest()
        assert phone.ask("PUT", f"/photos/{sha256}", data, **{"Content-Type": "image/jpeg"})[0] == 200

    before, after = noise(1001, 4000), noise(1002, 4000)
    put(before)
    assert phone.sync(_visit(house, photos=[_shot(before)]))[0]["receipt"]["parts"]
    late = _visit(house, photos=[_shot(after)])
    assert phone.sync(late)[0]["receipt"]["parts"] == []
    put(after)
    for seed in range(times(15, 200)):
        data = noise(2000 + seed, 3000)
        sent = _visit(house, photos=[_shot(data)])
        at_once([lambda: put(data), lambda: phone.sync(sent)])  # noqa: B023
        assert house.count(InspectionPhoto, InspectionPhoto.inspection_id == sent["thing_id"]) == 1
    assert house.count(AwaitedPhoto) == 0


def test_all_orders_of_four_changes_end_in_the_same_state(house):
    crew = house.phone("crew")
    ends = []
    for order in permutations(range(4)):
        with house.live.sessions() as session:
            made = make_order(session, make_complaint(session, status="assigned"), session.get_one(Crew, house.crew_id))
            session.commit()
        verbs = enumerate(("accept", "arrive", "resolve"), start=1)
        four = [change(f"order.{verb}", made.id, base_version=base) for base, verb in verbs]
        four.append(submitting(visit(order_id=made.id), after=four[1]["id"]))  # the checklist rests on the arrival
        for index in order:
            crew.sync(four[index])
        assert [r["verdict"] for r in crew.sync(*four)] == ["applied"] * 4
        with house.live.sessions() as session:
            row = session.get_one(WorkOrder, made.id)
            ends.append((row.status, row.version))
        assert house.count(Inspection, Inspection.order_id == made.id) == 1
    assert set(ends) == {("resolved", 4)}


@pytest.mark.parametrize("at", ["2009-11-14T02:00:00Z", "2029-11-20T02:00:00+14:00", "1970-01-01T00:00:00Z"])
def test_a_phone_whose_clock_is_wrong_loses_nothing(house, at):
    phone, data = house.phone(), noise(3000 + len(at), 4000)
    sent = submitting(visit(site_id=house.site_id, started_at=at, finished_at="2009-11-17T01:00:00Z",
                            photos=[_shot(data) | {"taken_at": at}]), at=at)  # fmt: skip
    assert phone.sync(sent)[0]["verdict"] == "applied"
    phone.ask("PUT", f"/photos/{hashlib.sha256(data).hexdigest()}", data, **{"Content-Type": "image/jpeg"})
    ((received, started),) = house.rows(
        "SELECT received_at, started_at FROM inspection WHERE id = :id", id=sent["thing_id"]
    )
    assert received.year > 2020 and started.year == int(at[:4])


# --- what is no photo ------------------------------------------------------------------------------------------------
def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(width: int, height: int, data: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(data, 9)) + _chunk(b"IEND", b"")


def bomb() -> bytes:
    """16 MB of nothing in 16 KB, claiming to be 60,000 × 60,000."""
    return _png(60_000, 60_000, bytes(16 << 20))


def huge() -> bytes:
    """A true picture of 12,000 × 12,000 black pixels."""
    return _png(12_000, 12_000, bytes(12_000 * 1501))


def scripted() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = "<script>alert(document.cookie)</script>"
    exif[0x013B] = '"><img src=x onerror=alert(1)>'
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(out, "JPEG", exif=exif)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "code"),
    [(bomb(), "bad_photo"), (b"MZ" + b"\x00" * 4000, "bad_photo"), (huge(), "bad_photo"),
     (b"\xff\xd8\xff\xe0" + b"#!/bin/sh\nrm -rf /\n" * 40, "bad_photo"), (b"<svg onload='alert(1)'/>", "bad_photo")],
    ids=["a decompression bomb", "a renamed executable", "12,000 x 12,000", "a script that begins like a JPEG", "an SVG"],
)  # fmt: skip
def test_what_is_no_photo_is_refused_by_both_ways_and_leaves_nothing(house, data, code):
    phone, sha256 = house.phone(), hashlib.sha256(data).hexdigest()
    status, _, said = phone.ask("PUT", f"/photos/{sha256}", data, **{"Content-Type": "image/jpeg"})
    assert (status, code in said.decode()) == (422, True)
    phone.begin(data)
    assert phone.piece(data, 0, len(data)) == 422
    assert phone.offset(data) == -1
    sent = _visit(house, photos=[_shot(data)])
    assert phone.sync(sent)[0]["verdict"] == "applied"  # the form is kept, and says that its photo is still to come
    files = house.live.data_dir / "files"
    assert not (files / sha256[:2] / sha256[2:4] / sha256).exists()
    assert list((files / "incoming").glob(f"{sha256}*")) == []


def test_a_script_in_the_exif_is_kept_as_evidence_and_never_served_as_a_page(house):
    phone, data = house.phone(), scripted()
    sha256 = hashlib.sha256(data).hexdigest()
    phone.sync(_visit(house, photos=[_shot(data)]))
    assert phone.ask("PUT", f"/photos/{sha256}", data, **{"Content-Type": "image/jpeg"})[0] == 200
    kept = (house.live.data_dir / "files" / sha256[:2] / sha256[2:4] / sha256).read_bytes()
    assert kept == data
    thumb = thumbnail(house.live.data_dir / "files", sha256, 50_000_000).read_bytes()
    assert b"script" not in thumb and b"onerror" not in thumb
