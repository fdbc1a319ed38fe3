"""The desk's pages about readings: charts with their gaps, the files, the upload that is shown first, what is refused."""

import io
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from gis.journal import Who
from gis.network import alarm_actions
from gis.network.alarm_queries import Asked, alarms, rules_of_points
from gis.people.rules import CITY
from tests.conftest import NOW
from tests.factories import make_complaint
from tests.measured import make_point, make_rule, make_station, read, stored
from webapp.reading_charts import Line, Spot, pieces, ticks

DAY = "2009-11-17"


def spots(*minutes):
    return [Spot(NOW + timedelta(minutes=m), 50, 50, 50) for m in minutes]


def test_a_line_breaks_where_nothing_came():
    assert [len(p) for p in pieces(Line("x", "supply", spots(0, 5, 10, 60, 65)))] == [3, 2]
    assert [len(p) for p in pieces(Line("x", "supply", spots(0, 5, 10, 60, 65), timedelta(hours=1)))] == [5]
    assert [len(p) for p in pieces(Line("x", "supply", spots(0)))] == [1]
    assert pieces(Line("x", "supply", [])) == []


@pytest.mark.parametrize(("low", "high"), [(0, 1), (49.9, 50.1), (0.31, 0.34), (-20, 130), (50, 50), (1e-4, 2e-4)])
def test_an_axis_reaches_over_all_values_with_few_round_numbers(low, high):
    found = ticks(low, high)
    assert found[0] <= low and found[-1] >= high
    assert 3 <= len(found) <= 7


@pytest.fixture
def station(session):
    made = make_station(session)
    supply, back = (
        make_point(session, made, side=s, name=n) for s, n in (("secondary_supply", "供"), ("secondary_return", "回"))
    )
    outdoor = make_point(session, side="outdoor", name="室外")
    make_rule(session, supply, low=40.0, high=60.0)
    make_rule(session, supply, "curve", low=2.0, other_id=outdoor.id, knots=[[-10, 60], [10, 40]])
    read(
        session,
        *((p, m, v) for m in (120, 110, 100, 30, 20) for p, v in ((supply, 51.5), (back, 42.0), (outdoor, 0.0))),
    )
    session.commit()
    return made, supply, back


def test_a_station_shows_lines_bands_the_curve_and_the_same_as_a_table(station, sign_in):
    made, supply, _back = station
    html = sign_in("dispatcher").get(f"/stations/{made.id}?range=day&on={DAY}").get_data(as_text=True)
    assert html.count('<polyline class="supply"') == 2  # a gap of an hour and a half
    assert '<rect class="band supply"' in html
    assert '<polyline class="wanted"' in html
    assert html.count('<td class="number">51.5') == 5
    for span in ("week", "season"):
        assert sign_in("planner").get(f"/stations/{made.id}?range={span}&on={DAY}").status_code == 200
    empty = sign_in("planner").get(f"/stations/{made.id}?on=2009-01-01").get_data(as_text=True)
    assert '<svg class="readings"' not in empty
    assert sign_in("crew").get(f"/points/{supply.id}").status_code == 200


@pytest.mark.parametrize("query", ["range=year", "on=yesterday", "on=0001-01-01", "on=9999-12-31"])
def test_a_view_that_cannot_be_is_refused(station, sign_in, query):
    assert sign_in("dispatcher").get(f"/stations/{station[0].id}?{query}").status_code == 422


def test_the_list_sorts_what_is_out_of_order_first(station, session, sign_in):
    made, supply, _back = station
    read(session, (supply, 0, 20.0))
    alarm_actions.watch(session, Who(NOW), date(2009, 11, 17))
    make_station(session, name="A")
    session.commit()
    client = sign_in("dispatcher")
    html = client.get("/stations").get_data(as_text=True)
    assert html.index(made.name) < html.index(">A<")
    assert "报警" in html and "无读数" in html
    assert ">A<" not in client.get("/stations?state=alarm").get_data(as_text=True)
    assert client.get("/stations?state=x").status_code == 422


def test_every_reading_goes_out_as_csv_and_excel(station, sign_in, session):
    made, _supply, _back = station
    client = sign_in("planner")
    lines = client.get(f"/stations/{made.id}/readings.csv?on={DAY}").get_data().decode("utf-8-sig").splitlines()
    assert len(lines) == 11 and lines[1].endswith(",°C,0,否")
    assert client.get(f"/stations/{made.id}/readings.xlsx?on={DAY}").data[:2] == b"PK"
    assert session.scalar(text("SELECT count(*) FROM journal WHERE verb = 'export' AND thing = 'readings'")) == 2


def test_an_alarm_is_noted_from_its_list(station, session, sign_in):
    _made, supply, _back = station
    read(session, (supply, 0, 20.0))
    alarm_actions.watch(session, Who(NOW), date(2009, 11, 17))
    session.commit()
    row = next(a for a in alarms(session, CITY, Asked()) if a["kind"] == "band")
    client = sign_in("dispatcher")
    html = client.get("/alarms?state=new&kind=band").get_data(as_text=True)
    assert "供" in html and "未确认" in html
    given = {"note": "已派人", "base_version": row["version"], "back": "//evil.example"}
    answer = client.post(f"/alarms/{row['id']}/acknowledge", data=given)
    assert answer.headers["Location"] == "/alarms"
    assert "已派人" in client.get("/alarms?state=acknowledged").get_data(as_text=True)
    assert client.post(f"/alarms/{row['id']}/acknowledge", data=given).status_code == 412


