"""A form of ours as an XLSForm workbook, and as the XForm that ODK clients fetch.

What an answer must carry stands in a column of our own (`chengmai_evidence`), which other tools pass over. An ODK client knows
no such thing, so in the XForm each need becomes a question of its own, asked when that answer is given.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from typing import Any

import xlsxwriter
from pyxform.xls2xform import convert

from gis.inspections.forms import Form, Group, Item, ItemType, Need, Text
from gis.inspections.xforms import NEED_SUFFIX
from webapp.xlsform.reader import EVIDENCE, OF_EVIDENCE

T = ItemType
Row = dict[str, str]
_WRITTEN: dict[str, str] = {
    T.INTEGER: "integer", T.DECIMAL: "decimal", T.TEXT: "text", T.DATE: "date", T.TIME: "time", T.DATETIME: "dateTime",
    T.PHOTO: "image", T.SIGNATURE: "image", T.GEOPOINT: "geopoint", T.TICK: "acknowledge", T.NOTE: "note", T.CALCULATE: "calculate",
}  # fmt: skip
_ASKED: dict[str, tuple[str, str, str]] = {  # need -> type, Chinese, English
    Need.PHOTO: ("image", "照片", "Photo"), Need.NOTE: ("text", "说明", "Note"), Need.SIGNATURE: ("image", "签名", "Signature"),
}  # fmt: skip


def rows(form: Form, *, spelled_out: bool = False) -> tuple[list[Row], list[Row]]:
    """The survey and the choices sheet. `spelled_out`: what answers must carry as questions, for other clients."""
    survey = list(_rows(form.children, form, spelled_out))
    choices = [
        {"list_name": name, "name": c.name, **_texts("label", c.label or {"": c.name}, form), **c.columns}
        for name, found in form.choices.items() for c in found
    ]  # fmt: skip
    return survey, choices


def _rows(children: tuple[Item | Group, ...], form: Form, spelled_out: bool) -> Iterator[Row]:
    for child in children:
        if isinstance(child, Group):
            yield _said({"type": "begin group", "name": child.name, **_texts("label", child.label, form),
                         "relevant": child.relevant})  # fmt: skip
            yield from _rows(child.children, form, spelled_out)
            yield {"type": "end group"}
        else:
            yield _row(child, form)
            if spelled_out:
                yield from _needs(child, form)


def _row(item: Item, form: Form) -> Row:
    kind = _WRITTEN.get(item.type, item.type)
    if item.type in (T.YES_NO, T.SELECT_ONE):
        kind = f"select_one {item.choices}"
    elif item.type == T.SELECT_MANY:
        kind = f"select_multiple {item.choices}"
    elif item.type == T.META:
        kind = item.name if item.name in ("start", "end", "today", "deviceid", "username", "email") else "today"
    elif item.type == T.CALCULATE and not item.calculation:
        kind = "hidden"
    appearance = item.appearance
    if item.type == T.SIGNATURE and "signature" not in appearance:
        appearance = f"signature {appearance}".strip()
    evidence = " ".join(f"{answer}:{need}" for answer, needs in item.evidence.items() for need in needs)
    return _said({
        "type": kind, "name": item.name, **_texts("label", item.label, form), **_texts("hint", item.hint, form),
        "required": item.required, **_texts("required_message", item.required_message, form), "relevant": item.relevant,
        "constraint": item.constraint, **_texts("constraint_message", item.constraint_message, form),
        "calculation": item.calculation, "default": f"${{last-saved#{item.name}}}" if item.repeat_last else item.default,
        "read_only": "yes" if item.read_only else "", "choice_filter": item.choice_filter, "appearance": appearance,
        EVIDENCE: evidence,
    })  # fmt: skip


def _needs(item: Item, form: Form) -> Iterator[Row]:
    for need, (kind, zh, en) in _ASKED.items():
        answers = [a for a, needs in item.evidence.items() if need in needs]
        if answers:
            label = {name: f"{said} · {en if 'en' in name.lower() else zh}" for name, said in item.label.items()}
            yield _said({
                "type": kind, "name": f"{item.name}{NEED_SUFFIX}{need}", **_texts("label", label, form), "required": "yes",
                "relevant": " or ".join(f"${{{item.name}}} = '{a}'" for a in answers), OF_EVIDENCE: item.name,
                "appearance": "signature" if need == Need.SIGNATURE else "",
            })  # fmt: skip


def _texts(column: str, text: Text, form: Form) -> Row:
    return {f"{column}::{name}" if name else column: said for name, said in text.items()}


def _said(row: Row) -> Row:
    return {column: cell for column, cell in row.items() if cell}


def settings(form: Form, code: str, revision: int) -> Row:
    found = {"form_title": form.title, "form_id": code, "version": str(revision)}
    if any(len({c.name for c in listed}) < len(listed) for listed in form.choices.values()):
        found["allow_choice_duplicates"] = "yes"
    return found | ({"default_language": form.default_language} if form.default_language else {})


def xlsform(form: Form, code: str, revision: int) -> bytes:
    """The workbook. Every cell is written as text: nothing in it can run."""
    survey, choices = rows(form)
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    bold, wrap = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
    for name, found in (("survey", survey), ("choices", choices), ("settings", [settings(form, code, revision)])):
        sheet = book.add_worksheet(name)
        columns = list(dict.fromkeys(column for row in found for column in row)) or ["list_name", "name", "label"]
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(columns), 24, wrap)
        for x, column in enumerate(columns):
            sheet.write_string(0, x, column, bold)
        for y, row in enumerate(found, 1):
            for x, column in enumerate(columns):
                if row.get(column):
                    sheet.write_string(y, x, row[column])
    book.close()
    return out.getvalue()


def xform(form: Form, code: str) -> str:
    """The XForm of a form of ours, with what answers must carry spelled out."""
    survey, choices = rows(form, spelled_out=True)
    found: dict[str, Any] = {"survey": survey, "settings": [settings(form, code, 1)]}
    if choices:
        found["choices"] = choices
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return str(convert(found, form_name="data").xform)
