"""The live updates of the desk: by cursor, of one's own scope, and nothing but what changed."""

from __future__ import annotations

import time

import pytest

from gis.dispatch import changes
from gis.journal import Who, write
from gis.people.rules import CITY, Scope
from tests.conftest import NOW
from tests.factories import make_area, make_complaint, make_crew, make_order, make_unit, square

ROWS = [
    {"thing": "complaint", "thing_id": "1"}, {"thing": "inspection", "thing_id": "a-uuid"}, {"thing": "crew", "thing_id": "x"},
]  # fmt: skip


def _row(thing: str, id: int) -> dict[str, str]:
    return {"thing": thing, "thing_id": str(id)}


@pytest.fixture
def two_districts(session):
    """A complaint with its order and a crew, in each of two districts of two units."""
    made = []
    for lon in (119.9, 120.4):
        unit = make_unit(session)
        area = make_area(session, geom=square(lon, 36.8))
        complaint = make_complaint(session, at=(lon, 36.8), district_id=area.id, unit_id=unit.id, status="assigned")
        crew = make_crew(session, at=(lon, 36.8), unit_id=unit.id)
        order = make_order(session, complaint, crew)
        made.append(
            (area, unit, [_row("complaint", complaint.id), _row("work_order", order.id), _row("crew", crew.id)])
        )
    return made


def test_who_sees_the_whole_city_is_told_everything(session):
    assert changes.visible(session, ROWS, CITY) == ROWS


def test_who_has_a_district_is_told_only_of_it(session, two_districts):
    (area, _, mine), (_, _, others) = two_districts
    assert changes.visible(session, mine + others + ROWS[1:], Scope(area_id=area.id)) == mine


def test_who_works_for_a_unit_is_told_only_of_its_matters(session, two_districts):
    (_, _, others), (_, unit, mine) = two_districts
    assert changes.visible(session, others + mine, Scope(unit_id=unit.id)) == mine


def test_without_a_cursor_only_the_end_is_told(sign_in):
    reply = sign_in("dispatcher").get("/changes.json").json
    assert reply["rows"] == [] and reply["more"] is False and "." in reply["cursor"]


def test_a_cursor_that_is_none_is_refused_in_words(sign_in):
    reply = sign_in("dispatcher").get("/changes.json?after=yesterday")
    assert reply.status_code == 422 and reply.json["code"] == "bad_input"


def test_what_was_committed_after_the_cursor_is_told_once(committed, tmp_path):
    from gis.people.actions import add_user
    from gis.settings import Settings
    from webapp.app import create_app

    with committed() as session:
        url = session.get_bind().url.render_as_string(hide_password=False)
        add_user(session, Who(NOW), "d", "dispatcher", "a long password")
        session.commit()
    app = create_app(Settings(data_dir=tmp_path, database_url=url))
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    client.post("/login", data={"name": "d", "password": "a long password"})
    cursor = client.get("/changes.json").json["cursor"]
    with committed() as session:
        complaint = make_complaint(session)
        write(session, Who(NOW), "receive", "complaint", complaint.id, version=1)
        write(session, Who(NOW), "add", "user", 7)
        session.commit()
    deadline = time.monotonic() + 90  # other databases of this server may hold the horizon for a while
    while not (told := client.get(f"/changes.json?after={cursor}").json)["rows"] and time.monotonic() < deadline:
        time.sleep(0.2)
    assert [(row["verb"], row["thing"], row["version"]) for row in told["rows"]] == [("receive", "complaint", 1)]
    assert set(told["rows"][0]) == {"seq", "at", "verb", "thing", "thing_id", "version", "mine"}
    assert client.get(f"/changes.json?after={told['cursor']}").json["rows"] == []
    app.extensions["engine"].dispose()