def test_a_supervisor_edits_a_band_and_a_curve_and_sees_their_history(station, session, sign_in):
    made, supply, back = station
    client = sign_in("supervisor")
    band = {"kind": "band", "low": "30", "high": "x", "begins": DAY, "source": "运行规程"}
    wrong = client.post(f"/points/{back.id}/rules", data=band)
    assert wrong.status_code == 422 and 'value="30"' in wrong.get_data(as_text=True)
    assert client.post(f"/points/{back.id}/rules", data=band | {"high": "50"}).status_code == 303
    assert client.post(f"/points/{supply.id}/rules", data=band | {"low": "42", "high": "58"}).status_code == 303
    html = client.get(f"/stations/{made.id}/rules").get_data(as_text=True)
    assert "42.0 – 58.0" in html and "40.0 – 60.0" in html and "运行规程" in html
    curve = {"kind": "curve", "knots": "-10 58\n0，50", "low": "3", "other_id": "", "begins": DAY, "source": "s"}
    assert client.post(f"/points/{supply.id}/rules", data=curve).status_code == 422
    assert (
        client.post(f"/points/{supply.id}/rules", data={"kind": "band", "begins": DAY, "end": "1"}).status_code == 303
    )
    rules = [r for r in rules_of_points(session, [supply.id]) if r.kind == "band"]
    assert [r.valid.isempty for r in rules] == [True, False]


def test_points_are_added_by_whoever_edits_rules(station, session, sign_in):
    made, supply, _back = station
    client = sign_in("supervisor")
    given = {
        "code": "NEW-1",
        "name": "新",
        "station_id": made.id,
        "side": "primary_supply",
        "quantity": "pressure",
        "unit": "kPa",
    }
    for wrong in (
        {"unit": "°C"},
        {"code": ""},
        {"side": "x"},
        {"station_id": ""},
        {"code": supply.code},
        {"side": "room"},
    ):
        assert client.post("/points", data=given | wrong).status_code in (409, 422), wrong
    assert client.post("/points", data=given).status_code == 303
    assert "NEW-1" in client.get("/points").get_data(as_text=True)
    assert client.post(f"/points/{supply.id}/use", data={"active": "", "base_version": 1}).status_code == 303
    assert sign_in("dispatcher").post("/points", data=given).status_code == 403


def test_a_file_is_shown_before_it_is_kept_and_can_be_left(station, session, sign_in):
    _made, supply, _back = station
    client = sign_in("dispatcher")
    before = len(stored(session))
    file = f"测点编号,时间,数值\n{supply.code},2009-11-17 09:00,50\n{supply.code},2009-11-17 09:05,NaN\nX,2009-11-17 09:00,1\n".encode(
        "gb18030"
    )

    def bring():
        answer = client.post("/readings/import", data={"file": (io.BytesIO(file), "十一月.csv")})
        return answer.headers["Location"]

    where = bring()
    html = client.get(where).get_data(as_text=True)
    assert "1 个读数可保存" in html and "2 个不能保存" in html and "非数" in html and "未知测点" in html
    assert len(stored(session)) == before
    assert sign_in("dispatcher").get(where).status_code == 404  # another person's file
    client.post(where, data={"leave": "1"})
    assert client.get(where).status_code == 404
    assert client.post(bring()).headers["Location"] == "/readings/faults"
    assert len(stored(session)) == before + 1
    assert "未知测点" in client.get("/readings/faults").get_data(as_text=True)
    bad = client.post("/readings/import", data={"file": (io.BytesIO(b"a,b\n1,2\n"), "x.csv")})
    assert client.get(bad.headers["Location"]).status_code == 422


def test_a_cold_room_is_tested_from_its_complaint_to_the_paper(session, sign_in):
    complaint = make_complaint(session, category="heat.cold")
    session.commit()
    supervisor, inspector = sign_in("supervisor"), sign_in("inspector")
    for low, high, percent in (("", "16.0", 100), ("16.0", "18", 50)):
        row = {
            "city": "潍坊",
            "low_c": low,
            "high_c": high,
            "percent": percent,
            "valid_from": "2009-11-01",
            "source": "潍坊办法",
        }
        assert supervisor.post("/room-tests/rules", data=row).status_code == 303
        assert supervisor.post("/room-tests/rules", data=row).status_code == 409
    assert "潍坊的标准没有规定" in supervisor.get("/room-tests/rules").get_data(as_text=True)
    assert "申请测温" in supervisor.get(f"/complaints/{complaint.id}").get_data(as_text=True)
    where = supervisor.post(f"/complaints/{complaint.id}/room-tests").headers["Location"]
    given = {
        "temperature_c": "15.95",
        "measured_at": "2009-11-17T10:00",
        "room": "卧室",
        "openings": "closed",
        "city": "潍坊",
        "base_version": 1,
    }
    wrong = inspector.post(f"{where}/measure", data=given)
    assert wrong.status_code == 422 and 'value="15.95"' in wrong.get_data(as_text=True)
    assert inspector.post(f"{where}/measure", data=given | {"temperature_c": "16.0"}).status_code == 303
    html = supervisor.get(where).get_data(as_text=True)
    assert "50 % × 1 天" in html and "潍坊办法" in html
    assert inspector.post(f"{where}/decide", data={"percent": "50", "days": "1"}).status_code == 403
    assert supervisor.post(f"{where}/decide", data={"percent": "50", "days": "1", "base_version": 2}).status_code == 303
    assert supervisor.get(f"{where}.pdf").data[:4] == b"%PDF"
    assert "已决定" in supervisor.get("/room-tests?status=decided").get_data(as_text=True)
    assert "已决定" in supervisor.get(f"/complaints/{complaint.id}").get_data(as_text=True)
