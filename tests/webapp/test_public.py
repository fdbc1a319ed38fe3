"""The public page: one sending is one complaint, proofs are used once, abuse is throttled, nothing leaks."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from uuid import uuid4

import pytest
from PIL import Image
from sqlalchemy import func, select

from gis.complaints.actions import take_step
from gis.complaints.model import Caller, Complaint
from gis.journal import JournalEntry, Who
from gis.portal.model import CallerNote, CallerRating, ComplaintPhoto, PublicMeter, PublicReport, SpentProof
from gis.portal.proof import solve, unseal
from tests.conftest import NOW
from tests.factories import PINGDU, make_area, make_complaint, make_unit, square
from webapp.public_guard import key_for


@pytest.fixture(autouse=True)
def easy(app):
    """Sums that take no time; what they cost a telephone is measured in the browser's test."""
    app.config["SETTINGS"].public_proof_bits = 1
    app.config["SETTINGS"].public_proof_most_bits = 3


def proof(client, app) -> dict[str, str]:
    told = client.get("/public/challenge.json").json
    with app.app_context():
        answers = solve(unseal(key_for("proof"), told["token"]))
    return {"proof": told["token"], "answers": ",".join(map(str, answers))}


def said(**fields):
    return {"id": str(uuid4()), "category": "heat.none", "description": "家里不热,13800001111 是邻居的电话", "place": "文丰小区3号楼", "name": "张三",
            "phone": "138 1234 5678", "lon": str(PINGDU[0]), "lat": str(PINGDU[1])} | fields  # fmt: skip


def count(session, model=Complaint):
    return session.scalar(select(func.count()).select_from(model))


def photo(colour="red", kind="JPEG", exif=True):
    out = io.BytesIO()
    extra = {}
    if exif and kind == "JPEG":
        tags = Image.Exif()
        tags[0x010F] = "SECRETPHONE"
        extra = {"exif": tags}
    Image.new("RGB", (64, 48), colour).save(out, kind, **extra)
    return out.getvalue()


def test_a_report_becomes_one_complaint_with_its_caller_apart(app, client, session):
    answer = client.post("/public/report.json", data=said() | proof(client, app))
    assert answer.status_code == 200, answer.json
    made = session.scalars(select(Complaint)).one()
    assert (answer.json["number"], made.channel, made.located) == (made.hotline_no, "web", "located")
    assert session.get(Caller, made.id).phone == "13812345678"
    entry = session.scalars(select(JournalEntry).where(JournalEntry.verb == "receive")).one()
    assert entry.user_id is None and "138" not in str(entry.data)


def test_the_same_sending_again_is_told_the_same_number_without_another_proof(app, client, session):
    sent = said()
    first = client.post("/public/report.json", data=sent | proof(client, app)).json
    again = client.post("/public/report.json", data=sent)
    assert again.json["number"] == first["number"] and again.json["same"]
    changed = client.post("/public/report.json", data=sent | {"description": "另外的话"})
    assert changed.json["number"] == first["number"] and not changed.json["same"]
    assert count(session) == count(session, PublicReport) == 1


def test_a_proof_is_used_once_and_a_wrong_one_never(app, client, session):
    solved = proof(client, app)
    assert client.post("/public/report.json", data=said() | solved).status_code == 200
    replay = client.post("/public/report.json", data=said() | solved)
    assert (replay.status_code, replay.json["code"]) == (409, "proof_spent")
    for wrong in (
        {},
        {"proof": solved["proof"]},
        {"proof": "x", "answers": "1"},
        solved | {"answers": "9,9,9,9,9,9,9,a"},
    ):
        told = client.post("/public/report.json", data=said() | wrong)
        assert told.json["code"] == "proof_missing"
    assert count(session) == count(session, SpentProof) == 1


def test_a_proof_expires(app, client):
    solved = proof(client, app)
    app.config["CLOCK"] = lambda: NOW + timedelta(minutes=21)
    assert client.post("/public/report.json", data=said() | solved).json["code"] == "proof_expired"


