"""Template → fill → upload → the same file with an error column → corrected → kept once; and taken back while untouched."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import xlsxwriter
from python_calamine import load_workbook
from sqlalchemy import func, select

from gis.complaints.lines import add_line
from gis.complaints.model import Caller, Complaint, ImportBatch
from gis.complaints.uploads import ImportUpload, uploads, waiting
from gis.journal import JournalEntry, Who
from gis.people.model import User
from tests.conftest import NOW
from tests.factories import make_unit
from tests.webapp.imports.conftest import HEADER, line

TITLES = HEADER.split(",")


def count(session, model=Complaint):
    session.expire_all()
    return session.scalar(select(func.count()).select_from(model))


def book(rows: list[list[str]], titles=TITLES, **look) -> bytes:
    """A workbook as a person fills it: formats, a note, text cells."""
    out = io.BytesIO()
    made = xlsxwriter.Workbook(out)
    page = made.add_worksheet("诉求")
    bold = made.add_format({"bold": True, "bg_color": "#ffee00"})
    for column, title in enumerate(titles):
        page.write_string(0, column, title, bold)
    page.write_comment(0, 0, "批注还在")
    for n, row in enumerate(rows, 1):
        for column, cell in enumerate(row):
            page.write_string(n, column, cell)
    made.add_worksheet("第二张").write_string(0, 0, "别动")
    made.close()
    return out.getvalue()


def rows_of(data: bytes) -> list[list[str]]:
    sheet = load_workbook(io.BytesIO(data)).get_sheet_by_index(0)
    return [[str(cell) for cell in row] for row in sheet.iter_rows()]


def bring(client, data: bytes, name="诉求.xlsx", **fields):
    given = {"id": str(uuid4()), "file": (io.BytesIO(data), name)} | fields
    answer = client.post("/imports", data=given)
    assert answer.status_code == 303, answer.get_data(as_text=True)[-400:]
    return answer.headers["Location"]


def cells(n, **changed):
    return line(n, **changed).split(",")


@pytest.fixture
def desk(sign_in):
    return sign_in("supervisor")


def test_the_template_can_be_filled_and_comes_in(desk, session):
    unit = make_unit(session, name="兴平热电")
    add_line(session, Who(NOW), "heat_hotline", "兴平热电热线", unit.id, "0532-1")
    session.commit()
    got = desk.get("/imports/template.xlsx").data
    with zipfile.ZipFile(io.BytesIO(got)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
        assert "dataValidation" in sheet and any("comments" in n for n in archive.namelist())
    header = rows_of(got)[0]
    given = {"工单编号": "H1", "来源编号": "A-1", "受理时间": "2009-11-17 09:30", "类别": "不热", "来源渠道": "兴平热电热线",
             "诉求内容": "不热", "地址": "文丰小区", "来电电话": "13812345678"}  # fmt: skip
    where = bring(desk, book([[given.get(title, "") for title in header]], header))
    assert "已导入" in desk.get(where).get_data(as_text=True)
    made = session.scalars(select(Complaint)).one()
    assert (made.channel, made.source_no, made.line_id is not None) == ("heat_hotline", "A-1", True)


def test_a_file_may_be_larger_than_any_other_body(app, desk):
    app.config.update(
        MAX_CONTENT_LENGTH=2000, WTF_CSRF_ENABLED=True
    )  # whoever guards forms reads them before the page does
    token = re.search(r'name="csrf-token" content="([^"]+)"', desk.get("/imports").text)
    assert token is not None
    data = book([cells(1)])
    assert len(data) > 2000

    def given():
        return {"id": str(uuid4()), "csrf_token": token[1], "file": (io.BytesIO(data), "诉求.xlsx")}

    assert desk.post("/login", data=given()).status_code == 413
    assert desk.post("/imports", data=given()).status_code == 303


def test_every_word_of_the_templates_lists_is_understood(desk, session):
    got = desk.get("/imports/template.xlsx").data
    lists = load_workbook(io.BytesIO(got)).get_sheet_by_name("lists")
    header, left = rows_of(got)[0], lists.start[1]
    channels, categories = (
        [row[header.index(title) - left] for row in lists.to_python() if row[header.index(title) - left]]
        for title in ("来源渠道", "类别")
    )
    assert len(channels) >= 15
    filled = [cells(n, 来源渠道=word) for n, word in enumerate(channels, 1)]
    filled += [cells(100 + n, 类别=word) for n, word in enumerate(categories)]
    bring(desk, book(filled))
    assert count(session) == len(filled)


def test_wrong_rows_come_back_in_the_same_workbook_and_the_corrected_file_adds_nothing_twice(desk, session):
    given = book([cells(1), cells(2, 来源渠道="没有这类"), cells(3, 经度="abc")])
    where = bring(desk, given)
    page = desk.get(where).get_data(as_text=True)
    assert count(session) == 0 and "没有导入" in page and "3 行中有 2 行" in page
    back = desk.get(f"{where}/marked").data
    told = rows_of(back)
    assert told[0][-1] == "导入问题" and told[1][-1] == "" and "没有这类" in told[2][-1] and told[3][-1]
    assert [row[:-1] for row in told] == rows_of(given)
    with zipfile.ZipFile(io.BytesIO(given)) as old, zipfile.ZipFile(io.BytesIO(back)) as new:
        assert set(old.namelist()) == set(new.namelist())
        changed = {n for n in old.namelist() if old.read(n) != new.read(n)}
        assert changed == {"xl/worksheets/sheet1.xml", "xl/styles.xml"}
    told[2][TITLES.index("来源渠道")] = "12319热线"
    told[3][TITLES.index("经度")] = "119.96"
    where = bring(desk, book(told[1:], told[0]))
    assert "已导入" in desk.get(where).get_data(as_text=True) and count(session) == 3
    where = bring(desk, book(told[1:], told[0]))
    assert count(session) == 3 and count(session, ImportBatch) == 1


def test_an_error_column_that_comes_again_is_replaced_not_doubled(desk):
    back = desk.get(bring(desk, book([cells(1, 来源渠道="甲")])) + "/marked").data
    again = desk.get(bring(desk, back) + "/marked").data
    assert [t for t in rows_of(again)[0] if "问题" in t] == ["导入问题"]
    assert rows_of(again)[1][-1] == rows_of(back)[1][-1]


def test_the_good_rows_come_in_when_somebody_says_so_and_the_rest_is_corrected_later(desk, session):
    where = bring(desk, book([cells(1), cells(2, 来源渠道="甲"), cells(3), cells(3)]))
    assert count(session) == 0
    assert desk.post(f"{where}/good-rows").status_code == 303
    assert sorted(session.scalars(select(Complaint.hotline_no))) == ["H0001", "H0003"]
    assert "部分导入" in desk.get(where).get_data(as_text=True)
    assert desk.post(f"{where}/good-rows").status_code == 404
    bring(desk, book([cells(1), cells(2), cells(3)]))
    assert count(session) == 3


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_a_csv_comes_back_in_its_own_encoding(desk, encoding):
    text = "\n".join([HEADER, line(1), line(2, 来源渠道="没有", 诉求内容='"两行\n一格"')]) + "\n"
    where = bring(desk, text.encode(encoding), "诉求.csv")
    back = desk.get(f"{where}/marked")
    assert back.data.decode("gb18030" if encoding == "gbk" else encoding)
    told = list(csv.reader(io.StringIO(back.data.decode("gb18030" if encoding == "gbk" else encoding), newline="")))
    assert told[0][-1] == "导入问题" and told[1][-1] == "" and "没有" in told[2][-1] and "两行\n一格" in told[2]


def test_the_same_number_of_a_channel_is_told_with_the_number_it_was_accepted_under(desk, session):
    titles = [*TITLES, "来源编号"]
    bring(desk, book([[*cells(1), "A-7"]], titles))
    where = bring(
        desk,
        book(
            [[*cells(2), "A-7"], [*cells(3, 来源渠道="12345热线"), "A-7"], [*cells(4), "A-8"], [*cells(5), "A-8"]],
            titles,
        ),
    )
    page = desk.get(where).get_data(as_text=True)
    assert "H0001" in page and "H0004" in page and count(session) == 1
    desk.post(f"{where}/good-rows")
    assert sorted(session.scalars(select(Complaint.hotline_no))) == ["H0001", "H0003", "H0004"]


def test_a_batch_is_taken_back_while_nothing_was_done_with_it(desk, session):
    bring(desk, book([cells(1), cells(2)]))
    [batch] = session.scalars(select(ImportBatch))
    session.scalars(select(Complaint)).first().place = "改过"
    session.commit()
    refused = desk.post(f"/imports/batches/{batch.id}/take-back", follow_redirects=True).get_data(as_text=True)
    assert "不能撤回" in refused and count(session) == 2
    bring(desk, book([cells(7), cells(8)]), name="二.xlsx")
    second = session.scalars(select(ImportBatch.id).order_by(ImportBatch.id.desc())).first()
    desk.post(f"/imports/batches/{second}/take-back")
    assert count(session) == 2 and count(session, Caller) == 2
    entry = session.scalars(select(JournalEntry).where(JournalEntry.verb == "take_back")).one()
    assert entry.data["removed"] == 2
    bring(desk, book([cells(7), cells(8)]), name="三.xlsx")
    assert count(session) == 4


def test_a_clock_that_rang_by_itself_does_not_keep_a_batch_and_further_limits_go_with_it(desk, session):
    from gis.complaints.watch import ALARMS
    from gis.journal import write

    bring(desk, book([cells(1)]))
    [made] = session.scalars(select(Complaint))
    write(session, Who(NOW), ALARMS[0], "complaint", made.id, version=made.version)
    session.commit()
    desk.post(f"/imports/batches/{made.batch_id}/take-back")
    assert count(session) == 0


def test_two_sendings_of_one_upload_are_one(desk, session):
    same = str(uuid4())
    first = bring(desk, book([cells(1)]), id=same)
    assert bring(desk, book([cells(1)]), id=same) == first
    assert count(session, ImportUpload) == 1


def test_what_is_wrong_waits_to_be_corrected_until_it_is_put_away_and_the_bytes_go(desk, session, app):
    where = bring(desk, book([cells(1, 来源渠道="甲")]))
    assert waiting(session, NOW) == 1
    place = Path(app.config["SETTINGS"].data_dir).absolute() / "uploads"
    assert [p for p in place.rglob("*") if p.is_file()]
    desk.post(f"{where}/discard")
    session.expire_all()
    assert waiting(session, NOW) == 0 and not [p for p in place.rglob("*") if p.is_file()]
    assert desk.get(f"{where}/marked").status_code == 409
    bring(desk, book([cells(1)]))
    assert not [p for p in place.rglob("*") if p.is_file()]  # what came in whole is not kept beside it


@pytest.mark.parametrize(
    ("data", "name"),
    [(b"", "a.xlsx"), (b"PK\x03\x04 broken", "a.xlsx"), (b"\xff\xff\xff", "a.csv"), (b"a,b\n1,2\n", "a.csv")],
)
def test_what_is_no_such_file_is_told_and_nothing_is_kept(desk, session, data, name):
    where = bring(desk, data, name)
    page = desk.get(where).get_data(as_text=True)
    assert "没有导入" in page and count(session) == 0


def test_only_who_may_import_does_and_a_district_sees_its_own(sign_in, session, desk):
    where = bring(desk, book([cells(1, 来源渠道="甲")]))
    assert sign_in("dispatcher").get("/imports").status_code == 403
    from tests.factories import make_area

    bound = sign_in("supervisor", area_id=make_area(session).id)
    assert bound.get(where).status_code == 404 and bound.get(f"{where}/marked").status_code == 404
    assert "诉求.xlsx" not in bound.get("/imports").get_data(as_text=True)


def test_an_upload_whose_server_ended_is_told_as_broken(session, sign_in):
    desk = sign_in("supervisor")
    user = session.get(User, desk.user.id)
    made = ImportUpload(
        id=uuid4(),
        user_id=user.id,
        file_name="a.csv",
        at=NOW,
        seen_at=NOW - timedelta(minutes=9),
        state="reading",
        report={},
    )
    session.add(made)
    session.commit()
    assert "已中断" in desk.get(f"/imports/{made.id}").get_data(as_text=True)
    assert desk.get(f"/imports/{made.id}.json").json["state"] == "broken"
    assert uploads(session, user.id)


def test_the_error_column_is_in_the_readers_language(desk, session):
    session.get(User, desk.user.id).language = "en"
    session.commit()
    back = rows_of(desk.get(bring(desk, book([cells(1, 来源渠道="甲")])) + "/marked").data)
    assert back[0][-1] == "Import problems" and re.search("There is no channel", back[1][-1])
