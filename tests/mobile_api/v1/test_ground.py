"""The map of the day for a phone: how far its area reaches, and squares of the base map in one answer."""

from __future__ import annotations

import gzip

import pytest

from gis.places import queries
from gis.tiles import Tile
from tests.factories import make_area, square

OVER, EMPTY = "10/853/398", "8/0/0"


@pytest.fixture
def phone(phone_of):
    return phone_of("inspector")


def cut(body: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(body):
        size = int.from_bytes(body[at : at + 4])
        found.append(body[at + 4 : at + 4 + size])
        at += 4 + size
    assert at == len(body)
    return found


def test_squares_come_in_the_order_asked_each_after_its_length(session, phone):
    make_area(session, geom=square(half=0.2))
    z, x, y = map(int, OVER.split("/"))
    assert Tile(z, x, y).bounds()[0] < 119.96 < Tile(z, x, y).bounds()[2]
    answer = phone.post("/tiles", {"tiles": [EMPTY, OVER, EMPTY]})
    assert answer.status_code == 200
    body = gzip.decompress(answer.data) if answer.headers.get("Content-Encoding") == "gzip" else answer.data
    first, second, third = cut(body)
    assert first == third == b""
    assert second.startswith(queries.area_tile(session, Tile(z, x, y))) and second


def test_more_squares_than_a_batch_and_squares_that_do_not_exist_are_refused(phone):
    assert phone.post("/tiles", {"tiles": [EMPTY] * 33}).status_code == 422
    refused = phone.post("/tiles", {"tiles": ["3/8/0"]})
    assert (refused.status_code, refused.json["code"]) == (422, "bad_tile")
    assert phone.post("/tiles", {"tiles": ["../etc"]}).status_code == 422


def test_a_phone_is_told_how_far_its_persons_area_reaches(session, phone_of, phone):
    assert phone.get("/ground").json == {"bounds": None}
    near = make_area(session, geom=square(119.9, 36.7, 0.1))
    make_area(session, geom=square(120.4, 36.2, 0.1))
    assert phone.get("/ground").json["bounds"] == [119.8, 36.1, 120.5, 36.8]
    assert phone_of("inspector", area_id=near.id).get("/ground").json["bounds"] == [119.8, 36.6, 120.0, 36.8]