def test_a_refused_report_leaves_its_proof_unspent(app, client, session):
    solved = proof(client, app)
    for wrong, code in (
        ({"phone": ""}, "phone_needed"), ({"phone": "12"}, "bad_phone"), ({"description": " "}, "text_missing"),
        ({"place": "", "lon": "", "lat": ""}, "place_missing"), ({"category": "x"}, "unknown_category"), ({"id": "7"}, "bad_report_id"),
        ({"lon": "abc"}, "bad_input"),
    ):  # fmt: skip
        assert client.post("/public/report.json", data=said(**wrong) | solved).json["code"] == code
    assert count(session) == 0
    assert client.post("/public/report.json", data=said() | solved).status_code == 200


def test_a_hundred_posts_in_a_minute_are_throttled_and_the_sums_get_harder(app, client, session):
    easy_bits = client.get("/public/challenge.json").json["bits"]
    codes = [client.post("/public/report.json", data=said()).status_code for _ in range(100)]
    assert codes.count(429) == 40 and set(codes) == {422, 429}
    assert client.get("/public/challenge.json").json["bits"] > easy_bits
    kept = session.scalars(select(PublicMeter)).all()
    assert all(len(row.key) == 16 and b"127.0.0" not in row.key for row in kept)


def test_photos_are_checked_kept_once_and_shown_without_their_metadata(app, client, session):
    sent = said() | proof(client, app)
    picture = photo()
    answer = client.post(
        "/public/report.json",
        data=sent | {"photo": [(io.BytesIO(picture), "../a.jpg"), (io.BytesIO(picture), "b.jpg")]},
    )
    assert answer.status_code == 200, answer.json
    kept = session.scalars(select(ComplaintPhoto)).one()
    assert (kept.by, kept.name) == ("public", "a.jpg") or kept.name == "b.jpg"
    follow(client, answer.json["number"])
    page = client.get("/public/follow/mine").get_data(as_text=True)
    assert kept.sha256 in page
    for size in ("thumb", "large"):
        shown = client.get(f"/public/follow/photos/{kept.sha256}/{size}")
        assert shown.mimetype == "image/jpeg" and b"SECRETPHONE" not in shown.data
    assert app.test_client().get(f"/public/follow/photos/{kept.sha256}/thumb").status_code == 401


@pytest.mark.parametrize(
    ("bytes_", "name"), [(b"MZ\x90\x00 program", "x.jpg"), (b"<svg onload=alert(1)>", "x.svg"), (b"", "x.png")]
)
def test_what_is_no_photo_is_refused_and_nothing_is_kept(app, client, session, bytes_, name):
    answer = client.post(
        "/public/report.json", data=said() | proof(client, app) | {"photo": [(io.BytesIO(bytes_), name)]}
    )
    assert answer.json["code"] == "bad_photo"
    assert count(session) == 0


def test_more_photos_than_allowed_are_refused(app, client, session):
    many = [(io.BytesIO(photo(c)), f"{c}.jpg") for c in ("red", "blue", "green", "white")]
    answer = client.post("/public/report.json", data=said() | proof(client, app) | {"photo": many})
    assert answer.json["code"] == "too_many_photos"


# --- similar ---------------------------------------------------------------------------------------------------------
def test_similar_tells_category_rough_place_and_day_and_nothing_else(client, session):
    area = make_area(session, level="compound", name="文丰小区", geom=square(half=0.002))
    shown = make_complaint(
        session, compound_id=area.id, place="文丰小区3号楼2单元501张三", description="秘密", category="heat.none"
    )
    make_complaint(session, category="water.none")
    make_complaint(session, category="heat.none", status="confirmed", closed_at=NOW)
    session.commit()
    answer = client.get(f"/public/similar.json?category=heat.none&lon={PINGDU[0]}&lat={PINGDU[1]}")
    [row] = answer.json
    assert set(row) == {"ref", "category", "place", "day", "voices"}
    assert (row["place"], row["day"], row["voices"]) == ("文丰小区", "2009-11-17", 1)
    for secret in ("501", "张三", "秘密", shown.hotline_no):
        assert secret not in answer.get_data(as_text=True)
    assert client.get("/public/similar.json?category=heat.none&lon=0&lat=0").json == []


