"""A bulletin as files: Excel with every numerator and denominator, Word that can be edited, PDF as it is printed, JSON."""

from __future__ import annotations

import io
import json
from datetime import date, datetime
from typing import Any

import xlsxwriter
from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Cm, Pt
from flask import render_template
from flask_babel import get_locale
from flask_babel import gettext as _

from webapp import bulletin_words as words
from webapp import charts
from webapp.bulletin_tables import Change, Percent, Table, tables, text
from webapp.bulletin_words import Json
from webapp.exports import XLSX
from webapp.i18n import word

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
TEXT_FONT, HEAD_FONT = "仿宋", "黑体"  # what a bureau's computers have; the PDF embeds free substitutes
_TEXT_CELLS = {"repeated": 4, "supervised": 4, "overdue": 4, "definitions": 4, "areas": 2, "units": 2}


def write(kind: str, body: Json, issue: Json | None, publisher: str) -> tuple[bytes, str]:
    """The file's content and its media type. `issue` is None for a bulletin that was not published."""
    if kind == "json":
        document = {"issue": issue, "bulletin": body}
        return json.dumps(document, ensure_ascii=False, indent=1).encode(), "application/json"
    writer, mimetype = {"xlsx": (_xlsx, XLSX), "docx": (_docx, DOCX), "pdf": (_pdf, "application/pdf")}[kind]
    return writer(body, issue, publisher), mimetype


def file_name(body: Json, issue: Json | None, kind: str) -> str:
    """A name that sorts by period, in plain letters."""
    told = body["period"]
    number = f"_{issue['year']}-{issue['number']:03}" if issue else ""
    return f"bulletin_{told['kind']}_{told['first']}_{told['last']}{number}.{kind}"


# --- Excel ---------------------------------------------------------------------------------------------------------------
def _xlsx(body: Json, issue: Json | None, publisher: str) -> bytes:
    """A sheet for each table, and one that says what it is. Text is written as text, so `=cmd` stays a word."""
    kept = io.BytesIO()
    book = xlsxwriter.Workbook(kept, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    styles = {
        "bold": book.add_format({"bold": True, "text_wrap": True, "valign": "top"}),
        "percent": book.add_format({"num_format": '0.00" %"'}), "change": book.add_format({"num_format": "+0.00;-0.00;0.00"}),
        "count": book.add_format({"num_format": "#,##0"}),
    }  # fmt: skip
    about = book.add_worksheet(_("About"))
    for row, line in enumerate(_about(body, issue, publisher)):
        about.write_string(row, 0, line, styles["bold"] if row == 0 else None)
    about.set_column(0, 0, 110)
    names: set[str] = set()
    for table in tables(body, full=True):
        name = _sheet_name(table.title, names)
        _sheet(book.add_worksheet(name), table, styles)
    book.close()
    return kept.getvalue()


def _sheet_name(title: str, taken: set[str]) -> str:
    """At most 31 characters, none of those that Excel refuses, and not twice."""
    plain = "".join("：" if c in "[]:*?/\\" else c for c in title)[:31].strip("'") or "—"
    name, n = plain, 1
    while name.lower() in taken:
        n += 1
        name = f"{plain[:27]} ({n})"
    taken.add(name.lower())
    return name


def _sheet(sheet: Any, table: Table, styles: dict[str, Any]) -> None:
    for column, title in enumerate(table.heading):
        sheet.write_string(0, column, title, styles["bold"])
        sheet.set_column(column, column, 26 if column == 0 else 15)
    for n, row in enumerate(table.rows, 1):
        for column, cell in enumerate(row):
            _cell(sheet, n, column, cell, styles)
    if table.note:
        sheet.write_string(len(table.rows) + 2, 0, table.note)
    sheet.freeze_panes(1, 1)


def _cell(sheet: Any, row: int, column: int, cell: Any, styles: dict[str, Any]) -> None:
    if isinstance(cell, Percent | Change):
        style = styles["percent" if isinstance(cell, Percent) else "change"]
        if cell.value is None:
            sheet.write_string(row, column, _("no data"))
        else:
            sheet.write_number(row, column, cell.value, style)
    elif isinstance(cell, int | float):
        sheet.write_number(row, column, cell, styles["count"])
    elif cell is not None:
        sheet.write_string(row, column, str(cell))


def _about(body: Json, issue: Json | None, publisher: str) -> list[str]:
    """Title, number, period and what it is compared with."""
    lines = [words.title(body), words.issue_no(issue), publisher, words.period(body), words.compared(body)]
    if issue and issue["corrects"]:
        lines.append(_("Corrects issue %(no)s: %(reason)s", no=issue["corrects"], reason=issue["reason"]))
    if body["subject"].get("synthetic"):
        lines.append(_("Synthetic demo data"))
    return [line for line in lines if line]


# --- Word ------------------------------------------------------------------------------------------------------------------
def _docx(body: Json, issue: Json | None, publisher: str) -> bytes:
    """A4 as a bureau prints it: heading, number, tables, body and date at the end. Everything in it can be edited."""
    document = Document()
    page = document.sections[0]
    page.page_width, page.page_height = Cm(21), Cm(29.7)
    page.left_margin = page.right_margin = Cm(2.2)
    page.top_margin = page.bottom_margin = Cm(2.2)
    set_font(document.styles["Normal"], TEXT_FONT, 12)
    document.core_properties.title = words.title(body)
    document.core_properties.author = publisher
    head, *lines = _about(body, issue, publisher)
    add_line(document, head, HEAD_FONT, 20, WD_ALIGN_PARAGRAPH.CENTER)
    for line in lines:
        add_line(document, line, TEXT_FONT, 12, WD_ALIGN_PARAGRAPH.CENTER)
    for line in summary(body):
        add_line(document, line, TEXT_FONT, 14)
    for table in tables(body, full=False):
        add_line(document, table.title, HEAD_FONT, 14)
        _table(document, table)
        if table.note:
            add_line(document, table.note, TEXT_FONT, 10)
    add_line(document, publisher, TEXT_FONT, 14, WD_ALIGN_PARAGRAPH.RIGHT)
    add_line(document, printed_on(body, issue), TEXT_FONT, 14, WD_ALIGN_PARAGRAPH.RIGHT)
    kept = io.BytesIO()
    document.save(kept)
    return kept.getvalue()


def set_font(styled: Any, name: str, size: int) -> None:
    """A style's font, for Chinese text too."""
    styled.font.name, styled.font.size = name, Pt(size)
    styled.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), name)


