"""The plan's page, its files and the command, through the doors."""

from __future__ import annotations

import io
import json
import time
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from python_calamine import CalamineWorkbook
from sqlalchemy import select
from sqlalchemy.orm import sessionmaker

from gis.dispatch import plan_solver
from gis.dispatch.model import WorkOrder
from gis.dispatch.plan_model import Appointment, DayPlan
from gis.dispatch.rules import Terms
from gis.journal import Who
from tests.conftest import NOW
from tests.factories import PINGDU, make_complaint, make_crew
from webapp import plan_tasks
from webapp.cli import main

TERMS = Terms(ZoneInfo("Asia/Shanghai"))


@pytest.fixture
def quick(monkeypatch):
    """No second core in these tests: the search is tested elsewhere."""

    class Alone:
        def __enter__(self):
            return plan_solver.alone(time.monotonic)

        def __exit__(self, *_):
            return None

    monkeypatch.setattr(plan_tasks, "cores", Alone)


@pytest.fixture
def town(session):
    crew = make_crew(session, at=PINGDU)
    complaints = [
        make_complaint(session, at=(PINGDU[0] + 0.004 * n, PINGDU[1]), hotline_no=f"N-{n}", place="=1+1")
        for n in (1, 2)
    ]
    lost = make_complaint(session, at=None, hotline_no="LOST")
    session.commit()
    return crew, complaints, lost


def made(session, client):
    """A proposal by the form, and the job of it done here."""
    reply = client.post("/plan", data={"day": "2009-11-17", "seconds": "1", "mode": "whole"})
    plan_id = int(reply.headers["Location"].rsplit("/", 1)[1])
    assert client.get(f"/plan/{plan_id}/state.json").json == {"status": "waiting", "progress": 0.0}
    again = sessionmaker(session.connection(), join_transaction_mode="create_savepoint", expire_on_commit=False)
    plan_tasks.make(again, Who(NOW), plan_id, TERMS)
    session.expire_all()
    assert client.get(f"/plan/{plan_id}/state.json").json["status"] == "ready"
    return plan_id


def test_a_plan_is_asked_for_shown_accepted_and_put_away(session, sign_in, town, quick):
    client = sign_in("dispatcher")
    assert "这一天还没有计划" in client.get("/plan").text
    plan_id = made(session, client)
    assert client.get("/plan").headers["Location"].endswith(f"/plan/{plan_id}")
    page = client.get(f"/plan/{plan_id}").text
    assert "N-1" in page and "地点不明，请先在地图上定位" in page and "按直线估算" in page
    reply = client.post(f"/plan/{plan_id}/accept", data={"crew": str(town[0].id)}, follow_redirects=True)
    assert "已派单" in reply.text
    assert len(session.scalars(select(WorkOrder)).all()) == 2
    again = client.post(f"/plan/{plan_id}/accept", data={"crew": str(town[0].id)}, follow_redirects=True)
    assert "的计划已经采纳" in again.text
    assert "已撤回" in client.post(f"/plan/{plan_id}/undo", data={"crew": str(town[0].id)}, follow_redirects=True).text
    client.post(f"/plan/{plan_id}/discard")
    session.expire_all()
    assert session.get(DayPlan, plan_id).status == "discarded"


def test_a_stale_part_is_told_in_the_readers_language(session, sign_in, town, quick):
    client = sign_in("dispatcher", language="en")
    plan_id = made(session, client)
    town[1][0].description = "changed"
    session.commit()
    page = client.post(f"/plan/{plan_id}/accept", data={"all": "1"}, follow_redirects=True).text
    assert "Something has changed since this proposal was made: complaint N-1 was changed." in page
    assert not session.scalars(select(WorkOrder)).all()


def test_the_workbook_has_a_sheet_for_each_crew_and_no_formula(session, sign_in, town, quick):
    client = sign_in("dispatcher")
    plan_id = made(session, client)
    reply = client.get(f"/plan/{plan_id}.xlsx")
    book = CalamineWorkbook.from_filelike(io.BytesIO(reply.data))
    assert book.sheet_names[:2] == ["与现状对比", "未安排"] and town[0].name in book.sheet_names[2]
    rows = book.get_sheet_by_name(book.sheet_names[2]).to_python()
    assert [row[4] for row in rows[1:]] == ["N-1", "N-2"] and rows[1][6] == "=1+1"
    assert client.get(f"/plan/{plan_id}/sheets").status_code == 200