def test_me_too_joins_the_matter_and_its_answer_is_told_to_both(app, client, session):
    main = make_complaint(session, category="heat.none")
    session.commit()
    [row] = client.get(f"/public/similar.json?category=heat.none&lon={PINGDU[0]}&lat={PINGDU[1]}").json
    told = client.post("/public/report.json", data=said(join=row["ref"]) | proof(client, app))
    assert told.status_code == 200 and told.json["joined"], told.json
    session.expire_all()
    mine = session.scalars(select(Complaint).where(Complaint.hotline_no == told.json["number"])).one()
    assert (mine.status, mine.merged_into_id, main.repeat_count) == ("merged", main.id, 1)
    assert client.get(f"/public/similar.json?category=heat.none&lon={PINGDU[0]}&lat={PINGDU[1]}").json[0]["voices"] == 2
    take_step(session, Who(NOW), main, "answer", data={"answer": "已修好"})
    session.commit()
    follow(client, mine.hotline_no)
    page, hidden = forms(client)
    assert "已修好" in page and main.hotline_no not in page
    assert (
        client.post("/public/follow/rate", data=hidden | {"satisfied": "0", "reason": "came_back"}).status_code == 303
    )
    session.expire_all()
    assert main.status == "reopened"


def test_a_reference_that_is_forged_or_to_what_is_closed_gives_a_complaint_of_its_own(app, client, session):
    main = make_complaint(session, category="heat.none")
    session.commit()
    [row] = client.get(f"/public/similar.json?category=heat.none&lon={PINGDU[0]}&lat={PINGDU[1]}").json
    take_step(session, Who(NOW), main, "answer", data={"answer": "已修好"})
    session.commit()
    for ref in (row["ref"], "x.y.z", str(main.id)):
        told = client.post("/public/report.json", data=said(join=ref) | proof(client, app))
        assert told.status_code == 200 and not told.json["joined"]


def test_no_list_of_complaints_is_open_to_a_stranger(client, session):
    make_complaint(session, place="秘密小区", hotline_no="SECRET-1")
    session.commit()
    for path in ("/public/", "/public/report", "/public/follow", "/public/follow/mine", "/complaints.json", "/complaints.geojson",
                 "/complaints.gpkg", "/public/places/search.json?q=SECRET"):  # fmt: skip
        text = client.get(path).get_data(as_text=True)
        assert "SECRET-1" not in text and "秘密小区" not in text


# --- following -------------------------------------------------------------------------------------------------------
def follow(client, number, phone="13812345678"):
    return client.post("/public/follow", data={"number": number, "phone": phone})


def answered(app, client, session):
    number = client.post("/public/report.json", data=said() | proof(client, app)).json["number"]
    complaint = session.scalars(select(Complaint).where(Complaint.hotline_no == number)).one()
    take_step(session, Who(NOW), complaint, "answer", data={"answer": "已更换阀门,室温恢复。"})
    session.commit()
    follow(client, number)
    return complaint


def forms(client):
    page = client.get("/public/follow/mine").get_data(as_text=True)
    token = re.search(r'name="token" value="([^"]+)"', page)[1]
    return page, {"token": token, "id": re.search(r'name="id" value="([^"]+)"', page)[1]}


def test_number_and_telephone_open_ones_own_complaint_and_nothing_of_it_is_told_to_others(app, client, session):
    complaint = answered(app, client, session)
    page, _ = forms(client)
    assert "已更换阀门" in page and complaint.hotline_no in page
    stranger = app.test_client()
    assert stranger.get("/public/follow/mine").status_code == 302
    unknown, wrong = follow(stranger, "CM20091117-999999"), follow(stranger, complaint.hotline_no, "13800000000")
    assert unknown.status_code == wrong.status_code == 404
    strip = lambda r: re.sub(r'value="[^"]*"', "", r.get_data(as_text=True))  # noqa: E731
    assert strip(unknown) == strip(wrong)


