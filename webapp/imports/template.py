"""The Excel template: headings with notes, lists to choose from, and a second sheet that says what each column wants."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import xlsxwriter
from flask_babel import gettext as _

from webapp.imports import mapping as mappings

ROWS = 5_000
LISTS = "lists"


@dataclass(frozen=True)
class Choices:
    """What some columns may hold, in words that the import understands."""

    categories: Sequence[str]
    channels: Sequence[str]
    units: Sequence[str]
    statuses: Sequence[str] = ("受理", "处置完毕", "办结", "作废")
    complexities: Sequence[str] = ("一般", "复杂")

    def of(self, field: str) -> Sequence[str]:
        """The words of a field; none where anything may be typed."""
        return {"category": self.categories, "channel": self.channels, "unit": self.units, "status": self.statuses,
                "complexity": self.complexities}.get(field, ())  # fmt: skip


def notes() -> dict[str, tuple[str, str]]:
    """Field -> what it wants, and an example."""
    return {
        "hotline_no": (_("Number of the file. Each number once; the same row again adds nothing."), "PD2009-000123"),
        "source_no": (_("The number that the channel itself gave. Each once per channel."), "12345-20091117-0456"),
        "received_at": (_("Date and time, as 2009-11-17 09:30."), "2009-11-17 09:30"),
        "category": (_("Choose from the list."), "不热"),
        "channel": (_("Choose from the list; empty means imported."), "12345热线"),
        "description": (_("What was said, at most 4,000 characters."), "家里暖气不热，室温14度"),
        "place": (_("Compound, street or landmark, at most 300 characters."), "文丰小区3号楼"),
        "lon": (_("Degrees in WGS-84, both or neither."), "119.958"),
        "lat": (_("Degrees in WGS-84, both or neither."), "36.787"),
        "area": (_("Name or code of the area, for rows without coordinates."), ""),
        "unit": (_("Choose from the list; empty means that the rules decide."), ""),
        "complexity": (_("Choose from the list; empty means as the category says."), "一般"),
        "status": (_("Choose from the list; empty means received, or closed where a closing time stands."), "受理"),
        "closed_at": (_("Date and time, where it is closed."), ""),
        "resolve_by": (_("Date and time, where a limit was promised elsewhere."), ""),
        "caller_name": (_("Kept apart and masked."), "张三"),
        "caller_phone": (_("Kept apart and masked."), "13812345678"),
        "door_no": (_("Kept apart and masked."), "2单元301"),
    }


def workbook(choices: Choices) -> bytes:
    """The template as a file. Only the first sheet is ever read back."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    template = mappings.shipped(mappings.TEMPLATE)
    fields = [(field, template.sources(field)[0], field not in template.optional.fields) for field in template.columns]
    style = {
        "needed": book.add_format({"bold": True, "bg_color": "#1a5fd0", "font_color": "#ffffff", "border": 1}),
        "free": book.add_format({"bold": True, "bg_color": "#e4edfb", "border": 1}),
        "text": book.add_format({"num_format": "@"}),
        "moment": book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
        "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
    }
    _rows(book, fields, choices, style)
    _help(book, fields, choices, style)
    _lists(book, fields, choices)
    book.close()
    return out.getvalue()


def _rows(book: Any, fields: list[tuple[str, str, bool]], choices: Choices, style: dict[str, Any]) -> None:
    page = book.add_worksheet("诉求")
    told = notes()
    for column, (field, title, needed) in enumerate(fields):
        kind = style["moment"] if field.endswith("_at") or field == "resolve_by" else style["text"]
        page.set_column(
            column, column, 28 if field in ("description", "place") else 16, None if field in ("lon", "lat") else kind
        )
        page.write_string(0, column, title, style["needed" if needed else "free"])
        page.write_comment(
            0, column, f"{told[field][0]}\n{_('needed') if needed else _('may stay empty')}", {"x_scale": 1.6}
        )
        if words := choices.of(field):
            name = xlsxwriter.utility.xl_col_to_name(column)
            page.data_validation(1, column, ROWS, column, {
                "validate": "list", "source": f"={LISTS}!${name}$1:${name}${len(words)}", "error_type": "warning",
                "error_title": title, "error_message": _("Choose from the list."),
            })  # fmt: skip
    page.freeze_panes(1, 2)


def _help(book: Any, fields: list[tuple[str, str, bool]], choices: Choices, style: dict[str, Any]) -> None:
    page = book.add_worksheet("填写说明")
    told = notes()
    for column, (title, width) in enumerate(
        ((_("Column"), 14), (_("Needed"), 10), (_("What it wants"), 60), (_("Example"), 30), (_("To choose from"), 60))
    ):
        page.write_string(0, column, title, style["needed"])
        page.set_column(column, column, width, style["wrap"])
    for row, (field, title, needed) in enumerate(fields, 1):
        for column, cell in enumerate(
            (title, _("yes") if needed else _("no"), *told[field], "、".join(list(choices.of(field))[:40]))
        ):
            page.write_string(row, column, cell)
    page.freeze_panes(1, 0)


def _lists(book: Any, fields: list[tuple[str, str, bool]], choices: Choices) -> None:
    page = book.add_worksheet(LISTS)
    for column, (field, _title, _needed) in enumerate(fields):
        for row, word in enumerate(choices.of(field)):
            page.write_string(row, column, word)
    page.hide()
