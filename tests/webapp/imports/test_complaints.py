"""A file of complaints comes in whole or not at all, once, and its report says which cell was wrong."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import func, select, text

from gis.complaints.model import Caller, Complaint, ImportBatch
from gis.complaints.routing_model import RoutingRule
from gis.journal import JournalEntry
from tests.factories import make_area, make_complaint, make_unit, square
from tests.webapp.imports.conftest import HEADER, line

SHANGHAI = timezone(timedelta(hours=8))


def file(*lines: str, header: str = HEADER) -> str:
    return "\n".join([header, *lines]) + "\n"


def count(session) -> int:
    return session.scalar(select(func.count()).select_from(Complaint))


def codes(report) -> list[tuple]:
    return [(e["row"], e["column"], e["code"]) for e in report["errors"]]


def test_a_file_in_our_template_is_kept_with_its_deadline_areas_and_callers_apart(session, bring):
    area = make_area(session, name="文丰", level="district")
    report = bring(file(line(1), line(2, 类别="供热收费", 经度="", 纬度="")))
    assert report == {"read": 2, "added": 2, "unchanged": 0, "refused": 0, "not_located": 1, "errors": []}
    first, second = session.scalars(select(Complaint).order_by(Complaint.hotline_no)).all()
    assert (first.category, first.channel, first.status, first.district_id) == (
        "heat.none",
        "12319",
        "received",
        area.id,
    )
    assert first.resolve_by == datetime(2009, 11, 17, 23, 59, 59, tzinfo=SHANGHAI)
    assert second.resolve_by == datetime(2009, 11, 20, 23, 59, 59, tzinfo=SHANGHAI)
    assert (second.located, second.geom, second.complexity) == ("not_located", None, "complex")
    caller = session.get(Caller, first.id)
    assert (caller.name, caller.phone, caller.door_no) == ("张三", "13812345678", "2单元301")


def test_a_file_leaves_one_batch_and_one_journal_row_without_personal_data(session, bring):
    bring(file(line(1), line(2)), name="../x/锅炉房照片.csv".replace("../x/", ""))
    batch = session.scalars(select(ImportBatch)).one()
    assert batch.file_name == "锅炉房照片.csv" and batch.counts["added"] == 2
    entry = session.scalars(select(JournalEntry).where(JournalEntry.thing == "import")).one()
    assert (entry.verb, entry.thing_id, entry.data["added"]) == ("import", str(batch.id), 2)
    assert "138" not in str(entry.data) and "张三" not in str(entry.data)


def test_the_same_file_twice_adds_nothing_and_leaves_no_trace(session, bring):
    given = file(line(1), line(2), line(3, 经度="", 纬度=""))
    bring(given)
    again = bring(given)
    assert again == {"read": 3, "added": 0, "unchanged": 3, "refused": 0, "not_located": 1, "errors": []}
    assert count(session) == 3
    assert session.scalar(select(func.count()).select_from(ImportBatch)) == 1


def test_a_longer_file_adds_only_what_is_new(session, bring):
    bring(file(line(1)))
    assert bring(file(line(1), line(2)))["added"] == 1
    assert count(session) == 2
    assert session.scalar(select(func.count()).select_from(Caller)) == 2


def test_other_content_under_a_kept_number_is_refused_and_the_rest_with_it(session, bring):
    bring(file(line(1)))
    report = bring(file(line(1, 诉求内容="别的"), line(2)))
    assert codes(report) == [(2, "工单编号", "differs")]
    assert (report["added"], report["refused"]) == (0, 1)
    assert count(session) == 1
    assert session.scalar(text("SELECT description FROM complaint")) == "家里不热"


def test_a_number_taken_at_the_desk_is_not_overwritten(session, bring):
    make_complaint(session, hotline_no="H0001")
    assert codes(bring(file(line(1)))) == [(2, "工单编号", "differs")]


def test_what_the_desk_changed_since_does_not_make_the_same_file_differ(session, bring):
    bring(file(line(1)))
    session.execute(text("UPDATE complaint SET status = 'cancelled', category = 'heat.cold'"))
    assert bring(file(line(1)))["unchanged"] == 1


def test_one_bad_row_refuses_the_file_and_every_bad_cell_is_named(session, bring):
    report = bring(file(
        line(1), line(2, 受理时间="昨天"), line(3, 类别=" "), line(4, 经度="北"), line(5, 纬度=""),
        line(6, 来源渠道="漂流瓶"), line(7, 工单编号=" "), line(8, 受理时间=""), line(9, 状态="不明"),
    ))  # fmt: skip
    assert codes(report) == [
        (3, "受理时间", "bad_datetime"), (4, "类别", "text_missing"), (5, "经度", "not_a_number"),
        (6, "纬度", "half_coordinates"), (7, "来源渠道", "unknown_channel"), (8, "工单编号", "text_missing"),
        (9, "受理时间", "text_missing"), (10, "状态", "unknown_word"),
    ]  # fmt: skip
    assert (report["read"], report["added"], report["refused"]) == (9, 0, 8)
    assert count(session) == 0
    assert all(re.search("[\u4e00-\u9fff]", e["message"]) for e in report["errors"]), report["errors"]


def test_coordinates_out_of_range_and_swapped_are_told_apart(bring):
    report = bring(file(line(1, 经度="36.78", 纬度="119.96"), line(2, 经度="219.96"), line(3, 经度="1e999")))
    assert codes(report) == [
        (2, "经度", "swapped_coordinates"), (3, "经度", "bad_coordinates"), (4, "经度", "not_a_number")
    ]  # fmt: skip


def test_points_that_lie_in_a_district_only_the_other_way_round_are_refused(session, bring):
    make_area(session, level="district")
    make_area(session, level="district", geom=square(60.0, 40.0))
    report = bring(file(line(1, 经度="40.01", 纬度="60.01"), line(2), line(3, 经度="40.5", 纬度="60.5")))
    assert codes(report) == [(2, "经度", "swapped_coordinates")]


def test_a_number_twice_in_a_file_names_both_rows(session, bring):
    report = bring(file(line(1), line(2), line(1, 诉求内容="又不热"), line(1)))
    assert codes(report) == [(4, "工单编号", "duplicate_in_file"), (5, "工单编号", "duplicate_in_file")]
    assert all("2" in e["message"] for e in report["errors"])
    assert count(session) == 0


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-8", "utf-8-sig", "utf-16"])
def test_encodings_are_found_by_proof(session, bring, encoding):
    assert bring(file(line(1)).encode(encoding))["added"] == 1
    assert session.scalar(text("SELECT place FROM complaint")) == "文丰小区1号楼"


@pytest.mark.parametrize("delimiter", ["\t", ";", "|"])
def test_delimiters_are_found_by_the_header(bring, delimiter):
    assert bring(file(line(1)).replace(",", delimiter))["added"] == 1


def test_text_in_no_encoding_is_told_with_the_place(bring):
    report = bring(file(line(1)).encode() + b"\xff\xff\xfe")
    assert [e["code"] for e in report["errors"]] == ["bad_encoding"]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("", "empty_file"),
        (HEADER + "\n", "header_only"),
        (HEADER + "\n,,,,\n\n", "header_only"),
        ("a,b,c\n1,2,3\n", "wrong_columns"),
        (file("x", header=HEADER + ",备注"), "unknown_column"),
        (file("x", header=HEADER + ",类别"), "doubled_column"),
        (file(line(1) + ",多余"), "ragged_row"),
        (file("H1,2009-11-17"), "ragged_row"),
        (file(line(1, 诉求内容="空\0字符")), "nul_character"),
        (file(line(1, 诉求内容="长" * 5000)), "text_too_long"),
        (file(line(1, 诉求内容='"没有结束的引号'), line(2)), "broken_quotes"),
    ],
)
def test_bad_files_have_a_code_and_keep_nothing(session, bring, given, code):
    report = bring(given)
    assert {e["code"] for e in report["errors"]} == {code}
    assert count(session) == 0


def test_a_cell_of_ten_megabytes_is_refused_in_its_row(session, bring):
    report = bring(file(line(1, 诉求内容="字" * 3_500_000), line(2)))
    assert codes(report) == [(2, "诉求内容", "text_too_long")]


def test_formulas_and_strange_signs_stay_text(session, bring):
    said = r"=cmd|'/C calc'!A0 \N \. <script>alert(1)</script>"
    assert bring(file(line(1, 诉求内容=said, 地址="\\N", 来电人="\\N")))["added"] == 1
    assert session.execute(text("SELECT description, place FROM complaint")).one() == (said, "\\N")
    assert session.scalar(text("SELECT name FROM caller")) == "\\N"


def test_a_cell_with_line_breaks_counts_as_one_row(session, bring):
    report = bring(file(line(1, 诉求内容='"不热\n三天了\t请来"'), line(2, 受理时间="?")))
    assert codes(report) == [(3, "受理时间", "bad_datetime")]


def test_a_year_without_a_calendar_is_kept_and_marked(session, bring):
    assert bring(file(line(1, 受理时间="2031-03-05 08:00:00", 类别="供热收费")))["added"] == 1
    row = session.scalars(select(Complaint)).one()
    assert row.calendar_missing and row.resolve_by.astimezone(SHANGHAI).date().isoformat() == "2031-03-10"


def test_a_point_shared_by_many_addresses_is_a_fallback_point(session, bring):
    shared = [line(n, 经度="119.9", 纬度="36.7") for n in range(1, 26)]
    same_house = [line(n, 经度="119.8", 纬度="36.7", 地址="同一号楼") for n in range(30, 60)]
    report = bring(file(*shared, *same_house, line(99)), fallback_point_rows=20)
    assert (report["added"], report["not_located"]) == (56, 25)
    rows = session.execute(text("SELECT located, count(*) FROM complaint GROUP BY 1")).all()
    assert dict(map(tuple, rows)) == {"not_located": 25, "located": 31}
    assert bring(file(*shared))["unchanged"] == 25


def test_an_open_complaint_has_no_closing_time_and_a_closed_one_without_status_is_confirmed(session, bring):
    done = "2009-11-18 10:00:00"
    assert (
        bring(file(line(1, 状态="", 办结时间=done), line(2, 办结时间=done), line(3, 状态="办结", 办结时间=done)))[
            "added"
        ]
        == 3
    )
    rows = session.execute(select(Complaint.status, Complaint.closed_at).order_by(Complaint.hotline_no)).all()
    at = datetime(2009, 11, 18, 2, tzinfo=UTC)
    assert rows == [("confirmed", at), ("received", None), ("confirmed", at)]


def test_the_unit_of_the_compound_answers_unless_the_file_names_one(session, bring):
    ours, theirs = make_unit(session, name="兴平热电"), make_unit(session, name="金泉热力")
    compound = make_area(session, level="compound", unit_id=ours.id)
    assert bring(file(line(1) + ",", line(2) + ",金泉热力", header=HEADER + ",承办单位"))["added"] == 2
    rows = session.execute(select(Complaint.unit_id, Complaint.compound_id).order_by(Complaint.hotline_no)).all()
    assert rows == [(ours.id, compound.id), (theirs.id, compound.id)]


def test_personal_data_is_never_in_a_message(bring):
    report = bring(file(line(1, 类别="13812345678", 受理时间="13812345678", 状态="138 1234 5678")))
    assert report["refused"] == 1 and "12345678" not in str(report).replace(" ", "")


def test_a_category_that_nobody_knows_is_received_and_waits_for_somebody_to_choose(session, bring):
    report = bring(file(line(1), line(2, 类别="水压不足")))
    assert (report["added"], report["errors"]) == (2, [])
    waiting = session.execute(
        select(Complaint.hotline_no, Complaint.category_said).where(Complaint.category == "unknown")
    )
    assert waiting.all() == [("H0002", "水压不足")]


def test_the_routing_rules_say_who_answers_for_imported_ones(session, bring):
    company = make_unit(session)
    compound = make_area(session, level="compound", geom=square(half=0.5), unit_id=company.id)
    water = make_unit(session, kind="water_company")
    session.add(RoutingRule(priority=1, utility="water", answers="unit", unit_id=water.id, source="s"))
    session.flush()
    bring(file(line(1), line(2, 类别="停水"), line(3, 类别="路灯不亮")))
    asked = select(Complaint.unit_id, Complaint.routing_rule_id.is_(None)).order_by(Complaint.hotline_no)
    assert session.execute(asked).all() == [(company.id, False), (water.id, False), (None, True)]
    assert compound.unit_id == company.id


def test_errors_are_told_up_to_a_thousand_and_counted_beyond(bring):
    report = bring(file(*(line(n, 状态="?") for n in range(1, 1501))))
    assert (len(report["errors"]), report["refused"]) == (1000, 1500)


def test_the_boston_sample_comes_in_as_it_is(session, bring, shared):
    path = shared / "complaints" / "boston311_2015_sample2000.csv"
    with path.open(encoding="utf-8-sig", newline="") as source:
        rows = {r["CASE_ENQUIRY_ID"]: r for r in csv.DictReader(source)}
    fallback = {n for n, r in rows.items() if (r["LATITUDE"], r["LONGITUDE"]) == ("42.3594", "-71.0587")}
    report = bring(path, "boston311")
    assert report == {
        "read": 2000,
        "added": 2000,
        "unchanged": 0,
        "refused": 0,
        "not_located": len(fallback),
        "errors": [],
    }
    kept = session.execute(
        select(Complaint.hotline_no, Complaint.located, Complaint.closed_at, Complaint.resolve_by)
    ).all()
    assert {r.hotline_no for r in kept if r.located == "not_located"} == fallback
    closed = [r for r in kept if r.closed_at is not None]
    right = sum((r.closed_at <= r.resolve_by) == (rows[r.hotline_no]["OnTime_Status"] == "ONTIME") for r in closed)
    assert len(closed) == 1503 and right / len(closed) >= 0.999
    opened = session.scalar(select(Complaint.received_at).where(Complaint.hotline_no == "101001240754"))
    assert opened == datetime(2015, 1, 1, 12, 27, 13, tzinfo=UTC)
    assert bring(path, "boston311")["unchanged"] == 2000


def test_the_fallback_point_of_boston_is_also_found_by_itself(bring, shared, tmp_path):
    from importlib.resources import files

    known = (files("webapp.imports") / "mappings" / "boston311.toml").read_text("utf-8")
    mapping = tmp_path / "unknowing.toml"
    mapping.write_text(known.replace("fallback_points = [[-71.0587, 42.3594]]", ""), "utf-8")
    assert bring(shared / "complaints" / "boston311_2015_sample2000.csv", str(mapping))["not_located"] == 292
