"""Who has not inspected its own sites since it was called for: unit by unit, to whom it concerns, as page and as workbook."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
from python_calamine import load_workbook

from gis.inspections import self_check_queries, sites
from gis.journal import Who
from gis.journal import write as journal_write
from gis.people.rules import Scope
from tests import factories as make
from tests.conftest import NOW
from tests.sites import TODAY, WHEN, make_contractor, make_self_inspection

DAY = timedelta(days=1)


def _called(session, from_on=TODAY, due_on=TODAY + 3 * DAY, at=NOW):
    return sites.call_self_check(session, Who(at), from_on, due_on, "节前自查")


def _rows(client):
    """The table as lists of cells."""
    page = client.get("/self-checks").text
    body = (
        page.split('id="self-checks"')[1].split("<tbody>")[1].split("</tbody>")[0] if 'id="self-checks"' in page else ""
    )
    return [[" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in re.findall(r"<td.*?</td>", row, flags=re.S)]
            for row in re.findall(r"<tr>.*?</tr>", body, flags=re.S)]  # fmt: skip


@pytest.fixture
def two(session):
    """A unit that inspected one of its two sites, and one that inspected none of its one; a closed site counts nowhere."""
    good, idle = make.make_unit(session, name="兴平热电"), make.make_unit(session, name="=1+1 供热")
    done, _left = make.make_site(session, unit_id=good.id), make.make_site(session, unit_id=good.id)
    make.make_site(session, unit_id=good.id, closed_at=NOW)
    make.make_site(session, unit_id=idle.id)
    make_self_inspection(session, done, good.id)
    session.commit()
    return good, idle


def test_before_anything_was_called_for_the_page_says_so(sign_in, session, two):
    assert "尚未发出自查要求" in sign_in("supervisor").get("/self-checks").text
    assert "可在工地列表下方" not in sign_in("inspector").get("/self-checks").text


def test_the_notice_of_the_sites_leads_to_units_with_their_figures_worst_first(sign_in, session, two):
    good, _idle = two
    _called(session)
    session.commit()
    client = sign_in("supervisor")
    assert 'href="/self-checks">哪些单位尚未自查' in client.get("/sites").text
    assert _rows(client) == [
        ["=1+1 供热", "1", "0", "1", "0", f"{TODAY + 3 * DAY}", "0.0 %"],
        ["兴平热电", "2", "1", "1", "0", f"{TODAY + 3 * DAY}", "50.0 %"],
    ]
    page = client.get("/self-checks").text
    assert f"/sites?unit={good.id}&amp;mark=no_self_check" in page and "data-print" in page
    assert re.search(r"<tfoot>.*?3.*?1.*?2.*?0.*?33\.3 %", page, flags=re.S)


def test_a_unit_reads_its_own_row_and_no_other(sign_in, session, two):
    good, idle = two
    _called(session)
    session.commit()
    assert [row[0] for row in _rows(sign_in("unit_handler", unit_id=good.id))] == ["兴平热电"]
    assert [row[0] for row in _rows(sign_in("unit_handler", unit_id=idle.id))] == ["=1+1 供热"]
    stranger = make.make_unit(session)
    session.commit()
    page = sign_in("unit_handler", unit_id=stranger.id).get("/self-checks").text
    assert "没有在建工地" in page and "兴平热电" not in page


def test_a_contractor_has_one_row_of_its_own_whoever_answers_for_the_sites(session, who):
    contractor, unit = make_contractor(session), make.make_unit(session)
    for fields in ({"unit_id": unit.id}, {}):
        make.make_site(session, contractor_id=contractor.id, **fields)
    make.make_site(session)
    _called(session)
    own = self_check_queries.by_unit(session, Scope(unit_id=contractor.id), WHEN)
    assert [(r["unit_id"], r["sites"]) for r in own] == [(contractor.id, 2)]
    every = {r["unit_id"]: r["sites"] for r in self_check_queries.by_unit(session, Scope(), WHEN)}
    assert every == {contractor.id: 1, unit.id: 1, None: 1}


def test_after_the_day_it_is_overdue_and_the_oldest_call_that_nobody_followed_is_told(session):
    from dataclasses import replace

    unit = make.make_unit(session)
    site = make.make_site(session, unit_id=unit.id)
    new = make.make_site(session, unit_id=make.make_unit(session).id)
    journal_write(session, Who(NOW - 2 * DAY), "add", "site", new.id, version=1)
    _called(session, TODAY - 40 * DAY, TODAY - 30 * DAY, NOW - 40 * DAY)
    _called(session)
    found = {r["unit_id"]: r for r in self_check_queries.by_unit(session, Scope(), WHEN)}
    assert (found[unit.id]["overdue"], found[unit.id]["oldest_due_on"]) == (0, TODAY - 30 * DAY)
    assert found[new.unit_id]["oldest_due_on"] == TODAY + 3 * DAY  # it was not there when the first was called
    late = replace(WHEN, today=TODAY + 4 * DAY)
    assert [r["overdue"] for r in self_check_queries.by_unit(session, Scope(), late)] == [1, 1]
    make_self_inspection(session, site, unit.id)
    (row,) = [r for r in self_check_queries.by_unit(session, Scope(), late) if r["unit_id"] == unit.id]
    assert (row["done"], row["not_yet"], row["overdue"], row["oldest_due_on"]) == (1, 0, 0, None)


def test_what_was_inspected_before_the_call_does_not_count(session):
    unit = make.make_unit(session)
    make_self_inspection(session, make.make_site(session, unit_id=unit.id), unit.id)
    _called(session, TODAY + DAY, TODAY + 3 * DAY)
    assert [(r["done"], r["not_yet"]) for r in self_check_queries.by_unit(session, Scope(), WHEN)] == [(0, 1)]


def test_the_workbook_has_the_same_rows_and_no_formula(sign_in, session, two):
    _called(session)
    session.commit()
    answer = sign_in("supervisor").get("/self-checks.xlsx")
    sheet = load_workbook(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()
    assert sheet[0] == ["单位", "在建工地", "已自查", "未自查", "其中逾期", "最早应完成日", "自查完成率（百分比）"]
    assert sheet[1:] == [
        ["=1+1 供热", 1, 0, 1, 0, f"{TODAY + 3 * DAY}", 0],
        ["兴平热电", 2, 1, 1, 0, f"{TODAY + 3 * DAY}", 50],
    ]
    assert sign_in("inspector").get("/self-checks.xlsx").status_code == 403
