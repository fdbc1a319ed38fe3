"""Rounds and days at the desk: who may plan, what is shown, printed and taken away."""

import io
import re
from datetime import timedelta

from python_calamine import load_workbook
from sqlalchemy import select

from gis.inspections.round_model import Round
from tests import factories as make
from tests.sites import TODAY, make_contractor, make_visit, make_worker

FORM = {"name": "拉网检查", "starts_on": str(TODAY), "ends_on": str(TODAY + timedelta(days=9)), "size": "4", "seed": "11", "per_day": "4",
        "allocation": "proportional", "strata": ["stage"], "surprise": "1"}  # fmt: skip


def _sites(session, n=9):
    contractor = make_contractor(session)
    return [
        make.make_site(session, name=f"第{i}工地", contractor_id=contractor.id, stage=("before", "during", "after")[i % 3],
                       geom=make.point(119.9 + 0.01 * i, 36.7)) for i in range(n)
    ]  # fmt: skip


def _version(session):
    return str(session.scalar(select(Round.version)))


def test_a_round_is_planned_swapped_given_out_fixed_and_walked(sign_in, session):
    _sites(session)
    inspector = sign_in("inspector", full_name="检查员老郑")
    client = sign_in("supervisor")
    where = client.post("/rounds", data=FORM).location
    page = client.get(where).get_data(as_text=True)
    assert page.count("data-visit=") == 4 and "局里从未检查过" in page and "抽中" in page
    visit = re.search(r'data-visit="(\d+)"', page)[1]
    by = re.search(r'<select name="by" required><option value="(\d+)"', page)[1]
    stale = client.post(f"{where}/swap", data={"visit": visit, "by": by, "reason": "x", "base_version": "99"})
    assert stale.status_code == 412
    client.post(
        f"{where}/swap", data={"visit": visit, "by": by, "reason": "道路封闭", "base_version": _version(session)}
    )
    assert "人工换入：道路封闭" in client.get(where).get_data(as_text=True)
    client.post(f"{where}/assign", data={"inspector": [inspector.user.id], "base_version": _version(session)})
    assert "当日检查" in inspector.get("/day").get_data(as_text=True) and "data-stop=" not in inspector.get(
        "/day"
    ).get_data(as_text=True)
    client.post(f"{where}/fix", data={"base_version": _version(session)})
    day = inspector.get("/day").get_data(as_text=True)
    assert day.count("data-stop=") == 4 and "09:00" in day
    other = inspector.get(f"/day?inspector={make.make_user(session, role='inspector').id}").get_data(as_text=True)
    assert re.findall(r'data-stop="(\d+)"', day) == re.findall(r'data-stop="(\d+)"', other)  # always one's own
    told = client.get(f"/day?on={TODAY}&inspector={inspector.user.id}").get_data(as_text=True)
    assert told.count("data-stop=") == 4
    rows = load_workbook(io.BytesIO(client.get(f"{where}.xlsx").data)).get_sheet_by_index(0).to_python()[1:]
    assert len(rows) == 5 and sum("道路封闭" in str(r[11]) for r in rows) == 2


def test_only_the_supervisor_plans_and_units_see_no_round(sign_in, session):
    _sites(session)
    where = sign_in("supervisor").post("/rounds", data=FORM).location
    assert sign_in("dispatcher").get(where).status_code == 200
    for role in ("dispatcher", "planner", "unit_handler", "inspector"):
        assert sign_in(role).post("/rounds", data=FORM).status_code == 403
    for role in ("unit_handler", "inspector", "call_taker"):
        assert sign_in(role).get(where).status_code == 403


def test_a_round_that_cannot_be_comes_back_with_what_was_typed(sign_in, session):
    _sites(session)
    answer = sign_in("supervisor").post("/rounds", data=FORM | {"ends_on": str(TODAY - timedelta(days=1))})
    assert answer.status_code == 422 and 'value="拉网检查"' in answer.get_data(as_text=True)


def test_the_progress_says_planned_done_and_missed_by_contractor(sign_in, session):
    [site, *_rest] = _sites(session)
    client = sign_in("supervisor")
    where = client.post("/rounds", data=FORM | {"size": "9"}).location
    client.post(f"{where}/assign", data={"inspector": [make.make_user(session, role="inspector").id]})
    client.post(f"{where}/fix")
    from tests.sites import SiteVisit

    for row in session.scalars(select(SiteVisit)).all()[:2]:
        row.on_day = TODAY - timedelta(days=1)
    session.commit()
    page = client.get(where).get_data(as_text=True)
    assert re.search(r'<b class="bad">2</b>', page) and "按施工单位" in page and site.name in page


def test_weights_are_edited_with_their_source(sign_in):
    client = sign_in("supervisor")
    client.post("/rounds/weights", data={"code": "breach", "value": "2.5", "source": "局发〔2009〕3号"})
    page = client.get("/rounds/weights").get_data(as_text=True)
    assert "2.5" in page and "局发〔2009〕3号" in page
    client.post("/rounds/weights", data={"code": "breach", "value": "-1"})
    assert "数值须在" in client.get("/rounds/weights").get_data(as_text=True)


def test_the_day_masks_names_and_shows_who_lacks_a_certificate(sign_in, session):
    site = make.make_site(session, name="入户工地")
    make_worker(session, site, name="周师傅", valid_to=TODAY - timedelta(days=1))
    client = sign_in("inspector")
    make_visit(session, site, inspector_id=client.user.id, on_day=TODAY)
    page = client.get("/day").get_data(as_text=True)
    assert "入户工地" in page and "周师傅" not in page and "证件过期" in page
