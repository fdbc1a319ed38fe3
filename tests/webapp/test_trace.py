"""The trace page and the shutdowns at the desk: the address is the view, the paper, the workbook, the warning at intake."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from uuid import uuid4

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader
from sqlalchemy import select

from gis.complaints.incident_model import Incident
from gis.complaints.model import Complaint
from gis.complaints.outage_calls import known_to
from gis.network import outages
from gis.network.outage_model import Outage
from tests import factories as make
from tests.conftest import NOW
from tests.small_city import at, draw


@pytest.fixture
def city(session):
    made = draw(session)
    session.commit()
    return made


def form(**fields):
    return {"request_id": str(uuid4()), "outage_kind": "emergency", "reason": "爆管", "place": "北苑路口", "begins_at": "2009-11-17T10:00",
            "expected_end_at": "2009-11-17T13:00"} | fields  # fmt: skip


def save(client, pipe, **fields):
    return client.post(f"/outages?thing=pipe&id={pipe.id}", data=form(**fields))


def test_a_pipe_is_found_by_number_and_the_answer_names_valves_and_who_loses_service(sign_in, city):
    client = sign_in("dispatcher")
    found = client.get("/trace?q=p2").text
    link = re.search(r'href="(/trace\?thing=pipe[^"]*)"', found)[1].replace("&amp;", "&")
    page = client.get(link).text
    assert 'data-valve="V2"' in page and "北苑换热站" in page and "物业公司" in page
    assert re.search(r'data-count="households">\s*90<', page)
    assert "改关 V1, V3，多停 40 户" in page
    refused = re.search(r'href="([^"]*)" data-refuse="V2"', page)[1].replace("&amp;", "&")
    after = client.get(refused).text
    assert 'data-valve="V1"' in after and 'data-valve="V2"' not in after


def test_a_click_on_the_map_finds_the_nearest_pipe_and_beside_all_pipes_says_so(sign_in, city):
    client = sign_in("call_taker")
    lon, lat = at(300, 0.5)
    there = client.get(f"/trace?lon={lon}&lat={lat}&reach_m=5").headers["Location"]
    assert 'data-valve="V2"' in client.get(there).text
    away = client.get(f"/trace?lon={lon + 0.05}&lat={lat}&reach_m=5").headers["Location"]
    assert "这里没有管线" in client.get(away).text
    assert client.get("/trace?thing=pipe&id=999999").status_code == 422
    assert client.get("/trace?thing=nonsense&id=1").status_code == 422


def test_the_answer_for_the_map_draws_what_is_isolated_and_what_is_lost(sign_in, city):
    answer = sign_in("planner").get(f"/trace.json?thing=pipe&id={city.p2.id}").json
    kinds = {f["properties"]["kind"] for f in answer["lines"]["features"]}
    assert kinds == {"inside", "lost"} and answer["totals"]["households"] == 90
    assert sum(f["properties"]["start"] for f in answer["lines"]["features"]) == 1


def test_the_workbook_has_a_row_for_every_valve_station_and_supply_point(sign_in, city):
    book = load_workbook(io.BytesIO(sign_in("dispatcher").get(f"/trace.xlsx?thing=pipe&id={city.p2.id}").data))
    rows = [[cell.value for cell in row] for row in book.active.iter_rows()]
    assert [row[1] for row in rows[1:]] == ["V2", "A", "A1", "A2"]


def test_a_shutdown_is_saved_once_its_valves_are_turned_and_it_ends(sign_in, city, session):
    client, sent = sign_in("dispatcher"), form()
    first, again = (client.post(f"/outages?thing=pipe&id={city.p2.id}", data=sent) for _ in range(2))
    assert first.headers["Location"] == again.headers["Location"]
    there = first.headers["Location"]
    page = client.get(there).text
    assert 'data-turn="V2"' in page and "没有有效的时限" in page
    step = lambda verb: client.post(f"{there}/steps", data={"verb": verb}, follow_redirects=True).text  # noqa: E731
    client.post(f"{there}/valves/{city.v2.id}", data={})
    assert "还有 1 个阀门没有复位" in step("end")
    client.post(f"{there}/valves/{city.v2.id}", data={"back": "1"})
    assert "已恢复" in step("end")
    assert session.scalars(select(Outage.status)).all() == ["ended"]


def test_the_notice_tells_the_city_in_its_own_words_as_page_and_pdf(sign_in, city):
    client = sign_in("dispatcher")
    there = save(client, city.p2).headers["Location"]
    page = client.get(f"{there}/notice").text
    for words in ("停供通知", "北苑小区", "北苑换热站", "V2", "负责管道抢修", "90户"):
        assert words in page, words
    text = "".join(p.extract_text() for p in PdfReader(io.BytesIO(client.get(f"{there}.pdf").data)).pages)
    assert "停供通知" in text.replace("\n", "").replace(" ", "") and "V2" in text


def test_a_company_shuts_off_only_its_own_pipes(sign_in, city):
    other = sign_in("unit_handler", unit_id=city.water.id)
    assert save(other, city.p2).status_code == 403
    assert save(other, city.m5).status_code == 303
    assert save(sign_in("call_taker"), city.p2).status_code == 403


def test_a_call_taker_is_warned_by_place_and_calls_become_the_shutdown_s_incident(sign_in, city, session):
    dispatcher = sign_in("dispatcher")
    there = save(dispatcher, city.p2).headers["Location"]
    for _ in range(2):
        make.make_complaint(session, at=at(480, 20), category="heat.none", received_at=NOW - timedelta(minutes=5))
    session.commit()
    lon, lat = at(480, 20)
    [warned] = sign_in("call_taker").get(f"/outages/near.json?lon={lon}&lat={lat}&utility=heat").json
    assert warned["reason"] == "爆管" and warned["within"] and warned["incident"] is None
    page = dispatcher.get(there).text
    ids = re.findall(r'name="id" value="(\d+)"', page)
    assert len(ids) == 2
    outage = session.scalars(select(Outage)).one()
    dispatcher.post("/incidents", data={"id": ids, "asset_kind": "outage", "asset_id": outage.id, "name": outage.place})
    incident = session.scalars(select(Incident)).one()
    [warned] = dispatcher.get(f"/outages/near.json?lon={lon}&lat={lat}").json
    assert warned["incident"]["no"] == incident.no
    assert outage.no in dispatcher.get(f"/incidents/{incident.id}").text
    assert [row["no"] for row in known_to(session, session.get(Complaint, int(ids[0])), NOW)] == [outage.no]


def test_a_repair_limit_has_a_source_and_runs_on_the_page(sign_in, city, session):
    supervisor = sign_in("supervisor")
    assert "example, not in force" in supervisor.get("/outages/limits").text
    supervisor.post(
        "/outages/limits", data={"utility": "heat", "hours": "24", "source": "市供热办法第九条", "active": "1"}
    )
    there = save(supervisor, city.p3).headers["Location"]
    page = supervisor.get(there).text
    assert "市供热办法第九条" in page and 'data-until="2009-11-18T02:00:00+00:00"' in page
    assert outages.limit_of(session, "water") is None
