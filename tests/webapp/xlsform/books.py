"""Workbooks for tests, written cell by cell."""

from __future__ import annotations

import io

import xlsxwriter


def workbook_of(survey, choices=(), settings=({"form_id": "made", "form_title": "试"},)):
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    for name, rows in (("survey", survey), ("choices", choices), ("settings", settings)):
        sheet = book.add_worksheet(name)
        columns = list(dict.fromkeys(c for row in rows for c in row))
        for x, column in enumerate(columns):
            sheet.write_string(0, x, column)
            for y, row in enumerate(rows, 1):
                sheet.write_string(y, x, row.get(column, ""))
    book.close()
    return out.getvalue()
