"""Tables to take away: CSV for any program, Excel for the office. No caller in them, and no cell that runs as a formula."""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import IO, Any

import xlsxwriter
from flask import Response

from gis.errors import TooLarge

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
XLSX_ROWS = 1_048_575  # a sheet's, less the heading
XLSX_CELL = 32_767
IN_MEMORY = 8 << 20
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
Cell = str | float | int | datetime | None


def plain(cell: Cell) -> str:
    """A cell of a CSV file: text that a spreadsheet would run as a formula gets an apostrophe before it."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(_FORMULA) else cell
    return str(cell)


def csv_lines(heading: list[str], rows: Iterable[list[Cell]], encoding: str = "utf-8-sig") -> Iterator[bytes]:
    """A few hundred lines at a time; UTF-8 has a byte order mark, so that Excel reads Chinese."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    if encoding == "utf-8-sig":
        out.write("\ufeff")
        encoding = "utf-8"
    writer.writerow(heading)
    for n, row in enumerate(rows, 1):
        writer.writerow([plain(cell) for cell in row])
        if n % 500 == 0:
            yield out.getvalue().encode(encoding)
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode(encoding)


def csv_answer(name: str, heading: list[str], rows: Iterable[list[Cell]], encoding: str = "utf-8-sig") -> Response:
    """The CSV file as it is made: memory does not grow with its length."""
    kind = f"text/csv; charset={encoding.removesuffix('-sig')}"
    answer = Response(csv_lines(heading, rows, encoding), content_type=kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


def xlsx_answer(name: str, sheet: str, heading: list[str], rows: Iterable[list[Cell]], count: int) -> Response:
    """The workbook, written row by row, to a temporary file when it is large. Text is always written as text. Raises TooLarge."""
    if count > XLSX_ROWS:
        raise TooLarge(limit=f"{XLSX_ROWS:,}")
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as made:
        _fill(made, sheet, heading, rows)
        made.seek(0)
        body: bytes | Iterator[bytes] = made.read(IN_MEMORY)
        if made.read(1):  # too large to hold: the file stays open for as long as it is sent
            kept = os.fdopen(os.dup(made.fileno()), "rb")
            body = chunks(kept)
    answer = Response(body, mimetype=XLSX)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.xlsx"'
    return answer


def chunks(made: IO[bytes]) -> Iterator[bytes]:
    """An open file from its beginning, closed at its end."""
    with made:
        made.seek(0)
        while part := made.read(1 << 16):
            yield part


def _fill(made: IO[bytes], sheet: str, heading: list[str], rows: Iterable[list[Cell]]) -> None:
    book = xlsxwriter.Workbook(made, {"constant_memory": True, "default_date_format": "yyyy-mm-dd hh:mm:ss"})
    page = book.add_worksheet(sheet[:31])
    bold = book.add_format({"bold": True})
    for column, title in enumerate(heading):
        page.write_string(0, column, title, bold)
        page.set_column(column, column, 18)
    page.freeze_panes(1, 0)
    for n, row in enumerate(rows, 1):
        for column, cell in enumerate(row):
            _write(page, n, column, cell)
    book.close()


def _write(page: Any, row: int, column: int, cell: Cell) -> None:
    if isinstance(cell, str):
        page.write_string(row, column, cell[:XLSX_CELL])
    elif isinstance(cell, datetime):
        page.write_datetime(row, column, cell.replace(tzinfo=None))
    elif cell is not None:
        page.write_number(row, column, cell)
