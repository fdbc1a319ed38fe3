"""The results of a quarter: unit by unit and contractor by contractor, as page, Excel and Word. Nothing here names a person."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

import xlsxwriter
from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Cm
from flask import Blueprint, Response, render_template
from flask_babel import gettext as _

from gis.inspections import consequence_queries as queries
from gis.inspections.results import Line, lines, quarter
from gis.people.queries import units
from webapp import bulletin_files as office
from webapp import filters
from webapp.access import db, needs, scope
from webapp.bulletin_files import DOCX
from webapp.exports import XLSX
from webapp.filters import today, zone

pages = Blueprint("results", __name__)


@dataclass(frozen=True)
class Results:
    """A quarter: what it is called, and its two tables."""

    year: int
    number: int
    title: str
    period: str
    weighed: int
    tables: tuple[tuple[str, list[Line]], ...]


def _results() -> Results:
    day = today()
    year = filters.number("year", day.year, 2000, 2100)
    number = filters.number("quarter", (day.month + 2) // 3, 1, 4)
    first, after = quarter(year, number)
    since, until = (datetime.combine(on, time(), zone()) for on in (first, after))
    answered, record = queries.answered(db(), since, until), queries.record(db(), since, until)
    weights = {key: row.weight for key, row in queries.weights(db()).items()}
    names = {unit.id: unit.name for unit in units(db())}
    own = scope().unit_id  # a unit reads its own line only
    made = [
        (title, [line for line in lines(whose, names, answered, record, weights) if own in (None, line.id)])
        for whose, title in (("unit_id", _("Units")), ("contractor_id", _("Contractors")))
    ]
    return Results(year, number, _("Inspection results, quarter %(n)s of %(year)s", n=number, year=year),
                   f"{first:%Y-%m-%d} – {after - timedelta(days=1):%Y-%m-%d}", len(weights), tuple(made))  # fmt: skip


def heading() -> list[str]:
    """The columns of the page and of both files."""
    return [_("Rank"), _("Body"), _("Inspections"), _("Score"), _("Answers weighed"), _("Breach rate"), _("Not kept"),
            _("Answers asked"), _("Serious"), _("Put right"), _("Closed"), _("Findings"), _("Failed re-inspections"),
            _("Late findings"), _("Works stopped")]  # fmt: skip


def cells(line: Line) -> list[Any]:
    """One row; a rate without a denominator is None: no data."""
    return [line.rank, line.name, line.inspections, line.score.percent, line.score.answers, line.breach.percent, line.breach.part,
            line.breach.whole, line.serious, line.rectified.percent, line.rectified.part, line.rectified.whole, line.failed,
            line.late, line.stops]  # fmt: skip


_PERCENT, _TEXT = frozenset({5, 9}), 1


def shown(column: int, value: Any) -> str:
    """A cell in words: what there is no data for says so."""
    if value is None:
        return {0: "—", 3: _("no score")}.get(column, _("no data"))
    return f"{value:.2f} %" if column in _PERCENT else f"{value:.2f}" if column == 3 else str(value)


@pages.get("/inspections/results")
@needs("see_inspections")
def index() -> str:
    """The ranking of a quarter, each rate with its own numerator and denominator."""
    found = _results()
    day = today()
    return render_template("consequences/results.html", found=found, heading=heading(), cells=cells, shown=shown,
                           years=range(day.year, day.year - 6, -1))  # fmt: skip


@pages.get("/inspections/results.<any(xlsx, docx):ending>")
@needs("see_inspections")
def file(ending: str) -> Response:
    """The same as a file."""
    found = _results()
    data, mime = (_xlsx(found), XLSX) if ending == "xlsx" else (_docx(found), DOCX)
    answer = Response(data, mimetype=mime)
    name = f"inspection-results-{found.year}-{found.number}.{ending}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _xlsx(found: Results) -> bytes:
    kept = io.BytesIO()
    book = xlsxwriter.Workbook(kept, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    percent, point = book.add_format({"num_format": '0.00" %"'}), book.add_format({"num_format": "0.00"})
    for title, rows in found.tables:
        sheet = book.add_worksheet(title[:31])
        sheet.write_string(0, 0, f"{found.title} · {title} · {found.period}", book.add_format({"bold": True}))
        for column, name in enumerate(heading()):
            sheet.write_string(2, column, name, bold)
            sheet.set_column(column, column, 28 if column == _TEXT else 11)
        for n, line in enumerate(rows, 3):
            for column, value in enumerate(cells(line)):
                if value is None or column == _TEXT:
                    sheet.write_string(n, column, shown(column, value))
                else:
                    sheet.write_number(
                        n, column, value, percent if column in _PERCENT else point if column == 3 else None
                    )
        sheet.write_string(len(rows) + 4, 0, _note(found))
        sheet.freeze_panes(3, 2)
    book.close()
    return kept.getvalue()


def _note(found: Results) -> str:
    weighed = (
        _("Weights are set for %(n)s items.", n=found.weighed)
        if found.weighed
        else _("No weight is set: there is no score.")
    )
    told = _(
        "A breach is an item that an inspection of the bureau answered “no”; answers “not applicable” are not asked."
    )
    return f"{weighed} {told}"


def _docx(found: Results) -> bytes:
    document = Document()
    page = document.sections[0]
    page.page_width, page.page_height = Cm(29.7), Cm(21)
    page.left_margin = page.right_margin = page.top_margin = page.bottom_margin = Cm(1.8)
    office.set_font(document.styles["Normal"], office.TEXT_FONT, 10)
    document.core_properties.title, document.core_properties.author = found.title, ""
    office.add_line(document, found.title, office.HEAD_FONT, 18, WD_ALIGN_PARAGRAPH.CENTER)
    office.add_line(document, found.period, office.TEXT_FONT, 11, WD_ALIGN_PARAGRAPH.CENTER)
    for title, rows in found.tables:
        office.add_line(document, title, office.HEAD_FONT, 13)
        if not rows:
            office.add_line(document, _("no data"), office.TEXT_FONT, 11)
            continue
        made = document.add_table(rows=1, cols=len(heading()))
        made.style = "Table Grid"
        office.fill_row(made.rows[0], heading(), office.HEAD_FONT, 0)
        for line in rows:
            office.fill_row(
                made.add_row(), [shown(n, value) for n, value in enumerate(cells(line))], office.TEXT_FONT, 2
            )
    office.add_line(document, _note(found), office.TEXT_FONT, 10)
    kept = io.BytesIO()
    document.save(kept)
    return kept.getvalue()
