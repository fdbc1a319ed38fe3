"""The heating week at the desk: empty states, rights, the workbook says what the page says, problems solved on a visit's page."""

import io
from datetime import date, datetime
from decimal import Decimal
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from gis.journal import Who
from gis.network.model import Station
from gis.oversight import outreach, weeks
from gis.oversight.outreach_model import Visit
from gis.oversight.week_rules import TargetKey
from tests import factories as make
from tests.conftest import NOW

ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def station(session):
    unit = make.make_unit(session, name="=cmd|热力")
    area = make.make_area(session, level="compound")
    row = Station(
        code="H1",
        name="文丰小区换热站",
        operator="heat_company",
        unit_id=unit.id,
        area_id=area.id,
        households=200,
        geom=make.point(),
    )
    session.add(row)
    session.flush()
    return row


def _week(session, first=date(2009, 11, 16), last=date(2009, 11, 22)):
    row = weeks.enter(session, Who(NOW), weeks.Planned("平度市", "供热专题接话周", first, last, "方案"))
    weeks.set_targets(session, Who(NOW), row.id, {TargetKey.CALLS: weeks.Target(Decimal(1569), "人民网")})
    return row


def test_without_a_week_the_page_says_what_to_do_and_where_the_season_stands(session, sign_in):
    make.make_area(session, name="平度市")
    supervisor = sign_in("supervisor")
    page = supervisor.get("/heating/week").text
    assert "尚未登记专题接话周" in page and "登记专题周" in page and "今天是第 2 天" in page
    assert "登记专题周" not in sign_in("call_taker").get("/heating/week").text


def test_before_its_season_the_board_says_when_it_begins(session, sign_in):
    week = _week(session, date(2009, 11, 12), date(2009, 11, 15))
    week.city = "桓台县"
    session.flush()
    page = sign_in("supervisor").get(f"/heating/week?week={week.id}").text
    assert 'data-season="before"' in page and "桓台县供热期：2017-11-08 00:00" in page
    week.city = "无名市"
    session.flush()
    assert "尚未登记无名市的供热季" in sign_in("supervisor").get(f"/heating/week?week={week.id}").text


def test_the_workbook_says_what_the_page_says_and_runs_nothing(session, sign_in, station):
    _week(session)
    for _ in range(3):
        make.make_complaint(session, compound_id=station.area_id, received_at=NOW)
    client = sign_in("planner")
    page = client.get("/heating/week").text
    assert "3 个来话 ÷ 200 户 × 100" in page and "3 个来话 ÷ 已开始的 2 天" in page
    data = client.get("/heating/week.xlsx").data
    book = load_workbook(io.BytesIO(data))
    figures = {row[0]: row[1:5] for row in book.worksheets[0].iter_rows(values_only=True)}
    assert figures["每百户来话"][:3] == (1.5, 3, 200) and figures["接听来话"][:4] == (3, 3, "", 1569)
    assert figures["群众满意率 %"][0] == "无数据"
    (row,) = list(book.worksheets[2].iter_rows(min_row=2, values_only=True))
    assert row[:7] == ("文丰小区换热站", "供热公司运行", "=cmd|热力", "", 200, 3, 1.5)
    assert all(b"<f>" not in ZipFile(io.BytesIO(data)).read(name) for name in ZipFile(io.BytesIO(data)).namelist())
    assert sign_in("call_taker").get("/heating/week.xlsx").status_code == 403


@pytest.mark.parametrize("query", ["operator=nobody", "order=worst", "unit=x", "week=-1", "q=" + "x" * 101])
def test_a_filter_that_is_none_is_named(session, sign_in, query):
    _week(session)
    assert sign_in("planner").get(f"/heating/week?{query}").status_code == 422


def test_a_supervision_is_entered_by_its_station_alone_and_its_problem_solved_on_its_page(session, sign_in, station):
    client = sign_in("supervisor")
    token = _token(client.get("/oversight/visits?kind=on_site").text)
    sent = {"csrf_token": token, "kind": "on_site", "at": "2009-11-17T09:30", "station_id": station.id, "place": ""}
    where = client.post("/oversight/visits", data=sent).headers["Location"]
    visit = session.scalars(select(Visit).where(Visit.station_id == station.id)).one()
    assert visit.place == "文丰小区换热站" and visit.at == datetime(2009, 11, 17, 9, 30, tzinfo=ZONE)
    assert "发现的具体问题" in client.get(where).text
    problem = outreach.raise_matter(session, Who(NOW), "循环泵异响", "heat.noise", visit_id=visit.id)
    solved = {"csrf_token": token, "solution": "更换轴承"}
    assert client.post(f"/oversight/matters/{problem.id}/solved", data=solved).status_code == 303
    assert client.post(f"/oversight/matters/{problem.id}/solved", data=solved).status_code == 409
    session.refresh(problem)
    assert problem.solution == "更换轴承"
    assert "更换轴承" in client.get(where).text


def _token(page: str) -> str:
    return page.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]


def test_a_week_another_person_changed_meanwhile_is_not_overwritten(session, sign_in):
    week = _week(session)
    client = sign_in("supervisor")
    page = client.get(f"/heating/weeks/{week.id}").text
    assert 'value="1569"' in page and f'name="base_version" value="{week.version}"' in page
    sent = {"csrf_token": _token(page), "base_version": week.version - 1, "city": "平度市", "name": "x", "first": "2009-11-16",
            "last": "2009-11-22", "source": "s", "utility": "heat"}  # fmt: skip
    assert client.post(f"/heating/weeks/{week.id}", data=sent).status_code == 412
    assert client.post(f"/heating/weeks/{week.id}", data=sent | {"base_version": week.version}).status_code == 303