def add_line(document: Any, line: str, font: str, size: int, align: Any = None) -> None:
    """One paragraph."""
    paragraph = document.add_paragraph()
    paragraph.alignment = align
    paragraph.paragraph_format.space_after = Pt(4)
    run = paragraph.add_run(line)
    run.font.name, run.font.size = font, Pt(size)
    run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), font)


def _table(document: Any, table: Table) -> None:
    made = document.add_table(rows=1, cols=len(table.heading))
    made.style = "Table Grid"
    fill_row(made.rows[0], table.heading, HEAD_FONT, 0)
    for row in table.rows:
        fill_row(made.add_row(), [text(cell) for cell in row], TEXT_FONT, _TEXT_CELLS.get(table.key, 1))


def fill_row(row: Any, cells: list[str], font: str, left: int) -> None:
    """One row of a Word table; columns after the first `left` ones are numbers and stand at the right."""
    for n, (target, said) in enumerate(zip(row.cells, cells, strict=True)):
        paragraph = target.paragraphs[0]
        if left and n >= left:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        run = paragraph.add_run(said)
        run.font.name, run.font.size = font, Pt(9)
        run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), font)


# --- the same for every file ------------------------------------------------------------------------------------------------
def summary(body: Json) -> list[str]:
    """What a reader who reads only one paragraph should know, with every denominator."""
    counts = {row["key"]: row["count"] for row in body["figures"]}
    rates = {row["key"]: row for row in body["rates"]}

    def said(key: str) -> str:
        row = rates[key]
        return f"{words.percent(row['percent'])} ({row['numerator']:,}/{row['denominator']:,})"

    lines = [
        _("%(accepted)s complaints were received, %(filed)s of them filed; %(due)s were due and %(closed)s of these closed.",
          accepted=words.number(counts["accepted"]), filed=words.number(counts["filed"]), due=words.number(counts["due"]),
          closed=words.number(counts["closed"])),
        _("Closing rate %(closing)s, on time %(on_time)s; satisfied with the handling %(process)s, with the result %(result)s.",
          closing=said("closing"), on_time=said("on_time"), process=said("process_satisfaction"),
          result=said("result_satisfaction")),
    ]  # fmt: skip
    if body["per_100_households"]["value"] is not None:
        lines.append(_("%(day)s a day; %(homes)s for each 100 households.", day=words.number(body["per_day"]["value"]),
                       homes=words.number(body["per_100_households"]["value"])))  # fmt: skip
    if body["overdue"]["count"]:
        lines.append(_("%(n)s complaints are open after their time limit.", n=words.number(body["overdue"]["count"])))
    return [str(line) for line in lines]


def printed_on(body: Json, issue: Json | None) -> str:
    """The date at the end: when it was published, or as of when it was counted."""
    moment = words.local(issue["published_at"]) if issue else body["period"]["as_of"]
    day = date.fromisoformat(moment[:10])
    return f"{day.year}年{day.month}月{day.day}日" if str(get_locale()).startswith("zh") else day.isoformat()


def _pdf(body: Json, issue: Json | None, publisher: str) -> bytes:
    """As it is printed. Nothing is fetched from anywhere while it is made."""
    from weasyprint import HTML

    page = render_template("bulletins/print.html", **paper(body, issue, publisher))
    return bytes(HTML(string=page, url_fetcher=_nothing).write_pdf())


def _nothing(url: str, *_: Any, **__: Any) -> Any:
    raise ValueError(f"nothing is fetched: {url}")


def paper(body: Json, issue: Json | None, publisher: str) -> Json:
    """What the printed page is filled with."""
    return {
        "body": body, "about": _about(body, issue, publisher), "summary": summary(body), "tables": tables(body, full=False),
        "cell": text, "publisher": publisher, "printed_on": printed_on(body, issue), "chart": trend_chart(body),
        "text_cells": _TEXT_CELLS, "made_at": datetime.fromisoformat(body["period"]["as_of"]),
    }  # fmt: skip


def trend_chart(body: Json) -> Any:
    """What came and went, day by day."""
    days = body["trend"]
    title = (
        _("Received and closed on each day, %(first)s – %(last)s", first=days[0]["day"], last=days[-1]["day"])
        if days
        else ""
    )
    return charts.trend(days, word("measure", "accepted"), word("measure", "closed"), title)
