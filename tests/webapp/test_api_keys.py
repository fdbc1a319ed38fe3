"""The administrator's page: a key is shown once, and never again."""

from __future__ import annotations

import re

from sqlalchemy import select

from gis.people.model import ApiKey
from tests.factories import make_area, make_unit


def test_a_key_is_made_shown_once_and_revoked(session, sign_in):
    unit = make_unit(session, name="城西热力")
    client = sign_in("administrator")
    page = client.post("/api-keys", data={"unit_id": unit.id, "name": "公众号", "rights": ["receive_complaint"]}).text
    secret = re.search(r"data-made-key[^>]*>([^<]+)<", page)[1]
    again = client.get("/api-keys").text
    assert secret not in again
    assert secret[:12] in again
    assert "城西热力" in again
    key = session.scalar(select(ApiKey))
    assert client.post(f"/api-keys/{key.id}/revoke").status_code == 303
    session.refresh(key)
    assert key.revoked_at is not None
    assert "已吊销" in client.get("/api-keys").text


def test_what_is_wrong_is_said_and_what_was_typed_stays(session, sign_in):
    client = sign_in("administrator")
    answer = client.post("/api-keys", data={"unit_id": make_unit(session).id, "name": "公众号甲"})
    assert answer.status_code == 422
    assert "公众号甲" in answer.text
    assert session.scalar(select(ApiKey)) is None
    for bad in ({"expires_on": "soon"}, {"expires_on": "2009-02-31"}, {"per_minute": "many"}, {"area_id": "-1"}):
        fields = {"unit_id": make_unit(session).id, "name": "x", "rights": "see_network"} | bad
        assert client.post("/api-keys", data=fields).status_code == 422


def test_a_bound_administrator_makes_keys_of_their_own_area(session, sign_in):
    area, other = make_area(session), make_area(session)
    client = sign_in("administrator", area_id=area.id)
    fields = {"unit_id": make_unit(session).id, "name": "x", "rights": "see_network", "area_id": other.id}
    assert client.post("/api-keys", data=fields).status_code == 200
    assert session.scalar(select(ApiKey.area_id)) == area.id
