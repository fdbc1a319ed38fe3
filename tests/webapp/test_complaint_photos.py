"""Photos of a complaint at the desk: by role and district, as copies without their metadata, few and checked."""

from __future__ import annotations

import io

from sqlalchemy import select

from gis.portal.model import ComplaintPhoto
from tests.factories import make_area, make_complaint, square
from tests.webapp.test_public import photo


def test_the_desk_adds_photos_and_sees_them_without_metadata(sign_in, session):
    complaint = make_complaint(session)
    desk = sign_in("dispatcher")
    answer = desk.post(f"/complaints/{complaint.id}/photos", data={"photo": [(io.BytesIO(photo()), "a.jpg")]})
    assert answer.status_code == 303
    kept = session.scalars(select(ComplaintPhoto)).one()
    assert (kept.by, kept.user_id, kept.name) == ("user", desk.user.id, "a.jpg")
    assert kept.sha256 in desk.get(f"/complaints/{complaint.id}").get_data(as_text=True)
    for size in ("thumb", "large"):
        shown = desk.get(f"/complaints/{complaint.id}/photos/{kept.sha256}/{size}")
        assert shown.mimetype == "image/jpeg" and b"SECRETPHONE" not in shown.data
        assert "sandbox" in shown.headers["Content-Security-Policy"]
    assert desk.get(f"/complaints/{complaint.id}/photos/{kept.sha256}/original").status_code == 404


def test_a_photo_is_not_shown_beyond_its_district_nor_under_another_complaint(sign_in, session):
    here, there = make_area(session), make_area(session, geom=square(121.4, 37.4))
    complaint, other = make_complaint(session, district_id=here.id), make_complaint(session, district_id=there.id)
    desk = sign_in("dispatcher")
    desk.post(f"/complaints/{complaint.id}/photos", data={"photo": [(io.BytesIO(photo()), "a.jpg")]})
    sha = session.scalars(select(ComplaintPhoto.sha256)).one()
    assert desk.get(f"/complaints/{other.id}/photos/{sha}/thumb").status_code == 404
    assert (
        sign_in("dispatcher", area_id=there.id).get(f"/complaints/{complaint.id}/photos/{sha}/thumb").status_code == 404
    )
    assert sign_in("crew").get(f"/complaints/{complaint.id}/photos/{sha}/thumb").status_code == 403


def test_a_program_called_photo_is_refused_with_a_sentence(sign_in, session):
    complaint = make_complaint(session)
    desk = sign_in("dispatcher")
    answer = desk.post(
        f"/complaints/{complaint.id}/photos", data={"photo": [(io.BytesIO(b"MZ\x90"), "a.jpg")]}, follow_redirects=True
    )
    assert "照片" in answer.get_data(as_text=True)
    assert session.scalars(select(ComplaintPhoto)).all() == []
