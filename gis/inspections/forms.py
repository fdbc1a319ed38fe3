"""Checklists of any kind (通用检查表): pages of items of many types, what is asked when, and whether answers fit. Pure.

A form is data. It comes from an XLSForm, from the editor of standard visits, or from the six pledges (`pledge_form`). The phone
reckons the same in `webapp/frontend/phone/form_rules.mjs`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from gis.inspections.expressions import BeyondUs, Wrong, names, parse
from gis.inspections.reckon import Ground, holds, string, value


class ItemType(StrEnum):
    """What an item of a form asks for."""

    YES_NO = "yes_no"
    SELECT_ONE = "select_one"
    SELECT_MANY = "select_many"
    INTEGER = "integer"
    DECIMAL = "decimal"
    TEXT = "text"
    DATE = "date"
    TIME = "time"
    DATETIME = "datetime"
    PHOTO = "photo"
    SIGNATURE = "signature"
    GEOPOINT = "geopoint"
    TICK = "tick"
    NOTE = "note"
    CALCULATE = "calculate"
    META = "meta"
    BEYOND = "beyond"


class Need(StrEnum):
    """What an answer must carry."""

    PHOTO = "photo"
    NOTE = "note"
    SIGNATURE = "signature"


_T = ItemType
SILENT = frozenset({_T.NOTE, _T.CALCULATE, _T.META, _T.BEYOND})  # nobody answers these
PICTURES = frozenset({_T.PHOTO, _T.SIGNATURE})
DATES = frozenset({_T.DATE, _T.DATETIME})
CHOSEN = frozenset({_T.YES_NO, _T.SELECT_ONE, _T.SELECT_MANY})
SIGNED = ".signature"  # a signature that an answer must carry is a picture of `<item>.signature`
PASSES = 6

Text = dict[str, str]  # language -> text; "" is the language that has no name


@dataclass(frozen=True)
class Choice:
    """One answer to choose. `columns` are what a choice filter looks at."""

    name: str
    label: Text = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Item:
    """One item. Conditions are expressions; empty means always, or none. `evidence`: answer -> what it must carry."""

    name: str
    type: str
    label: Text = field(default_factory=dict)
    hint: Text = field(default_factory=dict)
    required: str = ""
    required_message: Text = field(default_factory=dict)
    relevant: str = ""
    constraint: str = ""
    constraint_message: Text = field(default_factory=dict)
    calculation: str = ""
    default: str = ""
    dynamic: bool = False
    read_only: bool = False
    repeat_last: bool = False
    choices: str = ""
    choice_filter: str = ""
    appearance: str = ""
    evidence: dict[str, list[str]] = field(default_factory=dict)
    beyond: str = ""


@dataclass(frozen=True)
class Group:
    """Items that stand together; a group at the top is a page."""

    name: str
    label: Text = field(default_factory=dict)
    relevant: str = ""
    children: tuple[Item | Group, ...] = ()


@dataclass(frozen=True)
class Form:
    """A whole checklist."""

    title: str
    children: tuple[Item | Group, ...] = ()
    choices: dict[str, tuple[Choice, ...]] = field(default_factory=dict)
    default_language: str = ""

    def items(self) -> Iterator[Placed]:
        """Every item in its order, with its page and the conditions of the groups around it."""
        page, loose = -1, False
        for child in self.children:
            if isinstance(child, Group):
                page, loose = page + 1, False
                yield from _within(child, page, ())
            else:
                page, loose = page if loose else page + 1, True
                yield Placed(child, page, ())

    def pages(self) -> list[Group]:
        """The pages: a group at the top is one; items that stand alone between two groups are one together."""
        made: list[Group] = []
        for child in self.children:
            if isinstance(child, Group):
                made.append(child)
            elif made and not made[-1].name:
                made[-1] = Group("", {}, "", (*made[-1].children, child))
            else:
                made.append(Group("", {}, "", (child,)))
        return made


@dataclass(frozen=True)
class Placed:
    """An item where it stands."""

    item: Item
    page: int
    conditions: tuple[str, ...]


def _within(group: Group, page: int, outer: tuple[str, ...]) -> Iterator[Placed]:
    conditions = (*outer, group.relevant) if group.relevant else outer
    for child in group.children:
        if isinstance(child, Group):
            yield from _within(child, page, conditions)
        else:
            yield Placed(child, page, conditions)


# --- as data ---------------------------------------------------------------------------------------------------------
def as_json(part: Form | Group | Item | Choice) -> dict[str, Any]:
    """What the table and the phone get: only what is said."""
    made: dict[str, Any] = {}
    for one in fields(part):
        said = getattr(part, one.name)
        if one.name == "children":
            said = [as_json(child) for child in said]
        elif one.name == "choices" and isinstance(part, Form):
            said = {name: [as_json(c) for c in found] for name, found in said.items()}
        if said or one.name in ("name", "title", "children"):
            made[one.name] = said
    return made


def form_of(row: Mapping[str, Any]) -> Form:
    """A `Form` from the table."""
    return Form(
        row["title"], tuple(_child(c) for c in row.get("children", ())),
        {name: tuple(Choice(**c) for c in found) for name, found in row.get("choices", {}).items()},
        row.get("default_language", ""),
    )  # fmt: skip


def _child(row: Mapping[str, Any]) -> Item | Group:
    if "children" in row:
        return Group(
            row["name"], row.get("label", {}), row.get("relevant", ""), tuple(_child(c) for c in row["children"])
        )
    return Item(**row)


_CALLED = {"zh": {"zh", "cn", "chinese", "中文", "汉语", "简体中文"}, "en": {"en", "english", "英文", "英语"}}


def told(text: Text, language: str, default: str = "") -> str:
    """A text in `zh` or `en`, else in the form's own language, else in any."""
    for name, said in text.items():
        if _CALLED[language] & set(re.split(r"[\s()\-_]+", name.lower())):
            return said
    return text.get(default) or text.get("") or next(iter(text.values()), "")


