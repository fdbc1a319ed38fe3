"""A file of rows, whatever it is: CSV or Excel by its own bytes, never by its name. Rows come in chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gis.errors import TooLarge
from webapp.imports.errors import BrokenQuotes, EmptyFile, FileUnreadable
from webapp.imports.mapping import FileTerms

CHUNK_ROWS = 20_000
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@dataclass
class Chunk:
    """Some rows: their numbers as a spreadsheet counts them (the header is row 1 where it stands first), and their cells."""

    numbers: list[int]
    rows: list[list[str]]
    broken: list[tuple[int, int]] = field(default_factory=list)  # (row, its number of cells): not as wide as the header


@dataclass
class Table:
    """An opened file. `chunks` can be asked once. `done` tells how much of the file was read, from 0 to 1."""

    kind: str
    header: list[str]
    chunks: Iterator[Chunk]
    address: Callable[[int, int], str]
    done: Callable[[], float]
    close: Callable[[], None] = lambda: None
    has_nul: bool = False


def open_table(path: Path, terms: FileTerms, wanted: set[str], max_mb: int) -> Table:
    """Look into the file and open it. `wanted` are the header words that help to tell the delimiter."""
    from webapp.imports import csv_reader, excel_reader

    check_file(path, max_mb)
    with path.open("rb") as file:
        head = file.read(8)
    if head.startswith(_ZIP) or head.startswith(_OLE):
        return excel_reader.open_excel(path, terms, "xls" if head.startswith(_OLE) else "xlsx")
    if path.suffix.lower() in (".xlsx", ".xls", ".xlsm"):
        raise FileUnreadable(kind="Excel", reason="no workbook inside")
    return csv_reader.open_csv(path, terms, wanted)


def check_file(path: Path, max_mb: int) -> None:
    """A plain file that is not empty and not over the limit."""
    if not path.is_file():
        raise FileUnreadable(kind="file", reason="not a plain file")
    size = path.stat().st_size
    if size == 0:
        raise EmptyFile()
    if size > max_mb * 1_048_576:
        raise TooLarge(limit=f"{max_mb} MB")


def chunked(rows: Iterator[tuple[int, list[str]]], width: int) -> Iterator[Chunk]:
    """Rows by chunks; where reading has to stop, what was read before comes first."""
    chunk = Chunk([], [])
    try:
        for number, row in rows:
            if len(row) == width and row[0]:
                chunk.numbers.append(number)
                chunk.rows.append(row)
            else:
                _add_odd(chunk, number, row, width)
            if len(chunk.rows) + len(chunk.broken) >= CHUNK_ROWS:
                yield chunk
                chunk = Chunk([], [])
    except BrokenQuotes:
        if chunk.rows or chunk.broken:
            yield chunk
        raise
    if chunk.rows or chunk.broken:
        yield chunk


def _add_odd(chunk: Chunk, number: int, row: list[str], width: int) -> None:
    """Step over an empty row, cut empty cells beyond the header (spreadsheets leave them behind), keep the rest apart."""
    if not any(cell.strip() for cell in row):
        return
    if len(row) > width and not any(row[width:]):
        row = row[:width]
    if len(row) != width:
        chunk.broken.append((number, len(row)))
        return
    chunk.numbers.append(number)
    chunk.rows.append(row)
