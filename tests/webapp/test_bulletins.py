"""The bulletin's pages and files: every figure opens its list, files say the same, what is published stays."""

import io
import json
import re
import zipfile
from datetime import date, datetime
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from pypdf import PdfReader
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from gis.journal import Who
from gis.oversight.counting_model import Baseline, BulletinIssue
from gis.oversight.model import FollowUpCall
from gis.oversight.rates import MEASURES, RATES
from gis.settings import Settings
from tests.conftest import NOW
from tests.factories import make_area, make_complaint, make_unit
from webapp import worker
from webapp.counting_tasks import compact_rollups, daily_notice, monthly_bulletin, weekly_report

ZONE = ZoneInfo("Asia/Shanghai")
WEEK = "period=week&on=2009-11-10"


def at(day: str, clock: str = "09:00") -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=ZONE)


@pytest.fixture
def week(session):
    """Eight complaints in the week of 9 November, of two bodies; one =formula() among the names."""
    district = make_area(session, name="平度市", households=200)
    units = [make_unit(session, name=name) for name in ("兴平热电", "=SUM(A1)热力")]
    for n in range(8):
        closed = None if n == 0 else at("2009-11-11") if n < 6 else at("2009-11-13")
        made = make_complaint(
            session, district_id=district.id, unit_id=units[n % 2].id, received_at=at("2009-11-10"), resolve_by=at("2009-11-12"),
            closed_at=closed, status="answered" if closed else "sent", sent_at=at("2009-11-10"), channel=("12345", "mailbox")[n % 4 == 3],
            signed_at=at("2009-11-10", "12:00") if n % 3 else None,
        )  # fmt: skip
        if n in (1, 2):
            session.add(FollowUpCall(complaint_id=made.id, at=at("2009-11-13"), attempt=1, outcome="reached", solved=True,
                                     process="satisfied", result="dissatisfied" if n == 1 else "satisfied"))  # fmt: skip
    session.commit()
    return {"district": district, "units": units}


def text_of(answer) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True))))


def test_without_a_day_it_opens_with_the_week_of_the_latest_complaint(sign_in, week):
    answer = sign_in("planner").get("/bulletins")
    assert answer.status_code == 302
    assert "on=2009-11-10" in answer.headers["Location"]


def test_the_page_shows_each_rate_with_its_numerator_and_denominator(sign_in, week):
    shown = text_of(sign_in("planner").get(f"/bulletins?{WEEK}"))
    assert "诉求办理情况周报" in shown
    assert "62.50 %" in shown, "5 of 8 on time"
    assert "5 / 8" in shown
    assert "87.50 %" in shown
    assert "无数据" in shown, "nothing was compared with"
    assert "每百户 4.0 件" in shown


def test_every_figure_on_the_page_opens_a_list_of_as_many_rows(sign_in, week):
    client = sign_in("planner")
    page = client.get(f"/bulletins?{WEEK}").get_data(as_text=True)
    links = set(re.findall(r'href="(/bulletins/rows\?[^"]+)"[^>]*>([\d,]+)<', page))
    assert len(links) > 40
    for link, printed in links:
        opened = client.get(unescape(link))
        assert opened.status_code == 200, link
        shown = opened.get_data(as_text=True)
        assert f'data-many="{int(printed.replace(",", ""))}"' in shown, link
        assert len(re.findall(r'href="/complaints/\d+"', shown)) == int(printed), link


def test_excel_has_every_rate_with_numerator_and_denominator_and_no_formula(sign_in, week):
    answer = sign_in("planner").get(f"/bulletins.xlsx?{WEEK}")
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.data))
    sheets = {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}
    rates = next(rows for rows in sheets.values() if rows[0][:2] == ["比率", "百分比"])
    on_time = next(row for row in rates if row[0] == "按时办结率")
    assert on_time[1:5] == [62.5, "按时办结 / 应结", 5, 8]
    assert len(rates) == len(RATES) + 1
    units = next(rows for name, rows in sheets.items() if name == "按承办单位")
    assert "=SUM(A1)热力" in {row[1] for row in units}
    assert {"按时办结率：按时办结", "按时办结率：应结"} <= set(units[0])
    assert b"<f>" not in b"".join(
        zipfile.ZipFile(io.BytesIO(answer.data)).read(n)
        for n in zipfile.ZipFile(io.BytesIO(answer.data)).namelist()
        if "sheet" in n
    )
    assert sheets["统计口径"][1][0] == "按时办结率"