# --- what is asked ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Standing:
    """Where a form stands: the value of every item as a text (empty where it is not asked), and which are asked."""

    values: dict[str, str]
    asked: frozenset[str]
    ground: Ground


def standing(form: Form, given: Mapping[str, str], now: str) -> Standing:
    """What is asked when these answers have been given, calculations included. Reckoned until nothing changes any more."""
    placed = list(form.items())
    dates = frozenset(p.item.name for p in placed if p.item.type in DATES)
    values = {p.item.name: given.get(p.item.name, "") for p in placed}
    asked: frozenset[str] = frozenset(values)
    for _ in range(PASSES):
        ground = Ground(values, dates, now)
        fresh, there = dict(values), set()
        for p in placed:
            if all(holds(c, ground) for c in (*p.conditions, *filter(None, (p.item.relevant,)))):
                there.add(p.item.name)
                said = given.get(p.item.name, "")
                fresh[p.item.name] = string(value(p.item.calculation, ground)) if p.item.calculation else said
            else:
                fresh[p.item.name] = ""
        stable = fresh == values and asked == there
        values, asked = fresh, frozenset(there)
        if stable:
            break
    return Standing(values, asked, Ground(values, dates, now))


def offered(form: Form, item: Item, now: Standing) -> list[Choice]:
    """The choices of an item that its filter lets through."""
    found = form.choices.get(item.choices, ())
    if not item.choice_filter:
        return list(found)
    g = now.ground
    return [
        c
        for c in found
        if holds(item.choice_filter, Ground(g.values, g.dates, g.now, columns={"name": c.name} | c.columns))
    ]


def is_required(item: Item, now: Standing) -> bool:
    """Must this item be answered?"""
    return item.required == "yes" or (bool(item.required) and holds(item.required, now.ground))