@pytest.mark.parametrize("form", [
    {"day": "2009-11-16"}, {"day": "2009-11-17", "seconds": "0"}, {"day": "2009-11-17", "mode": "both"}, {"day": "x"},
    {"day": "2009-11-17", "category": "nothing"}, {"day": "2009-11-17", "crew": "x"}, {"day": "2009-11-17", "seconds": "9999"},
])  # fmt: skip
def test_what_cannot_be_planned_is_refused(sign_in, form):
    assert sign_in("dispatcher").post("/plan", data=form).status_code == 422


def test_a_day_without_crews_says_so(session, sign_in, quick):
    client = sign_in("dispatcher")
    reply = client.post("/plan", data={"day": "2009-11-17"})
    again = sessionmaker(session.connection(), join_transaction_mode="create_savepoint", expire_on_commit=False)
    plan_tasks.make(again, Who(NOW), int(reply.headers["Location"].rsplit("/", 1)[1]), TERMS)
    session.expire_all()
    assert "当日没有在岗班组，无法排班" in client.get(reply.headers["Location"]).text


def test_a_search_that_breaks_is_told_to_whoever_waits(session, sign_in, town, monkeypatch):
    client = sign_in("dispatcher")
    reply = client.post("/plan", data={"day": "2009-11-17"})
    monkeypatch.setattr(plan_tasks, "cores", lambda: 1 / 0)
    again = sessionmaker(session.connection(), join_transaction_mode="create_savepoint", expire_on_commit=False)
    plan_id = int(reply.headers["Location"].rsplit("/", 1)[1])
    with pytest.raises(ZeroDivisionError):
        plan_tasks.make(again, Who(NOW), plan_id, TERMS)
    plan_tasks.make(again, Who(NOW), plan_id, TERMS)  # the queue tries again, and finds it told already
    session.expire_all()
    assert "计算中断，请重试" in client.get(reply.headers["Location"]).text


def test_a_time_is_agreed_on_the_complaints_page(session, sign_in, town):
    client, complaint = sign_in("dispatcher"), town[1][0]
    assert "与来电人约定的上门时间" in client.get(f"/complaints/{complaint.id}").text
    form = {"from": "2009-11-17T14:00", "to": "2009-11-17T15:00"}
    assert client.post(f"/complaints/{complaint.id}/appointment", data=form).status_code == 302
    kept = session.get(Appointment, complaint.id)
    assert kept.during.lower == NOW + timedelta(hours=4)
    assert "2009-11-17 14:00 – 15:00" in client.get(f"/complaints/{complaint.id}").text
    assert (
        client.post(f"/complaints/{complaint.id}/appointment", data=form | {"to": "2009-11-17T13:00"}).status_code
        == 422
    )
    client.post(f"/complaints/{complaint.id}/appointment", data={"clear": "1"})
    session.expire_all()
    assert session.get(Appointment, complaint.id) is None


def test_only_who_assigns_plans(sign_in):
    for role in ("planner", "call_taker", "administrator"):
        assert sign_in(role).get("/plan").status_code == 403


def test_the_command_plans_and_accepts(committed, tmp_path, monkeypatch, quick):
    monkeypatch.setenv("CHENGMAI_DATABASE_URL", committed.kw["bind"].url.render_as_string(False))
    monkeypatch.setattr("webapp.cli.clock_of", lambda _settings: lambda: NOW)
    with committed() as session:
        crew = make_crew(session, at=PINGDU, name="一班")
        make_complaint(session, at=PINGDU, hotline_no="N-1")
        make_complaint(session, at=None, hotline_no="LOST")
        session.commit()
    run = CliRunner().invoke
    based = run(
        main, ["crew", "base", "一班", "--at", "119.97,36.78", "--capacity", "5", "--data-dir", str(tmp_path), "--json"]
    )
    assert json.loads(based.output)["capacity"] == 5
    told = json.loads(
        run(main, ["plan", "--seconds", "1", "--crews", "一班", "--data-dir", str(tmp_path), "--json"]).output
    )
    assert set(told) == {"plan_id", "date", "mode", "by", "today", "greedy", "plan", "moved", "crews", "unserved"}
    assert told["crews"][0]["orders"][0]["hotline_no"] == "N-1" and told["unserved"][0]["reason"] == "place_unknown"
    done = run(main, ["plan", "--seconds", "1", "--accept", "--data-dir", str(tmp_path)])
    assert done.exit_code == 0 and "accepted" in done.output and "! LOST" in done.output
    with committed() as session:
        assert session.scalar(select(WorkOrder)).crew_id == crew.id
    assert run(main, ["plan", "--date", "2009-11-01", "--data-dir", str(tmp_path)]).exit_code == 1