def test_word_pdf_and_json_say_the_same(sign_in, week):
    client = sign_in("planner")
    word = zipfile.ZipFile(io.BytesIO(client.get(f"/bulletins.docx?{WEEK}").data)).read("word/document.xml").decode()
    pdf = "".join(
        page.extract_text() for page in PdfReader(io.BytesIO(client.get(f"/bulletins.pdf?{WEEK}").data)).pages
    )
    told = json.loads(client.get(f"/bulletins.json?{WEEK}").data)
    assert told["issue"] is None
    on_time = next(row for row in told["bulletin"]["rates"] if row["key"] == "on_time")
    assert (on_time["numerator"], on_time["denominator"], on_time["percent"]) == (5, 8, 62.5)
    for text in (word, re.sub(r"\s", "", pdf)):
        assert "诉求办理情况周报" in text
        assert "按时办结率" in text
        assert "62.50%" in text.replace(" ", "")
        assert "5/8" in text.replace(" ", "")


def test_what_the_url_cannot_mean_is_refused_and_named(sign_in, week):
    client = sign_in("planner")
    for query in ("period=decade&on=2009-11-10", "period=week&on=tomorrow", "period=range&on=2009-11-10", f"{WEEK}&rank=filing",
                  "period=range&on=2009-11-10&to=2009-11-01", f"{WEEK}&district=x"):  # fmt: skip
        assert client.get(f"/bulletins?{query}").status_code == 422, query
        assert client.get(f"/bulletins.json?{query}").status_code == 422, query
    assert client.get(f"/bulletins?{WEEK}&district=999999").status_code == 404
    for query in ("measure=none", "measure=due&row=colour&key=1", "measure=due&row=unit&key=x"):
        assert client.get(f"/bulletins/rows?{WEEK}&{query}").status_code == 422, query


def test_a_supervisor_publishes_and_the_issue_stays_as_it_was_printed(sign_in, session, week):
    client = sign_in("supervisor")
    done = client.post("/bulletins/issues", data={"period": "week", "on": "2009-11-10"})
    assert done.status_code == 303
    page = done.headers["Location"]
    make_complaint(session, received_at=at("2009-11-10"), resolve_by=at("2009-11-12"))
    session.commit()
    kept = client.get(page)
    assert "2009 年第 1 期" in text_of(kept)
    assert "62.50 %" in text_of(kept)
    assert json.loads(client.get(f"{page}.json").data)["issue"]["number"] == 1
    assert "55.56 %" in text_of(client.get(f"/bulletins?{WEEK}"))
    again = client.post(
        "/bulletins/issues", data={"period": "week", "on": "2009-11-10"}, headers={"Accept": "application/json"}
    )
    assert again.status_code == 409
    issue = session.scalars(select(BulletinIssue)).one()
    corrected = client.post(
        "/bulletins/issues", data={"period": "week", "on": "2009-11-10", "corrects": issue.id, "reason": "补录一件"}
    )
    assert corrected.status_code == 303
    assert "更正 2009-1 期：补录一件" in text_of(client.get(corrected.headers["Location"]))
    assert client.get(f"{corrected.headers['Location']}.docx").status_code == 200
    listed = text_of(client.get("/bulletins/issues"))
    assert "2009-001" in listed
    assert "2009-002" in listed


def test_a_planner_sees_and_does_not_publish(sign_in, week):
    client = sign_in("planner")
    assert client.post("/bulletins/issues", data={"period": "week", "on": "2009-11-10"}).status_code == 403
    assert client.post("/bulletins/baselines", data={}).status_code == 403
    assert "发布更正" not in text_of(client.get(f"/bulletins?{WEEK}"))


def test_a_baseline_is_set_on_the_page_and_marks_who_is_below(sign_in, session, week):
    client = sign_in("supervisor")
    given = {
        "rate": "on_time",
        "percent": "60 %",
        "valid_from": "2009-11-01",
        "source": "局发〔2009〕12号",
        "period": "week",
        "on": "2009-11-10",
    }
    assert client.post("/bulletins/baselines", data=given).status_code == 303
    assert session.scalars(select(Baseline).where(Baseline.rate == "on_time")).one().source == "局发〔2009〕12号"
    shown = text_of(client.get(f"/bulletins?{WEEK}"))
    assert "未达标" in shown
    assert "达标" in shown
    assert (
        client.post(
            "/bulletins/baselines", data=given | {"percent": "many"}, headers={"Accept": "application/json"}
        ).status_code
        == 422
    )