def test_guessing_is_throttled_and_the_same_answer_is_given_for_numbers_that_are_not(app, client, session):
    complaint = answered(app, client, session)
    stranger = app.test_client()
    codes = [follow(stranger, complaint.hotline_no, f"1380000{n:04}").status_code for n in range(12)]
    assert codes == [404] * 10 + [429] * 2
    assert follow(stranger, complaint.hotline_no).status_code == 429  # even with the right one, for a while


def test_satisfied_closes_and_twice_pressed_is_once_said(app, client, session):
    complaint = answered(app, client, session)
    _, hidden = forms(client)
    for _ in range(2):
        assert client.post("/public/follow/rate", data=hidden | {"satisfied": "1"}).status_code == 303
    session.refresh(complaint)
    assert complaint.status == "confirmed" and count(session, CallerRating) == 1


def test_dissatisfied_reopens_with_a_coded_reason_and_only_a_few_times(app, client, session):
    complaint = answered(app, client, session)
    for turn in range(3):
        _, hidden = forms(client)
        none = client.post("/public/follow/rate", data=hidden | {"satisfied": "0"})
        assert none.status_code == 422
        told = client.post(
            "/public/follow/rate",
            data=hidden | {"satisfied": "0", "reason": "not_fixed", "note": "还是不热 13812345678"},
        )
        assert told.status_code == (303 if turn < 2 else 409)
        session.refresh(complaint)
        if turn < 2:
            assert (complaint.status, complaint.reopen_count) == ("reopened", turn + 1)
            take_step(session, Who(NOW), complaint, "answer", data={"answer": "再次上门"})
            session.commit()
    assert count(session, CallerRating) == 2
    entry = session.scalars(select(JournalEntry).where(JournalEntry.verb == "reopen")).first()
    assert entry.data["reason"] == "not_fixed" and "13812345678" not in str(entry.data)


def test_words_and_photos_are_added_and_a_form_of_another_complaint_is_refused(app, client, session):
    complaint = answered(app, client, session)
    _, hidden = forms(client)
    more = client.post(
        "/public/follow/more", data=hidden | {"text": "楼上也不热", "photo": [(io.BytesIO(photo()), "a.jpg")]}
    )
    assert more.status_code == 303
    assert (count(session, CallerNote), count(session, ComplaintPhoto)) == (1, 1)
    assert client.post("/public/follow/more", data=hidden | {"text": " "}).status_code == 422
    other = app.test_client()
    assert other.post("/public/follow/more", data=hidden | {"text": "x"}).status_code == 401  # no cookie
    assert client.post("/public/follow/more", data=hidden | {"token": "x", "text": "x"}).status_code == 401
    session.refresh(complaint)


def test_what_is_not_answered_is_not_judged(app, client, session):
    number = client.post("/public/report.json", data=said() | proof(client, app)).json["number"]
    follow(client, number)
    _page, hidden = forms(client)
    assert client.post("/public/follow/rate", data=hidden | {"satisfied": "1"}).status_code == 409


def test_a_complaint_without_a_telephone_is_followed_by_nobody(client, session):
    make_unit(session)
    bare = make_complaint(session, hotline_no="T-BARE")
    session.commit()
    for phone in ("", "None", "nobody has this number", "13812345678"):
        assert follow(client, bare.hotline_no, phone).status_code == 404


# --- the base map ----------------------------------------------------------------------------------------------------
def test_the_public_map_has_names_and_areas_and_not_the_network(client, session):
    make_area(session, name="平度市")
    session.commit()
    assert client.get("/public/tiles/areas/10/853/398.mvt").status_code in (200, 204)
    assert client.get("/public/tiles/stations/10/853/398.mvt").status_code == 404
    assert client.get("/public/tiles/complaints/10/853/398.mvt").status_code == 404
    assert [r["name"] for r in client.get("/public/places/search.json?q=平度").json] == ["平度市"]


def test_the_language_is_chosen_by_the_address_and_kept(client):
    assert "Report a matter" in client.get("/public/?language=en").get_data(as_text=True)
    assert "Report a matter" in client.get("/public/report").get_data(as_text=True)
    assert "反映问题" in client.get("/public/?language=zh").get_data(as_text=True)
