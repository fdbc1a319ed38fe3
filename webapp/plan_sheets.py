"""A proposal as a workbook: the comparison, what has no place, and a sheet for each crew."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import xlsxwriter
from flask import Response
from flask_babel import gettext as _

from gis.dispatch.plan_model import DayPlan
from webapp.exports import XLSX, Cell
from webapp.i18n import word

METRICS = {"orders": "orders", "unserved": "not_placed", "way_s": "minutes_on_the_way", "way_m": "kilometres", "late": "late_orders",
           "late_s": "minutes_late", "overtime_s": "minutes_of_overtime"}  # fmt: skip


def metric(name: str, totals: Mapping[str, Any]) -> float:
    """One number of a comparison, in the unit that is shown: kilometres, minutes, or how many."""
    value = float(totals.get(name, 0))
    return round(value / 1000, 1) if name == "way_m" else round(value / 60) if name.endswith("_s") else value


def workbook(plan: DayPlan, shown: Mapping[str, Any], zone: ZoneInfo) -> Response:
    """The workbook as it is sent."""
    made = io.BytesIO()
    book = xlsxwriter.Workbook(made, {"in_memory": True, "default_date_format": "hh:mm"})
    bold = book.add_format({"bold": True})
    _sheet(book, bold, _("Beside today"), [_("What is measured"), _("As it is now"), _("Nearest first"), _("As planned")], [
        [word("plan_metric", shown_as), *(metric(name, shown["totals"].get(key, {})) for key in ("today", "greedy", "plan"))]
        for name, shown_as in METRICS.items()
    ])  # fmt: skip
    _sheet(book, bold, _("Not placed"), [_("File number"), _("Category"), _("Place"), _("Why it has no place")],
           [[s["hotline_no"], s["category_name"], s["place"], s["why"]] for s in shown["left"]])  # fmt: skip
    for part in shown["parts"]:
        if part["stops"]:
            name = f"{part['code']} {part['name']}"
            _sheet(book, bold, name, _heading(), [_row(stop, zone) for stop in part["stops"]])
    book.close()
    answer = Response(made.getvalue(), mimetype=XLSX)
    answer.headers["Content-Disposition"] = f'attachment; filename="plan_{plan.day}_{plan.id}.xlsx"'
    return answer


def _heading() -> list[str]:
    return ["№", _("Sets out"), _("Begins"), _("Work ends"), _("File number"), _("Category"), _("Place"), _("What changes"), _("Minutes of way"),
            _("Kilometres of way"), _("Minutes late")]  # fmt: skip


def _row(stop: Mapping[str, Any], zone: ZoneInfo) -> list[Cell]:
    times: list[Cell] = [
        at.astimezone(zone) if at else None for at in (stop["leave_at"], stop["begin_at"], stop["end_at"])
    ]
    return [
        stop["position"], *times, stop["hotline_no"], stop["category_name"], stop["place"], word("plan_stop", stop["kind"]),
        round(stop["way_s"] / 60), round(stop["way_m"] / 1000, 1), round(stop["late_s"] / 60),
    ]  # fmt: skip


def _sheet(book: Any, bold: Any, name: str, heading: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Text is written as text: a place that begins with `=` is no formula."""
    page = book.add_worksheet(re.sub(r"[\[\]:*?/\\']", " ", name)[:31])
    for column, title in enumerate(heading):
        page.write_string(0, column, title, bold)
        page.set_column(column, column, 22 if title in (_("Place"), _("Why it has no place"), _("File number")) else 12)
    page.freeze_panes(1, 0)
    for n, row in enumerate(rows, 1):
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                page.write_string(n, column, cell)
            elif isinstance(cell, int | float):
                page.write_number(n, column, cell)
            elif cell is not None:
                page.write_datetime(n, column, cell.replace(tzinfo=None))
