"""Opinions as Excel: an empty sheet to fill in, what came back, and everything that was gathered."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response
from flask_babel import get_locale
from flask_babel import gettext as _
from python_calamine import CalamineError, load_workbook
from werkzeug.datastructures import FileStorage

from gis.errors import BadInput, TooLarge
from gis.oversight.rules import TEXT_LIMITS
from webapp.exports import Cell, xlsx_answer
from webapp.filters import zone
from webapp.i18n import word

HEADINGS = ("Opinion", "Category", "Persons")
MOST_ROWS = 2_000
MOST_MB = 5


class NotASheet(BadInput):
    """This is not an Excel file that can be read, or its headings are not those of the empty sheet."""

    code = "not_a_sheet"


@dataclass(frozen=True)
class Line:
    """One opinion of a sheet; `people` said so."""

    text: str
    category: str
    people: int


@dataclass(frozen=True)
class Wrong:
    """A cell that cannot be taken in, and why."""

    cell: str
    why: str


def template(categories: Sequence[Any]) -> Response:
    """The empty sheet, with one line per category below as an example of how each is called."""
    rows: list[list[Cell]] = [["", _name(c), 1] for c in categories]
    return xlsx_answer("opinions", _("Opinions"), [_(h) for h in HEADINGS], rows, len(rows))


def _name(category: Any) -> str:
    return str(category.name_en if str(get_locale()) == "en" else category.name)


def read(given: FileStorage | None, categories: Sequence[Any]) -> tuple[list[Line], list[Wrong]]:
    """The opinions of a sheet, and the cells that are wrong. Lines without an opinion are the unused ones of the empty sheet.

    Raises NotASheet, TooLarge.
    """
    if given is None or not given.filename:
        raise NotASheet()
    data = given.stream.read((MOST_MB << 20) + 1)
    if len(data) > MOST_MB << 20:
        raise TooLarge(limit=f"{MOST_MB} MB")
    rows = _rows(data)
    codes = {name: c.code for c in categories for name in (c.code, c.name, c.name_en)}
    lines, wrong = [], []
    for n, row in enumerate(rows, 2):
        text, category, people = (*(str(cell).strip() for cell in row[:3]), "", "", "")[:3]
        if not text:
            continue
        problems = list(_problems(n, text, category, people, codes))
        wrong += problems
        if not problems:
            lines.append(Line(text, codes[category], int(float(people or 1))))
    if len(lines) > MOST_ROWS:
        raise TooLarge(limit=f"{MOST_ROWS:,}")
    return lines, wrong


def _rows(data: bytes) -> list[list[Any]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > 20 * MOST_MB << 20:
                raise TooLarge(limit=f"{20 * MOST_MB} MB")
        sheet = load_workbook(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    except (zipfile.BadZipFile, CalamineError) as error:
        raise NotASheet() from error
    known = set(HEADINGS) | {str(_(h)) for h in HEADINGS}
    if not sheet or len(sheet[0]) < 2 or not {str(c).strip() for c in sheet[0][:2]} <= known:
        raise NotASheet()
    return sheet[1:]


def _problems(n: int, text: str, category: str, people: str, codes: Mapping[str, str]) -> list[Wrong]:
    found = []
    if len(text) > TEXT_LIMITS["text"]:
        found.append(Wrong(f"A{n}", _("too long")))
    if category not in codes:
        found.append(Wrong(f"B{n}", _("no such category: %(name)s", name=category[:40])))
    try:
        number = float(people or 1)
    except ValueError:
        number = 0.0
    if not (number.is_integer() and 1 <= number <= 100_000):
        found.append(Wrong(f"C{n}", _("not a number of people")))
    return found


def export(rows: Sequence[Mapping[str, Any]]) -> Response:
    """Every opinion with where it was said and what it became; nothing of who said it."""
    english = str(get_locale()) == "en"
    heading = [_("Written down"), _("Place"), _("Opinion"), _("Category"), _("Persons"), _("Answer"), _("Complaint"),
               _("Where it stands"), _("Promise"), _("Promised until")]  # fmt: skip
    lines: list[list[Cell]] = [
        [row["raised_at"].astimezone(zone()), row["visit_place"], row["text"],
         row["category_en"] if english else row["category_zh"], row["people"], row["answer"], row["hotline_no"],
         word("status", row["complaint_status"]) if row["complaint_status"] else None, row["promise_text"],
         row["due_on"].isoformat() if row["due_on"] else None]
        for row in rows
    ]  # fmt: skip
    return xlsx_answer("opinions", _("Opinions"), heading, lines, len(lines))
