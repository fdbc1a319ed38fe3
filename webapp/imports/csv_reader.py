"""CSV: the encoding is declared or proved, the delimiter is the one under which the header fits."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from pathlib import Path

from gis.errors import ChengmaiError
from webapp.imports.errors import BadEncoding, BrokenQuotes, EmptyFile, FileUnreadable
from webapp.imports.mapping import FileTerms
from webapp.imports.tables import Table, chunked
from webapp.imports.text import key

BLOCK = 1 << 20
LARGEST_CELL = 16 << 20
DELIMITERS = (",", "\t", ";", "|", "，")
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def open_csv(path: Path, terms: FileTerms, wanted: set[str]) -> Table:
    """A table on a CSV file. Raises BadEncoding, EmptyFile, FileUnreadable."""
    encoding, has_nul = find_encoding(path, terms.encoding)
    lines = path.open(encoding=encoding, newline="")
    try:
        return _table(lines, path.stat().st_size, terms, wanted, has_nul)
    except ChengmaiError:
        lines.close()
        raise


def _table(lines: io.TextIOWrapper, size: int, terms: FileTerms, wanted: set[str], has_nul: bool) -> Table:
    csv.field_size_limit(LARGEST_CELL)
    for _ in range(terms.header_row - 1):
        lines.readline(LARGEST_CELL)
    start = lines.readline(LARGEST_CELL)
    if not start.strip():
        raise EmptyFile()
    if has_nul and "\0" in start:
        raise FileUnreadable(kind="CSV", reason="NUL in the header")
    delimiter = terms.delimiter or find_delimiter(start, wanted)
    reader = csv.reader(_lines(start, lines, terms.header_row), delimiter=delimiter, strict=True)
    header = _first(reader)
    return Table(
        kind="csv", header=header, chunks=chunked(_numbered(reader, terms.header_row), len(header)),
        address=lambda row, column: header[column].strip() or f"#{column + 1}",
        done=lambda: lines.buffer.tell() / size, close=lines.close, has_nul=has_nul,
    )  # fmt: skip


def find_encoding(path: Path, declared: str | None) -> tuple[str, bool]:
    """The encoding that the whole file is valid in: the declared one, its byte order mark's, UTF-8, or GB18030.

    Also tells whether the text holds a NUL anywhere. GBK and GB2312 are parts of GB18030.
    """
    with path.open("rb") as file:
        start = file.read(4)
    by_mark = next((name for mark, name in _BOMS if start.startswith(mark)), None)
    if declared:
        name = "gb18030" if key(declared) in ("gbk", "gb2312", "cp936") else declared
        if by_mark == "utf-8-sig" and key(declared) in ("utf8", "utf-8"):
            name = by_mark
        return name, _prove(path, name)
    if by_mark:
        return by_mark, _prove(path, by_mark)
    try:
        return "utf-8", _prove(path, "utf-8")
    except BadEncoding as not_utf8:
        try:
            return "gb18030", _prove(path, "gb18030")
        except BadEncoding:
            raise not_utf8 from None


def _prove(path: Path, encoding: str) -> bool:
    """Decode every byte strictly; True where a NUL is in the text."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    has_nul, position = False, 0
    with path.open("rb") as file:
        while True:
            block = file.read(BLOCK)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                raise BadEncoding(encoding=encoding.removesuffix("-sig").upper(), byte=position + error.start) from None
            has_nul = has_nul or "\0" in text
            if not block:
                return has_nul
            position += len(block)


def find_delimiter(header: str, wanted: set[str]) -> str:
    """The delimiter that gives the most of the wanted words, then the most columns."""

    def fit(delimiter: str) -> tuple[int, int]:
        cells = next(csv.reader([header], delimiter=delimiter), [])
        return len({key(cell) for cell in cells} & wanted), len(cells)

    return max(DELIMITERS, key=fit)


def _lines(first: str, file: io.TextIOWrapper, number: int) -> Iterator[str]:
    """The lines of a file, none of them larger than memory allows."""
    line = first
    while line:
        if len(line) >= LARGEST_CELL:
            raise BrokenQuotes(row=number)
        yield line
        number += 1
        line = file.readline(LARGEST_CELL)


def _first(reader: Iterator[list[str]]) -> list[str]:
    try:
        return next(reader)
    except (csv.Error, StopIteration, BrokenQuotes):
        raise FileUnreadable(kind="CSV", reason="the header cannot be read") from None


def _numbered(reader: Iterator[list[str]], header_row: int) -> Iterator[tuple[int, list[str]]]:
    number = header_row
    try:
        for row in reader:
            number += 1
            yield number, row
    except csv.Error:
        raise BrokenQuotes(row=number + 1) from None
