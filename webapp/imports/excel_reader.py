"""Excel workbooks (.xlsx, .xls) by calamine, after a look at what they would unpack to.

A workbook is a compressed archive: 300 KB can hold 300 MB, and two cells at opposite corners of a sheet make a table of
seventeen thousand million. Both are measured before the workbook is parsed, by unpacking with a limit and reading the
addresses of the cells, because sizes that an archive states about itself can be wrong.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineSheet, PasswordError, load_workbook

from webapp.imports.errors import (
    ArchiveTooLarge,
    EmptyFile,
    FileUnreadable,
    NoSuchSheet,
    SheetTooLarge,
    WorkbookLocked,
)
from webapp.imports.mapping import FileTerms
from webapp.imports.tables import Table, chunked

LARGEST_UNPACKED_MB = 256
LARGEST_RATIO = 200
RATIO_FROM_MB = 16
MOST_MEMBERS = 10_000
MOST_CELLS = 20_000_000
_BLOCK = 1 << 20
_CELL = re.compile(rb"""\br=["']([A-Z]{1,3})(\d{1,7})["']""")


def open_excel(path: Path, terms: FileTerms, kind: str) -> Table:
    """A table on one sheet. Raises FileUnreadable, ArchiveTooLarge, SheetTooLarge, WorkbookLocked, NoSuchSheet, EmptyFile."""
    if kind == "xlsx":
        measure(path)
    sheet = _sheet(path, terms.sheet)
    if sheet.start is None or sheet.end is None:
        raise EmptyFile()
    left = sheet.start[1]
    rows = _numbered(sheet)
    header: list[str] = []
    at = 0
    for at, header in rows:
        if at >= terms.header_row and any(header):
            break
    else:
        raise EmptyFile()
    while header and not header[-1].strip():
        header.pop()
    last, seen = sheet.end[0] + 1, [at]
    return Table(
        kind="excel", header=header, chunks=chunked(_counted(rows, seen), len(header)),
        address=lambda row, column: f"{column_name(left + column)}{row}",
        done=lambda: seen[0] / last, has_nul=True,
    )  # fmt: skip


def _counted(rows: Iterator[tuple[int, list[str]]], seen: list[int]) -> Iterator[tuple[int, list[str]]]:
    for number, row in rows:
        seen[0] = number
        yield number, row


def _numbered(sheet: CalamineSheet) -> Iterator[tuple[int, list[str]]]:
    for number, row in enumerate(sheet.iter_rows(), 1):
        yield number, [cell if type(cell) is str else as_text(cell) for cell in row]


def _sheet(path: Path, name: str | None) -> CalamineSheet:
    with path.open("rb") as file:
        book = _parsed(lambda: load_workbook(file))
    if name is not None and name not in book.sheet_names:
        raise NoSuchSheet(name=name, found=", ".join(book.sheet_names))
    if not book.sheet_names:
        raise EmptyFile()
    return _parsed(lambda: book.get_sheet_by_name(name or book.sheet_names[0]))


def _parsed(step: Any) -> Any:
    try:
        return step()
    except PasswordError:
        raise WorkbookLocked() from None
    except (CalamineError, OSError, ValueError) as error:
        raise FileUnreadable(kind="Excel", reason=type(error).__name__) from None
    except BaseException as error:
        # The parser is written in Rust: what it did not expect arrives as a PanicException, which is not an Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise FileUnreadable(kind="Excel", reason="damaged workbook") from None


def as_text(cell: Any) -> str:
    """A cell as the text a person sees: whole numbers without a point, moments as ISO."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return str(cell)


def column_name(index: int) -> str:
    """0 is A, 25 Z, 26 AA."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(65 + rest) + name
    return name


def measure(path: Path) -> None:
    """Unpack every part with a limit and look at the addresses of the sheets' cells. Keeps nothing in memory."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            names = {m.filename.lstrip("/") for m in members}
            if "xl/workbook.xml" not in names:
                raise FileUnreadable(kind="Excel", reason="no xlsx workbook inside")
            left = LARGEST_UNPACKED_MB * 1_048_576
            if len(members) > MOST_MEMBERS or sum(m.file_size for m in members) > left:
                raise ArchiveTooLarge(limit=f"{LARGEST_UNPACKED_MB} MB")
            for member in members:
                with archive.open(member) as part:
                    left -= _measure_part(part, member, left)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise FileUnreadable(kind="Excel", reason=f"damaged archive ({type(error).__name__})") from None


def _measure_part(part: Any, member: zipfile.ZipInfo, left: int) -> int:
    is_sheet = "worksheets/" in member.filename
    size, rows, columns, tail = 0, 0, 0, b""
    while block := part.read(_BLOCK):
        size += len(block)
        if size > left or (size > RATIO_FROM_MB * 1_048_576 and size > LARGEST_RATIO * max(member.compress_size, 1)):
            raise ArchiveTooLarge(limit=f"{LARGEST_UNPACKED_MB} MB")
        if is_sheet:
            for letters, number in _CELL.findall(tail + block):
                rows, columns = max(rows, int(number)), max(columns, column_index(letters))
            tail = block[-24:]
    if rows * columns > MOST_CELLS:
        raise SheetTooLarge(rows=rows, columns=columns, limit=MOST_CELLS)
    return size


def column_index(letters: bytes) -> int:
    """b"A" is 1, b"AA" 27."""
    index = 0
    for letter in letters:
        index = index * 26 + letter - 64
    return index
