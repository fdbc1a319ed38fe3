"""The same file back with one more column that says, row by row, what is wrong. Everything else stays as it was.

A workbook is changed inside its archive: one cell per wrong row is put into the first sheet, all other parts are copied byte
by byte, so formats, notes and lists survive. A workbook of the old kind (.xls), or one too large to be taken apart, comes
back as a new workbook with the same values.
"""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import xlsxwriter

from webapp.imports.csv_reader import LARGEST_CELL, find_delimiter, find_encoding
from webapp.imports.excel_reader import open_excel
from webapp.imports.mapping import FileTerms
from webapp.imports.text import HEADINGS, key
from webapp.imports.xlsx_cells import LARGEST_SHEET, NotPatched, patched

Lines = Mapping[int, str]  # row as a spreadsheet counts -> what is wrong with it


def mark(path: Path, out: Path, lines: Lines, language: str, wanted: set[str]) -> Path:
    """Write the file with its error column beside; the answer is where (the suffix may differ from the given one)."""
    heading = HEADINGS[language]
    with path.open("rb") as file:
        head = file.read(4)
    if head == b"PK\x03\x04":
        out = out.with_suffix(".xlsx")
        try:
            _workbook(path, out, lines, heading)
        except NotPatched:
            _new_workbook(path, out, lines, heading, "xlsx")
    elif head == b"\xd0\xcf\x11\xe0":
        out = out.with_suffix(".xlsx")
        _new_workbook(path, out, lines, heading, "xls")
    else:
        out = out.with_suffix(".csv")
        _text(path, out, lines, heading, wanted)
    return out


def _workbook(path: Path, out: Path, lines: Lines, heading: str) -> None:
    table = open_excel(path, FileTerms(), "xlsx")
    with zipfile.ZipFile(path) as old:
        if sum(m.file_size for m in old.infolist() if "worksheets/" in m.filename) > LARGEST_SHEET:
            raise NotPatched()
        column = next((i for i, cell in enumerate(table.header) if key(cell) in OWN), len(table.header))
        # `address` knows where the header begins: the sheet need not start in column A.
        letters = table.address(1, column).rstrip("0123456789")
        changed = patched(old, letters, header_row(path), lines, heading)
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
            for member in old.infolist():
                new.writestr(member, changed.get(member.filename) or old.read(member))


OWN = frozenset(key(heading) for heading in HEADINGS.values())


def header_row(path: Path) -> int:
    """The row of the header: the first that is not empty."""
    from python_calamine import load_workbook

    with path.open("rb") as file:
        book = load_workbook(file)
        sheet = book.get_sheet_by_name(book.sheet_names[0])
        return next((n for n, row in enumerate(sheet.iter_rows(), 1) if any(str(cell).strip() for cell in row)), 1)


def _new_workbook(path: Path, out: Path, lines: Lines, heading: str, kind: str) -> None:
    table = open_excel(path, FileTerms(), kind)
    keep = [i for i, cell in enumerate(table.header) if key(cell) not in OWN]
    book = xlsxwriter.Workbook(str(out), {"constant_memory": True})
    page = book.add_worksheet()
    bold, red = book.add_format({"bold": True}), book.add_format({"font_color": "#b42318", "text_wrap": True})
    for column, cell in enumerate([*(table.header[i] for i in keep), heading]):
        page.write_string(0, column, cell, bold)
    at = 1
    for chunk in table.chunks:
        for number, row in zip(chunk.numbers, chunk.rows, strict=True):
            for column, i in enumerate(keep):
                page.write_string(at, column, row[i])
            if number in lines:
                page.write_string(at, len(keep), lines[number], red)
            at += 1
    book.close()


def _text(path: Path, out: Path, lines: Lines, heading: str, wanted: set[str]) -> None:
    """CSV in its own encoding and delimiter. GBK is written as GB18030, which holds every character."""
    encoding, _ = find_encoding(path, None)
    with path.open(encoding=encoding, newline="") as old, out.open("w", encoding=encoding, newline="") as new:
        first = old.readline(LARGEST_CELL)
        delimiter = find_delimiter(first, wanted)
        old.seek(0)
        writer = csv.writer(new, delimiter=delimiter, lineterminator="\r\n")
        csv.field_size_limit(LARGEST_CELL)
        own: int | None = None
        width = 0
        for number, row in _records(csv.reader(old, delimiter=delimiter)):
            if number == 1:
                own = next((i for i, cell in enumerate(row) if key(cell) in OWN), None)
                width = len(row)
            said = heading if number == 1 else lines.get(number, "")
            if own is not None and own < len(row):
                row[own] = said
            elif row:
                row = [*row, *([""] * (width - len(row) - (own is not None))), said]
            writer.writerow(row)


def _records(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    try:
        yield from enumerate(reader, 1)
    except csv.Error:
        return
