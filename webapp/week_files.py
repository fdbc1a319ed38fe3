"""The heating week's board as a workbook: every rate with its numerator and denominator beside it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import xlsxwriter
from flask import Response
from flask_babel import gettext as _

from gis.oversight.week_board import Board, Group
from webapp.exports import XLSX
from webapp.filters import zone
from webapp.i18n import word

NO_DATA = None


def excel(board: Board) -> Response:
    """A sheet for each table. Text is written as text, so `=cmd` stays a word; where there is no data the cell says so."""
    kept = io.BytesIO()
    book = xlsxwriter.Workbook(kept, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    for title, heading, rows in (_figures(board), _days(board), _stations(board), _groups(board), _supervisions(board)):
        sheet = book.add_worksheet(title[:31])
        for column, name in enumerate(heading):
            sheet.write_string(0, column, name, bold)
            sheet.set_column(column, column, 28 if column == 0 else 16)
        for n, row in enumerate(rows, 1):
            for column, cell in enumerate(row):
                _write(sheet, n, column, cell)
        sheet.freeze_panes(1, 1)
    book.close()
    answer = Response(kept.getvalue(), mimetype=XLSX)
    name = f"heating_week_{board.week.first}_{board.week.last}.xlsx"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _write(sheet: Any, row: int, column: int, cell: Any) -> None:
    if cell is NO_DATA:
        sheet.write_string(row, column, _("no data"))
    elif isinstance(cell, str):
        sheet.write_string(row, column, cell)
    else:
        sheet.write_number(row, column, float(cell))


Table = tuple[str, list[str], Sequence[Sequence[Any]]]


def _figures(board: Board) -> Table:
    rows: list[list[Any]] = [
        [board.week.name, f"{board.week.first} – {board.week.last}", "", "", board.week.source],
        [_("Calls for each day"), board.per_day, board.calls, board.days_counted, ""],
        [_("Calls for each 100 households"), board.per_hundred, board.calls, board.households, ""],
    ]
    for s in board.standings:
        counted = (s.count, "") if s.rate is None else (s.rate.numerator, s.rate.denominator)
        rows.append([_(s.figure.name) + (" %" if s.rate else ""), s.value, *counted,
                     "" if s.target is None else s.target, s.source])  # fmt: skip
    return (_("Figures of the week"),
            [_("Figure"), _("Value"), _("Numerator"), _("Denominator"), _("Target"), _("Source")], rows)  # fmt: skip


def _days(board: Board) -> Table:
    rows = [[str(d["day"]), d["calls"], d["ordinary"], d["same_day"]] for d in board.days if d["begun"]]
    return (
        _("Calls by day"),
        [_("Day"), _("Calls"), _("Ordinary matters"), _("of these closed on the same day")],
        rows,
    )


def _stations(board: Board) -> Table:
    heading = [
        _("Station"), _("Operator"), _("Company"), _("Heat from"), _("Households"), _("Calls"), _("Calls for each 100 households"),
        _("Interval from"), _("Interval to"), _("Drawn to the mean"), _("Still open"), _("On-site supervisions"),
        _("Problems found"), _("Problems solved"),
    ]  # fmt: skip
    rows = [
        [r["name"], word("operator", r["operator"]), r["unit"] or "", r["company"] or "", r["households"], r["calls"],
         r["rate"].raw, _two(r["rate"].low), _two(r["rate"].high), _two(r["rate"].shrunk), r["open"], r["supervisions"],
         r["found"], r["solved"]]
        for r in board.stations
    ]  # fmt: skip
    return _("Stations"), heading, rows


def _two(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _groups(board: Board) -> Table:
    def row(kind: str, group: Group, name: str) -> list[Any]:
        return [kind, name, group.stations, group.households, group.calls, group.per_hundred, group.supervisions, group.found,
                group.solved]  # fmt: skip

    rows = [row(_("Kind of operator"), g, word("operator", g.key)) for g in board.operators]
    rows += [row(_("Company"), g, g.name or "—") for g in board.companies]
    heading = [_("By"), _("Name"), _("Stations"), _("Households"), _("Calls"), _("Calls for each 100 households"),
               _("On-site supervisions"), _("Problems found"), _("Problems solved")]  # fmt: skip
    return _("Companies and operators"), heading, rows


def _supervisions(board: Board) -> Table:
    rows = [
        [v["at"].astimezone(zone()).strftime("%Y-%m-%d %H:%M"), v["place"], v["station"] or "", v["unit"] or "", v["found"], v["solved"]]
        for v in board.supervisions
    ]  # fmt: skip
    heading = [_("When"), _("Place"), _("Station"), _("Company"), _("Problems found"), _("Problems solved")]
    return _("On-site supervisions"), heading, rows