def meets(item: Item, text: str, now: Standing) -> bool:
    """Does this answer meet the item's own condition? An empty one always does, as in XForms."""
    if not item.constraint or text == "":
        return True
    g = now.ground
    return holds(item.constraint, Ground(g.values, g.dates, g.now, text, item.type in DATES))


def default_of(item: Item, now: str) -> str:
    """What an item begins with."""
    if not item.dynamic:
        return item.default
    return string(value(item.default, Ground(now=now)))


# --- do the parts fit each other? ------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Doubt:
    """Why this house cannot reckon or show one part of a form. `column`: the field of the item, `what`: the part meant."""

    code: str
    name: str
    column: str
    what: str


def doubts(form: Form) -> list[Doubt]:
    """Everything in a form that the phone app cannot show, in its order. Empty: it can be filled in there."""
    placed = list(form.items())
    known = {p.item.name for p in placed}
    found: list[Doubt] = []
    speaks: dict[str, set[str]] = {}
    seen: set[str] = set()
    for group in _groups(form.children):
        found += _doubt(group.name, "relevant", group.relevant, known)
    for p in placed:
        item = p.item
        if item.name in seen:
            found.append(Doubt("twice", item.name, "name", item.name))
        seen.add(item.name)
        if item.beyond:
            found.append(Doubt("type", item.name, "type", item.beyond))
        for column in ("relevant", "constraint", "calculation", "choice_filter"):
            found += _doubt(item.name, column, getattr(item, column), known, of_choices=column == "choice_filter")
        if item.required not in ("", "yes"):
            found += _doubt(item.name, "required", item.required, known)
        if item.dynamic:
            found += _doubt(item.name, "default", item.default, known)
        speaks[item.name] = (
            _spoken(item.calculation) | _spoken(item.relevant) | {n for c in p.conditions for n in _spoken(c)}
        )
    found += [Doubt("circle", name, "calculation", name) for name in _circles(speaks)]
    return found


def _groups(children: Iterable[Item | Group]) -> Iterator[Group]:
    for child in children:
        if isinstance(child, Group):
            yield child
            yield from _groups(child.children)


def _doubt(name: str, column: str, text: str, known: set[str], *, of_choices: bool = False) -> list[Doubt]:
    if not text:
        return []
    try:
        node = parse(text)
    except BeyondUs as error:
        return [Doubt("beyond", name, column, str(error.args[0]))]
    except Wrong as error:
        return [Doubt("wrong", name, column, str(error.args[0]))]
    strangers = sorted(names(node) - known)
    if not of_choices:
        strangers += sorted(names(node, "name"))
    return [Doubt("unknown", name, column, one) for one in strangers]


def _spoken(text: str) -> set[str]:
    try:
        return names(parse(text)) if text else set()
    except (BeyondUs, Wrong):
        return set()


def _circles(speaks: Mapping[str, set[str]]) -> list[str]:
    """Items whose value or condition comes back to themselves."""
    found = []
    for start in speaks:
        seen: set[str] = set()
        todo = list(speaks[start])
        while todo:
            one = todo.pop()
            if one not in seen:
                seen.add(one)
                todo += speaks.get(one, ())
        if start in seen:
            found.append(start)
    return found


# --- do the answers fit? ---------------------------------------------------------------------------------------------
def lacking(item: Item, said: str, note: str, shown: set[str]) -> list[Need]:
    """What an answer must still carry."""
    wanted = item.evidence.get(said, ())
    have = {
        Need.PHOTO: item.name in shown, Need.NOTE: bool(note.strip()), Need.SIGNATURE: f"{item.name}{SIGNED}" in shown,
    }  # fmt: skip
    return [Need(n) for n in wanted if not have[Need(n)]]


def item_names(form: Form) -> set[str]:
    """What a picture or an answer may belong to."""
    return {p.item.name for p in form.items()}
