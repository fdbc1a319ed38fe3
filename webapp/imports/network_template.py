"""The Excel template of a network: a sheet per kind of object, headings the import understands, lists to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import xlsxwriter

from webapp.imports.kinds import LAT, LON, Field, Kind
from webapp.imports.network_kinds import ENDS, NETWORK, SHEETS, UTILITY_WORDS, heading

ROWS = 20_000
_CHOICES = {
    "utility": list(UTILITY_WORDS.values()), "level": ["一次网", "二次网", "干管"], "flow": ["供水", "回水"],
    "operator": ["供热企业", "物业公司"], "is_open": ["开", "关"], "normally_open": ["开", "关"], "reach": ["可操作", "无法操作"],
    "kind": ["关断阀", "调节阀", "止回阀", "泄水阀"],
}  # fmt: skip
_NEEDED = {
    "code",
    "name",
    "utility",
    "level",
    "operator",
    "station",
    "supply_point",
    "lon",
    "lat",
    "from_lon",
    "from_lat",
    "to_lon",
    "to_lat",
}


def fields_of(kind: Kind) -> tuple[Field, ...]:
    """The columns of a sheet: a pipe is told by its ends, a thing by its place, a dependency by neither."""
    if kind.name == "dependencies":
        return kind.fields
    return (*kind.fields, *(ENDS if kind.name == "pipelines" else (LON, LAT)))


def workbook(book: xlsxwriter.Workbook, units: Sequence[str]) -> None:
    """Fill an empty workbook."""
    needed = book.add_format({"bold": True, "bg_color": "#1a5fd0", "font_color": "#ffffff", "border": 1})
    free = book.add_format({"bold": True, "bg_color": "#e4edfb", "border": 1})
    sheets = {name: book.add_worksheet(title) for name, title in SHEETS.items()}
    lists = book.add_worksheet("lists")
    at = 0
    for name, sheet in sheets.items():
        for column, field in enumerate(fields_of(NETWORK[name])):
            title = {"lon": "经度", "lat": "纬度"}.get(field.name) or heading(field)
            must = field.name in _NEEDED and not (name == "supply_points" and field.name == "station")
            sheet.write_string(0, column, title, needed if must else free)
            sheet.set_column(column, column, 16)
            choices = list(units) if field.name == "unit" else _CHOICES.get(field.name, [])
            if choices:
                _list(lists, at, choices)
                letter = xlsxwriter.utility.xl_col_to_name(at)
                rule: dict[str, Any] = {
                    "validate": "list",
                    "error_type": "warning",
                    "source": f"=lists!${letter}$1:${letter}${len(choices)}",
                }
                sheet.data_validation(1, column, ROWS, column, rule)
                at += 1
        sheet.freeze_panes(1, 1)
    lists.hide()


def _list(lists: Any, column: int, words: Sequence[str]) -> None:
    for row, text in enumerate(words):
        lists.write_string(row, column, text)
