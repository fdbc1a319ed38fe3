"""Answers to a form: what each type takes, how it is written as a text, and everything that is wrong with a visit. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from gis.inspections.forms import (
    CHOSEN,
    PICTURES,
    SIGNED,
    SILENT,
    Form,
    Item,
    ItemType,
    Need,
    Standing,
    is_required,
    item_names,
    lacking,
    meets,
    standing,
)
from gis.inspections.reckon import day_of
from gis.inspections.rules import Given, Problem

T = ItemType
LONGEST_TEXT = 4000
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_POINT = re.compile(r"-?\d{1,2}(\.\d+)? -?\d{1,3}(\.\d+)?( -?\d+(\.\d+)?){0,2}", re.ASCII)
_WHOLE = re.compile(r"-?\d{1,15}", re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,15}(\.\d{1,15})?", re.ASCII)

# Type -> what a text must look like to be an answer to it.
_FITS: dict[str, Callable[[str], bool]] = {
    T.INTEGER: lambda t: _WHOLE.fullmatch(t) is not None,
    T.DECIMAL: lambda t: _DECIMAL.fullmatch(t) is not None,
    T.TEXT: lambda t: len(t) <= LONGEST_TEXT,
    T.DATE: lambda t: len(t) == 10 and day_of(t) is not None,
    T.DATETIME: lambda t: day_of(t) is not None,
    T.TIME: lambda t: _TIME.fullmatch(t) is not None,
    T.GEOPOINT: lambda t: _POINT.fullmatch(t) is not None,
    T.TICK: lambda t: t == "OK",
    T.CALCULATE: lambda t: len(t) <= LONGEST_TEXT,
    T.META: lambda t: len(t) <= LONGEST_TEXT,
}
_NEEDED = {Need.PHOTO: "photo_wanted", Need.NOTE: "note_missing", Need.SIGNATURE: "signature_wanted"}


def fits(form: Form, item: Item, text: str) -> bool:
    """Can this text be an answer to this item at all?"""
    if item.type in CHOSEN:
        known = {c.name for c in form.choices.get(item.choices, ())}
        chosen = text.split() if item.type == T.SELECT_MANY else [text]
        return bool(chosen) and set(chosen) <= known and len(set(chosen)) == len(chosen)
    judge = _FITS.get(item.type)
    return judge is not None and judge(text)


def said(given: Given) -> str:
    """An answer as a text, whether it is one of yes, no and n/a or a value."""
    return given.answer or given.value or ""


def check_form(form: Form, given: Sequence[Given], photo_items: Iterable[str], now: str) -> list[Problem]:
    """Everything that is wrong with a visit's answers, in the order of the form.

    As with the six pledges: contradictions refuse, gaps do not. `now` is the local moment at which the visit ended.
    """
    shown, known = set(photo_items), item_names(form)
    problems = [Problem("unknown_item", g.item_id, True) for g in given if g.item_id not in known]
    problems += [Problem("unknown_item", i, True) for i in sorted(shown) if i and i.removesuffix(SIGNED) not in known]
    by_name: dict[str, Given] = {}
    for g in given:
        if g.item_id in by_name:
            problems.append(Problem("answered_twice", g.item_id, True))
        by_name.setdefault(g.item_id, g)
    at = standing(form, {name: said(g) for name, g in by_name.items()}, now)
    for placed in form.items():
        problems += _check_one(form, placed.item, by_name, at, shown)
    return problems


def _check_one(
    form: Form, item: Item, by_name: Mapping[str, Given], at: Standing, shown: set[str]
) -> list[Problem]:  # fmt: skip
    one = by_name.get(item.name)
    text = said(one) if one is not None else ""
    if item.type in PICTURES:
        missing = item.name in at.asked and is_required(item, at) and item.name not in shown
        return [Problem("unanswered", item.name, False)] if missing else []
    if one is None or not text:
        asked = item.name in at.asked and item.type not in SILENT
        return [Problem("unanswered", item.name, False)] if asked and is_required(item, at) else []
    if not fits(form, item, text):
        return [Problem("answer_not_allowed", item.name, True)]
    if item.name not in at.asked:
        return [Problem("not_asked", item.name, False)]
    problems = [] if meets(item, text, at) else [Problem("not_met", item.name, False)]
    assert one is not None
    return problems + [Problem(_NEEDED[n], item.name, False) for n in lacking(item, text, one.note, shown)]


def shown_text(form: Form, item: Item, text: str, label: Callable[[Mapping[str, str]], str]) -> str:
    """An answer as a person reads it: choices by their labels."""
    if item.type not in CHOSEN or not text:
        return text
    labels = {c.name: label(c.label) or c.name for c in form.choices.get(item.choices, ())}
    return "、".join(labels.get(name, name) for name in text.split())


def as_given(item: Item, text: str, note: str = "") -> Given:
    """A text from outside as an answer: of a yes-no item one of yes, no and n/a, else a value."""
    if item.type == T.YES_NO and text in ("yes", "no", "na"):
        return Given(item.name, text, note)
    return Given(item.name, "", note, text)
