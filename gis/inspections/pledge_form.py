"""The six pledges as a form: the same 33 items, their conditions as expressions. For ODK clients and for the preview.

Where the works are, how far they are and whether they are heating works are its first three questions, because an ODK client
knows no order and no site of ours.
"""

from __future__ import annotations

from collections.abc import Iterable

from gis.inspections.forms import Choice, Form, Group, Item, ItemType, Need
from gis.inspections.rules import PLEDGES, PLEDGES_EN, STAGE_ORDER, Answer, CheckItem, Evidence, Scope, Stage

WORKS, FAR, HEATING = "scope", "stage", "is_heating"
_ASKED = (WORKS, FAR, HEATING)
_CHOICES: dict[str, tuple[Choice, ...]] = {
    WORKS: (Choice(Scope.YARD, {"zh": "庭院", "en": "Yard"}), Choice(Scope.INDOOR, {"zh": "室内", "en": "Indoors"})),
    FAR: (
        Choice(Stage.BEFORE, {"zh": "施工前", "en": "Before the works"}), Choice(Stage.DURING, {"zh": "施工中", "en": "During"}),
        Choice(Stage.AFTER, {"zh": "完工后", "en": "After completion"}),
    ),
    "yes_no": (Choice("yes", {"zh": "是", "en": "Yes"}), Choice("no", {"zh": "否", "en": "No"})),
    "yes_no_na": (
        Choice("yes", {"zh": "是", "en": "Yes"}), Choice("no", {"zh": "否", "en": "No"}),
        Choice("na", {"zh": "不适用", "en": "Not applicable"}),
    ),
}  # fmt: skip
_EVIDENCE: dict[str, dict[str, list[str]]] = {
    Evidence.PHOTO: {"no": [Need.PHOTO]}, Evidence.BEFORE_AND_AFTER: {"no": [Need.PHOTO]}, Evidence.NOTE: {"no": [Need.NOTE]},
    Evidence.CONFIRMATION: {"no": [Need.NOTE]}, Evidence.OBSERVATION: {"no": [Need.NOTE]}, Evidence.RATING: {},
}  # fmt: skip


def name_of(item_id: str) -> str:
    """`1.1` as an XForm can name it: `p1_1`."""
    return f"p{item_id.replace('.', '_')}"


def relevance(item: CheckItem) -> str:
    """When the item is asked: the tables of `applicable` as an expression."""
    reached = [stage for stage, n in STAGE_ORDER.items() if n >= item.stage_no]
    parts = [_any(WORKS, [str(s) for s in item.scopes], len(Scope)), _any(FAR, [str(s) for s in reached], len(Stage))]
    if item.heating_only:
        parts.append(f"${{{HEATING}}} = 'yes'")
    if item.completion_only:
        parts.append(f"${{{FAR}}} = '{Stage.AFTER}'")
    return " and ".join(filter(None, parts))


def _any(name: str, allowed: list[str], most: int) -> str:
    if len(allowed) == most:
        return f"${{{name}}} != ''"
    said = " or ".join(f"${{{name}}} = '{one}'" for one in allowed)
    return f"({said})" if len(allowed) > 1 else said


def pledge_form(items: Iterable[CheckItem], title: str) -> Form:
    """The form of a version of the six pledges."""
    found = list(items)
    pages = tuple(
        Group(f"pledge_{n}", {"zh": f"{n} {PLEDGES[n]}", "en": f"{n} {PLEDGES_EN[n]}"}, "",
              tuple(_item(i) for i in found if i.pledge_no == n))
        for n in PLEDGES
    )  # fmt: skip
    return Form(title, (_about(), *pages), _CHOICES, "zh")


def _about() -> Group:
    labels = {
        WORKS: {"zh": "工程在哪里？", "en": "Where are the works?"}, FAR: {"zh": "进行到哪一步？", "en": "How far are they?"},
        HEATING: {"zh": "是供热工程吗？", "en": "Are they heating works?"},
    }  # fmt: skip
    asked = tuple(
        Item(name, ItemType.YES_NO if name == HEATING else ItemType.SELECT_ONE, labels[name], required="yes",
             choices="yes_no" if name == HEATING else name)
        for name in _ASKED
    )  # fmt: skip
    return Group("works", {"zh": "工程", "en": "The works"}, "", asked)


def _item(item: CheckItem) -> Item:
    return Item(
        name_of(item.id), ItemType.YES_NO, {"zh": f"{item.id} {item.zh}", "en": f"{item.id} {item.en}"},
        {"zh": item.note} if item.note else {}, required="yes", relevant=relevance(item),
        choices="yes_no_na" if Answer.NA in item.answers else "yes_no", evidence=_EVIDENCE[item.evidence],
    )  # fmt: skip
