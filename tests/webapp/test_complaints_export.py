"""Exports: the view's rows, nobody's number, no formula, and a trace in the journal."""

import csv
import io
import zipfile

import pytest
import python_calamine
from sqlalchemy import select

from gis.complaints.model import Caller
from gis.journal import JournalEntry
from tests.factories import make_area, make_complaint, make_unit

FORMULAS = ("=cmd|'/c calc'!A1", "+1+1", "-2+3", "@SUM(A1)", "\t=1")


def read_csv(answer):
    assert answer.status_code == 200, answer.text
    data = answer.data
    answer.close()
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))


def read_xlsx(answer):
    assert answer.status_code == 200, answer.text
    data = answer.data
    answer.close()
    return python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()


def test_both_files_hold_the_rows_of_the_view_in_the_reader_s_language(session, sign_in):
    area = make_area(session, name="东阁街道")
    made = make_complaint(session, district_id=area.id, at=(-71.06, 42.36), description='两行\n文字,逗号"引号"')
    make_complaint(session, category="water.none")
    client = sign_in("planner")
    for path, read in (("/complaints.csv?category=heat", read_csv), ("/complaints.xlsx?category=heat", read_xlsx)):
        answer = client.get(path)
        heading, row = read(answer)
        assert "filename=complaints-20091117-1000." in answer.headers["Content-Disposition"].replace('"', "")
        told = dict(zip(heading, row, strict=True))
        assert told["工单编号"] == made.hotline_no
        assert told["描述"] == made.description
        assert (told["状态"], told["渠道"], told["区县"]) == ("已受理", "12319 热线", "东阁街道")
        assert float(told["经度"]) == -71.06
        assert str(told["受理时间"]).startswith("2009-11-17 09:00:00")


@pytest.mark.parametrize("formula", FORMULAS)
def test_what_looks_like_a_formula_stays_text(session, sign_in, formula):
    make_complaint(session, description=formula, place=formula, hotline_no=formula)
    client = sign_in("planner")
    _, row = read_csv(client.get("/complaints.csv"))
    assert [cell for cell in row if cell.startswith(("=", "+", "@", "\t"))] == []
    assert row[0] == f"'{formula}"
    body = client.get("/complaints.xlsx")
    assert formula in read_xlsx(body)[1]
    sheet = zipfile.ZipFile(io.BytesIO(body.data)).read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet


def test_no_number_name_or_door_is_in_a_file(session, sign_in):
    made = make_complaint(session, description="请回电 138 1234 5678", place="13812345678 家")
    session.add(Caller(complaint_id=made.id, name="欧阳修", phone="13812345678", door_no="2单元501"))
    session.flush()
    client = sign_in("supervisor")
    texts = [str(read_csv(client.get("/complaints.csv"))), str(read_xlsx(client.get("/complaints.xlsx")))]
    for text in texts:
        assert "138****5678" in text
        assert not [s for s in ("13812345678", "138 1234 5678", "欧阳修", "501") if s in text]


def test_a_file_ends_at_the_scope(session, sign_in):
    mine, unit = make_area(session), make_unit(session)
    shown = make_complaint(session, district_id=mine.id)
    make_complaint(session, district_id=make_area(session).id, unit_id=unit.id)
    client = sign_in("supervisor", area_id=mine.id)
    assert [row[0] for row in read_csv(client.get("/complaints.csv"))[1:]] == [shown.hotline_no]
    assert [row[0] for row in read_xlsx(client.get("/complaints.xlsx"))[1:]] == [shown.hotline_no]
    [first, _second] = session.scalars(select(JournalEntry).where(JournalEntry.verb == "export"))
    assert (first.thing_id, first.data, first.area_id, first.user_id) == ("csv", {"rows": 1}, mine.id, client.user.id)


@pytest.mark.parametrize("role", ["call_taker", "follow_up_caller", "unit_handler", "crew", "inspector"])
def test_who_may_not_export_gets_nothing(sign_in, role):
    client = sign_in(role)
    assert client.get("/complaints.csv").status_code == 403
    assert client.get("/complaints.xlsx").status_code == 403


def test_an_empty_view_is_a_file_with_a_heading(sign_in):
    client = sign_in("planner")
    assert len(read_csv(client.get("/complaints.csv"))) == 1
    assert len(read_xlsx(client.get("/complaints.xlsx"))) == 1


def test_more_rows_than_a_sheet_holds_are_refused_before_any_is_written(monkeypatch, session, sign_in):
    from webapp import exports

    make_complaint(session)
    monkeypatch.setattr(exports, "XLSX_ROWS", 0)
    assert sign_in("planner").get("/complaints.xlsx").status_code == 413


def test_a_large_workbook_is_sent_from_a_file(monkeypatch, session, sign_in):
    from webapp import exports

    monkeypatch.setattr(exports, "IN_MEMORY", 1000)
    for _ in range(50):
        make_complaint(session)
    assert len(read_xlsx(sign_in("planner").get("/complaints.xlsx"))) == 51


def test_a_long_file_is_sent_whole(session, sign_in):
    for _ in range(1100):
        make_complaint(session)
    assert len(read_csv(sign_in("planner").get("/complaints.csv"))) == 1101
