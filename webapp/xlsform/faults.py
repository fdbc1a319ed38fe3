"""What can be wrong with an XLSForm: each with a stable code, the sheet, the row and the column, in both languages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import get_locale
from flask_babel import gettext as _

from gis.errors import BadInput, TooLarge

MOST_BYTES = 5 << 20  # of a workbook


class NotAWorkbook(BadInput):
    """This is no Excel workbook that can be read; an XLSForm is an .xlsx or .xls file."""

    code = "form_not_a_workbook"


class FormTooLarge(TooLarge):
    """This workbook is too large for a form: at most %(limit)s."""

    code = "form_too_large"


class FormRefused(BadInput):
    """This XLSForm cannot be taken in: %(reason)s"""

    code = "form_refused"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(reason="; ".join(f.said for f in faults))
        self.faults = faults

    @property
    def sentence(self) -> str:
        return self.template() % self.params


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, or that our phone app cannot show, and where it stands (rows as Excel counts them)."""

    code: str
    sheet: str = ""
    row: int | None = None
    column: str = ""
    what: str = ""

    @property
    def said(self) -> str:
        """In English, for logs and programs; screens say `told(fault)`."""
        return " ".join(filter(None, (self.sheet, str(self.row or ""), self.column, self.code, self.what)))

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "sheet": self.sheet, "row": self.row, "column": self.column, "what": self.what}


def told(fault: Fault | dict[str, Any]) -> str:
    """A fault as a sentence in the reader's language: where it stands first."""
    one = fault if isinstance(fault, Fault) else Fault(**fault)
    where = [_("sheet %(name)s", name=one.sheet)] if one.sheet else []
    where += [_("row %(n)s", n=one.row)] if one.row else []
    where += [_("column %(name)s", name=one.column)] if one.column else []
    said = str(_(SENTENCES.get(one.code, SENTENCES["converter"]))) % {"what": one.what}
    comma, colon = (", ", ": ") if str(get_locale()) == "en" else (" ", "：")
    return f"{comma.join(where)}{colon}{said}" if where else said


# Code -> the sentence; message ids, translated in the catalogue `forms`.
SENTENCES: dict[str, str] = {
    "include": "the form includes another file, “%(what)s”, which cannot be brought along; copy its questions into this sheet",
    "unknown_type": "“%(what)s” is no type of question; see xlsform.org for those there are",
    "no_type": "this row has a name or a label but no type",
    "same_column": "two columns mean the same: %(what)s; keep one of them",
    "no_column": "a column is missing: %(what)s",
    "bad_column": "the heading of a column cannot be used: %(what)s",
    "twice_column": "this heading stands twice: %(what)s",
    "no_sheet": "there is no sheet “%(what)s”",
    "no_questions": "there is no question in this form",
    "bad_name": "“%(what)s” cannot be a name: it begins with a letter and holds letters, digits, underscores, hyphens and points",
    "no_name": "a question or a group has no name",
    "twice_name": "this name is given twice in its group: %(what)s",
    "reserved_name": "this name is kept for the form itself: %(what)s",
    "no_list": "there is no list of choices of this name: %(what)s",
    "bad_choice": "a choice cannot be used: %(what)s",
    "unmatched": "a group or repeat is not closed, or closed twice: %(what)s",
    "no_reference": "there is no question of this name: %(what)s",
    "bad_date": "this date cannot be read: %(what)s",
    "no_calculation": "a calculation says nothing",
    "too_many": "there are more rows than the %(what)s that can be read",
    "too_long": "this cell holds more than %(what)s letters",
    "bad_xml": "the workbook holds a part that declares entities; it is not read",
    "converter": "pyxform does not convert it: %(what)s",
    # what our own phone app cannot show; an ODK client can
    "type": "our phone app cannot show a question of the type “%(what)s”",
    "beyond": "our phone app cannot reckon “%(what)s”",
    "wrong": "this is no expression, near “%(what)s”",
    "unknown": "the expression speaks of “%(what)s”, which is no question of this form",
    "circle": "“%(what)s” depends on itself",
    "twice": "“%(what)s” is the name of two questions in different groups; our phone app keeps one answer for a name",
    "external": "the choices come from another file, “%(what)s”; our phone app cannot read it",
    "entities": "this form makes or changes entities; our phone app cannot",
}  # fmt: skip

_ROW = re.compile(r"\[row : (\d+)\]")
_SHEET = re.compile(r"'(\w+)' sheet|sheet: '(\w+)'|the (\w+) sheet")
_QUOTED = re.compile(r"'([^']+)'|: (\S+)$")
# What pyxform says -> our code and, where it is always the same, the column.
_KNOWN: tuple[tuple[str, str, str], ...] = (
    (r"different names for the same column", "same_column", ""),
    (r"required column headers were not found", "no_column", ""),
    (r"Duplicate column header", "twice_column", ""),
    (r"Invalid headers|Column headers must not", "bad_column", ""),
    (r"must have a sheet named|sheet called|no sheet|does not have a survey sheet", "no_sheet", ""),
    (r"Unknown question type|is not a supported", "unknown_type", "type"),
    (r"Question with no type", "no_type", "type"),
    (r"with no name", "no_name", "name"),
    (r"must be unique within|must unique anywhere|has already been used|There are more than one", "twice_name", "name"),
    (r"is reserved|must not be the same as the survey root", "reserved_name", "name"),
    (r"Names must begin|Names used here|invalid XML tag|not a valid name", "bad_name", "name"),
    (r"List name not in|There should be a choices sheet|choice list .* not found", "no_list", "type"),
    (r"Choice|choice", "bad_choice", ""),
    (r"Unmatched|is not matched|Unmatched 'begin|end_group|end_repeat", "unmatched", "type"),
    (
        r"no survey element named|Could not find the name|trying to replace|reference variables|references? .* does not exist",
        "no_reference",
        "",
    ),
    (r"invalid date", "bad_date", ""),
    (r"Missing calculation", "no_calculation", "calculation"),
)


_HEADINGS = {"same_column", "no_column", "twice_column", "bad_column"}


def of_pyxform(message: str) -> Fault:
    """What pyxform refuses, as a fault of ours. Its own words ride along where they say more."""
    row = _ROW.search(message)
    sheet = _SHEET.search(message)
    place = next(filter(None, sheet.groups()), "") if sheet else ("survey" if row else "")
    plain = " ".join(_ROW.sub("", message).split())
    for pattern, code, column in _KNOWN:
        if re.search(pattern, message):
            named = re.search(r"On the '\w+' sheet, the '([^']+)' value", message)
            number = int(row[1]) if row else 1 if code in _HEADINGS else None
            return Fault(code, place, number, named[1] if named else column, _what(code, plain))
    return Fault("converter", place, int(row[1]) if row else None, "", plain[:300])


def _what(code: str, message: str) -> str:
    if code == "same_column":
        pair = re.search(r"were found: ([^.]*)\.", message)
        return pair[1] if pair else message[:200]
    if code in ("bad_choice", "unmatched", "no_sheet", "no_column", "bad_column"):
        return message[:200]
    quoted = [a or b for a, b in _QUOTED.findall(re.sub(r"On the '\w+' sheet, the '\w+' value ?", "", message))]
    return quoted[-1 if code == "no_reference" else 0][:120] if quoted else message[:200]