def test_a_body_counts_its_own_and_an_empty_period_says_no_data(sign_in, week):
    mine = sign_in("unit_handler", unit_id=week["units"][0].id)
    told = json.loads(mine.get(f"/bulletins.json?{WEEK}").data)["bulletin"]
    assert told["figures"][0]["count"] == 4
    assert [row["name"] for row in told["units"]] == ["兴平热电"]
    empty = sign_in("planner")
    for kind in ("xlsx", "docx", "pdf", "json"):
        assert empty.get(f"/bulletins.{kind}?period=month&on=2008-01-01").status_code == 200
    shown = text_of(empty.get("/bulletins?period=month&on=2008-01-01"))
    assert "无数据" in shown
    assert "100.00 %" not in shown


def test_another_districts_name_is_not_told_to_somebody_bound_to_their_own(sign_in, session, week):
    other = make_area(session, name="别的区")
    session.commit()
    mine = sign_in("supervisor", area_id=week["district"].id)
    assert mine.get(f"/bulletins?{WEEK}&district={other.id}").status_code == 404
    opened = mine.get(f"/bulletins/rows?{WEEK}&measure=due&row=area&key={other.id}")
    assert opened.status_code == 200
    assert "别的区" not in opened.get_data(as_text=True)
    assert text_of(mine.get(f"/bulletins?{WEEK}")).count("62.50 %") > 0


def test_the_page_is_whole_in_english_too(sign_in, week):
    client = sign_in("planner", language="en")
    shown = client.get(f"/bulletins?{WEEK}").get_data(as_text=True)
    main = re.sub(r"(?s).*<main>", "", shown)
    for name in ("平度市", "兴平热电", "=SUM(A1)热力"):
        main = main.replace(name, "")
    main = re.sub(r"测试小区\d+号楼", "", main)
    main = re.sub(r'<td class="soft">[^<]*</td>', "", main)  # a source is cited as it stands
    assert not re.search(r"[\u4e00-\u9fff]", re.sub(r'title="[^"]*"', "", main))


def test_the_trend_is_told_for_the_filters_of_the_list(sign_in, week):
    client = sign_in("dispatcher")
    rows = json.loads(client.get("/complaints/trend.json").data)
    assert len(rows) == 90
    assert {"day": "2009-11-10", "received": 8, "closed": 0} in rows
    assert {"day": "2009-11-11", "received": 0, "closed": 5} in rows
    few = json.loads(client.get(f"/complaints/trend.json?days=10&unit={week['units'][0].id}").data)
    assert (len(few), sum(row["received"] for row in few)) == (10, 4)


def test_the_worker_publishes_each_period_once_and_keeps_the_rollups_small(session, week, monkeypatch, tmp_path):
    monkeypatch.setattr(worker, "_SETTINGS", [Settings(data_dir=tmp_path)])
    due = {"due_at": at("2009-11-16", "00:20").isoformat()}
    who = Who(at("2009-11-16", "00:20"))
    for task in (daily_notice, weekly_report, weekly_report, daily_notice):
        task(session, who, due)
    monthly_bulletin(
        session, Who(NOW), {"due_at": at("2009-11-01", "00:30").isoformat()}
    )  # nothing was received by then
    monthly_bulletin(session, Who(at("2009-12-01", "00:30")), {"due_at": at("2009-12-01", "00:30").isoformat()})
    issues = session.scalars(select(BulletinIssue).order_by(BulletinIssue.id)).all()
    assert [(i.kind, i.first, i.last) for i in issues] == [
        ("day", date(2009, 11, 15), date(2009, 11, 15)), ("week", date(2009, 11, 9), date(2009, 11, 15)),
        ("month", date(2009, 11, 1), date(2009, 11, 30)),
    ]  # fmt: skip
    compact_rollups(session, who, due)


def test_the_measures_on_the_page_are_those_of_the_table(sign_in, week):
    page = sign_in("planner").get(f"/bulletins?{WEEK}").get_data(as_text=True)
    assert set(re.findall(r"measure=(\w+)", page)) <= set(MEASURES)
