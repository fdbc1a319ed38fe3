"""The items of a checklist that are kept or not kept, in words: of the six pledges and of the bureau's own forms alike."""

from __future__ import annotations

from dataclasses import dataclass

from gis.inspections.forms import form_of, told
from gis.inspections.model import Checklist

TEXT_MOST = 300


@dataclass(frozen=True)
class Checkable:
    """An item that is answered by yes or no."""

    id: str
    zh: str
    en: str


def checkable(checklist: Checklist) -> list[Checkable]:
    """The items of a checklist that a "no" is possible to, in its order."""
    if checklist.form is None:
        return [Checkable(raw["id"], raw["zh"][:TEXT_MOST], raw["en"][:TEXT_MOST]) for raw in checklist.items]
    form = form_of(checklist.form)
    items = [placed.item for placed in form.items() if placed.item.type == "yes_no"]
    return [
        Checkable(
            item.name, *((told(item.label, to, form.default_language) or item.name)[:TEXT_MOST] for to in ("zh", "en"))
        )
        for item in items
    ]
