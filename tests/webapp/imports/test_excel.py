"""Workbooks: the same rows as from CSV, addresses like B7, and nothing that expands beyond measure is parsed."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from sqlalchemy import select, text

from gis.complaints.model import Complaint
from tests.webapp.imports.conftest import HEADER, line
from webapp.imports import excel_reader
from webapp.imports.errors import ArchiveTooLarge, FileUnreadable, SheetTooLarge


def workbook(path: Path, *rows: list[Any], at: tuple[int, int] = (0, 0), sheet: str = "诉求") -> Path:
    """Write rows from a corner on; moments as real Excel dates."""
    book = xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd hh:mm:ss", "strings_to_formulas": False})
    page = book.add_worksheet(sheet)
    for i, row in enumerate([HEADER.split(","), *rows]):
        for j, cell in enumerate(row):
            page.write(at[0] + i, at[1] + j, cell)
    book.close()
    return path


def row(n: int, **cells: Any) -> list[Any]:
    """One row as Excel would hold it: dates are dates, coordinates and telephone numbers are numbers."""
    names, given = HEADER.split(","), line(n).split(",")
    values: dict[str, Any] = dict(zip(names, given, strict=True))
    values |= {"受理时间": datetime(2009, 11, 17, 9, 30), "经度": float(values["经度"]), "纬度": 36.78,  # noqa: DTZ001
               "来电电话": 13812345678} | cells  # fmt: skip
    return [values[name] for name in names]


def test_a_workbook_comes_in_as_the_same_rows_from_csv_would(session, bring, tmp_path):
    assert bring(workbook(tmp_path / "诉求.xlsx", row(1), row(2)))["added"] == 2
    first = session.scalars(select(Complaint).where(Complaint.hotline_no == "H0001")).one()
    assert first.received_at == datetime(2009, 11, 17, 1, 30, tzinfo=UTC)
    assert session.scalar(text("SELECT min(phone) FROM caller")) == "13812345678"
    assert bring("\n".join([HEADER, line(1), line(2)]))["unchanged"] == 2


def test_a_bad_cell_is_named_by_its_address_wherever_the_table_stands(bring, tmp_path):
    bad = row(2, 类别=" ")
    report = bring(workbook(tmp_path / "a.xlsx", row(1), bad))
    assert [(e["row"], e["column"]) for e in report["errors"]] == [(3, "D3")]
    report = bring(workbook(tmp_path / "b.xlsx", row(1), bad, at=(4, 2)))
    assert [(e["row"], e["column"]) for e in report["errors"]] == [(7, "F7")]


def test_whole_numbers_stay_numbers_without_a_point(session, bring, tmp_path):
    assert bring(workbook(tmp_path / "a.xlsx", row(1, 工单编号=101001240754)))["added"] == 1
    assert session.scalar(text("SELECT hotline_no FROM complaint")) == "101001240754"


def test_formulas_and_long_cells_are_text(session, bring, tmp_path):
    said = "=cmd|'/C calc'!A0" + "长" * 3000
    assert bring(workbook(tmp_path / "../x=.xlsx", row(1, 诉求内容=said)))["added"] == 1
    assert session.scalar(text("SELECT description FROM complaint")) == said


def test_the_sheet_can_be_named(bring, tmp_path):
    path = workbook(tmp_path / "a.xlsx", row(1), sheet="十一月")
    mapping = tmp_path / "m.toml"
    columns = '[columns]\nhotline_no="工单编号"\nreceived_at="受理时间"\ncategory="类别"\n'
    mapping.write_text(f'{columns}[file]\nsheet="十一月"\n', "utf-8")
    assert bring(path, str(mapping))["added"] == 1
    mapping.write_text(f'{columns}[file]\nsheet="没有"\n', "utf-8")
    assert [e["code"] for e in bring(path, str(mapping))["errors"]] == ["no_such_sheet"]


@pytest.mark.parametrize("content", [b"PK\x03\x04rubbish", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rubbish", b"a,b\n1,2\n"])
def test_what_is_no_workbook_is_told(bring, content):
    assert [e["code"] for e in bring(content, name="诉求.xlsx")["errors"]] == ["file_unreadable"]


def test_another_archive_is_no_workbook(bring, tmp_path):
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../x", "out")
    assert [e["code"] for e in bring(path)["errors"]] == ["file_unreadable"]
    assert not (tmp_path / "../../x").exists()


def bomb(path: Path, megabytes: int, name: str = "xl/worksheets/sheet1.xml") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open(name, "w", force_zip64=True) as part:
            for _ in range(megabytes):
                part.write(b" " * 1_048_576)
    return path


def test_a_workbook_that_expands_to_300_megabytes_is_not_parsed(bring, tmp_path):
    path = bomb(tmp_path / "bomb.xlsx", 300)
    assert path.stat().st_size < 1_000_000
    assert [e["code"] for e in bring(path)["errors"]] == ["archive_too_large"]


def test_a_part_that_expands_out_of_proportion_is_not_parsed(tmp_path):
    with pytest.raises(ArchiveTooLarge):
        excel_reader.measure(bomb(tmp_path / "bomb.xlsx", 20))


def test_an_archive_that_lies_about_its_size_is_not_parsed(tmp_path):
    path = bomb(tmp_path / "bomb.xlsx", 20)
    told = (20 << 20).to_bytes(4, "little")
    content = path.read_bytes()
    assert told in content
    path.write_bytes(content.replace(told, (1000).to_bytes(4, "little")))
    with pytest.raises((FileUnreadable, ArchiveTooLarge)):
        excel_reader.measure(path)


def test_two_cells_at_opposite_corners_are_not_made_a_table(bring, tmp_path):
    path = tmp_path / "corners.xlsx"
    book = xlsxwriter.Workbook(str(path))
    page = book.add_worksheet()
    page.write(0, 0, "a")
    page.write(1_048_575, 16_383, "b")
    book.close()
    with pytest.raises(SheetTooLarge):
        excel_reader.measure(path)
    assert [e["code"] for e in bring(path)["errors"]] == ["sheet_too_large"]


def test_columns_have_the_names_of_a_spreadsheet():
    assert [excel_reader.column_name(i) for i in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]
    assert [excel_reader.column_index(n) for n in (b"A", b"Z", b"AA", b"XFD")] == [1, 26, 27, 16384]
