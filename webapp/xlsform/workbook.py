"""A workbook from outside, read with care: how large it is, what it declares, and its sheets as rows of text.

An .xlsx is read by calamine (nothing in it is ever expanded, and a large sheet costs milliseconds) into exactly what pyxform's
own reader gives; a test holds the two together on every sample. An .xls is read by pyxform itself.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import fields
from datetime import date, datetime, time, timedelta
from typing import Any

from python_calamine import CalamineWorkbook
from pyxform.errors import PyXFormError
from pyxform.xls2json_backends import DefinitionData, get_excel_column_headers, get_xlsform, trim_trailing_empty

from gis.errors import ChengmaiError
from webapp.imports.excel_reader import column_index
from webapp.xlsform.faults import MOST_BYTES, Fault, FormRefused, FormTooLarge, NotAWorkbook, of_pyxform

MOST_UNPACKED, MOST_PARTS = 60 << 20, 500
MOST_ROWS: dict[str, int] = {
    "survey": 2000, "choices": 20_000, "settings": 100, "external_choices": 20_000, "entities": 100, "osm": 1000,
}  # fmt: skip
MOST_CELLS = 4_000_000
MOST_EMPTY_ROWS = 60  # as pyxform: after so many there is nothing more
LONGEST_CELL = 8000
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def read(data: bytes) -> dict[str, Any]:
    """The sheets that an XLSForm may have, as pyxform takes them. Raises NotAWorkbook, FormTooLarge, FormRefused."""
    if len(data) > MOST_BYTES:
        raise FormTooLarge(limit=f"{MOST_BYTES >> 20} MB")
    if not data.startswith((_ZIP, _OLE)):
        raise NotAWorkbook()
    try:
        book = _xlsx(data) if data.startswith(_ZIP) else _xls(data)
    except ChengmaiError:
        raise
    except PyXFormError as error:
        raise FormRefused([of_pyxform(str(error))]) from error
    except BaseException as error:  # whatever a broken file makes its reader say; calamine's panics are no Exception
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        raise NotAWorkbook() from error
    _bounded(book)
    return book


def _xls(data: bytes) -> dict[str, Any]:
    found = get_xlsform(io.BytesIO(data), file_type=".xls")
    return {one.name: getattr(found, one.name) for one in fields(DefinitionData)}


def _xlsx(data: bytes) -> dict[str, Any]:
    _weigh(data)
    return _sheets(CalamineWorkbook.from_filelike(io.BytesIO(data)))


def _weigh(data: bytes) -> None:
    """Unpack everything once and keep nothing: what an archive says of its own size is not believed."""
    total = 0
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if len(parts) > MOST_PARTS:
                raise FormTooLarge(limit=f"{MOST_PARTS} parts")
            for part in parts:
                with archive.open(part) as file:
                    begins = file.read(1 << 20)
                    total += len(begins)
                    if part.filename.startswith("xl/worksheets/"):
                        _span(begins)
                    if part.filename.lower().endswith((".xml", ".rels")) and _declares(begins):
                        raise FormRefused([Fault("bad_xml", what=part.filename[:80])])
                    while block := file.read(1 << 20):
                        total += len(block)
                        if part.filename.startswith("xl/worksheets/"):
                            _span(begins[-40:] + block)
                            begins = block
                        if total > MOST_UNPACKED:
                            raise FormTooLarge(limit=f"{MOST_UNPACKED >> 20} MB unpacked")
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError, OSError) as error:
        raise NotAWorkbook() from error


_ADDRESS = re.compile(rb"""\br=["']([A-Z]{1,3})(\d{1,7})["']""")


def _span(xml: bytes) -> None:
    """The farthest cell as rows times columns: two cells at opposite corners would make a table of thousands of millions."""
    rows = columns = 0
    for letters, digits in _ADDRESS.findall(xml):
        rows, columns = max(rows, int(digits)), max(columns, column_index(letters))
    if rows * columns > MOST_CELLS:
        raise FormTooLarge(limit=f"{MOST_CELLS:,} cells")


def _declares(begins: bytes) -> bool:
    """A document type comes before the first element; no office writes one, and none writes UTF-16."""
    return b"<!DOCTYPE" in begins.upper() or begins[:2] in (b"\xff\xfe", b"\xfe\xff") or b"<\0!\0" in begins


def _sheets(workbook: CalamineWorkbook) -> dict[str, Any]:
    names = workbook.sheet_names
    book: dict[str, Any] = {"sheet_names": list(names)}
    for name in names:
        plain = name.lower() if name.lower() in MOST_ROWS else "survey" if len(names) == 1 else ""
        if plain:
            rows = iter(workbook.get_sheet_by_name(name).iter_rows())
            headings = get_excel_column_headers([_cell(value) or None for value in next(rows, [])])
            book[plain] = _rows(headings, rows)
            there = [str(h) for h in headings if h is not None]
            book[f"{plain}_header"] = [dict.fromkeys(there)] if there else []
    return book


def _rows(headings: list[str | None], rows: Iterator[list[Any]]) -> list[dict[str, str]]:
    made: list[dict[str, str]] = []
    empty = 0
    for cells in rows:
        row = {h: said for h, cell in zip(headings, cells, strict=False) if h is not None and (said := _cell(cell))}
        if not row and empty == MOST_EMPTY_ROWS:
            break
        empty = 0 if row else empty + 1
        made.append(row)
    return trim_trailing_empty(made, empty)


def _cell(value: Any) -> str:
    """A cell as pyxform writes it: whole numbers without a point, dates as Excel shows them in ISO."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, datetime):
        return str(value)
    if isinstance(value, date):
        return f"{value.isoformat()} 00:00:00"
    if isinstance(value, timedelta):
        minutes, seconds = divmod(int(value.total_seconds()) % 86400, 60)
        return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
    return str(value).strip().replace("\xa0", " ") if isinstance(value, str | int | time) else ""


def _bounded(book: dict[str, Any]) -> None:
    faults = []
    for sheet, most in MOST_ROWS.items():
        rows = book.get(sheet) or ()
        if len(rows) > most:
            faults.append(Fault("too_many", sheet, most + 2, "", str(most)))
        for n, row in enumerate(rows, 2):
            faults += [Fault("too_long", sheet, n, column, str(LONGEST_CELL)) for column, cell in row.items()
                       if len(cell) > LONGEST_CELL]  # fmt: skip
    if faults:
        raise FormRefused(faults[:50])


def row_of(book: dict[str, Any], name: str, after: int = 0) -> int | None:
    """Excel's number of the row in which a question of this name stands, at or after a row."""
    rows = book.get("survey") or ()
    for n, row in enumerate(rows, 2):
        if n >= after and any(str(k).strip().lower() in ("name", "value", "tag") and v == name for k, v in row.items()):
            return n
    return None


def column_of(book: dict[str, Any], row: int | None, text: str, otherwise: str) -> str:
    """The heading under which a text stands in a row of the survey sheet."""
    rows = book.get("survey") or ()
    if row is not None and row - 2 < len(rows):
        for heading, cell in rows[row - 2].items():
            if str(cell).strip() == text.strip():
                return str(heading)
    return otherwise
